"""Figures of ``dista.figures`` in a notebook, drawn again in place: they follow a slider, or a training."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from dista.extras import need

need("anywidget", "figures that follow", "notebooks")

import traitlets

from dista.figures.browser import plotly_javascript
from dista.widgets.hearing import Hearing
from dista.widgets.source import module, styles

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from dista.style.palette import Theme

Draw = Callable[["Theme"], Sequence["go.Figure"]]


class Figures(Hearing):
    """Some figures beside each other; ``draw`` makes them for a theme, which is that of the page.

    A plotly FigureWidget is one figure, and each brings five megabytes of JavaScript to the page; here all of
    them share one copy. What changed is drawn into what is there: zoom and legend stay, and nothing flickers.
    ``plotly`` is that copy: the widget's own module asks for it once it is there itself (``js/figures.js`` says why).
    """

    AGAIN = ("drawn",)
    _esm = module("figures")
    _css = styles("figures")
    plotly = traitlets.Unicode(plotly_javascript("dista plotly")).tag(sync=True)
    drawn = traitlets.List(traitlets.Unicode()).tag(sync=True)
    theme = traitlets.Enum(("light", "dark"), "light").tag(sync=True)

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        super().__init__(drawn=self._texts())

    def redraw(self) -> None:
        """Draw anew; figures that came out as they are there stay untouched."""
        self.drawn = self._texts()

    def _texts(self) -> list[str]:
        return [figure.to_json() for figure in self._draw(self.theme)]

    @traitlets.observe("theme")
    def _recolour(self, change: dict[str, Any]) -> None:
        if self.drawn:
            self.redraw()


def with_picture(bundle: dict[str, Any] | None, figures: Figures, sentence: str) -> dict[str, Any]:
    """What a notebook keeps of a widget, with a picture and a sentence for where no widget runs."""
    picture = {}
    if figures.drawn:
        picture = {"application/vnd.plotly.v1+json": json.loads(figures.drawn[0])}
    return picture | (bundle or {}) | {"text/plain": sentence}
