"""How many steps a model has is how many its data have, or it is refused before there is a run."""

from __future__ import annotations

import numpy as np
import pytest
import trainings
from typer.testing import CliRunner

import dista.data
from app.inputs import checkpoints, identity, tasks
from app.page import snippets
from dista import cli
from dista.cli.options import task_of
from dista.presets import preset
from dista.runs import Run
from dista.training import plan, resume, train

EVENTS = trainings.TINY.replace(
    input_shape=(2, 5, 7), classes=2, time_steps=3, memory={"form": "map", "window": 2}
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Recordings of two classes, in which something happens at each of twelve moments."""
    folder, kind = tmp_path_factory.mktemp("events"), [(name, int) for name in "xytp"]
    for label, name in enumerate("ab"):
        (folder / name).mkdir()
        for i in range(12):
            events = [(6 * label, (t + i) % 5, t, 1) for t in range(12)]
            np.save(folder / name / f"{i}.npy", np.array(events, kind))
    return folder


def test_the_steps_of_a_model_are_those_of_its_data(folder, tmp_path):
    """Through the command line, as a run says it, shows it, and goes on with it."""
    words = "train --preset digits_events --data recordings --epochs 1 --batch-size 9 --threads 1 --no-augment"
    model = "time_steps=3 memory.window=2 classes=2 input_shape=[2,5,7] dim=8 heads=2 depth=1"
    sets = [word for one in model.split() for word in ("--set", f"model.{one}")]
    out = ["--data-dir", str(folder), "--out", str(tmp_path / "run")]
    answer = CliRunner().invoke(cli.app, [*words.split(), *sets, *out])
    assert answer.exit_code == 0, answer.exception
    run = Run(tmp_path / "run")
    assert run.config.model.time_steps == 3
    assert run.snapshot(0)["input"].sizes["time"] == 3 == run.snapshot(0)["head"].sizes["time"]
    assert task_of(run.load("best"), None, folder, "some").time_steps == 3
    checkpoint = checkpoints.checkpoint_at("some", run.checkpoint("best"), str(folder))
    assert tasks.task(checkpoint.data).time_steps == 3
    made = {}
    exec(f"import dista\n{snippets.task(checkpoint)}", made)
    assert made["task"].time_steps == 3
    assert tasks.task(identity.Data("recordings", str(folder))).time_steps == 10
    run.set_status("stopped")
    assert resume(run.path).status().state == "finished"


@pytest.mark.parametrize("name", ["nmnist", "cifar10-dvs", "digits-events", "recordings"])
def test_steps_can_be_chosen_of_event_data(name):
    assert dista.data.chosen_steps(name, 16) == {"time_steps": 16}
    own = 8 if name in ("nmnist", "digits-events") else 10
    assert dista.data.chosen_steps(name, own) == {}, "and links and snippets stay short"


@pytest.mark.parametrize("name", ["digits", "match", "cifar10"])
def test_steps_of_others_are_not_chosen(name):
    assert dista.data.chosen_steps(name, 16) == {}


def test_without_samples_there_are_as_many_steps():
    assert dista.data.without_samples("nmnist", time_steps=16).test.inputs.shape[1] == 16
    assert dista.data.without_samples("nmnist").time_steps == 8
    assert dista.data.without_samples("cifar10", time_steps=16).time_steps is None
    missing = identity.Data("nmnist", "/nowhere", 16)
    assert tasks.form(missing).time_steps == 16


REFUSED = [
    ("match", preset("match_map").replace(time_steps=6), "has 6 time steps, but 'match' has 8"),
    ("match", preset("match_map").replace(time_steps=6), "--set model.time_steps=8"),
    ("digits", preset("digits").replace(time_steps=2), "--set model.memory.window=2"),
]


@pytest.mark.parametrize(("name", "config", "words"), REFUSED)
@pytest.mark.parametrize("begin", [train, plan])
def test_what_would_not_happen_is_refused_before_there_is_a_run(
    tmp_path, name, config, words, begin
):
    task = trainings.few(name)
    with pytest.raises(ValueError, match=words):
        if begin is plan:
            plan(task, config, trainings.ONE)
        else:
            train(task, config, trainings.ONE, folder=tmp_path / "run")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("form", ["map", "attenuated"])
def test_a_memory_without_weights_of_its_own_may_reach_further(tmp_path, form):
    """One may train with few steps what is then shown more of them."""
    config = trainings.TINY.replace(time_steps=1, memory={"form": form, "window": 4})
    run = train(trainings.few_digits(), config, trainings.ONE, folder=tmp_path / "run")
    assert run.config.model.memory.window == 4
