"""Lessons say what a study came to, with as many seeds as there are, or that nothing was measured; README says the same."""

from __future__ import annotations

import re
from importlib import resources

import nbformat
import numpy as np
import pytest
from lesson_runs import NOTEBOOKS, ROOT, opened, run
from test_results import pretend

import dista
from dista.lessons import claims
from dista.measures import SeedDifference
from dista.studies.study import begin
from dista.style.sentences import p_value

CUTS = """
from dista.lessons import lesson_09
from dista.measures import Answers, paired_difference
import numpy as np
one = Answers(np.ones(8), np.ones(8))
cuts = {part: paired_difference(one, one) for part in lesson_09.PARTS}
"""
"""What lesson 9 has measured before it asks for the study."""


def closing(notebook) -> int:
    """The place of the cell with the heading of a lesson's end; what was learnt is in the cell after it."""
    return next(i for i, c in enumerate(notebook.cells) if "## What was learnt" in c.source)


def of_study(number: int) -> nbformat.NotebookNode:
    """The imports of a lesson, and those of its cells before its end that ask the study and say what came of it."""
    notebook = opened(NOTEBOOKS[number])
    assert notebook.cells[0].source.startswith(f"# {number} ")
    code = [cell for cell in notebook.cells[: closing(notebook)] if cell.cell_type == "code"]
    asking = [cell for cell in code[1:] if "study" in cell.source or "few = {" in cell.source]
    assert asking
    notebook.cells = [code[0], nbformat.v4.new_code_cell(CUTS), *asking]
    return notebook


@pytest.fixture
def studied(tmp_path, monkeypatch):
    """``studied(seeds, configurations)``: the study in the folder of runs, as far as it has come."""
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path))
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path / "assets"))

    def come_to(seeds: int, configurations: int) -> None:
        grid = resources.files("dista.studies.grids") / "match-ablation.yml"
        study = begin(grid, tmp_path / "match-ablation")
        names = [one.name for one in study.configurations()][:configurations]
        for planned in study.planned():
            if planned.seed in study.grid.seeds[:seeds] and planned.configuration.name in names:
                pretend(planned, 20 + 3 * names.index(planned.configuration.name) + planned.seed)

    return come_to


def said(done) -> str:
    return "\n".join(
        one.data for one in done.shown if hasattr(one, "data") and isinstance(one.data, str)
    )


@pytest.mark.parametrize("seeds, configurations", [(0, 0), (1, 1)])
def test_without_two_configurations_nothing_was_measured(
    studied, monkeypatch, seeds, configurations
):
    if seeds:
        studied(seeds, configurations)
    done = run(of_study(9), monkeypatch, "lesson 9")
    assert "Not measured here" in said(done) and not done.figures
    assert said(done).count("not measured |") == 3
    assert "Not measured" in said(run(of_study(7), monkeypatch, "lesson 7"))


@pytest.mark.parametrize(
    "seeds, words", [(1, "With **one seed**"), (3, "Intervals are over seeds *and* samples")]
)
def test_what_is_there_is_said_with_its_seeds(studied, monkeypatch, seeds, words):
    studied(seeds, 8)
    done = run(of_study(9), monkeypatch, "lesson 9")
    assert words in said(done) and len(done.figures) == 1
    assert "not measured |" not in said(done)
    count = f"; {seeds} seed{'s' * (seeds > 1)}."
    assert said(done).count(count) == 3
    assert count in said(run(of_study(7), monkeypatch, "lesson 7"))


# --- the words for it -----------------------------------------------------------------------------


def difference(points: float, holm: float) -> SeedDifference:
    share = points / 100
    return SeedDifference(
        (0, 1), np.full(2, share), 100, share, share - 0.1, share + 0.1, holm, holm
    )


@pytest.mark.parametrize(
    "alone, average, verdict",
    [
        (difference(17, 0.001), difference(19, 0.001), "supported"),
        (difference(4, 0.197), difference(3, 0.066), "not resolved"),
        (difference(4, 0.001), difference(3, 0.066), "not resolved"),
        (difference(-9, 0.032), difference(-3, 0.066), "not supported"),
        (difference(17, 0.001), difference(-3, 0.001), "not supported"),
        (difference(-9, 0.2), difference(-3, 0.066), "not resolved"),
    ],
)
def test_a_claim_has_one_of_three_verdicts(alone, average, verdict):
    assert claims.verdict(alone, average) == verdict


def test_the_readme_says_what_the_shipped_study_came_to():
    readme = (ROOT / "README.md").read_text("utf-8").replace("−", "-")
    study = dista.open_study(ROOT / "assets" / "studies" / claims.STUDY)
    planned = study.study.planned()
    assert all(run.finished for run in planned) and f"All {len(planned)} runs" in readme
    for claim in claims.CLAIMS.values():
        alone, average = study.differences[claim.alone], study.effects[claim.level]
        first, second = (
            f"{100 * one.difference:+.1f} ({100 * one.low:.1f} to {100 * one.high:.1f})"
            for one in (alone, average)
        )
        row = f"| {claim.words[0].lower()}{claim.words[1:]} | {claims.verdict(alone, average)}: {first}"
        (said,) = (line for line in readme.splitlines() if line.startswith(row))
        assert second in said
        ps = re.findall(r"\bp ([<.\d ]*\d)", said)
        assert ps in ([], [p_value(alone.holm), p_value(average.holm)])
    for memory in ("none", "map"):
        for taus in ("fixed", "learned"):
            names = [
                f"memory={memory},taus={taus},denoiser={kind}" for kind in ("none", "threshold")
            ]
            means = [f"{100 * study.accuracies[name].mean:.1f} %" for name in names]
            assert f"| {memory} | {taus} | {' | '.join(means)} |" in readme


def test_lessons_close_with_what_trainings_say():
    """Of each part that a lesson is about: a cut is never its last word on it."""
    parts = {5: "the learned taus", 6: "attention's memory", 7: "the denoiser"}
    for number, part in parts.items():
        lesson = opened(NOTEBOOKS[number])
        last = lesson.cells[closing(lesson) + 1].source
        assert f'claims.answer("{part}", study)' in last
    lesson = opened(NOTEBOOKS[9])
    assert "claims.verdicts(study)" in lesson.cells[closing(lesson) + 1].source
