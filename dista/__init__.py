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
    "evaluate": "dista.evaluation",
    "intervene": "dista.interventions",
    "load": "dista.checkpoint",
    "observables": "dista.recording",
    "open_recording": "dista.recording_files",
    "preset": "dista.presets",
    "presets": "dista.presets",
    "record": "dista.recording",
    "save": "dista.checkpoint",
    "train": "dista.training",
}
_MODULES = (
    "ablations",
    "counterfactuals",
    "data",
    "figures",
    "interventions",
    "measures",
    "operations",
    "runs",
    "widgets",
)
__all__ = [*_HOME, *_MODULES]

if TYPE_CHECKING:
    from dista import (
        ablations,
        counterfactuals,
        data,
        figures,
        interventions,
        measures,
        operations,
        runs,
        widgets,
    )
    from dista.checkpoint import load, save
    from dista.config import ModelConfig, TrainingConfig
    from dista.evaluation import evaluate
    from dista.interventions import intervene
    from dista.model import DISTA
    from dista.presets import preset, presets
    from dista.recording import observables, open_recording, record
    from dista.training import train


def __getattr__(name: str):
    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    elif name in _MODULES:
        value = import_module(f"dista.{name}")
    else:
        raise AttributeError(
            f"module 'dista' has no attribute {name!r}; it has {', '.join(__all__)}"
        )
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
