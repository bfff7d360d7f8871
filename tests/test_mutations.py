"""Several hundred damaged runs and cards among good ones: each is a sentence, and nothing else suffers.

A mutation is drawn from a fixed seed, so that a failure names one that can be made again.
"""

from __future__ import annotations

import contextlib
import json
import random
import shutil
from pathlib import Path

import dashboard
import pytest
from streamlit.testing.v1 import AppTest

import dista
from app.inputs import checkpoints
from app.trainings import live_charts, run_tables
from dista.checkpoint import CheckpointError, read_card, read_config
from dista.runs import Run, RunError, find, unfinished
from dista.runs.differences import differing_runs, of_checkpoint
from dista.runs.facts import TABLES

RUNS, CARDS, SHOWN = 300, 200, 4

# What JSON can say in a wrong place. Nan and infinity are what json.dumps of others writes.
WRONG = [
    None,
    True,
    -1,
    0,
    2**63,
    1e308,
    -0.5,
    float("nan"),
    float("inf"),
    "",
    "x",
    "3",
    [],
    {},
    [[]],
]
WRONG += [{"a": 1}, ["x", 1], "\u0000", "\ud800", "../..", "![x](https://example.org/x.png)"]


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A run with tables, a snapshot, a state and a checkpoint, as training leaves it when it is stopped."""
    folder = tmp_path_factory.mktemp("good")
    writer = dashboard.Writer(folder / "good")
    writer.epoch(1)
    run = writer.run
    layer = run.table("neurons")["layer"].iloc[0]
    run.append("gradients", [{"epoch": 1, "layer": layer, "weights": 0.5, "tau": None}])
    maps = {"count": 1.0, "silent": 0.5, "removed": 0.1, "reach": 0.2}
    run.append("attention", [{"epoch": 1, "block": 0, **maps}])
    measured = {"accuracy": 0.5, "loss": 0.7, "samples": 200}
    training = run.config.training.model_dump()
    writer.model.card = {
        "name": "good", "task": "match", "preset": "match_map", "epoch": 1, "training": training,
        "metrics": {"validation": measured, "test": measured}, "versions": {"torch": "2"},
    }  # fmt: skip
    dista.save(writer.model, run.checkpoint("best"))
    run.save_state({}, {"epoch": 1, "step": 10})
    run.set_status("stopped", epoch=1, step=10, steps=30, seconds=1.5, reason="asked")
    return run.path


# --- mutations ----------------------------------------------------------------------------------


def mutate(file: Path, draw: random.Random) -> str:
    """Change a file in one of the ways in which files are wrong; what was done, in words."""
    kinds = [bytes_changed, cut_short, emptied, removed, a_folder]
    if file.suffix in (".json", ".jsonl"):
        kinds += [value_replaced] * 8 + [nested, replaced]
    kind = draw.choice(kinds)
    try:
        kind(file, draw)
    except (
        ValueError,
        TypeError,
        IndexError,
    ):  # no JSON any more, or nothing in it: it was mutated before
        kind = replaced
        kind(file, draw)
    return f"{kind.__name__} in {file.name}"


def bytes_changed(file, draw):
    content = bytearray(file.read_bytes())
    for _ in range(draw.randint(1, 8)):
        if content:
            content[draw.randrange(len(content))] = draw.randrange(256)
    file.write_bytes(content)


def cut_short(file, draw):
    content = file.read_bytes()
    file.write_bytes(content[: draw.randrange(len(content) + 1)])


def emptied(file, draw):
    file.write_bytes(b"\0" * 512 if draw.random() < 0.5 else b"")


def removed(file, draw):
    file.unlink()


def a_folder(file, draw):
    file.unlink()
    file.mkdir()


def nested(file, draw):
    file.write_text("[" * 100_000 + "\n")


def replaced(file, draw):
    file.write_text(json.dumps(draw.choice(WRONG)) + "\n")


def value_replaced(file, draw):
    """One value, anywhere in it, is another; or its name is."""
    lines = file.read_text().splitlines() if file.suffix == ".jsonl" else [file.read_text()]
    place = draw.randrange(len(lines))
    content = inner = json.loads(lines[place])
    while True:
        name = draw.choice(list(inner) if isinstance(inner, dict) else range(len(inner)))
        if not isinstance(inner[name], (dict, list)) or not inner[name] or draw.random() < 0.3:
            break
        inner = inner[name]
    if draw.random() < 0.2 and isinstance(inner, dict):
        inner[draw.choice(["", "x", "state"])] = inner.pop(name)
    else:
        inner[name] = draw.choice(WRONG)
    lines[place] = json.dumps(content)
    file.write_text("\n".join(lines) + "\n")


def copies(good: Path, folder: Path, count: int, within: str) -> dict[str, str]:
    """Copies of the good folder, each with one to three mutations below ``within``; by name."""
    done = {}
    for seed in range(count):
        draw, name = random.Random(seed), f"bad-{seed:03d}"
        shutil.copytree(good, folder / name)
        said = []
        for _ in range(draw.choice([1, 1, 1, 2, 3])):
            files = sorted(p for p in (folder / name / within).rglob("*") if p.is_file())
            said.append(mutate(draw.choice(files), draw))
        done[name] = "; ".join(said)
    shutil.copytree(good, folder / "good")
    return done


# --- readers ------------------------------------------------------------------------------------

OURS = (RunError, CheckpointError)


def read_all(path: Path) -> None:
    """Everything that the package reads of a run; what is wrong is one of our errors."""
    run = Run(path)
    assert run.status().state in ("running", "finished", "stopped", "crashed")
    assert all(isinstance(note, str) for note in run.notes())
    for read in (lambda: run.config, lambda: run.environment, run.check_resumable):
        with contextlib.suppress(*OURS):
            read()
    for table in TABLES:
        with contextlib.suppress(IsADirectoryError):
            run.table(table)
    assert all(epoch >= 0 for epoch in run.snapshots()) and run.snapshot_bytes() >= 0
    for read in (read_card, read_config, of_checkpoint):
        with contextlib.suppress(ValueError):
            read(run.checkpoint("best"))
    with contextlib.suppress(*OURS, IsADirectoryError):
        run.rewind((run.reopen() or (None, None))[1])
    run.release()


def test_each_reader_of_a_mutated_run_has_a_sentence(good, tmp_path):
    done = copies(good, tmp_path, RUNS, ".")
    runs = {run.name: run for run in find(tmp_path)}
    assert len(runs) > 0.8 * RUNS and "good" in runs
    ours = runs["good"].config
    assert "good" in [one.run.name for one in differing_runs(ours, runs.values())]
    assert unfinished(tmp_path) == {}
    for name, what in done.items():
        try:
            with contextlib.suppress(*OURS):
                read_all(tmp_path / name)
        except Exception as error:
            raise AssertionError(f"{name}: {what}") from error
    read_all(tmp_path / "good")


def drawn(run: Run) -> None:
    """What the Train page draws of a run's tables."""
    run_tables.damage(run)
    steps, epochs, neurons, gradients, maps = (run_tables.table(run, name) for name in TABLES_DRAWN)
    charts = [
        live_charts.loss(steps, 1), live_charts.accuracy(epochs, 1), live_charts.layers(neurons, "tau", 1),
        live_charts.layers(gradients, "weights", 1), live_charts.layers(maps, "removed", 1, share=True),
    ]  # fmt: skip
    for chart in filter(None, charts):
        chart.data.to_json()


