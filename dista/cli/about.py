"""Commands about the package itself: what there is to train, what it runs on, how fast it is."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from dista.cli.common import Json, show
from dista.extras import need


def list_presets(as_json: Json = False) -> None:
    """List the model presets; with them, the recipes and the tasks."""
    from dista.data import names
    from dista.presets import presets
    from dista.recipes import recipes

    rows = {
        name: {
            "input": c.input_shape, "depth-dim-heads": f"{c.depth}-{c.dim}-{c.heads}", "T": c.time_steps,
            "memory": c.memory.form, "W": c.memory.window, "denoiser": c.denoiser.kind,
        }
        for name, c in presets().items()
    }  # fmt: skip
    if as_json:
        show(rows, True)
        return
    for name, row in rows.items():
        print(f"{name:20}", "  ".join(f"{key} {value}" for key, value in row.items()))
    print("\nrecipes:", ", ".join(recipes()))
    print("tasks:  ", ", ".join(names()))


def info(as_json: Json = False) -> None:
    """Say what this installation computes with: versions, machine, kernels and why."""
    from dista.bench.machine import info as describe

    facts = describe()
    if as_json:
        show(facts, True)
        return
    for name, value in facts.items():
        rows = value.items() if isinstance(value, dict) else [("", value)]
        for part, said in rows:
            print(f"{name:10} {part:24} {said}")


def bench(
    case: Annotated[
        list[str] | None, typer.Option(help="small, cifar or dvs; repeatable [default: all].")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Interleaved rounds; medians count.")] = 7,
    memory: Annotated[bool, typer.Option(help="Measure peak memory too.")] = True,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.")] = None,
    as_json: Json = False,
) -> None:
    """Measure speed and memory beside spikingjelly's Spikformer of the same shape."""
    need("spikingjelly", "dista bench", "bench")
    import torch

    from dista.bench import CASES, run, tables

    if threads:
        torch.set_num_threads(threads)
    live = sys.stderr.isatty()

    def tick(what: str) -> None:
        if live:
            print(f"\r\033[K{what} ...", end="", file=sys.stderr, flush=True)

    result = run(case or tuple(CASES), rounds=rounds, memory=memory, tick=tick)
    tick("done")
    print(json.dumps(result) if as_json else tables(result))
