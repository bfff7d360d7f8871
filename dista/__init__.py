"""DISTA Explorer: see a spiking transformer think, step by step, and change it while you watch.

    import dista

    model = dista.load("match-map")
    task = dista.data.open("match")
    x, label = task.test.batch([0])
    recording = dista.record(model, x)
    recording["blocks/0/attention/scores"]      # coincident spikes, labelled

Names are imported when first used, so that ``import dista`` itself costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOME = {
    "DISTA": "dista.model",
    "ModelConfig": "dista.config",
    "TrainingConfig": "dista.config",
    "evaluate": "dista.experiments.evaluation",
    "intervene": "dista.experiments.interventions",
    "load": "dista.checkpoint",
    "observables": "dista.recording",
    "open_recording": "dista.files.recordings",
    "open_study": "dista.studies.results",
    "preset": "dista.presets",
    "presets": "dista.presets",
    "record": "dista.recording",
    "save": "dista.checkpoint",
    "train": "dista.training",
}
_MODULES = {
    "ablations": "dista.experiments.ablations",
    "corruption": "dista.experiments.corruption",
    "counterfactuals": "dista.experiments.counterfactuals",
    "data": "dista.data",
    "evaluation": "dista.experiments.evaluation",
    "forgetting": "dista.experiments.forgetting",
    "figures": "dista.figures",
    "interventions": "dista.experiments.interventions",
    "lessons": "dista.lessons",
    "measures": "dista.measures",
    "operations": "dista.experiments.operations",
    "runs": "dista.runs",
    "widgets": "dista.widgets",
}
__all__ = [*_HOME, *_MODULES]

if TYPE_CHECKING:
    from dista import data, figures, lessons, measures, runs, widgets
    from dista.checkpoint import load, save
    from dista.config import ModelConfig, TrainingConfig
    from dista.experiments import (
        ablations,
        corruption,
        counterfactuals,
        evaluation,
        forgetting,
        interventions,
        operations,
    )
    from dista.experiments.evaluation import evaluate
    from dista.experiments.interventions import intervene
    from dista.files.recordings import open_recording
    from dista.model import DISTA
    from dista.presets import preset, presets
    from dista.recording import observables, record
    from dista.studies.results import open_study
    from dista.training import train


def __getattr__(name: str) -> object:
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    elif name in _MODULES:
        value = import_module(_MODULES[name])
    else:
        raise AttributeError(
            f"module 'dista' has no attribute {name!r}; it has {', '.join(__all__)}"
        )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
