"""Recording -> small typed results: the numbers behind every figure, tested as numbers.

Each function takes a recording (an xarray DataTree, see ``dista.recording``) and returns frozen
dataclasses of numpy arrays and python numbers, each of which gives its numbers as a pandas table
(``.table()``, see ``dista.measures.tables``). A quantity that a function can do without is None
where it was not recorded; where one that it needs is missing, MeasureError names its path. Steps,
tokens, heads, blocks and samples count from 0; ``sample`` is a position along ``batch``; a patch is a
token index or (row, column).
"""

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
from dista.measures.chance import ChanceLevel, PatchTotals, chance_levels, chance_map, patch_totals
from dista.measures.comparison import SpikeDistance, spike_distance
from dista.measures.decision import Decision, decision
from dista.measures.denoiser import BlockDenoising, denoising
from dista.measures.energy import (
    CONVENTIONS,
    LEFT_OUT,
    AnswerEnergy,
    Anytime,
    Convention,
    Energy,
    anytime,
    energy,
)
from dista.measures.entries import EntryEffects
from dista.measures.event_frames import EventFrames, event_frames
from dista.measures.events import EventStatistics, event_statistics
from dista.measures.firing import FiringMap, MembraneHistogram, firing_map, membrane_histogram
from dista.measures.importance import OptionImportance, option_importance
from dista.measures.learning import Learning
from dista.measures.lookup import MeasureError, Patch, layers
from dista.measures.maps import MapStatistics, map_statistics
from dista.measures.memory import (
    CausalMemory,
    CueEffect,
    LagContributions,
    causal_memory,
    cue_effect,
    lag_contributions,
    mean_effect,
    most_changed,
)
from dista.measures.neurons import (
    LayerActivity,
    MembraneTrace,
    Raster,
    TauSweep,
    half_life,
    membrane_trace,
    neuron_table,
    raster,
    representatives,
)
from dista.measures.noise import (
    AttentionReceived,
    InputChange,
    NoiseCurve,
    PatchAttention,
    attention_received,
    input_change,
    noise_curve,
    patch_attention,
)
from dista.measures.overview import (
    AttentionTo,
    ClassRates,
    Looker,
    attention_to,
    class_rates,
    drawn,
    past,
    patch_grid,
    rank_heads,
    rank_patches,
)
from dista.measures.paired import (
    Answers,
    PairedDifference,
    confident_mistakes,
    paired_difference,
)
from dista.measures.seeds import (
    SeedAccuracy,
    SeedCurve,
    SeedDifference,
    mean_differences,
    seed_accuracy,
    seed_curve,
    seed_differences,
)
from dista.measures.similarity import MapSimilarity, map_similarity
from dista.measures.speed import LayerTimes, TimeByRate, TimeBySpikes
from dista.measures.stopping import Stopped, stopped
from dista.measures.tables import Result, stacked
from dista.measures.trust import RowSums, UntrainedSimilarity, row_sums, untrained_similarity

__all__ = [
    "CONVENTIONS",
    "LEFT_OUT",
    "AnswerEnergy",
    "Answers",
    "Anytime",
    "AttentionOverTime",
    "AttentionReceived",
    "AttentionSplit",
    "AttentionTo",
    "BlockDenoising",
    "CausalMemory",
    "ChanceLevel",
    "ClassRates",
    "Convention",
    "CueEffect",
    "Decision",
    "Energy",
    "EntryEffects",
    "EventStatistics",
    "EventFrames",
    "FiringMap",
    "InputChange",
    "KeyMaps",
    "LagContributions",
    "LayerActivity",
    "LayerTimes",
    "Learning",
    "Looker",
    "MapSimilarity",
    "MapStatistics",
    "MeasureError",
    "MembraneHistogram",
    "MembraneTrace",
    "NoiseCurve",
    "OptionImportance",
    "PairedDifference",
    "Patch",
    "PatchAttention",
    "PatchTotals",
    "Raster",
    "Result",
    "RowSums",
    "SeedAccuracy",
    "SeedCurve",
    "SeedDifference",
    "SpikeDistance",
    "Stage",
    "Stopped",
    "TauSweep",
    "TimeByRate",
    "TimeBySpikes",
    "UntrainedSimilarity",
    "anytime",
    "attention_over_time",
    "attention_received",
    "attention_split",
    "attention_to",
    "blocks",
    "causal_memory",
    "chance_levels",
    "chance_map",
    "class_rates",
    "confident_mistakes",
    "cue_effect",
    "decision",
    "denoising",
    "drawn",
    "energy",
    "event_statistics",
    "event_frames",
    "firing_map",
    "half_life",
    "input_change",
    "key_maps",
    "lag_contributions",
    "layers",
    "map_similarity",
    "map_statistics",
    "mean_differences",
    "mean_effect",
    "membrane_histogram",
    "membrane_trace",
    "most_changed",
    "neuron_table",
    "noise_curve",
    "option_importance",
    "paired_difference",
    "past",
    "patch_attention",
    "patch_totals",
    "patch_grid",
    "rank_heads",
    "rank_patches",
    "raster",
    "representatives",
    "row_sums",
    "seed_accuracy",
    "seed_curve",
    "seed_differences",
    "spike_distance",
    "split",
    "stacked",
    "stopped",
    "untrained_similarity",
]
