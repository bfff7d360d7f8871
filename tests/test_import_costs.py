"""What importing a module loads, and which names the package offers without loading more."""

import ast
import subprocess
import sys

import pytest
from source_files import ROOT, is_type_checking

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
