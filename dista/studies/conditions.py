"""What the finished runs of a study answer under other conditions: noise in the input, a part cut from the network.

    conditions.json    beside each run: its answers to the first test samples under every condition, and which weights
                       answered. Answers are hexadecimal class numbers, of ``digits`` digits a sample

A condition is some switches of ``dista.ablations``, and noise of a kind and level. All runs meet the same samples with
the same noise, so that whatever is compared is paired. What is measured is written down at once, one condition after
the other, and never measured again: a command that was killed goes on where it was. Results need no weights.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from pydantic import Field, model_validator

from dista.checkpoint import WEIGHTS
from dista.files import replacement
from dista.files.facts import Facts
from dista.measures import Answers
from dista.measures.noise import LEVELS
from dista.runs import Run

if TYPE_CHECKING:
    from dista.data import Split, Task
    from dista.runs import RunConfig

FILE = "conditions.json"
SAMPLES = 500
"""Test samples, the first ones, that are answered under each condition unless more are asked for."""

THRESHOLDS = (0.0, 1.0, 2.0, 3.0)
"""The u that denoisers are given after training."""


PUT_ON = (("u=1",), ("weaker=1",))
"""What a network that was trained without a denoiser is given: one, and its control, which removes no count."""


class Condition(NamedTuple):
    """Switches of ``dista.ablations``, and noise of ``kind`` ("" for none) and ``level`` in the input."""

    switches: tuple[str, ...] = ()
    kind: str = ""
    level: float = 0.0


AS_TRAINED = Condition()


class _Answered(Facts):
    switches: list[str]
    kind: str
    level: float
    answer: Annotated[str, Field(pattern="^[0-9a-f]+$")]


class Content(Facts):
    """The content of the file; ``weights`` is their digest (``dista.files.weights``)."""

    task: str
    weights: str
    digits: Annotated[int, Field(ge=1, le=8)]
    label: list[int]
    conditions: list[_Answered]

    @model_validator(mode="after")
    def _as_many(self) -> Content:
        for one in self.conditions:
            if not self.label or len(one.answer) != self.digits * len(self.label):
                raise ValueError(
                    f"{len(one.answer)} digits of answers to {len(self.label)} samples"
                )
        return self


@dataclass
class Conditions:
    """What a run has answered, to the samples whose ``label`` is here, by condition."""

    task: str
    weights: str
    label: np.ndarray
    answers: dict[Condition, np.ndarray]

    def of(self, condition: Condition) -> Answers:
        return Answers(self.answers[condition], self.label)


# Which ----------------------------------------------------------------------------------------------


def of_noise(what: RunConfig, split: Split, thresholds: Sequence[float]) -> list[Condition]:
    """Three kinds of noise at five levels each, with the denoiser as it was trained and with other ``thresholds``.

    Images get Gaussian noise, event counts spurious events; both salt and pepper, and an occlusion.
    """
    kinds = ("events" if split.unit == 1 else "gaussian", "salt-and-pepper", "occlusion")
    denoiser = what.model.denoiser
    trained = {"none": 0.0, "threshold": denoiser.u}.get(denoiser.kind)
    others = [(f"u={u:g}",) for u in thresholds if u != trained]
    return [
        Condition(switches, kind if level else "", level)
        for switches in ((), *others)
        for kind, level in [("", 0.0), *((k, a) for k in kinds for a in LEVELS[k] if a)]
    ]


def of_cuts(what: RunConfig, *, starting_taus: bool = True) -> list[Condition]:
    """Each thing that the trained network remembers taken from it, and other parts that it has, one at a time.

    A denoiser is put on where there is none. Learned taus can be put back where the ``starting_taus`` were written down.
    """
    cuts: list[tuple[str, ...]] = [("neuron-memory",), ("carry-over",)]
    if what.model.memory.form != "none" and what.model.memory.window > 1:
        cuts += [("own-past",), ("neuron-memory", "own-past")]
    if starting_taus and what.model.neuron.learn_tau and what.training.freeze != "taus":
        cuts.append(("learned-taus",))
    cuts += PUT_ON if what.model.denoiser.kind == "none" else [("denoiser",)]
    return [AS_TRAINED, *map(Condition, cuts)]


# Answers --------------------------------------------------------------------------------------------


def measure(
    run: Run,
    wanted: Sequence[Condition],
    task: Task,
    *,
    samples: int = SAMPLES,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> int:
    """Ask the best checkpoint of a run under those conditions that are not in its file; how many these were.

    Answers of other weights, or to fewer samples, are measured again. CheckpointError without weights; ``report``
    hears how many conditions are done, of how many.
    """
    from dista.experiments.corruption import Noise
    from dista.experiments.evaluation import answers
    from dista.files.weights import digest

    model = run.load("best")
    before, weights = read(run.path), digest(model)
    samples = min(samples, len(task.test))
    if before is None or before.weights != weights or len(before.label) < samples:
        before = Conditions(task.name, weights, task.test.labels[:samples], {})
    missing = [one for one in wanted if one not in before.answers]
    for done, one in enumerate(missing):
        report(done, len(missing))
        noise = Noise(one.kind, one.level) if one.kind else 0.0
        tested = answers(model, task.test, one.switches, noise=noise, limit=len(before.label))
        before.answers[one] = tested.answer
        _write(run.path, before)
    return len(missing)


def has_weights(run: Run) -> bool:
    """Whether the run's best checkpoint is there: studies are given on without."""
    return (run.checkpoint("best") / WEIGHTS).is_file()


def read(run: Path) -> Conditions | None:
    """What a run has answered; None where nothing is there, Damaged where it is."""
    content = Content.beside(run, FILE)
    if content is None:
        return None
    answered = {
        Condition(tuple(one.switches), one.kind, one.level): _numbers(one.answer, content.digits)
        for one in content.conditions
    }
    return Conditions(content.task, content.weights, np.array(content.label), answered)


def _numbers(text: str, digits: int) -> np.ndarray:
    return np.array([int(text[i : i + digits], 16) for i in range(0, len(text), digits)])


def _write(run: Path, what: Conditions) -> None:
    """Text, as a study of 40 runs has 2,800 lists of answers: as numbers in JSON they would be twice as long."""
    digits = len(f"{max(int(a.max()) for a in what.answers.values()):x}")
    conditions = [
        {
            "switches": list(one.switches), "kind": one.kind, "level": one.level,
            "answer": "".join(f"{int(number):0{digits}x}" for number in a),
        }
        for one, a in what.answers.items()
    ]  # fmt: skip
    facts = {
        "task": what.task, "weights": what.weights, "digits": digits, "label": what.label.tolist(),
        "conditions": conditions,
    }  # fmt: skip
    with replacement.replacing(run / FILE) as file:
        file.write(json.dumps(facts, separators=(",", ":")).encode())
