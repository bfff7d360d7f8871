"""What is written for people agrees with what is there. ``python tests/test_documents.py`` writes the table of rooms."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from source_files import MODULES
from test_architecture import ROOMS

ROOT = Path(__file__).parent.parent
ARCHITECTURE, BEGIN, END = ROOT / "ARCHITECTURE.md", "<!-- rooms -->\n", "<!-- end of rooms -->\n"
DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md")


def sentence(room):
    """The first paragraph of a room's docstring; of a room without one, nothing."""
    written = ast.get_docstring(ast.parse(MODULES[room].read_text("utf-8"))) or ""
    return " ".join(written.partition("\n\n")[0].split()).rstrip(".")


def table():
    """The rooms from below to above, each with its sentence and with what it imports."""
    rows = ["| room | what it is | imports |\n|---|---|---|"]
    for room, others in ROOMS.items():
        place = MODULES[room].relative_to(ROOT)
        place = f"{place.parent.as_posix()}/" if place.name == "__init__.py" else place.as_posix()
        named = [other.removeprefix("dista.") for other in others]
        if sentence(room):
            rows.append(f"| `{place}` | {sentence(room)} | {', '.join(named)} |")
    return "\n".join(rows) + "\n"


def test_the_rooms_are_those_of_the_code():
    """Sentences are the docstrings', imports those that ``tests/test_architecture.py`` allows."""
    written = ARCHITECTURE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    assert written == table(), "write it anew: python tests/test_documents.py"


def files_named(text):
    """Paths in backticks, those of examples in capitals left out."""
    words = re.findall(r"`([\w./-]+)`", text)
    paths = [word for word in words if "/" in word or word.endswith((".py", ".md", ".toml"))]
    return [path for path in paths if not re.search(r"\.\.\.|^/|[A-Z]{4}/", path)]


@pytest.mark.parametrize("document", DOCUMENTS[:2])
def test_every_file_that_is_named_exists(document):
    named = files_named((ROOT / document).read_text("utf-8"))
    assert named and [path for path in named if not (ROOT / path).exists()] == []


def test_files_are_found_where_they_are_named():
    assert files_named("`dista/no.py`, `a.md` and `dista.record`, `runs/...`") == [
        "dista/no.py",
        "a.md",
    ]


def test_the_readme_leads_to_what_there_is():
    """Pages of the book, which are read without being built; how to begin the course, in one line."""
    readme = (ROOT / "README.md").read_text("utf-8")
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", readme)
    assert len(links) > 10 and [link for link in links if not (ROOT / link).exists()] == []
    line = next(line for line in readme.splitlines() if line.startswith("`make notebooks`"))
    named = re.findall(r"`(\w+\.ipynb)`", line)
    assert named and all((ROOT / "notebooks" / name).is_file() for name in named)


def test_the_changelog_has_the_version():
    import dista

    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert "## Unreleased" in changes and f"## {dista.__version__}" in changes


if __name__ == "__main__":
    before, _, rest = ARCHITECTURE.read_text("utf-8").partition(BEGIN)
    ARCHITECTURE.write_text(before + BEGIN + table() + END + rest.partition(END)[2], "utf-8")
