"""The tables of a run: lines of JSON that one process appends while others read them."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pydantic import ValidationError

from dista.files.facts import Damaged, read_whole
from dista.runs.facts import Note, Table, columns, parsed

if TYPE_CHECKING:
    import pandas as pd

    from dista.runs import Run


class Tail:
    """A table of a run that is looked at again and again: each time only what was added is read.

    Lines that are damaged are left out, and said in ``damage``.
    """

    _file: tuple[int, int] | None
    """Device and number of the file that was read."""

    def __init__(self, run: Run, table: Table) -> None:
        self._path, self._table = run.path / f"{table}.jsonl", table
        self._forget()

    def _forget(self) -> None:
        import pandas as pd

        self._frame, self._size, self._end, self._file = pd.DataFrame(), 0, b"", None
        self._lines, self._bad, self._first = 0, 0, ""

    def read(self) -> pd.DataFrame:
        """All complete lines so far, as ``Run.table``; the frame belongs to the tail, do not change it."""
        try:
            with self._path.open("rb") as file:
                added = self._added(file)
        except FileNotFoundError:
            self._forget()
        else:
            self._append(added[: added.rfind(b"\n") + 1])
        return self._frame

    @property
    def damage(self) -> str | None:
        """How many lines were left out, and why the first of them; None where all are whole."""
        if not self._bad:
            return None
        lines = "a line is" if self._bad == 1 else f"{self._bad} lines are"
        return f"{self._path.name}: {lines} damaged and left out ({self._first})"

    def _added(self, file: BinaryIO) -> bytes:
        """What comes after the known part; all of it where a resumed run has cut what was known.

        And where another file has taken its place: two runs may say the same at the same place.
        """
        facts = os.fstat(file.fileno())
        if self._file not in (None, (facts.st_dev, facts.st_ino)):
            self._forget()
        self._file = facts.st_dev, facts.st_ino
        file.seek(self._size - len(self._end))
        if file.read(len(self._end)) != self._end:
            self._forget()
            self._file = facts.st_dev, facts.st_ino
        file.seek(self._size)
        return file.read()

    def _append(self, lines: bytes) -> None:
        import pandas as pd

        if not lines:
            return
        rows = [row for line in lines.split(b"\n")[:-1] if (row := self._row(line)) is not None]
        self._size, self._end = self._size + len(lines), (self._end + lines)[-256:]
        if not rows:
            return
        new = pd.DataFrame(rows)
        self._frame = pd.concat([self._frame, new], ignore_index=True) if len(self._frame) else new

    def _row(self, line: bytes) -> dict[str, Any] | None:
        self._lines += 1
        try:
            return parsed(self._table, line)
        except Damaged as error:
            self._bad += 1
            self._first = self._first or f"line {self._lines}: {error}"
            return None


def with_columns(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """The frame of a table with all columns of its kind, which one without lines does not have."""
    missing = [column for column in columns(table) if column not in frame]
    return frame.reindex(columns=[*frame, *missing]) if missing else frame


def append(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """Add lines to a file, all of them with one write; OSError, and no line, where there is no room."""
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    with path.open("ab", buffering=0) as file:
        before = os.fstat(file.fileno()).st_size
        if file.write(lines) < len(lines):
            file.truncate(before)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file.name)


def notes(path: Path) -> list[str]:
    """The notes in a file, without lines that are damaged."""
    try:
        lines = read_whole(path).split(b"\n")[:-1]
    except (Damaged, FileNotFoundError):
        return []
    texts = []
    for line in lines:
        with contextlib.suppress(ValidationError):
            texts.append(Note.model_validate_json(line).note)
    return texts


def keep(path: Path) -> int:
    """The size of a file, all of which is now on the disk: a power loss takes only what follows."""
    with path.open("rb") as file:
        if os.name != "nt":  # there only a file that is open for writing can be flushed
            os.fsync(file.fileno())
        return os.fstat(file.fileno()).st_size


def cut(path: Path, size: int) -> int:
    """Cut a file to the complete lines of its first ``size`` bytes; how many bytes of these were lost.

    After a power loss the end of a file is missing, or zeros: blocks that were counted, not written.
    """
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        return size
    with file:
        content = file.read(size)
        whole = content.partition(b"\0")[0]
        end = whole.rfind(b"\n") + 1
        file.truncate(end)
    return size - end
