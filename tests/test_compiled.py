"""Compiled loops are kept where they can be; where not, they are compiled again, and one line says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
{before}
import loops
print(loops.twice(21), loops.thrice(7), len(loops.twice.stats.cache_hits))
"""
LOOPS = """
from dista.engine.compiled import compiled

@compiled(inline="always")
def double(x):
    return 2 * x

@compiled
def twice(x):
    return double(x)

@compiled
def thrice(x):
    return 3 * x
"""
NOWHERE = """
from numba.core.caching import _CacheLocator
def refuse(self):
    raise PermissionError(13, "Permission denied")
_CacheLocator.ensure_cache_path = refuse
"""
FULL = """
from numba.core.caching import IndexDataCacheFile
def refuse(self, *_):
    raise OSError(28, "No space left on device")
IndexDataCacheFile.save = refuse
"""
NO_HOME = """
import os
os.access = lambda *_: False
os.path.expanduser = lambda path: path
os.chdir({folder!r})
"""


def run(folder, before="", **environment):
    (folder / "loops.py").write_text(LOOPS)
    script = SCRIPT.format(folder=str(folder), before=before.format(folder=str(folder)))
    return subprocess.run(
        [sys.executable, "-B", "-c", script], capture_output=True, text=True, check=True,
        env=os.environ | environment,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (NOWHERE, "cannot cache function"),
        (FULL, "No space left on device"),
        (NO_HOME, "no home folder"),
    ],
    ids=["nowhere", "full", "no home"],
)
def test_without_a_cache_it_computes_and_says_one_line(tmp_path, before, reason):
    answer = run(tmp_path, before)
    assert answer.stdout.startswith("42 21")
    (line,) = answer.stderr.splitlines()
    assert line.startswith("dista: compiled loops cannot be kept") and reason in line
    assert not (tmp_path / "~").exists()


def test_what_is_kept_is_used_and_what_is_damaged_is_made_again(tmp_path):
    first, second = (run(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "kept")) for _ in range(2))
    assert (first.stdout, second.stdout) == ("42 21 0\n", "42 21 1\n")
    files = [path for path in Path(tmp_path / "kept").rglob("*.nb?")]
    for path in files:
        path.write_bytes(path.read_bytes()[:20])
    third = run(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "kept"))
    assert len(files) >= 4 and third.stdout == "42 21 0\n"
    assert first.stderr == second.stderr == "" and "cannot be kept" in third.stderr


def test_what_was_compiled_with_other_files_is_not_used(tmp_path):
    """numba compares the file of a function; of those that it calls it knows nothing."""
    kept = {"NUMBA_CACHE_DIR": str(tmp_path / "kept")}
    others = "from dista.engine import compiled\ncompiled.sources = lambda: 'of other files'"
    answers = [run(tmp_path, before, **kept).stdout for before in ("", others, others, "")]
    assert answers == ["42 21 0\n", "42 21 0\n", "42 21 1\n", "42 21 1\n"]
