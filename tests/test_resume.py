"""A training that is stopped, killed or out of room goes on later as if nothing had happened."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys

import pytest
import torch
import trainings
from safetensors import safe_open

import dista
from dista.runs import Run, RunError
from dista.training import Stopped, resume, train
from dista.training.session import Session

# Everything on that a resume could get wrong: two epochs, augmentation, mixing, accumulation, averages.
FULL = trainings.ONE.replace(
    epochs=2,
    batch_size=10,
    accumulate=2,
    ema=0.9,
    mixup=0.5,
    erasing=0.5,
    tau_max=9.0,
    save_minutes=0,
)
TABLES = ("steps", "epochs", "neurons", "gradients", "attention")


def slow(*values):
    """A case of the same kind as its neighbours: each takes a process that is killed, and its resume."""
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def few():
    return trainings.few_digits()


@pytest.fixture(scope="module")
def whole(few, tmp_path_factory):
    """The run that nothing happened to."""
    return train(few, trainings.TINY, FULL, folder=tmp_path_factory.mktemp("runs") / "whole")


def assert_same(run, whole):
    """Same weights bit for bit, same tables but for times, nothing left over."""
    assert run.status().state == "finished"
    assert trainings.same_weights(run, whole)
    for name in TABLES:
        ours, theirs = (
            r.table(name).drop(columns="seconds", errors="ignore") for r in (run, whole)
        )
        assert ours.equals(theirs), name
    assert run.starting_taus() == whole.starting_taus() == run.load("last").card["starting_taus"]
    assert run.snapshots() == whole.snapshots()
    assert [*run.path.rglob(".*")] == []


def stop_at(monkeypatch, at, number):
    """The signal arrives while step ``at`` is being made."""
    step = Session.step

    def interrupted(self, batches):
        if self.position.step + 1 == at:
            signal.raise_signal(number)
        step(self, batches)

    monkeypatch.setattr(Session, "step", interrupted)


# --- kill -9 ------------------------------------------------------------------------------------

KILLED = """
import sys, trainings
from dista.config import TrainingConfig
from dista import recording
from dista.files import replacement
from dista.runs import Run
from dista.training import train

folder, config, place, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
calls = 0

def dying(function, half=False):
    def call(*arguments, **options):
        global calls
        calls += 1
        if calls == count:
            if half:
                half_a_file(*arguments)
            trainings.kill_this_process()
        return function(*arguments, **options)
    return call

def half_a_file(path, content=b"half a file"):
    path.with_name(f".{path.name}.{1}.part").write_bytes(content[: len(content) // 2])

def half_a_line(run, table, rows):
    with open(run.path / f"{table}.jsonl", "a") as file:
        file.write('{"step": 9, "lo')

if place == "line":
    half_a_file = half_a_line
    Run.append = dying(Run.append, half=True)
elif place == "state":
    import dista.runs
    whole = dista.runs.folder.write_whole
    slow = dying(whole, half=True)
    dista.runs.folder.write_whole = lambda path, content: (
        slow if path.name == "resume.safetensors" else whole)(path, content)
elif place == "checkpoint":
    file_in_place = replacement.replacing
    slow = dying(file_in_place, half=True)
    replacement.replacing = lambda path: (
        slow if "checkpoints" in path.parts else file_in_place)(path)
elif place == "snapshot":
    Run.save_snapshot = dying(Run.save_snapshot)
train(trainings.few_digits(), trainings.TINY, TrainingConfig.from_json(config), folder=folder)
"""

MOMENTS = [
    slow("line", 1),  # before the first state
    slow("line", 3),  # in the first epoch
    slow("line", 9),  # in the tables of an epoch
    ("state", 2),
    slow("state", 5),
    slow("checkpoint", 2),  # between the files of the first one
    slow("checkpoint", 10),
    slow("snapshot", 2),
]


@pytest.mark.parametrize(("place", "count"), MOMENTS)
def test_killed_and_resumed_is_as_if_nothing_happened(few, whole, tmp_path, place, count):
    answer = trainings.python(KILLED, tmp_path / "run", FULL.to_json(), place, str(count))
    assert answer.returncode == -signal.SIGKILL, answer.stderr
    run = Run(tmp_path / "run")
    assert run.status().state == "crashed" and "killed" in run.status().reason
    assert_same(resume(run.path, task=few), whole)


def test_a_run_goes_on_without_the_checkpoint_it_started_from(few, whole, tmp_path, monkeypatch):
    """It has weights of its own by then."""
    start = whole.load("last")
    dista.save(start, tmp_path / "start")
    config = FULL.replace(init=str(tmp_path / "start"))
    stop_at(monkeypatch, 4, signal.SIGTERM)
    with pytest.raises(Stopped):
        train(few, trainings.TINY, config, folder=tmp_path / "run")
    monkeypatch.undo()
    (tmp_path / "start").rename(tmp_path / "gone")
    assert resume(tmp_path / "run", task=few).status().state == "finished"


@pytest.mark.slow
def test_killed_twice(few, whole, tmp_path):
    """The second time in a process that had resumed."""
    folder = tmp_path / "run"
    trainings.python(KILLED, folder, FULL.to_json(), "line", "3")
    script = KILLED.replace("import train\n", "import resume\n").replace(
        "train(trainings.few_digits(), trainings.TINY, TrainingConfig.from_json(config), folder=folder)",
        "resume(folder, task=trainings.few_digits())",
    )
    answer = trainings.python(script, folder, FULL.to_json(), "state", "2")
    assert answer.returncode == -signal.SIGKILL, answer.stderr
    assert_same(resume(folder, task=few), whole)


# --- Ctrl-C and SIGTERM -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "number"),
    [
        (1, signal.SIGINT),
        (4, signal.SIGTERM),
        *(slow(at, number) for at, number in [(1, signal.SIGTERM), (4, signal.SIGINT)]),
        *(slow(3, number) for number in [signal.SIGINT, signal.SIGTERM]),
    ],
)
def test_a_signal_finishes_the_step_and_saves(few, whole, tmp_path, monkeypatch, number, at):
    before = signal.getsignal(signal.SIGTERM)
    stop_at(monkeypatch, at, number)
    with pytest.raises(
        Stopped, match=f"stopped after step {at}; go on with: dista train --resume"
    ) as e:
        train(few, trainings.TINY, FULL, folder=tmp_path / "run")
    assert e.value.signal == number and signal.getsignal(signal.SIGTERM) == before
    run = Run(tmp_path / "run")
    assert run.status().state == "stopped" and run.status().step == at
    assert run.table("steps")["step"].tolist() == list(range(1, at + 1))
    monkeypatch.undo()
    assert_same(resume(run.path, task=few), whole)


def test_a_second_ctrl_c_stops_at_once(few, tmp_path, monkeypatch):
    def twice(self, batches):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Session, "step", twice)
    # A shell's background job ignores the signal, and so would these tests in one.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt) as error:
            train(few, trainings.TINY, FULL, folder=tmp_path / "run")
    finally:
        signal.signal(signal.SIGINT, before)
    assert not isinstance(error.value, Stopped)
    assert Run(tmp_path / "run").status().state == "stopped"


# --- no room, no permission ---------------------------------------------------------------------


NO_ROOM = """
import errno, os, resource, sys, trainings
import dista.runs
from dista.config import TrainingConfig
from dista.runs import RunError
from dista.training import train
from dista.training.session import Session

closing = Session.close_epoch

def filling(self, bar):
    closing(self, bar)
    self.run.save_state(self.parts.tensors(), vars(self.position))
    if sys.argv[3] == "read-only":
        dista.runs.folder.write_whole = refuse
    else:
        room = (self.run.path / "steps.jsonl").stat().st_size + int(sys.argv[3])
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, -1))

