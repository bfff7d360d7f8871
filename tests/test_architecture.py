"""Who may import whom, and what no file may do, read from the syntax trees."""

import ast
import graphlib
import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = sorted((ROOT / "dista").rglob("*.py"))
FILES = sorted([*PACKAGE, *(ROOT / "app").rglob("*.py")])

# The rooms of the house: a module of the ground floor, or a folder; and what each may import of the others.
# Within a room files import each other as they like, but never in a circle. A file of no room fails.
ROOMS = {
    # what is chosen, without torch
    "dista.extras": (),
    "dista.validation": (),
    "dista.memories": ("dista.validation",),
    "dista.denoisers": ("dista.validation",),
    "dista.config": ("dista.validation", "dista.memories", "dista.denoisers"),
    "dista.presets": ("dista.config",),
    "dista.recipes": ("dista.config",),
    # the equations
    "dista.observable": (),
    "dista.streaming": (),
    "dista.inputs": (),
    "dista.engine": (),
    "dista.neurons": ("dista.extras", "dista.config", "dista.observable", "dista.streaming", "dista.engine"),
    "dista.layers": ("dista.config", "dista.neurons", "dista.engine"),
    "dista.attention": (
        "dista.config", "dista.memories", "dista.denoisers", "dista.observable", "dista.streaming",
        "dista.engine", "dista.neurons", "dista.layers",
    ),
    "dista.model": (
        "dista.config", "dista.observable", "dista.streaming", "dista.inputs", "dista.engine", "dista.layers",
        "dista.attention",
    ),
    # looked into, and kept
    "dista.files": ("dista.engine",),
    "dista.recording": ("dista.observable", "dista.engine", "dista.files"),
    "dista.checkpoint": ("dista.config", "dista.memories", "dista.engine", "dista.files", "dista.model"),
    "dista.data": ("dista.extras", "dista.files"),
    "dista.measures": ("dista.config",),
    "dista.style": ("dista.memories", "dista.denoisers"),
    "dista.figures": ("dista.extras", "dista.measures", "dista.style"),
    "dista.widgets": ("dista.extras", "dista.measures", "dista.style"),
    "dista.experiments": (
        "dista.denoisers", "dista.engine", "dista.attention", "dista.recording", "dista.data", "dista.measures",
    ),
    "dista.runs": (
        "dista.config", "dista.files", "dista.model", "dista.recording", "dista.checkpoint", "dista.data",
    ),
    "dista.training": (
        "dista.extras", "dista.config", "dista.memories", "dista.engine", "dista.files", "dista.layers", "dista.model", "dista.recording",
        "dista.checkpoint", "dista.data", "dista.measures", "dista.experiments", "dista.runs",
    ),
    "dista.studies": (
        "dista.extras", "dista.config", "dista.presets", "dista.recipes", "dista.files", "dista.checkpoint",
        "dista.data", "dista.measures", "dista.experiments", "dista.runs", "dista.training",
    ),
    "dista.bench": (
        "dista.extras", "dista.config", "dista.presets", "dista.recipes", "dista.engine", "dista.files",
        "dista.neurons", "dista.attention", "dista.model", "dista.recording", "dista.data", "dista.training",
    ),
    "dista.cli": (
        "dista.extras", "dista.config", "dista.presets", "dista.recipes", "dista.engine", "dista.recording", "dista.checkpoint",
        "dista.data", "dista.measures", "dista.experiments", "dista.runs", "dista.training", "dista.studies",
        "dista.bench",
    ),
    "dista.__main__": ("dista.cli",),
    "dista": (),  # names are imported when first used
    # the dashboard
    "app": (),
    "app.link": ("dista.checkpoint", "dista.widgets"),
    "app.inputs": (
        "app.link", "dista.config", "dista.memories", "dista.files", "dista.checkpoint", "dista.data",
        "dista.experiments", "dista.runs", "dista.widgets",
    ),
    "app.computed": (
        "app.link", "app.inputs", "dista", "dista.config", "dista.files", "dista.neurons", "dista.recording",
        "dista.checkpoint", "dista.measures", "dista.style", "dista.figures", "dista.experiments", "dista.widgets",
    ),
    "app.trainings": (
        "app.link", "app.inputs", "app.computed", "dista.presets", "dista.style", "dista.data", "dista.runs",
        "dista.widgets",
    ),
    "app.page": (
        "app.link", "app.inputs", "app.computed", "dista.recording", "dista.measures", "dista.figures",
        "dista.widgets",
    ),
    "app.views": (
        "app.link", "app.inputs", "app.computed", "app.trainings", "app.page", "dista.memories", "dista.denoisers",
        "dista.measures", "dista.figures", "dista.experiments", "dista.runs", "dista.widgets",
    ),
    "app.main": ("app.link", "app.page", "dista.style", "dista.engine"),
}  # fmt: skip

