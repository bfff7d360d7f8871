"""Exercises: a reader's function on several inputs, answered with what is right, what is wrong, and which mistake it is.

Why not a library. otter-grader 7 tells a test that failed by one text that was fixed before (``failure_message``), so
that a hint cannot depend on the mistake; students' notebooks are generated, a second copy; and it brings a client for
containers and ``dill``. nbgrader answers with the traceback of an assertion, stops the notebook there, and needs its
own server and database. jupyterquiz asks for choices and numbers, not for functions. Here a check is an object that
the notebook calls; the only copy of a notebook holds the solution, folded, and runs unsolved from top to bottom.
"""

from __future__ import annotations

import copy
import inspect
import linecache
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dista.lessons.page import Line, page, text
from dista.lessons.values import difference, written

_UNSOLVED = (type(None), type(Ellipsis), type(NotImplemented))


class Case:
    """One input: ``words`` that name it in a sentence, and the arguments."""

    def __init__(self, words: str, *arguments: Any, **named: Any) -> None:
        self.words, self.arguments, self.named = words, arguments, named

    def call(self, function: Callable[..., Any]) -> Any:
        """What ``function`` answers to copies of the arguments, which are its own to change."""
        return function(*copy.deepcopy(self.arguments), **copy.deepcopy(self.named))


@dataclass(frozen=True)
class Mistake:
    """A plausible wrong answer, and the ``words`` that name it.

    ``like`` is a function that makes this mistake; ``when(case, answer, expected)`` recognises it in a case
    that is wrong (``expected`` is None where a judge decides).
    """

    words: str
    like: Callable[..., Any] | None = None
    when: Callable[[Case, Any, Any], bool] | None = None

    def __post_init__(self) -> None:
        if (self.like is None) == (self.when is None):
            raise ValueError("a mistake is recognised by one of like= and when=; give one of them")


@dataclass(frozen=True)
class Trial:
    """What came of one case: the answer, what was expected, and what is ``wrong`` with it (None: nothing)."""

    case: Case
    answer: Any = None
    expected: Any = None
    wrong: str | None = None
    stopped: bool = False


@dataclass(frozen=True)
class Verdict:
    """What a check says; ``state`` is "solved", "wrong" or "unsolved", ``mistake`` the words of one that was recognised."""

    exercise: Exercise
    state: str
    lines: tuple[Line, ...]
    mistake: str | None = None

    @property
    def solved(self) -> bool:
        return self.state == "solved"

    def __repr__(self) -> str:
        more = "" if self.solved else f"\nHelp: .hint(1), .hint(2) of exercise {self.exercise.name}"
        return text(self.exercise.heading, self.lines) + more

    def _repr_html_(self) -> str:
        names = ("Hint 1: the idea", "Hint 2: the code")
        hints = () if self.solved else tuple(zip(names, self.exercise.hints))
        return page(self.exercise.heading, self.lines, hints)


@dataclass(frozen=True)
class Hint:
    """One hint, shown where it was asked for."""

    title: str
    words: str

    def __repr__(self) -> str:
        return f"{self.title}\n{self.words}"

    def _repr_html_(self) -> str:
        return page(self.title, [Line("open", self.words)])


