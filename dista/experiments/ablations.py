"""Take parts of a trained model away, by name, and see what they were worth.

    with dista.ablations.ablated(model, ["memory"]):
        model(x)
    with dista.ablations.ablated(model, ["neuron-memory"], others):  # an input of other samples
        model(x)
    dista.experiments.evaluation.answers(model, task.test, ["memory", "u=3"], limit=300)

A switch is a name, with a value where it takes one: ``memory``, ``head=0.1``. ``SWITCHES`` lists them;
each is nothing but interventions on named modules, so that a model is never copied or changed. What each
takes away stands in its meaning; it takes away nothing else.
Switches that name the same part exclude each other. Blocks and heads count from 0, as in names.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dista.experiments.forgetting import membranes_of, past_of, without_carry_over
from dista.experiments.interventions import (
    Change,
    intervene,
    silence,
    tau,
    threshold,
    weaker,
    window,
    zero,
)

if TYPE_CHECKING:
    from torch import Tensor

    from dista.model import DISTA

Changes = dict[str, list[Change]]


class AblationError(ValueError):
    """A switch that does not exist, contradicts another, or has a value that the model has no place for."""


@dataclass(frozen=True)
class Switch:
    """Something that a trained model can be run ``with`` or ``without``.

    ``part`` is what it changes; ``read`` makes a value of its text (None: it takes none); ``changes``
    gives the interventions for a model and the value; where it is ``of_others``, the value is an input of
    other samples, whose memory is put in the place of the own one (``dista.experiments.forgetting``).
    """

    name: str
    word: Literal["with", "without"]
    part: str
    meaning: str
    changes: Callable[[DISTA, Any], Changes]
    read: Callable[[str], Any] | None = None
    of_others: bool = False


def _place(text: str) -> tuple[int, int]:
    block, head = text.split(".")
    return int(block), int(head)


def _denoiser(model: DISTA, u: float) -> Changes:
    return {"blocks.*.attention.denoise": [threshold(_at_least_0("u", u))]}


def _weaker(model: DISTA, u: float) -> Changes:
    return {"blocks.*.attention.denoise": [weaker(_at_least_0("weaker", u))]}


def _at_least_0(name: str, u: float) -> float:
    if not u >= 0:
        raise AblationError(f"{name}={u:g}; counts are never negative: expected at least 0")
    return u


def _window(model: DISTA, steps: int) -> Changes:
    return {"blocks.*.attention.*": [window(steps)]}


def _taus(model: DISTA, steps: float) -> Changes:
    return {"*.tau": [tau(steps)]}


def _starting_taus(model: DISTA, _: None) -> Changes:
    taus = model.card.get("starting_taus")
    if not taus:
        raise AblationError(
            "learned time constants cannot be taken away: the card of this checkpoint has not kept the time constants from before "
            "its training; set them by hand with interventions.tau"
        )
    return {f"{layer}.tau": [tau(values)] for layer, values in taus.items()}


def _head(model: DISTA, place: tuple[int, int]) -> Changes:
    block, head = place
    _within("block", block, model.config.depth)
    _within("head", head, model.config.heads)
    return {f"blocks.{block}.attention.denoise": [silence(head=head)]}


def _block_or_head(text: str) -> tuple[int, int | None]:
    block, dot, head = text.partition(".")
    return int(block), int(head) if dot else None


def _denoiser_of(model: DISTA, place: tuple[int, int | None]) -> Changes:
    block, head = place
    _within("block", block, model.config.depth)
    if head is not None:
        _within("head", head, model.config.heads)
    return {f"blocks.{block}.attention.denoise": [threshold(0, head=head)]}


def _starting_tau(model: DISTA, layer: str) -> Changes:
    taus = _starting_taus(model, None)
    if f"{layer}.tau" not in taus:
        raise AblationError(
            f"layer {layer!r}; the card has kept the time constants of "
            + ", ".join(name.removesuffix(".tau") for name in taus)
        )
    return {f"{layer}.tau": taus[f"{layer}.tau"]}


def _block(model: DISTA, block: int) -> Changes:
    _within("block", block, model.config.depth)
    return {f"blocks.{block}.attention": [zero()], f"blocks.{block}.mlp": [zero()]}


def _within(what: str, index: int, size: int) -> None:
    if not 0 <= index < size:
        raise AblationError(f"{what} {index}; this model has {what}s 0 to {size - 1}")


# In the order in which the changes apply: another threshold before what is silenced behind it.
SWITCHES = {
    switch.name: switch
    for switch in (
        Switch("denoiser", "without", "denoiser", "every coincidence of spikes counts, as with u = 0",
               lambda model, _: _denoiser(model, 0)),
        Switch("u", "with", "denoiser", "the denoiser keeps the counts above this u", _denoiser, float),
        Switch("weaker", "with", "denoiser",
               "every count is kept and made weaker, so that as much is left of a head's map as with this u",
               _weaker, float),
        Switch("denoiser-of", "without", "denoiser of {}",
               "every coincidence counts in this block, or in this head of it, as BLOCK.HEAD",
               _denoiser_of, _block_or_head),
        Switch("memory", "without", "memory", "attention sees the current step alone",
               lambda model, _: _window(model, 1)),
        Switch("window", "with", "memory", "attention sees this many steps, the current one included",
               _window, int),
        Switch("own-past", "without", "memory", "the past that attention reaches is another sample's",
               past_of, of_others=True),
        Switch("neuron-memory", "without", "neuron memory",
               "membranes carry over what another sample left, the current of a step is this one's",
               membranes_of, of_others=True),
        Switch("carry-over", "without", "neuron memory", "membranes begin every step at rest: h = x / tau",
               lambda model, _: {"*.membrane": [without_carry_over()]}),
        Switch("tau", "with", "taus", "every tau is this; 1 forgets at once, and multiplies currents by tau",
               _taus, float),
        Switch("learned-taus", "without", "taus", "every tau is what it was before training",
               _starting_taus),
        Switch("learned-tau-of", "without", "tau of {}",
               "every tau of this layer is what it was before training", _starting_tau, str),
        Switch("head", "without", "head {}", "this head of a block, as BLOCK.HEAD, is silent",
               _head, _place),
        Switch("block", "without", "block {}", "this block is silent and passes on what it was given",
               _block, int),
    )
}  # fmt: skip


def parse(text: str, word: str | None = None) -> tuple[Switch, Any]:
    """The switch and the value that ``text`` names; AblationError where it names none.

    ``word`` is how the switch was asked for, ``with`` or ``without``, where that was said.
    """
    name, equals, value = text.strip().partition("=")
    switch = SWITCHES.get(name)
    switches = [s for s in SWITCHES.values() if word in (None, s.word)]
    if switch not in switches:
        raise AblationError(
            f"nothing can be run {word or 'with or without'} {text!r}; there are "
            + ", ".join(s.name + ("=..." if s.read else "") for s in switches)
        )
    if bool(equals) != (switch.read is not None):
        expected = f"{name}=..." if switch.read else f"{name} alone"
        raise AblationError(f"{text!r} was given; expected {expected}: {switch.meaning}")
    try:
        return switch, switch.read(value) if switch.read else None
    except ValueError:
        raise AblationError(
            f"{text!r} was given, but {value!r} is not a value of {name}: {switch.meaning}"
        ) from None


def takes_others(switches: Sequence[str]) -> bool:
    """Whether ``switches`` put the memory of other samples in: ``ablated`` has to be given some then."""
    return any(parse(text)[0].of_others for text in switches)


def changes(switches: Sequence[str], model: DISTA, others: Tensor | None = None) -> Changes:
    """The interventions of ``switches`` together, for ``dista.intervene``.

    ``others`` is an input of other samples, one for each, or one for all. The model is run with it, with those
    of the ``switches`` that need none, where one puts in what it would have remembered of them. AblationError
    for an unknown switch, a bad value, two that change the same part, others that are needed and not given, or
    what the model's card would have to say and does not.
    """
    parsed: dict[str, tuple[str, Switch, Any]] = {}
    for text in dict.fromkeys(switches):
        switch, value = parse(text)
        part = switch.part.format(value)
        if part in parsed:
            raise AblationError(
                f"{parsed[part][0]} and {text} both change the same part, {part}; choose one"
            )
        parsed[part] = text, switch, value
    order = list(SWITCHES)
    together: Changes = {}
    in_order = sorted(parsed.values(), key=lambda entry: order.index(entry[1].name))
    for _, switch, value in (entry for entry in in_order if not entry[1].of_others):
        for pattern, interventions in switch.changes(model, value).items():
            together.setdefault(pattern, []).extend(interventions)
    lent: Changes = {}
    with intervene(model, together):  # others go through the network that this one then is
        for text, switch, _ in (entry for entry in in_order if entry[1].of_others):
            if others is None:
                raise AblationError(
                    f"{text} puts in what the network remembers of another sample; give others, an input of one "
                    "for each sample, or one for all (evaluation.answers takes them from the split)"
                )
            lent |= switch.changes(model, others)
    return together | lent


@contextlib.contextmanager
def ablated(model: DISTA, switches: Sequence[str], others: Tensor | None = None) -> Iterator[DISTA]:
    """Run ``model`` with ``switches`` inside a ``with`` block; none leave it as it is.

    ``others`` are the samples whose memory is put in, where a switch does that: see ``changes``.
    """
    with intervene(model, changes(switches, model, others)):
        yield model
