"""The lessons run from top to bottom, and are kept without outputs."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from dista import checkpoint

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FEWER = {"01_what_does_it_attend_to": {r"^pairs = 200\b": "pairs = 20"}}
"""Sizes that a lesson sets at its top, made smaller for the tests."""


def opened(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def test_there_are_lessons():
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_kept_without_outputs(path):
    notebook = opened(path)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs and cell.execution_count is None, cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_asks_first_defines_no_helpers_and_ends_with_what_was_learnt(path):
    cells = opened(path).cells
    assert cells[0].cell_type == "markdown" and "?" in cells[0].source.splitlines()[0]
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    assert not any(re.search(r"^\s*(def|class) ", source, re.M) for source in code)
    assert max(len(source.splitlines()) for source in code) <= 25
    headings = [line for cell in cells for line in cell.source.splitlines() if line[:3] == "## "]
    assert headings[-2:] == ["## What was learnt", "## Exercises"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path, monkeypatch, tmp_path):
    from nbclient import NotebookClient

    notebook = opened(path)
    _needs_checkpoints(notebook)
    _make_smaller(notebook, FEWER.get(path.stem, {}))
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


def _needs_checkpoints(notebook: nbformat.NotebookNode) -> None:
    source = "\n".join(cell.source for cell in notebook.cells)
    for name in re.findall(r'dista\.load\("([^"]+)"\)', source):
        if name not in checkpoint.shipped():
            pytest.skip(f"the checkpoint {name} is not in {checkpoint.assets()}")


def _make_smaller(notebook: nbformat.NotebookNode, fewer: dict[str, str]) -> None:
    for pattern, smaller in fewer.items():
        changed = 0
        for cell in notebook.cells:
            cell.source, times = re.subn(pattern, smaller, cell.source, flags=re.M)
            changed += times
        assert changed == 1, f"{pattern!r} is set {changed} times; expected once"
