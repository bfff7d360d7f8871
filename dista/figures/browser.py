"""Plotly's own JavaScript, for a widget that draws figures in a page which may have no network."""

from __future__ import annotations

from functools import cache

from plotly.offline import get_plotlyjs


@cache
def plotly_javascript(name: str) -> str:
    """A statement that puts plotly, as it came with the package, under a global symbol; once a page.

    ``name`` is that of the symbol, ``Symbol.for(name)``. Nothing else of the page sees or replaces it: the
    script takes itself for a CommonJS module.
    """
    return (
        f"globalThis[Symbol.for({name!r})] ??= (() => {{\n"
        "const module = { exports: {} }, exports = module.exports, define = undefined;\n"
        "(function () {\n"
        f"{get_plotlyjs()}\n"
        "}).call(globalThis);\n"
        "return module.exports;\n"
        "})();\n"
    )