# A library, and the files (or folders) that may import it at all.
HOMES = {
    "plotly": ("dista/figures/", "app/"),
    "streamlit": ("app/", "dista/widgets/streamlit.py"),
    "anywidget": ("dista/widgets/",),
    "ipywidgets": ("dista/widgets/",),
    "traitlets": ("dista/widgets/",),
    "lightning": ("dista/training/",),
    "pytorch_lightning": ("dista/training/",),
    "numba": ("dista/engine/compiled.py",),
    "triton": ("dista/engine/gpu_loops.py", "dista/engine/gpu_maps.py"),
    "optuna": ("dista/studies/queue.py",),
    "app": ("app/",),
}


def name(path):
    return path.relative_to(ROOT).as_posix()


def dotted(path):
    """The module's name, as in an import."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def is_type_checking(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def statements(tree, everywhere):
    """Nodes that run; only those that run on import unless ``everywhere``. Type-checking blocks never do."""
    for node in ast.iter_child_nodes(tree):
        if is_type_checking(node):
            continue
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and not everywhere:
            continue
        yield node
        yield from statements(node, everywhere)


def imports(path, everywhere=True):
    """Dotted names that a file imports; ``from a import b`` gives both ``a`` and ``a.b``."""
    package = dotted(path) if path.name == "__init__.py" else dotted(path).rpartition(".")[0]
    found = set()
    for node in statements(ast.parse(path.read_text("utf-8")), everywhere):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = (
                package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            )
            source = ".".join([*above, *([node.module] if node.module else [])])
            found |= {source, *(f"{source}.{alias.name}" for alias in node.names)}
    return found


def uses(path, module, everywhere=True):
    """Whether a file imports ``module`` or something in it."""
    return any(
        found == module or found.startswith(f"{module}.") for found in imports(path, everywhere)
    )


MODULES = {dotted(path): path for path in FILES}


def room_of(path):
    """The room of a file: its folder below the package, or itself on the ground floor."""
    parts = dotted(path).split(".")
    inside = path.name != "__init__.py" and len(parts) > 2
    return ".".join(parts[:2] if inside or len(parts) > 2 else parts)


def modules_that(path):
    """Modules of the project that a file imports; a name out of a package is the package's."""
    found = imports(path)
    return {
        module
        for module in found & MODULES.keys()
        if not any(
            other != module and other.startswith(f"{module}.") and other in MODULES
            for other in found
        )
    }


# --- the reader itself --------------------------------------------------------------------------

SAMPLE = """
from typing import TYPE_CHECKING
import numpy as np, torch.nn
if TYPE_CHECKING:
    import pandas
try:
    import zarr
except ImportError:
    pass
class A:
    import tonic
def f():
    from dista.model import DISTA
    from . import sibling
    from ..figures import one as two
"""


def test_imports_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path)
    path = tmp_path / "dista" / "data" / "sample.py"
    path.parent.mkdir(parents=True)
    path.write_text(SAMPLE)
    at_import = {"typing", "typing.TYPE_CHECKING", "numpy", "torch.nn", "zarr", "tonic"}
    later = {"dista.model", "dista.model.DISTA", "dista.data", "dista.data.sibling"}
    later |= {"dista.figures", "dista.figures.one"}
    assert imports(path, everywhere=False) == at_import
    assert imports(path) == at_import | later
    assert uses(path, "torch") and not uses(path, "tor")
    assert uses(path, "dista.model") and not uses(path, "dista.model", everywhere=False)


