"""Results as tables: one row an item, which is what a figure draws and what its CSV holds.

    measures.decision(recording).table()                          # of one result
    measures.stacked(measures.denoising(recording))               # of one for each block
    measures.stacked({"before": one, "after": other}, "when")     # of several, by name

Steps, blocks, heads, patches, channels and samples count from 0 in tables, as everywhere in Python; layers
have their dotted names. What was not recorded or does not exist is empty. ``table.attrs["units"]`` has the
unit of each column that has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Columns = dict[str, Any]
"""A column by its name: an array (row,), or one value for all rows."""


class Result:
    """What a measure returns: a frozen dataclass that is a table as well.

    ``UNITS`` are those of its columns, by name. A result says in ``columns`` what its rows are; one that is
    a single row of its fields need not.
    """

    UNITS: ClassVar[Mapping[str, str]] = {}

    def columns(self) -> Columns:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]  # the subclasses are dataclasses

    def table(self) -> pd.DataFrame:
        """The numbers of the result as ``columns`` says, in a table of its own."""
        import pandas as pd  # here, as pages and the command line import measures without it

        columns = {name: _empty(values) for name, values in self.columns().items()}
        rows = [len(values) for values in columns.values() if isinstance(values, np.ndarray)]
        table = pd.DataFrame(columns, index=range(rows[0] if rows else 1))
        table.attrs["units"] = dict(self.UNITS)
        return table


def stacked(
    results: Iterable[Result] | Mapping[str, Result | Iterable[Result]], name: str = "result"
) -> pd.DataFrame:
    """The tables of several results, one below the other; by name where they have names.

    A column ``name`` then says whose a row is. ValueError where there are no results.
    """
    if isinstance(results, Mapping):
        return concatenated({of: _of(one) for of, one in results.items()}, name)
    return concatenated([one.table() for one in results])


def concatenated(
    tables: Sequence[pd.DataFrame] | Mapping[str, pd.DataFrame], name: str = "result"
) -> pd.DataFrame:
    """``stacked`` of tables that are at hand. Whole numbers stay whole where other rows have none."""
    import pandas as pd

    if not tables:
        raise ValueError("results is empty; expected at least one result of dista.measures")
    parts = list(tables.values() if isinstance(tables, Mapping) else tables)
    units = {k: v for part in parts for k, v in part.attrs.get("units", {}).items()}
    if len({tuple(part.columns) for part in parts}) > 1:
        parts = [part.convert_dtypes(convert_floating=False) for part in parts]
    table = pd.concat(parts, ignore_index=True)
    if isinstance(tables, Mapping):
        table.insert(0, name, [of for of, part in tables.items() for _ in range(len(part))])
    table.attrs["units"] = units
    return table


def _of(results: Result | Iterable[Result]) -> pd.DataFrame:
    return results.table() if isinstance(results, Result) else stacked(results)


def cells(axes: Mapping[str, Sequence[Any] | np.ndarray], **values: np.ndarray | None) -> Columns:
    """Columns with a row for each cell of arrays that all have the ``axes``, the last of them fastest.

    ``axes`` gives the places along each. An array that is None is empty.
    """
    places = np.meshgrid(*(np.asarray(along) for along in axes.values()), indexing="ij")
    columns = {axis: place.ravel() for axis, place in zip(axes, places)}
    for name, array in values.items():
        if array is not None and np.shape(array) != places[0].shape:
            raise ValueError(
                f"{name} has shape {np.shape(array)}; expected {places[0].shape}: {', '.join(axes)}"
            )
        columns[name] = None if array is None else np.asarray(array).ravel()
    return columns


def rows_where(there: np.ndarray, columns: Columns) -> Columns:
    """The rows of ``columns`` that are ``there``, an array of the shape of their cells."""
    return {
        name: values[there.ravel()] if isinstance(values, np.ndarray) else values
        for name, values in columns.items()
    }


def _empty(values: Any) -> Any:
    """``values``, or nothing in the form in which a column of numbers has it."""
    return np.nan if values is None else values
