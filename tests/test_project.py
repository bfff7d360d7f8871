"""The project's own files agree with each other."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_environment_yml_installs_what_pyproject_declares():
    text = (ROOT / "environment.yml").read_text()
    assert f"python{PROJECT['requires-python']}" in text
    declared = re.findall(r"^\s+- (.+)$", text, re.MULTILINE)
    assert "--editable .[test]" in declared, "conda installs through pyproject.toml, declared once"
    assert ".[docs]" in text and "docs" in PROJECT["optional-dependencies"]


def test_lower_bounds_only_and_installed_versions_satisfy_them():
    from importlib.metadata import version

    extras = PROJECT["optional-dependencies"]
    own = f"{PROJECT['name']}["  # one extra that brings another
    apart = [*extras["aedat4"], *extras["docs"]]  # what make test does not install
    declared = [*PROJECT["dependencies"], *itertools.chain(*extras.values())]
    for requirement in declared:
        if requirement.startswith(own):
            continue
        name, bound = re.fullmatch(r"([\w-]+)>=([\d.]+)", requirement).groups()
        if requirement in apart and find_spec(name.replace("-", "_")) is None:
            continue
        installed = [int(n) for n in re.findall(r"\d+", version(name))[:3]]
        assert installed >= [int(n) for n in bound.split(".")], name


def test_readme_names_the_commands_that_exist():
    readme = (ROOT / "README.md").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for target in ("app", "test", "notebooks", "docs"):
        assert f"make {target}" in readme
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    assert "make test" in (ROOT / ".ci/run").read_text()


def test_the_python_example_of_the_readme_runs(tmp_path):
    readme = (ROOT / "README.md").read_text()
    example = re.search(r"```python\n(.+?)```", readme, re.DOTALL).group(1)
    answer = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("path", ["LICENSE", "CITATION.cff", "assets/first-light.zarr.zip"])
def test_what_the_readme_promises_is_there(path):
    assert (ROOT / path).is_file()


def test_the_accuracies_of_the_readme_are_those_of_the_cards():
    from dista.checkpoint import read_card, shipped

    readme = (ROOT / "README.md").read_text()
    rows = dict(re.findall(r"^\| `([\w-]+)` \|.*\| ([\d.]+) % \|$", readme, re.MULTILINE))
    cards = {n: f"{100 * read_card(n)['metrics']['test']['accuracy']:.1f}" for n in shipped()}
    assert rows == cards
