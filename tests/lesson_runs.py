"""Lessons run inside of the test's own process: cells one after the other, with what they show held and drawn."""

from __future__ import annotations

import ast
import importlib
import linecache
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from dista.lessons import Exercise, Link, Prediction, Verdict

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FENCED = re.compile(r"<details>.*?```python\n(.*?)```.*?</details>", re.DOTALL)


def opened(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def is_exercise(cell) -> bool:
    return cell.cell_type == "code" and "exercise" in cell.metadata.get("tags", ())


def exercises(notebook) -> list[tuple[str, str]]:
    """The cell of each exercise, and the solution that stands folded in the cell after it."""
    pairs = []
    for cell, after in zip(notebook.cells, [*notebook.cells[1:], None]):
        if is_exercise(cell):
            folded = FENCED.search(after.source) if after is not None else None
            assert folded, f"no folded solution in the cell after\n{cell.source}"
            pairs.append((cell.source, folded.group(1)))
    return pairs


def with_solutions(notebook) -> None:
    """Put each solution in the place of its stub; the cell's last line, the check, stays."""
    solutions = iter(exercises(notebook))
    for cell in notebook.cells:
        if is_exercise(cell):
            stub, solution = next(solutions)
            check = ast.parse(stub).body[-1]
            lines = stub.splitlines()[check.lineno - 1 :]
            cell.source = "\n".join([solution.rstrip(), "", *lines])


FEWER = {
    "00_what_does_it_attend_to": {r"^pairs = 200\b": "pairs = 20"},
    "02_how_does_one_learn_through_a_step": {r"^updates = 200\b": "updates = 80"},
    "03_how_does_a_picture_become_spikes": {r"^digits = 100\b": "digits = 12"},
    "04_what_is_attention_without_a_softmax": {
        r"^digits, pairs = 60, 20\b": "digits, pairs = 12, 3"
    },
    "05_what_do_slow_neurons_remember": {r"^pairs = 100\b": "pairs = 6"},
    "06_what_does_explicit_memory_add": {r"^pairs, recorded = 100, 40\b": "pairs, recorded = 6, 6"},
    "07_does_denoising_help": {r"^samples, recorded = 100, 20\b": "samples, recorded = 6, 4"},
    "09_which_part_matters": {r"^pairs, looked_at = 100, 6\b": "pairs, looked_at = 6, 2"},
    "10_what_does_it_cost": {r"^samples, timed = 60, 10\b": "samples, timed = 4, 1"},
}
"""Sizes that a lesson sets at its top, made smaller for the tests."""


def make_smaller(notebook, name: str) -> None:
    for pattern, smaller in FEWER.get(name, {}).items():
        changed = 0
        for cell in notebook.cells:
            cell.source, times = re.subn(pattern, smaller, cell.source, flags=re.M)
            changed += times
        assert changed == 1, f"{pattern!r} is set {changed} times; expected once"


@dataclass
class Run:
    """What a run left: the notebook's names, and everything that its cells showed."""

    names: dict[str, Any]
    shown: list[Any] = field(default_factory=list)

    def of(self, kind: type) -> list[Any]:
        return [thing for thing in self.shown if isinstance(thing, kind)]

    @property
    def verdicts(self) -> list[Verdict]:
        return self.of(Verdict)

    @property
    def links(self) -> list[Link]:
        return self.of(Link)

    @property
    def predictions(self) -> list[Prediction]:
        return [value for value in self.names.values() if isinstance(value, Prediction)]

    @property
    def figures(self) -> list[Any]:
        return [thing for thing in self.shown if type(thing).__module__.startswith("plotly.")]


def run(notebook, monkeypatch, name: str) -> Run:
    """Run all cells in a namespace of their own; the value of a cell's last line is shown, as in a notebook."""
    import IPython.display

    done = Run({"__name__": "__main__"})
    monkeypatch.setattr(IPython.display, "display", lambda *things, **_: done.shown.extend(things))
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            done.shown.extend(_run_cell(cell.source, f"<{name} cell {index}>", done.names))
    for thing in done.shown:
        _draw(thing)
    return done


def _run_cell(source: str, name: str, names: dict[str, Any]) -> list[Any]:
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)  # tracebacks show it
    body = ast.parse(source, name).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), name, "exec"), names)
    if last is None:
        return []
    value = eval(compile(ast.Expression(last.value), name, "eval"), names)
    return [] if value is None else [value]


def _draw(thing: Any) -> None:
    """What a page would ask of it, so that a fault there is seen here."""
    for ask in ("_repr_mimebundle_", "_repr_html_", "_repr_markdown_"):
        if hasattr(thing, ask) and not type(thing).__module__.startswith("plotly."):
            getattr(thing, ask)()
    assert repr(thing)


LESSON_MODULES = [path.stem for path in sorted((ROOT / "dista" / "lessons").glob("lesson_*.py"))]


def exercises_of(module: str) -> list[Exercise]:
    """The exercises of ``dista.lessons.<module>``, in the order of their names."""
    members = vars(importlib.import_module(f"dista.lessons.{module}")).values()
    return sorted((one for one in members if isinstance(one, Exercise)), key=lambda one: one.name)
