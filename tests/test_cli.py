"""The command line: one JSON object on standard output, one clear line on error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import dista

from dista.checkpoint import read_card, shipped
from dista.data import FROM_FILES


@pytest.mark.parametrize("arguments, code", [(["presets", "--json"], 0), (["eval", "digitz"], 1)])
def test_a_process_answers_what_the_function_does(arguments, code):
    command = [sys.executable, "-m", "dista", *arguments]
    process = subprocess.run(command, capture_output=True, text=True)
    answer = dista(*arguments)
    assert process.returncode == answer.returncode == code
    assert (process.stdout, process.stderr) == (answer.stdout, answer.stderr)


def test_presets_as_json():
    assert json.loads(dista("presets", "--json").stdout)["dista_cifar"]["T"] == 6


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["eval", "digitz"], "no checkpoint 'digitz'"),
        (
            ["ablate", "digits", "--without", "u=3"],
            "without 'u=3'; there are denoiser, denoiser-of=..., memory, ",
        ),
        (["ablate", "digits", "--with", "u=2", "--without", "denoiser"], "choose one"),
        (["train", "--preset", "digitz", "--data", "digits"], "did you mean digits"),
        (["train", "--preset", "digits", "--data", "mnist"], "digits-events"),
        (["train", "--preset", "digits", "--data", "digits", "--lr=-1"], "lr: "),
        (["train", "--preset", "digits", "--data", "match"], "choose another preset or task"),
    ],
)
def test_an_error_is_one_clear_line(arguments, words, tmp_path):
    if arguments[0] == "train":
        arguments = [*arguments, "--out", str(tmp_path / "run")]
    answer = dista(*arguments)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert words in answer.stderr
    assert answer.stderr.startswith("dista: ") and answer.stderr.count("\n") == 1


def test_record_writes_what_the_dry_run_announced(tmp_path):
    from dista.recording import open_recording

    path = tmp_path / "one.zarr.zip"
    common = ["record", "digits", str(path), "--sample", "3", "--name", "*.scores", "--json"]
    announced = json.loads(dista(*common, "--dry-run").stdout)
    assert not path.exists()
    assert json.loads(dista(*common).stdout)["bytes"] == path.stat().st_size
    recording = open_recording(path)
    arrays = [a for node in recording.subtree for a in node.data_vars if a == "scores"]
    assert len(arrays) == announced["names"]
    assert recording["blocks/0/attention/scores"].nbytes * len(arrays) == announced["bytes"]
    assert recording.batch.values.tolist() == [3]


def test_ablate_says_what_a_part_is_worth():
    common = ["ablate", "digits", "--limit", "60", "--json"]
    intact = json.loads(dista(*common).stdout)
    assert intact["before"] == intact["after"] and intact["difference"] == intact["lost"] == 0
    ablation = json.loads(dista(*common, "--without", "block=0", "--with", "u=2").stdout)
    assert (
        ablation["without"] == ["block=0"]
        and ablation["with"] == ["u=2"]
        and ablation["samples"] == 60
    )
    assert ablation["before"] == intact["before"] and ablation["after"] < intact["after"]
    assert ablation["low"] <= ablation["difference"] <= ablation["high"] < 0
    assert ablation["difference"] == pytest.approx((ablation["gained"] - ablation["lost"]) / 60)
    noisy = json.loads(dista(*common, "--noise", "0.8").stdout)
    assert noisy["noise"] == 0.8 and noisy["after"] < noisy["before"]


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_cards_hold_on_a_part(name):
    """The accuracy on 200 held-out samples lies where the card's accuracy lets it (4 sigma)."""
    card, task = read_card(name)["metrics"]["test"], read_card(name)["task"]
    if task in FROM_FILES and not Path(os.environ.get("DISTA_DATA") or "data", task).is_dir():
        pytest.skip(f"no real {task}: DISTA_DATA names no folder that holds it")
    answer = json.loads(dista("eval", name, "--limit", "200", "--json").stdout)
    sigma = max(card["accuracy"] * (1 - card["accuracy"]) / 200, 1e-4) ** 0.5
    assert answer["samples"] == 200
    assert abs(answer["accuracy"] - card["accuracy"]) < 4 * sigma
