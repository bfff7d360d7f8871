"""Libraries that only a part of the work needs, and the line with which they are installed.

The base is what reads checkpoints, records, intervenes, measures and evaluates, on a server, say. What is
beyond that belongs to an extra of pyproject.toml and is imported where it is used; who uses it asks here
first, so that its absence is a sentence.
"""

from __future__ import annotations

from importlib.util import find_spec


class NotInstalled(ModuleNotFoundError, ValueError):
    """A library that is in an extra is not there; the message says which extra brings it.

    A ValueError too, so that pages and the command line say it as they say all that a user can cause.
    """


def need(library: str, user: str, extra: str) -> None:
    """NotInstalled where ``library`` is not there, which ``user`` needs and ``extra`` brings.

    It is looked for, not imported: some take seconds.
    """
    try:
        installed = find_spec(library) is not None
    except ModuleNotFoundError:  # what it lies in is not there
        installed = False
    if not installed:
        raise NotInstalled(
            f"{user} needs {library}, which is not installed: pip install 'dista-explorer[{extra}]', "
            f"in a clone pip install -e '.[{extra}]'",
            name=library,
        )
