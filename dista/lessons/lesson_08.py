"""Lesson 8, what happens while it learns: a training to rehearse with, its exercises, and what to think of wrong answers."""

from __future__ import annotations

from dista.lessons.exercises import Case, Exercise, Mistake
from dista.lessons.predictions import Misconception

FROZEN = (
    Misconception(
        "The taus are one number a layer, the weights are thousands. With fixed taus the weights still learn what to detect, and can make up for much.",
        when=lambda choice, truth: choice == "frozen taus",
    ),
    Misconception(
        "Taus alone change how long a neuron remembers, not what it detects: its weights stay as random as they were drawn.",
        when=lambda choice, truth: truth == "frozen synapses",
    ),
)
CURVE = (
    Misconception(
        "You drew that nothing is learned without learning taus. Look at what was frozen: the weights were not.",
        when=lambda accuracy, truth: max(accuracy) < 0.3 < truth[-1],
    ),
    Misconception(
        "You drew a large loss. A still image gives slow neurons little to do; for a task that needs memory see lesson 5.",
        when=lambda accuracy, truth: accuracy[-1] < truth[-1] - 0.1,
    ),
)


class Rehearsal:
    """Behaves as ``dista.runs.Training`` does, at once and without a training: ``state`` is where it begins.

    A stop is a wish: it runs until it has finished its step and saved, which ``wait`` waits for.
    """

    def __init__(self, state: str) -> None:
        self.state, self._asked = state, False

    def stop(self) -> None:
        """Ask it to stop; ValueError where it is not running."""
        if self.state != "running":
            raise ValueError(f"it is {self.state}, not running")
        self._asked = True

    def wait(self) -> None:
        """Return when it runs no more."""
        if self.state == "running":
            self.state, self._asked = ("stopped" if self._asked else "finished"), False

    def resume(self) -> None:
        """Go on from the saved state; ValueError where it is running, or finished."""
        if self.state in ("running", "finished"):
            raise ValueError(f"it is {self.state}; there is nothing to resume")
        self.state = "running"


def _interrupted(training: Rehearsal) -> list[str]:
    states = [training.state]
    if training.state == "running":
        training.stop()
        training.wait()
    states.append(training.state)
    if training.state == "stopped":
        training.resume()
        training.wait()
    return [*states, training.state]


def _never_resumed(training: Rehearsal) -> list[str]:
    states = _interrupted(training)
    return [states[0], states[1], states[1]]


def _too_early(training: Rehearsal) -> list[str]:
    states = _interrupted(training)
    return [states[0], states[0], states[2]]


def _not_to_the_end(training: Rehearsal) -> list[str]:
    states = _interrupted(training)
    return [states[0], states[1], "running" if states[1] == "stopped" else states[2]]


interrupted = Exercise(
    "8.1",
    "stop it, resume it",
    minutes=8,
    difficulty=2,
    cases=[
        Case("a training that runs", Rehearsal("running")),
        Case("one that was stopped before", Rehearsal("stopped")),
        Case("one that is finished", Rehearsal("finished")),
    ],
    right=_interrupted,
    mistakes=[
        Mistake(
            "It was stopped and not resumed: the last state has to be finished.",
            like=_never_resumed,
        ),
        Mistake(
            "The second state was read too early. A stop is a wish: it first finishes its step and saves. Wait for that.",
            like=_too_early,
        ),
        Mistake(
            "It was resumed, and the last state was read while it still ran. Wait for its end.",
            like=_not_to_the_end,
        ),
    ],
    hints=(
        "Four calls in a row: stop, wait, resume, wait. Which of them make no sense for one that is stopped or finished already?",
        '`if training.state == "running": training.stop(); training.wait()`, and `if training.state == "stopped": training.resume(); training.wait()`.',
    ),
)

_DIVERGED = """Traceback (most recent call last):
  File "session.py", line 174, in _clip
    _check_norm(norm.item())
  File "session.py", line 263, in _check_norm
    raise RuntimeError(f"the gradients' norm became {norm}")
RuntimeError: the gradients' norm became nan; try a smaller lr or clip
"""
_CHAINED = """Traceback (most recent call last):
  File "tables.py", line 106, in append
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file.name)
OSError: [Errno 28] No space left on device: 'steps.jsonl'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "start.py", line 121, in _run_to_the_end
    raise RunError(reason) from error
RunError: the disk is full: the state before is intact; free some space, and resume
"""
_QUIET = "Epoch 1 of 4, step 12 of 160\nEpoch 1 of 4, step 24 of 160\n"


def _reason(log: str) -> str:
    lines = [line for line in log.splitlines() if "Error: " in line and not line.startswith(" ")]
    return lines[-1].partition("Error: ")[2] if lines else ""


def _first_reason(log: str) -> str:
    lines = [line for line in log.splitlines() if "Error: " in line and not line.startswith(" ")]
    return lines[0].partition("Error: ")[2] if lines else ""


def _whole_line(log: str) -> str:
    lines = [line for line in log.splitlines() if "Error: " in line and not line.startswith(" ")]
    return lines[-1] if lines else ""


def _last_line(log: str) -> str:
    last = log.strip().splitlines()[-1]
    return last.partition("Error: ")[2] or last


crash = Exercise(
    "8.2",
    "read a crash",
    minutes=8,
    difficulty=2,
    cases=[
        Case("a training that diverged", _DIVERGED),
        Case("a full disk, with two errors in a row", _CHAINED),
        Case("a log without an error", _QUIET),
    ],
    right=_reason,
    mistakes=[
        Mistake(
            "Of two errors you took the first. The last one is what the program ended with.",
            like=_first_reason,
        ),
        Mistake(
            "This is the whole line. Leave out the kind of error: the reason begins after the first 'Error: '.",
            like=_whole_line,
        ),
        Mistake(
            "The last line of a log is no error if it does not say so. Without one the answer is ''.",
            like=_last_line,
        ),
    ],
    hints=(
        "A traceback is read from below: the last line that begins with a kind of error says what went wrong. All lines above say where.",
        '`for line in reversed(log.splitlines())`, and `line.partition("Error: ")`. Lines of code begin with a space.',
    ),
)
