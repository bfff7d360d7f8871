"""What ``make test`` does to the system: nothing that it has not said before."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAKE = shutil.which("make")

pytestmark = pytest.mark.skipif(MAKE is None or os.name == "nt", reason="needs make and sh")


@pytest.fixture
def machine(tmp_path):
    """A function that makes ``make browser`` run on a machine with these programs, and nothing else."""
    programs = tmp_path / "bin"
    programs.mkdir()

    def run(*words, user=0, **others):
        for name, script in ({"id": f"echo {user}"} | others).items():
            path = programs / name.replace("_", "-")
            path.write_text(f"#!/bin/sh\n{script}\n")
            path.chmod(0o755)
        return subprocess.run(
            [MAKE, "--no-print-directory", "browser", *words],
            cwd=ROOT, env={"PATH": str(programs)}, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    return run


def test_types_are_a_part_of_the_tests():
    commands = subprocess.run(
        [MAKE, "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "bin/mypy\n" in commands


def test_the_book_is_one_command_which_installs_what_builds_it():
    commands = subprocess.run(
        [MAKE, "--dry-run", "docs"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    install, build = commands.index("--editable '.[docs]'"), commands.index("bin/sphinx-build")
    assert install < build and "--fail-on-warning" in commands[build:]


def test_loops_are_compiled_before_somebody_waits_for_a_figure():
    commands = subprocess.run(
        [MAKE, "--dry-run", "VENV=elsewhere", "app"], cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    install = commands.index("elsewhere/bin/pip install")
    assert install < commands.index("elsewhere/bin/dista compile") < commands.index("bin/dista app")


def test_with_chromium_nothing_is_said_or_done(machine):
    assert machine(google_chrome="exit 1", apt_get="echo ran") == ""


def test_what_is_installed_is_said_before(machine):
    said = machine(apt_get='echo "ran: $@"')
    before, _, after = said.partition("ran: update")
    assert "installed on this system now" in before and "APT=no" in before
    assert "apt-get install --no-install-recommends chromium fonts-dejavu-core" in before
    assert after.strip() == "-qq", "what is said of each package is not of interest"


def test_what_could_not_be_installed_is_said_and_no_error(machine):
    assert "could not be installed: the browser tests will be skipped" in machine(
        apt_get="exit 100"
    )


@pytest.mark.parametrize("words, user", [(("APT=no",), 0), ((), 1000)])
def test_a_system_is_left_as_it_is(machine, words, user):
    said = machine(*words, user=user, apt_get="echo ran")
    assert said.startswith("Chromium not found") and "ran" not in said


def test_the_install_itself_is_run(machine, tmp_path):
    machine(apt_get=f'echo "$@" >> {tmp_path}/log')
    update, install = (tmp_path / "log").read_text().splitlines()
    assert update == "update -qq"
    assert install == "install -qq -y --no-install-recommends chromium fonts-dejavu-core"
