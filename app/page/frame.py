"""What stands around every page: its question above, and the next page below."""

from __future__ import annotations

import html

import streamlit as st

from app.link import vocabulary
from app.page import next_page
from app.page.next_page import Way

QUESTIONS = {
    "watch": "What does the network do with one sample, step by step?",
    "neurons": "When does a neuron fire, and what if it had another time constant?",
    "denoise": "What does the denoiser take out of the maps, and does that help against noise?",
    "memory": "Which steps still know what was shown before, and where is it remembered?",
    "train": "How do weights and time constants come about while a network learns?",
    "ablate": "What is each part of the network worth?",
    "compare": "Where do two networks, or two versions of an input, part ways?",
    "energy": "What does an answer cost, and how early could the network stop?",
    "tours": "Which way through the network do you want to be shown?",
    "glossary": "What does each word mean here?",
}
"""What a page answers, in one sentence: its heading."""


def title(page: str) -> str:
    """What the browser's tab says."""
    return f"{page.capitalize()} · DISTA Explorer"


def begin(page: str) -> None:
    """The page's heading, the only one of its rank."""
    st.html(f"<h1 class='question'>{html.escape(QUESTIONS[page])}</h1>")


def end(page: str) -> None:
    """The way to the next page, in the order of the menu, with what the reader looks at."""
    order = vocabulary.PAGES
    following = order[(order.index(page) + 1) % len(order)]
    next_page.lead(Way(following, f"Next: {following.capitalize()}. {QUESTIONS[following]}"))
