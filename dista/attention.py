"""Spatiotemporal attention with an explicit memory, and the denoiser on its maps.

Notation (PAPER: Q, K, V, A, f, W, u): T steps ``time``, B samples ``batch``, H heads ``head``, N tokens
``query``/``key``, d channels of a head ``dim``. A query step t reaches the key steps m with
0 <= t - m < W. Maps are held as ``pair batch head query key``, one entry for each reachable (t, m),
in the order of ``causal_pairs``; nothing is computed for steps that cannot be reached.

The forms of memory are declared in ``dista.memories``, the denoisers f in ``dista.denoisers``:

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
from collections.abc import Callable, Sized
from typing import TYPE_CHECKING

import torch
from einops import rearrange
from torch import Tensor, nn

from dista import streaming
from dista.config import DenoiserConfig, MemoryConfig, ModelConfig
from dista.denoisers import DENOISERS
from dista.engine import attention_products, gpu_attention, kernels, trained_attention
from dista.layers import Conv, Norm, SpikingConv, fire
from dista.memories import FORMS
from dista.neurons import LIF
from dista.observable import ACTIVITY, MAP, Coords, Observable

if TYPE_CHECKING:
    from jaxtyping import Float


def causal_pairs(steps: int, window: int, past: int = 0) -> tuple[list[int], list[int]]:
    """Query and key step of each pair with 0 <= query - key < window, ordered by query, then key.

    Queries are counted from the first of their ``steps``, keys from the first of ``past`` steps before.
    """
    pairs = attention_products.pairs(steps, window, past)
    return [t for t, _ in pairs], [m for _, m in pairs]


def _pair_coords(module: Scores | Denoise, a: Sized) -> Coords:
    """Query and key step of each entry along ``pair``, for a recorded map."""
    before = streaming.steps_before()
    past = min(before, module.window - 1)
    # each step reaches itself at least, so that a map has no more steps than pairs
    lengths = list(itertools.accumulate(attention_products.reachable(len(a), module.window, past)))
    if len(a) not in lengths:
        raise ValueError(
            f"a map of {len(a)} pairs of steps is that of no number of steps with a memory of "
            f"{module.window}, which has {', '.join(map(str, lengths[:4]))}, ... pairs for 1, 2, ... steps; "
            "whatever replaces a map keeps its first axis"
        )
    query_time, key_time = causal_pairs(lengths.index(len(a)) + 1, module.window, past)
    return {
        "query_time": ("pair", [before + t for t in query_time]),
        "key_time": ("pair", [before - past + m for m in key_time]),
    }


def scores(
    q: Float[Tensor, "time batch head query dim"],
    k: Float[Tensor, "reached batch head key dim"],
    window: int,
) -> Float[Tensor, "pair batch head query key"]:
    """Coincident spikes A of q and k.

    Keys of steps before the first query, where a stream remembers them, come first in k.
    """
    if window == 1:
        return q @ k.mT
    query_time, key_time = causal_pairs(len(q), window, len(k) - len(q))
    return q[query_time] @ k[key_time].mT


def read(
    a: Float[Tensor, "pair batch head query key"],
    v: Float[Tensor, "reached batch head key dim"],
    window: int,
    scale: float,
    past: int = 0,
) -> Float[Tensor, "time batch head query dim"]:
    """scale / n(t) * sum_m A[t,m] V[m] for all steps but the ``past`` first of v."""
    if window == 1:
        return scale * (a @ v)
    pairs = causal_pairs(len(v) - past, window, past)
    query_time, key_time = (torch.tensor(p, device=v.device) for p in pairs)
    products = a @ v[key_time]  # in half precision under autocast
    summed = torch.zeros_like(products[: len(v) - past]).index_add(0, query_time, products)
    reachable = torch.bincount(query_time).to(products.dtype)
    return scale * summed / reachable[:, None, None, None, None]


def delay(
    x: Float[Tensor, "time batch channel *place"], steps: int
) -> Float[Tensor, "steps batch channel *place"]:
    """What came late as the end of a sequence of ``steps``; the first ones are 0."""
    if len(x) >= steps:
        return x
    x = x.movedim(2, -1)  # as it lies in memory; torch.cat would lay it otherwise
    return torch.cat([x.new_zeros(steps - len(x), *x.shape[1:]), x]).movedim(-1, 2)


def between(
    x: Float[Tensor, "time batch channel *place"], first: int, end: int
) -> Float[Tensor, "part batch channel *place"]:
    """Steps ``first`` to ``end``, which is not among them; the gradient lies in memory as x does."""
    return x.movedim(2, -1)[first:end].movedim(-1, 2)


class Attenuate(nn.Module):
    """Weights of a longer lag as a weaker copy: decay^lag, a bit shift for decay = 1/2."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, x: Float[Tensor, "time *layer"]) -> Float[Tensor, "time *layer"]:
        return self.factor * x


