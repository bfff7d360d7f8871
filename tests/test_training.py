"""Training writes a run that can be read while it grows, and does what its configuration says."""

from __future__ import annotations

import json

import pytest
import torch

from dista import data
from dista.config import TrainingConfig
from dista.data import task as tasks
from dista.presets import preset
from dista.runs import Run, RunError
from dista.training import train

TINY = preset("tiny").replace(dim=8, heads=2, time_steps=2, memory={"form": "map", "window": 2})
ONE = TrainingConfig(epochs=1, batch_size=30, threads=1, tau_lr=0.05)


@pytest.fixture(scope="module")
def few() -> tasks.Task:
    """The digits, cut to 60 training, 40 validation and 40 test samples."""
    return few_digits()


def few_digits() -> tasks.Task:
    import dataclasses

    whole = data.open("digits")

    def cut(split, n):
        return dataclasses.replace(split, inputs=split.inputs[:n], labels=split.labels[:n])

    return dataclasses.replace(
        whole,
        train=cut(whole.train, 60),
        validation=cut(whole.validation, 40),
        test=cut(whole.test, 40),
    )


@pytest.fixture(scope="module")
def run(few, tmp_path_factory) -> Run:
    two = ONE.replace(epochs=2)
    return train(few, TINY, two, folder=tmp_path_factory.mktemp("runs") / "first", preset="tiny")


def test_a_finished_run_has_everything(run):
    assert run.status()["state"] == "finished"
    assert run.table("steps")["step"].tolist() == [1, 2, 3, 4]
    assert run.table("epochs")["epoch"].tolist() == [1, 2]
    assert run.snapshots() == [0, 1, 2]
    neurons = run.table("neurons")
    assert neurons.groupby("epoch").size().tolist() == [len(neurons) // 3] * 3
    assert neurons["rate"].between(0, 1).all()
    snapshot = run.snapshot(2)
    assert snapshot["blocks/0/attention/denoise"].dims[0] == "pair"
    assert snapshot.attrs["classes"][3] == "3"


def test_taus_are_trained_jointly_unless_fixed(run, few, tmp_path):
    def moved(run):
        taus = run.table("neurons").pivot(index="epoch", columns="layer", values="tau")
        return (taus.iloc[-1] - taus.iloc[0]).abs()

    assert (moved(run) > 1e-4).all()
    fixed = TINY.replace(neuron=TINY.neuron.replace(learn_tau=False))
    assert (moved(train(few, fixed, ONE, folder=tmp_path / "fixed")) == 0).all()


def test_the_best_checkpoint_is_loadable_and_its_card_measured_on_the_test_split(run, few):
    from dista.evaluation import evaluate

    model = run.load("best")
    measured = evaluate(model, few.test)
    assert model.card["metrics"]["test"]["accuracy"] == measured["accuracy"]
    assert model.card["metrics"]["test"]["samples"] == 40
    assert run.load("last").card["epoch"] == 2
    assert json.loads((run.path / "environment.json").read_text())["versions"]["torch"]


def test_the_same_seed_gives_the_same_weights(few, tmp_path):
    one, same, other = (
        train(few, TINY, ONE.replace(seed=seed), folder=tmp_path / name).load("last").state_dict()
        for name, seed in (("a", 7), ("b", 7), ("c", 8))
    )
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_every_epoch_sees_other_batches(few, tmp_path, monkeypatch):
    from dista.training import Learner

    seen = []
    step = Learner.training_step

    def watching(self, batch, index):
        seen.append(batch[0].clone())
        return step(self, batch, index)

    monkeypatch.setattr(Learner, "training_step", watching)
    train(few, TINY, ONE.replace(epochs=2, batch_size=60), folder=tmp_path / "seen")
    first, second = seen
    assert not torch.equal(first.sort(0).values, second.sort(0).values), "augmented alike twice"


def test_a_folder_in_use_is_never_overwritten(run, few):
    with pytest.raises(RunError, match="not empty"):
        train(few, TINY, ONE, folder=run.path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"input_shape": (2, 28, 28)}, "takes inputs of shape"),
        ({"classes": 7}, "7 classes"),
    ],
)
def test_a_model_that_does_not_fit_the_task_is_refused(few, tmp_path, change, words):
    with pytest.raises(ValueError, match=words):
        train(few, TINY.replace(**change), ONE, folder=tmp_path / "no")


def test_a_crash_is_written_down_with_its_reason(few, tmp_path):
    with pytest.raises(RuntimeError, match="loss became"):
        train(
            few, TINY, ONE.replace(lr=1e30, clip=1e30, epochs=3, warmup=0), folder=tmp_path / "bad"
        )
    status = Run(tmp_path / "bad").status()
    assert status["state"] == "crashed"
    assert "loss became" in status["reason"]


def test_ctrl_c_leaves_a_stopped_run(few, tmp_path, monkeypatch):
    from dista.training import Learner

    def interrupt(self, batch, index):
        raise KeyboardInterrupt

    monkeypatch.setattr(Learner, "training_step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(few, TINY, ONE, folder=tmp_path / "stopped")
    assert Run(tmp_path / "stopped").status()["state"] == "stopped"
