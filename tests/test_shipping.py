"""What of a study is shipped: small, without weights or the machine's folders, and with the same results."""

from __future__ import annotations

import json
import re

import dashboard
import pandas as pd
import pytest
from test_results import study  # noqa: F401
from typer.testing import CliRunner

import dista
from dista import cli, runs
from dista.neurons import time_constants
from dista.runs import Run, shipped
from dista.studies import answers, grid, places, shipping
from dista.studies.results import report
from dista.studies.study import Study, StudyError, begin

TINY = """\
data_dir: /home/me/data
preset: match_map
data: match
options: {epochs: 1, model.dim: 16, model.depth: 2, model.heads: 2}
seeds: [0, 1]
listed:
  one: {}
baseline: one
"""
NAME = "one,seed=0"


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A study of which one run has all that training writes; its data lie in a folder of this machine."""
    folder = tmp_path_factory.mktemp("studies")
    (folder / "grid.yml").write_text(TINY)
    begun = begin(folder / "grid.yml", folder / "tiny")
    planned = begun.planned()[0]
    writer = dashboard.Writer(planned.path, config=planned.config)
    writer.epoch(1)
    run, model = writer.run, writer.model
    (run.path / "resume.safetensors").write_bytes(b"0" * 1000)
    run.save_starting_taus({name: list(taus) for name, taus in time_constants(model).items()})
    tested = answers.Content(task="match", weights="0" * 64, answer=[0, 1, 1], label=[0, 1, 0])
    (run.path / answers.FILE).write_text(tested.model_dump_json())
    command = f"dista sweep {folder}/grid.yml --out={folder}/tiny --workers 2"
    model.card = {"task": "match", "metrics": {"test": {"accuracy": 0.66}}, "command": command}
    for which in ("best", "last"):
        dista.save(model, run.checkpoint(which))
    run.set_status("finished", epoch=1, step=10, steps=10, seconds=60.0)
    return begun


def test_a_shipped_study_has_the_same_results_and_is_opened_by_its_name(
    study,  # noqa: F811
    tmp_path,
    monkeypatch,
):
    monkeypatch.setenv("DISTA_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path / "runs"))
    out = tmp_path / "assets" / "studies" / "three"
    answer = CliRunner().invoke(cli.app, ["ship", str(study.path), str(out), "--json"])
    said = json.loads(answer.output)
    assert (said["runs"], said["planned"]) == (6, 12)  # of seven finished ones, one has no answers
    before, after = dista.open_study(study.path), dista.open_study("three")
    pd.testing.assert_frame_equal(after.table(), before.table())
    assert report(after) == report(before).replace("# study", "# three").partition("\nLeft out")[0]
    assert places.is_shipped(after.study.path) and not places.is_shipped(study.path)
    assert set(runs.everywhere()) == {
        f"three/{run.name}" for run in after.study.planned() if run.finished
    }
    with pytest.raises(StudyError, match=r"no study 'four': .* nor a shipped one \(three\)"):
        dista.open_study("four")
    begin(tmp_path / "grid.yml", tmp_path / "runs" / "three")  # the one that is trained again
    assert dista.open_study("three").study.path == tmp_path / "runs" / "three"


def test_tables_curves_and_taus_of_a_run_can_be_read_and_no_folder_of_the_machine(
    trained, tmp_path
):
    done = shipping.ship(trained, tmp_path / "out")
    assert done.runs == 1 and done.bytes < 60_000
    before, after = trained.planned()[0].run(), Study(done.path).planned()[0].run()
    assert after.status().state == "finished" and after.starting_taus() == before.starting_taus()
    for table in ("epochs", "neurons"):
        assert len(before.table(table)), table
        pd.testing.assert_frame_equal(after.table(table), before.table(table), rtol=1e-5)
    assert after.table("steps").empty and after.snapshots() == []
    card = json.loads((after.checkpoint("best") / "card.json").read_text())
    assert card["metrics"]["test"]["accuracy"] == 0.66
    assert card["command"] == "dista sweep grid.yml --out=tiny --workers 2"
    with pytest.raises(ValueError, match=r"is here without its weights"):
        after.load("best")
    for file in (path for path in done.path.rglob("*") if path.is_file()):
        assert not re.search(f"{trained.path.parent}|/home", file.read_text()), file.name
    assert shipping._without_paths(
        {"command": "dista sweep /home/me/a.yml --out=/x/y b/c ~/d/e"}
    ) == {"command": "dista sweep a.yml --out=y b/c e"}


def test_weights_of_a_seed_and_the_film_of_a_run_come_along(trained, tmp_path):
    done = shipping.ship(trained, tmp_path / "out", weights=[0])
    run, before = Study(done.path).planned()[0].run(), trained.planned()[0].run()
    x, _ = dista.data.open("match").test.batch(range(4))
    assert run.load("best")(x).equal(before.load("best")(x)) and run.snapshots() == []
    done = shipping.ship(trained, tmp_path / "out", films=[NAME])  # over what it had shipped
    run = Study(done.path).planned()[0].run()
    assert run.snapshots() == before.snapshots() and len(run.table("steps"))
    assert run.snapshot(1).equals(before.snapshot(1)) and run.load("best")(x).equal(
        before.load("best")(x)
    )
    left = {path.name for path in run.path.rglob("*")}
    assert left.isdisjoint({"lock", "holder.json", "resume.safetensors", "last"})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"megabytes": 0.001}, r"would have 0.0 MB; expected at most 0.001"),
        ({"films": ["none"]}, r"no finished run 'none' in .* expected one of \['one,seed=0'\]"),
        ({"weights": [7]}, r"no seed 7 in .* expected \[0, 1\]"),
    ],
)  # fmt: skip
def test_what_cannot_be_shipped_is_an_error_and_nothing_is_written(
    trained, tmp_path, options, said
):
    with pytest.raises(StudyError, match=said):
        shipping.ship(trained, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_nothing_that_is_not_ours_is_replaced(trained, tmp_path):
    begin(trained.path / "grid.yml", tmp_path / "other")
    for place in (tmp_path / "other", trained.path):
        with pytest.raises(StudyError, match="is no study that was shipped; choose another path"):
            shipping.ship(trained, place)
    empty = Study(tmp_path / "other")
    with pytest.raises(StudyError, match=r"none of the runs of .* is finished"):
        shipping.ship(empty, tmp_path / "out")


@pytest.mark.parametrize(
    "path", sorted(places._within(shipped.folder()).values()), ids=lambda p: p.name
)
def test_shipped_studies_are_those_of_shipped_grids(path):
    """Their runs have the configurations that the grid of this version asks for, and all of their results."""
    results = dista.open_study(path)
    assert results.left_out == {} and results.accuracies
    if path.name in {file.stem for file in grid.SHIPPED.glob("*.yml")}:
        ours = {one.name: one.config(0) for one in grid.read(grid.find(path.name)).configurations()}
        for one in results.study.configurations():
            assert one.config(0) == ours[one.name]
    assert isinstance(next(iter(runs.everywhere().values())), Run)


def test_shipped_runs_with_recordings_come_first():
    filmed = [bool(run.snapshots()) for run in shipped.in_order()]
    assert filmed[0] and filmed == sorted(filmed, reverse=True)
