"""Recording -> small typed results: the numbers behind every figure, tested as numbers.

Each function takes a recording (an xarray DataTree, see ``dista.recording``) and returns frozen
dataclasses of numpy arrays and python numbers. A quantity that a function can do without is None
where it was not recorded; where one that it needs is missing, MeasureError names its path. Steps,
tokens, heads, blocks and samples count from 0; ``sample`` is a position along ``batch``; a patch is a
token index or (row, column).
"""

from __future__ import annotations

import difflib
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

Stage = Literal["kept", "raw"]
Patch = int | tuple[int, int]

_NETWORK_ORDER = (
    "stem", "blocks", "stages", "position", "attention", "mlp",
    "query", "key", "value", "neuron", "hidden", "output",
)  # fmt: skip
_ACTIVITY = ("membrane", "reset", "spikes", "current")


class MeasureError(ValueError):
    """A recording lacks what a measure needs, or is asked for something that it does not have."""


# Results ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LayerActivity:
    """One group of neurons over all samples and steps of a recording.

    ``tau`` is the mean time constant in steps, ``rate`` spikes per neuron and step, ``dead`` the
    fraction of neurons that never fire, ``saturated`` the fraction that fires at every step.
    """

    layer: str
    tau: float | None
    tau_min: float | None
    tau_max: float | None
    rate: float | None
    dead: float | None
    saturated: float | None


@dataclass(frozen=True)
class KeyMaps:
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
    kept: np.ndarray | None
    removed: np.ndarray | None


@dataclass(frozen=True)
class AttentionSplit:
    """Shares of the summed attention of one query; they sum to 1, or are all 0 if ``total`` is 0.

    ``same_step``: keys of the query's own step, its own patch included. ``same_patch``: the query's
    patch at other steps. ``elsewhere``: other patches at other steps.
    """

    same_patch: float
    same_step: float
    elsewhere: float
    total: float
    of: Stage


@dataclass(frozen=True)
class AttentionOverTime:
    """``share[t, m]``: which part of the attention paid at step t goes to step m.

    Rows sum to 1, or are all 0 where nothing is attended; NaN where m cannot be reached from t.
    ``mass`` (query step,) is the summed attention that the shares are of.
    """

    block: int
    share: np.ndarray
    mass: np.ndarray
    of: Stage


@dataclass(frozen=True)
class BlockDenoising:
    """What the denoiser of one block did to its maps, over all samples, heads, queries and keys.

    ``before[a]`` is how many entries had the count a, ``after[a]`` how many of these were not removed.
    ``mass_removed`` is the fraction of the summed counts, ``entries_removed`` that of the non-zero
    entries, that the denoiser turned into 0. ``u`` is the threshold that describes what happened: the
    largest count that was removed if all larger ones were kept, the denoiser's own u where it
    explains the same, None where no threshold does.
    """

    block: int
    kind: str
    u: float | None
    entries: int
    mass_raw: float
    mass_kept: float
    mass_removed: float
    entries_removed: float
    before: np.ndarray
    after: np.ndarray


@dataclass(frozen=True)
class MembraneTrace:
    """One neuron over time: ``h`` before the reset, ``v`` after it, each (time,).

    ``v_reset`` is None for the soft reset, ``half_life`` the steps in which the membrane forgets half.
    """

    layer: str
    neuron: tuple[int, int, int]
    h: np.ndarray
    v: np.ndarray | None
    current: np.ndarray | None
    spikes: np.ndarray | None
    threshold: float
    v_reset: float | None
    tau: float | None
    half_life: float | None


@dataclass(frozen=True)
class Raster:
    """Spikes (neuron, time) of the most active neurons of a layer, ties in the order of their index.

    ``neurons`` (neuron, 3) holds channel, row and column. ``total`` neurons are in the layer, of which
    ``active`` fire at least once and ``shown`` are here.
    """

    layer: str
    neurons: np.ndarray
    spikes: np.ndarray
    total: int
    active: int
    shown: int


