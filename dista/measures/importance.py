"""Which options of a sweep the accuracies depend on: the share of their variance that each accounts for.

Functional ANOVA on a random forest (Hutter, Hoos and Leyton-Brown, 2014), as Optuna has it: the forest is fitted to
option values and accuracies, and its variance is divided into what each option does by itself. It also takes grids
with holes, and numbers. The shares of single options are scaled to a sum of 1, so that what options do together
only is not seen; and they speak of the levels that were trained, not of others. The seed is one of the options: what
has no larger share than it is not told apart from the accidents of training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dista.extras import need
from dista.measures.lookup import MeasureError
from dista.measures.tables import Columns, Result

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.study import Study

FEWEST = 8
"""Runs below which a forest says nothing."""

FORESTS = 5


@dataclass(frozen=True)
class OptionImportance(Result):
    """The share of the variance of accuracies that each option accounts for, 0 to 1: ``share`` (option,).

    The means over some forests, whose smallest and largest are ``low`` and ``high``: how far the forests differ,
    which is no confidence interval.
    """

    option: tuple[str, ...]
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    runs: int

    def columns(self) -> Columns:
        """A row for each option."""
        return super().columns() | {"option": np.array(self.option)}


def option_importance(
    options: Mapping[str, Sequence[Any]], accuracy: Sequence[float], *, forests: int = FORESTS
) -> OptionImportance:
    """How much the accuracies (run,) depend on each of the options, by name: its value in each run.

    Options that are the same in all runs are left out. MeasureError for fewer than 8 runs or two options that differ.
    """
    need("optuna", "dista.measures.option_importance", "train")
    reached = np.asarray(accuracy, float)
    levels = {name: _levels(values) for name, values in options.items()}
    levels = {name: values for name, values in levels.items() if len(set(values)) > 1}
    if len(reached) < FEWEST or len(levels) < 2:
        raise MeasureError(
            f"{len(reached)} runs that differ in {len(levels)} options; expected at least {FEWEST} and 2"
        )
    if wrong := next(
        (name for name, values in levels.items() if len(values) != len(reached)), None
    ):
        raise MeasureError(f"{wrong} has {len(levels[wrong])} values for {len(reached)} runs")
    study = _study(levels, reached)
    shares = np.array([_shares(study, list(levels), seed) for seed in range(forests)])
    mean = shares.mean(0)
    order = np.argsort(-mean, kind="stable")
    names = [list(levels)[i] for i in order]
    low, high = shares.min(0)[order], shares.max(0)[order]
    return OptionImportance(tuple(names), mean[order], low, high, len(reached))


def _levels(values: Sequence[Any]) -> list[Any]:
    """Numbers stay numbers, in whose order a forest splits; anything else is a kind, by what it says."""
    numbers = all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values)
    return [float(value) if numbers else str(value) for value in values]


def _study(levels: Mapping[str, list[Any]], accuracy: np.ndarray) -> Study:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    kinds = {name: _distribution(values) for name, values in levels.items()}
    for run, reached in enumerate(accuracy):
        parameters = {name: levels[name][run] for name in levels}
        study.add_trial(
            optuna.trial.create_trial(params=parameters, distributions=kinds, value=float(reached))
        )
    return study


def _distribution(values: list[Any]) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if isinstance(values[0], float):
        return FloatDistribution(min(values), max(values))
    return CategoricalDistribution(sorted(set(values)))


def _shares(study: Study, names: list[str], seed: int) -> list[float]:
    from optuna.importance import FanovaImportanceEvaluator, get_param_importances

    forest = FanovaImportanceEvaluator(n_trees=64, seed=seed)
    try:
        importances = get_param_importances(study, evaluator=forest, params=names)
    except RuntimeError:  # all accuracies are the same: nothing depends on anything
        return [0.0] * len(names)
    return [float(importances[name]) for name in names]
