"""What stands around every page: its question above, and the next page below."""

from __future__ import annotations

import streamlit as st

from app.link import vocabulary
from app.page import next_page, toolbar
from app.page.next_page import Way

QUESTIONS = {
    "watch": "What does the network do with one sample, step by step?",
    "neurons": "When does a neuron fire, and what would another tau change?",
    "denoise": "What does the denoiser take out, and does that help against noise?",
    "memory": "What is still known of earlier steps, and where is it remembered?",
    "train": "How do weights and time constants come about in a training?",
    "runs": "In what do trainings differ, and what came of it?",
    "ablate": "What is each part of the network worth?",
    "compare": "Where do two networks, or two versions of an input, part ways?",
    "energy": "What does an answer cost, and how early could the network stop?",
    "tours": "Which way through the network do you want to be shown?",
    "glossary": "What does each word mean here?",
}
"""What a page answers, in one sentence: its heading. 68 letters fit beside the tools."""

WIDTH = 770
"""Pixels of the heading: with the tools it fills a row on a screen of 1440, and they stand there from the beginning."""


def title(page: str) -> str:
    """What the browser's tab says."""
    return f"{page.capitalize()} · DISTA Explorer"


def begin(page: str) -> None:
    """The page's heading, the only one of its rank, in a row in which its tools will stand."""
    row = st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="head")
    row.title(QUESTIONS[page], anchor=False, width=WIDTH)
    toolbar.keep_place(row)


def end(page: str) -> None:
    """The way to the next page, in the order of the menu, with what the reader looks at."""
    order = vocabulary.PAGES
    following = order[(order.index(page) + 1) % len(order)]
    next_page.lead(Way(following, f"Next: {following.capitalize()}. {QUESTIONS[following]}"))
