"""What comes from outside (links, names of files, runs and classes, errors), shown as the text that it is.

Streamlit reads Markdown in nearly everything that it shows, button labels included. What isn't ours
goes through ``text`` before it is put into a sentence, or is said as a whole by ``warn`` and ``error``.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import streamlit as st

from app.link import permission
from dista.checkpoint import assets

# What Markdown reads is escaped. That is not enough for what Streamlit finds in the text after Markdown
# has been read: addresses become links, a pair of dashes one long one, arrows and icons are drawn. Such
# a word is cut in two by a coloured word of no letters, which shows nothing and is not copied.
_CUT, _MARK = ":gray[]", "\ue000"
_CUTS = re.compile(
    r"(?=://)|(?<=w)(?=ww\.)|(?=@)|(?<=:)(?=\w)|(?<=[-<>=~])(?=[-<>=])|^(?=[-+#>=|]|\d+[.)])",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"[\\`*\[\]<>$~]|:(?!\s|$)|(?<![^\W_])_|_(?![^\W_])|&(?=[#\w])")


def text(outside: Any) -> str:
    """Markdown that shows ``outside`` as it is, in one line."""
    line = " ".join(str(outside).replace(_MARK, "").split())
    return _ESCAPED.sub(r"\\\g<0>", _CUTS.sub(_MARK, line)).replace(_MARK, _CUT)


def warn(problems: Iterable[str], place: Any = st) -> None:
    """Say what is wrong with a link or a choice, each sentence once; nothing where nothing is."""
    if said := " ".join(dict.fromkeys(problems)):
        place.warning(text(without_folders(said)))


def error(sentence: str, place: Any = st) -> None:
    place.error(text(without_folders(sentence)))


def path(folder: Path) -> str:
    """Markdown that shows a folder of this server, absolute where the reader may know where it is."""
    return text(without_folders(str(folder.absolute())))


def without_folders(sentence: str) -> str:
    """The sentence as somebody elsewhere may read it: where the server's folders lie is not for him."""
    if permission.own_paths():
        return sentence
    for folder in sorted(map(str, {assets().parent, Path.cwd(), Path.home()}), key=len)[::-1]:
        if len(folder) > 1:
            sentence = re.sub(rf"{re.escape(folder)}(?:/|(?=\W|$))", "", sentence)
    return sentence


@contextlib.contextmanager
def errors() -> Iterator[None]:
    """Turn what users can cause into a sentence on the page; what is a bug stays one."""
    try:
        yield
    except KeyError as problem:
        error(f"Something is missing: {problem.args[0] if problem.args else problem}")
    except (ValueError, IndexError, OSError) as problem:
        error(sentence(problem))


def sentence(problem: Exception) -> str:
    """What an error says, as a sentence."""
    text = str(problem).strip() or type(problem).__name__
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
