"""Options of a task go with the run: into its configuration and card, and back into the task that is shown."""

from __future__ import annotations

import json

import pytest
import torch
from commands import dista as command

import dista
from app.inputs import checkpoints, tasks
from app.page import snippets
from dista.checkpoint import read_card, read_config
from dista.data.match import PAIRS
from dista.runs import Run
from dista.runs.differences import differences, differing_runs, of_checkpoint
from dista.studies import grid as grids
from dista.training import resume
from dista.training.writer import Writer

SHORT = {"cue_steps": 1, "delay_steps": 0, "probe_steps": 1, "noise": 0.2}
WORDS = [f"data.{name}={value}" for name, value in SHORT.items()]
MODEL = ["model.classes=2", "model.time_steps=2", "model.memory.window=2", "model.dim=8", "model.heads=2"]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run on pairs without a delay, trained by the command line."""
    folder = tmp_path_factory.mktemp("options") / "run"
    sets = [word for one in [*WORDS, *MODEL, "batch_size=20"] for word in ("--set", one)]
    words = ["train", "--preset", "tiny", "--data", "match", "--epochs", "1", "--threads", "1"]
    with pytest.MonkeyPatch.context() as patch:
        _make_few(patch)
        answer = command(*words, *sets, "--out", folder)
    assert answer.returncode == 0, answer.stderr
    return Run(folder)


def _make_few(patch):
    for name, count in {"train": 40, "validation": 20, "test": 20}.items():
        patch.setitem(PAIRS, name, count)
    patch.setattr(
        Writer, "write_activity", lambda *arguments, **options: None
    )  # takes most of the time


def test_options_stand_in_the_run_and_in_the_card(run):
    assert run.config.data_options == SHORT
    assert read_card(run.path)["data_options"] == SHORT
    assert of_checkpoint(run.path).data_options == SHORT


def test_the_checkpoint_is_measured_and_shown_on_the_same_task(run, monkeypatch):
    _make_few(monkeypatch)
    answer = json.loads(command("eval", run.path, "--json").stdout)
    card = read_card(run.path)["metrics"]["test"]
    assert (answer["accuracy"], answer["loss"]) == (card["accuracy"], pytest.approx(card["loss"]))

    checkpoint = checkpoints.best(run)
    task = tasks.task(checkpoint.data)
    assert task.step_labels == ("cue", "probe") and task.options == SHORT
    assert checkpoint.title.startswith(
        "match, cue_steps 1, delay_steps 0, noise 0.2, probe_steps 1 ·"
    )
    made = {}
    exec(f"import dista\n{snippets.task(checkpoint)}", made)
    assert torch.equal(made["task"].test.batch([3])[0], task.test.batch([3])[0])


def test_a_resumed_run_goes_on_with_its_options(run, tmp_path, monkeypatch):
    _make_few(monkeypatch)
    other = Run.create(tmp_path / "other", run.config, {})
    other.set_status("stopped", epoch=0, step=0)
    other.release()
    done = resume(other.path, progress=False)
    assert done.load("last").config.time_steps == 2
    ours, theirs = (one.load("last").state_dict() for one in (run, done))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            "match data.delai=3",
            "unknown option 'delai' of data 'match': expected one of cue_steps, ",
        ),
        ("match data.delay_steps=6", "'match' has 10; make it --set model.time_steps=10"),
        ("match data.training_noise=2", "training_noise=2: expected a standard deviation from 0"),
        ("digits data.noise=0.3", "unknown option 'noise' of data 'digits': it takes none"),
        ("digits-events data.time_steps=4", "as many as the model; change --set model.time_steps"),
    ],
)
def test_what_a_task_has_no_use_for_is_refused(words, said, tmp_path):
    data, option = words.split()
    model = {"digits-events": "digits_events", "digits": "digits"}.get(data, "match_map")
    answer = command("train", "--preset", model, "--data", data, "--set", option, "--out", tmp_path / "run")  # fmt: skip
    assert answer.returncode == 1 and said in answer.stderr and answer.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_grid_names_the_line_of_an_option_of_the_data(tmp_path):
    path = tmp_path / "grid.yml"
    text = (grids.SHIPPED / "match-delay.yml").read_text()
    path.write_text(text.replace("data.delay_steps: 8", "data.delay_step: 8"))
    line = 1 + next(n for n, one in enumerate(text.splitlines()) if "delay_steps: 8" in one)
    with pytest.raises(
        grids.GridError, match=f"line {line}: .*unknown option 'delay_step' of data"
    ):
        grids.read(path)
    config = grids.read(grids.find("match-delay")).configurations()[-1].config(0)
    assert config.data_options == {"delay_steps": 8, "noise": 0.1}
    assert config.open_task().time_steps == config.model.time_steps == 12


def test_other_options_are_another_task(run):
    config = run.config
    other = config.replace(data_options=SHORT | {"noise": 0.3})
    assert differences(config, other) == {"data.noise": (0.2, 0.3)}
    assert differences(config, config.replace(data_options={}))["data.delay_steps"] == (0, None)
    assert [one.switch for one in differing_runs(config, [run])] == [""]
    assert differing_runs(other, [run]) == []


def test_noise_of_the_training_split_alone():
    plain, noisy = (dista.data.open("match", **o) for o in ({}, {"training_noise": 0.3}))
    for name in ("validation", "test"):
        parts = [getattr(task, name).batch([0, 5])[0] for task in (plain, noisy)]
        assert torch.equal(*parts)
    blank, noise = (task.train.batch(range(9))[0][3] for task in (plain, noisy))
    assert float(noise.std()) == pytest.approx(3 * float(blank.std()), rel=0.05)


def test_pairs_are_the_same_for_every_blank_delay():
    """So that networks of several delays are compared sample by sample."""
    short, long = (dista.data.open("match", delay_steps=steps).test for steps in (0, 8))
    assert torch.equal(short.shown, long.shown) and (short.labels == long.labels).all()


def test_cards_and_runs_from_before_there_were_options():
    assert of_checkpoint("match-map").data_options == {}
    model = read_config("match-map")
    assert dista.data.open_for(model, "match").options == {}
