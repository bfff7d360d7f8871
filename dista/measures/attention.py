"""What patches attend to: the keys of a query, in space and over the steps that it reaches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dista.measures.lookup import MeasureError, Patch, find, grid, need, one_sample, patch, within
from dista.measures.tables import Columns, Result, cells, rows_where

if TYPE_CHECKING:
    import xarray as xr

Stage = Literal["kept", "raw"]
"""The attention map after the denoiser, or before it."""


@dataclass(frozen=True)
class KeyMaps(Result):
    """What one query patch attends to: counts (key step, row, column) at the steps that it reaches.

    ``key_steps`` are the reachable steps in order, ``outside`` the other steps of the sequence: later
    ones, and earlier ones beyond the memory window. ``removed`` is ``raw`` where the denoiser returned
    0. ``head`` None is the sum over heads. A map that was not recorded is None.
    """

    block: int
    head: int | None
    query: tuple[int, int]
    step: int
    steps: int
    key_steps: np.ndarray
    outside: np.ndarray
    raw: np.ndarray | None
    denoised: np.ndarray | None
    removed: np.ndarray | None

    UNITS = dict.fromkeys(("raw", "denoised", "removed"), "coincident spikes")

    def columns(self) -> Columns:
        """A row for each key that the query reaches."""
        maps = {"raw": self.raw, "denoised": self.denoised, "removed": self.removed}
        _, rows, columns = next(counts.shape for counts in maps.values() if counts is not None)
        of_query = {
            "block": self.block, "head": self.head, "query_step": self.step,
            "query_row": self.query[0], "query_column": self.query[1],
        }  # fmt: skip
        keys: dict[str, Sequence[int] | np.ndarray] = {
            "key_step": self.key_steps, "key_row": range(rows), "key_column": range(columns),
        }  # fmt: skip
        return of_query | cells(keys, **maps)


@dataclass(frozen=True)
class AttentionSplit(Result):
    """Shares of the summed attention of one query; they sum to 1, or are all 0 if ``total`` is 0.

    ``same_step``: keys of the query's own step, its own patch included. ``same_patch``: the query's
    patch at other steps. ``elsewhere``: other patches at other steps. ``even`` are the three shares, in that
    order, that even attention over all keys in reach would give; None where that is not known.
    """

    same_patch: float
    same_step: float
    elsewhere: float
    total: float
    of: Stage
    even: tuple[float, float, float] | None = None

    UNITS = {"total": "coincident spikes"}

    def columns(self) -> Columns:
        """A row for each part."""
        parts = ("same_patch", "same_step", "elsewhere")
        share = np.array([getattr(self, part) for part in parts])
        even = np.full(len(parts), np.nan) if self.even is None else np.array(self.even)
        return {
            "stage": self.of, "part": np.array(parts), "share": share, "even": even, "total": self.total,
        }  # fmt: skip


@dataclass(frozen=True)
class AttentionOverTime(Result):
    """``share[t, m]``: which part of the attention paid at step t goes to step m.

    Rows sum to 1, or are all 0 where nothing is attended; NaN where m cannot be reached from t.
    ``mass`` (query step,) is the summed attention that the shares are of. Most of what is reached lies in the past
    as it fills: a share says something beside that of ``even`` attention.
    """

    block: int
    share: np.ndarray
    mass: np.ndarray
    of: Stage

    UNITS = {"mass": "coincident spikes"}

    def columns(self) -> Columns:
        """A row for each key step that a query step reaches; ``mass`` is that of the query step."""
        steps = range(len(self.mass))
        mass = np.broadcast_to(self.mass[:, None], self.share.shape)
        columns = cells({"query_step": steps, "key_step": steps}, share=self.share, mass=mass)
        columns = rows_where(~np.isnan(self.share), columns)
        return {"block": self.block, "stage": self.of} | columns

    @property
    def past(self) -> np.ndarray:
        """The share of each step's attention that goes to earlier steps (query step,)."""
        return np.nansum(np.tril(self.share, -1), 1)

    @property
    def even(self) -> np.ndarray:
        """What ``past`` would be if all steps that are reached were given the same."""
        return 1 - 1 / (~np.isnan(self.share)).sum(1)


def blocks(recording: xr.DataTree) -> list[int]:
    """The blocks of which an attention map was recorded, before or after the denoiser."""
    nodes = recording["blocks"].children if "blocks" in recording.children else ()
    return [b for b in sorted(map(int, nodes)) if any(m is not None for m in _maps(recording, b))]


