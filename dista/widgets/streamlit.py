"""The probe, and small controls, in a Streamlit page.

A component keeps its DOM while its key stays the same, so a rerun that brings new data keeps the reader's
place. Bytes reach the browser only at the top level of ``data``: header and buffer travel as one block. What
comes back, and what the browser takes over of it, is decided in one place for all: ``reports``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from dista.widgets import reports
from dista.widgets.packing import Payload
from dista.widgets.payload import paint_payload
from dista.widgets.source import module, styles

if TYPE_CHECKING:
    import xarray as xr

    from dista.measures import BlockDenoising

Strokes = Sequence[Sequence[Sequence[float]]]


@cache
def _component(name: str, bundle: str) -> Callable[..., Any]:
    return st.components.v2.component(f"dista_{name}", js=module(bundle), css=styles(bundle))


def _nothing() -> None:
    """Without a callback Streamlit does not keep a component's state."""


def probe(
    payload: Payload,
    *,
    key: str,
    state: Mapping[str, Any] | None = None,
    theme: str | None = None,
    group: str | None = None,
    name: str | None = None,
    on_change: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Show ``payload``; return the reader's state: step, block, head, row, column, layer, neuron, range,
    stage, key.

    ``state`` may hold any of these, and is where the probe starts (from a URL, say). A later run
    moves the probe only if ``state`` is news, neither given nor returned by the last run nor reported
    since: feeding the returned state back is harmless, and a link or a back button takes effect.
    A host that keeps the state elsewhere calls ``acknowledge`` when it has taken over a report. What
    is missing in the state, or does not exist in the payload, is chosen by the probe, which reports
    its choice with the reader's first change. ``theme`` is None (follow the page), ``"light"`` or
    ``"dark"``. Probes with the same ``group`` go together, in the browser: what a reader does in one,
    the others follow as far as they have the place, and report it with ``following`` true.
    ``name`` tells the regions of one probe from those of another on the page, for who does not see where it stands.
    ``on_change`` runs before the rerun that a change causes.
    """
    wanted = {name: value for name, value in (state or {}).items() if name != "sample"}
    wish = reports.wish(st.session_state, key, wanted)
    _component("probe", "streamlit")(
        key=key,
        data=payload.to_bytes(
            state=wish["state"], revision=wish["revision"], theme=theme, group=group, name=name
        ),
        on_state_change=on_change or _nothing,
    )
    current = reports.current(st.session_state, key)
    current.pop("following", None)
    wish["returned"] = {"sample": payload.header["sample"]} | current
    return dict(wish["returned"])


def acknowledge(key: str) -> None:
    """The host has taken over what the probe ``key`` reported; see ``reports.acknowledge``."""
    reports.acknowledge(st.session_state, key)


# Small controls ---------------------------------------------------------------------------------


def threshold(
    blocks: Sequence[BlockDenoising],
    *,
    u: int | None,
    trained: float,
    rule: str,
    most: int,
    key: str,
    on_change: Callable[[int | None], None],
) -> None:
    """Histograms of the maps with u as a line to drag; ``on_change(u)`` hears where it was let go.

    ``u`` None leaves the denoiser as it was ``trained``, which ``rule`` says in words; ``most`` is the largest
    count that the model can have. While the line moves, what it removes is counted in the browser.
    """
    counted = [
        {"block": one.block, "before": one.before.tolist(), "after": one.after.tolist()}
        for one in blocks
    ]
    line = all(one.u is not None for one in blocks)
    data = {"blocks": counted, "trained": trained, "rule": rule, "most": most, "line": line}
    _control("threshold", key, {"u": u}, on_change, data)


def brush(
    recording: xr.DataTree,
    marks: np.ndarray,
    *,
    key: str,
    on_change: Callable[[np.ndarray], None],
    step: int | None = None,
) -> None:
    """The input of ``recording`` to paint on; ``on_change(marks)`` hears of every stroke.

    ``marks`` (row, column) are those of ``dista.experiments.painting``, there at ``step`` alone, or at all of them.
    """

    def told(digits: str) -> None:
        on_change((np.frombuffer(digits.encode(), np.uint8) - ord("0")).reshape(marks.shape))

    wanted = {"marks": "".join(map(str, marks.ravel().tolist()))}
    _control("brush", key, wanted, told, paint_payload(recording, step=step))


def pad(strokes: Strokes, *, key: str, on_change: Callable[[Strokes], None]) -> None:
    """A square to draw on, with ``strokes`` of points (x, y), 0..1 from the upper left corner.

    ``on_change(strokes)`` hears of them when the pen rests.
    """
    _control("pad", key, {"strokes": [list(map(list, stroke)) for stroke in strokes]}, on_change)


def _control(
    name: str,
    key: str,
    wanted: Mapping[str, Any],
    on_change: Callable[[Any], None],
    data: Mapping[str, Any] | Payload | None = None,
) -> None:
    """Show a control that holds one value, the only one in ``wanted``; ``on_change`` hears of a new one."""
    wish = reports.wish(st.session_state, key, wanted)
    # The value of now, though a control that is there looks at it only with a new revision: one that
    # was left and is mounted anew starts from it. These data are small enough to be sent again.
    told = {"state": dict(wanted), "revision": wish["revision"]}
    (part,) = wanted

    def heard() -> None:
        on_change(reports.acknowledge(st.session_state, key)[part])

    _component(name, name)(
        key=key,
        data=data.to_bytes(**told) if isinstance(data, Payload) else {**(data or {}), **told},
        on_state_change=heard,
    )
