"""Who may import whom, and what no file may do, read from the syntax trees."""

import ast
import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = sorted((ROOT / "dista").rglob("*.py"))
FILES = sorted([*PACKAGE, *(ROOT / "app").rglob("*.py")])

# Each of these imports only those before it; the last part of the chain are the kernels of the neurons.
CHAIN = ["axes", "config", "allocator", "_loops", "_gpu_loops", "gpu_neurons", "kernels", "saving"]
CHAIN += ["neurons", "layers", "_gpu_maps", "gpu_attention", "fast_attention", "attention", "model"]
CHAIN += ["provenance", "training"]

# A library, and the files (or folders) that may import it at all.
HOMES = {
    "plotly": ("dista/figures/", "app/"),
    "streamlit": ("app/", "dista/widgets/streamlit.py"),
    "anywidget": ("dista/widgets/",),
    "ipywidgets": ("dista/widgets/",),
    "traitlets": ("dista/widgets/",),
    "lightning": ("dista/training/",),
    "pytorch_lightning": ("dista/training/",),
    "numba": ("dista/_loops.py",),
    "triton": ("dista/_gpu_loops.py", "dista/_gpu_maps.py"),
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


def module_file(module):
    return ROOT / "dista" / f"{module}.py"


def module_files(module):
    """The file of a module, or all files of a package."""
    return [module_file(module)] if module_file(module).is_file() else package_files(module)


def package_files(package):
    return [path for path in PACKAGE if path.is_relative_to(ROOT / "dista" / package)]


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


def test_files_are_found():
    assert all(module_files(module) for module in CHAIN)


# --- one way ------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", CHAIN)
def test_the_chain_points_one_way(module):
    later = CHAIN[CHAIN.index(module) + 1 :]
    for path in module_files(module):
        assert [other for other in later if uses(path, f"dista.{other}")] == []


# A file, and what it must not import: at all, or (with "import:") when it is imported itself.
FORBIDDEN = [
    ("config", ["torch", "numpy", "xarray", "dista"]),
    ("axes", ["import:torch", "numpy", "xarray", "dista"]),
    ("presets", ["torch", "dista.model"]),
    ("recipes", ["torch", "dista.model"]),
    ("processes", ["import:psutil", "dista"]),
    ("neurons", ["xarray", "zarr", "import:spikingjelly"]),
    ("attention", ["xarray", "zarr", "spikingjelly", "dista.recording"]),
    (
        "model",
        ["xarray", "zarr", "spikingjelly", "dista.recording", "dista.interventions", "dista.data"],
    ),
    (
        "recording",
        ["dista.model", "dista.neurons", "dista.attention", "import:xarray", "import:zarr"],
    ),
    ("interventions", ["dista.model", "dista.neurons", "import:dista.attention"]),
    ("ablations", ["import:dista.model", "import:dista.data", "dista.training", "dista.figures"]),
    ("counterfactuals", ["xarray", "dista"]),
    ("untrained", ["xarray", "dista"]),
    ("siblings", ["torch", "xarray", "dista.training"]),
    ("checkpoint", ["import:torch", "import:dista.model", "xarray"]),
    ("runs", ["import:torch", "import:xarray", "import:pandas", "dista.training"]),
    ("corruption", ["import:dista.data", "dista.model", "dista.recording", "xarray"]),
    ("operations", ["import:dista.model", "import:xarray", "dista.measures", "dista.training"]),
    ("evaluation", ["dista.training", "import:dista.model", "import:dista.data"]),
    ("measures", ["torch", "plotly", "dista.model", "dista.recording", "dista.figures"]),
    ("layers", ["xarray", "zarr", "spikingjelly", "dista.recording"]),
    ("provenance", ["lightning", "dista.figures"]),
    ("training", ["dista.figures", "dista.widgets", "dista.cli"]),
]


@pytest.mark.parametrize("module, modules", FORBIDDEN)
def test_forbidden_imports(module, modules):
    paths = module_files(module)
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

# A module, and what importing it may load of the heavy ones.
COSTS = [
    ("dista", ()),
    ("dista.config, dista.presets, dista.checkpoint, dista.runs", ()),
    ("dista.recording, dista.interventions", ("torch",)),
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


WRITES = re.compile(r"query_params(\[[^]]+\] *=[^=]|\.(pop|update|clear|from_dict|setdefault)\b)")


def test_the_url_is_written_in_one_place():
    found = [name(path) for path in FILES if WRITES.search(path.read_text("utf-8"))]
    assert found == ["app/url.py"], "a change of its own is lost where the browser lags: url.write"