class Lag(nn.Module):
    """What the input ``lag`` steps ago adds to the current now: W^(l) X[t-l], 0 where t < l."""

    observables = {"": Observable(ACTIVITY)}

    def __init__(self, lag: int, synapse: nn.Module) -> None:
        super().__init__()
        self.lag, self.synapse = lag, synapse

    def forward(
        self, x: Float[Tensor, "time batch channel row column"], steps: int
    ) -> Float[Tensor, "steps batch channel row column"]:
        """The current of the last ``steps`` of ``x``; those before them are what a stream remembers."""
        until = len(x) - self.lag
        if until <= 0:
            return torch.zeros_like(x[:steps])
        return delay(self.synapse(between(x, max(0, until - steps), until)), steps)


class Projection(nn.Module):
    """Q, K or V: spikes of LIF(BN(sum_l W^(l) X[t-l])), the sum over the window of the memory."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        form, memory = FORMS[config.memory.form], config.memory
        self.shares_weights = form.strength is not None
        self.lags = nn.ModuleList(
            Lag(lag, self._synapse(lag, config.dim, memory)) for lag in form.lags(memory)
        )
        self.reach = form.lags(memory)[-1]
        self.norm = Norm(config.neuron, config.dim)
        self.neuron = LIF(config.neuron, config.dim)

    @staticmethod
    def _synapse(lag: int, dim: int, memory: MemoryConfig) -> nn.Module:
        strength = FORMS[memory.form].strength
        if lag and strength is not None:
            return Attenuate(strength(memory, lag))
        return Conv(dim, dim, 1, bias=False)

    def forward(
        self, x: Float[Tensor, "time batch channel row column"]
    ) -> Float[Tensor, "time batch channel row column"]:
        now, *earlier = self.lags
        steps, current = len(x), now(x, len(x))
        source = current if self.shares_weights else x
        source = streaming.with_past(self, source, self.reach)
        for lag in earlier:
            current = current + lag(source, steps)
        return fire(self.norm, self.neuron, current)


class Scores(nn.Module):
    """A = Q K^T over the reachable pairs of steps; W = 1 unless the memory is in the map."""

    observables = {"": Observable(MAP, "count", coords=_pair_coords)}

    def __init__(self, memory: MemoryConfig) -> None:
        super().__init__()
        self.window = FORMS[memory.form].window(memory)

    def forward(
        self,
        q: Float[Tensor, "time batch head query dim"],
        k: Float[Tensor, "time batch head key dim"],
    ) -> Float[Tensor, "pair batch head query key"]:
        k = streaming.with_past(self, k, self.window - 1)
        compute = attention_products.scores if attention_products.by_pair(q, k) else scores
        return compute(q, k, self.window)


class Denoise(nn.Module):
    """The denoiser f on the attention map; ``kind`` none is the identity."""

    observables = {"": Observable(MAP, "count", constants=("kind", "u"), coords=_pair_coords)}

    def __init__(self, config: DenoiserConfig, window: int, head_dim: int) -> None:
        super().__init__()
        self.config, self.window = config, window
        self.kind, self.u = config.kind, config.u
        start = DENOISERS[config.kind].table
        table = None
        if start is not None:
            table = torch.tensor(start(config, head_dim), dtype=torch.get_default_dtype())
        if config.learn_table and table is not None:
            self.table = nn.Parameter(table)
        else:
            self.register_buffer("table", table)

    @property
    def is_identity(self) -> bool:
        return DENOISERS[self.kind].compute is None

    def forward(self, a: Float[Tensor, "*map"]) -> Float[Tensor, "*map"]:
        compute = DENOISERS[self.kind].compute
        if compute is None:
            return a
        denoised = compute(a, self.config, self.table)
        if self.config.gradient == "all":  # 1 through removed entries as well; the value stays
            denoised = denoised + (a - a.detach()) * (denoised.detach() == 0)
        return denoised


class Read(nn.Module):
    """scale / n(t) * sum_m f(A[t,m]) V[m]."""

    observables = {"": Observable(("time", "batch", "head", "query", "dim"))}

    def __init__(self, window: int, scale: float) -> None:
        super().__init__()
        self.window, self.scale = window, scale

    def forward(
        self,
        a: Float[Tensor, "pair batch head query key"],
        v: Float[Tensor, "time batch head key dim"],
    ) -> Float[Tensor, "time batch head query dim"]:
        steps, v = len(v), streaming.with_past(self, v, self.window - 1)
        compute = attention_products.read if attention_products.by_pair(a, v) else read
        return compute(a, v, self.window, self.scale, len(v) - steps)


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

    def forward(
        self, x: Float[Tensor, "time batch channel row column"]
    ) -> Float[Tensor, "time batch channel row column"]:
        q, k, v = (self.split(project(x)) for project in (self.query, self.key, self.value))
        o = self.merge(self.fastest(q)(q, k, v), x)
        return self.output(self.neuron(o))

    def attend(
        self,
        q: Float[Tensor, "time batch head token dim"],
        k: Float[Tensor, "time batch head token dim"],
        v: Float[Tensor, "time batch head token dim"],
    ) -> Float[Tensor, "time batch head token dim"]:
        """From queries, keys and values to what is read from the values."""
        return self.read(self.denoise(self.scores(q, k)), v)

    def fastest(
        self, q: Float[Tensor, "time batch head token dim"]
    ) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
        """``attend``, or a shortcut to the same output where there is one and no hook wants the map, nor a
        stream the keys and values."""
        operations = self.scores, self.denoise, self.read
        remembers = streaming.running() and self.scores.window > 1
        if remembers or not kernels.enabled() or kernels.watched(operations):
            return self.attend
        window, scale = self.scores.window, self.read.scale
        if self.denoise.is_identity and attention_products.is_cheaper(q, window):
            return functools.partial(attention_products.attend_linear, window=window, scale=scale)
        if attention_products.fuses(q, self.denoise):
            return functools.partial(
                gpu_attention.attend, denoise=self.denoise, window=window, scale=scale
            )
        by_map: Callable[[Tensor, Tensor, Tensor], Tensor] = self.attend
        if attention_products.map_bytes(q, window) > attention_products.LARGE_MAP:
            by_map = functools.partial(
                attention_products.attend_in_parts,
                denoise=self.denoise,
                window=window,
                scale=scale,
            )
        if trained_attention.suits(q, self.denoise):
            return functools.partial(
                trained_attention.attend,
                denoise=self.denoise,
                window=window,
                scale=scale,
                by_map=by_map,
            )
        return by_map

    def split(
        self, s: Float[Tensor, "time batch channel row column"]
    ) -> Float[Tensor, "time batch head token dim"]:
        """Channels into heads, patches into a row of tokens."""
        tokens = "time batch head (row column) dim"
        return rearrange(s, f"time batch (head dim) row column -> {tokens}", head=self.heads)

    def merge(
        self,
        o: Float[Tensor, "time batch head token dim"],
        x: Float[Tensor, "time batch channel row column"],
    ) -> Float[Tensor, "time batch channel row column"]:
        """The shape of ``x`` again, for what ``split`` made."""
        tokens = "time batch head (row column) dim"
        return rearrange(o, f"{tokens} -> time batch (head dim) row column", row=x.shape[-2])
