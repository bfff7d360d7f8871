"""The glossary: what each term of the field means here, written once in ``glossary.toml`` beside this file.

    from dista.style.glossary import GLOSSARY, term, explained
    term("time constants").says          # by any of its forms
    explained("Slow neurons have a large tau.")   # HTML: the sentence with its terms to hover over

Pages, lessons and the book take the sentences from here, so that a word means the same everywhere.
"""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

FILE = Path(__file__).with_name("glossary.toml")
SOURCES = ("", "[paper]", "[reviews]", "[related]", "[ours]")


class Term(NamedTuple):
    """One term; ``symbol``, ``unit``, ``source`` and ``where`` are empty where there is none.

    ``where`` is an address within the dashboard ("watch?stage=scores"). An ``ordinary`` word is one of everyday
    speech as well, and is not explained wherever it stands in a sentence.
    """

    name: str
    says: str
    symbol: str = ""
    unit: str = ""
    source: str = ""
    where: str = ""
    also: tuple[str, ...] = ()
    ordinary: bool = False

    @property
    def anchor(self) -> str:
        """Its name as a part of an address: ``membrane-potential``."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    @property
    def forms(self) -> tuple[str, ...]:
        return (self.name, *self.also)

    @property
    def hint(self) -> str:
        """What a reader is shown who points at the word."""
        facts = [self.symbol and f"written {self.symbol}", self.unit, self.source]
        more = ", ".join(fact for fact in facts if fact)
        return f"{self.name}: {self.says}" + (f" ({more})" if more else "")


def read(text: str) -> dict[str, Term]:
    """The terms of a glossary file, by name; ValueError where one has no sentence, or a field that none has."""
    terms = {}
    for name, fields in tomllib.loads(text).items():
        if unexpected := fields.keys() - set(Term._fields) | {"name"} & fields.keys():
            raise ValueError(
                f"{name}: no field {', '.join(sorted(unexpected))}; expected {', '.join(Term._fields[1:])}"
            )
        if not fields.get("says"):
            raise ValueError(f"{name}: a term needs a sentence, says = ...")
        terms[name] = Term(name, **fields | {"also": tuple(fields.get("also", ()))})
    return terms


GLOSSARY: Mapping[str, Term] = MappingProxyType(read(FILE.read_text("utf-8")))
"""All terms by name, in the order of the alphabet, the labels of sources last."""


def term(word: str) -> Term:
    """The term by any of its forms, in capitals or not; KeyError for a word that the glossary does not have."""
    if word in GLOSSARY:
        return GLOSSARY[word]
    return _forms()[word.lower()]


@cache
def _forms() -> dict[str, Term]:
    return {form.lower(): one for one in GLOSSARY.values() for form in one.forms}


# In sentences -------------------------------------------------------------------------------------


def explained_forms() -> dict[str, str]:
    """What is explained wherever it stands: the hint of each form."""
    return {form: one.hint for one in GLOSSARY.values() if not one.ordinary for form in one.forms}


def terms_in(sentence: str) -> Iterator[tuple[int, int, Term]]:
    """Where each term that is explained stands for the first time: begin, end, the term."""
    seen = set()
    for match in _recognised().finditer(sentence):
        one = term(match[0])
        if one.name not in seen:
            seen.add(one.name)
            yield match.start(), match.end(), one


_LETTER = r"\w\u00aa-\u024f\u0370-\u03ff\u2126"  # those of JavaScript's \w are ASCII: no µ, Ω or é


def expression() -> str:
    """A regular expression, for Python and for JavaScript, that recognises what is explained, longest forms first."""
    forms = sorted(explained_forms(), key=len, reverse=True)
    labels = "|".join(re.escape(form) for form in forms if form.startswith("["))
    words = "|".join(_either(form) for form in forms if not form.startswith("["))
    return rf"{labels}|(?<![{_LETTER}\[.-])(?:{words})(?![{_LETTER}\]])(?!-[{_LETTER}])"


def _either(form: str) -> str:
    """A word with a small or a capital letter first; short ones (u, pJ, LIF) are symbols, and as they are."""
    if len(form) < 4 and form != "tau":
        return form
    return f"[{form[0].lower()}{form[0].upper()}]{form[1:]}"


@cache
def _recognised() -> re.Pattern[str]:
    return re.compile(expression())


def explained(sentence: str) -> str:
    """HTML: the sentence with each of its terms, where it first stands, explained to who points at it.

    The sentence is text: what HTML would read in it is escaped.
    """
    parts, end = [], 0
    for begins, ends, one in terms_in(sentence):
        hint = html.escape(one.hint, quote=True)
        word = html.escape(sentence[begins:ends])
        parts += [html.escape(sentence[end:begins]), f'<abbr title="{hint}">{word}</abbr>']
        end = ends
    return "".join([*parts, html.escape(sentence[end:])])
