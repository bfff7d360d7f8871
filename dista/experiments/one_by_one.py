"""Take one part of a model away after another, at the cost of what lies behind each [ours].

    each = one_by_one.parts(model)["heads"]                    # ["head=0.0", "head=0.1", ...]
    before, *after = one_by_one.answer_each(model, task.test, range(25), [(), *([text] for text in each)])

The network is sequential by block: x = x + attention(x), x = x + MLP(x). What lies before a change is the same
whatever is changed, so it is computed once and kept, at three places of each block: what comes in, what the heads
read from their values, and what goes into the MLP. A change runs from the last of these before it:

    a silent block                      from what comes in, past the block
    a silent head, or without denoiser  from what the heads read, where the one head reads 0, or the raw map
    a layer of neurons                  from the place before it; the stem's layers from the input
    anything else                       from the first module that it changes

Each answer is that of a run of its own, which the tests compare: sums of counts are whole numbers, and no sum is
taken in another order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from torch import Tensor

from dista.engine import attention_products
from dista.engine.modules import device_of, need_evaluation
from dista.experiments import ablations
from dista.experiments.evaluation import noisy, others
from dista.experiments.interventions import changed, intervene
from dista.measures import Answers
from dista.neurons import time_constants

if TYPE_CHECKING:
    from dista.attention import SpaceTimeAttention
    from dista.data import Split
    from dista.experiments.corruption import Noise
    from dista.model import DISTA, Block

STEM, IN, READ, MLP = -1, 0, 1, 2
"""The places at which what comes before a change is kept: the input, and three of each block, in order."""


class Place(NamedTuple):
    """Where a run begins: at the input, where ``block`` is STEM, or at one of the places of a block.

    The head of the network is what follows the last block: its place is IN of a block that there is not.
    """

    block: int
    at: int = IN


def parts(model: DISTA) -> dict[str, list[str]]:
    """The switches of ``dista.ablations`` that take each part of a kind away: heads, blocks, denoisers, taus.

    Denoisers are those of each block and of each head, none where the model has no denoiser. Taus are those of
    each layer as they were before training, none where the card has not kept them.
    """
    blocks, heads = range(model.config.depth), range(model.config.heads)
    places = [f"{block}.{head}" for block in blocks for head in heads]
    starting = model.card.get("starting_taus") or {}
    return {
        "heads": [f"head={place}" for place in places],
        "blocks": [f"block={block}" for block in blocks],
        "denoisers": [] if model.config.denoiser.kind == "none" else
        [f"denoiser-of={place}" for place in [*map(str, blocks), *places]],
        "taus": [f"learned-tau-of={layer}" for layer in time_constants(model) if layer in starting],
    }  # fmt: skip


def answer_each(
    model: DISTA,
    split: Split,
    samples: Sequence[int],
    each: Sequence[Sequence[str]],
    *,
    noise: Noise | float = 0.0,
) -> list[Answers]:
    """What ``model`` answers to these samples with each of several lists of switches; none leave it as it is.

    As ``evaluation.answer`` of each list, run as one batch. ValueError for a model in training mode, whose batch
    normalisation learns from what it sees; AblationError as ``dista.ablations.changes``.
    """
    need_evaluation(model, "ablations")
    (x, y), device = noisy(split, samples, noise), device_of(model)
    with torch.inference_mode():
        upstream = Upstream(model, x.to(device))
        answers = []
        for switches in each:
            lent = others(split, samples, switches, noise)
            logits = upstream.logits(switches, None if lent is None else lent.to(device)).cpu()
            confidence = logits.softmax(-1).amax(-1)
            answers.append(Answers(logits.argmax(-1).numpy(), y.numpy(), confidence.numpy()))
    return answers


@dataclass
class Upstream:
    """A batch on its way through a model, kept at all places; see the module.

    ``x`` is the input. A block's place is computed when a change begins there, or behind it.
    """

    model: DISTA
    x: Tensor
    upstream: dict[Place, Tensor] = field(default_factory=dict)
    undenoised: dict[int, Tensor] = field(default_factory=dict)

    def logits(self, switches: Sequence[str], lent: Tensor | None = None) -> Tensor:
        """The answer (batch, class) with ``switches``; ``lent`` are other samples, where one takes them."""
        parsed = [ablations.parse(text) for text in switches]
        if len(parsed) == 1:
            (switch, value), *_ = parsed
            ablations.changes(switches, self.model, lent)  # a place that the model does not have
            if switch.name == "block":
                return self.answer_from(Place(value + 1), self.at(Place(value)))
            if switch.name == "head":
                return self._without_head(*value)
            if switch.name == "denoiser-of":
                return self._without_denoiser(*value)
        changes = ablations.changes(switches, self.model, lent)
        start = self._start(changed(self.model, changes))
        x = self.x if start.block == STEM else self.at(start)
        with intervene(self.model, changes):
            return self.answer_from(start, x)

    def at(self, place: Place) -> Tensor:
        """What the model as it is has at a place, from the place before it."""
        if place not in self.upstream:
            block, at = place
            before = Place(block, at - 1) if at else Place(block - 1, MLP) if block else Place(STEM)
            x = self.x if before.block == STEM else self.at(before)
            self.upstream[place] = self._next(before, x)
        return self.upstream[place]

    def _next(self, place: Place, x: Tensor) -> Tensor:
        """What is at the place after ``place``, where ``x`` is at it."""
        model = self.model
        if place.block == STEM:
            sequence, steps = model._sequence(x)
            return model.stem(model.normalised(sequence), steps)
        block = self._block(place.block)
        attention = block.attention
        if place.at == IN:
            q, k, v = self._projected(attention, x)
            return attention.fastest(q)(q, k, v)
        if place.at == READ:
            came_in = self.at(Place(place.block))
            return came_in + attention.output(attention.neuron(attention.merge(x, came_in)))
        return x + block.mlp(x)

    def _onwards(self, place: Place, x: Tensor) -> Tensor:
        """From a place to the last block's output; where a place is reached within a block, to its end first."""
        block, at = place
        if block == STEM:
            x, block, at = self._next(place, x), 0, IN
        while at != IN:
            x = self._next(Place(block, at), x)
            block, at = (block, at + 1) if at < MLP else (block + 1, IN)
        for later in range(block, self.model.config.depth):
            x = self._block(later)(x)
        return x

    def answer_from(self, place: Place, x: Tensor) -> Tensor:
        """The answer (batch, class) where ``x`` is at ``place``, of any batch size."""
        return self.model.readout(self.model.head(self._onwards(place, x)))

    def _without_head(self, block: int, head: int) -> Tensor:
        read, one = self.at(Place(block, READ)), torch.tensor([head], device=self.x.device)
        return self.answer_from(Place(block, READ), read.index_fill(2, one, 0))

    def _without_denoiser(self, block: int, head: int | None) -> Tensor:
        if block not in self.undenoised:
            attention = self._block(block).attention
            q, k, v = self._projected(attention, self.at(Place(block)))
            self.undenoised[block] = attention_products.attend_linear(
                q, k, v, attention.scores.window, attention.read.scale
            )
        read = raw = self.undenoised[block]
        if head is not None:
            one = torch.tensor([head], device=self.x.device)
            read = self.at(Place(block, READ)).index_copy(2, one, raw.index_select(2, one))
        return self.answer_from(Place(block, READ), read)

    def _start(self, names: Sequence[str]) -> Place:
        """The last place that lies before all of the named modules."""
        return min(map(self._place_of, names), default=Place(self.model.config.depth))

    def _place_of(self, name: str) -> Place:
        first, *rest = name.split(".")
        if first == "head":
            return Place(self.model.config.depth)
        if first != "blocks" or len(rest) < 2:
            return Place(STEM)
        block, part, *within = rest
        after_read = part == "attention" and within and within[0] in ("neuron", "output")
        return Place(int(block), MLP if part == "mlp" else READ if after_read else IN)

    def _block(self, block: int) -> Block:
        return cast("Block", self.model.blocks[block])

    def _projected(self, attention: SpaceTimeAttention, x: Tensor) -> list[Tensor]:
        projections: list[Any] = [attention.query, attention.key, attention.value]
        return [attention.split(project(x)) for project in projections]
