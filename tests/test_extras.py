"""What is installed only for a part of the work: the base does without, and an absence is a sentence.

That a library is missing is played by a finder that comes before all others and refuses it, in a process of
its own.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from lesson_runs import NOTEBOOKS, opened
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dista.extras import NotInstalled, need

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]

pytestmark = pytest.mark.slow  # minutes, most of it imports in processes of their own

BUSY, WAITING = 600, 3600
"""What ends a process that never would: seconds of the processor for one that goes round in circles, which others on the
machine do not lengthen (a lesson takes less than 180), and of the clock for one that waits, far more than any should.
"""

REFUSING = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, ({busy}, {busy}))
class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {refused!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Refusing())
"""


def without(refused, script):
    """Run ``script`` in a process in which the modules ``refused`` are not there."""
    before = REFUSING.format(refused=set(refused), busy=BUSY)
    return subprocess.run(
        [sys.executable, "-c", before + script],
        capture_output=True, text=True, cwd=ROOT, timeout=WAITING,
    )  # fmt: skip


def closure(requirements):
    """Names of the distributions that these requirements bring, their own included."""
    names, waiting = set(), [(Requirement(text), "") for text in requirements]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        if name in names:
            continue
        names.add(name)
        try:
            further = requires(name) or []
        except PackageNotFoundError:  # on other systems
            continue
        waiting += [
            (Requirement(text), one) for text in further for one in requirement.extras or ("",)
        ]
    return names


def modules_beyond(*extras):
    """Every module that is installed here and would not be there after ``pip install dista-explorer[extras]``."""
    base = closure(
        [*PROJECT["dependencies"], *(one for extra in extras for one in declared_by(extra))]
    )
    ours = {"dista", "app", "pip", "setuptools", "_distutils_hack"}
    return {
        module
        for module, distributions in packages_distributions().items()
        if module not in ours and not base & set(map(canonicalize_name, distributions))
    } - set(sys.stdlib_module_names)


# --- the base -----------------------------------------------------------------------------------


def test_extras_hold_what_a_server_does_not_need():
    beyond = modules_beyond()
    assert beyond >= {
        "jupyterlab", "streamlit", "lightning", "tonic", "spikingjelly", "plotly", "torchvision", "tensorboard",
        "anywidget", "pytest",
    }  # fmt: skip
    assert not beyond & {"torch", "xarray", "zarr", "pandas", "numba", "scipy", "typer", "pydantic"}


BASE = """
import dista, tempfile, pathlib
model = dista.load("digits")
x, label = dista.data.open("digits").test.batch([0])
recording = dista.record(model, x)
with dista.intervene(model, {"blocks.*.attention.*": dista.interventions.window(1)}):
    changed = model(x)
assert bool((changed != model(x)).any())
path = pathlib.Path(tempfile.mkdtemp()) / "one.zarr.zip"
from dista.recording import save

save(recording, path)
assert dista.open_recording(path)["blocks/1/attention/denoise"].ndim == 5
print(len(dista.measures.denoising(recording)))
print(dista.runs.find("."), dista.evaluate(model, dista.data.open("digits").test, limit=2)["samples"])
"""


def test_the_base_loads_records_intervenes_and_measures():
    answer = without(modules_beyond(), BASE)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.split()[0] == "2"


@pytest.mark.parametrize(
    "words", ["record digits {out} --sample 3", "ablate digits --without memory --limit 2", "info"]
)
def test_the_base_has_the_commands(words, tmp_path):
    arguments = ["dista", *words.format(out=tmp_path / "one.zarr.zip").split()]
    run = f"sys.argv = {arguments!r}\nfrom dista.cli import main\nmain()"
    answer = without(modules_beyond(), run)
    assert answer.returncode == 0, answer.stderr


# --- the lessons --------------------------------------------------------------------------------

INSTALLED = re.compile(r"`%pip install 'dista-explorer\[([\w,]+)\]'`")
LESSON = """
import os, sys, types
sys.path.insert(0, "tests")
import lesson_runs
from dista.runs import background
background.PROGRAM = (str(lesson_runs.ROOT / "tests" / "pretended_training.py"),)
notebook = lesson_runs.opened(lesson_runs.ROOT / "notebooks" / "{name}.ipynb")
lesson_runs.make_smaller(notebook, "{name}")
os.chdir({folder!r})
lesson_runs.run(notebook, types.SimpleNamespace(setattr=setattr), "{name}")
"""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lesson_needs_what_it_says_is_installed(path, tmp_path):
    """Away from a clone, in Colab, the line in its first cell is all that was run before."""
    extras = INSTALLED.search(opened(path).cells[0].source).group(1).split(",")
    answer = without(modules_beyond(*extras), LESSON.format(name=path.stem, folder=str(tmp_path)))
    assert answer.returncode == 0, answer.stderr


