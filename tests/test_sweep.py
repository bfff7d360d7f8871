"""Grids of trainings: what a grid may say, who trains what, and what is left after a kill."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import threading
import time

import pytest
import trainings
from typer.testing import CliRunner

from dista import cli, data, runs, training
from dista.runs import Run, RunError
from dista.studies import answers, cost
from dista.studies import grid as grids
from dista.studies import sweep as sweeps
from dista.studies import work as worker
from dista.studies.grid import GridError
from dista.studies.queue import ERRORS, Queue
from dista.studies.study import Study, StudyError, begin
from dista.studies.work import Stop, work
from dista.training.session import Session
from dista.training.writer import Writer

GRID = """\
preset: tiny
data: digits
options:
  epochs: 2
  batch_size: 30
  model.dim: 8
  model.time_steps: 2
  model.memory.window: 2
seeds: [0, 1]
crossed:
  denoiser:
    none: {model.denoiser.kind: none}
    threshold: {model.denoiser.kind: threshold}
baseline: denoiser=none
"""
RUNS = [f"denoiser={kind},seed={seed}" for seed in (0, 1) for kind in ("none", "threshold")]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("grids") / "tiny.yml"
    path.write_text(GRID)
    return path


@pytest.fixture(scope="module", autouse=True)
def few():
    """The digits are few, for whoever opens them; and nothing is recorded, which takes most of the time."""
    task = trainings.few_digits()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "open_for", lambda config, name, **options: task)
        patch.setattr(Writer, "write_activity", lambda *arguments, **options: None)
        yield task


@pytest.fixture(scope="module")
def swept(file, tmp_path_factory):
    """A study that nothing happened to."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    found = sweeps.sweep(file, folder)
    assert (found.finished, found.half_done, found.runs, found.given_up) == (4, 0, 4, {})
    return Study(folder)


def assert_same(study, whole):
    """The same weights in every run, bit for bit, and the same answers."""
    for run, other in zip(study.planned(), whole.planned(), strict=True):
        assert trainings.same_weights(run.run(), other.run()), run.name
        ours, theirs = answers.read(run.path), answers.read(other.path)
        assert ours.answer.tolist() == theirs.answer.tolist()


# --- what a grid says ---------------------------------------------------------------------------


def test_every_combination_and_every_single_one_with_every_seed(tmp_path):
    text = GRID.replace("baseline", "  model.neuron.tau: [1.5, 3]\nbaseline")
    text = (
        text.replace("=none\n", "=none,neuron.tau=3\n") + "listed:\n  slow: {lr: 1e-4, ema: 0.9}\n"
    )
    (tmp_path / "grid.yml").write_text(text)
    found = Study(tmp_path).planned()
    names = [
        f"denoiser={kind},neuron.tau={tau}" for kind in ("none", "threshold") for tau in (1.5, 3)
    ]
    wanted = [f"{name},seed={seed}" for seed in (0, 1) for name in [*names, "slow"]]
    assert [run.name for run in found] == wanted
    one, slow = found[5].config, found[4].config
    assert (
        one.model.neuron.tau == 1.5 and one.model.denoiser.kind == "none" and one.training.seed == 1
    )
    assert (slow.training.lr, slow.training.ema, slow.training.threads) == (1e-4, 0.9, 1)
    assert slow.model.time_steps == 2 and slow.training.epochs == 2
    assert found[0].configuration.levels == {"denoiser": "none", "neuron.tau": "1.5"}


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("epochs: 2", "epochs: none", "line 4: .*epochs: .*valid integer.*given 'none'"),
        ("epochs: 2", "epoch: 2", "line 4: .*no field 'epoch'.*did you mean epochs"),
        ("epochs: 2", "epochs: 2\n  epochs: 3", "line 5: epochs is said twice"),
        ("epochs: 2", "seed: 2", "line 4: .*seeds has them"),
        ("epochs: 2", "minutes: 2", "line 4: .*choose epochs"),
        ("[0, 1]", "[0, x]", "line 9, seeds.1: .*valid integer.*given 'x'"),
        ("[0, 1]", "[0, 0]", "line 9, seeds: .*names one twice"),
        ("[0, 1]", "[]", "line 9, seeds: .*at least 1"),
        ("kind: none", "kind: non", "line 12: denoiser=none: denoiser: kind: .*given 'non'"),
        ("kind: threshold", "knd: threshold", "line 13: denoiser=threshold: .*did you mean kind"),
        ("    none:", "    no ne:", ".*'no ne' is no name: expected letters"),
        ("baseline: denoiser=none", "baseline: denoiser=not", "line 14, baseline: .*did you mean denoiser=none"),
        ("seeds:", "sedes:", "seeds: Field required; line 9, sedes: unknown; expected one of preset, "),
        ("preset: tiny", "preset: tinny", "line 1: .*no preset 'tinny'"),
        ("crossed:", "crossed: [", "line 12: expected .,. or"),
    ],
)  # fmt: skip
def test_an_error_names_line_and_key_and_what_was_expected(tmp_path, before, after, message):
    path = tmp_path / "bad.yml"
    path.write_text(GRID.replace(before, after, 1))
    with pytest.raises(GridError, match=f"bad.yml[,:] {message}"):
        grids.read(path)


