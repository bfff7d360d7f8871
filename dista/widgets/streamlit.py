"""The probe, and two small controls, in a Streamlit page.

The component keeps its DOM while its key stays the same, so a rerun that brings new data keeps the
reader's place. Bytes reach the browser only at the top level of ``data``: header and buffer travel
as one block. Streamlit sends a block again only when it changes, so a state that the browser itself
reported is not written into it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from dista.widgets.packing import Payload
from dista.widgets.payload import paint_payload
from dista.widgets.source import module, part, styles

if TYPE_CHECKING:
    import xarray as xr

    from dista.measures import BlockDenoising


@cache
def _component() -> Callable[..., Any]:
    return st.components.v2.component("dista_probe", js=module("streamlit"), css=styles())


def probe(
    payload: Payload,
    *,
    key: str,
    state: Mapping[str, Any] | None = None,
    theme: str | None = None,
    group: str | None = None,
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
    ``on_change`` runs before the rerun that a change causes.
    """
    reported = dict((st.session_state.get(key) or {}).get("state") or {})
    wanted = {name: value for name, value in (state or {}).items() if name != "sample"}
    given = _given(key, wanted, reported)
    result = _component()(
        key=key,
        data=payload.to_bytes(
            state=given["state"], revision=given["revision"], theme=theme, group=group
        ),
        on_state_change=on_change or (lambda: None),
    )
    reported = dict(result.get("state") or {})
    reported.pop("following", None)
    current = reported if reported.pop("revision", None) == given["revision"] else given["state"]
    given["returned"] = {"sample": payload.header["sample"]} | current
    return dict(given["returned"])


def acknowledge(key: str) -> None:
    """The host has taken over what the probe ``key`` reported: any state of before is news again.

    The run that a report causes may be cut short by the next one before it comes to the probe. To be
    called from ``on_change``, so that going back right after a click is not mistaken for an echo.
    """
    given = st.session_state.get(f"{key}:given")
    reported = dict((st.session_state.get(key) or {}).get("state") or {})
    if given and reported.pop("revision", None) == given["revision"]:
        given["last"] = given["returned"] = reported


def _given(key: str, wanted: dict[str, Any], reported: dict[str, Any]) -> dict[str, Any]:
    """What the browser was told last, with a higher revision if the host now asks for another place."""
    given = st.session_state.setdefault(
        f"{key}:given", {"state": wanted, "revision": 0, "last": wanted, "returned": wanted}
    )
    places = [given["last"], given["returned"]]
    if reported.get("revision") == given["revision"]:
        places.append(reported)
    if not any(wanted.items() <= place.items() for place in places):
        given.update(state=wanted, returned=wanted, revision=given["revision"] + 1)
    given["last"] = wanted
    return given


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
    _part("threshold")(
        key=key,
        data={
            "blocks": counted, "u": u, "trained": trained, "rule": rule, "most": most, "line": line,
            "heard": _heard(key),
        },
        on_u_change=lambda: on_change(_told(key, "u")),
    )  # fmt: skip


def brush(
    recording: xr.DataTree,
    marks: np.ndarray,
    *,
    key: str,
    on_change: Callable[[np.ndarray], None],
    step: int | None = None,
) -> None:
    """The input of ``recording`` to paint on; ``on_change(marks)`` hears of every stroke.

    ``marks`` (row, column) are those of ``dista.painting``, there at ``step`` alone, or at all of them.
    """

    def told() -> None:
        digits = np.frombuffer(_told(key, "marks").encode(), np.uint8) - ord("0")
        on_change(digits.reshape(marks.shape))

    data = paint_payload(recording, marks, step=step).to_bytes(heard=_heard(key))
    _part("brush")(key=key, data=data, on_marks_change=told)


@cache
def _part(name: str) -> Callable[..., Any]:
    return st.components.v2.component(f"dista_{name}", js=part(name), css=styles())


def _told(key: str, name: str) -> Any:
    """What the control ``key`` reports, and a note that it was heard: see ``js/echo.js``."""
    report = st.session_state[key][name]
    st.session_state[f"{key}:heard"] = report["count"]
    return report["value"]


def _heard(key: str) -> int:
    return st.session_state.get(f"{key}:heard", 0)