def refuse(path, content):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

Session.close_epoch = filling
try:
    train(trainings.few_digits(), trainings.TINY, TrainingConfig.from_json(sys.argv[2]), folder=sys.argv[1])
except RunError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("50", "File too large. Make room"),  # in the middle of a line
        slow("10000", "File too large. Make room"),  # in the middle of a state
        slow("read-only", "Read-only file system. The file system is read-only now; mount it"),
    ],
)
def test_no_room_says_so_and_leaves_the_state_before(few, whole, tmp_path, fault, words):
    """Files that may not grow stand for a disk that is full: the system refuses the rest of a write."""
    answer = trainings.python(NO_ROOM, tmp_path / "run", FULL.to_json(), fault)
    assert f"could not be written: {words}" in answer.stdout, answer.stderr
    assert "state before is intact; go on with" in answer.stdout
    run = Run(tmp_path / "run")
    assert run.status().state == "crashed"
    assert (run.path / "steps.jsonl").read_text().endswith("}\n"), "half a line is left"
    assert_same(resume(run.path, task=few), whole)


# --- the state itself ---------------------------------------------------------------------------


def test_the_state_is_safetensors_with_json_in_its_header(whole):
    with safe_open(whole.path / "resume.safetensors", "pt") as file:
        names = set(file.keys())
        facts = json.loads(file.metadata()["state"])
        assert file.get_tensor("random.cpu").dtype == torch.uint8
    assert facts["position"]["epoch"] == 2 and facts["position"]["step"] == 6
    assert {"optimizer.0.exp_avg", "average.head.linear.weight", "gradients"} <= names


@pytest.mark.parametrize("state", ["finished", "running"])
def test_nothing_to_resume(few, whole, tmp_path, state):
    if state == "finished":
        with pytest.raises(RunError, match="is finished; there is nothing to resume"):
            resume(whole.path, task=few)
        return
    run = Run.create(tmp_path / "run", whole.config, {})
    who = f"is running: process {os.getpid()} on .+, since .+ writes it; there is nothing to resume"
    with pytest.raises(RunError, match=who):
        resume(run.path, task=few)


def test_a_damaged_state_is_said_and_nothing_is_touched(few, whole, tmp_path):
    run = Run.create(tmp_path / "run", whole.config, {})
    run.append("steps", [{"step": 1}])
    run.set_status("stopped")
    (run.path / "resume.safetensors").write_bytes(b"\0" * 40)
    with pytest.raises(RunError, match=r"resume\.safetensors is damaged"):
        resume(run.path, task=few)
    assert len(run.table("steps")) == 1 and run.status().state == "stopped"


@pytest.mark.slow
def test_from_the_command_line(tmp_path):
    """A real SIGTERM to a real process, and --resume: exit status, message, and the end."""
    folder = tmp_path / "run"
    start = [sys.executable, "-m", "dista", "train"]
    options = ["--preset", "tiny", "--data", "digits", "--epochs", "40", "--threads", "1"]
    process = subprocess.Popen(
        [*start, *options, "--set", "minutes=0.03", "--out", str(folder)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while not (folder / "steps.jsonl").is_file():
        assert process.poll() is None, process.stderr.read()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    assert said.count("\n") == 1 and f"--resume {folder}" in said
    assert Run(folder).status().state == "stopped"
    answer = subprocess.run(
        [*start, "--resume", str(folder), "--json"], capture_output=True, text=True, check=True
    )
    assert json.loads(answer.stdout)["samples"] == 1000
    steps = Run(folder).table("steps")["step"]
    assert steps.tolist() == list(range(1, len(steps) + 1))
    assert Run(folder).status().reason == "its time was up"
    assert stat.S_ISREG(os.stat(folder / "resume.safetensors").st_mode)