# --- what is missing is a sentence ----------------------------------------------------------------

LINE = r"needs {library}, which is not installed: pip install 'dista-explorer\[{extra}\]'"


@pytest.mark.parametrize(
    "words, library, extra",
    [
        ("app", "streamlit", "app"),
        ("train --preset digits --data digits", "lightning", "train"),
        ("train --resume runs/one", "lightning", "train"),
        ("bench --case small", "spikingjelly", "bench"),
    ],
)
def test_a_command_says_what_it_misses_and_ends(words, library, extra):
    run = f"sys.argv = {['dista', *words.split()]!r}\nfrom dista.cli import main\nmain()"
    answer = without([library], run)
    assert answer.returncode == 1 and len(answer.stderr.strip().splitlines()) == 1, answer.stderr
    assert re.match("dista: .*" + LINE.format(library=library, extra=extra), answer.stderr)


@pytest.mark.parametrize(
    "script, library, extra",
    [
        ("import dista; dista.figures", "plotly", "figures"),
        ("from dista.figures.theme import *", "plotly", "figures"),
        ("import dista; dista.train", "lightning", "train"),
        ("import dista; dista.widgets.probe", "anywidget", "notebooks"),
        ("from dista.neurons import surrogate; surrogate('atan')", "spikingjelly", "train"),
        (
            "from dista.config import TrainingConfig\nfrom dista.training.machine import launch\n"
            "launch(TrainingConfig(), 'nowhere')",
            "tensorboard",
            "train",
        ),
        (
            "from dista.data.cifar_files import read_parquet; read_parquet('a', 'label')",
            "pyarrow",
            "data",
        ),
        (
            "from dista.data.cifar_files import read_parquet; read_parquet('a', 'label')",
            "PIL",
            "data",
        ),
        ("import dista; dista.data.open('cifar10', root='tests')", "torchvision", "data"),
    ],
)
def test_a_module_says_what_it_misses(script, library, extra):
    answer = without([library], script)
    said = answer.stderr.strip().splitlines()[-1]
    assert re.match(
        "dista.extras.NotInstalled: .*" + LINE.format(library=library, extra=extra), said
    )


def test_it_is_an_error_that_pages_and_commands_say():
    with pytest.raises(NotInstalled, match=r"a test needs nowhere.at.all.*\[app\]") as caught:
        need("nowhere.at.all", "a test", "app")
    assert (
        isinstance(caught.value, (ValueError, ImportError))
        and caught.value.name == "nowhere.at.all"
    )
    need("plotly", "a test", "figures")


ASKS = re.compile(r'\bneed\("(\w+)", (?:"[^"]*"|[\w.]+), "(\w+)"\)')


def test_what_is_asked_for_is_in_the_extra_that_is_named():
    """Every ``need(library, user, extra)`` of the package, against pyproject.toml."""
    asked = set()
    for path in (ROOT / "dista").rglob("*.py"):
        asked |= set(ASKS.findall(path.read_text("utf-8")))
    assert len(asked) >= 9
    for library, extra in asked:
        name = {"PIL": "pillow"}.get(library, library)
        declared = {Requirement(text).name for text in declared_by(extra)}
        assert name in declared, f"{library} is not in the extra {extra}"


def declared_by(extra):
    """The requirements of an extra, those of the extras it refers to included."""
    texts = []
    for text in EXTRAS[extra]:
        requirement = Requirement(text)
        if requirement.name == PROJECT["name"]:
            texts += [one for other in requirement.extras for one in declared_by(other)]
        else:
            texts.append(text)
    return texts


def test_the_extra_test_brings_everything_but_the_reader_of_one_kind_of_files_and_what_builds_the_book():
    everything = {Requirement(text).name for extra in EXTRAS for text in declared_by(extra)}
    assert everything - {Requirement(text).name for text in declared_by("test")} == {
        "aedat", "furo", "latex2mathml", "myst-nb", "sphinx"
    }  # fmt: skip
