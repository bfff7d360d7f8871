"""What the book says of the code, as the code has it: each function writes the Markdown of a part of a page.

A page asks for one with the directive ``described`` (``sphinx_parts.py``); ``tests/test_book.py`` asks for all, so
that what has no description fails a test. Nothing here needs sphinx.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

NOTEBOOKS = Path(__file__).resolve().parent.parent

# The glossary --------------------------------------------------------------------------------------


def glossary() -> str:
    """All terms, so that other pages can refer to them with ``{term}``."""
    from dista.style.glossary import GLOSSARY

    lines = []
    for one in GLOSSARY.values():
        facts = ", ".join(filter(None, (one.symbol and f"`{one.symbol}`", one.unit, one.source)))
        seen = f" Seen on the dashboard: `{one.where}`." if one.where else ""
        lines += [one.name, f"  {one.says}{f' ({facts})' if facts else ''}{seen}", ""]
    return "\n".join(["```{glossary}", *lines, "```"])


# The dashboard -------------------------------------------------------------------------------------


def address(page: str) -> str:
    """What the address of a page may hold: a table, without what all pages have."""
    from app.link.vocabulary import PAGES, of_page

    own = [one for one in of_page(page) if one.pages != PAGES]
    return _parameters(own) if own else "Its address holds what all pages have, and nothing else."


def address_of_all() -> str:
    """What every page's address may hold."""
    from app.link.vocabulary import PAGES, TABLE

    return _parameters(one for one in TABLE.values() if one.pages == PAGES)


def _parameters(parameters: Iterable[Any]) -> str:
    rows = [(f"`{one.name}`", one.kind, one.meaning, one.default) for one in parameters]
    return table(("name", "a", "what it says", "without it"), rows)


# The command line ----------------------------------------------------------------------------------


def command_line() -> str:
    """Every command with its arguments and options, as ``dista COMMAND --help`` has them."""
    import typer
    from typer.cli import get_docs_for_click

    from dista.cli import app

    command = typer.main.get_command(app)
    words = get_docs_for_click(obj=command, ctx=typer.Context(command), name="dista")
    return words[words.index("## ") :].replace("&lt;", "<")


# The package ---------------------------------------------------------------------------------------


def modules() -> list[str]:
    """The modules that the pages of the reference describe."""
    pages = sorted((NOTEBOOKS / "book" / "reference").glob("*.md"))
    return [
        name
        for page in pages
        for name in re.findall(r"^```{described} module (\S+)", page.read_text("utf-8"), re.M)
    ]


