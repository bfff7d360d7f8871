"""The lessons run from top to bottom, unsolved and solved, and are kept without outputs."""

from __future__ import annotations

import itertools
import re
import warnings

import nbformat
import pytest
from lesson_runs import (
    NOTEBOOKS,
    ROOT,
    exercises,
    is_exercise,
    make_smaller,
    opened,
    run,
    with_solutions,
)

from dista import checkpoint
from dista.runs import background

LESSONS = [path for path in NOTEBOOKS if not path.stem.startswith("00")]
"""All but the entrance, which has neither predictions nor checks."""

KERNEL = "00_what_does_it_attend_to"
"""The one that is run in a kernel of its own: what an import of the package alone would not have is seen there."""


def by_name(path):
    return path.stem


@pytest.mark.parametrize("path", NOTEBOOKS, ids=by_name)
def test_it_is_kept_without_outputs(path):
    notebook = opened(path)
    nbformat.validate(notebook)
    assert "widgets" not in notebook.metadata
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None, cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=by_name)
def test_it_asks_first_defines_no_helpers_and_draws_nothing_itself(path):
    cells = opened(path).cells
    assert cells[0].cell_type == "markdown" and "?" in cells[0].source.splitlines()[0]
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    helpers = [c.source for c in cells if c.cell_type == "code" and not is_exercise(c)]
    assert not any(re.search(r"^\s*(def|class) ", source, re.M) for source in helpers)
    assert max(len(source.splitlines()) for source in code) <= 25
    assert not re.search(r"matplotlib|graph_objects|plotly\.express|make_subplots", "\n".join(code))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=by_name)
def test_no_sentence_becomes_a_list(path):
    """A line that begins with a number and a full stop is an item of a list, also where a sentence ends there."""
    for cell in opened(path).cells:
        lines = cell.source.splitlines() if cell.cell_type == "markdown" else []
        for before, line in itertools.pairwise(lines):
            item = re.match(r"\d+\. ", line)
            assert not item or not before or re.match(r"\d+\. | ", before), (before, line)


def test_the_entrance_ends_with_what_was_learnt():
    headings = [
        line
        for cell in opened(NOTEBOOKS[0]).cells
        for line in cell.source.splitlines()
        if line[:3] == "## "
    ]
    assert headings[-2:] == ["## What was learnt", "## Exercises"]


@pytest.mark.parametrize("path", LESSONS, ids=by_name)
def test_a_lesson_has_its_parts(path):
    """Its number and minutes, predictions, exercises with folded solutions, and its end, in this order."""
    notebook = opened(path)
    number = int(path.stem[:2])
    first = notebook.cells[0].source
    assert first.startswith(f"# {number} · ") and "minutes" in first
    assert len(exercises(notebook)) >= 2
    text = "\n".join(cell.source for cell in notebook.cells)
    parts = [
        "widgets.predict(",
        "## What was learnt",
        "## What we do not know",
        "lessons.dashboard(",
    ]
    places = [text.find(part) for part in parts]
    assert -1 not in places and places == sorted(places), parts
    headings = re.findall(r"^## .*", text, re.M)
    assert headings[-2:] == parts[1:3]


@pytest.mark.parametrize("path", LESSONS, ids=by_name)
def test_a_lesson_runs_unsolved(path, monkeypatch, tmp_path):
    done = in_process(path, monkeypatch, tmp_path)
    assert [verdict.state for verdict in done.verdicts] == ["unsolved"] * len(
        exercises(opened(path))
    )
    assert done.predictions and done.links
    for prediction in done.predictions:
        assert prediction.answer(prediction.truth).score == pytest.approx(1), prediction.question
        if prediction.start is not None:
            assert prediction.answer(prediction.start).score < 0.5, prediction.question
    for link in done.links:
        assert_the_dashboard_knows(link)


@pytest.mark.parametrize("path", LESSONS, ids=by_name)
def test_a_lesson_runs_solved(path, monkeypatch, tmp_path):
    done = in_process(path, monkeypatch, tmp_path, solved=True)
    for verdict in done.verdicts:
        assert verdict.solved, verdict


def in_process(path, monkeypatch, tmp_path, *, solved=False):
    notebook = opened(path)
    needs_checkpoints(notebook)
    make_smaller(notebook, path.stem)
    if solved:
        with_solutions(notebook)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(background, "PROGRAM", (str(ROOT / "tests" / "pretended_training.py"),))
    monkeypatch.delenv("DISTA_RUNS", raising=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("error", RuntimeWarning)
        return run(notebook, monkeypatch, path.stem)


def assert_the_dashboard_knows(link):
    from app.link.vocabulary import PAGES, of_page

    assert link.page in PAGES, link
    assert set(link.state) <= {parameter.name for parameter in of_page(link.page)}, link


def test_one_runs_in_a_kernel(monkeypatch, tmp_path):
    from nbclient import NotebookClient

    notebook = opened(ROOT / "notebooks" / f"{KERNEL}.ipynb")
    needs_checkpoints(notebook)
    make_smaller(notebook, KERNEL)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    context = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=600, kernel_name="python3", resources=context).execute()
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    drawn = [out for out in outputs if "application/vnd.plotly.v1+json" in out.get("data", {})]
    assert len(drawn) >= 5
    assert not [
        out["text"] for out in outputs if out.get("name") == "stderr" and "Warning" in out["text"]
    ]


def needs_checkpoints(notebook) -> None:
    source = "\n".join(cell.source for cell in notebook.cells)
    for name in re.findall(r'dista\.load\("([^"]+)"\)', source):
        if name not in checkpoint.shipped():
            pytest.skip(f"the checkpoint {name} is not in {checkpoint.assets()}")
