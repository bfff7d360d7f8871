"""The glossary: every term has a sentence, every link opens a page that there is, and words are recognised."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

import pytest

from app.link import vocabulary
from dista.style import glossary
from dista.style.glossary import GLOSSARY, SOURCES, explained, expression, term, terms_in

WANTED = [  # what pages and lessons say; each has to be explained
    "tau", "u", "coincidence", "stem", "read-out", "surrogate gradient", "cosine", "pJ", "Bonett-Price", "[paper]",
    "[reviews]", "[related]", "[ours]", "window", "cue", "probe", "head", "token", "firing rate", "hard reset",
    "membrane potential", "threshold", "soft reset", "lag", "match", "denoiser", "attention map", "logits", "µJ",
]  # fmt: skip


@pytest.mark.parametrize("word", WANTED)
def test_what_pages_say_is_explained(word):
    assert term(word).says.endswith(".")


def test_every_term_is_one_short_sentence_with_a_place_in_the_alphabet():
    names = [name for name in GLOSSARY if not name.startswith("[")]
    assert names == sorted(names, key=str.lower) and len(names) >= 50
    for one in GLOSSARY.values():
        assert one.says[0].isupper() and one.says.count(". ") == 0 and len(one.says) < 230, one.name
        assert one.source in SOURCES
    anchors = [one.anchor for one in GLOSSARY.values()]
    assert len(set(anchors)) == len(anchors), "an anchor is one term"


def test_a_form_is_of_one_term():
    forms = [form.lower() for one in GLOSSARY.values() for form in one.forms]
    assert sorted({form for form in forms if forms.count(form) > 1}) == []


@pytest.mark.parametrize(
    "one", [one for one in GLOSSARY.values() if one.where], ids=lambda one: one.anchor
)
def test_where_a_term_is_seen_is_a_page_with_names_that_it_has(one):
    page, _, query = one.where.partition("?")
    assert page in vocabulary.PAGES
    for name, _ in parse_qsl(query, strict_parsing=bool(query)):
        vocabulary.check(name, page)


@pytest.mark.parametrize(
    "sentence, words",
    [
        ("Slow neurons have a large tau, fast ones a small tau.", ["tau"]),
        ("Membranes leak; the time constants say how fast.", ["Membranes", "time constants"]),
        ("With u = 1 the attention maps have fewer counts.", ["u", "attention maps"]),
        ("thus, statue, taught, up, U-turn: no word of ours", []),
        ("It is [paper], and this [ours].", ["[paper]", "[ours]"]),
        ("The largest value of a step in a window.", []),  # everyday speech
        ("The surrogate gradient is no gradient.", ["surrogate gradient"]),
        ("20 pJ, 4 nJ and 3 µJ", ["pJ", "nJ"]),
    ],
)  # fmt: skip
def test_terms_are_recognised_where_they_first_stand(sentence, words):
    assert [sentence[begin:end] for begin, end, _ in terms_in(sentence)] == words


@pytest.mark.parametrize(
    "flags", [0, re.ASCII], ids=["Python", "JavaScript, whose letters are ASCII"]
)
@pytest.mark.parametrize(
    "sentence, words", [("27 µJ of 3 µs", ["µJ"]), ("5 µu, 2 kΩu, uµ and éu", []), ("a u, 3 pJ", ["u", "pJ"])]
)  # fmt: skip
def test_a_unit_is_one_word_and_no_letter_of_a_word_is_a_term(flags, sentence, words):
    assert [match[0] for match in re.finditer(expression(), sentence, flags)] == words


def test_a_sentence_is_explained_and_stays_text():
    said = explained('<b>"stem"</b> & tau')
    assert said.startswith("&lt;b&gt;&quot;<abbr title=") and said.count("<abbr") == 2
    assert ">stem</abbr>&quot;&lt;/b&gt; &amp; <abbr" in said
    assert explained("nothing here") == "nothing here"


@pytest.mark.parametrize(
    "text, said",
    [
        ('[tau]\nsay = "x"', "tau: no field say; expected says, symbol"),
        ('[tau]\nname = "x"\nsays = "x"', "no field name"),
        ('[tau]\nunit = "steps"', "tau: a term needs a sentence"),
    ],
)
def test_a_wrong_file_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        glossary.read(text)


def test_an_unknown_word_is_no_term():
    with pytest.raises(KeyError):
        term("softmax temperature")
