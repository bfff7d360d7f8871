"""Recording -> small typed results: the numbers behind every figure, tested as numbers.

Each function takes a recording (an xarray DataTree, see ``dista.recording``) and returns frozen
dataclasses of numpy arrays and python numbers. A quantity that a function can do without is None
where it was not recorded; where one that it needs is missing, MeasureError names its path. Steps,
tokens, heads, blocks and samples count from 0; ``sample`` is a position along ``batch``; a patch is a
token index or (row, column).
"""

from dista.measures.access import MeasureError, Patch, layers
from dista.measures.attention import (
    AttentionOverTime,
    AttentionSplit,
    KeyMaps,
    Stage,
    attention_over_time,
    attention_split,
    blocks,
    key_maps,
    split,
)
from dista.measures.decision import Decision, decision
from dista.measures.denoiser import BlockDenoising, denoising
from dista.measures.memory import LagContributions, lag_contributions
from dista.measures.neurons import (
    LayerActivity,
    MembraneTrace,
    Raster,
    half_life,
    membrane_trace,
    neuron_table,
    raster,
)

__all__ = [
    "AttentionOverTime",
    "AttentionSplit",
    "BlockDenoising",
    "Decision",
    "KeyMaps",
    "LagContributions",
    "LayerActivity",
    "MeasureError",
    "MembraneTrace",
    "Patch",
    "Raster",
    "Stage",
    "attention_over_time",
    "attention_split",
    "blocks",
    "decision",
    "denoising",
    "half_life",
    "key_maps",
    "lag_contributions",
    "layers",
    "membrane_trace",
    "neuron_table",
    "raster",
    "split",
]