@pytest.mark.parametrize("path", sorted(grids.SHIPPED.glob("*.yml")), ids=lambda path: path.stem)
def test_shipped_grids_are_grids(path):
    grid = grids.read(grids.find(path.stem))
    assert len(grid.seeds) >= 3
    for one in grid.configurations():  # the same start for all, and rates tuned for none
        assert one.config(0).training.init == grid.configurations()[0].config(0).training.init
        assert one.config(0).training.lr == grid.configurations()[0].config(0).training.lr


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("threshold: {model.denoiser.kind: threshold}", "wide: {model.classes: 3}", "denoiser=wide: .*3 classes.* has 10"),
        ("kind: threshold}", "kind: none}", "denoiser=threshold: it is the same as denoiser=none"),
        ("epochs: 2", "init: nowhere", "denoiser=none: .*nowhere"),
    ],
)  # fmt: skip
def test_a_grid_with_one_impossible_combination_is_refused_whole(tmp_path, before, after, message):
    path = tmp_path / "bad.yml"
    path.write_text(GRID.replace(before, after, 1))
    with pytest.raises(GridError, match=message):
        sweeps.sweep(path, tmp_path / "study")
    assert not (tmp_path / "study").exists()


def test_a_study_grows_and_does_not_change(swept, tmp_path):
    grown = tmp_path / "grown.yml"
    grown.write_text(GRID.replace("[0, 1]", "[0, 1, 2]"))
    begin(grown, swept.path)
    assert [run.finished for run in Study(swept.path).planned()] == [True] * 4 + [False] * 2
    grown.write_text(GRID)
    begin(grown, swept.path)
    grown.write_text(GRID.replace("epochs: 2", "epochs: 3"))
    with pytest.raises(
        StudyError, match=r"in which denoiser=none has other options; begin .* --out"
    ):
        begin(grown, swept.path)
    (tmp_path / "mine.txt").touch()
    with pytest.raises(StudyError, match="is no study; choose another path"):
        begin(grown, tmp_path)


# --- one worker ---------------------------------------------------------------------------------


def test_runs_are_ordinary_ones_and_listed_with_the_others(swept):
    assert sorted(run.name for run in swept.planned()) == sorted(RUNS)
    listed = runs.find(swept.path.parent)
    assert {run.name for run in listed} == {f"whole/{name}" for name in RUNS}
    one = Run(swept.path / "runs" / RUNS[0])
    assert one.load("best").card["name"] == f"whole/{RUNS[0]}" and len(one.table("epochs")) == 2


def test_the_answers_are_those_of_the_best_checkpoint(swept, few):
    run = swept.planned()[3].run()
    model = run.load("best")
    kept = answers.Content.read(run.path / answers.FILE)
    x, y = few.test.batch(range(40))
    assert kept.label == y.tolist() and kept.weights == model.card["weights"]
    assert answers.read(run.path).accuracy == model.card["metrics"]["test"]["accuracy"]
    assert kept.answer == model(x).argmax(-1).tolist()


def test_what_is_finished_is_not_repeated(swept, file, monkeypatch):
    monkeypatch.setattr(training, "train", None)
    monkeypatch.setattr(training, "resume", None)
    assert sweeps.sweep(file, swept.path).finished == 4
    (swept.path / "study.db").unlink()  # all that counts is in the runs
    said = []
    assert sweeps.sweep(file, swept.path, say=said.append).finished == 4
    assert said == []


def test_another_run_in_the_place_of_one_is_an_error(file, swept, tmp_path):
    study = begin(file, tmp_path / "study")
    other = swept.planned()[1].path
    (study.path / "runs").mkdir()
    (study.path / "runs" / RUNS[0]).symlink_to(other)
    with pytest.raises(RunError, match="trained with other options"):
        sweeps.sweep(file, study.path)


def test_a_run_is_stopped_and_the_next_sweep_begins_with_it(file, swept, tmp_path, monkeypatch):
    study, said, event = begin(file, tmp_path / "study"), [], threading.Event()
    step = Session.step

    def slow_step(self, batches):
        step(self, batches)
        if event.is_set() and study.planned()[1].status().state == "running":
            time.sleep(0.6)  # so that a look at what was asked falls between two steps

    monkeypatch.setattr(Session, "step", slow_step)

    def say(line):
        said.append(line)
        if line == f"{RUNS[1]}: begins":
            event.set()

    work(Queue(study), Stop(event), say)
    assert (
        said[-1].startswith(f"{RUNS[1]}: stopped")
        and study.planned()[1].status().state == "stopped"
    )
    found = sweeps.sweep(file, study.path, say=said.append)
    assert said[4].startswith(f"{RUNS[1]}: goes on, after ") and found.finished == 4
    assert_same(study, swept)


