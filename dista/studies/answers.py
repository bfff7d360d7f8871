"""What a run of a study answers to each held-out sample, kept beside it: results need no weights.

answers.json    the answer and the label of every test sample, as class numbers; which weights answered
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import model_validator

from dista.files import replacement
from dista.files.facts import Facts
from dista.measures import Answers
from dista.runs import Run

if TYPE_CHECKING:
    from dista.data import Task

FILE = "answers.json"


class Content(Facts):
    """The content of the file; ``weights`` is their digest (``dista.files.weights``)."""

    task: str
    weights: str
    answer: list[int]
    label: list[int]

    @model_validator(mode="after")
    def _as_many(self) -> Content:
        if not self.answer or len(self.answer) != len(self.label):
            raise ValueError(f"{len(self.answer)} answers to {len(self.label)} samples")
        return self


def keep(run: Run, task: Task) -> Answers:
    """Ask the best checkpoint of the run about all test samples and write its answers down."""
    from dista.experiments.evaluation import answers
    from dista.files.weights import digest

    model = run.load("best")
    tested = answers(model, task.test)
    facts = Content(
        task=task.name,
        weights=digest(model),
        answer=tested.answer.tolist(),
        label=tested.label.tolist(),
    )
    with replacement.replacing(run.path / FILE) as file:
        file.write(json.dumps(facts.model_dump(), separators=(",", ":")).encode())
    return tested


def read(run: Path) -> Answers | None:
    """The answers that are kept of a run; None where there are none, Damaged where they are."""
    content = Content.beside(run, FILE)
    if content is None:
        return None
    return Answers(np.array(content.answer), np.array(content.label))
