"""Exercises name the mistake that was made; predictions are scored, and say how they were wrong."""

from __future__ import annotations

import importlib
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from lesson_runs import LESSON_MODULES, NOTEBOOKS, exercises_of

from dista.lessons import (
    Bars,
    Case,
    Choice,
    Curve,
    Exercise,
    Misconception,
    Mistake,
    Order,
    Pick,
    Steps,
    dashboard,
    lesson_01,
    page,
)
from dista.lessons.values import difference

# --- all exercises of the course ------------------------------------------------------------------

ALL = [one for name in LESSON_MODULES for one in exercises_of(name)]


def wrong_answers(exercise):
    number = int(exercise.name.split(".")[0])
    return importlib.import_module(f"wrong_answers.lesson_{number:02}").WRONG[exercise.name]


@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.name)
def test_a_wrong_answer_gets_its_mistake_named(exercise):
    answers = wrong_answers(exercise)
    assert len(answers) >= 2
    for answer, words in answers:
        verdict = exercise.check(answer)
        assert verdict.state == "wrong" and words in (verdict.mistake or ""), (words, verdict)
    mistakes = {exercise.check(answer).mistake for answer, _ in answers}
    assert len(mistakes) >= 2, "two wrong answers are told apart"


@pytest.mark.parametrize("exercise", ALL, ids=lambda one: one.name)
def test_a_check_refuses_what_is_no_answer(exercise):
    assert exercise.check(lambda *_, **__: None).state == "unsolved"
    assert exercise.check(lambda *_, **__: "a word").state == "wrong"
    assert all(len(hint) > 20 for hint in exercise.hints)


def test_a_solution_says_which_numbers_are_right():
    text = next(path for path in NOTEBOOKS if path.stem.startswith("01")).read_text("utf-8")
    low, high = map(
        float, re.search(r"All numbers from about (\S+) to (\S+) are right", text).groups()
    )
    answers = [lesson_01.two_spikes.check(tau).solved for tau in (low - 0.1, low, high, high + 0.1)]
    assert answers == [False, True, True, False]


def test_every_wrong_answer_is_of_an_exercise():
    written = {
        name
        for path in Path(__file__).parent.glob("wrong_answers/lesson_*.py")
        for name in importlib.import_module(f"wrong_answers.{path.stem}").WRONG
    }
    assert written == {exercise.name for exercise in ALL}


# --- an exercise ----------------------------------------------------------------------------------


def doubled(**more):
    return Exercise(
        "0.1", "twice", [Case("of 3", 3), Case("of 0.5", 0.5)], ("Add it to itself.", "`2 * x`"),
        right=lambda x: 2 * x,
        mistakes=[
            Mistake("This is the square.", like=lambda x: x * x),
            Mistake("It is negative.", when=lambda case, answer, expected: answer < 0),
        ],
        **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    "answer, state, words",
    [
        (lambda x: x + x, "solved", "Right: of 3; of 0.5."),
        (lambda x: torch.tensor(2.0) * x, "solved", "Right"),
        (lambda x: None, "unsolved", "Not solved yet"),
        (lambda x: ..., "unsolved", "Not solved yet"),
        (None, "unsolved", "Not solved yet"),
        (lambda x: 6 if x == 3 else None, "unsolved", "does every way through"),
        (lambda x: x**2, "wrong", "This is the square."),
        (lambda x: -x, "wrong", "It is negative."),
        (lambda x: 6, "wrong", "✓ Right: of 3."),
        (lambda x: 6, "wrong", "✗ Of 0.5: your answer is 6, expected 1."),
        (lambda x: x / 0, "wrong", "ZeroDivisionError"),
        (lambda: 1, "wrong", "it is called with 1 value"),
        (lambda x: "no", "wrong", "your answer is 'no'"),
        (lambda x: [x, x], "wrong", "the shape is (2,), expected ()"),
    ],
)  # fmt: skip
def test_what_a_check_says(answer, state, words):
    verdict = doubled().check(answer)
    assert verdict.state == state and words in repr(verdict)
    assert ("<details>" in verdict._repr_html_()) == (state != "solved")


def test_an_exception_becomes_a_sentence_with_its_line():
    def faulty(x):
        y = x + 1
        return y / (x - x)

    assert "stopped in its line 3, `return y / (x - x)` (ZeroDivisionError" in repr(
        doubled().check(faulty)
    )


