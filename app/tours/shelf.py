"""Where tours are: those that come with the dashboard, by name, and one's own, by its path on the server."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from app.link import permission
from app.tours import steps
from app.tours.steps import Tour

TEXTS = Path(__file__).with_name("texts")
FIRST = "dista"
"""The tour of the first visit."""
OFF = (
    "The link names a tour at a path on the server, which is for who sits at it or came by the link with a "
    f"token that its start printed; {permission.OWN_PATHS}=1 allows it to everybody."
)


@cache
def shipped() -> dict[str, Tour]:
    """The tours that come with the dashboard, by name: the first visit's, then those of the lessons."""
    names = sorted(
        (path.stem for path in TEXTS.glob("*.md")), key=lambda name: (name != FIRST, name)
    )
    return {name: steps.read(text(name), name) for name in names}


def text(name: str) -> str:
    """The file of a shipped tour, to be copied."""
    return (TEXTS / f"{name}.md").read_text("utf-8")


def tour(name: str) -> Tour:
    """The tour that a link calls ``name``: a shipped one, or a file; ValueError or OSError where there is none."""
    if name in shipped():
        return shipped()[name]
    if not name.endswith(".md"):
        names = ", ".join(shipped())
        raise ValueError(f"there is no tour {name[:60]!r}; there are {names}, and files (.md)")
    if not permission.own_paths():
        raise permission.NotAllowed(OFF)
    try:
        own = Path(os.path.expanduser(name)).read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not a text file in UTF-8") from error
    try:
        return steps.read(own, name)
    except steps.TourError as error:
        raise ValueError(f"the tour {name}, {error}") from error
