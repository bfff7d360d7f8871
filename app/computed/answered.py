"""What a network answers to an own input, without recording anything: quick enough to be said while one draws."""

from __future__ import annotations

import streamlit as st

from app.computed import models
from app.inputs import tasks
from app.inputs.identity import Weights
from app.link import plain
from dista.figures.theme import percent


def sentence(weights: Weights, sample: int, text: str) -> str:
    """The answer and how sure it is, and the next one, as Markdown."""
    (best, sure), (other, less) = _answer(weights, sample, text)
    return f"**Answer: {plain.text(best)}**, {percent(sure)}; then {plain.text(other)}, {percent(less)}."


@st.cache_data(show_spinner=False, max_entries=256)
def _answer(weights: Weights, sample: int, text: str) -> list[tuple[str, float]]:
    """The two likeliest classes and their probabilities."""
    import torch

    x, _ = tasks.batch(weights.data, sample, text)
    with models.RUNNING, torch.no_grad():
        shares = models.model(weights)(x).softmax(-1)[0]
    values, places = shares.topk(2)
    names = tasks.form(weights.data).classes
    return [(names[place], value) for place, value in zip(places.tolist(), values.tolist())]
