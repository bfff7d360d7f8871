"""The way on from a figure: links to other pages in the state that the reader sees here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import streamlit as st

from app.link import url, vocabulary

_PAGES = "pages of the menu"


class Way(NamedTuple):
    """A page to go on to, what the link says, and what it shows there beside what the reader looks at."""

    page: str
    said: str
    state: Mapping[str, object] = {}


def keep(pages: Mapping[str, st.Page]) -> None:
    """The pages of the menu by their names; the entry script knows them, and tells it in every run."""
    st.session_state[_PAGES] = dict(pages)


def offer(*ways: Way, key: str = "next-pages") -> None:
    """A row of links that stay in this session; a click brings the reader's subject along.

    ``st.page_link`` and not a link in Markdown, which opens another tab with a session of its own, in which an own
    recording of events and what was drawn are not there.
    """
    there = pages()
    with st.container(horizontal=True, gap="small", key=key):
        for way in ways:
            if way.page in there:  # a page may be run by itself, without the menu
                state = query(way)
                st.page_link(
                    there[way.page], label=way.said, icon=":material/arrow_forward:", query_params=state
                )  # fmt: skip


def lead(way: Way) -> None:
    """One link, at the end of a page."""
    there = pages()
    if way.page in there:
        with st.container(key="next-page"):
            st.page_link(
                there[way.page], label=way.said, icon=":material/arrow_forward:", query_params=query(way)
            )  # fmt: skip


def pages() -> Mapping[str, Any]:
    """The pages of the menu by their names; none where a page runs by itself."""
    return st.session_state.get(_PAGES, {})


def menu(current: str) -> None:
    """The pages in a bar at the foot of the screen, which the stylesheet shows on a phone alone.

    The menu above is folded away there, and stays open over the page that was chosen in it.
    """
    with st.container(horizontal=True, gap=None, key="phone-menu"):
        for name, page in pages().items():
            with st.container(width="content", key=f"phone-{'here' if name == current else name}"):
                st.page_link(page, label=page.title)


def query(way: Way) -> dict[str, str]:
    """What the link to the page says: what is looked at here as far as it is shown there, and its own part."""
    for name in way.state:
        vocabulary.check(name, way.page)
    here = url.subject()
    own = {name: str(value) for name, value in way.state.items() if value is not None}
    if own.keys() & {"checkpoint", "path"}:
        here.pop("path", None), here.pop("checkpoint", None)  # one or the other, of whichever
    return vocabulary.written(vocabulary.taken(way.page, here) | own)
