"""The URL, the one place of a page's state.

A page reads its state from the URL, shows widgets at those values, and widgets write back into the
URL before the rerun that they cause. Nothing else holds state, so that a link, a reload and the
browser's back button all lead to the same view.

Which names there are, and what they mean, says ``vocabulary``; a name that it does not have fails here. Places count
from 0 for pages, and from 1 in the address: they are moved here, where the address is read and written.

Streamlit's own ``bind="query-params"`` does a part of this, and was measured (``tests/test_url.py``): a value
that the widget cannot have is dropped from the address in silence, where readers of a link are to hear
what is wrong with it; a widget at its default takes its name out of the address, so that a link says
something else when the default changes; it knows one name a widget, so that old names are lost; and components
(the probe, the brush, the threshold) have no such argument. With two ways to write, a browser that lags
undoes what the other wrote. So all of it is ours.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app.link import vocabulary
from dista.widgets.state import FIELDS
from dista.widgets.streamlit import acknowledge

_PLACE = {name: default for name, default in FIELDS.items() if name != "sample"}
PLACE_NUMBERS = tuple(name for name, default in _PLACE.items() if isinstance(default, int))
PLACE_WORDS = tuple(name for name, default in _PLACE.items() if isinstance(default, str))
LARGEST = 2**31 - 1
"""The largest whole number in a link: the browser's arrays of 32 bits hold it, and what is beyond would wrap."""
LATEST = "latest"
_WRITTEN, _BESIDE = "urls written", "url accompanied"
_SHOWN, _PAGE, _COMPLETE = "url shown", "url page", "url complete"


# One run of a page --------------------------------------------------------------------------------


def begin(page: str) -> None:
    """The page whose names are read from now on; an old link to it gets today's names."""
    st.session_state.update({_PAGE: page, _SHOWN: {}, _COMPLETE: False, _BESIDE: {}})
    link, changes = written(), vocabulary.translated(page, said())
    older = not vocabulary.counts_from_one(link) and link != vocabulary.written(link)
    if changes or older:
        write(**changes)


def end() -> None:
    """The page has read all of its state."""
    st.session_state[_COMPLETE] = True


def is_complete() -> bool:
    """Whether a page has run to its end: what it shows is known then."""
    return st.session_state.get(_COMPLETE, True)


def state() -> dict[str, str]:
    """All that the page shows, in the order of the vocabulary, also what is at its default.

    The choices for a new run are in it only where the URL has them: they are not shown before they are made.
    """
    page, query = st.session_state.get(_PAGE), said()
    shown = {n: t for n, t in _shown().items() if not n.startswith("new-")}
    texts = query | shown
    names = vocabulary.TABLE if page is None else [one.name for one in vocabulary.of_page(page)]
    return {
        name: texts[name] for name in names if name in texts and name not in ("lesson", "token")
    }


def subject() -> dict[str, str]:
    """What the reader looks at on this page, as far as it has been read."""
    return vocabulary.subject(st.session_state.get(_PAGE) or "", _shown())


def state_of(page: str) -> dict[str, str]:
    """What ``page`` showed, if it was the last that did."""
    return dict(_shown()) if st.session_state.get(_PAGE) == page else {}


def _shown() -> dict[str, str]:
    return st.session_state.setdefault(_SHOWN, {})


def show(name: str, value: Any) -> None:
    """Remember what a page shows under a name, for links that are to be complete."""
    check(name)
    parts = value if isinstance(value, (list, tuple)) else [value]
    _shown()[name] = ",".join(str(part) for part in parts)


def check(name: str) -> None:
    """UnknownName where the vocabulary does not have the name for this page."""
    vocabulary.check(name, st.session_state.get(_PAGE))


# Readers ------------------------------------------------------------------------------------------


def text(name: str) -> str | None:
    """What the URL says under ``name``, places counted from 0; None where it says nothing."""
    check(name)
    value = said().get(name)
    if value is not None:
        _shown()[name] = value
    return value