@dataclass(frozen=True)
class Decision:
    """How the answer comes about.

    ``logits`` (time, class) are those of each step. The read-out window is the steps from ``first`` to
    the end; ``running[t]`` is the mean of the logits from ``first`` to t and ``probabilities`` its
    softmax, both NaN before the window. ``answer`` is the class with the largest final mean (the
    lowest index wins a tie). ``settled_at`` is the first step of the window from which on the largest
    running mean is the answer at every step; it is the last step at the latest.
    """

    logits: np.ndarray
    running: np.ndarray
    probabilities: np.ndarray
    first: int
    answer: int
    settled_at: int
    label: int | None
    classes: tuple[str, ...]


@dataclass(frozen=True)
class LagContributions:
    """``share[p, t, l]``: part of the mean absolute current that lag l adds to Q, K, V (p) at step t.

    Sums to 1 over the lags, or is 0 where there is no current.
    """

    block: int
    share: np.ndarray


# Neurons ----------------------------------------------------------------------------------------


def layers(recording: xr.DataTree) -> list[str]:
    """Dotted names of the recorded neuron groups, in the order in which the network computes them."""
    found = [
        node.path.strip("/").replace("/", ".")
        for node in recording.subtree
        if node.name == "neuron" and node.data_vars
    ]
    return sorted(found, key=_network_order)


def neuron_table(recording: xr.DataTree) -> list[LayerActivity]:
    """Time constants and activity of each neuron group; each row is JSON after ``asdict``."""
    return [_layer_activity(recording, layer) for layer in layers(recording)]


def half_life(tau: float) -> float:
    """Steps in which a membrane without input forgets half: ln(1/2) / ln(1 - 1/tau); 0 for tau = 1.

    MeasureError for a tau below 1.
    """
    if not tau >= 1:
        raise MeasureError(f"tau={tau}; expected a time constant of at least 1 step")
    if tau == 1 or math.isinf(tau):
        return 0.0 if tau == 1 else math.inf
    return math.log(0.5) / math.log1p(-1 / tau)


def membrane_trace(
    recording: xr.DataTree, layer: str, neuron: tuple[int, int, int], sample: int = 0
) -> MembraneTrace:
    """One neuron, as (channel, row, column), of a layer. Needs its membrane."""
    _known_layer(recording, layer)
    membrane = _need(recording, f"{layer}.membrane")
    place = dict(zip(("channel", "row", "column"), neuron, strict=True))
    for axis, index in place.items():
        _within(axis, index, membrane.sizes[axis])
    parts = {name: _find(recording, f"{layer}.{name}") for name in _ACTIVITY}
    traces = {
        name: None if part is None else _sample(part, sample).isel(place).values
        for name, part in parts.items()
    }
    taus = _find(recording, f"{layer}.tau")
    tau = None if taus is None else float(taus.values[neuron[0] if taus.size > 1 else 0])
    v_reset = membrane.attrs.get("v_reset")
    return MembraneTrace(
        layer=layer,
        neuron=tuple(int(index) for index in neuron),
        h=traces["membrane"],
        v=traces["reset"],
        current=traces["current"],
        spikes=traces["spikes"],
        threshold=float(membrane.attrs["v_threshold"]),
        v_reset=None if v_reset in (None, "soft") else float(v_reset),
        tau=tau,
        half_life=None if tau is None else half_life(tau),
    )


def raster(recording: xr.DataTree, layer: str, sample: int = 0, limit: int = 96) -> Raster:
    """The spikes of at most ``limit`` neurons of a layer, the most active first."""
    _known_layer(recording, layer)
    if limit < 1:
        raise MeasureError(f"limit={limit}; expected at least 1 neuron")
    spikes = _sample(_need(recording, f"{layer}.spikes"), sample)
    spikes = spikes.transpose("channel", "row", "column", "time").values
    *shape, steps = spikes.shape
    flat = spikes.reshape(-1, steps).astype(bool)
    counts = flat.sum(1)
    chosen = np.argsort(-counts, kind="stable")[:limit]
    return Raster(
        layer=layer,
        neurons=np.stack(np.unravel_index(chosen, shape), axis=1),
        spikes=flat[chosen],
        total=len(flat),
        active=int((counts > 0).sum()),
        shown=len(chosen),
    )


