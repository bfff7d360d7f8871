"""What is read from files that others write: another process, another version, a person, a broken disk.

Each kind of file has one type here or beside its reader, and is read in one place into it. What does not
fit is a ``Damaged`` with the reason, never an exception of whatever first stumbled over it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

LARGEST = 16 << 20
"""Bytes that a file of facts may have: ours have a few thousand."""

Count = Annotated[int, Field(ge=0, lt=2**53)]
"""A number of something; up to where floats, and so charts, still count in ones."""


class Damaged(ValueError):
    """A file is no regular file, cannot be read, or does not say what it should; the message says which."""


class Facts(BaseModel):
    """Base of these types: nothing is converted, and what a later version adds is kept as it is."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The facts in a JSON file; FileNotFoundError where there is none, else Damaged."""
        content = read_whole(path)
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            raise Damaged(f"{path.name} is damaged: {explained(error)}") from None

    @classmethod
    def beside(cls, folder: Path, name: str) -> Self | None:
        """The facts in a file of a folder; None where there are none, Damaged, with the folder, where they are."""
        try:
            return cls.read(folder / name)
        except FileNotFoundError:
            return None
        except Damaged as error:
            raise Damaged(f"{folder}: {error}") from None


def read_whole(path: Path, most: int = LARGEST) -> bytes:
    """The content of a regular file of at most ``most`` bytes; FileNotFoundError without one, else Damaged."""
    try:
        facts = path.stat()
        if not path.is_file():  # a pipe would be waited for
            raise Damaged(f"{path.name} is not a file")
        if facts.st_size > most:
            raise Damaged(f"{path.name} has {facts.st_size} bytes; expected at most {most}")
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Damaged(f"{path.name} cannot be read: {error.strerror or error}") from error


def explained(error: ValidationError) -> str:
    """What is wrong, field by field, the first three."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    said = []
    for problem in problems[:3]:
        field = ".".join(str(part) for part in problem["loc"])
        said.append(f"{field}: {problem['msg']}" if field else problem["msg"])
    return "; ".join(said) + ("; ..." if len(problems) > 3 else "")
