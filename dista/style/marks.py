"""What things look like that figures in Python and panels in JavaScript both draw: a spike, the threshold, a membrane.

JavaScript's are in ``dista/widgets/css/``, and a test compares the two. Orange is for what was removed or lost, is
wrong, or deserves attention, and for nothing else: no limit, cursor or kind is orange.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from dista.style.palette import Palette


class Line(NamedTuple):
    """A line: the name of its colour in ``Palette``, its width, and its dashes in pixels (none: solid)."""

    colour: str
    width: float
    dash: tuple[int, ...] = ()

    def on(self, colours: Palette) -> dict[str, Any]:
        """As plotly's figures have it."""
        dash = {"dash": ",".join(f"{one}px" for one in self.dash)} if self.dash else {}
        return {"color": getattr(colours, self.colour), "width": self.width} | dash


class Dot(NamedTuple):
    """A mark at a point: its colour in ``Palette``, its diameter in pixels, and plotly's name of its form."""

    colour: str
    size: float
    symbol: str

    def on(self, colours: Palette) -> dict[str, Any]:
        """As plotly's figures have it, with an edge that keeps it off the line on which it stands."""
        colour = getattr(colours, self.colour)
        edge = {"color": colour if self.symbol.endswith("-open") else colours.panel, "width": 1.5}
        return {"color": colour, "size": self.size, "symbol": self.symbol, "line": edge}


SPIKE = Dot("ink", 8, "circle")
SPIKE_BEFORE = Dot("muted", 8, "circle-open")
"""One that was there before an intervention."""
THRESHOLD = Line("ink", 1.2, (6, 4))
MEMBRANE = Line("accent", 2.2)
CURSOR = Line("ink", 1.4, (2, 3))
"""Where the reader is: a step, an epoch."""
AREA = Line("muted", 1, (2, 3))
"""What even attention, or chance, would give."""

_OTHERS = (
    ("off", "dash", "square"),
    ("ink", "dot", "diamond"),
    ("muted", "dashdot", "triangle-up"),
    ("on", "longdash", "x"),
    ("soft", "longdashdot", "cross"),
)


def of_u(u: float, colours: Palette, *, own: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Line and marker of a threshold u of the denoiser, the same in every figure.

    ``own`` is the one with which the network was trained: a solid line in the accent. Others differ from their
    neighbours in colour, dashes and form; five apart they are alike.
    """
    if own:
        return {"color": colours.accent, "width": 2.4}, {"size": 6, "symbol": "circle"}
    name, dash, symbol = _OTHERS[int(u) % len(_OTHERS)]
    line = {"color": getattr(colours, name), "width": 1.4, "dash": dash}
    return line, {"size": 7, "symbol": symbol}
