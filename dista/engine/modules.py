"""Modules by their dotted names, which stay the same where ``torch.compile`` has wrapped one, and who listens.

A compiled module holds the one that it was made from under ``_orig_mod``, and shows that word in every name
below it. Names here are those of the model as it was written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as of_all

WRAPPED = "_orig_mod"

_OWN = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

LOOKS, SPIKES, UNIFORM = "looks", "spikes", "uniform"
"""What a forward hook may promise in its attribute ``promises``, so that the engine need not stand aside for it.

    LOOKS    it looks at the output alone, in whatever type that is, and leaves it as it is
    SPIKES   it looks at the output alone, in whatever type that is, and leaves there what spikes can be:
             0, or what there was
    UNIFORM  it makes of a value the same at every step, place and sample; how much of it depends on the head
             alone, and from which lag on there is nothing
"""


def original(model: nn.Module) -> nn.Module:
    """The model that was given to ``torch.compile``; ``model`` itself where it was not."""
    return getattr(model, WRAPPED, model)


def named(model: nn.Module) -> dict[str, nn.Module]:
    """Every module by its name in the model as it was written; "" is the model."""
    return {plain(name): module for name, module in model.named_modules()}


def plain(name: str) -> str:
    """A name of a module, parameter or buffer without what ``torch.compile`` puts in."""
    return ".".join(part for part in name.split(".") if part != WRAPPED)


def inside(model: nn.Module) -> list[nn.Module]:
    """``list(model.modules())`` in a third of its time: a step of a stream asks for it more than once."""
    every: dict[nn.Module, None] = {}
    waiting: list[nn.Module | None] = [model]
    while waiting:
        module = waiting.pop()
        if module is not None and module not in every:
            every[module] = None
            waiting.extend(reversed(module._modules.values()))
    return list(every)


def device_of(model: nn.Module) -> torch.device:
    """Where the model computes: its input has to be there."""
    return next((one.device for one in model.parameters()), torch.device("cpu"))


def need_evaluation(model: nn.Module, what: str) -> None:
    """ValueError before ``what`` for a model in training mode, whose batch normalisation learns from what it sees."""
    if model.training:
        raise ValueError(f"the model is in training mode; call model.eval() before {what}")


@contextlib.contextmanager
def as_written(model: nn.Module) -> Iterator[None]:
    """Run without compilation inside a ``with`` block, where a part of ``model`` is compiled.

    Compiled code is not asked again whether a hook has come or gone: it would show or do something else
    than what was asked for.
    """
    compiled = any(
        WRAPPED in module._modules or module._compiled_call_impl is not None
        for module in model.modules()
    )
    with torch.compiler.set_stance("force_eager") if compiled else contextlib.nullcontext():
        yield


def watched(modules: Iterable[nn.Module]) -> bool:
    """Whether a hook listens to one of ``modules``, or to all modules: they must then be called.

    Hooks of either direction do, and so does a ``forward`` that somebody has put over a module's own. A hook
    that says of itself that it does not act here (in another thread, say) does not count.
    """
    every = (
        of_all._global_forward_hooks, of_all._global_forward_pre_hooks,
        of_all._global_backward_hooks, of_all._global_backward_pre_hooks,
    )  # fmt: skip
    return any(map(_listens, every)) or any(map(_is_watched, modules))


def _is_watched(module: nn.Module) -> bool:
    own = vars(module)  # a model has hundreds of modules, and is asked at every step of a stream
    hooks = [own[kind] for kind in _OWN if own[kind]]
    return "forward" in own or any(map(_listens, hooks))


def _listens(hooks: Mapping[int, Callable[..., Any]]) -> bool:
    # over a copy, as another thread may take its hooks away meanwhile
    return bool(hooks) and any(_acts(hook) for hook in tuple(hooks.values()))


def _acts(hook: Callable[..., Any]) -> bool:
    acts = getattr(hook, "acts", None)
    return acts is None or acts()


def promised(module: nn.Module, promise: str) -> bool:
    """Whether all who listen to ``module`` are forward hooks with this promise; true where nobody listens.

    The first of them may say how membranes begin instead.
    """
    others = (module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks)
    if any(map(_listens, others)) or "forward" in vars(module):
        return False
    hooks = _acting(module)[begins(module) is not None :]
    return all(promise in getattr(hook, "promises", ()) for hook in hooks)


def begins(module: nn.Module) -> Callable[[nn.Module, Tensor], Tensor] | None:
    """What membranes are before each step, for a current: as the first who listens to ``module`` says, if it does."""
    return next((getattr(hook, "begins", None) for hook in _acting(module)), None)


def shown(module: nn.Module, output: Tensor) -> Tensor:
    """What forward hooks make of an ``output`` that ``module`` did not compute; they have promised not to ask for more."""
    for hook in _acting(module)[begins(module) is not None :]:
        changed = hook(module, (), output)
        output = output if changed is None else changed
    return output


def _acting(module: nn.Module) -> list[Callable[..., Any]]:
    return [hook for hook in tuple(module._forward_hooks.values()) if _acts(hook)]
