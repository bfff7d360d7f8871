"""Training writes a run that can be read while it grows, and does what its configuration says."""

from __future__ import annotations

import itertools
import json

import pytest
import torch
import trainings

from dista.config import TrainingConfig
from dista.data import task as tasks
from dista.neurons import time_constants
from dista.runs import Run, RunError
from dista.training import optimiser, plan, train, writer
from dista.training.session import Session
from dista.training.writer import schedule

TINY, ONE = trainings.TINY, trainings.ONE


@pytest.fixture(scope="module")
def few() -> tasks.Task:
    return trainings.few_digits()


@pytest.fixture(scope="module")
def run(few, tmp_path_factory) -> Run:
    two = ONE.replace(epochs=2)
    return train(few, TINY, two, folder=tmp_path_factory.mktemp("runs") / "first", preset="tiny")


def test_a_finished_run_has_everything(run):
    assert run.status().state == "finished"
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
    assert (moved(run) > 1e-4).all()
    fixed = TINY.replace(neuron=TINY.neuron.replace(learn_tau=False))
    assert (moved(train(few, fixed, ONE, folder=tmp_path / "fixed")) == 0).all()


def moved(run):
    """How far the tau of each layer went."""
    taus = run.table("neurons").pivot(index="epoch", columns="layer", values="tau")
    return (taus.iloc[-1] - taus.iloc[0]).abs()


def test_the_best_checkpoint_is_loadable_and_its_card_measured_on_the_test_split(run, few):
    from dista.experiments.evaluation import evaluate

    model = run.load("best")
    measured = evaluate(model, few.test)
    assert model.card["metrics"]["test"]["accuracy"] == measured["accuracy"]
    assert model.card["metrics"]["test"]["samples"] == 40
    assert run.load("last").card["epoch"] == 2
    assert json.loads((run.path / "environment.json").read_text())["versions"]["torch"]


def test_the_taus_before_training_are_kept_wherever_it_began(run, few, tmp_path):
    """In the run and in the cards of its checkpoints; those of the checkpoint that it began from."""
    kept = run.starting_taus()
    assert kept and set(map(tuple, kept.values())) == {(TINY.neuron.tau,)}
    assert run.load("best").card["starting_taus"] == run.load("last").card["starting_taus"] == kept
    learned = time_constants(run.load("best"))
    assert learned != kept
    further = ONE.replace(init=str(run.path))
    second = train(few, TINY, further, folder=tmp_path / "second")
    assert second.starting_taus() == second.load("last").card["starting_taus"]
    assert second.starting_taus() == learned
    (second.path / "starting-taus.json").write_text('{"layers": {"stem": [0.5]}}')
    with pytest.raises(RunError, match=r"starting-taus.json is damaged: layers\.stem"):
        second.starting_taus()


def test_the_same_seed_gives_the_same_weights(few, tmp_path):
    one, same, other = (
        train(few, TINY, ONE.replace(seed=seed), folder=tmp_path / name).load("last").state_dict()
        for name, seed in (("a", 7), ("b", 7), ("c", 8))
    )
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_every_epoch_sees_other_batches(few, tmp_path, monkeypatch):
    seen = []
    step = Session.step

    def watching(self, batches):
        seen.append(batches[0][0].clone())
        step(self, batches)

    monkeypatch.setattr(Session, "step", watching)
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
    bad = ONE.replace(lr=1e30, clip=1e30, epochs=3, warmup=0)
    with pytest.raises(RuntimeError, match=r"became (nan|inf); try a smaller lr or clip"):
        train(few, TINY, bad, folder=tmp_path / "bad")
    status = Run(tmp_path / "bad").status()
    assert status.state == "crashed"
    assert "try a smaller lr" in status.reason


# --- tables and snapshots -----------------------------------------------------------------------


