"""The panel of a tour beside the page: what to look at, a question, back and next.

Where the reader is in which tour is in the link (``tour``, ``tour-step``), and stays while he goes other ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from app.link import plain, share, url, vocabulary
from app.tours import shelf
from app.tours.steps import PARTS, Question, Step, Tour

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

_OPEN = "the tour that is open"


class Place(NamedTuple):
    """A step of a tour; ``index`` counts from 0."""

    tour: Tour
    index: int  # type: ignore[assignment]  # that of a tuple finds a value, and nobody asks it

    @property
    def step(self) -> Step:
        return self.tour.steps[self.index]


def part(place: Place, page: str) -> tuple[str, str] | None:
    """Where on ``page`` is what the step speaks of, as a selector, and a name of the step; None for no part of its own."""
    if not place.step.part or page != place.step.page:
        return None
    return PARTS[place.step.part], f"{place.tour.name} {place.index}"


# Where the reader is --------------------------------------------------------------------------------


def resume(*, went: bool) -> Place | None:
    """The step that is open, if one is; ``went`` says that the reader came from another page just now.

    Links of the menu and under figures do not name the tour: it goes along until it is closed. A reader who goes
    back to before the tour is out of it.
    """
    name, problems = url.text("tour"), list[str]()
    if name is None:
        left_open = st.session_state.get(_OPEN) if went else None
        if left_open is None:
            st.session_state.pop(_OPEN, None)
            return None
        name, number = left_open
        url.write(**{"tour": name, "tour-step": number})
    number = url.number("tour-step", 1, problems)
    try:
        place = _place(name, number, problems)
    except (ValueError, OSError) as error:
        problems.append(f"The tour cannot be shown: {plain.sentence(error)}")
        place = None
    plain.warn(problems)
    st.session_state[_OPEN] = None if place is None else (place.tour.name, place.index + 1)
    return place


def _place(name: str, number: int, problems: list[str]) -> Place:
    tour = shelf.tour(name)
    if not 1 <= number <= len(tour.steps):
        problems.append(f"The tour has steps 1 to {len(tour.steps)}; the link says {number}.")
        number = 1
    return Place(tour, number - 1)


# What is shown --------------------------------------------------------------------------------------


def beside(place: Place, page: str, pages: Mapping[str, st.Page]) -> DeltaGenerator:
    """Show the step, and return where the page goes: beside it, or below it on a phone."""
    with st.container(horizontal=True, key="tour-and-page", vertical_alignment="top"):
        panel, rest = st.container(key="tour", width=300), st.container(key="toured")
    with panel:
        _show(place, page, pages)
    return rest


def _show(place: Place, page: str, pages: Mapping[str, st.Page]) -> None:
    tour, index, step = place.tour, place.index, place.step
    position = f"{index + 1} of {len(tour.steps)}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="tour-head"):
        st.caption(f"{plain.text(tour.title)} · {position}", width="stretch")
        if not share.lesson():
            st.button(
                "", icon=":material/close:", key="close-tour", type="tertiary", on_click=_close, help="End the tour"
            )  # fmt: skip
    with st.container(gap="xsmall", key="tour-position"):
        st.html(_dashes(index, len(tour.steps)))
        st.markdown(f"## {plain.text(step.title)}")
    st.markdown(step.text)
    with st.container(
        key="tour-question"
    ):  # also where none is: or two "Next" stand there meanwhile
        if step.question:
            st.fragment(_ask)(step.question, f"{tour.name} {index}")
    if not share.lesson():
        _lead(place, page, pages)


def _dashes(index: int, many: int) -> str:
    marks = "".join(f"<i class='{'past' if place <= index else ''}'></i>" for place in range(many))
    return f"<div class='tour-dashes' aria-hidden='true'>{marks}</div>"


def _ask(question: Question, key: str) -> None:
    """The question; its answer once the reader has said his."""
    if not question.options:
        st.markdown(f"**{question.text}**")
        if st.toggle("Show the answer", key=f"answer {key}"):
            st.markdown(question.answer)
        return
    option = st.radio(
        question.text, range(len(question.options)), index=None, key=f"answer {key}",
        format_func=lambda place: question.options[place],
    )  # fmt: skip
    if option is not None:
        correct = option == question.right
        st.markdown(("**Yes.** " if correct else "**Not quite.** ") + question.answer)


def _lead(place: Place, page: str, pages: Mapping[str, st.Page]) -> None:
    """Back and next, with keys; and the way back to a view that the reader has left or changed."""
    index, last = place.index, len(place.tour.steps) - 1
    with st.container(horizontal=True, gap="small", key="tour-lead"):
        if index > 0 and st.button(
            "Back", key="tour-back", shortcut="Alt+PageUp", icon=":material/arrow_back:"
        ):
            go(place.tour, index - 1, pages)
        if index < last:
            if st.button("Next", key="tour-next", shortcut="Alt+PageDown", type="primary"):
                go(place.tour, index + 1, pages)
        else:
            st.button("End the tour", key="tour-end", type="primary", on_click=_close)
    here = page == place.step.page and place.step.query.items() <= url.said().items()
    said = "Show this step's view again"
    if not here and st.button(said, key="tour-again", type="tertiary", icon=":material/undo:"):
        go(place.tour, index, pages)


def go(tour: Tour, index: int, pages: Mapping[str, st.Page]) -> None:
    """Open a step of a tour: the page of its link, in the state of its link."""
    st.switch_page(pages[tour.steps[index].page], query_params=_link(tour, index))


def _link(tour: Tour, index: int) -> dict[str, str]:
    place = {"tour": tour.name, "tour-step": str(index + 1)}
    return vocabulary.written(tour.steps[index].query | place)


def _close() -> None:
    st.session_state.pop(_OPEN, None)
    url.write(**{"tour": None, "tour-step": None})
