"""Choosing a held-out sample: by number, at random, by class, or from what is answered wrong."""

from __future__ import annotations

import contextlib
import random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from app.computed import reruns
from app.inputs import checkpoints, recording_files, tasks
from app.link import plain, url
from app.link.switches import Experiment
from app.page import progress
from dista.figures.theme import count, percent

if TYPE_CHECKING:
    from dista.data import Task
    from dista.measures import Answers

FALLBACK_SAMPLES = 1000  # where the number of held-out samples cannot be known
SEARCHED = 500  # held-out samples that are looked through for mistakes at first
LISTED = 10  # of the mistakes

NONE = "0"
"""As many samples as a link says where none are to be asked."""

STAND_INS = ("nmnist", "cifar10")
STANDING_IN = (
    "{said} The files of this task are not on this server; where they are, the variable DISTA_DATA names "
    "the folder above them. What the network says of stand-ins is no measure of it."
)

_OPEN = "choose-sample"  # the key of the popover, which says whether it is open


def many(text: str) -> str:
    """How many samples are asked, as the page says it."""
    return "none" if text == NONE else text


def held_out(checkpoint: checkpoints.Checkpoint) -> int:
    """The number of held-out samples: as the card says, or else as the task has them."""
    if checkpoint.task in STAND_INS and tasks.stand_ins(checkpoint.data):
        return len(tasks.form(checkpoint.data).test)
    if checkpoint.samples:
        return checkpoint.samples
    with contextlib.suppress(ValueError, OSError):
        return len(tasks.task(checkpoint.data).test)
    return FALLBACK_SAMPLES


def choose_sample(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> int:
    """A held-out sample; in the URL as ``sample``."""
    samples = held_out(checkpoint)
    first = recording_files.first_light()
    default = (
        int(first["batch"].values[0]) if recording_files.of_same_weights(first, checkpoint) else 0
    )
    sample = url.number("sample", default, problems)
    if sample >= samples:
        problems.append(
            f"There is no sample {sample}: the held-out samples are 0 to {samples - 1}."
        )
        sample = default
    st.number_input(
        "Sample",
        min_value=0,
        max_value=samples - 1,
        step=1,
        icon=":material/tag:",
        label_visibility="collapsed",
        width=150,
        **url.bound("sample", sample),
    )
    st.button(
        "", icon=":material/shuffle:", key="random-sample", on_click=_random, args=(samples,),
        help="Another held-out sample, at random",
    )  # fmt: skip
    if checkpoint.task in STAND_INS and (said := tasks.stand_ins(checkpoint.data)):
        st.markdown(":orange-badge[stand-ins]", width="content", help=STANDING_IN.format(said=said))
        return sample
    with st.container(width="content"):
        _choose_by_answer(checkpoint, sample)
    return sample


def _random(samples: int) -> None:
    url.write(sample=random.randrange(samples))


# By class, and by what is answered --------------------------------------------------------------


@st.fragment
def _choose_by_answer(checkpoint: checkpoints.Checkpoint, sample: int) -> None:
    """A popover whose content costs something, and is made only while it is open.

    As a fragment it runs without the rest of the page, which can be read meanwhile; closing it ends the
    search for mistakes.
    """
    if st.session_state.pop("sample-changed", False):
        st.rerun()  # the whole page
    label, said = "Find", "By its class, or among the most confident mistakes"
    with st.popover(
        label, icon=":material/search:", help=said, key=_OPEN, on_change="rerun"
    ) as popover:
        if popover.open:
            with plain.errors():
                task = tasks.task(checkpoint.data)
                _offer_classes(task, sample)
                _offer_mistakes(checkpoint, task, sample)


def _offer_classes(task: Task, sample: int) -> None:
    labels = task.test.labels
    names = [plain.text(name) for name in task.classes]
    st.pills(
        f"The next sample of a class (this is {names[labels[sample % len(labels)]]})",
        range(len(names)),
        format_func=lambda index: names[index],
        key="next-of-class",
        on_change=_next_of_class,
        args=(labels, sample),
    )


def _next_of_class(labels: np.ndarray, sample: int) -> None:
    label = st.session_state["next-of-class"]
    st.session_state["next-of-class"] = None  # a button that stays up
    if label is not None:
        _choose(next_of_class(labels, label, sample))
        st.session_state[_OPEN] = False


def next_of_class(labels: np.ndarray, label: int, sample: int) -> int:
    """The first sample of the class after ``sample``, beginning again at the end; itself if there is none."""
    places = np.flatnonzero(labels == label)
    after = places[places > sample]
    return int(next(iter([*after[:1], *places[:1]]), sample))


def _choose(sample: int) -> None:
    url.write(sample=sample)
    st.session_state["sample-changed"] = True


class Mistake(NamedTuple):
    """A held-out sample that is answered wrong: what was said, how surely (0 to 1), and the truth."""

    sample: int
    said: str
    confidence: float
    truth: str

    @property
    def sentence(self) -> str:
        said = f"says {self.said} ({percent(self.confidence)}), it is {self.truth}"
        return f"Sample {self.sample}: {said}"


def mistakes(answers: Answers, classes: tuple[str, ...]) -> list[Mistake]:
    """All of them, the most confident first."""
    from dista.measures import confident_mistakes

    return [
        Mistake(
            int(sample),
            classes[answers.answer[sample]],
            float(answers.confidence[sample]),
            classes[answers.label[sample]],
        )
        for sample in confident_mistakes(answers)
    ]


def _offer_mistakes(checkpoint: checkpoints.Checkpoint, task: Task, sample: int) -> None:
    """A button for each of the most confident mistakes, after a search that can be stopped."""
    st.markdown("**Most confident mistakes**")
    key, every = f"searched {checkpoint.path}", len(task.test)
    limit = min(st.session_state.get(key, SEARCHED), every)
    wrong = mistakes(_answers(checkpoint, limit, key), task.classes)
    share = f"{len(wrong)} of the first {count(limit, 'held-out sample')}"
    st.caption(f"{share} {'is' if len(wrong) == 1 else 'are'} answered wrong.")
    with st.container(gap=None):
        for mistake in wrong[:LISTED]:
            st.button(
                plain.text(mistake.sentence), key=f"mistake-{mistake.sample}", type="tertiary",
                icon=":material/check:" if mistake.sample == sample else None,
                on_click=_choose, args=(mistake.sample,),
            )  # fmt: skip
    if limit < every:
        st.button(f"Search all {every}", on_click=_search, args=(key, every))


def _answers(checkpoint: checkpoints.Checkpoint, limit: int, key: str) -> Answers:
    then = "Show what is there so far"
    with progress.working("search", "Asking the network …", _stop, key, then=then) as report:

        def report_samples(done: int) -> None:
            st.session_state["searched-so-far"] = done
            report(done / limit, f"{done} of {limit} held-out samples answered")

        return reruns.answers({"": (checkpoint, Experiment())}, limit, report_samples)[""]


def _search(key: str, limit: int) -> None:
    st.session_state[key] = limit


def _stop(key: str) -> None:
    """Make do with the batches that were answered, which are cached."""
    st.session_state[key] = max(st.session_state.get("searched-so-far", 0), 25)