def key_maps(
    recording: xr.DataTree,
    block: int,
    head: int | None,
    query: Patch,
    step: int,
    sample: int = 0,
) -> KeyMaps:
    """The keys that a query patch meets at ``step``, at all steps that the memory lets it reach.

    Where memory is not in the map (or W = 1), that is the same step alone. Needs the scores, the
    denoised map, or both.
    """
    some = _some_map(recording, block)
    steps = int(some.coords["query_time"].max()) + 1
    within("step", step, steps)
    if head is not None:
        within("head", head, some.sizes["head"])
    rows, columns = grid(recording, block, some.sizes["key"])
    place = patch(query, rows, columns)
    pairs = np.flatnonzero(some.coords["query_time"].values == step)
    key_steps = some.coords["key_time"].values[pairs]

    def of_query(map_: xr.DataArray | None) -> np.ndarray | None:
        if map_ is None:
            return None
        one = one_sample(map_, sample).isel(pair=pairs, query=place[0] * columns + place[1])
        one = _widened(one)
        one = one.sum("head") if head is None else one.isel(head=head)
        return one.transpose("pair", "key").values.reshape(-1, rows, columns)

    scores, denoised = _maps(recording, block)
    removed = None
    if scores is not None and denoised is not None:
        # Head by head, as a key can be kept by one head and removed by another.
        removed = of_query(_widened(scores).where(denoised == 0, 0))
    return KeyMaps(
        block, head, place, step, steps, key_steps,
        np.setdiff1d(np.arange(steps), key_steps), of_query(scores), of_query(denoised), removed,
    )  # fmt: skip


def attention_split(
    recording: xr.DataTree,
    block: int,
    head: int | None,
    query: Patch,
    step: int,
    sample: int = 0,
    *,
    of: Stage = "kept",
) -> AttentionSplit:
    """How the attention of a query is split between its own step, its own patch, and elsewhere."""
    return split(key_maps(recording, block, head, query, step, sample), of)


def split(maps: KeyMaps, of: Stage = "kept") -> AttentionSplit:
    """``attention_split`` of maps that are at hand."""
    counts = {"kept": maps.denoised, "raw": maps.raw}[of]
    if counts is None:
        raise MeasureError(
            f"the {of} map of block {maps.block} was not recorded; record both stages"
        )
    total = float(counts.sum())
    now = maps.key_steps == maps.step
    same_step = float(counts[now].sum())
    same_patch = float(counts[~now][:, maps.query[0], maps.query[1]].sum())
    parts = same_patch, same_step, total - same_step - same_patch
    patch, step, other = (part / total if total else 0.0 for part in parts)
    steps, patches = len(maps.key_steps), counts[0].size
    past = 1 - 1 / steps
    even = past / patches, 1 / steps, past * (1 - 1 / patches)
    return AttentionSplit(patch, step, other, total, of, even)


def attention_over_time(
    recording: xr.DataTree,
    block: int,
    head: int | None = None,
    sample: int | None = None,
    *,
    of: Stage = "kept",
) -> AttentionOverTime:
    """How far back a block looks: attention between steps, summed over queries and keys.

    ``head`` and ``sample`` None sum over all of them.
    """
    name = f"blocks.{block}.attention.{'denoise' if of == 'kept' else 'scores'}"
    map_ = need(recording, name)
    map_ = map_ if sample is None else one_sample(map_, sample)
    if head is not None:
        within("head", head, map_.sizes["head"])
        map_ = map_.isel(head=head)
    mass = _widened(map_).sum([axis for axis in map_.dims if axis != "pair"]).values
    query, key = (map_.coords[c].values for c in ("query_time", "key_time"))
    steps = int(query.max()) + 1
    total = np.bincount(query, weights=mass, minlength=steps)
    share = np.full((steps, steps), np.nan)
    share[query, key] = mass / np.where(total == 0, 1, total)[query]
    return AttentionOverTime(block, share, total, of)


def _maps(recording: xr.DataTree, block: int) -> tuple[xr.DataArray | None, xr.DataArray | None]:
    base = f"blocks.{block}.attention"
    return find(recording, f"{base}.scores"), find(recording, f"{base}.denoise")


def _some_map(recording: xr.DataTree, block: int) -> xr.DataArray:
    scores, denoised = _maps(recording, block)
    some = denoised if scores is None else scores
    return need(recording, f"blocks.{block}.attention.scores") if some is None else some


def _widened(map_: xr.DataArray) -> xr.DataArray:
    """Counts in a type in which sums cannot overflow."""
    return map_.astype(np.int64 if map_.dtype.kind in "uib" else float)
