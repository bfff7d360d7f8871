"""What the network carries from one step to the next, so that a live event camera can be followed.

    state = model.start()
    for frame in camera:                       # (batch, channel, row, column)
        logits, state = model.step(frame, state)

gives the logits of every step that ``model.steps`` gives for the whole sequence: it is the same forward, on
a sequence of one step that goes on from a state. Time and memory of a step do not depend on how many came
before: an operation that reaches back keeps what a later step can reach, and nothing else. These are the
membrane potentials v of every layer and, for attention with a memory, the last W - 1 inputs (projection),
currents (attenuated) or keys and values (map). A state is never changed, so that one moment can be
continued in several ways.

The state is not handed from module to module, but lies beside them while a step runs: a module takes and
returns what the equations say, and hooks see the same in a stream as in a sequence. It is a context
variable, so that streams of one model in several threads do not meet.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

_RUNNING: ContextVar[Stream | None] = ContextVar("stream", default=None)


@dataclass(frozen=True)
class State:
    """What a network remembers after ``steps`` steps: tensors of the past by dotted module name."""

    steps: int = 0
    batch: int | None = None
    past: Mapping[str, tuple[Tensor, ...]] = field(default_factory=dict, repr=False)
    names: Mapping[nn.Module, str] = field(default_factory=dict, repr=False, compare=False)
    """The modules of the model that took the steps: looking them up at each would take longer than some layers."""

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors; constant once the window of the memory is full."""
        return sum(tensor.nbytes for tensors in self.past.values() for tensor in tensors)


class Stream:
    """A step that is under way: the state before it is read, that after it is written."""

    def __init__(self, model: nn.Module, before: State) -> None:
        self.before = before
        self.names = before.names if model in before.names else _names(model)
        self.after: dict[str, tuple[Tensor, ...]] = {}

    def state(self, batch: int) -> State:
        """The state after the step."""
        return State(self.before.steps + 1, batch, self.after, self.names)


def _names(model: nn.Module) -> dict[nn.Module, str]:
    return {module: name for name, module in model.named_modules()}


@contextlib.contextmanager
def going_on(model: nn.Module, state: State) -> Iterator[Stream]:
    """Inside, ``model`` goes on from ``state``, with inputs of one step."""
    stream = Stream(model, state)
    token = _RUNNING.set(stream)
    try:
        yield stream
    finally:
        _RUNNING.reset(token)


def each(model: nn.Module, frames: Iterable[Sized], forward: Callable[[Any], object]) -> State:
    """Call ``forward`` with one frame after another, ``model`` going on each time from where the one before left it.

    For those who run a part of the network, or run it otherwise than ``model.step``; a frame's length is its batch.
    Returns the state after the last.
    """
    state = State()
    for frame in frames:
        with going_on(model, state) as stream:
            forward(frame)
        state = stream.state(len(frame))
    return state


def running() -> bool:
    """Whether a step of a stream is computed; otherwise it is a whole sequence, which has no past."""
    return _RUNNING.get() is not None


def steps_before() -> int:
    """Steps of the stream before the one that is computed; 0 for a whole sequence."""
    stream = _RUNNING.get()
    return 0 if stream is None else stream.before.steps


def recall(module: nn.Module) -> tuple[Tensor, ...]:
    """What ``module`` remembered at the step before; nothing at the first step."""
    stream = _RUNNING.get()
    return () if stream is None else stream.before.past.get(stream.names[module], ())


def remember(module: nn.Module, *tensors: Tensor) -> None:
    """Keep ``tensors`` until the next step."""
    stream = _RUNNING.get()
    if stream is not None:
        stream.after[stream.names[module]] = tensors


def steps_with_past(module: nn.Module, x: Tensor, reach: int) -> tuple[Tensor, ...]:
    """Of a stream the steps (1, ...) before ``x`` of which ``module`` can reach ``reach``, and x; of a sequence x alone.

    The steps are kept as they came: Q, K and V, which look back at the same input, share its memory.
    """
    if not running() or not reach:
        return (x,)
    steps = (*recall(module), x)
    remember(module, *steps[-reach:])
    return steps


def with_past(module: nn.Module, x: Tensor, reach: int) -> Tensor:
    """The same in one, (time, ...)."""
    steps = steps_with_past(module, x, reach)
    return torch.cat(steps) if len(steps) > 1 else x
