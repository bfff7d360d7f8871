"""Choosers that pages share, and the own image that people may bring."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import images
import state
import streamlit as st
import url

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from dista.runs import Run

DIGIT_TASKS = ("digits", "match")
FALLBACK_SAMPLES = 1000


def together() -> DeltaGenerator:
    """A row of words and the widget that they belong to, which stay together when a line is full."""
    return st.container(horizontal=True, vertical_alignment="center", gap="small", width="content")


# Checkpoint and sample ------------------------------------------------------------------------


def choose_checkpoint(problems: list[str]) -> state.Checkpoint | None:
    """A select box over the shipped checkpoints, in the URL as ``checkpoint``; None if there are none."""
    known = state.checkpoints()
    if not known:
        return None
    first = state.first_light()
    preferred = first.attrs.get("model") if first is not None else "match-map"
    default = preferred if preferred in known else next(iter(known))
    names = sorted(
        known, key=lambda name: name != default
    )  # the default first, the rest as they are
    name = url.choice("checkpoint", names, default, problems)
    st.selectbox(
        "Checkpoint",
        names,
        format_func=lambda option: known[option].title,
        label_visibility="collapsed",
        width=380,
        **url.bound("checkpoint", name),
    )
    return known[name]


def choose_sample(checkpoint: state.Checkpoint, problems: list[str]) -> int:
    """A held-out sample by number, or at random; in the URL as ``sample``."""
    count = checkpoint.samples or FALLBACK_SAMPLES
    first = state.first_light()
    shipped = first is not None and first.attrs.get("model") == checkpoint.name
    default = int(first["batch"].values[0]) if shipped else 0
    sample = url.number("sample", default, problems)
    if sample >= count:
        problems.append(f"There is no sample {sample}: the held-out samples are 0 to {count - 1}.")
        sample = default
    st.number_input(
        "Sample",
        min_value=0,
        max_value=count - 1,
        step=1,
        icon=":material/tag:",
        label_visibility="collapsed",
        width=190,
        **url.bound("sample", sample),
    )
    st.button("Random", on_click=_random_sample, args=(count,), help="Another held-out sample")
    return sample


def _random_sample(count: int) -> None:
    st.query_params["sample"] = str(random.randrange(count))


# Own image --------------------------------------------------------------------------------------


def choose_image(checkpoint: state.Checkpoint, problems: list[str]) -> str | None:
    """An own digit as text for the URL (``image``), None while there is none."""
    with st.popover("Own image", key="own-image"):
        if checkpoint.task not in DIGIT_TASKS:
            st.write("This checkpoint sees events of a camera. Choose one for digits or match.")
            return None
        role = "It is shown as the probe." if checkpoint.task == "match" else ""
        st.file_uploader(
            f"A picture of one digit, png or jpg. {role}",
            type=["png", "jpg", "jpeg"],
            key=_upload_key(),
            on_change=_keep_upload,
        )
        st.toggle(
            "Dark digit on light paper",
            value=True,
            key="own-image-invert",
            on_change=_keep_upload,
            help="The networks have seen light digits on black: this inverts the picture.",
        )
        st.caption("Scaled to 28 × 28 pixels with 16 greys, so that it fits into the link.")
        if "image" in st.query_params:
            st.button("Back to the sample", on_click=_forget_upload)
    if problem := st.session_state.pop("own-image-problem", None):
        problems.append(problem)
    return _image_of_url(problems)


def _image_of_url(problems: list[str]) -> str | None:
    text = st.query_params.get("image")
    try:
        if text is not None:
            images.image_pixels(text)
    except images.ImageError as error:
        problems.append(str(error))
        return None
    return text


def _upload_key() -> str:
    return f"own-image-{st.session_state.get('own-images', 0)}"


def _keep_upload() -> None:
    upload = st.session_state.get(_upload_key())
    if upload is None:
        return
    try:
        pixels = images.read_digit(upload.getvalue(), invert=st.session_state["own-image-invert"])
        st.query_params["image"] = images.image_text(pixels)
    except images.ImageError as error:
        st.session_state["own-image-problem"] = str(error)


def _forget_upload() -> None:
    st.session_state["own-images"] = st.session_state.get("own-images", 0) + 1
    st.query_params.pop("image", None)


# Long work --------------------------------------------------------------------------------------


@contextlib.contextmanager
def measuring(name: str, what: str) -> Iterator[Callable[[float], None]]:
    """A progress bar, and a button that cancels: it takes ``name``, which asked for it, out of the URL.

    What is yielded is to be called with the share that is done; a click stops the work there.
    """
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center"):
        progress = st.progress(0.0, f"0 % of {what}")
        st.button("Cancel", on_click=st.query_params.pop, args=(name, None))
    yield lambda share: progress.progress(share, f"{100 * share:.0f} % of {what}")
    place.empty()


# Runs -------------------------------------------------------------------------------------------

_CHIPS = {
    "running": ":green-badge[● running]",
    "finished": ":blue-badge[✓ finished]",
    "stopped": ":gray-badge[■ stopped]",
    "crashed": ":orange-badge[◆ crashed]",
}


def choose_run(runs: dict[str, Run], problems: list[str]) -> Run:
    """One of the runs, newest first, each with what became of it; in the URL as ``run``."""
    names = list(runs)
    name = url.choice("run", names, names[0], problems)
    st.pills(
        "Run",
        names,
        format_func=lambda option: f"{option} {_CHIPS[runs[option].status()['state']]}",
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
    """A snapshot's epoch; in the URL as ``epoch``, which is missing while the latest is followed."""
    text = st.query_params.get("epoch", "")
    wanted = int(text) if text.isascii() and text.isdigit() else None
    follow = wanted not in epochs
    epoch = epochs[-1] if follow else wanted
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**The film, at epoch**", width="content")
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


def _follow(epoch: int) -> None:
    if st.session_state["follow-latest"]:
        st.query_params.pop("epoch", None)
    else:
        st.query_params["epoch"] = str(epoch)
