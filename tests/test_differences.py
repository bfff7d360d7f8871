"""Runs that differ in a single switch are found, whatever the switch."""

from __future__ import annotations

import json

import pytest

import dista
from dista.config import DenoiserConfig, MemoryConfig, TrainingConfig
from dista.presets import preset
from dista.runs import Run, RunConfig, RunError
from dista.runs.differences import differences, differing_runs, of_checkpoint

OURS = RunConfig(
    preset="match_map", data="match", model=preset("match_map"), training=TrainingConfig()
)


def changed(model=None, training=None, **fields):
    return OURS.replace(
        model=OURS.model.replace(**(model or {})),
        training=OURS.training.replace(**(training or {})),
        **fields,
    )


ONE = {
    "neuron.learn_tau": (
        dict(model=dict(neuron=OURS.model.neuron.replace(learn_tau=False))),
        (True, False),
    ),
    "memory": (dict(model=dict(memory=MemoryConfig(form="none"))), ("map", "none")),
    "memory.form": (
        dict(model=dict(memory=OURS.model.memory.replace(form="projection"))),
        ("map", "projection"),
    ),
    "memory.window": (dict(model=dict(memory=OURS.model.memory.replace(window=4))), (8, 4)),
    "denoiser.u": (dict(model=dict(denoiser=DenoiserConfig(u=3.0))), (1.0, 3.0)),
    "denoiser": (
        dict(model=dict(denoiser=DenoiserConfig(kind="lookup", learn_table=True))),
        ("threshold", "lookup"),
    ),
    "training.seed": (dict(training=dict(seed=1)), (0, 1)),
    "training.lr": (dict(training=dict(lr=1e-3)), (2e-3, 1e-3)),
}


@pytest.mark.parametrize("switch", ONE)
def test_one_switch_is_one_difference(switch):
    changes, values = ONE[switch]
    assert differences(OURS, changed(**changes)) == {switch: values}


def test_what_is_not_learned_is_no_switch():
    other = changed(training=dict(threads=1, probe=5), preset="another name")
    assert differences(OURS, other) == {}


def test_two_switches_are_two():
    other = changed(model=dict(dim=32, memory=MemoryConfig(form="none")), training=dict(seed=3))
    assert set(differences(OURS, other)) == {"dim", "memory", "training.seed"}


def test_differing_runs_are_the_runs_of_the_task_with_one_switch_at_most(tmp_path):
    configs = {
        "same": OURS,
        "seed": changed(training=dict(seed=1)),
        "two": changed(training=dict(seed=1, lr=1e-3)),
        "other-task": changed(data="digits"),
        "broken": OURS,
    }
    runs = [Run.create(tmp_path / name, config, {}) for name, config in configs.items()]
    (tmp_path / "broken" / "config.json").write_text("{")
    same, seed = differing_runs(OURS, runs)
    assert (same.run.name, same.switch, same.sentence) == ("same", "", "the same once more")
    assert seed.run.name == "seed" and seed.sentence == "training.seed 1, not 0"


def test_a_checkpoint_says_what_run_it_is_from(tmp_path, small_model):
    model = small_model()
    model.card = {"task": "match", "preset": "p", "training": TrainingConfig(seed=4).model_dump()}
    dista.save(model, tmp_path)
    config = of_checkpoint(tmp_path)
    assert config.model == model.config and config.training.seed == 4 and config.data == "match"
    (tmp_path / "card.json").write_text(json.dumps({"task": "match"}))
    with pytest.raises(RunError, match="does not say on what and how it was trained"):
        of_checkpoint(tmp_path)
