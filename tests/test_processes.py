"""One process writes a run, whoever else would like to; and everybody can tell whether it still does."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from dista.config import TrainingConfig
from dista.runs import Run, RunConfig, RunError, processes, unfinished

WRITER = """
import sys, time
from dista.runs import Run, RunConfig
path, words = sys.argv[1:]
try:
    if words == "resume":
        run = Run(path)
        run.reopen()
    else:
        run = Run.create(path, RunConfig.from_json(words), {})
except ValueError as error:
    sys.exit(str(error))
print("mine", flush=True)
while not run.asked_to_stop():
    time.sleep(0.02)
run.set_status("stopped", epoch=0, step=0)
"""


@pytest.fixture(scope="module")
def config(small_config):
    return RunConfig(
        preset="tiny", data="digits", model=small_config(), training=TrainingConfig(epochs=3)
    )


@pytest.fixture
def writer(tmp_path, config):
    """``writer(words)``: a process that creates the run, or resumes it; ended after the test."""
    started = []

    def start(words=config.to_json(), path=tmp_path / "run"):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def has_it(process):
    return process.stdout.readline() == "mine\n"


def kill(process):
    process.kill()
    process.wait()


# --- two processes ------------------------------------------------------------------------------


def test_of_two_that_resume_one_run_at_the_same_moment_one_goes_on(tmp_path, config, writer):
    Run.create(tmp_path / "run", config, {}).set_status("stopped")
    both = [writer("resume"), writer("resume")]
    (winner,) = (process for process in both if has_it(process))
    (loser,) = (process for process in both if process is not winner)
    assert loser.wait(60) == 1
    said = loser.stderr.read()
    assert f"is running: process {winner.pid} on {socket.gethostname()}, since 20" in said
    assert winner.poll() is None and Run(tmp_path / "run").status().state == "running"


def test_a_running_run_is_not_resumed_and_not_started_again(tmp_path, config, writer):
    first = writer()
    assert has_it(first)
    run = Run(tmp_path / "run")
    with pytest.raises(RunError, match=f"is running: process {first.pid} on "):
        run.reopen()
    with pytest.raises(RunError, match="is running: process"):
        run.set_status("running")
    with pytest.raises(RunError, match="not empty"):
        Run.create(run.path, config, {})
    kill(first)
    assert run.reopen() is None and Run(run.path).status().state == "running"


def test_a_killed_writer_lets_go_at_once_zombie_or_not(tmp_path, writer):
    first = writer()
    assert has_it(first)
    run = Run(tmp_path / "run")
    assert run.status().state == "running"
    first.kill()
    os.waitid(os.P_PID, first.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays a zombie
    status = run.status()
    assert (status.state, status.reason) == ("crashed", "its process is gone; it was killed")


def test_those_who_look_at_the_same_moment_do_not_take_each_other_for_a_writer(tmp_path, config):
    run = Run.create(tmp_path / "run", config, {})
    run.release()
    seen = in_threads(4, lambda: [Run(run.path).status().state for _ in range(200)])
    assert seen == ["crashed"] * 800


def test_those_who_look_keep_nobody_from_writing(tmp_path, config):
    run = Run.create(tmp_path / "run", config, {})

    def take_and_let_go():
        for _ in range(30):
            run.set_status("stopped")
            run.set_status("running")

    busy = threading.Thread(target=take_and_let_go)
    busy.start()
    states = set(in_threads(4, lambda: [Run(run.path).status().state for _ in range(200)]))
    busy.join()
    assert run.status().state == "running" and states <= {"running", "stopped", "crashed"}


def in_threads(count, read):
    """What ``read`` returns in each of several threads, as one list."""
    seen = []
    threads = [threading.Thread(target=lambda: seen.extend(read())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


# --- hosts, numbers, clocks ---------------------------------------------------------------------


def test_killed_in_a_container_and_resumed_under_another_name(tmp_path, writer, monkeypatch):
    first = writer()
    assert has_it(first)
    kill(first)
    monkeypatch.setattr(socket, "gethostname", lambda: "another-container")
    run = Run(tmp_path / "run")
    assert run.status().state == "crashed" and run.reopen() is None
    assert "on another-container, since" in processes.holder(run.path)


def test_a_writer_on_another_host_holds_it_and_can_be_asked_to_stop(tmp_path, writer, monkeypatch):
    first = writer()
    assert has_it(first)
    host = socket.gethostname()
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    run = Run(tmp_path / "run")
    with pytest.raises(RunError, match=f"is running: process {first.pid} on {host}"):
        run.reopen()
    run.ask_to_stop()
    assert first.wait(30) == 0
    assert run.status().state == "stopped" and not run.asked_to_stop()
    with pytest.raises(RunError, match="is not running"):
        run.ask_to_stop()


@pytest.mark.parametrize("jump", [-1e7, 1e7])
def test_a_clock_that_jumps_changes_nothing(tmp_path, writer, monkeypatch, jump):
    first = writer()
    assert has_it(first)
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + jump)
    run = Run(tmp_path / "run")
    assert run.status().state == "running"
    kill(first)
    assert run.status().state == "crashed" and run.reopen() is None


def test_a_number_that_another_process_has_now_is_no_sign_of_life(tmp_path, writer):
    first = writer()
    assert has_it(first)
    kill(first)
    holder = tmp_path / "run" / "holder.json"
    holder.write_text(json.dumps(json.loads(holder.read_text()) | {"pid": os.getpid()}))
    assert Run(tmp_path / "run").status().state == "crashed"


# --- what the status says, and what holds -------------------------------------------------------


@pytest.mark.parametrize("content", [None, b"", b"{}", b"[]", b'{"state": "flying"}', b"\xff"])
def test_a_damaged_status_neither_hides_a_writer_nor_stops_a_resume(tmp_path, config, content):
    run = Run.create(tmp_path / "run", config, {})
    (run.path / "status.json").unlink()
    if content is not None:
        (run.path / "status.json").write_bytes(content)
    assert Run(run.path).status().state == "running"
    run.release()
    status = run.status()
    assert status.state == "crashed" and "status" in status.reason
    assert run.reopen() is None


def test_the_last_status_lets_go(tmp_path, config):
    run = Run.create(tmp_path / "run", config, {})
    (run.path / "stop").touch()
    run.set_status("stopped", reason="asked")
    assert not processes.held(run.path) and not run.asked_to_stop()
    assert not (run.path / "holder.json").exists()


def test_an_old_wish_to_stop_is_not_for_the_next_writer(tmp_path, writer):
    first = writer()
    assert has_it(first)
    kill(first)
    (tmp_path / "run" / "stop").touch()
    second = writer("resume")
    assert has_it(second) and not Run(tmp_path / "run").asked_to_stop()


def test_a_damaged_holder_is_another_process(tmp_path, writer):
    assert has_it(writer())
    (tmp_path / "run" / "holder.json").write_bytes(b'{"pid": "x"}')
    with pytest.raises(RunError, match="is running: another process writes it"):
        Run(tmp_path / "run").reopen()


def test_a_folder_that_cannot_be_written_is_looked_at_all_the_same(tmp_path, writer, monkeypatch):
    """Only reading is asked for, so that another user, or a file system for reading, is no obstacle."""
    first = writer()
    assert has_it(first)
    opened = os.open

    def for_reading(path, flags, *mode, **options):
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, flags, *mode, **options)

    monkeypatch.setattr(os, "open", for_reading)
    run = Run(tmp_path / "run")
    assert run.status().state == "running"
    kill(first)
    assert run.status().state == "crashed"
    with pytest.raises(RunError, match=r"could not be written: Permission denied\. This user may"):
        run.reopen()


# --- without the system's locks -----------------------------------------------------------------


def test_without_fcntl_the_library_is_asked(tmp_path, writer, monkeypatch):
    """As on Windows, where filelock has LockFileEx."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    first = writer()
    assert has_it(first)
    assert Run(tmp_path / "run").status().state == "running"
    kill(first)
    assert Run(tmp_path / "run").status().state == "crashed"


