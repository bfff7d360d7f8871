"""Commands about the package itself: what there is to train, what it runs on, how fast it is."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from dista.cli.answers import show
from dista.cli.options import Folder, Json
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


def compile_loops() -> None:
    """Compile the loops that models are run with; otherwise their first use does, which takes half a minute."""
    from dista.bench.loops import compile_loops as compile_all
    from dista.engine import events

    if not events.available():
        print(f"there is nothing to compile: models are run {events.implementation()}")
        return
    began = time.monotonic()
    compiled = compile_all()
    took = f", {time.monotonic() - began:.0f} s" if compiled else ""
    print(f"loops compiled now: {len(compiled)}{took}; all others were there")


def _bench_gpu(
    device: str, minutes: float, rounds: int, out: Path, data_dir: Path | None, as_json: bool
) -> None:
    """Every part is printed as soon as it is known, as the machine may be gone before the end."""
    from dista.bench.gpu import run
    from dista.bench.gpu_tables import tables

    def tick(what: str) -> None:
        print(what, file=sys.stderr, flush=True)

    result = run(device, minutes=minutes, rounds=rounds, folder=out, data_dir=data_dir, tick=tick)
    print(json.dumps(result) if as_json else tables(result))


def bench(
    case: Annotated[
        list[str] | None, typer.Option(help="small, cifar or dvs; repeatable; by default all.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Interleaved rounds; medians count.")] = 7,
    memory: Annotated[bool, typer.Option(help="Measure peak memory too.")] = True,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads.")] = None,
    device: Annotated[
        str, typer.Option(help="cuda: exactness, speed and a training on a GPU instead.")
    ] = "cpu",
    minutes: Annotated[
        float, typer.Option(help="All of it on a GPU; training takes what is left.")
    ] = 10.0,
    out: Annotated[
        Path, typer.Option(help="Folder of the report and the training on a GPU.")
    ] = Path("runs/bench"),
    data_dir: Folder = None,
    as_json: Json = False,
) -> None:
    """Measure speed and memory beside spikingjelly's Spikformer of the same shape."""
    need("spikingjelly", "dista bench", "bench")
    import torch

    if device != "cpu":
        _bench_gpu(device, minutes, rounds, out, data_dir, as_json)
        return

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