def test_gradient_norms_are_those_of_the_parameters(few, tmp_path):
    """One step: the table's norms, put together, are the norm over everything."""
    one = train(few, TINY, ONE.replace(batch_size=60), folder=tmp_path / "one")
    table = one.table("gradients")
    assert set(one.table("neurons")["layer"]) <= set(table["layer"])
    total = (table[["weights", "tau"]].fillna(0).to_numpy() ** 2).sum() ** 0.5
    assert total == pytest.approx(one.table("steps")["gradient"][0], rel=1e-6)
    # The neurons after attention sum what they are given: no weights of their own, but a tau.
    alone = table.set_index("layer").loc["blocks.0.attention.neuron"]
    assert alone.isna()["weights"] and alone["tau"] >= 0


def test_attention_is_described_every_epoch(run):
    table = run.table("attention")
    assert table["epoch"].tolist() == [0, 1, 2] and set(table["block"]) == {0}
    assert table["silent"].between(0, 1).all() and table["removed"].between(0, 1).all()


@pytest.mark.parametrize(
    ("epochs", "count", "expected"),
    [
        (3, 9, {0, 1, 2, 3}),
        (100, 2, {0, 100}),
        (100, 1, {0, 100}),
        (1000, 5, {0, 1, 10, 100, 1000}),
    ],
)
def test_the_schedule_of_snapshots(epochs, count, expected):
    assert schedule(epochs, count) == expected


@pytest.mark.parametrize("count", [2, 3, 7, 20, 60, 99, 300])
def test_the_schedule_uses_its_number_and_has_both_ends(count):
    steps = sorted(schedule(300, count))
    assert steps[0] == 0 and steps[-1] == 300 and len(steps) == count
    gaps = [b - a for a, b in itertools.pairwise(steps)]
    assert gaps == sorted(gaps)


def test_snapshots_stay_in_their_budget(few, run, tmp_path):
    one = run.snapshot_bytes() / 3
    small = ONE.replace(epochs=6, batch_size=60, snapshot_mb=4 * one / 1e6)
    result = train(few, TINY, small, folder=tmp_path / "small")
    assert result.snapshot_bytes() <= 4 * one
    assert {0, 1, 6} <= set(result.snapshots()) < set(range(7))
    assert result.table("neurons")["epoch"].nunique() == 7, "tables have every epoch"


def test_tables_are_measured_on_as_many_samples_as_asked(few, tmp_path, monkeypatch):
    seen, record = [], writer.record
    monkeypatch.setattr(
        writer, "record", lambda m, x, *a, **k: seen.append(len(x)) or record(m, x, *a, **k)
    )
    train(few, TINY, ONE.replace(activity=3), folder=tmp_path / "run")
    assert set(seen) == {1, 3}, "the probe's snapshot, and the tables"


def test_several_probes(few, tmp_path):
    two = train(few, TINY, ONE.replace(probe=5, probes=3), folder=tmp_path / "probes")
    snapshot = two.snapshot(1)
    assert snapshot.batch.values.tolist() == [5, 6, 7]
    assert snapshot["label"].values.tolist() == few.validation.labels[5:8].tolist()


# --- schedule and plan --------------------------------------------------------------------------


@pytest.mark.parametrize(("steps", "warmup"), [(100, 0.15), (7, 0.5), (1000, 0.0)])
def test_the_schedule_is_one_cycle(steps, warmup):
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))])
    library = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 1.0, total_steps=steps, pct_start=max(warmup, 2 / steps)
    )
    for step in range(steps):
        group = optimizer.param_groups[0]
        expected = (group["lr"], group["betas"][0])
        assert optimiser.one_cycle(step, steps, warmup) == pytest.approx(expected, rel=1e-9)
        optimizer.step()
        if step + 1 < steps:
            library.step()


def test_a_plan_says_what_training_then_does(few, run):
    expected = plan(few, TINY, ONE.replace(epochs=2))
    assert expected.steps == len(run.table("steps"))
    assert expected.parameters == run.load("last").card["parameters"]
    assert expected.minutes == pytest.approx(expected.steps * expected.step_seconds / 60)
    assert expected.memory_mb > 50
    assert plan(few, TINY, TrainingConfig(epochs=10**6, minutes=3)).minutes == 3
