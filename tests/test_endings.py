"""How a training ends before its time, what is said then, and what a resume makes of what is left."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading

import pytest
import torch
import trainings

from dista.runs import Run, RunError
from dista.training import Stopped, resume, train
from dista.training.session import Session

TWO = trainings.ONE.replace(epochs=2, save_minutes=0)


@pytest.fixture(scope="module")
def few():
    return trainings.few_digits()


@pytest.fixture(scope="module")
def whole(few, tmp_path_factory):
    """The run that nothing happened to, of 4 steps."""
    return train(few, trainings.TINY, TWO, folder=tmp_path_factory.mktemp("runs") / "whole")


@pytest.fixture
def stopped(few, tmp_path, monkeypatch):
    """A run that somebody has asked to stop in its third step, and its exception."""
    step = Session.step

    def asked(self, batches):
        if self.position.step == 2:
            self.run.ask_to_stop()
            self.requests._looked = float("-inf")
        step(self, batches)

    with monkeypatch.context() as patch, pytest.raises(Stopped) as error:
        patch.setattr(Session, "step", asked)
        train(few, trainings.TINY, TWO, folder=tmp_path / "run")
    return Run(tmp_path / "run"), error.value


# --- asked to stop ------------------------------------------------------------------------------


def test_asked_by_a_file_it_finishes_its_step_and_goes_on_as_if_nothing_had_happened(
    few, whole, stopped
):
    run, error = stopped
    assert error.signal == signal.SIGTERM and "stopped after step 3" in str(error)
    assert (run.status().state, run.status().step) == ("stopped", 3) and not run.asked_to_stop()
    assert trainings.same_weights(resume(run.path, task=few), whole)


def test_a_run_in_another_thread_is_asked_as_well(few, tmp_path):
    """There are no signals for it."""
    ended = []

    def training():
        try:
            long = trainings.ONE.replace(epochs=500)
            train(few, trainings.TINY, long, folder=tmp_path / "run", progress=False)
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=training)
    thread.start()
    while not (tmp_path / "run" / "steps.jsonl").exists():
        assert thread.is_alive()
        thread.join(0.05)
    Run(tmp_path / "run").ask_to_stop()
    thread.join(120)
    assert isinstance(ended[0], Stopped) and Run(tmp_path / "run").status().state == "stopped"


# --- rows that a power loss took ----------------------------------------------------------------


def lose(run, damage):
    """The end of the steps is gone, as after a power loss: missing, or zeros."""
    path = run.path / "steps.jsonl"
    content = path.read_bytes()
    first = content.index(b"\n") + 1
    left = {"missing": content[:first], "half a line": content[: first + 9], "gone": None}
    left["zeros"] = content[: first + 9] + b"\0" * (len(content) - first - 9)
    path.unlink() if left[damage] is None else path.write_bytes(left[damage])
    return len(content) - (0 if damage == "gone" else first)


ENDS = [pytest.param("missing", marks=pytest.mark.slow), "half a line", "zeros", "gone"]


@pytest.mark.parametrize("damage", ENDS)
def test_rows_that_are_gone_are_said_and_the_training_goes_on(few, whole, stopped, capsys, damage):
    run, _ = stopped
    lost = lose(run, damage)
    done = resume(run.path, task=few)
    assert trainings.same_weights(done, whole)
    (note,) = done.notes()
    assert note.startswith(f"steps.jsonl has lost the last {lost} of the ")
    assert f"dista: {note}\n" in capsys.readouterr().err
    assert done.table("steps")["step"].tolist() == ([4] if damage == "gone" else [1, 4])


def test_tables_are_on_the_disk_before_the_state_that_knows_them(whole, tmp_path, monkeypatch):
    run = Run.create(tmp_path / "run", whole.config, {})
    run.append("steps", [{"step": 1}])
    synced, fsync = [], os.fsync

    def watched(descriptor):
        synced.append(os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}")))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    run.save_state({"a": torch.zeros(1)}, {"step": 1, "epoch": 0})
    assert synced[0] == "steps.jsonl" and "resume.safetensors" in synced[1]


# --- a state that is not ours -------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["dim", "position", "header"])
def test_a_state_that_does_not_fit_is_one_sentence_and_nothing_is_cut(few, stopped, damage):
    run, _ = stopped
    path = run.path / "resume.safetensors"
    if damage == "dim":
        config = run.config
        other = config.replace(model=config.model.replace(dim=16))
        (run.path / "config.json").write_text(other.to_json())
    else:
        ours = b'"step\\": 3' if damage == "position" else b'"tables'
        theirs = b'"step\\":-3' if damage == "position" else b'"tabl3s'
        content = path.read_bytes()
        assert content.replace(b"\\", b"").count(ours.replace(b"\\", b"")) == 1
        path.write_bytes(content.replace(ours, theirs))
    (run.path / "steps.jsonl").open("a").write('{"step": 4, "epoch": 2}\n')
    with pytest.raises(RunError, match=r"does not fit its config|is damaged"):
        resume(run.path, task=few)
    assert len(run.table("steps")) == 4 and run.status().state == "stopped"


# --- the right sentence -------------------------------------------------------------------------


def ending(few, folder, monkeypatch, happens):
    """What is said of a training to which something ``happens`` after its first epoch."""
    closing = Session.close_epoch

    def then(self, bar):
        closing(self, bar)
        happens(self.run)

    with monkeypatch.context() as patch, pytest.raises((RunError, OSError)) as error:
        patch.setattr(Session, "close_epoch", then)
        train(few, trainings.TINY, TWO, folder=folder)
    return str(error.value)


def test_a_folder_that_was_moved_is_not_out_of_room(few, tmp_path, monkeypatch):
    move = lambda run: run.path.rename(tmp_path / "moved")  # noqa: E731
    said = ending(few, tmp_path / "run", monkeypatch, move)
    assert "was moved or removed meanwhile; put it back, or name its new place" in said
    assert "room" not in said and not (tmp_path / "run").exists()
    assert Run(tmp_path / "moved").status().state == "crashed"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EROFS, "read-only now; mount it for writing"),
        pytest.param(errno.EACCES, "This user may not write there", marks=pytest.mark.slow),
        (errno.ENOSPC, "Make room on the disk"),
        pytest.param(errno.EIO, "has failed", marks=pytest.mark.slow),
    ],
)
def test_each_refusal_has_its_way_out(few, tmp_path, monkeypatch, number, words):
    def refuse(run):
        raise OSError(number, os.strerror(number), str(run.path / "steps.jsonl"))

    said = ending(few, tmp_path / "run", monkeypatch, refuse)
    assert words in said and "go on with: dista train --resume" in said
    assert ("room" in said) == (number == errno.ENOSPC)


def test_data_that_are_gone_are_not_the_run_that_cannot_be_written(few, tmp_path, monkeypatch):
    def gone(run):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/data/of/mine.bin")

    said = ending(few, tmp_path / "run", monkeypatch, gone)
    assert "could not be written" not in said and "/data/of/mine.bin" in said
    assert Run(tmp_path / "run").status().reason == "/data/of/mine.bin: No such file or directory"


# --- another system -----------------------------------------------------------------------------

ELSEWHERE = """
import sys
for name in ("resource", "fcntl", "pwd", "grp", "termios"):
    sys.modules[name] = None
import signal, trainings
from dista.training import plan, train
few = trainings.few_digits()
run = train(few, trainings.TINY, trainings.ONE, folder=sys.argv[1])
print(run.status().state)
"""


def test_training_needs_no_module_that_only_unix_has(tmp_path):
    answer = trainings.python(ELSEWHERE, tmp_path / "run")
    assert answer.stdout == "finished\n", answer.stderr


def test_the_memory_of_a_plan_without_resource(monkeypatch):
    import psutil

    from dista.training.dry_run import _memory

    class Windows:
        def memory_info(self):
            return type("Info", (), {"peak_wset": 5_000_000})

    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setattr(psutil, "Process", Windows)
    assert _memory() == 5.0


def test_without_a_home_nothing_is_kept_and_nothing_is_made(tmp_path, monkeypatch):
    import numpy as np

    from dista.data.cache import cached_arrays

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    made = [cached_arrays("x", lambda: {"a": np.arange(3)})["a"] for _ in range(2)]
    assert np.array_equal(*made) and list(tmp_path.iterdir()) == []
