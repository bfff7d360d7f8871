"""Functions that numba compiles, kept in a cache where there is room for one.

The cache is beside the file, or else in the user's cache folder; NUMBA_CACHE_DIR names another one. Where
none of them can be written numba refuses to compile at all, and a cache that is full or damaged ends the
first call: here each process then compiles for itself, some seconds, and one line says so.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
from numba.core import event
from numba.core.caching import FunctionCache


def compiled(function: Callable | None = None, **options: Any) -> Any:
    """``function``, compiled on first use, without the interpreter's lock and with numpy's arithmetic.

    Bare, or with further ``options`` of numba's: ``@compiled(inline="always")``.
    """
    if function is None:
        return lambda function: compiled(function, **options)
    dispatcher = numba.njit(nogil=True, error_model="numpy", **options)(function)
    try:
        _refuse_a_home_that_is_none(Path(function.__code__.co_filename))
        dispatcher._cache = _Forgiving(function)  # as its enable_caching() does
    except (RuntimeError, OSError) as error:
        _say(str(error))
    return dispatcher


@functools.cache
def sources() -> str:
    """A digest of all that compiled functions are made of: the files of this folder."""
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


@contextlib.contextmanager
def counting() -> Iterator[list[str]]:
    """Lists, inside, the functions that are compiled as they were not in the cache, by name; each for its types."""
    recorder = event.RecordingListener()
    names: list[str] = []
    with event.install_listener("numba:compile", recorder):
        yield names
    names += [one.data["dispatcher"].__name__ for _, one in recorder.buffer if one.is_start]


class _Forgiving(FunctionCache):
    """numba's cache, but what goes wrong with its files costs time and nothing else.

    And it knows what was compiled by all of this folder: numba asks for the file of a function alone, and would go on
    with what the functions that it calls were before.
    """

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return *super()._index_key(sig, codegen), sources()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception as error:  # whatever reading a damaged file raises
            _say(f"{type(error).__name__}: {error}")
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except Exception as error:  # the index it adds to may be damaged too
            _say(f"{type(error).__name__}: {error}")


def _refuse_a_home_that_is_none(file: Path) -> None:
    """OSError where numba would make a folder of the name "~" in the working directory."""
    beside = file.parent / "__pycache__"
    writable = os.access(beside if beside.is_dir() else file.parent, os.W_OK)
    if not (writable or numba.config.CACHE_DIR or os.path.isabs(os.path.expanduser("~"))):
        raise OSError("this user has no home folder")


_said: list[str] = []  # the first reason, once it was said


def _say(reason: str) -> None:
    if not _said:
        print(
            f"dista: compiled loops cannot be kept ({reason}), so each start compiles them anew, some "
            "seconds; NUMBA_CACHE_DIR may name a folder for them that can be written",
            file=sys.stderr,
        )
        _said.append(reason)
