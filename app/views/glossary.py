"""Glossary: each term with one sentence, its symbol, unit and source, and where it is seen."""

from __future__ import annotations

import html

import streamlit as st

from app.link import plain, url
from app.link.problems import Problems, reads
from dista.style.glossary import GLOSSARY, Term

ROOM = 1600  # pixels, more than a screen and less than the list
SOURCES = "Labels in brackets say where a statement comes from; the last four rows explain them."


@reads("glossary")
def show(problems: Problems) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="controls"):
        st.text_input(
            "Search", placeholder="a word, or a part of it", label_visibility="collapsed", width=280,
            icon=":material/search:", **url.bound("term", url.text("term") or ""),
        )  # fmt: skip
        word = url.text("term") or ""
        terms = search(word)
        st.caption(f"{len(terms)} of {len(GLOSSARY)} terms. {SOURCES}", width="content")
    problems.here()
    if not terms:
        st.info(
            f"No term has “{plain.text(word)}” in its name or sentence. Clear the search to see all."
        )
        return
    # What stands below would be in view until the list has come.
    with st.container(
        height=ROOM if len(terms) > 20 else "content", border=False, key="room-terms"
    ):
        st.html(f"<dl class='glossary'>{''.join(map(entry, terms))}</dl>")


def search(word: str) -> list[Term]:
    """The terms that have the word in a form, first; then those whose sentence has it."""
    wanted = word.strip().lower()
    named = [one for one in GLOSSARY.values() if any(wanted in form.lower() for form in one.forms)]
    return named + [
        one for one in GLOSSARY.values() if wanted in one.says.lower() and one not in named
    ]


def entry(term: Term) -> str:
    """A row of the list; the name is an anchor, as in glossary#tau."""
    facts = [("also", ", ".join(term.also)), ("written", term.symbol), ("in", term.unit)]
    said = " · ".join(f"{what} {html.escape(fact)}" for what, fact in facts if fact)
    source = f" <small>{html.escape(term.source)}</small>" if term.source else ""
    where = f" <a href='{html.escape(term.where)}' target='_blank'>see it</a>" if term.where else ""
    more = f"<small>{said}</small>" if said else ""
    return (
        f"<dt id='{term.anchor}'>{html.escape(term.name)}{source}</dt>"
        f"<dd>{html.escape(term.says)}{where} {more}</dd>"
    )


show()
