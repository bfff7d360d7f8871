"""What a card says is true of the weights beside it, and of the code that made them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import torch
import trainings

from dista.experiments.evaluation import evaluate
from dista.runs import Run, provenance
from dista.training import train


@pytest.fixture
def repository(tmp_path):
    """A repository with a package in it, and what runs git in it."""

    def git(*words):
        names = ["-c", "user.name=a", "-c", "user.email=a@b"]
        return subprocess.run(
            ["git", *names, *words], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("x = 1\n")
    (tmp_path / "notes.md").write_text("mine\n")
    git("init")
    git("add", ".")
    git("commit", "-m", "first")
    return tmp_path, git


def test_a_commit_and_whether_the_code_is_as_in_it(repository):
    folder, git = repository
    commit = git("rev-parse", "--short", "HEAD")
    (folder / "notes.md").write_text("changed, and no code\n")
    assert provenance.commit_of(folder / "package") == {"commit": commit, "dirty": False}
    (folder / "package" / "new.py").write_text("y = 2\n")
    assert provenance.commit_of(folder / "package") == {"commit": commit, "dirty": True}
    (folder / "package" / "new.py").unlink()
    (folder / "package" / "__init__.py").write_text("x = 2\n")
    assert provenance.commit_of(folder / "package") == {"commit": commit, "dirty": True}


def test_a_repository_around_it_is_not_its_own(repository, monkeypatch):
    folder, _ = repository
    inside = folder / ".venv" / "site-packages" / "package"
    inside.mkdir(parents=True)
    (inside / "__init__.py").write_text("x = 1\n")
    nothing = {"commit": None, "dirty": None}
    assert provenance.commit_of(inside) == nothing
    monkeypatch.setenv("GIT_DIR", str(folder / ".git"))
    assert provenance.commit_of(inside) == nothing


def test_without_git_there_is_no_commit(repository, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance.commit_of(repository[0] / "package") == {"commit": None, "dirty": None}


def test_looking_changes_nothing_in_the_repository(repository):
    folder, _ = repository
    (folder / "package" / "__init__.py").touch()
    index = folder / ".git" / "index"
    before = index.read_bytes()
    provenance.commit_of(folder / "package")
    assert index.read_bytes() == before


def test_a_card_says_with_which_code(tmp_path):
    run = train(trainings.few_digits(), trainings.TINY, trainings.ONE, folder=tmp_path / "run")
    card, facts = run.load("best").card, provenance.environment()
    assert (card["commit"], card["dirty"]) == (facts["commit"], facts["dirty"])
    assert card["versions"]["torch"] == torch.__version__.partition("+")[0]


def test_the_best_epoch_is_chosen_by_what_is_saved_of_it(tmp_path):
    """In half precision a training measures its weights as they are used afterwards, in single."""
    few, half = trainings.few_digits(), trainings.ONE.replace(precision="bf16-mixed", epochs=2)
    run = train(few, trainings.TINY, half, folder=tmp_path / "run")
    last = evaluate(run.load("last"), few.validation)
    row = Run(run.path).table("epochs").iloc[-1]
    assert row["val_loss"] == pytest.approx(last["loss"], rel=1e-5)
    assert row["val_accuracy"] == last["accuracy"]
    best = run.load("best")
    said = best.card["metrics"]["validation"]
    assert said["loss"] == pytest.approx(evaluate(best, few.validation)["loss"], rel=1e-5)


def test_what_is_asked_about_is_the_whole_package():
    import dista

    assert Path(dista.__file__).parent == provenance._PACKAGE
