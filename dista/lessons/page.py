"""How an answer looks in a notebook: boxes that are read on paper and on slate, and plain lines elsewhere."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from dista.style.glossary import explained
from dista.style.palette import PALETTES

Kind = Literal["right", "wrong", "open"]
SIGNS: dict[str, str] = {"right": "✓", "wrong": "✗", "open": "○"}
"""What stands before a line, so that it is read without its colour."""

_DARK = (
    '[data-jp-theme-light="false"]',
    ".vscode-dark",
    'html[theme="dark"]',
    '[data-theme="dark"]',
)
"""How JupyterLab, VS Code, Colab and pages of sphinx say that they are dark."""
_TOLD = ':root:not([data-theme]) body:not([data-jp-theme-light]):not(.vscode-light):not([data-theme="light"])'
"""A page that says neither: there the system decides."""


@dataclass(frozen=True)
class Line:
    """A sentence of an answer; what stands in `backticks` is code, and in *stars* stressed."""

    kind: Kind
    words: str


def text(title: str, lines: Iterable[Line]) -> str:
    """The answer as plain text."""
    return "\n".join([title, *(f"{SIGNS[line.kind]} {line.words}" for line in lines)])


def page(
    title: str, lines: Iterable[Line], folded: Iterable[tuple[str, str]] = (), extra: str = ""
) -> str:
    """The answer as HTML: a title, a box a line, ``extra`` as it is, then what opens on request."""
    boxes = "".join(
        f'<p class="{line.kind}"><b>{SIGNS[line.kind]}</b> {sentence(line.words)}</p>'
        for line in lines
    )
    opens = "".join(
        f"<details><summary>{inline(name)}</summary><p>{inline(words)}</p></details>"
        for name, words in folded
    )
    head = f"<h4>{inline(title)}</h4>" if title else ""
    return f'<style>{_sheet()}</style><div class="dista-lesson" role="status">{head}{boxes}{extra}{opens}</div>'


def inline(words: str) -> str:
    """Text as HTML, with code for what stands in backticks and a line for each line."""
    return _html(words, lambda part: html.escape(part, quote=False))


def sentence(words: str) -> str:
    """As ``inline``, with the terms of the glossary explained to who points at them."""
    return _html(words, explained)


def _html(words: str, safe: Callable[[str], str]) -> str:
    """``safe`` makes a piece of plain text HTML; what stands in backticks is nobody's term, and has no stress."""
    return "".join(
        f"<code>{html.escape(part, quote=False)}</code>"
        if index % 2
        else re.sub(r"\*(\S[^*]*)\*", r"<em>\1</em>", safe(part)).replace("\n", "<br>")
        for index, part in enumerate(words.split("`"))
    )


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A small table as HTML."""
    top = "".join(f'<th scope="col">{inline(cell)}</th>' for cell in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{inline(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def _sheet() -> str:
    light, dark = PALETTES["light"].css(), PALETTES["dark"].css()
    outside = ", ".join(f"{place} .dista-lesson" for place in _DARK)
    return (
        f".dista-lesson {{ {light} }} {outside} {{ {dark} }} "
        f"@media (prefers-color-scheme: dark) {{ {_TOLD} .dista-lesson {{ {dark} }} }} {_LOOK}"
    )


_LOOK = """
.dista-lesson { color: var(--ink); font: 400 14px/1.5 system-ui, sans-serif; max-width: 820px; padding: 2px; }
.dista-lesson h4 { margin: 0 0 6px; font-size: 14px; font-weight: 650; color: inherit; }
.dista-lesson p { margin: 0 0 6px; padding: 7px 12px; border-left: 4px solid var(--muted); border-radius: 3px 8px 8px 3px;
  background: color-mix(in srgb, var(--muted) 12%, var(--panel)); }
.dista-lesson p.right { border-color: var(--accent); background: color-mix(in srgb, var(--accent) 12%, var(--panel)); }
.dista-lesson p.wrong { border-color: var(--orange); background: color-mix(in srgb, var(--orange) 12%, var(--panel)); }
.dista-lesson code { font: 13px/1.4 ui-monospace, monospace; color: inherit; background: none; padding: 0; }
.dista-lesson details { margin: 2px 0; } .dista-lesson summary { cursor: pointer; color: var(--accent); padding: 3px 0; }
.dista-lesson summary:focus-visible { outline: 2.5px solid var(--accent); outline-offset: 2px; }
.dista-lesson abbr { text-decoration: underline dotted; text-underline-offset: 3px; cursor: help; }
.dista-lesson a { color: var(--accent); }
.dista-lesson table { border-collapse: collapse; margin: 4px 0; color: inherit; background: none; }
.dista-lesson th, .dista-lesson td { text-align: left; padding: 2px 14px 2px 0; border: 0; color: inherit; background: none; }
"""
