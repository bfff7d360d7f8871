"""The URL, the one place of a page's state.

A page reads its state from the URL, shows widgets at those values, and widgets write back into the
URL before the rerun that they cause. Nothing else holds state, so that a link, a reload and the
browser's back button all lead to the same view.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import streamlit as st

from dista.widgets.state import FIELDS
from dista.widgets.streamlit import acknowledge

_PLACE = {name: default for name, default in FIELDS.items() if name != "sample"}
PLACE_NUMBERS = tuple(name for name, default in _PLACE.items() if isinstance(default, int))
PLACE_WORDS = tuple(name for name, default in _PLACE.items() if isinstance(default, str))
LARGEST = 2**31 - 1
"""The largest whole number in a link: the browser's arrays of 32 bits hold it, and what is beyond would wrap."""
_WRITTEN = "urls written"


def number(name: str, default: int, problems: list[str]) -> int:
    """The whole number ``name`` in the URL; the default, and a sentence, where it is none."""
    text = st.query_params.get(name)
    if text is None:
        return default
    found = whole(text)
    if found is not None:
        return found
    problems.append(
        f"The link says {name}={text[:40]!r}, which is not a whole number from 0 to {LARGEST}."
    )
    return default


def whole(text: str) -> int | None:
    """The number that the digits say, exactly and up to ``LARGEST``; None for any other text."""
    if text.isascii() and text.isdigit() and len(text) < 16 and int(text) <= LARGEST:
        return int(text)
    return None


def real(name: str, default: float, low: float, high: float, problems: list[str]) -> float:
    """The number ``name`` in the URL, from ``low`` to ``high``; the default and a sentence otherwise."""
    text = st.query_params.get(name)
    if text is None:
        return default
    with contextlib.suppress(ValueError):
        if low <= float(text) <= high:
            return float(text)
    problems.append(
        f"The link says {name}={text[:40]!r}, which is not a number from {low:g} to {high:g}."
    )
    return default


def choice(name: str, choices: Sequence[str], default: str, problems: list[str]) -> str:
    """The entry of ``choices`` that the URL names; the default, and a sentence, where it is none."""
    text = st.query_params.get(name)
    if text is None or text in choices:
        return default if text is None else text
    known = ", ".join(choices)
    problems.append(f"The link says {name}={text[:40]!r}; there are {known}. Showing {default}.")
    return default


def numbers(
    name: str, allowed: Sequence[int], default: Sequence[int], problems: list[str]
) -> list[int]:
    """The numbers ``name`` in the URL, separated by commas; the default and a sentence otherwise."""
    text = st.query_params.get(name)
    if text is None:
        return list(default)
    known = {str(number): number for number in allowed}
    parts = text.split(",")
    if all(part in known for part in parts):
        return sorted({known[part] for part in parts})
    problems.append(
        f"The link says {name}={text[:40]!r}; expected some of {', '.join(known)}, with commas."
    )
    return list(default)


def bound(name: str, value: Any, *, instead_of: str | None = None) -> dict[str, Any]:
    """Keyword arguments that make a widget show ``value`` and write its changes to the URL.

    What is chosen then takes the place of ``instead_of``, which goes out of the URL.
    """
    key = f"url:{name}"
    st.session_state[key] = value
    return {"key": key, "on_change": _to_url, "args": (name, instead_of)}


def opened(name: str) -> dict[str, Any]:
    """Keyword arguments for a popover or expander that is open while the URL has ``name``."""
    key = f"url:{name}"
    st.session_state[key] = name in st.query_params
    return {"key": key, "on_change": _keep_open, "args": (name,)}


def _keep_open(name: str) -> None:
    write(**{name: "open" if st.session_state[f"url:{name}"] else None})


def _to_url(name: str, instead_of: str | None) -> None:
    value = st.session_state[f"url:{name}"]
    parts = sorted(value) if isinstance(value, list) else [value]
    gone = {} if instead_of is None else {instead_of: None}
    write(**gone | {name: ",".join(str(part) for part in parts)})


def write(**changes: Any) -> None:
    """Put values into the URL; None takes one out. To be called before the run that shows them.

    A browser that has not heard yet of the last change sends the URL from before it, with what its reader did
    next, and Streamlit takes that for the URL that is wanted. Such a URL is known from what was written
    since the browser was last up to date, and gives way to the newest.
    """
    urls = st.session_state.setdefault(_WRITTEN, [])
    sent = st.query_params.to_dict()
    known = urls[-1] if sent in urls else sent
    if sent == known:
        urls[:] = [sent]
    now = {name: str(value) for name, value in (known | changes).items() if value is not None}
    if now != sent:
        st.query_params.from_dict(now)
    if now != urls[-1]:
        urls.append(now)


def place(problems: list[str]) -> dict[str, Any]:
    """Where the probe is, as far as the URL says it."""
    known = st.query_params
    numbers = {name: number(name, -1, problems) for name in PLACE_NUMBERS if name in known}
    words = {name: known[name] for name in PLACE_WORDS if name in known}
    return {name: value for name, value in numbers.items() if value >= 0} | words


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


def resume(page: str) -> None:
    """Bring a page's state back when the reader returns by the menu, whose links carry none."""
    before = st.session_state.get("page", page)
    st.session_state["page"] = page
    if before != page and not st.query_params:
        st.query_params.update(st.session_state.get(f"url of {page}", {}))
    urls = st.session_state.get(_WRITTEN, [])
    if urls and st.query_params.to_dict() != urls[-1]:
        urls.clear()  # the reader went back, or followed a link


def leave_mark(page: str) -> None:
    """Keep the page's state for ``resume``."""
    st.session_state[f"url of {page}"] = st.query_params.to_dict()