def test_words_in_stars_are_stressed_and_code_is_as_it_is():
    stars = page.sentence("It is *not* `2 * x * y`, 3 * 4")
    assert (
        stars
        == "It is <em>not</em> <code>2 * x * y</code>, 3 * 4"
        == page.inline("It is *not* `2 * x * y`, 3 * 4")
    )


def test_a_symbol_stays_small_where_a_sentence_begins_with_it():
    cases = [Case("u = 2", 2), Case("u = 3", 3)]
    wrong = Exercise("0.3", "u", cases, ("add" * 9, "add" * 9), right=lambda u: u).check(
        lambda u: -u
    )
    assert "✗ u = 2: your answer is -2" in repr(wrong)
    assert "✗ Of 3: your answer is" in repr(doubled().check(lambda x: 0))


def test_a_function_may_change_what_it_gets():
    def emptied(x):
        total = sum(x)
        x.clear()
        return total

    summed = Exercise("0.2", "sum", [Case("a list", [1, 2])] * 2, ("add" * 9, "add" * 9), right=sum)
    assert summed.check(emptied).solved


def test_hints_come_on_request():
    assert (
        "Add it to itself." in repr(doubled().hint(1))
        and "<code>2 * x</code>" in doubled().hint(2)._repr_html_()
    )
    with pytest.raises(ValueError, match="hint\\(3\\)"):
        doubled().hint(3)


def test_a_judge_decides_where_many_answers_are_right():
    even = Exercise(
        "0.3", "even", [Case("your number")], ("halve it" * 3, "n % 2" * 5),
        judge=lambda n: "it is odd" if n % 2 else None,
    )  # fmt: skip
    assert even.check(4).solved and even.check(6).solved
    assert "Your number: it is odd." in repr(even.check(3))
    assert "is not what this exercise asks for" in repr(even.check({"a": 1}))


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: Exercise("0.4", "t", [Case("a")], ("h", "h")), "right= and judge="),
        (lambda: Exercise("0.4", "t", [], ("h", "h"), right=abs), "expected cases"),
        (lambda: Mistake("words"), "like= and when="),
    ],
)
def test_half_an_exercise_is_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()


@pytest.mark.parametrize(
    "answer, expected, words",
    [
        (1.00001, 1, None),
        (np.float32(2), 2.0, None),
        (torch.ones(2, 3), np.ones((2, 3)), None),
        ((1, torch.zeros(2)), (1, [0, 0]), None),
        ({"a": 1}, {"a": 1.0}, None),
        (np.bool_(True), True, None),
        (1.1, 1, "your answer is 1.1, expected 1"),
        (
            np.zeros((4, 5)),
            np.eye(4, 5),
            "4 of 20 values differ; the first at [(0, 0)]: 0, expected 1",
        ),
        (np.zeros(3), np.zeros(4), "the shape is (3,), expected (4,)"),
        ((1, np.ones(2)), (1, np.zeros(2), 3), "expected 3"),
        ((1, np.ones((1, 2)), 5), (1, np.zeros((1, 2)), 5), "value 2 of 3"),
        ({"b": 1}, {"a": 1}, "the keys are ['b'], expected ['a']"),
        (3, {"a": 1}, "is no dict"),
        (1, True, "expected True"),
        (math.nan, 1, "nan"),
    ],
)
def test_what_keeps_answers_apart(answer, expected, words):
    said = difference(answer, expected, 1e-4)
    assert said is None if words is None else words in said


# --- predictions ----------------------------------------------------------------------------------

steps = Steps("When?", [3, 7], steps=10, current=[1] * 10)
bars = Bars("How much?", [0.7, 0.2, 0.1], labels=["a", "b", "c"], total=1.0, unit="%")
curve = Curve("How?", [0.9, 0.8, 0.5], x=[0, 1, 2], low=0, high=1)
order = Order("Which first?", {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0, "e": 4.05}, tie=0.1)
pick = Pick("Where?", [[1, 2, 3], [4, 5, 9]], marked=(0, 0))
choice = Choice("Which?", "b", options=["a", "b"], why={"b": "It fired 7 times."})
KINDS = [steps, bars, curve, order, pick, choice]