# Attention --------------------------------------------------------------------------------------


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
    _within("step", step, steps)
    if head is not None:
        _within("head", head, some.sizes["head"])
    rows, columns = _grid(recording, block, some.sizes["key"])
    place = _patch(query, rows, columns)
    chosen = np.flatnonzero(some.coords["query_time"].values == step)
    key_steps = some.coords["key_time"].values[chosen]

    def of_query(map_: xr.DataArray | None) -> np.ndarray | None:
        if map_ is None:
            return None
        one = _sample(map_, sample).isel(pair=chosen, query=place[0] * columns + place[1])
        one = _widened(one)
        one = one.sum("head") if head is None else one.isel(head=head)
        return one.transpose("pair", "key").values.reshape(-1, rows, columns)

    scores, denoised = _maps(recording, block)
    raw, kept = of_query(scores), of_query(denoised)
    removed = None
    if raw is not None and kept is not None:
        # Head by head, as a key can be kept by one head and removed by another.
        removed = of_query(_widened(scores).where(denoised == 0, 0))
    return KeyMaps(
        block, head, place, step, steps, key_steps,
        np.setdiff1d(np.arange(steps), key_steps), raw, kept, removed,
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
    counts = {"kept": maps.kept, "raw": maps.raw}[of]
    if counts is None:
        raise MeasureError(
            f"the {of} map of block {maps.block} was not recorded; record both stages"
        )
    total = float(counts.sum())
    now = maps.key_steps == maps.step
    same_step = float(counts[now].sum())
    same_patch = float(counts[~now][:, maps.query[0], maps.query[1]].sum())
    parts = same_patch, same_step, total - same_step - same_patch
    return AttentionSplit(*(part / total if total else 0.0 for part in parts), total, of)


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
    map_ = _need(recording, name)
    map_ = map_ if sample is None else _sample(map_, sample)
    if head is not None:
        _within("head", head, map_.sizes["head"])
        map_ = map_.isel(head=head)
    mass = _widened(map_).sum([axis for axis in map_.dims if axis != "pair"]).values
    query, key = (map_.coords[c].values for c in ("query_time", "key_time"))
    steps = int(query.max()) + 1
    total = np.bincount(query, weights=mass, minlength=steps)
    share = np.full((steps, steps), np.nan)
    share[query, key] = mass / np.where(total == 0, 1, total)[query]
    return AttentionOverTime(block, share, total, of)


def denoising(recording: xr.DataTree) -> list[BlockDenoising]:
    """What each block's denoiser removed. Needs the scores and the denoised maps.

    Counts that an intervention made fractional or negative are rounded, or taken as 0, in the
    histograms alone.
    """
    found = blocks(recording)
    if not found:
        raise MeasureError(
            "the recording has no attention maps; record 'blocks.*.attention.scores' and "
            "'blocks.*.attention.denoise'"
        )
    return [_block_denoising(recording, block) for block in found]


def lag_contributions(
    recording: xr.DataTree, block: int, sample: int = 0
) -> LagContributions | None:
    """What each lag of a projection memory adds to the currents of Q, K and V.

    None where there is nothing to compare: lags were not recorded, or the window is a single step.
    """
    sizes = []
    for part in ("query", "key", "value"):
        base = f"blocks.{block}.attention.{part}.lags"
        node = _node(recording, base)
        lags = sorted(node.data_vars, key=int) if node is not None else []
        if len(lags) < 2:
            return None
        arrays = [np.abs(_sample(node[lag], sample)) for lag in lags]
        sizes.append([array.mean(("channel", "row", "column")).values for array in arrays])
    mean = np.moveaxis(np.asarray(sizes, float), 1, 2)
    total = mean.sum(2, keepdims=True)
    return LagContributions(block, mean / np.where(total == 0, 1, total))


# Decision ---------------------------------------------------------------------------------------


def decision(recording: xr.DataTree, sample: int = 0) -> Decision:
    """Logits, running read-out and answer of a sample. Needs ``head``.

    The read-out window is ``readout_steps`` of the recorded model's configuration; the whole sequence
    where that is not set or not known.
    """
    logits = _sample(_need(recording, "head"), sample).transpose("time", "class").values
    steps, classes = logits.shape
    first = steps - min(_config(recording).get("readout_steps") or steps, steps)
    running = np.full(logits.shape, np.nan)
    counted = np.arange(1, steps - first + 1)[:, None]
    running[first:] = logits[first:].cumsum(0, dtype=float) / counted
    exponent = np.exp(running - running.max(1, keepdims=True))
    leading = running[first:].argmax(1)
    answer = int(leading[-1])
    other = np.flatnonzero(leading != answer)
    label = recording["label"] if "label" in recording.data_vars else None
    names = recording.attrs.get("classes", range(classes))
    return Decision(
        logits=logits,
        running=running,
        probabilities=exponent / exponent.sum(1, keepdims=True),
        first=first,
        answer=answer,
        settled_at=first + (int(other[-1]) + 1 if other.size else 0),
        label=None if label is None else int(label.values[sample]),
        classes=tuple(str(name) for name in names),
    )


# Parts ------------------------------------------------------------------------------------------


def _layer_activity(recording: xr.DataTree, layer: str) -> LayerActivity:
    tau, spikes = (_find(recording, f"{layer}.{part}") for part in ("tau", "spikes"))
    taus = [None] * 3
    if tau is not None:
        taus = [float(f(tau.values)) for f in (np.mean, np.min, np.max)]
    activity = [None] * 3
    if spikes is not None:
        fired = spikes.sum(("time", "batch")).values  # of each neuron; integers, so exact
        times = spikes.sizes["time"] * spikes.sizes["batch"]
        shares = fired.sum() / spikes.size, np.mean(fired == 0), np.mean(fired == times)
        activity = [float(share) for share in shares]
    return LayerActivity(layer, *taus, *activity)


def _block_denoising(recording: xr.DataTree, block: int) -> BlockDenoising:
    name = f"blocks.{block}.attention"
    scores, denoised = _need(recording, f"{name}.scores"), _need(recording, f"{name}.denoise")
    raw, kept = scores.values, denoised.transpose(*scores.dims).values
    gone = (kept == 0) & (raw != 0)
    counts = np.rint(raw).clip(0).astype(np.intp)
    before = np.bincount(counts.ravel())
    after = before - np.bincount(counts[gone], minlength=len(before))
    mass, nonzero = float(raw.sum(dtype=float)), int(np.count_nonzero(raw))
    kind = str(denoised.attrs.get("kind", "unknown"))
    return BlockDenoising(
        block=block,
        kind=kind,
        u=_threshold(raw, kept, 0.0 if kind == "none" else denoised.attrs.get("u")),
        entries=raw.size,
        mass_raw=mass,
        mass_kept=float(kept.sum(dtype=float)),
        mass_removed=float(raw[gone].sum(dtype=float)) / mass if mass else 0.0,
        entries_removed=float(gone.sum()) / nonzero if nonzero else 0.0,
        before=before,
        after=after,
    )


def _threshold(raw: np.ndarray, kept: np.ndarray, own: float | None) -> float | None:
    """The u for which ``kept`` is non-zero exactly where raw > u; None if there is none."""
    stays = kept != 0
    largest_removed = float(raw[~stays].max(initial=0))
    smallest_kept = float(raw[stays].min()) if stays.any() else math.inf
    if own is not None and largest_removed <= own < smallest_kept:
        return float(own)
    return largest_removed if largest_removed < smallest_kept else None


def _network_order(name: str) -> list[tuple[int, int, str]]:
    ranks = {word: rank for rank, word in enumerate(_NETWORK_ORDER)}
    return [
        (-1, int(part), "") if part.isdigit() else (ranks.get(part, len(ranks)), 0, part)
        for part in name.split(".")
    ]


def _node(recording: xr.DataTree, name: str) -> xr.DataTree | None:
    node = recording
    for part in name.split(".") if name else ():
        if part not in node.children:
            return None
        node = node.children[part]
    return node


def _find(recording: xr.DataTree, name: str) -> xr.DataArray | None:
    """What the dotted name leads to, or None."""
    group, _, variable = name.rpartition(".")
    node = _node(recording, group)
    return node[variable] if node is not None and variable in node.data_vars else None


def _need(recording: xr.DataTree, name: str) -> xr.DataArray:
    found = _find(recording, name)
    if found is None:
        raise MeasureError(
            f"the recording has no {name!r}; record it as well: dista.record(model, x, [{name!r}, ...])"
        )
    return found


def _known_layer(recording: xr.DataTree, layer: str) -> None:
    known = layers(recording)
    if layer not in known:
        near = difflib.get_close_matches(layer, known, 3, cutoff=0.3) or known[:3]
        raise MeasureError(
            f"no layer {layer!r} in the recording; the nearest are {', '.join(near) or 'none'}"
        )


def _sample(array: xr.DataArray, sample: int) -> xr.DataArray:
    _within("sample", sample, array.sizes["batch"])
    return array.isel(batch=sample)


def _within(what: str, index: int, size: int) -> None:
    if not 0 <= index < size:
        raise MeasureError(f"{what}={index}; the recording has 0 to {size - 1}")


def _maps(recording: xr.DataTree, block: int) -> tuple[xr.DataArray | None, xr.DataArray | None]:
    base = f"blocks.{block}.attention"
    return _find(recording, f"{base}.scores"), _find(recording, f"{base}.denoise")


def _some_map(recording: xr.DataTree, block: int) -> xr.DataArray:
    scores, denoised = _maps(recording, block)
    if scores is None and denoised is None:
        _need(recording, f"blocks.{block}.attention.scores")
    return denoised if scores is None else scores


def _widened(map_: xr.DataArray) -> xr.DataArray:
    """Counts in a type in which sums cannot overflow."""
    return map_.astype(np.int64 if map_.dtype.kind in "uib" else float)


def _patch(query: Patch, rows: int, columns: int) -> tuple[int, int]:
    row, column = query if isinstance(query, tuple) else divmod(int(query), columns)
    if not (0 <= row < rows and 0 <= column < columns):
        raise MeasureError(
            f"query={query}; the patches are 0 to {rows * columns - 1}, or (row, column) of a grid of "
            f"{rows} x {columns}"
        )
    return int(row), int(column)


def _grid(recording: xr.DataTree, block: int, tokens: int) -> tuple[int, int]:
    """Rows and columns of patches: those of the block's neurons, of the configuration, or a square."""
    for layer in layers(recording):
        if layer.startswith(f"blocks.{block}."):
            for part in (_find(recording, f"{layer}.{name}") for name in _ACTIVITY):
                if part is not None:
                    return part.sizes["row"], part.sizes["column"]
    config = _config(recording)
    if "input_shape" in config:
        from dista.config import ModelConfig

        return ModelConfig(**config).grid
    side = math.isqrt(tokens)
    if side * side != tokens:
        raise MeasureError(
            f"{tokens} patches are not a square; record the spikes of a neuron group in "
            f"'blocks.{block}' as well, which have rows and columns"
        )
    return side, side


def _config(recording: xr.DataTree) -> dict[str, Any]:
    return json.loads(recording.attrs.get("model_config", "{}"))
