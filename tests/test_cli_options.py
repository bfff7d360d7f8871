"""What the command line refuses before it does anything: places that are taken, options of no use."""

from __future__ import annotations

import numpy as np
import pytest
import trainings
from typer.testing import CliRunner

import dista.data
from dista import checkpoint, cli
from dista.data.cache import cache_folder
from dista.runs import Run
from dista.training import train

THESIS = "three years of work"
TRAIN = ["train", "--preset", "tiny", "--data", "digits"]


def said(*words: object) -> str:
    """The error with which ``dista`` refuses these words."""
    answer = CliRunner().invoke(cli.app, [str(word) for word in words])
    assert isinstance(answer.exception, ValueError), (answer.output, answer.exception)
    return str(answer.exception)


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A folder that one stands beside, and that nothing may change; nothing is loaded or opened either."""

    def worked(*_, **__):
        raise AssertionError("work was done before the refusal")

    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.md").write_text(THESIS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(checkpoint, "load", worked)
    monkeypatch.setattr(dista.data, "open_for", worked)
    yield folder
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert [path.read_text() for path in folder.iterdir()] == [THESIS]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    few, folder = trainings.few_digits(), tmp_path_factory.mktemp("runs") / "finished"
    return train(few, trainings.TINY, trainings.ONE, folder=folder)


# --- places -------------------------------------------------------------------------------------


@pytest.mark.parametrize("out", ["mine", "mine/thesis.md", ".", "mine/thesis.md/one.zarr"])
@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_recording_is_not_made_where_it_cannot_be_written(mine, out, more):
    assert "choose another path for a recording" in said("record", "digits", out, *more)


@pytest.mark.parametrize("option", ["--out", "--save"])
@pytest.mark.parametrize("place", ["mine", "mine/thesis.md", "."])
def test_a_training_does_not_begin_where_it_cannot_be_written(mine, option, place):
    assert f"{place} " in said(*TRAIN, option, place)
    assert "nothing was changed" in said(*TRAIN, "--dry-run", option, place)


@pytest.mark.parametrize(("out", "save"), [("run", "run"), ("best/run", "best")])
def test_a_run_and_the_copy_of_its_best_do_not_share_a_folder(mine, out, save):
    assert "neither of them within the other" in said(*TRAIN, "--out", out, "--save", save)


def test_a_process_that_joins_a_training_finds_its_folder_there(mine, monkeypatch):
    """The first of several has made it by then: whether it was free is for that one to say."""
    monkeypatch.setenv("LOCAL_RANK", "1")
    answer = CliRunner().invoke(cli.app, [*TRAIN, "--out", "mine"])
    assert "work was done" in str(answer.exception)


# --- options ------------------------------------------------------------------------------------

RESUMED = [
    ("--data-dir", "elsewhere"),
    ("--data", "digits"),
    ("--preset", "tiny"),
    ("--recipe", "cifar"),
    ("--out", "elsewhere"),
    ("--epochs", "9"),
    ("--init", "digits"),
    ("--set", "ema=0.5"),
    ("--no-augment",),
    ("--dry-run",),
]


@pytest.mark.parametrize("words", RESUMED, ids=lambda words: words[0])
def test_a_run_that_goes_on_takes_no_other_options(finished, words):
    message = said("train", "--resume", finished.path, *words)
    assert "leave the other options out" in message and f"data_root of {finished.path}" in message
    assert f"--init {finished.path}" in message


def test_every_option_is_used_by_resume_or_refused():
    """An option that is new has to be thought of here."""
    import inspect

    used = {"resume", "logger", "save", "half", "as_json"}
    refused = {words[0].lstrip("-").replace("no-", "").replace("-", "_") for words in RESUMED}
    as_fields = {
        "minutes", "batch_size", "lr", "tau_lr", "freeze", "label_smoothing", "seed", "threads",
        "precision", "devices", "num_nodes",
    }  # fmt: skip
    options = used | refused - {"set"} | {"more"} | as_fields
    assert set(inspect.signature(cli.train.train).parameters) == options


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--half"], "name a folder with --save"),
        (["--epochs", "3", "--set", "epochs=4"], "epochs is given twice"),
        (["--set", "ema=0.1", "--set", "ema=0.2"], "ema is given twice"),
        (["--data-dir", "."], "'digits' comes with the installation and reads no files"),
    ],
)
def test_what_would_be_ignored_is_refused(tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert message in said(*TRAIN, *words)
    assert [*tmp_path.iterdir()] == []


def test_a_finished_run_is_trained_further_in_a_new_one(finished, tmp_path):
    assert "in a new run, with --init and this folder" in said("train", "--resume", finished.path)
    few = trainings.few_digits()
    still = trainings.ONE.replace(init=str(finished.path), lr=1e-12, tau_lr=1e-12)
    again = train(few, trainings.TINY, still, folder=tmp_path / "again")
    start, end = (run.load("best").head.linear.weight for run in (finished, again))
    assert (start - end).abs().max() < 1e-6
    assert Run(tmp_path / "again").config.training.init == str(finished.path)


# --- data ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(set(dista.data.names()) - set(dista.data.FROM_FILES)))
def test_a_task_that_reads_no_files_takes_no_folder(tmp_path, name):
    with pytest.raises(ValueError, match=f"'{name}' comes with the installation .* was given"):
        dista.data.open(name, root=tmp_path)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("command", ["eval", "ablate", "record"])
@pytest.mark.parametrize("option", ["--data", "--data-dir"])
def test_a_folder_for_a_task_without_files_is_refused(tmp_path, command, option):
    words = ["one.zarr"] if command == "record" else []
    message = said(command, "digits", *words, option, tmp_path)
    assert "reads no files" in message and str(tmp_path) in message and "recordings" in message
    assert [*tmp_path.iterdir()] == []


def test_nothing_is_written_beside_the_data(tmp_path, monkeypatch):
    from test_cifar10_dvs import write_cifar10_dvs
    from test_data_files import write_parquet

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_parquet(tmp_path / "data" / "cifar10", "PNG")
    write_parquet(tmp_path / "data" / "cifar100", "PNG", label="fine_label")
    write_cifar10_dvs(tmp_path / "data" / "cifar10-dvs", 3)
    for name in "ab":
        (tmp_path / "data" / "recordings" / name).mkdir(parents=True)
        for i in range(6):
            kind = [("x", int), ("y", int), ("t", int), ("p", int)]
            events = np.array([(3, 3, i, 1)], kind)
            np.save(tmp_path / "data" / "recordings" / name / f"{i}.npy", events)
    before = sorted((tmp_path / "data").rglob("*"))
    for name in ("cifar10", "cifar100", "cifar10-dvs", "recordings"):
        assert len(dista.data.open(name, root=tmp_path / "data").test)
    assert sorted((tmp_path / "data").rglob("*")) == before
    assert any(cache_folder().iterdir()), "decoded images are kept there instead"


@pytest.mark.parametrize("sample", ["-1", "1000"])
def test_a_sample_that_is_not_there_is_said(tmp_path, sample):
    message = said("record", "digits", tmp_path / "one.zarr", "--sample", sample)
    assert message == f"sample={sample}; the test split has samples 0 to 999"