@pytest.mark.filterwarnings("ignore:flock not supported")
def test_a_file_system_without_locks_gets_a_marker(tmp_path, config, monkeypatch):
    import fcntl

    def refused(*_):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", refused)
    run = Run.create(tmp_path / "run", config, {})
    assert Run(run.path).status().state == "running"
    with pytest.raises(RunError, match=f"is running: process {os.getpid()} "):
        Run(run.path).reopen()
    run.release()
    assert Run(run.path).status().state == "crashed"


# --- killed before there is a configuration -----------------------------------------------------

EARLY = """
import os, signal, sys
import dista.runs
from dista.runs import Run, RunConfig
path, config, count = sys.argv[1:]
whole, calls = dista.runs.folder.write_whole, 0

def dying(target, content):
    global calls
    calls += 1
    if calls == int(count):
        target.with_name(f".{target.name}.1.part").write_bytes(content[:5])
        os.kill(os.getpid(), signal.SIGKILL)
    whole(target, content)

dista.runs.folder.write_whole = dying
Run.create(path, RunConfig.from_json(config), {})
"""


@pytest.mark.parametrize("count", [1, 2, 3])
def test_killed_before_its_configuration_it_is_said_and_started_again(tmp_path, config, count):
    path = tmp_path / "run"
    words = [sys.executable, "-c", EARLY, str(path), config.to_json(), str(count)]
    assert subprocess.run(words).returncode == -signal.SIGKILL
    with pytest.raises(RunError, match=r"before its configuration was written, .* start it"):
        Run(path)
    assert list(unfinished(tmp_path)) == ["run"]
    run = Run.create(path, config, {"command": "again"})
    assert run.config == config and run.environment.command == "again"
    assert [*path.glob(".*")] == [] and unfinished(tmp_path) == {}


