"""The probe in a Streamlit page.

The component keeps its DOM while its key stays the same, so a rerun that brings new data keeps the
reader's place. Bytes reach the browser only at the top level of ``data``: header and buffer travel
as one block. Streamlit sends a block again only when it changes, so a state that the browser itself
reported is not written into it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import streamlit as st

from dista.widgets.packing import Payload
from dista.widgets.source import module, styles


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
    stage.

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
