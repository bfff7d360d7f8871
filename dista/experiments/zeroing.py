"""Take entries of an attention map away, one pair of steps after another, and see what the answer loses [ours].

effects = zeroed_pairs(model, task.test.batch(range(6))[0], block=1)
effects.agreement         # does attention say what matters?
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from dista.attention import causal_pairs
from dista.engine.modules import need_evaluation
from dista.experiments.interventions import intervene, zero
from dista.experiments.one_by_one import Place, Upstream
from dista.measures import EntryEffects
from dista.recording import record

if TYPE_CHECKING:
    from torch import Tensor

    from dista.model import DISTA


def zeroed_pairs(model: DISTA, x: Tensor, block: int) -> EntryEffects:
    """Each pair of steps of the map of ``block`` made 0 by itself, in all heads; ``x`` is a batch of samples.

    The cut lies behind the denoiser, and what the block reads keeps its scale. ValueError for a model in training
    mode, whose batch normalisation learns from what it sees, and for a block that there is not.
    """
    need_evaluation(model, "entries are zeroed")
    if not 0 <= block < model.config.depth:
        raise ValueError(f"block {block}; this model has blocks 0 to {model.config.depth - 1}")
    name = f"blocks.{block}.attention.denoise"
    counts = record(model, x, [name])[name.replace(".", "/")]
    mass = counts.sum(("head", "query", "key")).transpose("batch", "pair").values.astype(float)
    samples = torch.split(x, 1, dim=x.ndim - 4)
    with torch.inference_mode():
        effect = np.stack([_effects(model, one, block, name) for one in samples])
    total = np.maximum(mass.sum(1, keepdims=True), 1)
    query_time, key_time = (np.array(steps) for steps in _pairs(model, block))
    return EntryEffects(block, query_time, key_time, mass / total, effect)


def _effects(model: DISTA, x: Tensor, block: int, name: str) -> np.ndarray:
    """Mean absolute change of the logits of one sample without each pair, all of them as one batch."""
    upstream, place = Upstream(model, x), Place(block)
    pairs = len(_pairs(model, block)[0])
    without = torch.eye(pairs, pairs + 1, dtype=torch.bool)[:, :, None, None, None]
    came_in = upstream.at(place).repeat_interleave(pairs + 1, dim=1)
    with intervene(model, {name: zero(without)}):
        logits = upstream.answer_from(place, came_in)
    return (logits[:-1] - logits[-1]).abs().mean(1).cpu().numpy()


def _pairs(model: DISTA, block: int) -> tuple[list[int], list[int]]:
    """Query and key step of each pair that the block's attention reaches."""
    window: int = model.blocks[block].attention.scores.window  # type: ignore[assignment, union-attr]  # a block has it
    return causal_pairs(model.config.time_steps, window)