@pytest.mark.parametrize("name", ["thesis.txt", "snapshots/mine.zip", "checkpoints/best"])
def test_a_folder_with_anything_else_is_not_taken_for_one(tmp_path, config, name):
    path = tmp_path / "run"
    (path / name).parent.mkdir(parents=True, exist_ok=True)
    (path / name).write_text("mine")
    (path / "lock").touch()
    with pytest.raises(RunError, match="not empty"):
        Run.create(path, config, {})
    assert (path / name).read_text() == "mine" and unfinished(tmp_path) == {}


def test_a_status_without_our_lock_is_somebody_elses(tmp_path, config):
    (tmp_path / "status.json").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        Run.create(tmp_path, config, {})


# --- a folder that goes away --------------------------------------------------------------------


@pytest.mark.parametrize("again", [False, True], ids=["moved", "moved, and another in its place"])
def test_a_moved_folder_is_not_made_anew(tmp_path, config, again, small_model):
    run = Run.create(tmp_path / "run", config, {})
    run.append("steps", [{"step": 1}])
    run.path.rename(tmp_path / "moved")
    if again:
        Run.create(tmp_path / "run", config, {})
    before = sorted(p for p in tmp_path.rglob("*"))
    calls = [
        lambda: run.append("steps", [{"step": 2}]),
        lambda: run.save_state({}, {"step": 2}),
        lambda: run.save_snapshot(0, None),
        lambda: run.set_status("running"),
        lambda: run.set_status("stopped"),
        run.check_there,
    ]
    for call in calls:
        with pytest.raises(FileNotFoundError):
            call()
    assert sorted(p for p in tmp_path.rglob("*")) == before
    run.release()
    moved = Run(tmp_path / "moved")
    assert moved.status().state == "crashed" and len(moved.table("steps")) == 1
    assert moved.reopen() is None
