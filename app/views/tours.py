"""Tours: guided ways through the dashboard, to begin one, and how to write one."""

from __future__ import annotations

import streamlit as st

from app.link import plain
from app.link.problems import Problems, reads
from app.page import next_page
from app.tours import panel, shelf, start

WIDTH = 960  # pixels of a tour's card: lines that are read, and not as wide as the screen

HOW_TO_WRITE = """
A tour is one text file. Each step has a title, a link into the dashboard, a paragraph, and, if you like, a question
with its answer. The link is that of *Link* on any page: it holds the whole state. Copy the text below into a file,
change it, and open it with `?tour=PATH/OF/FILE.md` at the end of the address of this page, where the reader may open
paths of the server; a mistake is said with its line. With `lesson=1` in the address a step shows its paragraph and
question beside the figures alone.
"""


@reads("tours")
def show(problems: Problems) -> None:
    problems.here()
    for tour in shelf.shipped().values():
        with st.container(
            horizontal=True, vertical_alignment="center", key=f"card-tour-{tour.name}", width=WIDTH
        ):
            with st.container(gap="xsmall"):
                st.markdown(f"## {plain.text(tour.title)}")
                st.caption(f"{len(tour.steps)} steps. {tour.introduction}")
            if st.button("Begin", key=f"begin-{tour.name}", help=plain.text(tour.title)):
                panel.go(tour, 0, next_page.pages())
    st.button("Show the first view again", key="start-again", type="tertiary", on_click=start.again)
    with st.expander("Write a tour of your own"):
        st.markdown(HOW_TO_WRITE)
        tours = shelf.shipped()
        name = st.selectbox("Begin from", list(tours), format_func=lambda one: tours[one].title)
        st.code(shelf.text(name), language="markdown", wrap_lines=True, height=420)


show()