# --- one way ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_file_is_in_a_room_and_knows_only_rooms_below(path):
    room = room_of(path)
    assert room in ROOMS, f"{name(path)} belongs to no room: add it to one, or the room to ROOMS"
    others = {room_of(MODULES[module]) for module in modules_that(path)} - {room}
    if path.name != "__init__.py" or room != "dista":
        assert others <= set(ROOMS[room]), f"{name(path)}: {room} may not know {others}"


def test_there_is_no_circle():
    """Neither of files nor of rooms, imports inside of functions included."""
    files = {dotted(path): modules_that(path) - {dotted(path)} for path in FILES}
    for graph in (files, ROOMS):
        list(graphlib.TopologicalSorter(graph).static_order())  # CycleError names the circle


def test_no_room_stands_in_the_table_that_is_not_there():
    assert {room_of(path) for path in FILES} == set(ROOMS)


@pytest.mark.parametrize("path", [p for p in FILES if p.name == "__init__.py"], ids=name)
def test_a_room_says_what_it_is(path):
    sentence = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert sentence and len(sentence) > 30


# A room or a file, and what it must not import: at all, or (with "import:") when it is imported itself.
FORBIDDEN = [
    ("dista/validation.py", ["torch", "numpy", "xarray"]),
    ("dista/memories.py", ["torch", "numpy", "xarray"]),
    ("dista/denoisers.py", ["import:torch", "numpy", "xarray"]),
    ("dista/config.py", ["torch", "numpy", "xarray"]),
    ("dista/presets.py", ["torch"]),
    ("dista/recipes.py", ["torch"]),
    ("dista/observable.py", ["import:torch", "numpy", "xarray"]),
    ("dista/style", ["torch", "numpy", "xarray", "plotly"]),
    ("dista/neurons.py", ["xarray", "zarr", "import:spikingjelly"]),
    ("dista/layers.py", ["xarray", "zarr", "spikingjelly"]),
    ("dista/attention.py", ["xarray", "zarr", "spikingjelly"]),
    ("dista/streaming.py", ["xarray"]),
    ("dista/model.py", ["xarray", "zarr", "spikingjelly"]),
    ("dista/recording.py", ["import:xarray", "import:zarr"]),
    ("dista/checkpoint.py", ["import:torch", "import:dista.model", "xarray"]),
    ("dista/files", ["import:torch", "import:xarray", "import:zarr"]),
    ("dista/runs/folder.py", ["import:torch", "import:xarray", "import:pandas"]),
    ("dista/runs/facts.py", ["torch", "import:pandas"]),
    ("dista/runs/tables.py", ["torch", "import:pandas"]),
    ("dista/runs/processes.py", ["import:filelock", "torch"]),
    ("dista/runs/differences.py", ["torch", "xarray"]),
    ("dista/runs/provenance.py", ["lightning"]),
    ("dista/studies", ["import:torch", "import:dista.training", "import:optuna", "import:pandas"]),
    ("dista/experiments", ["import:dista.data", "import:xarray"]),
    ("dista/experiments/counterfactuals.py", ["xarray", "dista"]),
    ("dista/experiments/untrained.py", ["xarray", "dista"]),
    ("dista/measures", ["torch", "plotly", "import:pandas"]),
]


@pytest.mark.parametrize("place, modules", FORBIDDEN)
def test_forbidden_imports(place, modules):
    paths = [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))
    assert paths
    for path, forbidden in itertools.product(paths, modules):
        at_import, found = forbidden.startswith("import:"), forbidden.removeprefix("import:")
        assert not uses(path, found, everywhere=not at_import), f"{name(path)} imports {found}"


@pytest.mark.parametrize("library", HOMES)
def test_libraries_stay_at_home(library):
    users = [name(path) for path in FILES if uses(path, library)]
    assert [user for user in users if not user.startswith(HOMES[library])] == []


@pytest.mark.parametrize("path", [p for p in PACKAGE if "figures" in p.parts], ids=name)
def test_figures_know_results_only(path):
    """Figures are functions of results: they see neither a model nor a widget."""
    for forbidden in ("torch", "lightning", "dista.model", "dista.training", "dista.widgets"):
        assert not uses(path, forbidden), f"{name(path)} imports {forbidden}"


