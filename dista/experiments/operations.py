"""Count the operations that a model performs on an input, layer by layer and step by step.

    counts = dista.operations.count(model, x)    # an xarray Dataset over layer, time and batch

What is counted [ours, in the convention of the field]:

    convolution, linear   one accumulate for each spike and each weight that it meets; a spike count,
                          as residual connections make them, is that many spikes
    scores Q K^T          one accumulate for each coincidence of a query spike and a key spike
    read f(A) V           one accumulate for each value spike and each entry of the map that it meets

Where the input is not made of spike counts, as in the first convolution of an image and in the head,
every product is a multiplication. ``dense`` is what a network of the same shape without spikes would
multiply. Padding is not counted on either side, so that an input full of spikes needs exactly as many
accumulates as ``dense`` has multiplications. Normalisation, which folds into the weights, the neurons
themselves, the denoiser's comparisons, residual sums, pooling and memory access are left out.

Others count otherwise, and what they need is counted as well: ``once`` and ``several`` are the weights that meet a 1
and a larger count, each once: by NeuroBench's rule a layer that has any of the latter multiplies [related: arXiv
2304.04640, whose operator counts a whole layer as multiplications where an input is none of -1, 0 and 1];
``rated`` is the mean input times ``dense``, the papers' firing rate x T x FLOPs, of the queries for Q K^T and of the
values for f(A) V. Where the input is not made of spike counts all three are 0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

from dista.attention import Lag, Read, Scores, causal_pairs
from dista.engine.modules import device_of, named
from dista.hooks import Hook, hooks

if TYPE_CHECKING:
    import xarray as xr

    from dista.model import DISTA

QUANTITIES = ("spikes", "accumulates", "multiplies", "dense", "once", "several", "rated")
"""What is counted; ``spikes`` arrive at a layer, once for each lag that reaches back to them.
``dense`` is the same for all samples."""


class Counted(NamedTuple):
    """Operations of a module at the steps from ``start``: (time, batch), ``dense`` (time,)."""

    start: int
    spikes: Tensor
    accumulates: Tensor
    dense: Tensor
    once: Tensor
    several: Tensor
    rated: Tensor
    spiking: bool


def count(model: DISTA, x: Tensor) -> xr.Dataset:
    """Run ``model`` on ``x`` and count: ``QUANTITIES`` by (layer, time, batch), and the logits ``head``.

    A layer is named by what it computes (``blocks.0.attention.query`` is all lags of Q together), a
    convolution over lag l counts at the step that uses it. The attribute ``static`` says that ``x``
    holds still images, which the first convolution sees once.
    """
    counted: dict[str, list[Counted]] = {
        _layer(n): [] for n, m in named(model).items() if _counts(m)
    }
    x = x.to(device_of(model))
    with torch.inference_mode(), hooks(model, _hooks(model, counted)):
        logits = model.steps(x)
    return _dataset(model, counted, logits, static=x.ndim == 4)


def joined(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """What was counted of one batch after another, as of one; what all samples have in common stays as it is."""
    import xarray as xr

    varying = [name for name, array in parts[0].items() if "batch" in array.dims]
    return xr.concat(parts, "batch", data_vars=varying)


def _counts(module: nn.Module) -> bool:
    return isinstance(module, (nn.Conv2d, nn.Linear, Scores, Read))


def _layer(name: str) -> str:
    """The name of a layer: that of the module, without what is inside of it."""
    return re.sub(r"(\.lags\.\d+\.synapse|\.conv|\.linear)$", "", name)


def _hooks(model: nn.Module, counted: dict[str, list[Counted]]) -> dict[str, Hook]:
    lags = {f"{n}.synapse": m.lag for n, m in named(model).items() if isinstance(m, Lag)}

    def hook(name: str) -> Hook:
        def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            counted[_layer(name)].append(_count(module, inputs, lags.get(name, 0)))

        return keep

    return {name: hook(name) for name, module in named(model).items() if _counts(module)}


def _count(module: nn.Module, inputs: tuple[Tensor, ...], start: int) -> Counted:
    if isinstance(module, Scores):
        return _coincidences(module, *inputs)
    if isinstance(module, Read):
        return _reads(module, *inputs)
    x = inputs[0].double()
    spiking = bool((x >= 0).all() and (x == x.round()).all())
    met = _fan_out(module, x)
    dense = _fan_out(module, torch.ones_like(x[:, :1])).squeeze(1)
    once, several = (_fan_out(module, mask.double()) for mask in (x == 1, x > 1))
    arriving, rate = x.flatten(2).sum(2), x.flatten(2).mean(2)
    return Counted(start, arriving, met, dense, once, several, rate * dense[:, None], spiking)


def _fan_out(module: Any, x: Tensor) -> Tensor:
    """Products of each input with each weight that it meets, weighted by the input: (time, batch)."""
    if isinstance(module, nn.Linear):
        return x.sum(-1) * module.out_features
    if module.groups != 1:
        raise ValueError(f"convolutions of {module.groups} groups cannot be counted; expected 1")
    one = x.new_ones(1, 1, *module.kernel_size)
    met = conv2d(
        x.flatten(0, 1).sum(1, keepdim=True), one, None, module.stride, module.padding, module.dilation
    )  # fmt: skip
    return met.sum((1, 2, 3)).unflatten(0, x.shape[:2]) * module.out_channels


def _coincidences(module: Scores, q: Tensor, k: Tensor) -> Counted:
    """Each query spike with each key spike of its head and channel, over all pairs of tokens."""
    query_time, key_time = causal_pairs(len(q), module.window)
    spikes = [s.double().sum(3) for s in (q, k)]  # over tokens: (time, batch, head, dim)
    met = (spikes[0][query_time] * spikes[1][key_time]).sum((2, 3))
    arriving = spikes[0].sum((2, 3)) + spikes[1].sum((2, 3))
    return _of_pairs(met, arriving, q, query_time, spikes[0].mean((2, 3))[query_time])


def _reads(module: Read, a: Tensor, v: Tensor) -> Counted:
    """Each value spike with each query whose map entry for its token is not 0."""
    query_time, key_time = causal_pairs(len(v), module.window)
    met = ((a != 0).double().sum(3) * v.double().sum(4)[key_time]).sum((2, 3))
    mean = v.double().sum(3).mean((2, 3))[key_time]
    return _of_pairs(met, v.double().sum((2, 3, 4)), v, query_time, mean)


def _of_pairs(
    met: Tensor, arriving: Tensor, s: Tensor, query_time: list[int], spikes: Tensor
) -> Counted:
    """Sums over the key steps that each step reaches; ``met`` is (pair, batch).

    ``spikes`` (pair, batch) are the mean spikes of a head and channel, of all its tokens together.
    """
    steps, _, heads, tokens, dim = s.shape
    at = torch.tensor(query_time, device=s.device)
    accumulates = met.new_zeros(steps, met.shape[1]).index_add(0, at, met)
    dense = torch.bincount(at, minlength=steps).double() * heads * tokens**2 * dim
    rated = met.new_zeros(steps, met.shape[1]).index_add(0, at, spikes * heads * tokens * dim)
    return Counted(
        0, arriving, accumulates, dense, accumulates, 0 * accumulates, rated * tokens, True
    )


def _dataset(
    model: DISTA, counted: dict[str, list[Counted]], logits: Tensor, *, static: bool
) -> xr.Dataset:
    import numpy as np
    import xarray as xr

    steps, batch = logits.shape[:2]
    totals = {name: np.zeros((len(counted), steps, batch), np.int64) for name in QUANTITIES}
    for row, parts in enumerate(counted.values()):
        for part in parts:
            at = (row, slice(part.start, part.start + len(part.dense)))
            dense = part.dense[:, None].expand_as(part.accumulates)
            done = {"accumulates": part.accumulates, "multiplies": 0 * dense}
            if not part.spiking:
                done = {"accumulates": 0 * dense, "multiplies": dense}
            for name, values in {
                "spikes": part.spikes * part.spiking,
                "dense": dense,
                "once": part.once * part.spiking,
                "several": part.several * part.spiking,
                "rated": part.rated * part.spiking,
                **done,
            }.items():
                totals[name][at] += values.round().long().cpu().numpy()
    axes = ("layer", "time", "batch")
    variables: dict[str, Any] = {name: (axes, values) for name, values in totals.items()}
    variables["dense"] = (axes[:2], totals["dense"][:, :, 0])
    variables["head"] = (("time", "batch", "class"), logits.float().cpu().numpy())
    attributes = {"static": static, "model_config": model.config.to_json()}
    return xr.Dataset(variables, {"layer": list(counted)}, attributes)
