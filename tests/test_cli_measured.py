"""``dista energy`` and ``dista cue`` say what the measures say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from commands import dista as command

import dista
from dista import measures
from dista.experiments import counterfactuals, operations
from dista.experiments.cues import NETWORKS, cue_effects
from dista.measures.energy import CONVENTIONS


@pytest.fixture(autouse=True)
def tiny(tiny_assets, monkeypatch):
    monkeypatch.setenv("DISTA_ASSETS", str(tiny_assets))


def test_energy_is_that_of_all_samples_by_each_convention():
    said = json.loads(command("energy", "digits", "--limit", "30", "--json").stdout)
    x, _ = dista.data.open("digits").test.batch(range(30))
    counts = operations.count(dista.load("digits"), x)
    assert said["samples"] == 30 and list(said["conventions"]) == list(CONVENTIONS)
    for name, row in said["conventions"].items():
        wanted = measures.energy(counts, name)
        assert row["microjoules"] == pytest.approx(wanted.total / 1e6)
        assert row["multiplies"] == pytest.approx(wanted.multiplies.sum())
    assert said["without_spikes_microjoules"] == pytest.approx(wanted.ann.sum() / 1e6)
    lines = command("energy", "digits", "--limit", "5").stdout
    assert lines.count("µJ") == 4 and "Not counted: the denoiser's comparisons" in lines


@pytest.mark.parametrize("blank", [False, True])
def test_the_cue_moves_the_answers_of_each_network(blank):
    words = ["cue", "match-map", "--limit", "8", *["--blank"] * blank]
    said = json.loads(command(*words, "--json").stdout)
    assert list(said["networks"]) == list(NETWORKS) and said["samples"] == 8
    model, task = dista.load("match-map"), dista.data.open("match")
    x, _ = task.test.batch(range(8))
    other = None if blank else task.test.batch(range(1, 9))[0]
    changed = counterfactuals.changed_cue(x, 8, [0, 1], other)
    before, after = (np.array(model(each).detach()) for each in (x, changed))
    effect = np.sqrt(((after - before) ** 2).mean(-1))
    row = said["networks"]["as trained"]
    assert row["logits"] == pytest.approx(effect.mean(), rel=1e-4)
    assert cue_effects(model, task, range(8), blank=blank).effect == pytest.approx(effect, rel=1e-4)
    assert row["low"] <= row["logits"] <= row["high"]
    assert command(*words).stdout.count("logits (") == 4
