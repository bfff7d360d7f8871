"""What is attended to, and what matters: the attention of entries of a map, and what their removal does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dista.measures.tables import Columns, Result, cells


@dataclass(frozen=True)
class EntryEffects(Result):
    """Of each pair of steps of a block, (query, key): what it attends, and what the answer loses without it.

    ``attention`` (sample, pair) is the share of all counts of the block that the pair has after the denoiser, 0 where
    there are none. ``effect`` (sample, pair) is the mean absolute change of the logits when all entries of the pair
    become 0. ``query_time`` and ``key_time`` (pair,) are its steps, from 0.
    """

    block: int
    query_time: np.ndarray
    key_time: np.ndarray
    attention: np.ndarray
    effect: np.ndarray

    UNITS = {"effect": "logits"}

    def columns(self) -> Columns:
        """A row for each sample and pair."""
        samples, pairs = self.attention.shape
        columns = cells(
            {"sample": range(samples), "pair": range(pairs)},
            attention=self.attention,
            effect=self.effect,
        )
        steps = {name: getattr(self, name)[columns["pair"]] for name in ("query_time", "key_time")}
        return {"block": self.block} | columns | steps

    @property
    def agreement(self) -> float:
        """Spearman's rank correlation of attention and effect, the mean over samples; nan where it has none.

        1: what is attended to most matters most. 0: attention says nothing about what matters.
        """
        from scipy.stats import spearmanr

        each = [
            float(spearmanr(attention, effect).statistic)
            for attention, effect in zip(self.attention, self.effect)
            if np.ptp(attention) and np.ptp(effect)
        ]
        return float(np.mean(each)) if each else float("nan")

    @property
    def without_effect(self) -> float:
        """The share of the attention that goes to pairs whose removal changes no logit, the mean over samples."""
        return float((self.attention * (self.effect == 0)).sum(1).mean())
