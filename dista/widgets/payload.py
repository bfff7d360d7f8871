"""A recording, packed for the probe: what one sample looks like from input to logits.

Nothing is computed here that the eye does not need: attention maps travel as the integers they
are, spikes of the stages as bits, neurons with all their traces are cut down to some that stand for
each layer, and what the browser can derive from a click (totals, coincidences) is left to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from dista import measures
from dista.measures.derived import completed
from dista.style import labels, sentences
from dista.widgets.packing import Packer, Payload
from dista.widgets.sample import Sample
from dista.widgets.spikes import pack_spikes
from dista.widgets.state import vocabulary

if TYPE_CHECKING:
    import xarray as xr

SHOWN = 96
"""Neurons of a layer that travel to the browser, as ``measures.representatives`` picks them."""

_TRACES = ("membrane", "reset", "current")


def probe_payload(
    recording: xr.DataTree,
    sample: int = 0,
    *,
    tau_start: float | Mapping[str, Any] | None = None,
    step_labels: Sequence[str] | None = None,
    step_sentences: Sequence[str] | None = None,
    class_names: Sequence[str] | None = None,
    label: int | None = None,
    patch_grid: tuple[int, int] | None = None,
    shown: int = SHOWN,
    moment: str = sentences.TRAINED,
) -> Payload:
    """Pack one sample of ``recording`` (see the recording's format) for the probe.

    Parts that were not recorded are left out; the probe says so in their place. ``sample`` is a
    position along ``batch``. ``tau_start`` holds the time constants before training: one number for
    all neurons, or a mapping from dotted neuron names (to one, or one a channel). It, ``class_names``, ``label`` and ``patch_grid``
    (rows, columns) are taken from the recording where they are not given. ``step_sentences`` replaces
    the title of the time rail. ``moment`` says when in its training the network was recorded.

    Raises IndexError if there is no such sample, ValueError if labels do not match the steps or the
    tokens do not fill the grid.
    """
    config = json.loads(recording.attrs.get("model_config", "{}"))
    source = Sample(recording, sample)
    packer = Packer()
    header: dict[str, Any] = {"version": 1, "sample": int(sample), "shown": shown, **vocabulary()}
    header["grid"] = _grid(source, patch_grid)
    header["attention"] = _pack_attention(packer, source, header["grid"], config)
    header["layers"] = _pack_layers(packer, source, tau_start, shown)
    header["spikes"] = pack_spikes(packer, source, header["grid"], config)
    header["input"] = _pack_input(packer, source)
    header["label"] = _label(recording, sample, label)
    header["classes"] = _class_names(source, class_names)
    header["decision"] = _pack_decision(packer, source, header)
    header["steps"] = source.steps
    header["step_labels"] = _per_step(step_labels, source.steps, "step_labels")
    titles = _per_step(step_sentences, source.steps, "step_sentences")
    back = _reach_back(source, header["attention"])
    header["step_sentences"] = sentences.steps(source.steps, header["step_labels"], titles, back)
    header["missing"] = sentences.MISSING | {"lags": sentences.no_lags(config.get("memory"))}
    header["moment"] = moment
    header["scale"] = config.get("attention_scale")
    header["arrays"] = packer.arrays
    return Payload(header, packer.to_bytes())


def paint_payload(recording: xr.DataTree, sample: int = 0, *, step: int | None = None) -> Payload:
    """The input of one sample, to paint on at ``step`` alone, or at all of them."""
    source, packer = Sample(recording, sample), Packer()
    header = {"version": 1, "input": _pack_input(packer, source), "grid": _grid(source, None)}
    header["step"] = step
    return Payload(header | {"arrays": packer.arrays}, packer.to_bytes())


def _grid(source: Sample, size: tuple[int, int] | None) -> list[int] | None:
    """Rows and columns of patches: as given, as a neuron in a block has them, or nearest to square."""
    if size is not None:
        return [int(size[0]), int(size[1])]
    for name in measures.layers(source.recording):
        if name.startswith("blocks."):
            for variable in ("spikes", "membrane"):
                array = source.get(f"{name}.{variable}")
                if array is not None:
                    return [array.sizes["row"], array.sizes["column"]]
    for block in measures.blocks(source.recording):
        for stage in ("scores", "denoise"):
            array = source.get(f"blocks.{block}.attention.{stage}")
            if array is not None:
                tokens = array.sizes["key"]
                rows = next(n for n in range(int(tokens**0.5), 0, -1) if tokens % n == 0)
                return [rows, tokens // rows]
    return None


def _pack_attention(
    packer: Packer, source: Sample, grid: list[int] | None, config: dict[str, Any]
) -> list[dict[str, Any]]:
    """One header entry a block that has maps: heads, whether maps reach across steps, what is there."""
    entries = []
    for block in measures.blocks(source.recording):
        raw = source.get(f"blocks.{block}.attention.scores")
        denoised = source.get(f"blocks.{block}.attention.denoise")
        some = raw if raw is not None else denoised
        if some is None:
            continue
        if grid[0] * grid[1] != some.sizes["key"]:
            raise ValueError(
                f"blocks.{block} attends over {some.sizes['key']} keys, but the patch grid is "
                f"{grid[0]} x {grid[1]}; pass patch_grid=(rows, columns)"
            )
        name = f"attention.{block}"
        pairs = np.stack([some.coords["query_time"].values, some.coords["key_time"].values], 1)
        packer.add(f"{name}.pairs", pairs, "int32")
        of: measures.Stage = "raw" if denoised is None else "kept"
        sums = measures.row_sums(source.recording, block, source.sample, of=of)
        entry = {
            "block": block,
            "heads": some.sizes["head"],
            "cross": bool((pairs[:, 0] != pairs[:, 1]).any()),
            "raw": raw is not None,
            "kept": _pack_maps(packer, name, _map_values(raw), _map_values(denoised)),
            "lags": _pack_lags(packer, source, block, some.sizes["head"]),
            "sums": sentences.row_sums(block, sums),
        }
        entries.append(entry | {"note": _note(entry, denoised, config)})
    return entries


def _note(entry: dict[str, Any], denoised: xr.DataArray | None, config: dict[str, Any]) -> str:
    """What the map of a block is, in words."""
    return sentences.attention(
        cross=entry["cross"],
        raw=entry["raw"],
        denoised=denoised is not None,
        rule={} if denoised is None else denoised.attrs,
        lags=entry["lags"] > 0,
        head_dim=config["dim"] // config["heads"] if "heads" in config else None,
        memory=config.get("memory"),
    )


def _reach_back(source: Sample, attention: list[dict[str, Any]]) -> list[int] | None:
    """How many steps without a gap the last map reaches back from each step, as ``sentences.steps`` takes it."""
    if not attention:
        return None
    last = attention[-1]
    if not last["cross"]:
        return []
    name = f"blocks.{last['block']}.attention.{'scores' if last['raw'] else 'denoise'}"
    coords = source.get(name).coords
    pairs = set(zip(coords["query_time"].values.tolist(), coords["key_time"].values.tolist()))
    return [
        next(back for back in range(step + 1) if (step, step - back - 1) not in pairs)
        for step in range(source.steps)
    ]


def _map_values(map_: xr.DataArray | None) -> np.ndarray | None:
    return None if map_ is None else map_.transpose("pair", "head", "query", "key").values


def _pack_maps(
    packer: Packer, name: str, raw: np.ndarray | None, denoised: np.ndarray | None
) -> str | None:
    """Add the maps (pair, head, query, key) and each head's largest value.

    Returns how the denoised map travels: ``"table"`` if it is a function of the raw count, which it
    is for every denoiser that is not disturbed by hand; ``"array"`` otherwise; None if not recorded.
    """
    if raw is not None:
        packer.add(f"{name}.raw", raw, _count_dtype(raw))
    present = [values.max((0, 2, 3)) for values in (raw, denoised) if values is not None]
    packer.add(f"{name}.head_max", np.max(np.stack(present), 0), "float32")
    if denoised is None:
        return None
    table = None if raw is None or raw.dtype.kind not in "ui" else _table(raw, denoised)
    if table is not None:
        packer.add(f"{name}.table", table, "float32")
        return "table"
    packer.add(f"{name}.kept", denoised, _count_dtype(denoised))
    return "array"


def _count_dtype(values: np.ndarray) -> str:
    if values.dtype.kind not in "uib":
        return "float32"
    return "uint8" if values.max(initial=0) < 256 else "uint16"


def _table(raw: np.ndarray, denoised: np.ndarray) -> np.ndarray | None:
    """The denoised value of each count 0..max(raw), or None if equal counts were treated differently."""
    table = np.zeros(int(raw.max(initial=0)) + 1, denoised.dtype)
    table[raw] = denoised
    return table if np.array_equal(table[raw], denoised) else None


def _pack_lags(packer: Packer, source: Sample, block: int, heads: int) -> int:
    """Mean size of what each lag adds to Q, K and V: (3, lag, time, head, token).

    Returns the number of lags; 0 where there is nothing to compare, that is fewer than two.
    """
    parts = []
    for part in ("query", "key", "value"):
        means, lags = [], 0
        while (lag := source.get(f"blocks.{block}.attention.{part}.lags.{lags}")) is not None:
            values = np.abs(lag.transpose("time", "channel", "row", "column").values)
            time, channel, row, column = values.shape
            by_head = values.reshape(time, heads, channel // heads, row * column)
            means.append(by_head.mean(2, dtype=np.float64))
            lags += 1
        parts.append(means)
    if len(parts[0]) < 2 or len({len(part) for part in parts}) != 1:
        return 0
    packer.add(f"attention.{block}.lags", np.asarray(parts), "float32")
    return len(parts[0])


def _pack_layers(
    packer: Packer, source: Sample, tau_start: Any, shown: int
) -> list[dict[str, Any]]:
    """One header entry a neuron group; its arrays are named ``layer.{position}.*``."""
    recorded = json.loads(source.recording.attrs.get("starting_taus", "null"))
    start = recorded if tau_start is None else tau_start
    entries = []
    for position, name in enumerate(measures.layers(source.recording)):
        entry: dict[str, Any] = {"name": name, "neurons": 0, "shape": None, "parts": []}
        entry |= {"label": labels.layer(name), "title": labels.layer_title(name)}
        membrane = source.get(f"{name}.membrane")
        entry["threshold"] = None if membrane is None else membrane.attrs.get("v_threshold")
        _pack_activity(packer, source, entry, f"layer.{position}", shown)
        tau = source.get(f"{name}.tau")
        before = start.get(name) if isinstance(start, Mapping) else start
        for part, values in (("tau", tau), ("tau_start", before)):
            if tau is not None and values is not None:
                packer.add(f"layer.{position}.{part}", np.atleast_1d(np.asarray(values)), "float32")
                entry["parts"].append(part)
        if tau is not None:
            half_lives = [measures.half_life(float(value)) for value in tau.values.ravel()]
            packer.add(f"layer.{position}.half_life", half_lives, "float32")
            if (rate := _reset_rate(membrane)) is not None:
                both = [measures.half_life(float(value), rate) for value in tau.values.ravel()]
                packer.add(f"layer.{position}.half_life_with_resets", both, "float32")
        entries.append(entry)
    return entries


def _reset_rate(membrane: xr.DataArray | None) -> float | None:
    """How often a hard reset takes away what a membrane of the layer holds, of 1; None without hard resets."""
    if membrane is None or membrane.attrs.get("v_reset", "soft") == "soft":
        return None
    return float((membrane >= membrane.attrs["v_threshold"]).mean())


def _pack_activity(
    packer: Packer, source: Sample, entry: dict[str, Any], name: str, shown: int
) -> None:
    """Spikes and traces (time, neuron) of some neurons, and spikes of the layer a step."""
    arrays = {part: source.get(f"{entry['name']}.{part}") for part in ("spikes", *_TRACES)}
    arrays = completed(arrays, source.get(f"{entry['name']}.tau"))
    flat = {
        part: values.transpose("time", "channel", "row", "column").values.reshape(
            values.sizes["time"], -1
        )
        for part, values in arrays.items()
        if values is not None
    }
    if not flat:
        return
    some = next(values for values in arrays.values() if values is not None)
    entry["shape"] = [some.sizes[axis] for axis in ("channel", "row", "column")]
    entry["neurons"] = int(np.prod(entry["shape"]))
    activity = next(iter(flat.values())).sum(0, dtype=np.float64)
    indices = measures.representatives(activity, shown)
    packer.add(f"{name}.index", indices, "uint32")
    for part, values in flat.items():
        packer.add(f"{name}.{part}", values[:, indices], "uint8" if part == "spikes" else "float32")
        entry["parts"].append(part)
    if "spikes" in flat:
        packer.add(f"{name}.counts", flat["spikes"].sum(1), "uint32")
        entry["active"] = int((activity > 0).sum())


def _pack_input(packer: Packer, source: Sample) -> dict[str, Any] | None:
    """The input as bytes (frame, channel, row, column), frames first if it has them: pixels times 255, event counts capped at 255."""
    array = source.get("input")
    if array is None:
        return None
    values = array.values if array.ndim == 4 else array.values[None]
    frames, channels = values.shape[:2]
    kind = {1: "gray", 2: "events", 3: "rgb"}.get(channels, "gray")
    scaled = values if kind == "events" else np.rint(values * 255)
    packer.add("input", np.clip(scaled, 0, 255), "uint8")
    return {"kind": kind, "frames": frames, "largest": float(values.max(initial=0))}


def _pack_decision(packer: Packer, source: Sample, header: dict[str, Any]) -> dict[str, Any] | None:
    """Logits (time, class), the answer, the first averaged step, the one at which it settles; and in words."""
    if source.get("head") is None:
        return None
    decision = measures.decision(source.recording, source.sample)
    packer.add("logits", decision.logits, "float32")
    steps, classes = decision.logits.shape
    names = dict(enumerate(f"class {number}" for number in range(classes)))
    names |= dict(enumerate(header["classes"] or []))
    label = None if header["label"] is None else names.get(header["label"], "another")
    return {
        "answer": decision.answer,
        "first": decision.first,
        "settled": decision.settled_at,
        "note": sentences.settles(
            names[decision.answer], label, decision.settled_at, decision.first, steps
        ),
        "averaged": sentences.averaged(decision.first, steps),
    }


def _label(recording: xr.DataTree, sample: int, label: int | None) -> int | None:
    if label is None and "label" in recording.data_vars:
        label = recording["label"].values[sample]
    return None if label is None else int(label)


def _class_names(source: Sample, names: Sequence[str] | None) -> list[str] | None:
    names = source.recording.attrs.get("classes") if names is None else names
    return None if names is None else [str(name) for name in names]


def _per_step(texts: Sequence[str] | None, steps: int, what: str) -> list[str] | None:
    if texts is None:
        return None
    if len(texts) != steps:
        raise ValueError(f"{what} has {len(texts)} entries for {steps} steps; give one a step")
    return [str(text) for text in texts]