@pytest.mark.parametrize(
    "there", [[], [".grid.yml.1a2b.part"], ["grid.yml", "study.db"], ["thesis.tex"]]
)
def test_a_study_begins_where_nothing_else_is(file, tmp_path, there):
    """Also where another process is just beginning the same one."""
    folder = tmp_path / "study"
    folder.mkdir()
    for name in there:
        (folder / name).write_bytes(file.read_bytes())
    if "thesis.tex" in there:
        with pytest.raises(StudyError, match="is no study; choose another path"):
            begin(file, folder)
        assert [path.name for path in folder.iterdir()] == there
    else:
        assert begin(file, folder).grid.seeds


def test_when_time_is_up_nothing_begins(file, tmp_path):
    found = sweeps.sweep(file, tmp_path / "study", hours=1e-9)
    assert (found.finished, found.half_done, found.runs) == (0, 0, 4)


def test_what_fails_is_tried_again_and_given_up_in_the_end(file, tmp_path, monkeypatch):
    tried, luck = [], [False]

    def finish(run, stop, say):
        tried.append(run.name)
        if run.name == RUNS[1] and not luck[0]:
            raise RuntimeError("no such luck")
        Run.create(run.path, run.config, {}).set_status("finished", epoch=2)
        return 0.5

    monkeypatch.setattr(worker, "finish", finish)
    outcome = sweeps.sweep(file, tmp_path / "study")
    assert outcome.finished == 3 and outcome.given_up == {RUNS[1]: "RuntimeError: no such luck"}
    assert tried.count(RUNS[1]) == ERRORS and len(tried) == ERRORS + 3
    assert sweeps.sweep(file, tmp_path / "study").given_up == outcome.given_up
    assert len(tried) == ERRORS + 3
    luck[0] = True
    assert sweeps.sweep(file, tmp_path / "study", retry=True).finished == 4


# --- several processes --------------------------------------------------------------------------


def test_two_trials_of_a_run_train_it_once(file, tmp_path):
    """As two workers may add them that share no folder: the later one gives way while the first is at it."""
    queue = Queue(begin(file, tmp_path / "study"))
    for _ in range(2):
        queue.optuna.enqueue_trial({}, user_attrs={"run": RUNS[0]})
    worked = []

    def nested(run):
        Queue(queue.study).attempt(worked.append)  # another worker, meanwhile
        return 0.5

    queue.attempt(nested)
    assert worked == []
    assert [trial.state.name for trial in queue.trials()[RUNS[0]]] == ["COMPLETE", "PRUNED"]


@pytest.mark.filterwarnings("ignore:Heartbeat")
def test_the_trial_of_a_process_that_is_gone_is_taken_up(file, tmp_path):
    queue = Queue(begin(file, tmp_path / "study"), heartbeat=1, grace=1)

    def ask(*holder):
        assert queue.fill()
        queue.optuna.ask().set_user_attr("holder", list(holder))

    ask(socket.gethostname(), os.getpid(), 1.0)  # a process of that number, but not that one
    assert queue.fill()  # at once
    (buried, again) = queue.trials()[RUNS[0]]
    assert (buried.state.name, again.state.name) == ("FAIL", "WAITING")
    queue.optuna.ask().set_user_attr("holder", ["another machine", 1, 1.0])
    queue.optuna._storage.record_heartbeat(again._trial_id)
    assert queue.fill() and len(queue.trials()[RUNS[0]]) == 2  # it may be alive: the next run waits
    end = time.monotonic() + 20
    while queue.trials()[RUNS[0]][-1].state.name == "RUNNING" and time.monotonic() < end:
        time.sleep(0.2)
        queue.fill()
    assert queue.trials()[RUNS[0]][1].state.name == "FAIL"


def test_machines_without_a_folder_in_common_share_a_storage(file, tmp_path):
    """By the name of their study: what one has finished the others leave alone."""
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    here, there = (Queue(begin(file, tmp_path / name / "study"), url) for name in ("a", "b"))
    worked = []
    for queue in (here, there, here):
        assert queue.fill()
        queue.attempt(lambda run: worked.append(run.path) or 0.5)
    owners = [(path.parts[-4], path.name) for path in worked]
    assert owners == [("a", RUNS[0]), ("b", RUNS[1]), ("a", RUNS[2])]
    outcome = sweeps.outcome(there.study, there)
    assert (outcome.finished, outcome.runs) == (3, 4)
    with pytest.raises(
        StudyError, match=r"storage nothing:\*\*\*@here cannot be used: .*postgresql\+psycopg"
    ):
        Queue(here.study, "nothing:secret@here")


