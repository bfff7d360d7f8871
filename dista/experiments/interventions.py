"""Change what a model does while it runs, by the same dotted names that are recorded.

    with dista.intervene(model, {"blocks.*.attention.denoise": threshold(3)}):
        model(x)

Each function here returns a change: something ``intervene`` attaches to a module as a forward hook.
Given a glob, a change applies to those matching modules that it can apply to.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dista.engine.modules import SPIKES, UNIFORM, named
from dista.hooks import Hook, as_promised, hooks
from dista.recording import RecordingError, matching


@contextlib.contextmanager
def intervene(
    model: nn.Module, changes: Mapping[str, Hook | Tensor | Sequence[Hook]]
) -> Iterator[nn.Module]:
    """Change what named modules return, inside a ``with`` block.

    ``changes`` maps a dotted name or glob to a tensor, which replaces the output, or to a function of
    (module, inputs, output) that returns the new one, or None to leave it; ``dista.interventions``
    has common ones. A list gives several changes to the same modules; changes apply in the order given.
    They act in the thread (or asyncio task) that entered the block, and nowhere else: threads that share
    a model do not see each other's changes, and one that is started inside the block has none. A compiled
    model runs as it was written meanwhile.

    Raises RecordingError, naming the nearest names, where a pattern matches nothing, and ValueError
    where a new output has another shape.
    """
    modules = {name: module for name, module in named(model).items() if name}
    with contextlib.ExitStack() as stack:
        for pattern, change in _each(changes):
            targets = _targets(modules, pattern, change)
            stack.enter_context(hooks(model, {name: _replacing(name, change) for name in targets}))
        yield model


def changed(model: nn.Module, changes: Mapping[str, Hook | Tensor | Sequence[Hook]]) -> list[str]:
    """The dotted names of the modules that ``intervene`` would change; RecordingError as there."""
    modules = {name: module for name, module in named(model).items() if name}
    return [name for entry in _each(changes) for name in _targets(modules, *entry)]


def _each(
    changes: Mapping[str, Hook | Tensor | Sequence[Hook]],
) -> Iterator[tuple[str, Hook | Tensor]]:
    """Every single change with its pattern, in the order given."""
    for pattern, several in changes.items():
        if isinstance(several, Tensor) or callable(several):
            yield pattern, several
        else:
            yield from ((pattern, change) for change in several)


def _targets(modules: dict[str, nn.Module], pattern: str, change: Hook | Tensor) -> list[str]:
    """The modules that match and that the change can apply to; an error where there are none."""
    matched = matching(pattern, list(modules))
    applies = getattr(change, "applies_to", lambda module: True)
    targets = [name for name in matched if applies(modules[name])]
    if not targets:
        raise RecordingError(
            f"{change!r} does not apply to {pattern!r} ({', '.join(matched[:3])}); "
            f"it needs {getattr(change, 'needs', 'another module')}"
        )
    return targets


def _replacing(name: str, change: Hook | Tensor) -> Hook:
    def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        new = change if isinstance(change, Tensor) else change(module, inputs, output)
        if new is None:
            return None
        if new.shape != output.shape:
            raise ValueError(
                f"the intervention on {name!r} returned shape {tuple(new.shape)}; "
                f"expected {tuple(output.shape)}"
            )
        return new.to(output.dtype)

    return as_promised(hook, change)


def _axes(module: nn.Module) -> tuple[str, ...]:
    observed = getattr(module, "observables", {}).get("")
    return observed.axes if observed else ()


@dataclass(frozen=True)
class Change:
    """A hook with a description, the condition that a module must meet to take it, and what the engine may rely on.

    ``promises`` are words of ``dista.engine.modules``. Membranes that are charged as ever, but begin each step as
    ``begins(module, x)`` says for a current x, (time, batch, ...) as that is, need no hook in the engine either.
    """

    description: str
    apply: Hook
    applies_to: Callable[[nn.Module], bool]
    needs: str
    promises: tuple[str, ...] = ()
    begins: Callable[[Any, Tensor], Tensor] | None = None

    def __call__(
        self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor
    ) -> Tensor | None:
        return self.apply(module, inputs, output)

    def __repr__(self) -> str:
        return self.description


def _on_axis(axis: str, description: str, apply: Hook, *promises: str) -> Change:
    has_axis = lambda module: axis in _axes(module)  # noqa: E731
    return Change(description, apply, has_axis, f"a module with the axis {axis!r}", promises)


def _of_denoiser(description: str, apply: Hook, *promises: str) -> Change:
    needs = "a denoiser (blocks.*.attention.denoise)"
    return Change(description, apply, _is_denoiser, needs, promises)


def _is_denoiser(module: nn.Module) -> bool:
    return type(module).__name__ == "Denoise"


def threshold(u: float, *, head: int | None = None) -> Change:
    """Another threshold for the denoiser: keep counts above ``u``; 0 keeps everything.

    Of one ``head`` alone, where it is given; IndexError where the layer has no such head.
    """
    from dista.denoisers import threshold as keep_above

    def apply(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        if head is None:
            return keep_above(inputs[0], u)
        axis, one = _axes(module).index("head"), torch.tensor([head], device=output.device)
        return output.index_copy(axis, one, keep_above(inputs[0].index_select(axis, one), u))

    of_head = "" if head is None else f", head={head}"
    return _of_denoiser(f"threshold({u}{of_head})", apply, UNIFORM)


def weaker(u: float) -> Change:
    """Every count kept and made weaker, so that as much is left of a map as if those up to ``u`` were removed [ours].

    The control for a threshold, which takes away counts and strength at once: a network that minds ``threshold(u)``
    and not this one misses those counts. Each head has one factor in each sample, for all pairs of steps that
    are there: its whole map has the sum that ``threshold(u)`` leaves.
    """
    from dista.denoisers import threshold as keep_above

    def apply(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        counts = inputs[0]
        total, left = (a.sum((0, -2, -1), keepdim=True) for a in (counts, keep_above(counts, u)))
        return counts * (left / total.clamp(min=1))

    return _of_denoiser(f"weaker({u})", apply)


def lookup(table: Sequence[float]) -> Change:
    """Another table for the denoiser: a count a becomes ``table[a]``; counts off the table take its nearest end.

    ValueError for an empty table, or values that are not finite.
    """
    from dista.denoisers import lookup as look_up

    values = torch.tensor(list(table), dtype=torch.float32)
    if not len(values) or not values.isfinite().all():
        raise ValueError(f"table={list(table)}; expected finite numbers, one for each count from 0")

    def apply(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return look_up(inputs[0], values.to(inputs[0]))

    return _of_denoiser(f"lookup({len(values)} values)", apply, UNIFORM)


def tau(steps: float | Sequence[float]) -> Change:
    """Another time constant, at least 1 step; several are those of the channels of a layer, one each.

    tau = 1 forgets everything between two steps. The input enters with the weight 1/tau, so that another tau is
    another gain as well: see ``dista.experiments.forgetting`` for cuts of memory alone.
    """
    each = [steps] if isinstance(steps, (int, float)) else list(steps)
    if not all(one >= 1 for one in each):
        raise ValueError(f"tau={steps}; expected at least 1 step, where 1 forgets at once")

    def apply(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        if len(each) not in (1, output.numel()):
            raise ValueError(
                f"{len(each)} taus for a layer that has {output.numel()}; give one, or as many"
            )
        values = output.new_tensor(each)
        return values.expand(output.numel()).reshape(output.shape)

    return _on_axis("group", f"tau({steps})", apply)


def tau_times(factor: float) -> Change:
    """Every time constant ``factor`` times as long, and at least 1 step, so that layers stay apart.

    As with ``tau``, the gain changes with it. ValueError for a factor that is not above 0.
    """
    if not factor > 0:
        raise ValueError(f"factor={factor}; expected a number above 0, where 1 leaves tau as it is")

    def apply(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return (factor * output).clamp(min=1)

    return _on_axis("group", f"tau_times({factor})", apply)


def transplant(model: nn.Module, donor: nn.Module) -> dict[str, Change]:
    """The time constants of ``donor`` for every layer that ``model`` has as well, for ``intervene``.

    Where the donor's channels have taus of their own, a layer gets their mean. ValueError where the
    two share no layer.
    """
    names = {name for name, module in named(model).items() if "group" in _axes(module)}
    taus = {
        name: tau(module().mean().item())
        for name, module in named(donor).items()
        if name in names and "group" in _axes(module)
    }
    if not taus:
        raise ValueError("the donor has no layer of neurons that the model has as well")
    return taus


def window(steps: int) -> Change:
    """Cut the memory: nothing ``steps`` or more back is reached, in whatever form the memory is.

    Attach it to ``blocks.*.attention.*``: it zeroes the lags of the projections, or the blocks of
    the denoised map, that lie beyond. The normalisation by reachable steps stays that of training.
    """
    if steps < 1:
        raise ValueError(f"window={steps}; expected at least 1, the current step alone")

    def apply(module: Any, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        if hasattr(module, "lag"):
            return output if module.lag < steps else torch.zeros_like(output)
        pairs = module.observables[""].coords(module, output)
        visible = [q - k < steps for q, k in zip(pairs["query_time"][1], pairs["key_time"][1])]
        return output * torch.tensor(visible, device=output.device)[:, None, None, None, None]

    reaches_back = lambda module: hasattr(module, "lag") or "pair" in _axes(module)  # noqa: E731
    return Change(f"window({steps})", apply, reaches_back, "an attention's lags or map", (UNIFORM,))


def silence(*, head: int | Sequence[int]) -> Change:
    """Silence heads: their denoised maps, or what they read, become 0."""
    heads = [head] if isinstance(head, int) else list(head)

    def apply(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        axis = _axes(module).index("head")
        if not all(0 <= h < output.shape[axis] for h in heads):
            raise ValueError(f"head={heads}; this layer has heads 0 to {output.shape[axis] - 1}")
        return output.index_fill(axis, torch.tensor(heads, device=output.device), 0)

    return _on_axis("head", f"silence(head={heads})", apply, UNIFORM)


def zero(mask: Tensor | None = None) -> Change:
    """Zero the chosen entries: those where ``mask``, broadcast to the output, is true; all without one."""

    def apply(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        return (
            torch.zeros_like(output)
            if mask is None
            else output.masked_fill(mask.to(output.device), 0)
        )

    promises = (SPIKES, UNIFORM) if mask is None else (SPIKES,)
    return Change("zero(...)", apply, lambda module: True, "any module", promises)


def noise(std: float, *, seed: int = 0) -> Change:
    """Add Gaussian noise of the given standard deviation, the same for the same seed."""
    if std < 0:
        raise ValueError(f"std={std}; expected a standard deviation of at least 0")

    def apply(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        return output + std * torch.randn(output.shape, generator=generator).to(output)

    return Change(f"noise({std})", apply, lambda module: True, "any module")
