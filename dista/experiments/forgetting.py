"""Take away what a network remembers, and nothing else [ours].

    others = task.test.batch(elsewhere)[0]                # another sample for each one of x
    changes = forgetting.membranes_of(model, others) | forgetting.past_of(model, others)
    with dista.intervene(model, changes):
        model(x)

The network runs twice. First as it is, with the ``others``: what it would remember of them is kept, the
membranes after each step or the past of its attention. Then with ``x``, where at each step t

    neurons               h[t] = charge(v'[t-1], x[t])       v' the membranes of the other sample
    projections           I[t] = W^(0) X[t] + sum_{l>0} W^(l) X'[t-l]
    attention in the map  A[t,m] = Q[t] K'[m]^T, read with V'[m], for m < t; K[t] and V[t] for m = t

So what comes in now is this sample's, with the weight that it was trained with, and what was remembered is
another's, step for step of one run: everything that memories have in common (their size, their spread, how often
neurons fire) stays, what they say of this sample is gone. Two passes, as in one pass over a batch whose membranes
change hands at every step a membrane would be made of pieces of as many samples as it is steps old, which no
membrane of the trained network is.

``without_carry_over`` needs no other sample: h[t] = v_reset + x[t] / tau, the current of this step alone at the
gain of training. Membranes are then emptier than any that the network was trained with. tau = 1, beside it,
multiplies the current by tau as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from dista.attention import Lag, Read, Scores, causal_pairs
from dista.engine.modules import LOOKS, named
from dista.experiments.interventions import Change
from dista.hooks import Hook, as_promised, hooks, promising
from dista.neurons import Membrane, at_rest, charge

if TYPE_CHECKING:
    from dista.model import DISTA

Changes = dict[str, list[Change]]


def another(samples: int, seed: int = 0) -> list[int]:
    """For each of ``samples`` another one: a rotation by a number of places that follows from ``seed``.

    No sample is its own, and each has the same other whatever batch it is run in. ValueError for fewer than two.
    """
    if samples < 2:
        raise ValueError(f"{samples} sample; expected at least 2, so that there is another one")
    generator = torch.Generator().manual_seed(seed)
    places = int(torch.randint(1, samples, (), generator=generator))
    return [(sample + places) % samples for sample in range(samples)]


def membranes_of(model: DISTA, others: Tensor) -> Changes:
    """Changes that give every membrane of ``model`` what it would have kept of ``others``.

    ``others`` is an input like the one that is run then, or a single sample, which all get.
    """

    def left(module: Any, _: tuple[Tensor, ...], h: Tensor) -> Tensor:
        return module.after_reset(h)

    promising(left, LOOKS)
    (membranes,) = _outputs(model, others, {Membrane: left})
    return {name: [_membrane_of(after)] for name, after in membranes.items()}


def past_of(model: DISTA, others: Tensor) -> Changes:
    """Changes that give the attention of ``model`` the past of ``others``, in whatever form its memory is.

    ``others`` is as in ``membranes_of``. Empty where attention has no memory.
    """

    def second(module: Any, inputs: tuple[Tensor, ...], _: Tensor) -> Tensor | None:
        return inputs[1] if module.window > 1 else None

    def lagging(module: Any, _: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        return output if module.lag else None

    reads = {Lag: lagging, Scores: second, Read: second}
    lags, keys, values = _outputs(model, others, reads)
    return (
        {name: [_current_of(current)] for name, current in lags.items()}
        | {name: [_keys_of(k)] for name, k in keys.items()}
        | {name: [_values_of(v)] for name, v in values.items()}
    )


def without_carry_over() -> Change:
    """Membranes that begin each step at rest: h[t] = v_reset + x[t] / tau. Attach it to ``*.membrane``."""

    return _begun("without_carry_over()", lambda module, x: at_rest(x, module.v_reset).expand_as(x))


# What another sample left -------------------------------------------------------------------------


def _outputs(
    model: DISTA, x: Tensor, reads: Mapping[type[nn.Module], Hook]
) -> list[dict[str, Tensor]]:
    """What one run of ``model`` leaves: for each kind of module what is read of it, by name; None is left out."""
    outputs: dict[type[nn.Module], dict[str, Tensor]] = {kind: {} for kind in reads}

    def keeping(kind: type[nn.Module], name: str) -> Hook:
        def keep(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            value = reads[kind](module, inputs, output)
            if value is not None:
                outputs[kind][name] = value

        return as_promised(keep, reads[kind])

    modules = named(model).items()
    keepers = {n: keeping(kind, n) for kind in reads for n, m in modules if isinstance(m, kind)}
    with torch.no_grad(), hooks(model, keepers):
        model.steps(x)
    return list(outputs.values())


def _membrane_of(after: Tensor) -> Change:
    """``after`` (time, batch, ...) are the membranes after each step of another run."""

    def begins(module: Any, x: Tensor) -> Tensor:
        _check(after, x)
        before = torch.cat([at_rest(after, module.v_reset)[None], after[:-1]])
        return before.to(x).expand_as(x)

    return _begun("membranes of another sample", begins)


def _begun(description: str, begins: Callable[[Any, Tensor], Tensor]) -> Change:
    """Membranes that begin each step as ``begins(module, x)`` says, and are charged with x as ever."""

    def apply(module: Any, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        x, tau = inputs
        return charge(begins(module, x), x, tau, module.v_reset)

    change = _on(Membrane, description, apply, "membranes")
    return replace(change, begins=begins)


def _current_of(current: Tensor) -> Change:
    def apply(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        _check(current, output)
        return current.to(output).expand_as(output)

    return _on(Lag, "lags of another sample", apply, "the lags of a projection")


def _keys_of(past: Tensor) -> Change:
    """Scores of this sample's queries: with its own keys within a step, with those of ``past`` before it."""

    def apply(module: Any, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        q, k = inputs
        _check(past, k)
        t, m, now = _pairs(len(q), module.window, q.device)
        return torch.where(now, output, q[t] @ past.to(k)[m].mT)

    return _on(Scores, "keys of another sample", apply, "the scores of an attention")


def _values_of(past: Tensor) -> Change:
    """What is read from this sample's values within a step, and from those of ``past`` before it."""

    def apply(module: Any, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        a, v = inputs
        _check(past, v)
        t, m, now = _pairs(len(v), module.window, v.device)
        products = a @ torch.where(now, v[m], past.to(v)[m])
        summed = torch.zeros_like(output).index_add(0, t, products)
        reachable = torch.bincount(t).to(output.dtype)
        return module.scale * summed / reachable[:, None, None, None, None]

    return _on(Read, "values of another sample", apply, "what an attention reads")


def _pairs(steps: int, window: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Query step, key step, and whether they are the same one, to be broadcast over a map."""
    t, m = (torch.tensor(p, device=device) for p in causal_pairs(steps, window))
    return t, m, (t == m)[:, None, None, None, None]


def _check(others: Tensor, here: Tensor) -> None:
    """ValueError where what another run left does not fit: its steps and samples come first, both times."""
    steps, samples = others.shape[:2]
    if steps != len(here) or samples not in (1, here.shape[1]):
        raise ValueError(
            f"the others were {samples} samples of {steps} steps, the input has {here.shape[1]} of {len(here)}; "
            "give one other sample for each, or a single one for all, with as many steps"
        )


def _on(kind: type[nn.Module], description: str, apply: Hook, needs: str) -> Change:
    return Change(description, apply, lambda module: isinstance(module, kind), needs)
