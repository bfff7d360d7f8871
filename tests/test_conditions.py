"""What finished runs answer under noise and after cuts: measured once, kept beside them, paired over seeds."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
import trainings
from commands import dista as command

from dista import checkpoint, data, figures
from dista.experiments.evaluation import answer
from dista.experiments.untrained import untrained_like
from dista.files.facts import Damaged
from dista.measures import seed_accuracy, seed_differences
from dista.measures.noise import LEVELS
from dista.model import DISTA
from dista.runs import Run
from dista.studies import conditions, robustness
from dista.studies.conditions import AS_TRAINED, Condition
from dista.studies.study import Study, begin

GRID = """\
preset: tiny
data: digits
options: {epochs: 1, model.dim: 8, model.heads: 2, model.time_steps: 2}
seeds: [0, 1, 2]
crossed:
  memory:
    none: {model.memory.form: none, model.memory.window: 1}
    map: {model.memory.form: map, model.memory.window: 2}
  denoiser:
    none: {model.denoiser.kind: none}
    threshold: {model.denoiser.u: 1}
baseline: memory=none,denoiser=none
"""
BASE, MAP, BOTH = "memory=none,denoiser=none", "memory=map,denoiser=none", "memory=map,denoiser=threshold"  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def few():
    """Few digits, and few levels of noise."""
    task = trainings.few_digits()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "open_for", lambda *arguments, **options: task)
        for kind, level in {"gaussian": 0.5, "salt-and-pepper": 0.2, "occlusion": 0.4}.items():
            patch.setitem(LEVELS, kind, (0.0, level))
        patch.setattr(conditions, "THRESHOLDS", (1.0, 3.0))
        yield task


@pytest.fixture(scope="module")
def study(tmp_path_factory, few):
    """A study whose runs are finished but for the third seed's; nothing was trained."""
    folder = tmp_path_factory.mktemp("conditions")
    (folder / "grid.yml").write_text(GRID)
    study = begin(folder / "grid.yml", folder / "study")
    x, _ = few.train.batch(range(16))
    for planned in study.planned():
        if planned.seed == 2:
            continue
        run = Run.create(planned.path, planned.config, {})
        model = untrained_like(DISTA(planned.config.model), x, planned.seed)
        layer = next(n for n, _ in model.named_modules() if n.endswith(".tau")).removesuffix(".tau")
        model.card = {"task": "digits", "starting_taus": {layer: [3.0]}}
        run.save_starting_taus(model.card["starting_taus"])
        checkpoint.save(model, run.checkpoint("best"))
        run.set_status("finished", epoch=1, step=1, steps=1)
    return study


@pytest.fixture(scope="module")
def measured(study):
    """The study after both commands."""
    for name in ("noise", "cuts"):
        said = command(name, study.path, "--limit", "20", "--json")
        assert said.returncode == 0, said.stderr
    return Study(study.path)


def test_all_conditions_of_all_finished_runs_are_there_once(measured):
    done = [conditions.read(p.path) for p in measured.planned() if p.finished]
    assert len(done) == 8 and all(len(one.label) == 20 for one in done)
    for planned, one in zip((p for p in measured.planned() if p.finished), done):
        kind = planned.config.model.denoiser.kind
        us = {switch for c in one.answers for switch in c.switches if switch[:2] == "u="}
        assert us == ({"u=1", "u=3"} if kind == "none" else {"u=3"})
        noises = {(c.kind, c.level) for c in one.answers if not c.switches}
        wanted = {("", 0.0), ("gaussian", 0.5), ("salt-and-pepper", 0.2), ("occlusion", 0.4)}
        assert noises == wanted
        cuts = {c.switches for c in one.answers if c.switches and c.switches[0][:2] != "u="}
        assert (("weaker=1",) in cuts) == (kind == "none")
        has_map = planned.config.model.memory.form == "map"
        assert (("own-past",) in cuts) == has_map and (("denoiser",) in cuts) == (kind != "none")
        assert ("neuron-memory",) in cuts and ("learned-taus",) in cuts


def test_as_trained_leaves_other_thresholds_out(study, tmp_path):
    fresh = shutil.ignore_patterns(conditions.FILE)
    folder = shutil.copytree(study.path, tmp_path / "study", ignore=fresh)
    said = command("noise", folder, "--limit", "5", "--as-trained", "--json")
    assert said.returncode == 0, said.stderr
    done = [conditions.read(p.path) for p in Study(folder).planned() if p.finished]
    assert {c.switches for one in done for c in one.answers} == {()}
    assert all(len(one.answers) == 4 for one in done)
    assert {row["name"] for row in json.loads(said.stdout)["rows"]} == {
        one.name for one in study.configurations()
    }


def test_what_is_kept_is_what_the_network_answers(measured, few):
    planned = next(p for p in measured.planned() if p.configuration.name == BOTH)
    there, model = conditions.read(planned.path), planned.run().load("best")
    for one in (AS_TRAINED, Condition(("u=3",), "gaussian", 0.5), Condition(("own-past",))):
        from dista.experiments.corruption import Noise

        noise = Noise(one.kind, one.level) if one.kind else 0.0
        parts = [answer(model, few.test, range(a, b), one.switches, noise=noise) for a, b in ((0, 20),)]  # fmt: skip
        assert there.answers[one].tolist() == [int(a) for p in parts for a in p.answer], one


