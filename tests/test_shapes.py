"""A tensor of a wrong shape is refused by the equations while testing, and costs nothing otherwise."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import shapes
import torch
from jaxtyping import TypeCheckError

from dista import attention, denoisers, neurons
from dista.config import NeuronConfig
from dista.layers import over_time
from dista.neurons import LIF

ROOT = Path(__file__).parent.parent


def test_axes_of_one_name_have_one_size():
    q, k, v = (torch.ones(5, 2, 3, tokens, 13) for tokens in (7, 11, 11))
    a = attention.scores(q, k, window=1)
    assert a.shape == (5, 2, 3, 7, 11)
    assert attention.read(a, v, window=1, scale=1.0).shape == q.shape
    with pytest.raises(TypeCheckError, match="scores"):
        attention.scores(q, k[..., :12], window=1)
    with pytest.raises(TypeCheckError, match="read"):
        attention.read(a.mT, v, window=1, scale=1.0)


def test_what_torch_would_stretch_is_refused():
    """An axis of one would be repeated, and the sum be right for none."""
    v, x, tau = torch.zeros(2, 5, 3, 11), torch.zeros(2, 5, 3, 1), torch.tensor(2.0)
    with pytest.raises(TypeCheckError, match="charge"):
        neurons.charge(v, x, tau, 0.0)


@pytest.mark.parametrize(
    "shape, dtype", [((7, 5, 3, 11), torch.float32), ((7, 2, 5, 3, 11), torch.int64)]
)
def test_a_missing_axis_or_a_whole_number_is_refused(shape, dtype):
    with pytest.raises(TypeCheckError, match="forward"):
        LIF(NeuronConfig(), 5)(torch.ones(shape, dtype=dtype))


def test_a_result_is_checked_as_well():
    with pytest.raises(TypeCheckError, match="over_time"):
        over_time(lambda image: image.long(), torch.ones(5, 2, 3, 7, 11))
    with pytest.raises(TypeCheckError, match="lookup"):
        denoisers.lookup(torch.ones(3, 7), torch.ones(14, 2))


@pytest.mark.parametrize("module", shapes.MODULES)
def test_every_signature_that_names_axes_is_checked(module):
    """The hook was there before the module, also in a process of its own that runs a few of the tests."""
    tree = ast.parse(Path(import_module(module).__file__).read_text("utf-8"))
    named = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and "Float[" in ast.unparse(node)
    }
    functions = {name: getattr(import_module(module), name) for name in named}
    assert [n for n, function in functions.items() if not hasattr(function, "__wrapped__")] == []


def test_outside_of_tests_nothing_of_it_is_imported():
    script = f"import sys, {', '.join(shapes.MODULES)}\n" + (
        "import torch; from dista.attention import scores\n"
        "scores(torch.ones(5, 2, 3, 7, 13), torch.ones(5, 2, 1, 7, 13), 1)  # as torch sees it\n"
        "print([name for name in ('jaxtyping', 'beartype') if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert answer.stdout.strip() == "[]"