# --- what no file does --------------------------------------------------------------------------


def forbidden_statements(source):
    """Lines that import everything, or that read something able to run code."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            found.append(f"{node.lineno}: import *")
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            unpickling = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
            found += [f"{node.lineno}: {m}" for m in modules if m.split(".")[0] in unpickling]
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "torch":
            found += [
                f"{node.lineno}: torch.{a.name}" for a in node.names if a.name in ("load", "save")
            ]
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("torch.load", "torch.save", "torch.jit.load", "eval", "exec"):
                found.append(f"{node.lineno}: {called}")
            found += [
                f"{node.lineno}: allow_pickle"
                for keyword in node.keywords
                if keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False"
            ]
    return found


@pytest.mark.parametrize(
    "source",
    [
        "from numpy import *",
        "import pickle",
        "from pickle import loads",
        "def f():\n    import joblib",
        "torch.load('x')",
        "from torch import load",
        "eval('1')",
        "np.load('x', allow_pickle=True)",
    ],
)
def test_what_no_file_does_is_recognised(source):
    assert len(forbidden_statements(source)) == 1


@pytest.mark.parametrize("path", FILES, ids=name)
def test_nothing_is_unpickled_and_nothing_imports_everything(path):
    assert forbidden_statements(path.read_text("utf-8")) == []


# --- what an import costs -----------------------------------------------------------------------

HEAVY = ("torch", "lightning", "pytorch_lightning", "tonic", "streamlit", "plotly", "spikingjelly")
HEAVY += ("xarray", "zarr", "pandas", "mlxtend", "optuna", "numba", "matplotlib", "anywidget")
HEAVY += ("jaxtyping", "beartype")

# A module, and what importing it may load of the heavy ones.
COSTS = [
    ("dista", ()),
    ("dista.config, dista.presets, dista.checkpoint, dista.runs", ()),
    ("dista.measures", ()),
    ("dista.recording, dista.experiments.interventions", ("torch",)),
    ("dista.model", ("torch", "numba")),
]


@pytest.mark.parametrize("modules, allowed", COSTS)
def test_importing_loads_nothing_heavy(modules, allowed):
    script = f"import sys\nimport {modules}\nprint(*({HEAVY!r} & sys.modules.keys()))"
    script = script.replace(repr(HEAVY), repr(set(HEAVY)))
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert set(run.stdout.split()) <= set(allowed)


def test_public_names():
    import dista

    expected = {
        "load",
        "record",
        "intervene",
        "presets",
        "preset",
        "DISTA",
        "ModelConfig",
        "observables",
    }
    expected |= {
        "open_recording",
        "figures",
        "interventions",
        "data",
        "measures",
        "widgets",
        "runs",
    }
    assert expected <= set(dista.__all__) and set(dista.__all__) <= set(dir(dista))
    assert [public for public in dista.__all__ if getattr(dista, public, None) is None] == []
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = dista.lod


def test_names_for_type_checkers_are_those_that_are_imported_when_used():
    """Whoever reads types sees ``dista.load`` at the same place as whoever calls it."""
    import dista

    tree = ast.parse((ROOT / "dista" / "__init__.py").read_text("utf-8"))
    (block,) = (node for node in tree.body if is_type_checking(node))
    seen = {alias.name: node.module for node in block.body for alias in node.names}
    homes = dista._HOME | {n: path.rpartition(".")[0] for n, path in dista._MODULES.items()}
    assert seen == homes


IGNORED = re.compile(r"# type: ignore(?!\[[a-z-]+(, [a-z-]+)*\]  # \w)")


@pytest.mark.parametrize("path", FILES, ids=name)
def test_what_the_type_checker_shall_not_see_has_a_code_and_a_reason(path):
    assert IGNORED.findall(path.read_text("utf-8")) == []


WRITES = re.compile(r"query_params(\[[^]]+\] *=[^=]|\.(pop|update|clear|from_dict|setdefault)\b)")


def test_the_url_is_written_in_one_place():
    found = [name(path) for path in FILES if WRITES.search(path.read_text("utf-8"))]
    assert found == ["app/link/url.py"], (
        "a change of its own is lost where the browser lags: url.write"
    )
