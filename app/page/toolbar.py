"""The buttons that every page has beside its heading: take it home, share it, read it rightly."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from app.link import share
from app.page import downloads

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


_PLACE = "place of the tools"


class Toolbar(NamedTuple):
    """Places that a page fills when it knows what it shows."""

    code: DeltaGenerator
    save: DeltaGenerator


def keep_place(heading: DeltaGenerator) -> None:
    """The row of the page's heading, which has room for tools where what is chosen has none."""
    st.session_state[_PLACE] = heading


def show(how_to_read: str) -> Toolbar:
    """Python, files, links and reading notes, each behind a button."""
    row = {"horizontal": True, "vertical_alignment": "center"}
    # A page that runs by itself has no heading.
    with st.session_state.pop(_PLACE, None) or st.container(**row):
        with st.container(width="content"):  # a fragment alone takes what is left of the row
            _offer_all()
        with st.container(**row, gap="xsmall", key="tools", width="content"):
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
