"""Tours: every step of the shipped ones opens what it says, and a file that is written wrongly is refused by its line."""

from __future__ import annotations

import re
from pathlib import Path

import dashboard
import pytest
from streamlit.testing.v1 import AppTest

from app.link import switches, vocabulary
from app.page import frame
from app.tours import shelf, steps
from dista.style.glossary import GLOSSARY
from dista.style.labels import RANGES, STAGES

ROOT = Path(__file__).parent.parent
SMALL = """# Mine

For a lesson.

## The first
[Watch](watch?checkpoint=match-map&step=0)

A paragraph.

Another one.

? Which?
- [ ] this
- [x] that

> Because.

## The second
[Energy](energy)

More.

? Why?

> So.
"""


def test_a_tour_is_read_as_it_is_written():
    tour = steps.read(SMALL, "mine")
    first, second = tour.steps
    assert (tour.name, tour.title, tour.introduction) == ("mine", "Mine", "For a lesson.")
    assert (first.title, first.page) == ("The first", "watch")
    assert first.query == {"checkpoint": "match-map", "step": "0"}
    assert first.text == "A paragraph.\n\nAnother one."
    assert first.question == steps.Question("Which?", "Because.", ("this", "that"), 1)
    assert second.question == steps.Question("Why?", "So.") and second.query == {}
    assert (
        first.part == ""
        and steps.read(SMALL.replace("(energy)", "(watch?step=2#stage)"), "mine").steps[1].part
        == "stage"
    )


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("# Mine", "Mine", "line 1: expected one title"),
        ("For a lesson.", "# Yours", "line 3: expected one title"),
        ("[Watch](watch", "[Watch](wacht", "line 6: the link opens 'wacht'; the pages are watch"),
        ("&step=0", "&stepp=0", "line 6: the page watch has no 'stepp'; it has block"),
        ("(energy)", "(energy#film)", "line 19: no part of a page is called 'film'; there are stage"),
        ("[Energy](energy)", "Energy", "line 19: a step begins with its link"),
        ("? Which?", "Which?", "line 16: an answer without a question"),
        ("> Because.", "Because.", "line 12: the question has no answer"),
        ("- [x] that", "- [ ] that", "line 12: expected two options or more, one of them"),
        ("More.", "", "line 18: the step says nothing"),
        ("? Why?", "? Why?\n\n? And?", "line 25: a second question"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_with_its_line(old, new, said):
    with pytest.raises(steps.TourError) as caught:
        steps.read(SMALL.replace(old, new), "mine")
    assert str(caught.value).startswith(said)


def test_a_file_without_a_step_and_one_that_is_too_long_are_refused():
    with pytest.raises(steps.TourError, match="there is no step"):
        steps.read("# Mine\n", "mine")
    with pytest.raises(steps.TourError, match="expected 60000 at most"):
        steps.read("x" * 60_001, "mine")


# The shipped ones ---------------------------------------------------------------------------------

SHIPPED = [
    (f"{name} {number}", step)
    for name, tour in shelf.shipped().items()
    for number, step in enumerate(tour.steps, 1)
]


def test_what_is_shipped():
    counts = {name: len(tour.steps) for name, tour in shelf.shipped().items()}
    assert counts["dista"] == 12 and shelf.shipped()["dista"].title == "DISTA in twelve steps"
    assert list(counts) == ["dista", "lesson-5", "lesson-6", "lesson-7", "lesson-9"]
    assert all(5 <= count <= 7 for name, count in counts.items() if name != "dista")
    assert sum(step.question is not None for _, step in SHIPPED) > len(SHIPPED) / 2


@pytest.mark.parametrize("number", [5, 6, 7, 9])
def test_the_tour_of_a_lesson_names_its_notebook(number):
    (notebook,) = re.findall(
        r"notebooks/\w+\.ipynb", shelf.shipped()[f"lesson-{number}"].introduction
    )
    assert notebook.startswith(f"notebooks/{number:02}_") and (ROOT / notebook).is_file()


@pytest.fixture(scope="module")
def configs():
    from dista import checkpoint

    return {name: checkpoint.read_config(path) for name, path in checkpoint.shipped().items()}


@pytest.mark.parametrize("step", [step for _, step in SHIPPED], ids=[name for name, _ in SHIPPED])
def test_the_link_of_a_step_says_what_that_network_has(step, configs):
    query = step.query
    config = configs[query["checkpoint"]]
    size = config.input_shape[-1] // 2 ** sum(config.stem_pools)
    below = {"step": config.time_steps, "changed": config.time_steps, "block": config.depth,
             "head": config.heads, "row": size, "column": size, "sample": 100, "samples": 301, "u": config.head_dim}  # fmt: skip
    for name, text in query.items():
        if name in below:
            assert int(text) < below[name], f"{name}={text}"
    assert query.get("stage", "input") in STAGES and query.get("range", "map") in RANGES
    assert {query["checkpoint"], query.get("right", "digits")} <= configs.keys()
    if "layer" in query:
        assert int(query["layer"].split(".")[1]) < config.depth
    offered = {text for row in switches.rows(config) for text in row.options}
    assert set(query.get("switches", "memory").split(",")) <= offered
    assert not set(query) & vocabulary.old_names(step.page), "today's names"


@pytest.mark.slow
@pytest.mark.parametrize("step", [step for _, step in SHIPPED], ids=[name for name, _ in SHIPPED])
def test_a_step_opens_on_the_shipped_network_without_a_complaint(step):
    test = AppTest.from_file(dashboard.APP / "views" / f"{step.page}.py", default_timeout=300)
    for name, text in step.query.items():
        test.query_params[name] = text
    test.run()
    assert not test.exception and not test.error and not test.warning


@pytest.mark.slow
def test_what_the_tour_says_of_numbers_is_so_on_the_shipped_network():
    """Steps 6 and 8 of the first tour, and the taus of lesson 5."""
    import dista
    import dista.data
    from dista.neurons import time_constants

    model = dista.load("match-map")
    x, _ = dista.data.open("match").test.batch([1])
    recording = dista.record(model, x, "*.denoise")
    counts = recording["blocks/1/attention/denoise"].isel(batch=0, query=6 * 7)
    last = counts.isel(pair=counts["query_time"].values == 7).sum("key").transpose("head", "pair")
    assert last[3, :2].sum() > 0.9 * last[3].sum(), "head 4 pays the cue nearly all of its counts"
    assert last[2, :2].sum() < 0.5 * last[2].sum(), "and head 3 does not"
    taus, starts = time_constants(model), model.card["starting_taus"]
    rise = {name: taus[name][0] - starts[name][0] for name in taus if name in starts}
    slowest = sorted(rise, key=lambda name: rise[name])[-2:]
    assert all("mlp.hidden" in name for name in slowest), rise
    digits = time_constants(dista.load("digits"))
    assert all(digits[name][0] < taus[name][0] for name in slowest)


# Beside a page ------------------------------------------------------------------------------------


@pytest.fixture
def main(page):
    def open_main(**query):
        return (
            dashboard.main_page(**query).switch_page("views/tours.py").run()
        )  # a page that needs no network

    return open_main


def state(test):
    return dashboard.state(test)


def said(test):
    return " ".join(one.value for one in [*test.markdown, *test.caption])


def test_a_tour_stands_beside_the_page_until_it_is_closed(main, tmp_path, monkeypatch):
    """One's own file, its question, a step that is not there, the menu, and the end."""
    path = tmp_path / "mine.md"
    path.write_text(
        SMALL.replace("(energy)", "(glossary?term=tau)")
        .replace("(watch?", "(tours?")
        .replace("checkpoint=match-map&step=0", "")
    )
    monkeypatch.setenv("DISTA_OWN_PATHS", "1")
    test = main(tour=str(path), **{"tour-step": "9"})
    assert not test.exception and "The first" in said(test)
    assert "The tour has steps 1 to 2; the link says 9." in test.warning[0].value
    test.radio[0].set_value(0).run()
    assert "**Not quite.** Because." in said(test)
    test.query_params.clear()
    test.switch_page("views/glossary.py").run()
    assert "The first" in said(test), "the menu's links do not name the tour"
    assert state(test) == {"tour": str(path), "tour-step": "1"}
    test.button(key="close-tour").click().run()
    assert "The first" not in said(test) and "tour" not in test.query_params
    test.query_params.clear()
    test.switch_page("views/tours.py").run()
    assert "The first" not in said(test), (
        "a page that was left during the tour does not open it again"
    )
    monkeypatch.setenv("DISTA_OWN_PATHS", "0")
    test = main(tour=str(path))
    assert not test.exception and "is for who sits at it" in test.warning[0].value
    assert "there are dista, lesson-5" in main(tour="nonsense").warning[0].value


def test_every_page_has_a_question_and_a_next_one():
    assert tuple(frame.QUESTIONS) == vocabulary.PAGES
    assert all(text.endswith("?") for text in frame.QUESTIONS.values())


def test_the_glossary_is_searched(page):
    test = page("glossary", term="membr")
    assert not test.exception and test.text_input[0].value == "membr"
    assert f"of {len(GLOSSARY)} terms" in test.caption[0].value
    test.text_input[0].set_value("no such word").run()
    assert "No term has" in test.info[0].value and state(test) == {"term": "no such word"}
