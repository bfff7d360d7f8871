"""The forms of memory: how attention reaches steps before the current one.

A form is declared here, and in no other place: its name, what pages call it, which fields of ``MemoryConfig``
decide it, at which lags Q, K and V see their input, with which weights, and how far the map reaches. To add
one, write it into ``FORMS``, and a field of its own, if it needs one, into ``MemoryConfig``. What follows from
that needs no word more: the modules and weights (``dista.attention``), what a stream keeps, what a cut window
removes, the operations that are counted, and what is said of it. Tests run over all forms.

Nothing here needs torch, so that a configuration can be read without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

from pydantic import Field, model_validator

from dista.validation import Config


@dataclass(frozen=True)
class MemoryForm:
    """One way to reach the past.

    ``lags`` are those at which the projections see their input, 0 first; ``strength``, of a lag, makes the
    weights of a longer one a copy of lag 0's, that much weaker, and None gives each its own. ``window`` is how
    many steps the map reaches, the current one included. ``parameters`` are the fields of ``MemoryConfig`` that
    decide it, ``sentence`` is what pages say of where the past enters.
    """

    title: str
    sentence: str
    parameters: tuple[str, ...] = ("window",)
    lags: Callable[[MemoryConfig], tuple[int, ...]] = lambda memory: (0,)
    strength: Callable[[MemoryConfig, int], float] | None = None
    window: Callable[[MemoryConfig], int] = lambda memory: 1

    @property
    def remembers(self) -> bool:
        """Whether there is a window at all."""
        return "window" in self.parameters

    def own_weights(self, memory: MemoryConfig) -> int:
        """Matrices (dim, dim) of a block that it has beyond those of a model without memory."""
        return 0 if self.strength else 3 * (len(self.lags(memory)) - 1)

    @property
    def is_before_map(self) -> bool:
        """Whether Q, K and V see earlier steps."""
        return self.lags is not MemoryForm.lags

    @property
    def trains_lags(self) -> bool:
        """Whether a longer lag has weights of its own, which no sequence shorter than it would train."""
        return self.is_before_map and self.strength is None

    def in_map(self, memory: MemoryConfig) -> bool:
        """Whether maps compare patches of several steps."""
        return self.window(memory) > 1


def _all_lags(memory: MemoryConfig) -> tuple[int, ...]:
    return tuple(range(memory.window))


FORMS = {
    "none": MemoryForm(
        title="no memory in attention",
        sentence="Attention sees the current step alone.",
        parameters=(),
    ),
    "projection": MemoryForm(
        title="projection memory",
        sentence="In projection memory the past enters Q, K and V before the map, step by step.",
        lags=_all_lags,
    ),
    "attenuated": MemoryForm(
        title="attenuated memory",
        sentence="In attenuated memory the past enters Q, K and V before the map, step by step.",
        parameters=("window", "decay"),
        lags=_all_lags,
        strength=lambda memory, lag: memory.decay**lag,
    ),
    "map": MemoryForm(
        title="map memory",
        sentence="The map shows which steps are attended to. A step can be attended to and change nothing.",
        window=lambda memory: memory.window,
    ),
}


class MemoryConfig(Config):
    """How attention reaches past steps: the form, and the window W of visible steps (0 <= lag < W)."""

    form: Literal[tuple(FORMS)] = "projection"  # type: ignore[valid-type]  # pydantic reads the table
    window: int = Field(1, ge=1)
    decay: float = Field(0.5, gt=0, le=1)

    @model_validator(mode="after")
    def _none_has_no_window(self) -> Self:
        if self.window != 1 and not FORMS[self.form].remembers:
            raise ValueError(
                f"window={self.window} with form={self.form!r}: a model without memory sees the current "
                "step only; use window=1 or another form"
            )
        return self
