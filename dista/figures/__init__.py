"""Results -> plotly figures: pure functions that dashboard and notebooks share.

Each takes what a function of ``dista.measures`` returns (or a table of a run folder) and a
``theme``, "light" or "dark". Steps, blocks and heads count from 1 on the figures, as on the
dashboard. Every figure fits its container down to 390 pixels and describes itself for those who
cannot see it in ``figure.layout.meta["alt"]``.
"""

from dista.extras import need

need("plotly", "dista.figures", "figures")

from dista.figures.ablations import accuracy_changes, part_changes
from dista.figures.attention import (
    attention_over_time,
    attention_split,
    filmstrip,
    lag_contributions,
)
from dista.figures.chance import chance_levels, patch_totals
from dista.figures.comparison import layer_pairs, spike_distance
from dista.figures.decisions import decision
from dista.figures.denoiser import denoising
from dista.figures.energy import anytime, energy_comparison, energy_map
from dista.figures.entries import entry_effects
from dista.figures.event_frames import event_frames
from dista.figures.events import event_statistics
from dista.figures.firing import firing_change, firing_map, membrane_histogram
from dista.figures.learning import learning
from dista.figures.memory import causal_memory, cue_effects
from dista.figures.neurons import membrane, raster, taus
from dista.figures.noise import input_change, noise_curve, noise_differences, patch_attention
from dista.figures.overview import attention_grid
from dista.figures.plasticity import accuracy_by_run, gradient_history
from dista.figures.runs import option_importance, parallel_runs, run_curves
from dista.figures.seeds import seed_accuracies, seed_curves, seed_differences
from dista.figures.similarity import map_similarity
from dista.figures.single_neuron import tau_sweep
from dista.figures.speed import layer_times, time_by_rate, time_by_spikes
from dista.figures.surgery import attention_change, decision_change, membrane_change
from dista.figures.training import learning_curves, loss_by_step, rate_history, tau_history

__all__ = [
    "accuracy_by_run",
    "accuracy_changes",
    "anytime",
    "attention_change",
    "attention_grid",
    "attention_over_time",
    "attention_split",
    "causal_memory",
    "chance_levels",
    "cue_effects",
    "decision",
    "decision_change",
    "denoising",
    "energy_comparison",
    "energy_map",
    "entry_effects",
    "event_statistics",
    "event_frames",
    "filmstrip",
    "firing_change",
    "firing_map",
    "gradient_history",
    "input_change",
    "lag_contributions",
    "layer_pairs",
    "layer_times",
    "learning",
    "learning_curves",
    "loss_by_step",
    "map_similarity",
    "membrane",
    "membrane_change",
    "membrane_histogram",
    "noise_curve",
    "noise_differences",
    "option_importance",
    "parallel_runs",
    "part_changes",
    "patch_attention",
    "patch_totals",
    "raster",
    "rate_history",
    "run_curves",
    "seed_accuracies",
    "seed_curves",
    "seed_differences",
    "spike_distance",
    "tau_history",
    "tau_sweep",
    "taus",
    "time_by_rate",
    "time_by_spikes",
]
