"""What pages read of studies and of many runs: kept while the files that it is read from are the same."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from app.inputs.checkpoints import stamps
from dista.checkpoint import CARD
from dista.measures import SeedCurve
from dista.runs import Run, RunError, annotation, overview
from dista.runs.overview import Summary
from dista.runs.places import GRID, RUNS
from dista.studies import answers, conditions, robustness
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


def cuts(path: Path) -> robustness.Cuts:
    """What ``dista cuts`` has measured of the study's runs."""
    return _cuts(str(path), _conditions(path))


@st.cache_resource(show_spinner=False, max_entries=16)
def _cuts(path: str, changed: tuple[tuple, ...]) -> robustness.Cuts:
    return robustness.cuts(path)


def noise(path: Path) -> dict[str, dict[str, SeedCurve]]:
    """What ``dista noise`` has measured of the study's runs, by kind of noise and configuration."""
    return _noise(str(path), _conditions(path))


@st.cache_resource(show_spinner=False, max_entries=16)
def _noise(path: str, changed: tuple[tuple, ...]) -> dict[str, dict[str, SeedCurve]]:
    return robustness.noise(path)


def _conditions(path: Path) -> tuple[tuple, ...]:
    runs = sorted((path / RUNS).glob("*"))
    names = ("status.json", conditions.FILE)
    return stamps(path / GRID, *(run / name for run in runs for name in names))


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