def public(module: ModuleType) -> list[str]:
    """The names that a module offers: its ``__all__``, else the functions and classes written in it."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__, key=str.lower)
    own = (
        name
        for name, value in vars(module).items()
        if inspect.isclass(value) or inspect.isfunction(value)
        if value.__module__ == module.__name__ and not name.startswith("_")
    )
    return sorted(own, key=str.lower)


def module(name: str) -> str:
    """A module: what its docstring says first, a table of its names, then each with its docstring."""
    opened = importlib.import_module(name)
    called = [one for one in public(opened) if callable(getattr(opened, one))]
    listed = "\n".join(f"   {one}" for one in called)
    parts = [
        f".. py:module:: {name}\n   :no-index-entry:",
        prose(opened.__doc__ or ""),
        f".. autosummary::\n   :nosignatures:\n\n{listed}",
        *(_described(opened, one) for one in public(opened)),
    ]
    return "\n\n".join(["````{eval-rst}", *parts, "````"])


def _described(opened: ModuleType, name: str) -> str:
    value, dotted = getattr(opened, name), f"{opened.__name__}.{name}"
    if inspect.isclass(value):
        return f".. autoclass:: {dotted}\n   :members:"
    if inspect.isfunction(value):
        return f".. autofunction:: {dotted}"
    return f".. py:data:: {name}\n\n   {' '.join(docstring(opened.__name__, name).split())}"


def docstring(module: str, name: str) -> str:
    """What is written about a name where it is defined, read from the source: of a value, the text below it.

    Modules are not imported for it: some take seconds. Where a name is written more than once, the last counts.
    """
    body = ast.parse(source(module)).body
    said = ""
    for statement, below in zip(body, [*body[1:], None]):
        if isinstance(statement, ast.ImportFrom) and name in _names(statement.names, "name"):
            said = docstring(str(statement.module), name)
        elif isinstance(statement, (ast.FunctionDef, ast.ClassDef)) and statement.name == name:
            said = ast.get_docstring(statement) or said
        elif name in _assigned(statement):
            text = getattr(getattr(below, "value", None), "value", "")
            said = text if isinstance(text, str) else ""
        elif "_HOME" in _assigned(statement):  # names that are imported when they are first used
            home = ast.literal_eval(statement.value).get(name)
            said = docstring(f"{module}.{home}", name) if home else said
    return said


def _assigned(statement: ast.stmt) -> list[str]:
    return _names(getattr(statement, "targets", [getattr(statement, "target", None)]), "id")


def _names(nodes: Iterable[Any], attribute: str) -> list[str]:
    return [getattr(node, attribute) for node in nodes if hasattr(node, attribute)]


def source(module: str) -> str:
    place = NOTEBOOKS.parent.joinpath(*module.split("."))
    return (place / "__init__.py" if place.is_dir() else place.with_suffix(".py")).read_text(
        "utf-8"
    )


def prose(docstring: str) -> str:
    """The paragraphs of a docstring before its first list of files, example or heading."""
    paragraphs = []
    for paragraph in inspect.cleandoc(docstring).split("\n\n"):
        if paragraph.startswith((" ", "**")) or re.search(r"^[=-]{4,}$", paragraph, re.M):
            break
        paragraphs.append(paragraph)
        if paragraph.endswith(":"):
            break
    return "\n\n".join(one for one in paragraphs if not one.endswith(":"))


def entrance() -> str:
    """The names of ``dista`` itself, each with the place where it is described."""
    import dista

    rows = []
    for name in dista.__all__:
        home = dista._HOME.get(name)
        place = f"{home}.{name}" if home else dista._MODULES[name]
        said = docstring(home, name) if home else ast.get_docstring(ast.parse(source(place)))
        role = "obj" if home else "mod"
        rows.append((f"`dista.{name}`", first_sentence(said or ""), f"{{py:{role}}}`{place}`"))
    return table(("name", "what it is", "where it is described"), rows)


def first_sentence(docstring: str) -> str:
    words = " ".join(docstring.partition("\n\n")[0].split())
    return words.replace("``", "`")


# The course ----------------------------------------------------------------------------------------


def lessons() -> str:
    """Every lesson with its minutes, what it needs, and its exercises."""
    rows = []
    for path, notebook in notebooks():
        question, _, rest = notebook["cells"][0]["source"].partition("\n")
        minutes, _, needs = next(
            (line for line in rest.splitlines() if " · needs: " in line), "a minute to run · needs: nothing"
        ).partition(" · needs: ")  # fmt: skip
        exercises = ", ".join(
            f"{one.name} {one.title} ({one.minutes} minutes)" for one in exercises_of(path)
        )
        link = f"[{question.lstrip('# ')}](/{path.name})"
        rows.append((link, minutes, needs, exercises or "at its end, without a check"))
    return table(("lesson", "time", "needs", "exercises with a check"), rows)


def misconceptions() -> str:
    """What readers are told who predict wrongly, with the section in which the prediction is made."""
    rows = []
    for path, notebook in notebooks():
        lesson = lesson_module(path)
        for name, heading in _sections_that_use(notebook, path.stem[:2]):
            for one in _misconceptions_in(getattr(lesson, name, None)):
                rows.append((f"[{path.stem[:2].lstrip('0')}](/{path.name})", heading, one.words))
    return table(("lesson", "where", "what the course answers"), rows)


def notebooks() -> Iterator[tuple[Path, dict[str, Any]]]:
    """The lessons in their order; the source of each cell as one text."""
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        notebook = json.loads(path.read_text("utf-8"))
        for cell in notebook["cells"]:
            cell["source"] = "".join(cell["source"])
        yield path, notebook


def lesson_module(path: Path) -> ModuleType | None:
    """The module of a lesson's exercises; the entrance has none."""
    try:
        return importlib.import_module(f"dista.lessons.lesson_{path.stem[:2]}")
    except ModuleNotFoundError:
        return None


def exercises_of(path: Path) -> list[Any]:
    from dista.lessons import Exercise

    members = vars(lesson_module(path) or object).values()
    return sorted((one for one in members if isinstance(one, Exercise)), key=lambda one: one.name)


def _sections_that_use(notebook: dict[str, Any], number: str) -> Iterator[tuple[str, str]]:
    """The names of the lesson's module that code cells use, each with the heading above."""
    heading = ""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            headings = re.findall(r"^## (.+)$", cell["source"], re.M)
            heading = headings[-1] if headings else heading
        else:
            for node in ast.walk(ast.parse(cell["source"])):
                if (
                    isinstance(node, ast.Attribute)
                    and ast.unparse(node.value) == f"lesson_{number}"
                ):
                    yield node.attr, heading


def _misconceptions_in(value: object) -> list[Any]:
    from dista.lessons import Misconception

    values = value if isinstance(value, (list, tuple)) else [value]
    return [one for one in values if isinstance(one, Misconception)]


# Tables --------------------------------------------------------------------------------------------


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head)]
    lines += [["---"] * len(lines[0]), *map(list, rows)]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


PARTS: dict[str, Callable[..., str]] = {
    one.__name__: one
    for one in (glossary, address, address_of_all, command_line, module, entrance, lessons, misconceptions)
}  # fmt: skip
"""What a page may ask for, by name."""
