"""Trainings in processes of their own: started, watched, stopped and resumed from anywhere, and what a crash says."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from trainings import ONE, TINY, few_digits, python

import dista
from dista.cli.train import _pairs, _split_off
from dista.presets import preset
from dista.recipes import recipe
from dista.runs import Run, RunConfig, RunError, Training, background

PRETENDED = str(Path(__file__).parent / "pretended_training.py")


@pytest.fixture(autouse=True)
def program(monkeypatch, tmp_path):
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(background, "PROGRAM", (PRETENDED,))
    monkeypatch.setenv("PRETENDED", "holds")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    yield
    for path in (tmp_path / "runs").glob("*"):
        if (path / "config.json").is_file() and Run(path).status().state == "running":
            Run(path).ask_to_stop()


def until(condition, seconds=180):  # a machine may be busy with something else
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def started():
    training = dista.train("digits", "tiny", ONE.replace(epochs=9), background=True)
    assert training.state == "starting"
    until(lambda: training.state == "running")
    return training


def test_two_handles_stop_resume_and_read_one_run(tmp_path):
    mine = started()
    its = Training(str(mine.path))  # as of another notebook
    assert mine.path.parent == tmp_path / "runs" and mine.path.name.startswith("tiny-")
    assert [run.path for run in dista.runs.find(tmp_path / "runs")] == [mine.path]
    with pytest.raises(RunError, match="is running: process"):
        its.resume()
    with pytest.raises(TimeoutError, match=r"is still running after 0\.1 seconds"):
        its.wait(0.1)
    its.stop()
    assert mine.wait(60).status().state == its.state == "stopped"
    assert "stopped, after 1 of 9 epochs" in repr(mine)
    mine.resume()
    assert its.state == mine.state == "starting" and not background.go_on(its.path)
    with pytest.raises(RunError, match="is starting already"):
        its.resume()
    until(lambda: mine.run.status().epoch == 2)
    its.stop()
    assert its.wait(60).status().epoch == 2


def test_a_crash_is_a_sentence_and_so_is_a_start_that_failed(tmp_path):
    training = started()
    (training.path / "fail").touch()
    with pytest.raises(RunError, match=r"^RuntimeError: the loss became nan$"):
        training.wait(60)
    assert training.sentence == "crashed: RuntimeError: the loss became nan"
    until(lambda: "Traceback" in training.log)
    background.start(tmp_path / "runs" / "two", ["--data=nothing"])
    two = Training(tmp_path / "runs" / "two")
    with pytest.raises(RunError, match=r"no data 'nothing'$"):
        two.wait(60)
    with pytest.raises(RunError, match=r"is not a run folder"):
        _ = two.run
    with pytest.raises(RunError, match="is not a run folder"):
        Training(tmp_path / "three")


def test_a_resume_that_is_refused_says_so_until_it_is_resumed_from_elsewhere():
    training = started()
    training.stop()
    training.wait(60)
    config = training.path / "resume.safetensors"
    config.write_bytes(b"no state")
    training.resume()
    with pytest.raises(RunError, match=r"resume\.safetensors is damaged"):
        training.wait(60)
    assert training.run.status().state == "stopped"
    config.unlink()
    terminal = subprocess.Popen([sys.executable, PRETENDED, f"--resume={training.path}"])
    until(lambda: training.run.status().epoch == 2)
    training.stop()
    assert training.wait(60).status().epoch == 2 and training.problem is None
    assert terminal.wait(60) == 0


def test_a_killed_process_and_a_removed_folder_are_said():
    training = started()
    os.kill(training.run.status().pid, signal.SIGKILL)
    until(lambda: training.state == "crashed")
    assert training.problem == "its process is gone; it was killed"
    shutil.rmtree(training.path)
    assert training.state == "crashed" and "it was removed" in training.problem


KERNEL = """
import os, signal, sys, time
from dista.runs import background
from pathlib import Path
background.PROGRAM = (sys.argv[2],)
background.start(Path(sys.argv[1]), [])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killing_who_started_it_leaves_it_going(tmp_path):
    assert python(KERNEL, tmp_path / "runs" / "one", PRETENDED).returncode == -signal.SIGKILL
    training = Training(tmp_path / "runs" / "one")
    until(lambda: training.state == "running")
    training.stop()
    training.wait(60)


def test_a_process_that_is_started_is_one_of_its_own(tmp_path, monkeypatch):
    """It finds the package, leads its session, and leaves an error in its log."""
    first, *_ = background._environment(())["PYTHONPATH"].split(os.pathsep)
    assert (Path(first) / "dista" / "cli").is_dir()
    monkeypatch.setenv("SECRET", "x")
    assert "SECRET" not in background._environment(["SECRET"])
    monkeypatch.undo()
    background.start(tmp_path / "one", ["--preset=nothing", "--data=digits"])
    until(lambda: background.complaint(tmp_path / "one"), 120)
    assert "no preset 'nothing'" in background.complaint(tmp_path / "one")


# --- what a process is told, and what is refused before there is one ------------------------------


@pytest.mark.parametrize(
    "name, model, training",
    [
        ("tiny", preset("tiny"), ONE),
        ("", TINY, recipe("cifar").replace(init="digits", tau_max=None)),
        ("match_map", preset("match_map").changed({"memory.window": 2, "denoiser.u": 1.5}), ONE),
    ],
)
def test_the_words_say_the_whole_configuration(name, model, training):
    what = RunConfig(
        preset=name, data="match", data_root="/data", data_options={"delay": "noise"}, model=model,
        training=training,
    )  # fmt: skip
    first, *rest = background.words(what)
    settings = [word.removeprefix("--set=") for word in rest if word.startswith("--set=")]
    others, its = _split_off("model.", _pairs(settings))
    mine, of_data = _split_off("data.", others)
    assert of_data == {"delay": "noise"}
    assert preset(first.removeprefix("--preset=")).changed(its) == model
    assert recipe("default").replace(**mine) == training
    assert rest[:2] == ["--data=match", "--data-dir=/data"]
    assert name in ("", first.removeprefix("--preset="))


def test_what_does_not_fit_starts_no_process(tmp_path, monkeypatch):
    monkeypatch.setattr(background, "_spawn", lambda *_: pytest.fail("a process was started"))
    with pytest.raises(ValueError, match="the model has 10 classes, but 'match' has 2"):
        dista.train("match", "tiny", background=True)
    with pytest.raises(
        ValueError, match=r"'digits' has other samples \(\d+ to train with\) than this task \(60\)"
    ):
        dista.train(few_digits(), TINY, ONE, background=True)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    with pytest.raises(RunError, match="not empty"):
        dista.train("digits", "tiny", ONE, folder=tmp_path / "full", background=True)
    with pytest.raises(KeyError, match="no preset 'tinny'; did you mean tiny"):
        dista.train("digits", "tinny", background=True)


@pytest.mark.slow
def test_a_training_in_the_background_is_the_one_of_here(tmp_path, monkeypatch):
    """Stopped and resumed from a notebook, it ends with the weights of one that was left alone."""
    from trainings import same_weights

    monkeypatch.undo()
    two = ONE.replace(epochs=2, batch_size=100)
    training = dista.train("digits", TINY, two, folder=tmp_path / "one", background=True)
    until(lambda: training.state == "running", 300)
    training.stop()
    training.wait(300)
    training.resume()
    alone = dista.train("digits", TINY, two, folder=tmp_path / "two")
    assert training.wait(300).status().state == "finished"
    assert same_weights(training.run, alone)
