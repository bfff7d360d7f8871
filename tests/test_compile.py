"""``dista compile``: what it has compiled is all that models of any preset need."""

from __future__ import annotations

import numba
import pytest
from typer.testing import CliRunner

from dista.bench import loops
from dista.cli import app
from dista.engine.compiled import compiled, counting
from dista.model import DISTA
from dista.presets import preset, presets


@pytest.fixture
def compile_loops():
    """What the command says."""

    def say():
        result = CliRunner().invoke(app, ["compile"])
        assert result.exit_code == 0, result.output
        return result.output

    return say


def test_afterwards_no_preset_compiles_anything(compile_loops):
    compile_loops()
    with counting() as names:
        for name in presets():
            loops.use(DISTA(preset(name).replace(dim=16, depth=1, heads=2, mlp_ratio=1)))
    assert names == []
    assert compile_loops() == "loops compiled now: 0; all others were there\n"


def twice(x):
    return x + x


def test_what_is_compiled_is_counted_and_what_was_kept_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    for expected in (["twice", "twice"], []):  # the second one finds what the first has kept
        function = compiled(twice)
        with counting() as names:
            assert (function(2), function(1.5), function(3)) == (4, 3.0, 6)
        assert names == expected


def test_without_kernels_it_says_that_there_is_nothing_to_compile(compile_loops, monkeypatch):
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    assert compile_loops() == (
        "there is nothing to compile: models are run by modules (DISTA_KERNEL=reference)\n"
    )
