"""What somebody wrote about a run: a note and tags, in a file of their own beside what training writes.

annotation.json    {"note": TEXT, "tags": [TEXT, ...]}

It may be written while the run is training: nobody else writes this file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from dista.checkpoint import write_whole
from dista.files.facts import Damaged, Facts
from dista.files.failures import not_written
from dista.runs.folder import Run, RunError

FILE = "annotation.json"
LONGEST_NOTE, LONGEST_TAG, MOST_TAGS = 2000, 40, 20

Tag = Annotated[str, Field(min_length=1, max_length=LONGEST_TAG)]


class Annotation(Facts):
    """A note and tags; both may be empty."""

    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""
    tags: Annotated[list[Tag], Field(max_length=MOST_TAGS)] = []


def read(run: Run) -> Annotation:
    """What is written about a run; nothing where nothing is, or where the file is damaged."""
    try:
        return Annotation.read(run.path / FILE)
    except (FileNotFoundError, Damaged):
        return Annotation()


def write(run: Run, note: str, tags: Sequence[str]) -> Annotation:
    """Replace what is written about a run, at once. RunError for what is too long, or where it cannot be written."""
    words = list(dict.fromkeys(tag.strip() for tag in tags if tag.strip()))
    if len(note) > LONGEST_NOTE:
        raise RunError(f"the note has {len(note)} characters; expected at most {LONGEST_NOTE}")
    if long := next((tag for tag in words if len(tag) > LONGEST_TAG), None):
        raise RunError(
            f"the tag {long[:50]!r} is too long; expected at most {LONGEST_TAG} characters"
        )
    if len(words) > MOST_TAGS:
        raise RunError(f"there are {len(words)} tags; expected at most {MOST_TAGS}")
    annotation = Annotation(note=note.strip(), tags=words)
    try:
        write_whole(run.path / FILE, json.dumps(annotation.model_dump(), indent=2).encode())
    except OSError as error:
        raise RunError(not_written(error, run.path)) from error
    return annotation
