"""The buttons that every page has in its first row: take it home, share it, read it rightly."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from app.link import share
from app.page import downloads

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


class Toolbar(NamedTuple):
    """Places that a page fills when it knows what it shows."""

    code: DeltaGenerator
    save: DeltaGenerator


def show(how_to_read: str) -> Toolbar:
    """Python, files, links and reading notes, each behind a button."""
    _offer_all()
    with st.container(horizontal=True, vertical_alignment="center", key="tools"):
        code, save = st.popover("Copy as Python"), downloads.begin()
        share.offer()
        st.popover("How to read", key="how-to-read").markdown(how_to_read)
    return Toolbar(code, save)


@st.fragment
def _offer_all() -> None:
    """A switch that shows the tools where there is no room for them: the stylesheet shows it on a phone alone.

    Popovers cannot stand in a popover; and as a fragment it costs no run of the page.
    """
    st.checkbox("…", key="all-tools")
