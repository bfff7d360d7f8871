"""What goes with the reader from page to page: what he looks at, and where he left each page."""

from __future__ import annotations

import streamlit as st

from app.link import url, vocabulary

_CARRIED, _LEFT = "url carried", "url left behind"


def resume(page: str) -> bool:
    """Bring a page's state back when the reader comes by the menu, whose links carry none.

    What he looked at on the last page goes with him; the rest of the page is as he left it. Whether he comes from
    another page.
    """
    before = st.session_state.get("page", page)
    st.session_state["page"] = page
    if before != page:
        _carry(before)
        carried = st.session_state.get(_CARRIED, {})
        st.session_state[_LEFT] = vocabulary.left_behind(page, carried)
        url.arrive(_as_left(page) | vocabulary.taken(page, carried))
    url.settle()
    leave_mark(
        page
    )  # a reader in a hurry leaves before the run has come to its end, and to its own mark
    return bool(before != page)


def _as_left(page: str) -> dict[str, str]:
    """The state in which the page was left, without what it showed of what follows the reader."""
    left = st.session_state.get(f"url of {page}", {})
    following = vocabulary.following(page)
    return {name: text for name, text in left.items() if name not in following}


def _carry(page: str) -> None:
    """Take along what ``page`` showed; what it could not show is kept from before."""
    subject = vocabulary.subject(page, url.state_of(page))
    carried = st.session_state.get(_CARRIED, {})
    if url.is_complete():  # otherwise the page was left before it had read everything
        gone = vocabulary.following(page)
        carried = {name: text for name, text in carried.items() if name not in gone}
    st.session_state[_CARRIED] = carried | subject


def left_behind() -> str | None:
    """A sentence on what did not come along to this page, and why."""
    return st.session_state.get(_LEFT)


def leave_mark(page: str) -> None:
    """Keep the page's state for ``resume``; a tour goes along by itself, and may be over before he is back."""
    said = url.said()
    st.session_state[f"url of {page}"] = {
        n: said[n] for n in said if n not in ("tour", "tour-step")
    }
