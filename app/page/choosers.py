"""Choosers that pages share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from app.computed import answered
from app.inputs import checkpoints, own_input_form, own_paths
from app.link import plain, url
from app.page import run_states, toolbar
from app.page.samples import choose_sample

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from app.link.problems import Problems
    from dista.runs import Run

__all__ = [
    "choose_checkpoint", "choose_epoch", "choose_input", "choose_probe", "choose_run",
    "choose_sample", "choose_source", "opening", "row", "show_empty", "together",
]  # fmt: skip


def row(key: str) -> DeltaGenerator:
    """Widgets beside each other, which a lesson's link hides where the key begins with "controls"."""
    gap = "xsmall" if key == "controls" else "small"  # the first row is the fullest
    return st.container(horizontal=True, vertical_alignment="center", gap=gap, key=key)


def together() -> DeltaGenerator:
    """A row of words and the widget that they belong to, which stay together when a line is full."""
    return st.container(horizontal=True, vertical_alignment="center", gap="small", width="content")


# A page's opening -------------------------------------------------------------------------------

_TRAININGS = {
    "digits": ("Train a small one", "--preset digits --data digits --save assets/digits"),
    "match": (
        "Train a small one that has to remember",
        "--preset match_map --data match --save assets/match-map",
    ),
}
_EMPTY = """
## There is no checkpoint {what}

{train}, a few minutes on a laptop, and it appears here:

```
dista train {options}
```
"""


class Opening(NamedTuple):
    """What the first row of a page came to; ``samples``: which one it sees, or how many."""

    checkpoint: checkpoints.Checkpoint
    samples: Any
    tools: toolbar.Toolbar


def opening(
    choose: Callable[[checkpoints.Checkpoint, list[str]], Any], how_to_read: str, what: str, problems: Problems,
    task: str = "digits",
) -> Opening | None:  # fmt: skip
    """The first row: a checkpoint, what ``choose`` offers for it, and the toolbar.

    None where there is no checkpoint; the page then says so, see ``show_empty``.
    """
    with row("controls"):
        checkpoint = choose_checkpoint(problems)
        if checkpoint is not None:
            samples = choose(checkpoint, problems)
            tools = toolbar.show(how_to_read)
    problems.here()
    if checkpoint is not None:
        return Opening(checkpoint, samples, tools)
    show_empty(what, task)
    return None


def choose_input(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> tuple[int, str | None]:
    """A held-out sample, and the own input that takes its place, if there is one."""
    sample = choose_sample(checkpoint, problems)
    return sample, own_input_form.choose_image(checkpoint, problems, answer(checkpoint, sample))


def answer(checkpoint: checkpoints.Checkpoint, sample: int) -> own_input_form.Answer:
    """What the checkpoint says of an own input that takes the place of ``sample``, while it is made."""
    return lambda text: answered.sentence(checkpoint.weights, sample, text)


def show_empty(what: str, task: str = "digits") -> None:
    """That there is no checkpoint ``what`` ("to compare"), and the command that trains one."""
    train, options = _TRAININGS[task]
    st.markdown(_EMPTY.format(what=what, train=train, options=options))


# Checkpoint -------------------------------------------------------------------------------------


def choose_checkpoint(problems: list[str]) -> checkpoints.Checkpoint | None:
    """A select box over shipped checkpoints and those of runs, in the URL as ``checkpoint``.

    One at a path of the reader's own comes first, and is in the URL as ``path``. None if there are none.
    """
    own = own_paths.source(problems)
    if isinstance(own, own_paths.RecordingFile):
        problems.append(
            f"{own.path} is a recording, which the Watch page shows; here a model runs."
        )
        own = None
    return _choose(own, problems)


def choose_source(problems: list[str]) -> checkpoints.Checkpoint | own_paths.RecordingFile | None:
    """As ``choose_checkpoint``, for a page that can also show a recording, which needs no model."""
    return _choose(own_paths.source(problems), problems)


def _choose(own: Any, problems: list[str]) -> Any:
    """One of those that can run, or ``own`` where the URL has a path; and a field for a path."""
    options = checkpoints.runnable()
    if own is not None:
        name = own.name
        options = {name: own} | options
    elif options:
        first = checkpoints.default(options)
        options = {first: options[first]} | options  # the default first, the rest as they are
        checkpoints.take_old_name("checkpoint")
        name = url.choice("checkpoint", list(options), first, problems)
    else:
        own_paths.offer()
        checkpoints.show_damaged()
        return None
    st.selectbox(
        "Checkpoint",
        list(options),
        format_func=lambda option: _title(options[option]),
        label_visibility="collapsed",
        width=310,
        **url.bound("checkpoint", name, instead_of="path"),
    )
    own_paths.offer()
    checkpoints.show_damaged()
    return options[name]


def _title(one: checkpoints.Checkpoint | own_paths.RecordingFile) -> str:
    if isinstance(one, own_paths.RecordingFile):
        return f"recording {Path(one.path).name}"
    return checkpoints.title(one)


# Runs -------------------------------------------------------------------------------------------

_MARKED = run_states.MARKED | {"finished": run_states.MARKS["finished"]}  # most are, in a long list
MOST_PILLS = 6
"""Runs that are seen at once; more are a list, which can be searched. The Runs page has them in a table."""


def choose_run(runs: dict[str, Run], problems: list[str]) -> Run:
    """One of the runs, newest first, each with what became of it; in the URL as ``run``."""
    names = list(runs)
    name = url.choice("run", names, names[0], problems)
    if len(names) > MOST_PILLS:
        st.selectbox(
            "Run",
            names,
            format_func=lambda option: f"{option} {_MARKED[runs[option].status().state]}",
            label_visibility="collapsed",
            **url.bound("run", name),
        )
        return runs[name]
    st.pills(
        "Run",
        names,
        format_func=lambda option: (
            f"{plain.text(option)} {run_states.badge(runs[option].status().state)}"
        ),
        label_visibility="collapsed",
        required=True,
        **url.bound("run", name),
    )
    return runs[name]


def choose_probe(first: int, count: int) -> int:
    """Which of the samples of a snapshot, from 0; in the URL as ``probe``."""
    if count == 1:
        return 0
    wanted = url.number("probe", 0, [])
    place = wanted if wanted < count else 0
    st.segmented_control(
        "Probe sample",
        list(range(count)),
        format_func=lambda index: f"Sample {first + index}",
        label_visibility="collapsed",
        required=True,
        **url.bound("probe", place),
    )
    return place


def choose_epoch(epochs: list[int]) -> int:
    """A snapshot's epoch; in the URL as ``epoch``, which is missing, or "latest", while that is followed."""
    epoch, follow = epoch_of_link(epochs)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("## The film, at epoch", width="content")
        if len(epochs) > 1:
            st.select_slider(
                "Epoch",
                epochs,
                label_visibility="collapsed",
                width=420,
                **url.bound("epoch", epoch),
            )
        else:
            st.markdown(f"**{epoch}**", width="content")
        st.session_state["follow-latest"] = follow
        st.toggle("Follow latest", key="follow-latest", on_change=_follow, args=(epoch,))
    return epoch


def epoch_of_link(epochs: list[int]) -> tuple[int, bool]:
    """The epoch that is shown, and whether it is the latest because the link names none that there is."""
    wanted = url.whole(url.text("epoch") or url.LATEST)
    follow = wanted not in epochs
    url.show("epoch", url.LATEST if follow else wanted)
    return (epochs[-1] if epochs else 0) if follow else wanted, follow


def _follow(epoch: int) -> None:
    url.write(epoch=None if st.session_state["follow-latest"] else epoch)
