"""Which process writes a run: the one that holds its lock, until it lets go or ends, however it ends.

    lock          held, by the library filelock, while somebody writes
    holder.json   who holds it, for those who are refused: pid, host, since

The lock alone decides. A process number is used again, a container comes back under another host's name,
and clocks jump; a lock is let go of by the system when its process is gone. It is flock, or LockFileEx on
Windows: both hold for other hosts of a network file system too (NFS, SMB), except where it was mounted
with locks of its own for each host. On a file system without locks filelock makes do with a marker.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from dista.checkpoint import write_whole
from dista.files.facts import Count, Damaged, Facts

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCK, HOLDER = "lock", "holder.json"

_PATIENCE = 2.0  # seconds in which those who only ask whether it is held let go of it again


class Holder(Facts):
    """The process that holds a lock, and since when, in seconds since 1970 by its own clock."""

    pid: Count
    host: str
    since: float

    def __str__(self) -> str:
        moment = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.since))
        return f"process {self.pid} on {self.host}, since {moment}"


class Hold:
    """A folder that this process holds; ``release`` lets go of it, as the end of the process does."""

    def __init__(self, folder: Path, lock: BaseFileLock) -> None:
        self._folder, self._lock = folder, lock
        self._taken = (folder / LOCK).stat()

    def check(self) -> None:
        """FileNotFoundError where the folder is not there any more, or another one is in its place.

        Whoever writes into it asks first: else a part of it would be made anew, with half a run inside.
        """
        try:
            same = os.path.samestat(self._taken, (self._folder / LOCK).stat())
        except FileNotFoundError:
            same = False
        if not same:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._folder))

    def release(self) -> None:
        with contextlib.suppress(OSError):
            self.check()
            (self._folder / HOLDER).unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self._lock.release()


def take(folder: Path) -> Hold | None:
    """Hold ``folder``, which exists; None where somebody else does. OSError where it cannot be written."""
    from filelock import Timeout

    lock = _lock(folder)
    try:
        lock.acquire(timeout=_PATIENCE, poll_interval=0.02)
    except Timeout:
        return None
    hold = Hold(folder, lock)
    me = Holder(pid=os.getpid(), host=socket.gethostname(), since=time.time())
    try:
        write_whole(folder / HOLDER, me.model_dump_json().encode())
    except OSError:
        hold.release()
        raise
    return hold


def held(folder: Path) -> bool:
    """Whether a process holds the folder now, this one included; True where that cannot be asked.

    Asked with a shared lock, so that those who ask at the same moment do not take each other for a
    holder; filelock has none, and only this can be asked of a folder that cannot be written.
    """
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):  # Windows, or a file system with markers
        return not _free_for_a_moment(folder)
    finally:
        os.close(descriptor)
    return False


def holder(folder: Path) -> str:
    """Who holds the folder, in words."""
    try:
        return str(Holder.read(folder / HOLDER))
    except (Damaged, OSError, OverflowError):
        return "another process"


def _free_for_a_moment(folder: Path) -> bool:
    from filelock import Timeout

    lock = _lock(folder)
    try:
        lock.acquire(timeout=0.1, poll_interval=0.01)
    except (Timeout, OSError):
        return False
    lock.release()
    return True


def _lock(folder: Path) -> BaseFileLock:
    from filelock import FileLock

    return FileLock(folder / LOCK, thread_local=False)
