"""What a study came to, read from its folders alone: tables, a report, files."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from test_sweep import GRID
from typer.testing import CliRunner

import dista
from dista import cli
from dista.runs import Run
from dista.studies import answers
from dista.studies.results import report
from dista.studies.study import StudyError, begin

GRID = GRID.replace("[0, 1]", "[0, 1, 2]").replace(
    "crossed:", "crossed:\n  taus:\n    learned: {freeze: none}\n    fixed: {freeze: taus}"
)
GRID = GRID.replace("baseline: ", "baseline: taus=learned,")
SAMPLES = 40


def pretend(planned, right: int) -> None:
    """A finished run of which so many answers are right; nothing of it is a network."""
    run = Run.create(planned.path, planned.config, {})
    run.set_status("finished", epoch=2, step=4, steps=4, seconds=60.0)
    answer = np.arange(SAMPLES) < right
    content = answers.Content(
        task="digits", weights="0" * 64, answer=answer.astype(int).tolist(), label=[1] * SAMPLES
    )
    (planned.path / answers.FILE).write_text(content.model_dump_json())


@pytest.fixture
def study(tmp_path):
    """Three seeds of the baseline; of the others two, of which one's answers are missing, or none."""
    (tmp_path / "grid.yml").write_text(GRID)
    study = begin(tmp_path / "grid.yml", tmp_path / "study")
    rights = {"taus=learned,denoiser=none": (20, 22, 24), "taus=fixed,denoiser=none": (30, 32)}
    rights["taus=learned,denoiser=threshold"] = (20, 22)
    for planned in study.planned():
        row = rights.get(planned.configuration.name, ())
        if planned.seed < len(row):
            pretend(planned, row[planned.seed])
    missing = study.path / "runs" / "taus=learned,denoiser=threshold,seed=1" / answers.FILE
    missing.unlink()
    return study


def test_every_configuration_has_a_row_with_all_seeds_and_its_difference(study):
    table = dista.open_study(study.path).table().set_index("configuration")
    base, fixed = table.loc["taus=learned,denoiser=none"], table.loc["taus=fixed,denoiser=none"]
    assert (base["seeds"], base["planned_seeds"], base["paired_seeds"]) == (3, 3, 0)
    assert [base[f"seed_{seed}"] for seed in range(3)] == [0.5, 0.55, 0.6] and base["mean"] == 0.55
    assert pd.isna(base["difference"]) and base["denoiser"] == "none"
    assert (fixed["seeds"], fixed["paired_seeds"]) == (2, 2) and pd.isna(fixed["seed_2"])
    assert fixed["difference"] == 0.25 and fixed["difference_low"] < 0.25 < fixed["difference_high"]
    assert fixed["p_holm"] == 2 * fixed["p"]  # the threshold, with one seed, is looked at too
    assert table.loc["taus=fixed,denoiser=threshold", "seeds"] == 0 and len(table) == 4


def test_runs_have_rows_of_their_own_and_what_is_left_out_a_reason(study):
    results = dista.open_study(study.path)
    runs = results.runs().set_index("run")
    assert len(runs) == 12 and runs.loc["taus=fixed,denoiser=none,seed=1", "accuracy"] == 0.8
    assert runs.loc["taus=fixed,denoiser=none,seed=2", "state"] == "not begun"
    assert list(results.left_out) == ["taus=learned,denoiser=threshold,seed=1"]
    damaged = study.path / "runs" / "taus=learned,denoiser=none,seed=0" / answers.FILE
    damaged.write_text('{"task": "digits"')
    assert (
        "is damaged" in dista.open_study(study.path).left_out["taus=learned,denoiser=none,seed=0"]
    )


def test_an_axis_alone_is_averaged_over_the_levels_of_the_others(study):
    assert dista.open_study(study.path).effects == {}  # one of the four has no run
    for planned in study.planned():
        if planned.configuration.name == "taus=fixed,denoiser=threshold" and planned.seed == 0:
            pretend(planned, 26)
    effects = dista.open_study(study.path).effects
    assert list(effects) == ["denoiser=threshold", "taus=fixed"]
    # of seed 0, which all have: 30 - 20 and 26 - 20 of 40; 20 - 20 and 26 - 30
    assert effects["taus=fixed"].difference == pytest.approx(8 / 40)
    assert effects["denoiser=threshold"].difference == pytest.approx(-2 / 40)
    assert effects["taus=fixed"].seeds == (0,)


def test_the_report_says_how_many_seeds_and_what_the_intervals_are(study):
    words = report(dista.open_study(study.path))
    assert "6 of 12 runs are finished" in words
    assert "| taus=fixed,denoiser=none | 2 of 3 | 77.5 % | 3.5 | 75.0, 80.0 |" in words
    assert "| taus=fixed,denoiser=none | 2 | +25.0 | " in words
    for sentence in ("2 differences are looked at together", "none is chosen", "Left out: taus="):
        assert sentence in words


def test_the_command_prints_and_writes(study, tmp_path):
    files = {"--report": "a.md", "--csv": "a.csv", "--parquet": "a.parquet"}
    words = [str(word) for option, name in files.items() for word in (option, tmp_path / name)]
    for _ in range(2):  # over its own files, the second time
        answer = CliRunner().invoke(cli.app, ["results", str(study.path), *words])
        assert (
            answer.exit_code == 0
            and "## Differences to taus=learned,denoiser=none" in answer.output
        )
    table = dista.open_study(study.path).table()
    assert (tmp_path / "a.md").read_text() == report(dista.open_study(study.path))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), table)
    assert pd.read_csv(tmp_path / "a.csv")["mean"].tolist()[:3] == table["mean"].tolist()[:3]
    answer = CliRunner().invoke(cli.app, ["results", str(study.path), "--json"])
    rows = json.loads(answer.output)["rows"]
    assert rows[0]["seeds"] == 3 and rows[3]["mean"] is None and rows[0]["difference"] is None
    (tmp_path / "mine.md").write_text("three years of work")
    answer = CliRunner().invoke(
        cli.app, ["results", str(study.path), "--report", str(tmp_path / "mine.md")]
    )
    assert "was not written by dista results" in str(answer.exception)


def test_what_is_no_study_is_an_error(tmp_path):
    with pytest.raises(StudyError, match=r"has no grid.yml; dista sweep makes one"):
        dista.open_study(tmp_path)