def take(name: str) -> str | None:
    """``text`` of what is not to stay in the URL."""
    value = st.query_params.get(name)
    vocabulary.check(name, None)
    if value is not None:
        del st.query_params[name]
    return value


def number(name: str, default: int, problems: list[str]) -> int:
    """The whole number ``name`` in the URL; the default, and a sentence, where it is none."""
    words = text(name)
    if words is None:
        return _seen(name, default)
    value = whole(words)
    if value is not None:
        return _seen(name, value)
    problems.append(
        f"{link_says(name, words)}, which is not a whole number from {first(name)} to {LARGEST}."
    )
    return _seen(name, default)


def link_says(name: str, text: str) -> str:
    """The beginning of a complaint: "The link says step='x'", with places as the reader wrote them."""
    return f"The link says {name}={vocabulary.shifted(name, text, first(name))[:40]!r}"


def first(name: str) -> int:
    """What the places count from that the link says under ``name``."""
    return int(vocabulary.TABLE[name].from_one and vocabulary.counts_from_one(written()))


def _seen(name: str, value: Any) -> Any:
    show(name, value)
    return value


def whole(text: str) -> int | None:
    """The number that the digits say, exactly and up to ``LARGEST``; None for any other text."""
    if text.isascii() and text.isdigit() and len(text) < 16 and int(text) <= LARGEST:
        return int(text)
    return None


def real(name: str, default: float, low: float, high: float, problems: list[str]) -> float:
    """The number ``name`` in the URL, from ``low`` to ``high``; the default and a sentence otherwise."""
    words = text(name)
    if words is None:
        return _seen(name, default)
    with contextlib.suppress(ValueError):
        if low <= float(words) <= high:
            return _seen(name, float(words))
    problems.append(f"{link_says(name, words)}, which is not a number from {low:g} to {high:g}.")
    return _seen(name, default)


def choice(
    name: str,
    choices: Sequence[str],
    default: str,
    problems: list[str],
    shown: Callable[[str], str] = str,
) -> str:
    """The entry of ``choices`` that the URL names; the default, and a sentence, where it is none.

    ``shown`` is what the page calls an entry, where that is not its name in the URL: the sentence says it so.
    """
    words = text(name)
    if words is None or words in choices:
        return _seen(name, default if words is None else words)
    counted = (vocabulary.shifted(name, one, first(name)) for one in [*choices, default])
    *options, instead = map(shown, counted)
    problems.append(f"{link_says(name, words)}; there are {', '.join(options)}. Showing {instead}.")
    return _seen(name, default)


def numbers(
    name: str, allowed: Sequence[int], default: Sequence[int], problems: list[str]
) -> list[int]:
    """The numbers ``name`` in the URL, separated by commas; the default and a sentence otherwise."""
    words = text(name)
    if words is None:
        return _seen(name, list(default))
    values = {str(number): number for number in allowed}
    parts = words.split(",") if words else []
    if all(part in values for part in parts):
        return _seen(name, sorted({values[part] for part in parts}))
    problems.append(f"{link_says(name, words)}; expected some of {', '.join(values)}, with commas.")
    return _seen(name, list(default))


# Writers ------------------------------------------------------------------------------------------


def bound(name: str, value: Any, *, instead_of: str | None = None) -> dict[str, Any]:
    """Keyword arguments that make a widget show ``value`` and write its changes to the URL.

    What is chosen then takes the place of ``instead_of``, which goes out of the URL.
    """
    key = f"url:{name}"
    show(name, value)
    st.session_state[key] = value
    return {"key": key, "on_change": _to_url, "args": (name, instead_of)}


def counted(name: str, index: int) -> dict[str, Any]:
    """``bound`` of a box for a number in which a place counts from 1."""
    widget = bound(name, index)
    st.session_state[widget["key"]] = index + 1
    return widget | {"on_change": _place_to_url, "args": (name,)}


def _place_to_url(name: str) -> None:
    write(**{name: st.session_state[f"url:{name}"] - 1})


