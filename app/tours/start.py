"""The first view: what the task is, the three ideas, and the tour, above the live page, until it is put away."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from app.inputs import checkpoints
from app.link import cookies, share, url, vocabulary

OPEN = "the start is shown"
_COOKIE, _DAYS = "start-seen", 365

TASK = (
    "Two handwritten digits, one after the other: are they of the same class? The first, the cue, is shown for "
    "two steps; then comes a delay of four steps with noise alone; then the second, the probe, for two. Nothing at "
    "the end tells what the cue was: the network has to remember it."
)
IDEAS = (
    ("Neurons that remember", "A membrane leaks. How slowly, its time constant tau, is learned for each layer.",
     "See one neuron", "neurons", {"checkpoint": "match-map", "layer": "blocks.0.mlp.hidden.neuron"}),
    ("Attention that reaches back", "Patches of a step are compared with patches of all earlier ones: "
     "coincidences of spikes are counted.",
     "See what a patch attends to", "watch", {"checkpoint": "match-map", "step": "7", "stage": "scores"}),
    ("A denoiser", "Counts of u and less are taken out of the attention map before it is used.",
     "See what it removes", "denoise", {"checkpoint": "match-map"}),
)  # fmt: skip
"""The three ideas of the paper: title, sentence, and a link to where each is seen."""


def begin(page: str) -> bool:
    """Whether the first view is to be shown on this page: who comes without a link, and has not put it away."""
    if OPEN not in st.session_state:
        first = page == "watch" and not url.written()
        seen = cookies.read(_COOKIE) is not None
        st.session_state[OPEN] = first and not seen and "match-map" in checkpoints.shipped()
    if st.session_state.get("start was put away"):
        cookies.write(_COOKIE, "1", days=_DAYS)
    return bool(st.session_state[OPEN]) and page == "watch" and not share.lesson()


def remember() -> None:
    """Put the first view away, in this browser for a year."""
    st.session_state.update({OPEN: False, "start was put away": True})


def again() -> None:
    """Show it once more."""
    st.session_state[OPEN] = True


def show(pages: Mapping[str, st.Page], tour: str) -> bool:
    """The task, the ideas and the ways on; whether the reader asks for the ``tour`` of this title."""
    with st.container(key="start"):
        # Not as HTML, which a browser loads later: what stands below would jump.
        st.markdown(f"## The task: are the two digits of the same class?\n\n{TASK}")
        with st.container(horizontal=True, key="ideas"):
            for number, (title, sentence, said, page, query) in enumerate(IDEAS, 1):
                with st.container(gap="xsmall", key=f"idea-{number}"):
                    st.markdown(f"### {number} · {title}\n\n{sentence}")
                    st.page_link(
                        pages[page],
                        label=said,
                        query_params=vocabulary.written(query),
                        icon=":material/arrow_forward:",
                    )
        with st.container(
            horizontal=True, vertical_alignment="center", gap="small", key="start-ways"
        ):
            asked = st.button(f"Take the tour: {tour}", type="primary", key="start-tour")
            st.button(
                "Begin at step 1",
                key="start-step",
                on_click=_first_step,
                icon=":material/play_arrow:",
            )
            st.button("Just look around", key="start-close", type="tertiary", on_click=remember)
    return asked


def _first_step() -> None:
    remember()
    url.write(step=0)