@pytest.mark.parametrize("prediction", KINDS, ids=lambda one: one.kind)
def test_the_truth_scores_all_and_the_default_nothing(prediction):
    assert prediction.answer(prediction.truth).score == 1 and prediction.last.right
    if prediction.start is not None:
        assert prediction.answer(prediction.start).score < 0.2
    assert prediction.said == prediction.last.points
    assert str(prediction.truth) not in str(prediction.spec()) or prediction.kind in (
        "choice",
        "pick",
    )


@pytest.mark.parametrize(
    "prediction, values, score, words",
    [
        (steps, [4, 8], 0.5, "As many as in the run, but too late"),
        (steps, [2, 6], 0.5, "too early"),
        (steps, [3], 0.5, "1 step marked, 2 in the run: too few"),
        (steps, range(10), 0.2, "too many"),
        (bars, [7, 2, 1], 1.0, "Close to the run"),
        (bars, [0.2, 0.7, 0.1], 0.0, "Most off is a, too low: 20 %, in the run 70 %. The largest is a."),
        (bars, [0.6, 0.3, 0.1], 1 - 0.2 / (11 / 15), "Most off is"),
        (curve, [0.9, 0.9, 0.9], 1 - 0.5 / 0.7, "Yours ends where it began, that of the run falls."),
        (curve, [0.9, 0.8, 0.7], 1 - 0.2 / 0.7, "Most off at 2, too high: 0.7, in the run 0.5."),
        (order, list("dcbae"), 1 - 2 * 3 / 9, "3 of 9 pairs stand the wrong way round, most of all a (1) before e"),
        (order, list("edcba"), 1.0, "Every pair"),
        (order, list("abcde"), 0.0, "9 of 9 pairs"),
        (pick, (1, 1), 1 / 5, "Yours is number 2 of 6; the largest is in row 2, column 3."),
        (pick, (1, 2), 1.0, "largest of all"),
        (choice, "a", 0.0, "The run says: b. It fired 7 times."),
        (choice, "b", 1.0, "The run says so as well. It fired 7 times."),
    ],
)  # fmt: skip
def test_how_a_prediction_was_wrong(prediction, values, score, words):
    answer = prediction.answer(values)
    assert answer.score == pytest.approx(score) and words in answer.words
    assert words.split(".")[0] in repr(answer) and answer.points in answer._repr_html_()


@pytest.mark.parametrize(
    "prediction, values, words",
    [
        (steps, [10], "from 0 to 9"),
        (bars, [1, 2], "2 bars; expected 3"),
        (bars, [1, 2, math.nan], "finite"),
        (curve, [1], "expected 3"),
        (order, ["a", "a"], "expected each of a, b, c, d, e once"),
        (pick, None, "is no place"),
        (pick, (5, 0), "outside of 2 rows"),
        (choice, "c", "expected one of 'a', 'b'"),
    ],
)
def test_what_is_no_prediction_is_refused(prediction, values, words):
    with pytest.raises(ValueError, match=words):
        prediction.answer(values)


def test_a_misconception_is_said_where_it_fits_and_not_where_the_answer_is_right():
    all_steps = Misconception("A neuron is no lamp.", when=lambda values, truth: len(values) > 5)
    asked = Steps("When?", [1], steps=8, misconceptions=[all_steps])
    assert asked.answer(range(8)).misconception == "A neuron is no lamp."
    assert asked.answer([2]).misconception is None
    busy = Steps("When?", range(7), steps=8, misconceptions=[all_steps])
    assert busy.answer(range(7)).misconception is None


def test_without_a_widget_the_truth_is_folded():
    text = bars._repr_html_()
    assert (
        "70 %" in text[text.index("<details>") :] and "70 %" not in text[: text.index("<details>")]
    )
    assert Steps("When?", [1], steps=3).said == "none yet"


def test_the_start_of_an_order_gives_nothing_away():
    for many in range(3, 9):
        names = [f"n{i}" for i in range(many)]
        for sizes in (range(many), reversed(range(many))):
            asked = Order("?", dict(zip(names, map(float, sizes))))
            assert asked.start not in (asked.truth, asked.truth[::-1])
            assert asked.answer(asked.start).score <= 0.01


def test_a_link_holds_the_state():
    link = dashboard("neurons", "The same", checkpoint="match-map", neuron_row=3)
    assert link.address == "http://localhost:8501/neurons?checkpoint=match-map&neuron-row=3"
    assert (
        'href="http://localhost:8501/neurons?checkpoint=match-map&amp;neuron-row=3"'
        in link._repr_html_()
    )
