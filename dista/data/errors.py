"""The one error that files of data cause, whatever is wrong with them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

_LONGEST = 200  # characters that are told of a decoder's own message, which may quote the file


class DataError(ValueError):
    """A file or folder of data cannot be used; the message says which, what is wrong, and what to do."""


@contextlib.contextmanager
def reading(path: str | Path, what: str) -> Iterator[None]:
    """Everything a damaged file can make a decoder raise, as a DataError: ``path`` is not ``what``."""
    # Every exception: decoders raise AttributeError, zlib.error, struct.error, RecursionError and what their
    # libraries have of their own, and a list of them is always one short. The cause stays attached.
    try:
        yield
    except (DataError, ImportError):
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:_LONGEST] or type(error).__name__
        raise DataError(f"{path} is not {what}: {reason}") from error
