"""The book describes what there is: every public name, option, parameter, page, variable and figure.

Its pages are built in a slow test alone, where the extra ``docs`` is installed.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from source_files import FILES, MODULES
from test_architecture import ROOMS

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "notebooks" / "book"
sys.path.insert(0, str(BOOK))

import described  # noqa: E402

NOT_PUBLIC = {
    "dista.extras": "what is missing says it itself",
    "dista.validation": "what configurations have in common; its names are those of dista.config",
    "dista.observable": "how a module says what can be seen in it: ARCHITECTURE.md",
    "dista.inputs": "checks of what a network is shown",
    "dista.engine": "the same numbers faster; nothing of it is called",
    "dista.hooks": "below dista.recording and dista.intervene",
    "dista.bench": "behind dista bench",
    "dista.cli": "the commands have a page of their own",
    "dista.__main__": "python -m dista",
}
"""Rooms of which the reference has no page, and why."""


def page(name: str) -> str:
    return (BOOK / f"{name}.md").read_text("utf-8")


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def test_every_room_of_the_package_is_described_or_says_why_not():
    described_rooms = {room(module) for module in described.modules()} | {"dista"}
    rooms = {one for one in ROOMS if one.partition(".")[0] == "dista"}
    assert rooms - described_rooms == set(NOT_PUBLIC)
    assert described_rooms <= rooms


def test_what_dista_offers_is_described_at_its_home():
    import dista

    homes = {*dista._MODULES.values(), *dista._HOME.values()} - {"dista.training.begin"}
    assert homes - set(described.modules()) == set()
    table = described.entrance()
    assert [name for name in dista.__all__ if f"`dista.{name}`" not in table] == []


@pytest.mark.parametrize("module", described.modules())
def test_every_public_name_says_what_it_is(module):
    assert module in MODULES
    names = described.public(importlib.import_module(module))
    assert names and [name for name in names if not described.docstring(module, name)] == []


def test_a_name_without_a_description_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(described, "NOTEBOOKS", tmp_path / "notebooks")
    (tmp_path / "one.py").write_text(
        'from two import f, g\nA = 1\nB = 2\n"""Two."""\n_HOME = {"later": "other"}\n'
    )
    (tmp_path / "two.py").write_text('def f():\n    """It says so."""\n\ndef g(): pass\n')
    said = {name: described.docstring("one", name) for name in ("f", "g", "A", "B", "absent")}
    assert said == {"f": "It says so.", "g": "", "A": "", "B": "Two.", "absent": ""}


def test_every_command_and_option_is_described():
    import typer

    from dista.cli import app

    words = described.command_line()
    for name, command in typer.main.get_command(app).commands.items():
        section = words.partition(f"## `dista {name}`\n")[2].partition("\n## ")[0]
        assert command.help and command.help.split(".")[0][:40] in section, name
        for option in command.params:
            written = option.opts[0] if option.opts[0].startswith("-") else option.name
            assert re.search(rf"`(-\w, )?{written}\b", section), f"{name} {written}"
            assert option.help, f"dista {name} {written} has no help"
        assert f"dista {name}" in page("reference/commands"), "a line of an example"


def test_every_page_and_parameter_is_described():
    from app.link.vocabulary import PAGES, TABLE

    pages = page("reference/pages")
    assert re.findall(r"^\| ([A-Z]\w+) \|", pages, re.M) == [name.capitalize() for name in PAGES]
    assert re.findall(r"^```{described} address (\w+)$", pages, re.M) == list(PAGES)
    written = [described.address_of_all(), *map(described.address, PAGES)]
    for parameter in TABLE.values():
        rows = [text for text in written if f"| `{parameter.name}` |" in text]
        shared = parameter.pages == PAGES
        assert len(rows) == (1 if shared else len(parameter.pages)), parameter.name
        assert parameter.meaning and parameter.default, parameter.name


def test_a_table_has_as_many_cells_as_its_head():
    rows = described.table(
        ("name", "says"), [("a", "between them |\nof two"), ("b", "c")]
    ).splitlines()
    assert rows[2] == r"| a | between them \| of two |" and len(rows) == 4


def test_every_variable_of_the_environment_is_described():
    sources = [*FILES, ROOT / "Makefile"]
    read = set(re.findall(r"DISTA_[A-Z_]+", "\n".join(one.read_text("utf-8") for one in sources)))
    table = re.findall(
        r"^\| `(DISTA_[A-Z_]+)` \| .{10,} \| .+ \|$", page("reference/environment"), re.M
    )
    assert sorted(read) == sorted(table)


def test_every_task_and_grid_is_named():
    from dista.data import names
    from dista.studies.grid import SHIPPED

    assert [name for name in names() if f"`{name}`" not in page("howto/01_own_data")] == []
    grids = [path.stem for path in SHIPPED.glob("*.yml")]
    assert grids and [name for name in grids if f"`{name}`" not in page("howto/04_grids")] == []


def test_every_term_and_lesson_is_described():
    from dista.style.glossary import GLOSSARY

    terms = described.glossary().splitlines()
    assert [name for name in GLOSSARY if name not in terms] == []
    lessons = described.lessons()
    for path, notebook in described.notebooks():
        assert f"](/{path.name})" in lessons
        question = notebook["cells"][0]["source"].splitlines()[0]
        assert question.lstrip("# ") in lessons
        assert all(f"{one.name} {one.title}" in lessons for one in described.exercises_of(path))


def test_misconceptions_stand_where_the_course_meets_them():
    from dista.lessons import lesson_01

    rows = described.misconceptions().splitlines()
    assert len(rows) > 20 and all(row.count(" | ") == 2 for row in rows)
    first = next(row for row in rows if row.startswith("| [1]"))
    assert "## " not in first and "Predict" in first
    groups = [value for value in vars(lesson_01).values() if described._misconceptions_in(value)]
    assert sum(row.startswith("| [1]") for row in rows) == sum(map(len, groups))


def test_addresses_for_the_projector_open_what_they_say():
    from app.link.vocabulary import PAGES, check

    addresses = re.findall(r"`(\w+)\?([^`]*lesson=1)`", page("teachers"))
    assert len(addresses) >= 5
    for name, query in addresses:
        assert name in PAGES
        for parameter, _ in parse_qsl(query, strict_parsing=True):
            check(parameter, name)


def test_pages_ask_for_parts_that_there_are_and_stand_in_the_table_of_contents():
    contents = (BOOK.parent / "index.md").read_text("utf-8")
    for path in BOOK.rglob("*.md"):
        place = path.relative_to(BOOK.parent).with_suffix("").as_posix()
        assert place in contents or path.parent.name == "howto", f"{place} is in no toctree"
        for part in re.findall(r"^```{described} (\w+)", path.read_text("utf-8"), re.M):
            assert part in described.PARTS


# The gallery ---------------------------------------------------------------------------------------


def entries() -> list[tuple[str, list[str]]]:
    """The cells of the gallery that draw, each with its lines."""
    cells = re.findall(r"^```{code-cell}\n(.*?)^```", page("gallery"), re.M | re.S)
    return [
        (figure, cell.strip().splitlines())
        for cell in cells
        for figure in re.findall(r"^figures\.(\w+)\(", cell, re.M)
    ]


def test_every_figure_has_one_entry_of_about_ten_lines():
    from dista import figures

    assert sorted(name for name, _ in entries()) == sorted(figures.__all__)
    for name, lines in entries():
        assert len(lines) <= 11 and lines[-1].startswith(f"figures.{name}("), name
        ast.parse("\n".join(lines))


def test_what_the_gallery_calls_takes_what_it_is_given():
    """The gallery itself is run with the book, which takes minutes: its calls of the package are compared here."""
    cells = re.findall(r"^```{code-cell}\n(.*?)^```", page("gallery"), re.M | re.S)
    body = ast.parse(re.sub(r"^:.*", "", "\n".join(cells), flags=re.M)).body
    imports = [one for one in body if isinstance(one, (ast.Import, ast.ImportFrom))]
    names: dict[str, object] = {}
    exec(compile(ast.Module(imports, []), "gallery", "exec"), names)
    compared = 0
    for call in (node for node in ast.walk(ast.Module(body, [])) if isinstance(node, ast.Call)):
        root, *parts = ast.unparse(call.func).split(".")
        called = functools.reduce(lambda of, part: getattr(of, part, None), parts, names.get(root))
        if not inspect.isfunction(called) or any(isinstance(a, ast.Starred) for a in call.args):
            continue
        inspect.signature(called).bind(
            *call.args, **{k.arg: k.value for k in call.keywords if k.arg}
        )
        compared += 1
    assert compared > 50


@pytest.mark.slow
@pytest.mark.skipif(
    find_spec("sphinx") is None, reason="the extra docs is not installed: make docs"
)
def test_the_book_builds_without_a_warning(tmp_path):
    """The lessons and the gallery are run: some ten minutes."""
    words = [
        "-q",
        "--fail-on-warning",
        "--keep-going",
        "-c",
        str(BOOK),
        "-d",
        str(tmp_path / "read"),
    ]
    command = [sys.executable, "-m", "sphinx", *words, str(BOOK.parent), str(tmp_path / "html")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    pages = list((tmp_path / "html").rglob("*.html"))
    assert len(pages) > 30
    assert [one.name for one in pages if re.search(r"<p>\s*\|", one.read_text("utf-8"))] == [], (
        "a table"
    )
    elsewhere = re.compile(r"<(?:script|link|img)[^>]+(?:src|href)=\"https?://")
    assert [one.name for one in pages if elsewhere.search(one.read_text("utf-8"))] == []
