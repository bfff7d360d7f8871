"""Spatiotemporal attention with an explicit memory, and the denoiser on its maps.

Notation (PAPER: Q, K, V, A, f, W, u): T steps ``time``, B samples ``batch``, H heads ``head``, N tokens
``query``/``key``, d channels of a head ``dim``. A query step t reaches the key steps m with
0 <= t - m < W. Maps are held as ``pair batch head query key``, one entry for each reachable (t, m),
in the order of ``causal_pairs``; nothing is computed for steps that cannot be reached.

    projection   Q[t] = LIF(BN(sum_l W_Q^(l) X[t-l])), the same for K and V     [reviews, reconstruction]
    attenuated   the same with W^(l) = decay^l W^(0)                            [related: DS2TA]
    map          queries at t meet keys and values of every step in the window  [ours; related: STAtten]
    none         spatial attention of the current step                          [related: Spikformer]

    A[t,m] = Q[t] K[m]^T          coincident spikes: integers in 0..d, no softmax
    O[t]   = LIF(scale / n(t) * sum_m f(A[t,m]) V[m]), then conv-BN-LIF

n(t) is the number of steps that t can reach, so that the sum keeps its scale as the past fills [ours];
it is 1 except in the ``map`` form. For W = 1 all forms are identical.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable

import torch
from einops import rearrange
from torch import Tensor, nn

from dista import fast_attention, gpu_attention, kernels
from dista.axes import ACTIVITY, MAP, Observable
from dista.config import DenoiserConfig, MemoryConfig, ModelConfig
from dista.layers import Conv, Norm, SpikingConv, fire
from dista.neurons import LIF


def causal_pairs(steps: int, window: int) -> tuple[list[int], list[int]]:
    """Query and key step of each pair with 0 <= query - key < window, ordered by query, then key."""
    pairs = fast_attention.pairs(steps, window)
    return [t for t, _ in pairs], [m for _, m in pairs]


def _pair_coords(module: nn.Module, a: Tensor) -> dict:
    """Query and key step of each entry along ``pair``, for a recorded map."""
    steps = next(t for t in itertools.count(1) if len(causal_pairs(t, module.window)[0]) == len(a))
    query_time, key_time = causal_pairs(steps, module.window)
    return {"query_time": ("pair", query_time), "key_time": ("pair", key_time)}


def scores(q: Tensor, k: Tensor, window: int) -> Tensor:
    """Coincident spikes A (pair, batch, head, query, key) of q, k (time, batch, head, token, dim)."""
    query_time, key_time = causal_pairs(len(q), window)
    if window == 1:
        return q @ k.mT
    return q[query_time] @ k[key_time].mT


def read(a: Tensor, v: Tensor, window: int, scale: float) -> Tensor:
    """scale / n(t) * sum_m A[t,m] V[m], as (time, batch, head, token, dim)."""
    if window == 1:
        return scale * (a @ v)
    query_time, key_time = (torch.tensor(p, device=v.device) for p in causal_pairs(len(v), window))
    products = a @ v[key_time]  # in half precision under autocast
    summed = torch.zeros_like(products[: len(v)]).index_add(0, query_time, products)
    reachable = torch.bincount(query_time).to(products.dtype)
    return scale * summed / reachable[:, None, None, None, None]


def threshold(a: Tensor, u: float) -> Tensor:
    """f(a) = a where a > u, else 0 [reviews]. The gradient is 1 where kept, 0 where removed."""
    return torch.nn.functional.threshold(a, u, 0.0)


def lookup(a: Tensor, table: Tensor) -> Tensor:
    """f(a) = table[a] for counts a [related: DS2TA]. Counts off the table take its nearest end.

    The gradient with respect to ``a`` is that of ``threshold``: 1 where the table's value is not 0.
    """
    kept = table[a.detach().round().long().clamp(0, len(table) - 1)]
    return kept + (a - a.detach()) * (kept.detach() != 0)


def delay(x: Tensor, lag: int, steps: int) -> Tensor:
    """Shift (time, batch, channel, ...) by ``lag`` steps into a sequence of ``steps``; the first ones are 0."""
    if not lag:
        return x
    x = x.movedim(2, -1)  # as it lies in memory; torch.cat would lay it otherwise
    return torch.cat([x.new_zeros(steps - len(x), *x.shape[1:]), x]).movedim(-1, 2)


def earlier(x: Tensor, lag: int) -> Tensor:
    """All steps of (time, batch, channel, ...) but the last ``lag``; the gradient lies in memory as x does."""
    return x.movedim(2, -1)[: len(x) - lag].movedim(-1, 2) if lag else x


class Attenuate(nn.Module):
    """Weights of a longer lag as a weaker copy: decay^lag, a bit shift for decay = 1/2."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x


class Lag(nn.Module):
    """What the input ``lag`` steps ago adds to the current now: W^(l) X[t-l], 0 where t < l."""

    observables = {"": Observable(ACTIVITY)}

    def __init__(self, lag: int, synapse: nn.Module) -> None:
        super().__init__()
        self.lag, self.synapse = lag, synapse

    def forward(self, x: Tensor) -> Tensor:
        steps = len(x)
        if self.lag >= steps:
            return torch.zeros_like(x)
        return delay(self.synapse(earlier(x, self.lag)), self.lag, steps)


