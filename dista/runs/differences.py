"""Runs that differ from a model in a single switch: what training without it has come to.

from dista.runs import find

differing_runs(of_checkpoint("match-map"), find("runs"))
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from dista.checkpoint import read_card, read_config
from dista.config import Config, TrainingConfig
from dista.runs import Run, RunConfig, RunError

_NO_EFFECT = {"training.threads", "training.probe"}  # on what is learned


@dataclass(frozen=True)
class DifferingRun:
    """A run of the same task in which one switch, by its dotted name, is ``theirs`` and not ``ours``.

    A form of memory or a kind of denoiser brings fields of its own along; then the switch is the whole
    ``memory`` or ``denoiser``. ``switch`` is "" for a run that repeats the model.
    """

    run: Run
    switch: str
    ours: Any
    theirs: Any

    @property
    def sentence(self) -> str:
        """What is different in it, in words."""
        if not self.switch:
            return "the same once more"
        return f"{self.switch} {self.theirs}, not {self.ours}"


def of_checkpoint(name_or_path: str | os.PathLike[str]) -> RunConfig:
    """What a checkpoint's configuration and card say of the run that it comes from.

    RunError where the card does not say how it was trained.
    """
    card = read_card(name_or_path)
    if "task" not in card or "training" not in card:
        raise RunError(f"the card of {name_or_path} does not say on what and how it was trained")
    return RunConfig(
        preset=card.get("preset", ""),
        data=card["task"],
        data_options=card.get("data_options", {}),
        model=read_config(name_or_path),
        training=TrainingConfig(**card["training"]),
    )


def differing_runs(config: RunConfig, runs: Iterable[Run]) -> list[DifferingRun]:
    """The runs of the same task that differ from ``config`` in one switch at most, in their order.

    Runs whose configuration is damaged are left out.
    """
    family = []
    for run in runs:
        with contextlib.suppress(RunError):
            theirs = run.config
            switched = differences(config, theirs)
            same_data = (theirs.data, theirs.data_options) == (config.data, config.data_options)
            if same_data and len(switched) <= 1:
                switch, values = next(iter(switched.items()), ("", (None, None)))
                family.append(DifferingRun(run, switch, *values))
    return family


def differences(ours: RunConfig, theirs: RunConfig) -> dict[str, tuple[Any, Any]]:
    """Every switch in which model, training or options of the data differ, by dotted name: (ours, theirs).

    An option of the data that was not given is None.
    The preset's name, threads and the probe sample are no switches: they change nothing that is learned.
    """
    a, b = dict(_leaves(ours.model)), dict(_leaves(theirs.model))
    a |= {f"training.{name}": value for name, value in _leaves(ours.training)}
    b |= {f"training.{name}": value for name, value in _leaves(theirs.training)}
    options = ours.data_options.keys() | theirs.data_options.keys()
    a |= {f"data.{name}": ours.data_options.get(name) for name in sorted(options)}
    b |= {f"data.{name}": theirs.data_options.get(name) for name in options}
    different = {name: (a[name], b[name]) for name in a if a[name] != b[name]}
    for part, whole in (("memory", "memory.form"), ("denoiser", "denoiser.kind")):
        fields = [name for name in different if name.startswith(f"{part}.")]
        if whole in fields and len(fields) > 1:
            values = different[whole]
            different = {name: pair for name, pair in different.items() if name not in fields}
            different[part] = values
    return {name: pair for name, pair in different.items() if name not in _NO_EFFECT}


def _leaves(config: Config, path: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in config:
        if isinstance(value, Config):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value
