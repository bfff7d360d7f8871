"""The numbers behind a figure: the tables of the results that it was drawn from.

    figure = figures.causal_memory(result)
    figures.tables.table(figure)    # result.table()

Every figure is marked with ``tabled``, which keeps what it was given, not what plotly made of it: the
numbers of a result are more exact than marks on axes, have names and units, and are also there where a
figure draws sums or percentages of them. The table is made when it is asked for.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec

from dista.measures import Result, stacked

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

P = ParamSpec("P")

_TABLE = "_dista_table"
"""Where a figure keeps how its table is made; plotly leaves names with an underscore alone."""

Drawn = Callable[P, "go.Figure"]


def tabled(
    table_of: Callable[..., pd.DataFrame] | None = None, *, only: Sequence[str] = ()
) -> Callable[[Drawn[P]], Drawn[P]]:
    """Mark a function that draws results, so that ``table`` knows the numbers of its figures.

    They are the tables of what it draws, which are its positional parameters; of several, a column
    ``result`` has the parameter's name. ``only`` takes the columns that are drawn, and each row once;
    ``table_of`` makes another table, of the parameters that it names.
    """

    def decorated(draw: Drawn[P]) -> Drawn[P]:
        signature = inspect.signature(draw)

        @functools.wraps(draw)
        def drawn(*args: P.args, **kwargs: P.kwargs) -> go.Figure:
            figure = draw(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            bound.apply_defaults()
            setattr(figure, _TABLE, functools.partial(make, bound.arguments))
            return figure

        def make(arguments: Mapping[str, Any]) -> pd.DataFrame:
            if table_of is not None:
                return table_of(**{name: arguments[name] for name in _parameters(table_of)})
            positional = [n for n, p in signature.parameters.items() if p.kind != p.KEYWORD_ONLY]
            table = _together({name: arguments[name] for name in positional})
            return table[list(only)].drop_duplicates(ignore_index=True) if only else table

        return drawn

    return decorated


def table(figure: go.Figure) -> pd.DataFrame:
    """The numbers of a figure of ``dista.figures``; ValueError for a copy of one, or any other."""
    made = getattr(figure, _TABLE, None)
    if made is None:
        raise ValueError(
            "the figure has no table; expected one as a function of dista.figures returned it, not a copy"
        )
    return made()


def _parameters(function: Callable[..., Any]) -> list[str]:
    return list(inspect.signature(function).parameters)


def _together(drawn: Mapping[str, Any]) -> pd.DataFrame:
    """The tables of what was drawn; a parameter that holds no results adds nothing."""
    results = {
        name: results
        for name, results in drawn.items()
        if isinstance(results, Result) or len(results)
    }
    if len(results) > 1:
        return stacked(results)
    alone = next(iter(results.values()))
    if isinstance(alone, Result):
        return alone.table()
    return stacked(alone, "name") if isinstance(alone, (Mapping, Sequence)) else alone.copy()
