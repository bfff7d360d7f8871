"""The command line in this process: what a process of its own costs (5 s of imports) is paid where it matters."""

from __future__ import annotations

import contextlib
import io
import sys
from subprocess import CompletedProcess
from unittest import mock

from dista.cli import main


def dista(*arguments: str) -> CompletedProcess:
    """``dista`` with these arguments."""
    words = ["dista", *map(str, arguments)]
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", words),
    ):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    return CompletedProcess(words, code, out.getvalue(), err.getvalue())
