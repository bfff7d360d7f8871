"""The look of all figures: calm paper or slate, one accent, orange for what was removed or matters."""

from __future__ import annotations

import copy
import html
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from dista.figures import outside
from dista.style.labels import layer as short
from dista.style.palette import Palette, Theme, palette
from dista.style.sentences import count

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
__all__ = [
    "FONT",
    "Palette",
    "Theme",
    "count",
    "finish",
    "palette",
    "percent",
    "scale",
    "short",
    "step_ticks",
    "text_on",
]

TITLE_WIDTH = 40  # characters that fit a line on a 390 pixel screen


def scale(colours: Sequence[str]) -> list[tuple[float, str]]:
    """A plotly colour scale through evenly spaced colours."""
    return [(float(at), colour) for at, colour in zip(np.linspace(0, 1, len(colours)), colours)]


def text_on(shares: np.ndarray, colours: Sequence[str]) -> np.ndarray:
    """Black or white for each place 0..1 on the scale of ``colours``, whichever is read more easily.

    The choice is WCAG's contrast: on a luminance above 0.18 black has more of it.
    """
    channels = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours])
    places = np.linspace(0, 1, len(colours))
    mixed = np.stack([np.interp(shares, places, channels[:, i]) for i in range(3)], -1) / 255
    linear = np.where(mixed <= 0.04045, mixed / 12.92, ((mixed + 0.055) / 1.055) ** 2.4)
    return np.where(linear @ (0.2126, 0.7152, 0.0722) > 0.18, "#000000", "#ffffff")


def finish(
    figure: go.Figure, theme: Theme, *, title: str, alt: str, height: int, top: int = 0
) -> go.Figure:
    """Give a figure its look, a sentence as title and a description; the width is its container's.

    Names in its texts are shown as they are (``outside``). ``top`` is the room in pixels that labels between title and axes need. The layout is assigned as a
    whole, which is ten times as fast as ``update_layout`` and ``update_xaxes``, and without plotly's
    own template, which would be most of what a page sends for a small figure.
    """
    colours, lines = palette(theme), _wrapped(title)
    outside.show_texts(figure)
    layout = outside.texts(figure.layout.to_plotly_json())
    axes = [name for name in layout if name.startswith(("xaxis", "yaxis"))]
    look = _look(colours) | dict.fromkeys({"xaxis", "yaxis", *axes}, _axis(colours))
    layout = _merged(layout, look)
    layout["height"] = height + top + 17 * (len(lines) - 1)
    layout["title"]["text"] = (
        f"<b>{'<br>'.join(html.escape(line, quote=False) for line in lines)}</b>"
    )
    layout["margin"] = {"l": 12, "r": 16, "t": 24 + 17 * len(lines) + top, "b": 8}
    layout["meta"] = {"alt": alt}
    layout["template"] = {"data": {"heatmap": [{"colorbar": {"outlinewidth": 0, "ticks": ""}}]}}
    figure.layout = layout
    return figure


def _look(colours: Palette) -> dict[str, Any]:
    """What all figures have in common, axes apart."""
    return {
        "autosize": True,
        "paper_bgcolor": colours.panel,
        "plot_bgcolor": colours.panel,
        "font": {"family": FONT, "size": 13, "color": colours.ink},
        "title": {
            "font": {"size": 13},
            "x": 0,
            "xref": "container",
            "xanchor": "left",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 12, "l": 12},
        },
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "bgcolor": "rgba(0,0,0,0)",
            "font": {"size": 12},
        },
        "hoverlabel": {"font": {"family": FONT, "size": 12}, "align": "left"},
        "hovermode": "closest",
        "autotypenumbers": "strict",
        "dragmode": False,
    }


def _axis(colours: Palette) -> dict[str, Any]:
    return {
        "gridcolor": colours.line,
        "linecolor": colours.line,
        "zeroline": False,
        "showgrid": False,
        "ticks": "",
        "automargin": True,
        "tickfont": {"color": colours.muted, "size": 12},
        "title": {"font": {"color": colours.muted, "size": 12}},
        "fixedrange": False,
    }


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with the values of ``over`` in their places, at any depth."""
    both = dict(base)
    for name, value in over.items():
        own = both.get(name)
        nested = isinstance(own, Mapping) and isinstance(value, Mapping)
        both[name] = _merged(own, value) if nested else copy.deepcopy(value)
    return both


def _wrapped(title: str) -> list[str]:
    """Lines of about equal length, as few as fit a narrow screen; a number keeps its per cent sign."""
    bound = title.replace(" %", "\xa0%")
    fewest = len(textwrap.wrap(bound, TITLE_WIDTH))
    least = len(bound) // max(1, fewest) - 1  # even lines cannot be shorter
    widths = range(max(1, least), TITLE_WIDTH + 1)
    width = next(w for w in widths if len(textwrap.wrap(bound, w)) <= fewest)
    return [line.replace("\xa0", " ") for line in textwrap.wrap(bound, width)]


def step_ticks(
    steps: int, labels: Sequence[str] | None = None, now: int | None = None
) -> list[str]:
    """Names of the steps from 1, with what they show and which one is now below the number."""
    if labels is not None and len(labels) != steps:
        raise ValueError(
            f"step_labels has {len(labels)} entries for {steps} steps; give one a step"
        )
    ticks = []
    for step in range(steps):
        below = f"<br>{outside.SMALL}{labels[step]}</span>" if labels else ""
        ticks.append(f"{step + 1}{below}")
    if now is not None:
        ticks[now] = f"<b>{ticks[now]}</b>" if labels else f"<b>{now + 1}<br>now</b>"
    return ticks


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"
