"""All measurements as one dictionary, which is also the JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from dista.bench import machine, neuron, recording, scaling, spikes
from dista.bench.cases import CASES, IMPLEMENTATIONS, PEER, Case, evaluated, firing_rate
from dista.bench.memory import peak
from dista.bench.timing import forward, interleaved, training_step
from dista.engine.allocator import keep_freed_memory

BF16 = "space-time, bf16"
SHIPPED = ("digits", "match-map", "match-projection")
"""Checkpoints that are measured on real samples: those whose data comes along."""

_STEP = "dista.bench.timing:case_step"


def run(
    cases: Sequence[str] = tuple(CASES),
    *,
    rounds: int = 7,
    memory: bool = True,
    tick: Callable[[str], None] = lambda _: None,
) -> dict:
    """Measure; keys ``machine``, ``peaks``, ``models``, ``recording``, ``spikes``, ``neuron`` and ``attention``.

    ``tick`` is told, now and then, what is measured. KeyError for an unknown case. A ratio above 1
    means faster, or less memory, than spikingjelly.
    """
    for name in cases:
        if name not in CASES:
            raise KeyError(f"no benchmark case {name!r}; there are {', '.join(CASES)}")
    threads = torch.get_num_threads()
    keep_freed_memory()  # for all implementations alike; the processes that measure memory do not
    tick("peaks of this machine")
    peaks = machine.peaks()
    return {
        "machine": machine.info(),
        "peaks": peaks,
        "models": [row for name in cases for row in _case(name, rounds, memory, peaks, tick)],
        "recording": [row for name in cases for row in _recording(name, rounds, tick)],
        "spikes": _spikes(rounds, tick),
        "neuron": _neuron(rounds, tick),
        "attention": _attention(rounds, threads, memory, tick),
    }


def _case(name: str, rounds: int, memory: bool, peaks: dict, tick) -> list[dict]:
    case, seconds = CASES[name], {}
    models: dict[str, Any] = {n: evaluated(n, case) for n in IMPLEMENTATIONS}
    for mode, actions in _modes(case, models).items():
        tick(f"{case.name}: {mode}")
        seconds[mode] = interleaved(actions, rounds)
    rates = {n: firing_rate(m, case.input()[0]) for n, m in models.items() if n != PEER}
    sizes = {
        n: peak(_STEP, name, n, threads=torch.get_num_threads()) if memory else None
        for n in IMPLEMENTATIONS
    }
    return [
        {
            "case": name,
            "shape": case.name,
            "batch": case.batch,
            "implementation": implementation,
            **{mode: values[implementation] for mode, values in seconds.items()},
            **{f"{mode} ratio": v[PEER] / v[implementation] for mode, v in seconds.items()},
            "rate": rates.get(implementation),
            "modules": (modules := seconds["forward"].get(_by_modules(implementation))),
            "modules ratio": _ratio(modules, seconds["forward"][implementation]),
            "bytes": sizes.get(implementation),
            "memory ratio": _ratio(sizes.get(PEER), sizes.get(implementation)),
            "of peak": _of_peak(case, implementation, seconds["forward"], peaks),
        }
        for implementation in seconds["training"]
    ]


def _by_modules(implementation: str) -> str:
    """What is timed beside a forward that follows spikes: the same by the model's modules."""
    return f"{implementation}, by modules"


def _modes(case: Case, models: Mapping[str, Any]) -> dict[str, dict[str, Callable[[], None]]]:
    """Actions by mode and implementation; ``models`` are evaluated, training has models of its own."""
    x, y = case.input()

    def built(action, model, *arguments):
        acts = {name: action(model(name), *arguments) for name in IMPLEMENTATIONS}
        return acts | {BF16: action(model("space-time"), *arguments, torch.bfloat16)}

    by_modules = {
        _by_modules(name): spikes.ways(model, x)["modules"]
        for name, model in models.items()
        if name != PEER
    }
    return {
        "forward": built(forward, models.__getitem__, x) | by_modules,
        "training": built(training_step, lambda name: IMPLEMENTATIONS[name](case), x, y),
    }


def _ratio(peer: float | None, own: float | None) -> float | None:
    return peer / own if peer and own else None


def _of_peak(case: Case, name: str, seconds: dict, peaks: dict) -> float | None:
    """Which part of the machine's convolution rate the forward reaches; for float32 and our models."""
    if name not in IMPLEMENTATIONS:
        return None
    work = machine.operations(IMPLEMENTATIONS[name](case), case.input()[0])
    return work / seconds[name] / peaks["convolution"]


def _recording(name: str, rounds: int, tick) -> list[dict]:
    tick(f"{CASES[name].name}: recording")
    return recording.measure(CASES[name], rounds)


def _spikes(rounds: int, tick) -> dict:
    tick("shipped checkpoints, driven by spikes")
    return spikes.measure(SHIPPED, rounds)


def _neuron(rounds: int, tick) -> list[dict]:
    tick("neurons")
    seconds = interleaved(neuron.actions(), max(rounds, 15))
    rows = []
    for name in neuron.LAYERS:
        row = {"library": name}
        for mode in ("forward", "backward"):
            own = seconds.get(f"{name}, {mode}")
            row |= {mode: own, f"{mode} ratio": _ratio(seconds[f"{neuron.PEER}, {mode}"], own)}
        rows.append(row)
    return rows


def _attention(rounds: int, threads: int, memory: bool, tick) -> list[dict]:
    tick("attention against T and N")
    return scaling.exponents(rounds, threads, memory)
