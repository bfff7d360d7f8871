"""What a tour is, and how it is read from its text file.

A tour is a Markdown file that a teacher copies and edits, and that can be read as it is:

    # DISTA in twelve steps

    ## The task
    [Watch the first step](watch?checkpoint=match-map&sample=1&step=1&from=1)

    A digit for two steps, then noise ...

    ? Where do most of the counts go?
    - [ ] to the digit that is there now
    - [x] to the cue

    > What is said once the reader has answered.

``#`` is the title, each ``##`` a step. Its first line is a link: the page, and its state as in an address, from
which it can be copied. What follows a # in it is the part of the page that the step speaks of: one of PARTS, which is
brought into view. A question, its options (one of them with an x) and the answer may be left out; a question without options is one
to think about, and its answer is shown when it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl

from app.link import vocabulary

LONGEST = 60_000
"""Characters of a file that is read; a tour of fifty long steps has half of that."""


PARTS = {
    "stage": ".dista-probe .panel.centre",
    "decision": ".dista-probe .panel.decision",
    "membrane": ".dista-probe .panel.membrane",
    "matrices": ".st-key-matrices",
    "threshold": ".dista-probe .panel.threshold",
    "changes": ".st-key-changes",
}
"""What a step may speak of, and where that is on its page."""


class TourError(ValueError):
    """A tour's file cannot be read; the sentence begins with the line."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(f"line {line}: {sentence}")


class Question(NamedTuple):
    """What the reader is asked; ``right`` is the place of the right option, None where there are none to choose."""

    text: str
    answer: str
    options: tuple[str, ...] = ()
    right: int | None = None


class Step(NamedTuple):
    """One view: ``page`` in the state ``query``, places counted from 0, and what is said and asked beside it.

    ``part`` is what it speaks of, one of PARTS; "" for no part of its own.
    """

    title: str
    page: str
    query: dict[str, str]
    text: str
    question: Question | None = None
    part: str = ""


class Tour(NamedTuple):
    """A tour by the ``name`` that links have for it, and its steps in order; there is at least one."""

    name: str
    title: str
    steps: tuple[Step, ...]
    introduction: str = ""


class _Line(NamedTuple):
    number: int
    text: str


def read(text: str, name: str) -> Tour:
    """The tour that a file holds; TourError, with the line, where it is not written as described above."""
    if len(text) > LONGEST:
        raise TourError(1, f"the file has {len(text)} characters; expected {LONGEST} at most")
    lines = [_Line(number, one.rstrip()) for number, one in enumerate(text.splitlines(), 1)]
    begins = [place for place, line in enumerate(lines) if line.text.startswith("## ")]
    head = lines[: begins[0]] if begins else lines
    titles = [line for line in head if line.text.startswith("# ")]
    if len(titles) != 1:
        line = titles[1].number if titles else 1
        raise TourError(line, "expected one title before the first step, as in '# My tour'")
    if not begins:
        raise TourError(len(lines) or 1, "there is no step; each begins as '## What it is about'")
    ends = [*begins[1:], len(lines)]
    steps = tuple(_step(lines[begin:end]) for begin, end in zip(begins, ends))
    introduction = _paragraphs(line for line in head if line not in titles)
    return Tour(name, titles[0].text[2:].strip(), steps, introduction)


_LINK = re.compile(r"\[[^\]]+\]\(([^()\s]+)\)")
_OPTION = re.compile(r"- \[([ xX])\] +(.+)")


def _step(lines: list[_Line]) -> Step:
    heading, *rest = lines
    first = next((place for place, line in enumerate(rest) if line.text.strip()), None)
    link = _LINK.fullmatch(rest[first].text.strip()) if first is not None else None
    if first is None or link is None:
        line = heading.number if first is None else rest[first].number
        raise TourError(line, "a step begins with its link, as in '[Watch](watch?sample=1)'")
    address, _, part = link[1].partition("#")
    if part and part not in PARTS:
        there = ", ".join(PARTS)
        raise TourError(
            rest[first].number, f"no part of a page is called {part[:40]!r}; there are {there}"
        )
    page, query = _address(rest[first].number, address)
    asked = _question(rest[first + 1 :])
    text = _paragraphs(line for line in rest[first + 1 :] if not _is_asked(line))
    if not text:
        raise TourError(heading.number, "the step says nothing: write a paragraph below its link")
    return Step(heading.text[3:].strip(), page, query, text, asked, part)


def _address(line: int, link: str) -> tuple[str, dict[str, str]]:
    """The page of a link and its state; every name in it has to be one that the page knows."""
    page, _, query = link.removeprefix("/").partition("?")
    if page not in vocabulary.PAGES:
        pages = ", ".join(vocabulary.PAGES)
        raise TourError(line, f"the link opens {page[:40]!r}; the pages are {pages}")
    state = dict(parse_qsl(query, keep_blank_values=True))
    names = (
        {one.name for one in vocabulary.of_page(page)} - {"token", "lesson"} - set(vocabulary.TOUR)
    )
    for name in state:
        if name not in names | vocabulary.old_names(page):
            there = ", ".join(sorted(names))
            raise TourError(line, f"the page {page} has no {name[:40]!r}; it has {there}")
    return page, vocabulary.read(state)


def _is_asked(line: _Line) -> bool:
    return line.text.startswith(("? ", "> ")) or line.text == ">" or bool(_OPTION.match(line.text))


def _question(lines: list[_Line]) -> Question | None:
    asked = [line for line in lines if line.text.startswith("? ")]
    answers = [line for line in lines if line.text.startswith(">")]
    options = [(line, match) for line in lines if (match := _OPTION.match(line.text))]
    if not asked:
        if stray := [*answers, *(line for line, _ in options)]:
            raise TourError(stray[0].number, "an answer without a question; begin a line with '? '")
        return None
    if len(asked) > 1:
        raise TourError(asked[1].number, "a second question; a step has one")
    if not answers:
        raise TourError(asked[0].number, "the question has no answer; begin a line with '> '")
    text = " ".join(line.text[1:].strip() for line in answers)
    return Question(asked[0].text[2:].strip(), text, *_options(asked[0].number, options))


def _options(
    line: int, options: list[tuple[_Line, re.Match[str]]]
) -> tuple[tuple[str, ...], int | None]:
    if not options:
        return (), None
    right = [place for place, (_, match) in enumerate(options) if match[1] in "xX"]
    if len(right) != 1 or len(options) < 2:
        raise TourError(line, "expected two options or more, one of them as '- [x] this one'")
    return tuple(match[2].strip() for _, match in options), right[0]


def _paragraphs(lines: Iterator[_Line]) -> str:
    return "\n".join(line.text for line in lines).strip()
