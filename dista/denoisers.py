"""The denoisers f on an attention map: what is kept of each count.

A denoiser is declared and computed here, and in no other place: its name, what pages say of it, the table it
looks counts up in, if it has one, and f itself. To add one, write it into ``DENOISERS``, and a field of its
own, if it needs one, into ``DenoiserConfig``. Tests run over all of them.

A configuration is read without torch: f takes tensors, but torch is imported where it is called by name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from dista.validation import Config

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor


def threshold(a: Float[Tensor, "*map"], u: float) -> Float[Tensor, "*map"]:
    """f(a) = a where a > u, else 0 [reviews]. The gradient is 1 where kept, 0 where removed."""
    from torch.nn import functional

    return functional.threshold(a, u, 0.0)


def lookup(a: Float[Tensor, "*map"], table: Float[Tensor, "count"]) -> Float[Tensor, "*map"]:
    """f(a) = table[a] for counts a [related: DS2TA]. Counts off the table take its nearest end.

    The gradient with respect to ``a`` is that of ``threshold``: 1 where the table's value is not 0.
    """
    value = table[a.detach().round().long().clamp(0, len(table) - 1)]
    return value + (a - a.detach()) * (value.detach() != 0)


def _first_table(config: DenoiserConfig, largest: int) -> Sequence[float]:
    """The configured table, or the threshold's, for the counts 0 to ``largest``."""
    if config.table is not None:
        return config.table
    return [count if count > config.u else 0.0 for count in range(largest + 1)]


@dataclass(frozen=True)
class Denoiser:
    """One way to clean a map.

    ``compute`` is f, of a map, the configuration and the table, which is None where ``table`` is; a denoiser
    without it is the identity, which attention need not carry out. ``table``, of the configuration and the
    largest count, is what the table starts as. ``title`` is its name on a line, ``sentence`` what it does, both
    of the attributes kept with a recorded map (``kind``, ``u``).
    """

    title: Callable[[float], str]
    sentence: Callable[[float], str]
    compute: Callable[[Tensor, DenoiserConfig, Any], Tensor] | None = None
    table: Callable[[DenoiserConfig, int], Sequence[float]] | None = None


DENOISERS = {
    "none": Denoiser(
        title=lambda u: "no denoiser",
        sentence=lambda u: "There is no denoiser: all is kept.",
    ),
    "threshold": Denoiser(
        title=lambda u: f"u = {u:g}",
        sentence=lambda u: f"The denoiser keeps counts above u = {u:g}.",
        compute=lambda a, config, table: threshold(a, config.u),
    ),
    "lookup": Denoiser(
        title=lambda u: "a table",
        sentence=lambda u: "The denoiser looks each count up in a table.",
        compute=lambda a, config, table: lookup(a, table),
        table=_first_table,
    ),
}


class DenoiserConfig(Config):
    """What is done to the attention map before it is used.

    ``threshold`` keeps a count a where a > u [reviews]; ``lookup`` maps each count 0..d through a
    table [related: DS2TA], which starts as ``table``, or as the threshold's table where that is None,
    and is trained if ``learn_table``. ``gradient`` says what flows back through a removed entry:
    nothing (``kept``, straight-through), or as if it had stayed (``all``) [ours].
    """

    kind: Literal[tuple(DENOISERS)] = "threshold"  # type: ignore[valid-type]  # pydantic reads the table
    u: float = Field(1.0, ge=0)
    table: tuple[float, ...] | None = None
    learn_table: bool = False
    gradient: Literal["kept", "all"] = "kept"

    @model_validator(mode="after")
    def _table_needs_lookup(self) -> Self:
        has_table = DENOISERS[self.kind].table is not None
        if not has_table and (self.table is not None or self.learn_table):
            kinds = " or ".join(f"kind={kind!r}" for kind, one in DENOISERS.items() if one.table)
            raise ValueError(
                f"table and learn_table belong to {kinds}, but kind={self.kind!r}; "
                f"choose {kinds} or leave them out"
            )
        return self
