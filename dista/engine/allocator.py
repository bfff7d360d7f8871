"""Memory that was freed stays with the process: one call, for programs that compute for a while."""

from __future__ import annotations

import ctypes


def keep_freed_memory() -> None:
    """Ask glibc to keep large freed blocks: returning and faulting them in again costs more than the
    arithmetic of an elementwise pass. Does nothing elsewhere."""
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return
    m_trim_threshold, m_mmap_threshold = -1, -3
    libc.mallopt(m_mmap_threshold, 1 << 30)
    libc.mallopt(m_trim_threshold, (1 << 31) - 1)
