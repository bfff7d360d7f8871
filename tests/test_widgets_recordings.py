"""Small invented recordings for the probe's tests, with enough structure to look at.

A bar moves over the grid; Q and K fire where it is, so that attention has something to find.
All sizes are different, so that a swapped axis cannot pass.
"""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

INPUT = ("time", "batch", "colour", "y", "x")
ACTIVITY = ("time", "batch", "channel", "row", "column")
MAP = ("pair", "batch", "head", "query", "key")


def recording(
    *, form="map", steps=5, window=5, blocks=2, heads=3, dim=12, grid=(2, 7), batch=2,
    pixels=(8, 14), channels=1, frames=True, classes=3, per_channel=False, u=1, seed=0, parts=None,
) -> xr.DataTree:
    """A tree in the recording's format; ``parts`` keeps only paths that contain one of the words."""
    rng = np.random.default_rng(seed)
    nodes: dict[str, dict] = {"/": {}}
    axes, values = _input(rng, steps, batch, channels, pixels)
    nodes["/"]["input"] = (axes, values) if frames else (axes[1:], values[0])
    nodes["/"]["head"] = _logits(rng, steps, batch, classes)
    nodes["/"]["label"] = (("batch",), np.arange(batch) % classes)
    _neurons(rng, nodes, "stem/stages/0", (steps, batch, dim, *grid), per_channel)
    pairs = [
        (t, m) for t in range(steps) for m in range(t + 1)
        if t - m < (window if form == "map" else 1)
    ]
    for block in range(blocks):
        attention = f"blocks/{block}/attention"
        shape = (steps, batch, dim, *grid)
        for part in ("query", "key", "value", "output"):
            _neurons(rng, nodes, f"{attention}/{part}", shape, per_channel)
        _neurons(rng, nodes, attention, shape, per_channel)
        _neurons(rng, nodes, f"blocks/{block}/mlp/hidden", (steps, batch, 2 * dim, *grid), per_channel)
        query, key = (nodes[f"{attention}/{part}/neuron"]["spikes"][1] for part in ("query", "key"))
        scores = np.stack([_scores(query[t], key[m], heads) for t, m in pairs])
        coords = {"query_time": ("pair", [t for t, _ in pairs]), "key_time": ("pair", [m for _, m in pairs])}
        kept = np.where(scores > u, scores, 0)
        nodes[attention] = {"scores": (MAP, scores), "denoise": (MAP, kept)} | coords
        if form in ("projection", "attenuated"):
            _lags(rng, nodes, attention, shape, window)
    config = {
        "dim": dim, "heads": heads, "neuron": {"tau": 2.0}, "memory": {"form": form, "window": window},
        "denoiser": {"kind": "threshold", "u": u}, "readout_steps": 2,
    }
    return _tree(nodes, parts, {"model_config": json.dumps(config), "model": "invented"}, u)


def _tree(nodes, parts, attrs, u) -> xr.DataTree:
    datasets = {}
    for path, variables in nodes.items():
        coords = {k: v for k, v in variables.items() if k in ("query_time", "key_time")}
        data = {
            k: v for k, v in variables.items()
            if k not in coords and (parts is None or any(p in f"{path}/{k}" for p in parts))
        }
        if not data:
            continue
        datasets[path] = xr.Dataset(data, coords)
        if "membrane" in data:
            datasets[path]["membrane"].attrs = {"v_threshold": 1.0, "v_reset": 0.0}
        if "denoise" in data:
            datasets[path]["denoise"].attrs = {"kind": "threshold", "u": u}
    tree = xr.DataTree.from_dict(datasets)
    tree.attrs = attrs
    return tree


def _bar(steps, rows, columns):
    """Where the moving bar is: (time, row, column) in 0..1."""
    column = np.arange(columns)
    centre = (np.arange(steps)[:, None] + 0.5) * columns / steps
    return np.repeat(np.exp(-((column - centre) ** 2) / 3)[:, None], rows, axis=1)


def _input(rng, steps, batch, channels, pixels):
    shape = (steps, batch, channels, *pixels)
    bright = np.broadcast_to(_bar(steps, *pixels)[:, None, None], shape)
    if channels == 2:
        return INPUT, rng.poisson(bright * [[[0.6]], [[1.2]]]).astype(np.float32)
    return INPUT, np.clip(bright + rng.normal(0, 0.05, shape), 0, 1).astype(np.float32)


def _logits(rng, steps, batch, classes):
    noise = rng.normal(0, 0.2, (steps, batch, classes))
    noise[..., 1] += np.linspace(-0.5, 2, steps)[:, None]
    return ("time", "batch", "class"), noise.astype(np.float32)


def _neurons(rng, nodes, path, shape, per_channel):
    """LIF neurons driven by the bar, as the recording holds them."""
    steps, _, dim = shape[:3]
    tau = 1.3 + rng.gamma(2, 0.6, dim if per_channel else 1)
    drive = np.broadcast_to(_bar(steps, *shape[3:])[:, None, None], shape)
    current = (drive * rng.uniform(0, 5, (dim, 1, 1)) + rng.normal(0, 0.4, shape)).astype(np.float32)
    membrane, reset, v = np.zeros(shape, np.float32), np.zeros(shape, np.float32), 0.0
    leak = tau.reshape(-1, 1, 1)
    for t in range(steps):
        membrane[t] = v + (current[t] - v) / leak
        reset[t] = v = np.where(membrane[t] >= 1, 0, membrane[t])
    values = {"current": current, "membrane": membrane, "reset": reset, "spikes": membrane >= 1}
    nodes[f"{path}/neuron"] = {name: (ACTIVITY, value) for name, value in values.items()}
    nodes[f"{path}/neuron"]["tau"] = (("group",), tau.astype(np.float32))


def _scores(query, key, heads):
    """Coincident spikes (batch, head, query, key) of two steps (batch, channel, row, column)."""
    batch, dim = query.shape[:2]
    q, k = (x.reshape(batch, heads, dim // heads, -1).astype(np.int64) for x in (query, key))
    return np.einsum("bhcq,bhck->bhqk", q, k).astype(np.uint8)


def _lags(rng, nodes, attention, shape, window):
    for part in ("query", "key", "value"):
        lags = rng.normal(0, 1, (window, *shape)).astype(np.float32)
        for lag in range(window):
            lags[lag, :lag] = 0
            lags[lag] *= 0.6**lag
        nodes[f"{attention}/{part}/lags"] = {str(lag): (ACTIVITY, lags[lag]) for lag in range(window)}
