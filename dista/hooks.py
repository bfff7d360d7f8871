"""PyTorch forward hooks by dotted module name, in one block and for whoever entered it.

A hook that returns nothing sees, one that returns a tensor changes: ``dista.recording`` and
``dista.experiments.interventions`` are both made of these. What it ``promises`` (``dista.engine.modules``) keeps
the engine from standing aside for it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar

from torch import Tensor, nn

from dista.engine import modules

Hook = Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor | None]

_ENTERED: ContextVar[frozenset[object]] = ContextVar("hooks that act here", default=frozenset())


@contextlib.contextmanager
def hooks(model: nn.Module, by_name: Mapping[str, Hook]) -> Iterator[None]:
    """Forward hooks on modules by exact dotted name, removed on the way out whatever happens.

    They act in the context (``contextvars``) that entered the block: another thread, or another task,
    that runs the same model meanwhile is not touched. Compiled parts of the model run as they were written.
    """
    named, entered = modules.named(model), object()
    with contextlib.ExitStack() as stack:
        stack.enter_context(modules.as_written(model))
        for name, hook in by_name.items():
            stack.callback(named[name].register_forward_hook(_acting(entered, hook)).remove)
        _ENTERED.set(_ENTERED.get() | {entered})
        # not by the token of ``set``, which cannot be used where the block is left in another context
        stack.callback(lambda: _ENTERED.set(_ENTERED.get() - {entered}))
        yield


def _acting(entered: object, hook: Hook) -> Hook:
    """``hook`` where its block was entered, nothing elsewhere; a function, which a copied model shares."""

    def acts() -> bool:
        return entered in _ENTERED.get()

    def scoped(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        return hook(module, inputs, output) if acts() else None

    scoped.acts = acts  # type: ignore[attr-defined]  # for ``watched``, which asks a function for it
    return as_promised(scoped, hook)


def promising(hook: Hook, *promises: str) -> Hook:
    """``hook``, which says of itself what the engine may rely on: words of ``dista.engine.modules``."""
    hook.promises = promises  # type: ignore[attr-defined]  # a function's own
    return hook


def as_promised(hook: Hook, by: object) -> Hook:
    """``hook``, which relies on ``by`` and keeps what that promises."""
    hook.begins = getattr(by, "begins", None)  # type: ignore[attr-defined]  # a function's own
    return promising(hook, *getattr(by, "promises", ()))
