"""The link to what a page shows, and its variant for a lesson: the figures without the controls."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from app.link import url, vocabulary

LESSON = "lesson"
OPEN = "link"  # the key of the popover
_PLACE = "place of links"


def offer() -> None:
    """A button that gives both links, in which all is that the page shows."""
    with st.container(width="content"):
        _offer()


@st.fragment
def _offer() -> None:
    """The popover, filled while it is open: a part of the page may have changed since the rest of it ran."""
    with st.popover("Link", key=OPEN, on_change="rerun") as popover:
        if not popover.open:
            return
        if url.is_complete():
            _show_links()
        else:
            st.session_state[_PLACE] = st.container()


def fill() -> None:
    """Give the links of a page that has read all of its state, if its button was open by then."""
    if (place := st.session_state.pop(_PLACE, None)) is not None:
        with place:
            _show_links()


def _show_links() -> None:
    st.markdown("**To this view**")
    st.code(address(), language=None, wrap_lines=True)
    st.markdown("**For a lesson**: the same without controls; what can be clicked stays so")
    st.code(address(lesson=True), language=None, wrap_lines=True)


def address(*, lesson: bool = False) -> str:
    """Where the page is, with its whole state, also where that is what a page begins with."""
    query = urlencode(vocabulary.written(url.state() | ({LESSON: "1"} if lesson else {})), safe=",")
    return (st.context.url or "") + (f"?{query}" if query else "")


def lesson() -> bool:
    """Whether the link asks for the page without its controls."""
    return url.text("lesson") not in (None, "", "0")


def frame_lesson(title: str) -> None:
    """Say where the view is from, with a way to get its controls back, which the stylesheet hides beside this."""
    with st.container(horizontal=True, vertical_alignment="center", key="lesson"):
        st.caption(f"DISTA Explorer · {title}", width="stretch")
        st.button(
            "Open in the explorer", type="tertiary", key="leave-lesson",
            on_click=url.write, kwargs={LESSON: None},
            help="The same view with its controls",
        )  # fmt: skip
