"""What is done to the input, and which u the denoiser has: chosen on the page, and kept in the link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from app.inputs import checkpoints, tasks
from app.link import url
from dista.experiments.painting import PaintError, paint_marks, paint_text

if TYPE_CHECKING:
    import numpy as np

    from dista.experiments.corruption import Noise

KINDS = {
    "salt-and-pepper": "salt and pepper",
    "gaussian": "Gaussian",
    "events": "spurious events",
    "occlusion": "occlusion",
    "painted": "painted by you",
}
WHERE = ("everywhere", "left half", "upper half", "centre")
DEFAULT = "salt-and-pepper", 0.3, "centre"


def choose_noise(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> Noise:
    """Kind, level and place of the noise, or what was painted, and when; in the URL."""
    from dista.experiments.corruption import Noise

    kind = url.choice("kind", list(KINDS), DEFAULT[0], problems)
    st.selectbox(
        "Noise in the input", list(KINDS), format_func=KINDS.get, width=190,
        **url.bound("kind", kind),
    )  # fmt: skip
    if kind == "painted":
        text = painted(checkpoint, problems)
        return Noise(kind, float(bool(text)), paint=text, step=choose_step(checkpoint, problems))
    level = url.real("level", DEFAULT[1], 0.0, 1.0, problems)
    where = url.choice("where", WHERE, DEFAULT[2], problems)
    st.slider("Level", 0.0, 1.0, step=0.01, width=220, **url.bound("level", level))
    st.selectbox("Where", WHERE, width=150, **url.bound("where", where))
    return Noise(kind, level, where, step=choose_step(checkpoint, problems))


def choose_step(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> int | None:
    """The one step that is changed, where the input has steps; None, "all" in the URL, for all of them."""
    task = tasks.form(checkpoint.data)
    if task.time_steps is None:
        return None
    options = ["all", *map(str, range(task.time_steps))]
    option = url.choice("changed", options, "all", problems)
    st.selectbox(
        "Steps", options, format_func=lambda text: step_named(text, task.step_labels), width=190,
        **url.bound("changed", option),
    )  # fmt: skip
    return None if option == "all" else int(option)


def step_named(text: str, labels: Sequence[str] | None) -> str:
    if text == "all":
        return "all steps"
    label = f" ({labels[int(text)]})" if labels else ""
    return f"step {int(text) + 1}{label} only"


def painted(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> str:
    """What was painted on inputs of this size, as text; in the URL as ``paint``."""
    text = url.text("paint") or ""
    try:
        paint_marks(text, *checkpoint.config.input_shape[1:])
    except PaintError as error:
        problems.append(f"The link holds a painting that cannot be shown: {error}.")
        return ""
    return text


def threshold_of_link(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> int | None:
    """The denoiser's u; None, and not in the URL, where it is left as it was trained."""
    said = url.text("u")
    if said is None:
        return None
    most = checkpoint.config.head_dim
    u = url.number("u", most + 1, problems)
    if u <= most:
        return u
    if said == str(u):
        problems.append(f"There is no u = {u}: counts of this model end at {most}.")
    return None


def remember_threshold(u: int | None) -> None:
    """Write u into the URL, or take it out, when the line was let go."""
    url.write(u=u)


def remember_paint(marks: np.ndarray) -> None:
    """Write what is painted into the URL; nothing painted is nothing there."""
    url.write(paint=paint_text(marks) or None)