class Projection(nn.Module):
    """Q, K or V: spikes of LIF(BN(sum_l W^(l) X[t-l])), the sum over the window of the memory."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        memory = config.memory
        remembers = memory.form in ("projection", "attenuated")
        self.form = memory.form
        self.lags = nn.ModuleList(
            Lag(lag, self._synapse(lag, config.dim, memory))
            for lag in range(memory.window if remembers else 1)
        )
        self.norm = Norm(config.neuron, config.dim)
        self.neuron = LIF(config.neuron, config.dim)

    @staticmethod
    def _synapse(lag: int, dim: int, memory: MemoryConfig) -> nn.Module:
        if lag and memory.form == "attenuated":
            return Attenuate(memory.decay**lag)
        return Conv(dim, dim, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        now, *past = self.lags
        current = now(x)
        remembered = current if self.form == "attenuated" else x
        for lag in past:
            current = current + lag(remembered)
        return fire(self.norm, self.neuron, current)


class Scores(nn.Module):
    """A = Q K^T over the reachable pairs of steps; W = 1 unless the memory is in the map."""

    observables = {"": Observable(MAP, "count", coords=_pair_coords)}

    def __init__(self, memory: MemoryConfig) -> None:
        super().__init__()
        self.window = memory.window if memory.form == "map" else 1

    def forward(self, q: Tensor, k: Tensor) -> Tensor:
        compute = fast_attention.scores if fast_attention.by_pair(q, k) else scores
        return compute(q, k, self.window)


class Denoise(nn.Module):
    """The denoiser f on the attention map; ``kind`` none is the identity."""

    observables = {"": Observable(MAP, "count", constants=("kind", "u"), coords=_pair_coords)}

    def __init__(self, config: DenoiserConfig, window: int, head_dim: int) -> None:
        super().__init__()
        self.kind, self.u, self.gradient, self.window = (
            config.kind,
            config.u,
            config.gradient,
            window,
        )
        if config.kind == "lookup":
            counts = torch.arange(head_dim + 1, dtype=torch.get_default_dtype())
            table = (
                threshold(counts, config.u)
                if config.table is None
                else counts.new_tensor(config.table)
            )
            if config.learn_table:
                self.table = nn.Parameter(table)
            else:
                self.register_buffer("table", table)

    def forward(self, a: Tensor) -> Tensor:
        if self.kind == "none":
            return a
        kept = threshold(a, self.u) if self.kind == "threshold" else lookup(a, self.table)
        if (
            self.gradient == "all"
        ):  # gradient 1 through removed entries as well; the value is unchanged
            kept = kept + (a - a.detach()) * (kept.detach() == 0)
        return kept


class Read(nn.Module):
    """scale / n(t) * sum_m f(A[t,m]) V[m]."""

    observables = {"": Observable(("time", "batch", "head", "query", "dim"))}

    def __init__(self, window: int, scale: float) -> None:
        super().__init__()
        self.window, self.scale = window, scale

    def forward(self, a: Tensor, v: Tensor) -> Tensor:
        compute = fast_attention.read if fast_attention.by_pair(a, v) else read
        return compute(a, v, self.window, self.scale)


class SpaceTimeAttention(nn.Module):
    """Spiking self-attention over the patches of all steps in the memory window."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.query, self.key, self.value = (Projection(config) for _ in range(3))
        self.scores = Scores(config.memory)
        self.denoise = Denoise(config.denoiser, self.scores.window, config.head_dim)
        self.read = Read(self.scores.window, config.attention_scale)
        lower = config.neuron.replace(v_threshold=config.attention_threshold)
        self.neuron = LIF(lower, config.dim)
        self.output = SpikingConv(config, config.dim, config.dim)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = (self.split(project(x)) for project in (self.query, self.key, self.value))
        o = self.merge(self.fastest(q)(q, k, v), x)
        return self.output(self.neuron(o))

    def attend(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """From queries, keys and values (time, batch, head, token, dim) to what is read from the values."""
        return self.read(self.denoise(self.scores(q, k)), v)

    def fastest(self, q: Tensor) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
        """``attend``, or a shortcut to the same output where there is one and no hook wants the map."""
        operations = self.scores, self.denoise, self.read
        if not kernels.enabled() or kernels.watched(operations):
            return self.attend
        options = dict(window=self.scores.window, scale=self.read.scale)
        if self.denoise.kind == "none" and fast_attention.is_cheaper(q, options["window"]):
            return functools.partial(fast_attention.attend_linear, **options)
        if fast_attention.fuses(q, self.denoise):
            return functools.partial(gpu_attention.attend, denoise=self.denoise, **options)
        if fast_attention.map_bytes(q, options["window"]) > fast_attention.LARGE_MAP:
            return functools.partial(
                fast_attention.attend_in_parts, denoise=self.denoise, **options
            )
        return self.attend

    def split(self, s: Tensor) -> Tensor:
        """Channels into heads, patches into a row of tokens: (time, batch, head, token, dim)."""
        tokens = "time batch head (row column) dim"
        return rearrange(s, f"time batch (head dim) row column -> {tokens}", head=self.heads)

    def merge(self, o: Tensor, x: Tensor) -> Tensor:
        """The shape of ``x`` again, for what ``split`` made."""
        tokens = "time batch head (row column) dim"
        return rearrange(o, f"{tokens} -> time batch (head dim) row column", row=x.shape[-2])
