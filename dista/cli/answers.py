"""How commands answer: a result in lines or as JSON, and what an interrupted one leaves behind."""

from __future__ import annotations

import json
import signal
import sys
from typing import Any


def show(result: dict[str, Any], as_json: bool) -> None:
    """Print a result, as one JSON object or a line for each of its entries."""
    if as_json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key:>12}  {value}")


def stopped(stop: KeyboardInterrupt) -> int:
    """Say it in a line; the exit status that shells expect of a program that a signal ended."""
    print(f"dista: {str(stop) or 'interrupted'}", file=sys.stderr)
    return 128 + getattr(stop, "signal", signal.SIGINT)
