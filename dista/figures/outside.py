"""Names in figures: plotly reads a part of HTML in nearly every text, and what comes from outside is none.

A class, a layer or a step may be called anything: ``<a href=...>`` in a recording would be a link in its
figure. ``finish`` puts every text of a figure through ``shown``, so that no figure has to think of it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

SMALL = "<span style='font-size:10px'>"
_OURS = re.compile(rf"(<br>|</?b>|</?i>|</?su[bp]>|<extra></extra>|{re.escape(SMALL)}|</span>)")
_OF_A_TRACE = ("name", "text", "texttemplate", "hovertext", "hovertemplate", "customdata")


def shown(text: str) -> str:
    """A text of a figure as plotly has to get it: all as it is, but for the few marks that are ours."""
    if "<" not in text and "&" not in text:
        return text
    parts = _OURS.split(text)  # marks are every second one
    return "".join(
        part if i % 2 else html.escape(part, quote=False) for i, part in enumerate(parts)
    )


def plain(text: str) -> str:
    """The inverse, without marks: what is read."""
    return html.unescape(re.sub(r"<[^>]*>", " ", text))


def texts(value: Any) -> Any:
    """``value`` with each text in it as it has to be shown; the same object where nothing changes."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "OU":
            return value
        made = np.array([texts(one) for one in value.ravel()], object).reshape(value.shape)
        return value if all(a is b or a == b for a, b in zip(made.flat, value.flat)) else made
    if isinstance(value, Mapping):
        return {name: texts(one) for name, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return type(value)(texts(one) for one in value) if type(value) in (list, tuple) else value
    return value


def show_texts(figure: go.Figure) -> None:
    """The texts of the traces as they have to be shown; those of the layout are ``finish``'s."""
    for trace in figure.data:
        for name in _OF_A_TRACE:
            text = getattr(trace, name, None)
            if text is not None and (made := texts(text)) is not text and not _same(made, text):
                trace[name] = made


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and not isinstance(one, np.ndarray) and one == other
