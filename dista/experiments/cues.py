"""What answers still know of a cue, over held-out samples, with and without what remembers it [ours].

    task = dista.data.open("match")
    cues.cue_effects(model, task, range(100))                             # as trained
    cues.cue_effects(model, task, range(100), ("neuron-memory",))         # without neuron memory

The cue's steps are changed, all of them together, and the network answers twice: ``dista.measures.cue_effect``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dista.experiments import evaluation
from dista.experiments.ablations import ablated
from dista.experiments.counterfactuals import changed_cue, cue_steps
from dista.measures import CueEffect, cue_effect
from dista.recording import record

if TYPE_CHECKING:
    from dista.data import Task
    from dista.model import DISTA

NETWORKS: dict[str, tuple[str, ...]] = {
    "as trained": (),
    "without neuron memory": ("neuron-memory",),
    "without attention's memory": ("memory",),
    "without both": ("memory", "neuron-memory"),
}
"""The switches of the networks that are compared."""


def cue_effects(
    model: DISTA,
    task: Task,
    part: Sequence[int],
    switches: Sequence[str] = (),
    *,
    blank: bool = False,
) -> CueEffect:
    """What a change of the cue does to the answers of ``model`` with ``switches`` to these test samples, as one batch.

    The cue becomes that of the next test sample, or ``blank``.
    """
    split = task.test
    x, _ = split.batch(part)
    others = evaluation.others(split, part, switches)
    other = None if blank else split.batch([(sample + 1) % len(split) for sample in part])[0]
    changed = changed_cue(x, model.config.time_steps, cue_steps(task.step_labels), other)
    with ablated(model, switches, others):
        return cue_effect(*(record(model, each, "head") for each in (x, changed)))