def test_nothing_is_measured_twice_and_the_rest_is_after_a_stop(
    measured, tmp_path, monkeypatch, few
):
    folder = shutil.copytree(measured.path, tmp_path / "study")
    planned = Study(folder).planned()[0]
    run, wanted = (
        planned.run(),
        conditions.of_noise(planned.config, few.test, conditions.THRESHOLDS),
    )
    assert conditions.measure(run, wanted, few, samples=20) == 0
    before = conditions.read(run.path)

    def killed(done, of):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        conditions.measure(run, wanted, few, samples=40, report=killed)
    assert len(conditions.read(run.path).answers) == 3, "more samples: all begins again"
    assert conditions.measure(run, wanted, few, samples=40) == len(wanted) - 3
    after = conditions.read(run.path)
    for one in wanted:
        assert after.answers[one][:20].tolist() == before.answers[one].tolist()
    model = run.load("best")
    with torch.no_grad():
        model.head.linear.weight.mul_(-1)
    checkpoint.save(model, run.checkpoint("best"))
    assert conditions.measure(run, wanted, few, samples=5) == len(wanted), "other weights"


def test_curves_are_over_seeds_and_paired_with_the_baseline_at_the_same_noise(measured):
    curves = robustness.noise(measured.path)
    assert list(curves) == ["gaussian", "salt-and-pepper", "occlusion"]
    by_name = curves["gaussian"]
    assert set(by_name) >= {BASE, MAP, f"{BASE}, u=1", f"{BASE}, u=3", f"{BOTH}, u=3"}
    assert by_name[BASE].against == "" and by_name[BASE].difference is None
    answered, _ = robustness.of_runs(measured)
    noisy = Condition((), "gaussian", 0.5)
    there = {n: {s: r.of(noisy) for s, r in answered[n].items()} for n in (BASE, MAP)}
    one, wanted = by_name[MAP], seed_differences(there[BASE], {"": there[MAP]})[""]
    assert (one.against, one.seeds, one.levels.tolist()) == (BASE, (0, 1), [0.0, 0.5])
    assert one.difference[1] == wanted.difference and one.difference_low[1] == wanted.low
    assert one.mean[1] == seed_accuracy(there[MAP]).mean
    assert by_name[f"{BOTH}, u=3"].against == BOTH
    table = one.table()
    assert len(table) == 2 and table["seed_1"].tolist() == one.accuracy[:, 1].tolist()
    assert figures.seed_curves(by_name).layout.meta["alt"]


def test_cuts_stand_beside_training_without(measured):
    cuts = robustness.cuts(measured.path)
    table = cuts.table().set_index(["configuration", "cut"])
    past = table.loc[(MAP, "own-past")]
    assert past["trained_without"] == BASE and past["seeds"] == past["trained_without_seeds"] == 2
    assert table.loc[(BOTH, "denoiser"), "trained_without"] == MAP
    put_on = {name for name, cut in table.index if cut in ("u=1", "weaker=1")}
    assert put_on == {n for n, _ in table.index} - {
        n for n, cut in table.index if cut == "denoiser"
    }
    assert {row.title for row in cuts.cuts} >= {f"{MAP}: with u=1", f"{MAP}: with weaker=1"}
    assert pd.isna(table.loc[(MAP, "neuron-memory"), "trained_without"])
    clean = {n: {s: r.of(AS_TRAINED) for s, r in robustness.of_runs(measured)[0][n].items()} for n in (BASE, MAP)}  # fmt: skip
    wanted = np.mean([clean[BASE][s].accuracy - clean[MAP][s].accuracy for s in (0, 1)])
    assert past["trained_without_difference"] == pytest.approx(wanted)
    assert past["after"] - past["before"] == pytest.approx(past["difference"])
    assert 0.1 <= past["most_frequent"] <= 1
    assert figures.seed_differences(cuts.differences).layout.meta["alt"]


def test_without_weights_what_is_there_is_shown(measured, tmp_path):
    folder = shutil.copytree(measured.path, tmp_path / "study", ignore=lambda *_: {"checkpoints"})
    for name, ends in (("noise", "% (95 % interval)"), ("cuts", f"trained without ({BASE}): ")):
        said = command(name, folder, "--csv", tmp_path / f"{name}.csv")
        assert said.returncode == 0 and ends in said.stdout
        assert said.stderr.count("its weights are not here") == 8
        rows = json.loads(command(name, folder, "--show", "--json").stdout)["rows"]
        written = pd.read_csv(tmp_path / f"{name}.csv")
        assert len(rows) == len(written) > 8
    refused = command("noise", folder, "--csv", folder / "grid.yml")
    assert refused.returncode == 1 and "was not written by dista results" in refused.stderr


def test_damaged_and_missing_files_are_said(measured, tmp_path):
    folder = shutil.copytree(measured.path, tmp_path / "study")
    first, second = Study(folder).planned()[:2]
    (first.path / conditions.FILE).write_text('{"task": "digits"}')
    (second.path / conditions.FILE).unlink()
    with pytest.raises(Damaged, match=r"conditions.json is damaged: weights"):
        conditions.read(first.path)
    left_out = robustness.cuts(folder).left_out
    assert "is damaged" in left_out[first.name] and "not asked yet" in left_out[second.name]
    said = command("noise", folder, "--limit", "0")
    assert said.returncode == 1 and "limit=0 leaves no samples" in said.stderr
