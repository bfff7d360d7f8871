"""What sphinx does not bring: parts of pages written by the code, formulas without a script, figures of plotly."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import latex2mathml.converter
from described import PARTS, modules
from docutils import nodes
from plotly.offline import get_plotlyjs
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PLOTLY = "plotly.min.js"


class Described(SphinxDirective):
    """``{described} address watch`` is what ``described.address("watch")`` writes."""

    required_arguments = 1
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        name, *words = self.arguments
        if name not in PARTS:
            raise self.error(f"no part {name!r}; expected one of {', '.join(PARTS)}")
        return self.parse_text_to_nodes(PARTS[name](*words), allow_section_headings=True)


# Formulas: MathML, which browsers draw themselves ---------------------------------------------------


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(latex2mathml.converter.convert(node.astext()))
    raise nodes.SkipNode


def _displayed(writer: Any, node: nodes.math_block) -> None:
    formula = latex2mathml.converter.convert(node.astext(), display="block")
    writer.body.append(f'<div class="formula">{formula}</div>\n')
    raise nodes.SkipNode


# Figures: plotly comes once, from the package, and only to pages that draw ---------------------------


def _with_plotly(app: Sphinx, page: str, template: str, context: Any, doctree: Any) -> None:
    if doctree is not None and any(
        "Plotly.newPlot" in raw.astext() for raw in doctree.findall(nodes.raw)
    ):
        place = context["pathto"](
            f"_static/{PLOTLY}", 1
        )  # in the head: figures draw themselves as the page is read
        context["metatags"] += f'<script src="{place}"></script>'


def _copy_plotly(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        (Path(app.outdir) / "_static" / PLOTLY).write_text(get_plotlyjs(), "utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    for name in modules():  # before autodoc looks at one: it changes pydantic's own annotations, and no model is made after that
        import_module(name)
    app.add_directive("described", Described)
    app.add_html_math_renderer("mathml", (_inline, None), (_displayed, None))
    app.connect("html-page-context", _with_plotly)
    app.connect("build-finished", _copy_plotly)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