def killed_after(file, folder, lines):
    """Sweep in this process, and kill it when so many lines of tables have been written."""
    append = Run.append
    left = [lines]

    def dying(run, table, rows):
        left[0] -= 1
        if not left[0]:
            trainings.kill_this_process()
        append(run, table, rows)

    Run.append = dying
    sweeps.sweep(file, folder)


def in_another_process(function, *arguments):
    """Forked, as importing everything anew would take most of the time of these tests."""
    if not hasattr(os, "fork"):
        pytest.skip("there is no fork")
    process = multiprocessing.get_context("fork").Process(target=function, args=arguments)
    process.start()
    return process


def test_a_killed_sweep_goes_on_as_if_nothing_had_happened(file, swept, tmp_path):
    for lines in (2, 7, 10):  # before the first state, in the second epoch, and in another run
        process = in_another_process(killed_after, file, tmp_path / "study", lines)
        process.join(120)
        assert process.exitcode == -9
    study = Study(tmp_path / "study")
    before = {run.name: run.status() for run in study.planned()}
    assert before[RUNS[0]].state == "finished" and before[RUNS[1]].state == "crashed"
    assert sweeps.sweep(file, study.path).finished == 4
    assert study.planned()[0].status() == before[RUNS[0]]
    assert_same(study, swept)


def one_of_two(file, folder, log):
    with log.open("w", buffering=1) as out:
        sweeps.sweep(file, folder, say=lambda line: out.write(f"{line}\n"))


def test_two_sweeps_of_one_study_share_its_runs(file, swept, tmp_path):
    logs = [tmp_path / "one.log", tmp_path / "other.log"]
    both = [in_another_process(one_of_two, file, tmp_path / "study", log) for log in logs]
    for process in both:
        process.join(120)
    assert [process.exitcode for process in both] == [0, 0]
    said = [log.read_text().splitlines() for log in logs]
    begun = [[line for line in lines if "begins" in line] for lines in said]
    assert all(begun) and sorted([*begun[0], *begun[1]]) == sorted(
        f"{name}: begins" for name in RUNS
    )
    assert_same(Study(tmp_path / "study"), swept)


# --- the command --------------------------------------------------------------------------------


def test_what_is_left_is_measured_by_finished_runs_or_by_steps(file, swept, tmp_path):
    study = begin(file, tmp_path / "study")
    (study.path / "runs").mkdir()
    whole = swept.planned()[0]
    (study.path / "runs" / whole.name).symlink_to(whole.path)
    found = cost.costs(study.planned())
    assert [one.measured for one in found] == ["", "steps", "runs", "steps"]
    assert [one.state for one in found] == ["finished", *["not begun"] * 3]
    assert found[0].minutes == 0 and found[2].minutes == whole.status().seconds / 60
    assert found[1].minutes == found[3].minutes > 0


def test_a_dry_run_prints_every_run_and_writes_nothing(file, tmp_path, monkeypatch):
    monkeypatch.setattr(cost, "_from_steps", lambda what: 90.0)
    words = ["sweep", str(file), "--out", str(tmp_path / "study"), "--dry-run", "--workers", "2"]
    answer = CliRunner().invoke(cli.app, words)
    lines = answer.output.splitlines()
    assert [line.split()[-1] for line in lines[:4]] == RUNS
    assert "90.0 min  by measured steps" in lines[0] and "not begun" in lines[0]
    assert "worker_hours  6.0" in answer.output and "hours  3.0" in answer.output
    assert list(tmp_path.iterdir()) == []


def test_a_study_goes_where_the_dashboard_looks(file, tmp_path, monkeypatch):
    monkeypatch.setattr(cost, "_from_steps", lambda what: 90.0)
    monkeypatch.setenv("DISTA_RUNS", str(tmp_path / "elsewhere"))
    answer = CliRunner().invoke(cli.app, ["sweep", str(file), "--dry-run", "--json"])
    assert json.loads(answer.output)["study"] == str(tmp_path / "elsewhere" / file.stem)


@pytest.mark.parametrize(
    ("option", "message"), [("workers", "at least 1"), ("hours", "more than 0")]
)
def test_no_workers_and_no_time_are_errors(file, tmp_path, option, message):
    with pytest.raises(ValueError, match=f"{option}=0; expected {message}"):
        sweeps.sweep(file, tmp_path / "study", **{option: 0})


def test_a_grid_that_is_nowhere_is_an_error_that_names_the_shipped_ones():
    with pytest.raises(GridError, match=r"no file ablation, and .* shipped: .*match-ablation"):
        grids.find("ablation")
