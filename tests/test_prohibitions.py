"""What no file does: unpickle, import everything, write the URL, name a result for how it came."""

import ast
import re

import pytest
from source_files import FILES, name


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


# --- names --------------------------------------------------------------------------------------

HOW_IT_CAME = {"found", "chosen", "kept", "known", "given"}
"""What a value went through; its reader wants to know what it is: a task, rows, missing keys."""

NAMED = ("dista", "app")
"""The packages in which no name is one of these."""


def names_of_how_it_came(source):
    """Lines on which one of the words is defined: as variable, attribute, parameter, function, class or module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined = [node.id]
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            defined = [node.attr]
        elif isinstance(node, ast.arg):
            defined = [node.arg]
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            defined = [node.name]
        elif isinstance(node, ast.ExceptHandler):
            defined = [node.name or ""]
        elif isinstance(node, ast.alias):
            defined = [node.asname or ""]
        elif isinstance(node, (ast.MatchAs, ast.MatchStar)):
            defined = [node.name or ""]
        else:
            continue
        for word in defined:
            if word.strip("_").lower() in HOW_IT_CAME:
                yield f"{node.lineno}: {word}"


@pytest.mark.parametrize(
    "source, lines",
    [
        ("found = 1", ["1: found"]),
        ("kept: int", ["1: kept"]),
        ("self.given = 1", ["1: given"]),
        ("for known, (a, *chosen) in x: pass", ["1: known", "1: chosen"]),
        ("[found for found in x]", ["1: found"]),
        ("if (kept := f()): pass", ["1: kept"]),
        ("with f() as kept: pass", ["1: kept"]),
        ("def f(a, *given, known=1, **kept): pass", ["1: known", "1: given", "1: kept"]),
        ("lambda found: 1", ["1: found"]),
        ("def chosen(): pass", ["1: chosen"]),
        ("class Found: pass", ["1: Found"]),
        ("_KNOWN = {}", ["1: _KNOWN"]),
        ("import numpy as given", ["1: given"]),
        ("try:\n    f()\nexcept OSError as found:\n    pass", ["3: found"]),
        ("mass_kept = f(kept=1) + other.found  # the chosen one is known", []),
    ],
)
def test_names_of_how_a_value_came_are_recognised(source, lines):
    assert sorted(names_of_how_it_came(source)) == sorted(lines)


@pytest.mark.parametrize("path", [p for p in FILES if name(p).startswith(NAMED)], ids=name)
def test_a_name_says_what_a_value_is_not_how_it_came(path):
    assert list(names_of_how_it_came(path.read_text("utf-8"))) == []
