"""What pages read of studies and of many runs: kept while the files that it is read from are the same."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from app.inputs.checkpoints import stamps
from dista.checkpoint import CARD
from dista.runs import Run, RunError, annotation, overview
from dista.runs.overview import Summary
from dista.runs.places import GRID, RUNS
from dista.studies import answers
from dista.studies.results import Results, open_study
from dista.studies.study import Study

_READ = (
    "config.json", "epochs.jsonl", "neurons.jsonl", annotation.FILE, f"checkpoints/best/{CARD}",
)  # fmt: skip


def results(path: Path) -> Results:
    """The results of a study as far as it has come; StudyError or GridError where it cannot be read."""
    files = [path / GRID]
    for run in sorted((path / RUNS).glob("*")):
        files += [run / name for name in ("config.json", "status.json", answers.FILE)]
    return _results(str(path), stamps(*files))


@st.cache_resource(show_spinner=False, max_entries=16)
def _results(path: str, changed: tuple[tuple, ...]) -> Results:
    return open_study(path)


def study(path: Path) -> Study:
    return _study(str(path), stamps(path / GRID))


@st.cache_resource(show_spinner=False, max_entries=64)
def _study(path: str, changed: tuple[tuple, ...]) -> Study:
    return Study(path)


def summaries(runs: Iterable[Run]) -> list[tuple[Run, Summary]]:
    """The runs that can be read, each with what is in its folder."""
    read = []
    for run in runs:
        with contextlib.suppress(RunError, OSError):
            files = stamps(*(run.path / name for name in _READ))
            read.append((run, _summary(str(run.path), run.name, files)))
    return read


@st.cache_resource(show_spinner=False, max_entries=2048)
def _summary(path: str, name: str, changed: tuple[tuple, ...]) -> Summary:
    return overview.summary(Run(path))