def opened(name: str) -> dict[str, Any]:
    """Keyword arguments for a popover or expander that is open while the URL has ``name``."""
    key = f"url:{name}"
    st.session_state[key] = text(name) is not None
    return {"key": key, "on_change": _keep_open, "args": (name,)}


def _keep_open(name: str) -> None:
    write(**{name: "open" if st.session_state[f"url:{name}"] else None})


def _to_url(name: str, instead_of: str | None) -> None:
    value = st.session_state[f"url:{name}"]
    parts = sorted(value) if isinstance(value, list) else [value]
    gone = {} if instead_of is None else {instead_of: None}
    write(**gone | {name: ",".join(str(part) for part in parts)})


def accompany(**state: Any) -> None:
    """Put these into the URL with whatever the reader changes next on this page, though he did not choose them."""
    for name in state:
        check(name)
    st.session_state[_BESIDE] = state


def write(**changes: Any) -> None:
    """Put values into the URL; None takes one out. To be called before the run that shows them.

    A browser that has not heard yet of the last change sends the URL from before it, with what its reader did
    next, and Streamlit takes that for the URL that is wanted. Such a URL is known from what was written
    since the browser was last up to date, and gives way to the newest.
    """
    changes = st.session_state.get(_BESIDE, {}) | changes
    for name, value in changes.items():
        if value is not None:
            check(name)
    urls = st.session_state.setdefault(_WRITTEN, [])
    sent = st.query_params.to_dict()
    newest = urls[-1] if sent in urls else sent
    if sent == newest:
        urls[:] = [sent]
    state = vocabulary.read(newest) | changes
    now = vocabulary.written({n: str(value) for n, value in state.items() if value is not None})
    if now != sent:
        st.query_params.from_dict(now)
    if now != urls[-1]:
        urls.append(now)


def arrive(state: dict[str, str]) -> None:
    """Begin with ``state`` where the URL says nothing."""
    if not st.query_params:
        st.query_params.update(vocabulary.written(state))


def settle() -> None:
    """Forget what was written, where the reader went back or followed a link: no browser lags then."""
    urls = st.session_state.get(_WRITTEN, [])
    if urls and st.query_params.to_dict() != urls[-1]:
        urls.clear()


def written() -> dict[str, str]:
    """What the URL says, as it is."""
    return st.query_params.to_dict()


def said() -> dict[str, str]:
    """What the URL says, places counted from 0."""
    return vocabulary.read(written())


def place(problems: list[str]) -> dict[str, Any]:
    """Where the probe is, as far as the URL says it."""
    query = st.query_params
    numbers = {name: number(name, -1, problems) for name in PLACE_NUMBERS if name in query}
    words = {name: word for name in PLACE_WORDS if (word := text(name)) is not None}
    return {name: value for name, value in numbers.items() if value >= 0} | words


def show_place(header: dict[str, Any]) -> None:
    """Note where the probe begins, for links, as far as its data says it: the last step, the last block.

    The head, the patch and the neuron are chosen in the browser, from the numbers, always the same, and are
    reported with the reader's first change.
    """
    begins = {"step": header["steps"] - 1, "range": _PLACE["range"], "stage": _PLACE["stage"]}
    if header["attention"]:
        begins["block"] = header["attention"][-1]["block"]
    for name, value in begins.items():
        if name not in _shown():
            show(name, value)


def remember_place(key: str, **choices: Any) -> None:
    """Write what the probe ``key`` reports into the URL, and the ``choices`` that it belongs to.

    To be called before the rerun that the report causes, so that the URL never lags behind the probe. A
    probe that only followed another of its group has nothing to say.
    """
    reported = (st.session_state.get(key) or {}).get("state") or {}
    if reported.get("following"):
        return write()
    place = {n: reported[n] for n in PLACE_NUMBERS + PLACE_WORDS if n in reported}
    write(**choices | {n: None if value == "" else value for n, value in place.items()})
    acknowledge(key)
