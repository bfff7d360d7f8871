"""Results -> plotly figures: pure functions that dashboard and notebooks share.

Each takes what a function of ``dista.measures`` returns (or a table of a run folder) and a
``theme``, "light" or "dark". Steps, blocks and heads count from 1 on the figures, as on the
dashboard. Every figure fits its container down to 390 pixels and describes itself for those who
cannot see it in ``figure.layout.meta["alt"]``.
"""

from dista.figures.attention import (
    attention_over_time,
    attention_split,
    filmstrip,
    lag_contributions,
)
from dista.figures.decisions import decision
from dista.figures.denoiser import denoising
from dista.figures.neurons import membrane, raster, taus
from dista.figures.training import learning_curves, rate_history, tau_history

__all__ = [
    "attention_over_time",
    "attention_split",
    "decision",
    "denoising",
    "filmstrip",
    "lag_contributions",
    "learning_curves",
    "membrane",
    "raster",
    "rate_history",
    "tau_history",
    "taus",
]
