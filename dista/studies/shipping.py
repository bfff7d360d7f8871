"""A study to be shipped: what its results, its tables and its pages need, in a few megabytes.

    shipped.json    what this is: which runs are in it, what of them, and who made it
    grid.yml        as it was given, without the folder of its data
    runs/           those that were finished: configuration, status, tables but that of single steps, starting
                    time constants, answers, also under noise and after cuts, and the card of the best checkpoint,
                    where that lies as well

It is a study like any other (``dista.studies.study``), and its runs are runs without weights. Those of some seeds
can be with it, and the film of single runs. Numbers in tables have six digits: charts show fewer, and the files
are half as large. Names of folders of the machine that trained are left out.
"""

from __future__ import annotations

import json
import math
import re
import shutil
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dista.checkpoint import CARD, CONFIG, WEIGHTS, write_whole
from dista.files import replacement
from dista.files.facts import Damaged, read_whole
from dista.runs import Run, Table, annotation
from dista.runs.facts import TABLES, parsed
from dista.runs.places import GRID, RUNS
from dista.studies import answers, conditions
from dista.studies.study import Planned, Study, StudyError

MARK = "shipped.json"
MEGABYTES = 5.0
"""What a shipped study may have, unless its maker says otherwise: the package is downloaded whole."""

_DIGITS = 6
_WHOLE = (
    "status.json", "starting-taus.json", "notes.jsonl", annotation.FILE, answers.FILE, conditions.FILE,
)  # fmt: skip
_LEFT_OUT: tuple[Table, ...] = ("steps",)  # a line for each step: more than all the rest
_NOT_OF_FILMS = shutil.ignore_patterns(
    "lock", "holder.json", "stop", "resume.safetensors", "tensorboard", "last", ".*", "config.json",
    "environment.json", CARD,
)  # fmt: skip


@dataclass(frozen=True)
class Shipped:
    """What was written: to which folder, how many of the planned runs, and how many bytes."""

    path: Path
    runs: int
    planned: int
    bytes: int


def ship(
    study: Study,
    folder: Path,
    *,
    weights: Collection[int] = (),
    films: Collection[str] = (),
    megabytes: float = MEGABYTES,
) -> Shipped:
    """Write what of a study is to be shipped to ``folder``, whole or not at all; only finished runs.

    ``weights`` are seeds of which the best checkpoints come along, ``films`` names of runs that do so with their
    recordings. StudyError where there is nothing to ship, more than ``megabytes``, or something else in the place.
    """
    target = replacement.place(folder, replacement.Kind("a study to ship", StudyError, _objection))
    runs = _finished(study)
    _check(study, runs, weights, films)
    with replacement.whole(target) as new:
        new.mkdir()
        write_whole(new / GRID, _without_folder(read_whole(study.path / GRID)))
        for run in runs:
            film = run.name in films
            _ship_run(run, new / RUNS / run.name, run.seed in weights or film, film)
        write_whole(new / MARK, _mark(study, runs, weights, films))
        size = sum(file.stat().st_size for file in new.rglob("*") if file.is_file())
        if size > 1e6 * megabytes:
            raise StudyError(
                f"{study.name} would have {size / 1e6:.1f} MB; expected at most {megabytes:g}: ship fewer weights "
                "and films, or allow more with --megabytes"
            )
    return Shipped(target, len(runs), len(study.planned()), size)


def _objection(path: Path) -> str:
    return "" if (path / MARK).is_file() else "is no study that was shipped"


def _finished(study: Study) -> list[Planned]:
    """Runs that are finished and have their answers: the others say nothing in results."""
    return [run for run in study.planned() if run.finished and answers.read(run.path) is not None]


