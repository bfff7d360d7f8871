"""The tau lab: one neuron under a current that is drawn by hand, in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dista.extras import need

need("anywidget", "the tau lab in a notebook", "notebooks")

import traitlets

from dista.experiments.single_neuron import RESETS, Reset, driven
from dista.measures import MembraneTrace
from dista.widgets.hearing import Hearing
from dista.widgets.source import module, styles

TOP = 4.0
"""The largest current that can be drawn, in thresholds of 1."""


class TauLab(Hearing):
    """One LIF neuron: ``current`` (a number a step, 0 to 4), ``tau`` in steps, ``threshold`` and ``reset`` ("hard",
    "soft") are traits that can be set and watched; ``trace`` is the typed result, as ``dista.figures.membrane`` draws it."""

    _esm = module("lesson")
    _css = styles("lesson")
    part = traitlets.Unicode("tau_lab").tag(sync=True)
    current = traitlets.List(traitlets.Float()).tag(sync=True)
    tau = traitlets.Float(2.0, min=1.0).tag(sync=True)
    threshold = traitlets.Float(1.0, min=0.05).tag(sync=True)
    reset = traitlets.Enum(RESETS, "hard").tag(sync=True)
    top = traitlets.Float(TOP).tag(sync=True)
    drawn = traitlets.Dict().tag(sync=True)

    def __init__(self, current: Sequence[float], **options: Any) -> None:
        super().__init__(current=[float(value) for value in current], **options)
        self._run()

    @property
    def trace(self) -> MembraneTrace:
        """What the neuron does under the current of now."""
        return driven(self.current, self.tau, threshold=self.threshold, reset=self.reset)

    @traitlets.observe("current", "tau", "threshold", "reset")
    def _run(self, change: dict[str, Any] | None = None) -> None:
        if not self.current:
            return
        trace = self.trace
        self.drawn = {
            "h": trace.h.tolist(),
            "v": [] if trace.v is None else trace.v.tolist(),
            "spikes": trace.fired.tolist(),
            "half_life": trace.half_life,
        }

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The widget, and a sentence for pages where none runs."""
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        fired = ", ".join(str(step + 1) for step in self.trace.fired) or "no step"
        words = f"One neuron, tau {self.tau:g}, threshold {self.threshold:g}, {self.reset} reset: it fires at {fired}."
        return {**data, "text/plain": words}, metadata


def tau_lab(
    current: Sequence[float] = (0.0,) * 2 + (1.2,) * 8 + (0.0,) * 4,
    *,
    tau: float = 2.0,
    threshold: float = 1.0,
    reset: Reset = "hard",
) -> TauLab:
    """Draw a current and see what one neuron does with it; the arguments are where it begins."""
    return TauLab(current, tau=tau, threshold=threshold, reset=reset)
