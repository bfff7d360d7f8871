"""What the system refuses to write or to read, as a sentence with the way out."""

from __future__ import annotations

import errno
from pathlib import Path

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}
_GONE = {errno.ENOENT, errno.ENOTDIR, getattr(errno, "ESTALE", errno.ENOENT)}
_FORBIDDEN = {errno.EACCES, errno.EPERM}


def is_of(error: OSError, folder: Path) -> bool:
    """Whether the error is about something in ``folder``, or does not say about what."""
    name = error.filename
    return not isinstance(name, str) or Path(name).absolute().is_relative_to(folder.absolute())


def not_written(error: OSError, folder: Path) -> str:
    """That ``folder`` could not be written, why, and what helps."""
    why = f"{error.filename or folder} could not be written: {error.strerror or error}."
    return f"{why} {way_out(error, folder)}"


def way_out(error: OSError, folder: Path) -> str:
    """What a user can do about it; a sentence, or nothing where only the reason itself says it."""
    if error.errno in _NO_ROOM:
        return "Make room on the disk, or in the quota."
    if error.errno == errno.EROFS:
        return "The file system is read-only now; mount it for writing."
    if error.errno in _FORBIDDEN:
        return f"This user may not write there; give the right to write in {folder}."
    if error.errno in _GONE:
        return f"The folder {folder} was moved or removed meanwhile; put it back, or name its new place."
    return "The disk, or the network that it is reached by, has failed."
