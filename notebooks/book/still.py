"""What notebooks show on a page, which has no kernel and perhaps no network.

Figures are drawn by the copy of plotly that the book holds (``sphinx_parts.py``); a widget is the figure that it shows,
or its sentence. ``startup.py`` imports this in the kernel of every notebook.
"""

import html
import json

import plotly.io as pio
from plotly.io.base_renderers import MimetypeRenderer


class Book(MimetypeRenderer):
    """A figure as the piece of a page that describes and draws it."""

    def to_mimebundle(self, figure: dict) -> dict[str, str]:
        return {"text/html": drawn(figure)}


def drawn(figure: dict) -> str:
    alt = (figure["layout"].get("meta") or {}).get("alt", "")
    piece = pio.to_html(
        figure, full_html=False, include_plotlyjs=False, config={"responsive": True, "displaylogo": False},
        validate=False,
    )  # fmt: skip
    return f'<figure class="drawn" role="img" aria-label="{html.escape(alt, quote=True)}">{piece}</figure>'


def of_widget(widget: object) -> str:
    """The figure that it shows, or else its sentence."""
    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    picture = data.get("application/vnd.plotly.v1+json")
    still = drawn(json.loads(json.dumps(picture))) if picture else ""
    return f'{still}<p class="still">{html.escape(data["text/plain"])} It moves in JupyterLab.</p>'


def show_still(formatter: object) -> None:
    """Figures and widgets are shown so from now on; ``formatter`` is IPython's of HTML.

    Lessons ask for ``plotly_mimetype``, which JupyterLab draws: it is the name of ours here.
    """
    pio.renderers["plotly_mimetype"] = Book()
    pio.renderers.default = "plotly_mimetype"
    widgets = {
        "following": "Follow",
        "intervening": "Controls",
        "jupyter": "Probe",
        "lab": "TauLab",
    }
    for module, name in widgets.items():
        formatter.for_type_by_name(f"dista.widgets.{module}", name, of_widget)
