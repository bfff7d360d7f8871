"""Runs and studies on pages without a browser: the table, what is selected, notes, sweeps; the lower half of Ablate."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from types import SimpleNamespace

import dashboard
import numpy as np
import pandas as pd
import pytest
from dashboard import as_shown, shown

import dista
from app.link import permission
from app.studies import accounts, files, selected, sweeps, trained_without
from app.studies import table as tables
from app.studies.trained_without import headline
from app.trainings import processes
from dista import figures, measures
from dista.figures.ablations import points
from dista.measures import MeasureError, SeedDifference
from dista.runs import Run, RunError, annotation, background, everywhere, overview
from dista.runs.places import GRID
from dista.studies import conditions, robustness
from dista.studies.study import Study

ONE, OTHER = "tiny/memory=none,taus=fixed,seed=0", "tiny/memory=map,taus=fixed,seed=1"


@pytest.fixture(scope="module")
def studied(tmp_path_factory):
    """A folder of runs with a study."""
    return dashboard.make_study(tmp_path_factory.mktemp("studied") / "tiny")


@pytest.fixture
def study_page(page, studied, monkeypatch):
    monkeypatch.setenv("DISTA_RUNS", str(studied.parent))
    return page


def text(test) -> str:
    return " ".join(element.value for element in [*test.markdown, *test.caption])


def read(folder):
    runs = [run for name, run in everywhere().items() if name.startswith(folder.name)]
    return sorted([(run, overview.summary(run)) for run in runs], key=lambda pair: pair[0].name)


# --- the table ------------------------------------------------------------------------------------


def test_the_table_has_the_differences_alone_and_what_was_reached(studied, monkeypatch):
    monkeypatch.setenv("DISTA_RUNS", str(studied.parent))
    runs = read(studied)
    table = overview.table([one for _, one in runs], [run.status() for run, _ in runs])
    assert table.attrs["options"] == ["memory", "freeze", "seed"]
    row = table.set_index("run").loc[OTHER]
    assert (row["memory"], row["freeze"], row["seed"], row["state"]) == (
        "map",
        "taus",
        1,
        "finished",
    )
    assert row["accuracy"] == 174 / 200 == row["curve"][-1] and row["largest_tau"] == 5.0
    assert row["minutes"] == 1.0 and row["epochs"] == 3
    stopped = table.set_index("run").loc["tiny/memory=map,taus=learned,seed=1"]
    assert stopped["state"] == "stopped" and pd.isna(stopped["accuracy"])
    assert [tables.matches(table.iloc[0], words) for words in ("map FINISHED", "seed=0", "seed=1")] == [
        True, True, False,
    ]  # fmt: skip
    again = pd.read_parquet(io.BytesIO(files.of_runs(table, None)["Runs, parquet"].content()))
    assert again["accuracy"].tolist()[:3] == table["accuracy"].tolist()[:3]


def test_selected_runs_are_in_the_link_with_curves_differences_and_ways_on(study_page, studied):
    test = study_page("runs", study="tiny", selected=f"{ONE}|{OTHER}")
    assert not test.exception and not test.error and not test.warning
    runs = [pair for pair in read(studied) if pair[0].name in (ONE, OTHER)]
    drawn = shown(test)[0]
    assert {line["name"] for line in drawn["data"]} == {ONE, OTHER}
    table = selected.curves(runs)
    assert as_shown(figures.run_curves(table))["data"][0]["y"] is not None
    assert selected.differing(*(one.config for _, one in runs[::-1])) == {
        "option": ["memory", "seed"], "first": ["none", "0"], "second": ["map", "1"],
    }  # fmt: skip
    assert "2 runs: 55.0 to 87.0 % on the test samples" in text(test)
    assert (
        "7 of 8 runs are finished, 1 of 2 seeds in all configurations"
        in test.get("progress")[0].proto.text
    )
    cells = test.table[0].value.astype(str).to_numpy().ravel().tolist()
    assert ":blue-badge[✓ 87.0 %]" in cells and ":gray-badge[■ 100 %]" in cells
    frame = test.dataframe[0].value
    assert len(frame) == 8 and "run" in frame
    # which options matter needs eight finished runs; here are seven
    assert "Finished here: 7. Options in which these differ: 3." in text(test)
    code = next(c.value for c in test.code if "overview.table" in c.value)
    made = {}
    exec(code, made)
    assert len(made["table"]) == 8


def test_a_note_and_tags_are_written_into_the_folder_of_the_run(study_page, studied):
    test = study_page("runs", selected=ONE, filter="seed=0")
    assert not test.exception and len(test.dataframe[0].value) == 4
    next(area for area in test.text_area if area.label == "Note").set_value("starts well")
    next(button for button in test.button if button.label == "Save").click().run()
    assert not test.exception and not test.error
    run = Run(studied / "runs" / ONE.partition("/")[2])
    assert annotation.read(run).note == "starts well"
    assert overview.summary(run).note == "starts well"
    assert annotation.write(run, "", [" a ", "b", "a", ""]).tags == ["a", "b"]
    for note, tags, said in (
        ("x" * 3000, [], "3000 characters"),
        ("", ["y" * 41], "is too long"),
        ("", list(map(str, range(21))), "21 tags"),
    ):
        with pytest.raises(RunError, match=said):
            annotation.write(run, note, tags)
    (run.path / annotation.FILE).write_text("{")
    assert annotation.read(run) == annotation.Annotation()
    (run.path / annotation.FILE).unlink()


def test_who_may_not_train_may_look(study_page, monkeypatch):
    monkeypatch.delenv(permission.TRAINING)
    test = study_page("runs", study="tiny", selected=ONE)
    labels = {button.label for button in test.button}
    assert not test.exception and not labels & {"Continue", "Stop", "Save", "Measure its cost"}
    for call in (lambda: sweeps.start("a", "b", 1), lambda: sweeps.measure("a", "b", 1)):
        with pytest.raises(permission.NotAllowed):
            call()


def test_which_options_matter_is_that_of_the_one_that_does():
    options = {
        "memory": ["map", "none"] * 8,
        "lr": [0.1, 0.1, 0.2, 0.2] * 4,
        "seed": [0] * 8 + [1] * 8,
    }
    options["same"] = [1] * 16
    result = measures.option_importance(options, [0.9, 0.6] * 8, forests=2)
    assert result.option[0] == "memory" and result.share[0] > 0.99 and len(result.option) == 3
    assert (result.low <= result.share).all() and (result.share <= result.high).all()
    flat = measures.option_importance(options, [0.5] * 16, forests=1)
    assert flat.share.sum() == 0 or flat.share.max() <= 1
    with pytest.raises(
        MeasureError, match="7 runs that differ in 1 options; expected at least 8 and 2"
    ):
        measures.option_importance({"a": [1, 2] * 3 + [1], "b": [1] * 7}, [0.1] * 7)


# --- sweeps ---------------------------------------------------------------------------------------


def test_a_study_starts_after_its_cost_was_measured(study_page, studied, monkeypatch):
    spawned = []
    monkeypatch.setattr(
        background,
        "_spawn",
        lambda place, words, without, command: spawned.append((place.name, command, words)),
    )
    test = study_page("runs")
    test.session_state["new-study"] = True
    test.run()
    area = next(a for a in test.text_area if a.label == "Grid")
    area.set_value("preset: [").run()
    assert "line 1" in test.error[0].value
    area = next(a for a in test.text_area if a.label == "Grid")
    area.set_value(dashboard.GRID).run()
    next(f for f in test.text_input if f.label == "Name of the study").set_value("mine").run()
    assert "4 configurations × 2 seeds: 8 runs of match_map on match" in text(test).replace(
        "\\", ""
    )
    assert "Start the study" not in {button.label for button in test.button}
    next(b for b in test.button if b.label == "Measure its cost").click().run()
    ((name, command, words),) = spawned
    assert command == "sweep" and {"--dry-run", "--json", "--workers=1"} <= set(words)
    logs = studied.parent / background.LOGS
    logs.mkdir(exist_ok=True)
    runs = [{"run": "a", "state": "finished"}, {"run": "b", "state": "not begun"}]
    (logs / f"{name}.log").write_text(
        "warming up\n" + json.dumps({"runs": runs, "worker_hours": 3.0, "hours": 3.0})
    )
    test.run()
    assert "**About 3.0 hours**: 1 of 2 runs are left" in text(test)
    next(b for b in test.button if b.label == "Start the study").click().run()
    assert (
        spawned[1][:2] == ("mine", "sweep") and f"--out={studied.parent / 'mine'}" in spawned[1][2]
    )
    assert sweeps.grid_file(dashboard.GRID).read_text() == dashboard.GRID
    assert "Starting mine" in test.info[0].value and test.query_params["study"] in (
        "mine",
        ["mine"],
    )


def test_a_sweep_is_seen_and_stopped_and_only_that_one(studied, tmp_path, monkeypatch):
    monkeypatch.setenv(permission.TRAINING, "1")
    wait = "import time; time.sleep(60)"
    ours, other = (
        subprocess.Popen([sys.executable, "-c", wait, "sweep", "x.yml", f"--out={folder}"])
        for folder in (studied, tmp_path)
    )
    try:
        assert [process.pid for process in sweeps.working(studied)] == [ours.pid]
        spawned = []
        monkeypatch.setattr(background, "_spawn", lambda *words: spawned.append(words))
        sweeps.go_on(studied, 1)
        assert spawned == [], "one is at it"
        assert sweeps.stop(studied) == 1 and ours.wait(20) != 0
        assert other.poll() is None
        sweeps.go_on(studied, 2)
        words = [str(studied / GRID), f"--out={studied}", "--workers=2"]
        assert spawned == [(studied, words, processes.WITHOUT, "sweep")]
    finally:
        for process in (ours, other):
            process.kill(), process.wait()


# --- Ablate ---------------------------------------------------------------------------------------


def test_of_one_seed_it_is_said_that_it_says_nothing_of_others():
    one = SeedDifference((0,), np.array([0.2]), 500, 0.2, 0.1, 0.3, 0.001, 0.002)
    results = SimpleNamespace(effects={"memory=map": one})
    assert headline(results) == (
        "One training each, so of these networks alone, on average over the other parts: "
        "memory=map brings 20.0 points (10.0 to 30.0)"
    )


def test_ablate_shows_the_study_of_its_task_with_every_seed(study_page, studied):
    test = study_page("ablate", checkpoint="match-map", samples="25")
    assert not test.exception and not test.error and not test.warning
    results = dista.open_study(studied)
    effects, differences, accuracies = shown(test)[1:4]
    assert effects == as_shown(figures.seed_differences(results.effects))
    tall = max(differences["layout"]["height"], accuracies["layout"]["height"])
    for drawn, figure in (
        (differences, figures.seed_differences(results.differences)),
        (accuracies, figures.seed_accuracies(results.accuracies)),
    ):
        assert drawn == as_shown(figure.update_layout(height=drawn["layout"]["height"]))
        assert drawn["layout"]["height"] <= tall
    said = text(test).replace("\\", "")
    assert headline(results).replace("\\", "") in said and "memory=map brings" in said
    assert "taus=learned is not told apart from chance" in said
    assert "7 of 8 runs are finished, 1 of 2 seeds in all configurations" in said
    assert "Some configurations have 1 of 2 seeds only" in said and "Holm's p counts that" in said
    row = results.table().set_index("configuration").loc["memory=map,taus=fixed"]
    assert row["chance"] == 0.5 and row["most_frequent"] == pytest.approx(0.5, abs=0.1)
    labels = [button.proto.label for button in test.get("download_button")]
    assert labels[1:-1] == [
        "Configurations, CSV", "Configurations, parquet", "Report, Markdown",
    ]  # fmt: skip
    assert files.of_study(results)["Report, Markdown"].content().startswith(b"# tiny")


BASE, MAP = "memory=none,taus=fixed", "memory=map,taus=fixed"


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """The study after ``dista cuts`` and ``dista noise --as-trained``, whose answers are made up."""
    folder = dashboard.make_study(tmp_path_factory.mktemp("asked") / "tiny")
    label = np.arange(40) % 2
    for place, run in enumerate(sorted((folder / "runs").iterdir())):
        answers = {
            conditions.Condition(switches, kind, level): np.where(
                np.arange(40) < 4 * lost + place, 1 - label, label
            )
            for switches, kind, level, lost in (
                ((), "", 0.0, 1), (("neuron-memory",), "", 0.0, 4),
                ((), "gaussian", 0.1, 2), ((), "occlusion", 0.4, 3),
            )
        }  # fmt: skip
        conditions._write(run, conditions.Conditions("match", "0" * 64, label, answers))
    return folder


def test_ablate_shows_what_the_networks_of_the_study_answer_otherwise(page, asked, monkeypatch):
    monkeypatch.setenv("DISTA_RUNS", str(asked.parent))
    query = {"configuration": MAP, "study-noise": "occlusion"}
    test = page("ablate", checkpoint="match-map", samples="25", **query)
    assert not test.exception and not test.error and not test.warning
    cuts, noise = robustness.cuts(asked), robustness.noise(asked)
    rows = {
        "Neurons' memory: another sample's": next(
            c.difference for c in cuts.cuts if c.configuration == MAP
        )
    }
    curves = noise["occlusion"]
    one_apart = {
        name: curves[name] for name in (MAP, BASE, "memory=map,taus=learned") if name in curves
    }
    assert len(one_apart) >= 2 and set(one_apart) < set(curves)
    *_, drawn_cuts, drawn_noise = [one for one in shown(test) if one["layout"]["meta"]]
    for drawn, figure in (
        (drawn_cuts, figures.seed_differences(rows)), (drawn_noise, figures.seed_curves(one_apart))
    ):  # fmt: skip
        assert drawn == as_shown(figure.update_layout(height=drawn["layout"]["height"]))


LEARNED = "memory=map,taus=learned"


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """The study after ``dista cuts``: time constants put back cost a lot, and a training without them nothing."""
    folder = dashboard.make_study(tmp_path_factory.mktemp("cut") / "tiny")
    label = np.arange(200) % 2
    wrong = {"map,taus=fixed": 12, "map,taus=learned": 10}
    for run in Study(folder).planned():
        if run.finished:
            lost = wrong.get(run.configuration.name.removeprefix("memory="), 60) + run.seed
            answers = {
                conditions.Condition(switches): np.where(np.arange(200) < many, 1 - label, label)
                for switches, many in (((), lost), (("learned-taus",), lost + 70))
            }
            conditions._write(run.path, conditions.Conditions("match", "0" * 64, label, answers))
    return folder


def test_ablate_says_how_a_cut_here_a_cut_there_and_a_training_without_relate(
    page, cut, monkeypatch
):
    monkeypatch.setenv("DISTA_RUNS", str(cut.parent))
    test = page(
        "ablate",
        checkpoint="match-map",
        samples="25",
        switches="learned-taus",
        configuration=LEARNED,
    )
    assert not test.exception and not test.error and not test.warning
    (one,) = [
        c for c in robustness.cuts(cut).cuts
        if c.configuration == LEARNED and c.switches == ("learned-taus",)
    ]  # fmt: skip
    (said,) = [
        m.value
        for m in test.markdown
        if m.value.startswith("**Time constants: as before training.")
    ]
    above = next(m.value for m in test.markdown if m.value.startswith("## Time constants"))
    assert f"{points(one.difference.difference)} points" in said
    assert f"{points(one.trained_without.difference)} points" in said
    here = re.search(r"(\S+) cut from the one checkpoint above", said)[1]
    assert f"before training: {here} points" in above
    assert said.endswith(
        "So the trained networks rely on it, but a training is not seen to need it."
    )


@pytest.mark.parametrize(
    ("cut", "without", "said"),
    [
        ((-0.4, -0.5, -0.3, 0.001), (-0.2, -0.3, -0.1, 0.001), "rely on it, and a training needs it."),
        ((-0.4, -0.5, -0.3, 0.2), (0.0, -0.1, 0.1, 1.0),
         "seem to rely on it, but a training is not seen to need it."),
        ((0.0, -0.1, 0.1, 1.0), (0.2, 0.1, 0.3, 0.01),
         "are not seen to miss it, but a training comes out better without it."),
    ],
)  # fmt: skip
def test_what_follows_is_said_by_what_is_certain(cut, without, said):
    made = [
        SeedDifference((0, 1), np.zeros(2), 40, *one[:3], one[3], one[3]) for one in (cut, without)
    ]
    row = robustness.Cut("a", ("denoiser",), 0.9, 0.5, 0.6, made[0], "b", made[1])
    (sentence,) = accounts.sentences([row], {"denoiser": "Denoiser: off"}, {})
    assert sentence.startswith("**Denoiser: off.**") and sentence.endswith(said)
    assert "checkpoint above" not in sentence


def test_the_code_of_the_study_has_what_it_was_asked(asked, monkeypatch):
    monkeypatch.setenv("DISTA_RUNS", str(asked.parent))
    code = trained_without.as_python(dista.open_study(asked))
    made, show = code.split("for figure in figures:")
    names = {}
    exec(made, names)
    assert len(names["figures"]) == 3 + 1 + 2 and "figure.show()" in show


def test_a_study_that_was_not_asked_says_the_commands(study_page):
    test = study_page("ablate", checkpoint="match-map", samples="25")
    assert "dista cuts tiny" in text(test) and "dista noise tiny --as-trained" in text(test)


def test_without_a_study_the_page_tells_the_command(page, tmp_path, monkeypatch):
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path))
    test = page("runs")
    assert not test.exception and "dista sweep match-ablation" in text(test)
    from app.studies.trained_without import EMPTY

    assert "dista sweep match-ablation --workers 2" in EMPTY