def _check(
    study: Study, runs: list[Planned], weights: Collection[int], films: Collection[str]
) -> None:
    if not runs:
        raise StudyError(
            f"none of the runs of {study.path} is finished and has its answers; dista sweep trains them"
        )
    names = [run.name for run in runs]
    if missing := next((film for film in films if film not in names), None):
        raise StudyError(f"no finished run {missing!r} in {study.path}; expected one of {names}")
    if missing_seed := next((s for s in weights if s not in study.grid.seeds), None):
        raise StudyError(f"no seed {missing_seed} in {study.path}; expected {study.grid.seeds}")


def _mark(
    study: Study, runs: list[Planned], weights: Collection[int], films: Collection[str]
) -> bytes:
    facts = {
        "study": study.name,
        "runs": len(runs),
        "planned": len(study.planned()),
        "weights_of_seeds": sorted(weights),
        "films": sorted(films),
        "left_out": [f"{table}.jsonl" for table in _LEFT_OUT],
        "digits": _DIGITS,
        "date": time.strftime("%Y-%m-%d"),
    }
    return json.dumps(facts, indent=2).encode()


# A run ----------------------------------------------------------------------------------------------


def _ship_run(planned: Planned, target: Path, weights: bool, film: bool) -> None:
    run = planned.run()
    assert run is not None  # it is finished
    if film:
        shutil.copytree(run.path, target, ignore=_NOT_OF_FILMS)
    target.mkdir(parents=True, exist_ok=True)
    write_whole(target / "config.json", run.config.replace(data_root=None).to_json().encode())
    write_whole(target / "environment.json", _portable(run))
    for name in _WHOLE:
        if (run.path / name).is_file():
            write_whole(target / name, read_whole(run.path / name))
    for table in TABLES:
        if table not in _LEFT_OUT and (run.path / f"{table}.jsonl").is_file():
            write_whole(target / f"{table}.jsonl", b"".join(_rounded(run, table)))
    _ship_best(run.checkpoint("best"), target / "checkpoints" / "best", weights)


def _ship_best(best: Path, there: Path, weights: bool) -> None:
    """The card of the best checkpoint, and with ``weights`` all of it."""
    there.mkdir(parents=True, exist_ok=True)
    if (best / CARD).is_file():
        write_whole(there / CARD, _card(read_whole(best / CARD)))
    if weights and not (best / WEIGHTS).is_file():
        raise StudyError(f"{best} has no weights to ship; leave its seed out of --weights")
    if weights:
        shutil.copyfile(best / WEIGHTS, there / WEIGHTS)
        shutil.copyfile(best / CONFIG, there / CONFIG)


def _rounded(run: Run, table: Table) -> Iterator[bytes]:
    """The whole lines of a table; damaged ones are left out, as they are by whoever reads it."""
    for line in read_whole(run.path / f"{table}.jsonl").split(b"\n")[:-1]:
        try:
            row = {name: _short(value) for name, value in parsed(table, line).items()}
        except Damaged:
            continue
        yield json.dumps(row, separators=(",", ":")).encode() + b"\n"


def _short(value: Any) -> Any:
    if isinstance(value, float) and math.isfinite(value):
        return float(f"{value:.{_DIGITS}g}")
    return value


def _portable(run: Run) -> bytes:
    """Where the run comes from, without what names the machine."""
    facts = run.environment.model_dump(exclude_none=True)
    facts.pop("machine", None)
    return json.dumps(_without_paths(facts), indent=2).encode()


def _card(content: bytes) -> bytes:
    return json.dumps(_without_paths(json.loads(content)), indent=2).encode()


def _without_paths(facts: dict[str, Any]) -> dict[str, Any]:
    """The command without folders of the machine: of a path from its root the last name stays."""
    if isinstance(command := facts.get("command"), str):
        facts["command"] = re.sub(r"(?<![\w./~])~?/(?:[^/\s'\"]+/)*", "", command)
    return facts


def _without_folder(grid: bytes) -> bytes:
    """The grid without the folder of its data, which is each machine's own."""
    return re.sub(rb"(?m)^data_dir:.*\n?", b"", grid)
