"""Lessons 7 and 9 say what a study came to, with as many seeds as there are, or that nothing was measured."""

from __future__ import annotations

from importlib import resources

import nbformat
import pytest
from lesson_runs import NOTEBOOKS, opened, run
from test_results import pretend

from dista.studies.study import begin

CUTS = """
from dista.lessons import lesson_09
from dista.measures import Answers, paired_difference
import numpy as np
one = Answers(np.ones(8), np.ones(8))
cuts = {part: paired_difference(one, one) for part in lesson_09.PARTS}
"""
"""What lesson 9 has measured before it asks for the study."""


def of_study(number: int) -> nbformat.NotebookNode:
    """The imports of a lesson, and those of its cells that ask the study and say what came of it."""
    notebook = opened(NOTEBOOKS[number])
    assert notebook.cells[0].source.startswith(f"# {number} ")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
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
    count = f"{seeds} seed{'s' * (seeds > 1)}, without noise"
    assert count in said(run(of_study(7), monkeypatch, "lesson 7"))