TABLES_DRAWN = ("steps", "epochs", "neurons", "gradients", "attention")


def test_the_lists_of_the_pages_lose_the_damaged_ones_only(good, tmp_path, monkeypatch):
    done = copies(good, tmp_path / "runs", RUNS, ".")
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path / "none"))
    runnable, left_out = checkpoints.runnable(), checkpoints.damaged()
    best = tmp_path / "runs" / "good" / "checkpoints" / "best"
    assert runnable["runs/good/checkpoints/best"].path == str(best)
    assert left_out and all(reason.endswith(".") for reason in left_out.values())
    listed = {Path(one.path).parent.parent.name for one in runnable.values()}
    assert listed.isdisjoint(left_out)
    for one in runnable.values():
        assert isinstance(checkpoints.title(one), str)
    for run in find(tmp_path / "runs"):
        try:
            with contextlib.suppress(OSError):
                drawn(run)
        except Exception as error:
            raise AssertionError(f"{run.name}: {done.get(run.name)}") from error


def test_of_mutated_cards_the_good_one_is_shown_and_the_others_are_listed(
    good, tmp_path, monkeypatch
):
    best = good / "checkpoints" / "best"
    (tmp_path / "source").mkdir()
    for name in ("card.json", "config.json"):
        shutil.copy(best / name, tmp_path / "source")
    done = copies(tmp_path / "source", tmp_path / "assets", CARDS, ".")
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path / "none"))
    shown, left_out = checkpoints.shipped(), checkpoints.damaged()
    assert "good" in shown and len(left_out) > CARDS / 8
    for name, one in shown.items():
        assert one.accuracy is None or 0 <= one.accuracy <= 1, (name, done.get(name))
        assert isinstance(one.title, str)


# --- pages --------------------------------------------------------------------------------------

PLACES = ["status.json", "config.json", "epochs.jsonl", "steps.jsonl", "checkpoints/best/card.json"]
VALUES = ["{}", "[]", '{"metrics": []}\n', '{"state": "running", "epoch": "x"}', "{]\n", ""]


@pytest.fixture
def shelves(good, assets, tmp_path, monkeypatch):
    """A folder of runs, each with one file that says one wrong thing, and a good one."""
    for i, place in enumerate(PLACES):
        for j, value in enumerate(VALUES):
            path = tmp_path / "runs" / f"bad-{i}-{j}"
            shutil.copytree(good, path)
            (path / place).write_text(value)
    shutil.copytree(good, tmp_path / "runs" / "good")
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("DISTA_ASSETS", str(assets))
    return tmp_path / "runs"


def opened(view, **query):
    test = AppTest.from_file(dashboard.APP / "views" / f"{view}.py", default_timeout=120)
    for name, value in query.items():
        test.query_params[name] = value
    return test.run()


def test_the_train_page_shows_what_is_whole_of_each(shelves):
    for i, place in enumerate(PLACES):
        test = opened("train", run=f"bad-{i}-{i}")
        assert not test.exception, place
        (runs,) = [one for one in test.selectbox if one.label == "Run"]
        assert len(runs.options) == len(PLACES) * len(VALUES) + 1
    test = opened("train", run="good")
    assert not test.exception and not test.error


@pytest.mark.parametrize("view", ["watch", "compare"])
def test_pages_with_checkpoints_list_what_is_damaged(shelves, view):
    test = opened(view)
    assert not test.exception and not test.error
    texts = "\n".join(text.value for text in test.text)
    assert "bad-4-2: " in texts and "metrics: Input should be an object" in texts
    assert any("good" in option for option in test.selectbox[0].options)
