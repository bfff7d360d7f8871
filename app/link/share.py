"""The link to what a page shows, and its variant for a lesson: the figures without the controls."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from app.link import url

LESSON = "lesson"

_CSS = """<style>
.stAppHeader, .stSidebar, .stMain [class*="st-key-controls"], .stMain .st-key-card-switches { display: none; }
.stMainBlockContainer { padding-top: .9rem; }
</style>"""


def offer() -> None:
    """A button that gives both links; all that a page shows is in them."""
    with st.popover("Link"):
        st.markdown("**To this view**")
        st.code(address(), language=None, wrap_lines=True)
        st.markdown("**For a lesson**: the same without controls; what can be clicked stays so")
        st.code(address(lesson=True), language=None, wrap_lines=True)


def address(*, lesson: bool = False) -> str:
    """Where the page is, with its whole state."""
    state = {name: text for name, text in st.query_params.to_dict().items() if name != LESSON}
    query = urlencode(state | ({LESSON: "1"} if lesson else {}), safe=",")
    return (st.context.url or "") + (f"?{query}" if query else "")


def lesson() -> bool:
    """Whether the link asks for the page without its controls."""
    return st.query_params.get(LESSON, "") not in ("", "0")


def frame_lesson(title: str) -> None:
    """Hide the controls, and say where the view is from, with a way to get them back."""
    st.html(_CSS)
    with st.container(horizontal=True, vertical_alignment="center", key="lesson"):
        st.caption(f"DISTA Explorer · {title}", width="stretch")
        st.button(
            "Open in the explorer", type="tertiary", key="leave-lesson",
            on_click=url.write, kwargs={LESSON: None},
            help="The same view with its controls",
        )  # fmt: skip