@dataclass(frozen=True)
class Exercise:
    """A question to the reader; ``dista.lessons`` says how one is written.

    ``name`` is "lesson.number". ``right(*arguments)`` gives the expected answer, or ``judge(answer, *arguments)``
    what is wrong with one. ValueError where neither or both are given, or no case, or not two hints.
    """

    name: str
    title: str
    cases: Sequence[Case]
    hints: tuple[str, str]
    right: Callable[..., Any] | None = None
    judge: Callable[..., str | None] | None = None
    mistakes: Sequence[Mistake] = ()
    minutes: int = 10
    difficulty: int = 1
    close: float = 1e-4

    def __post_init__(self) -> None:
        if (self.right is None) == (self.judge is None):
            raise ValueError(f"exercise {self.name}: give one of right= and judge=")
        if not self.cases or len(self.hints) != 2 or self.difficulty not in (1, 2, 3):
            raise ValueError(
                f"exercise {self.name}: expected cases, two hints and a difficulty of 1 to 3"
            )

    @property
    def heading(self) -> str:
        stars = "●" * self.difficulty + "○" * (3 - self.difficulty)
        return f"Exercise {self.name} · {self.title}  {stars}  {self.minutes} minutes"

    def hint(self, which: int) -> Hint:
        """Hint 1, the idea, or hint 2, the code; ValueError for another."""
        if which not in (1, 2):
            raise ValueError(f"hint({which!r}); there are hint(1), the idea, and hint(2), the code")
        return Hint(f"Exercise {self.name}, hint {which}", self.hints[which - 1])

    def check(self, answer: Any) -> Verdict:
        """Try a function on all cases, or look at a value; never raises for what the reader's code does."""
        trials: list[Trial] = []
        for case in self.cases:
            trial = self._try(answer, case)
            if trial is None:
                return self._unsolved(trials)
            trials.append(trial)
        if not any(trial.wrong for trial in trials):
            return Verdict(self, "solved", (Line("right", _passed(trials)),))
        return self._wrong(trials)

    def _try(self, answer: Any, case: Case) -> Trial | None:
        """One case; None where the stub is still as it was."""
        try:
            value = case.call(answer) if callable(answer) else answer
        except NotImplementedError:
            return None
        except Exception as error:
            return Trial(case, wrong=_stop(error, answer, case), stopped=True)
        if isinstance(value, _UNSOLVED):
            return None
        if self.judge is not None:
            return Trial(case, value, None, self._judged(value, case))
        expected = case.call(self.right) if self.right else None
        return Trial(case, value, expected, difference(value, expected, self.close))

    def _judged(self, value: Any, case: Case) -> str | None:
        assert self.judge is not None
        try:
            return case.call(lambda *args, **named: self.judge(value, *args, **named))  # type: ignore[misc]  # it is one
        except (TypeError, ValueError, AttributeError, IndexError, KeyError):
            return f"{written(value)} is not what this exercise asks for"

    def _unsolved(self, trials: Sequence[Trial]) -> Verdict:
        words = "Not solved yet. Write your answer in place of the stub and run the cell again. You can go on without it."
        if trials:
            words = "Nothing came back for some inputs: does every way through the function `return`? You can go on without it."
        return Verdict(self, "unsolved", (Line("open", words),))

    def _wrong(self, trials: Sequence[Trial]) -> Verdict:
        right = [trial for trial in trials if not trial.wrong]
        wrong = [trial for trial in trials if trial.wrong]
        lines = [Line("right", _passed(right))] if right else []
        lines.append(Line("wrong", f"{_upper(wrong[0].case.words)}: {wrong[0].wrong}."))
        if len(wrong) > 1:
            others = "; ".join(trial.case.words for trial in wrong[1:])
            lines.append(Line("wrong", f"Wrong as well: {others}."))
        mistake = self._mistake(trials)
        if mistake:
            lines.append(Line("open", mistake))
        return Verdict(self, "wrong", tuple(lines), mistake)

    def _mistake(self, trials: Sequence[Trial]) -> str | None:
        """The words of the first mistake that explains the answers."""
        came = [trial for trial in trials if not trial.stopped]
        for mistake in self.mistakes:
            if mistake.like is not None and came and self._is_like(mistake.like, came):
                return mistake.words
            if mistake.when is not None and any(
                _recognised(mistake.when, trial) for trial in came if trial.wrong
            ):
                return mistake.words
        return None

    def _is_like(self, function: Callable[..., Any], trials: Sequence[Trial]) -> bool:
        return all(
            difference(trial.answer, trial.case.call(function), self.close) is None
            for trial in trials
        )


def _recognised(when: Callable[[Case, Any, Any], bool], trial: Trial) -> bool:
    """Whether a mistake is in an answer; one of another shape than the rule expects is not it."""
    try:
        return bool(when(trial.case, trial.answer, trial.expected))
    except (TypeError, ValueError, AttributeError, IndexError, KeyError, RuntimeError):
        return False


def _passed(trials: Sequence[Trial]) -> str:
    return f"Right: {'; '.join(trial.case.words for trial in trials)}."


def _upper(words: str) -> str:
    symbol = words[1:2] == " "  # u = 2, say; "a" is written large as well
    return words if symbol and words[0] != "a" else words[:1].upper() + words[1:]


def _stop(error: Exception, function: Any, case: Case) -> str:
    """What an exception of the reader's function says, with the line of theirs in which it came."""
    said = f"{type(error).__name__}: {error}".rstrip(": ").rstrip(".")
    code = getattr(inspect.unwrap(function), "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if code is not None and frame.filename == code.co_filename]
    if not own or own[-1].lineno is None:
        takes = f"; it is called with {len(case.arguments) + len(case.named)} values"
        return f"your function could not be called this way ({said}){takes}"
    line = linecache.getline(own[-1].filename, own[-1].lineno).strip()
    number = own[-1].lineno - code.co_firstlineno + 1 if code is not None else own[-1].lineno
    shown = f", `{line}`" if line else ""
    return f"your function stopped in its line {number}{shown} ({said})"
