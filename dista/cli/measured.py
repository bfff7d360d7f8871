"""``dista energy`` and ``dista cue``: what an answer costs, and what it still knows of a cue."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dista.cli.answers import show
from dista.cli.options import Folder, Json, OfCard, task_of

Name = Annotated[str, typer.Argument(help="A shipped checkpoint, or a folder.")]
Limit = Annotated[int, typer.Option(help="The first so many test samples.")]


def energy(
    name: Name,
    data: OfCard = None,
    data_dir: Folder = None,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Energy of an answer by three conventions, beside a network of the same shape without spikes."""
    from dista import measures
    from dista.checkpoint import load
    from dista.experiments.evaluation import batches
    from dista.experiments.operations import count, joined
    from dista.measures.energy import CONVENTIONS, LEFT_OUT

    model = load(name)
    split = task_of(model, data, data_dir, name).test
    parts = [(count(model, split.batch(part)[0])) for part in batches(split, limit)]
    counts = joined(parts)
    by = {one: measures.energy(counts, one) for one in CONVENTIONS}
    dense = float(next(iter(by.values())).ann.sum()) / 1e6
    rows = {
        one: {
            "microjoules": result.total / 1e6,
            "accumulates": float(result.accumulates.sum()),
            "multiplies": float(result.multiplies.sum()),
        }
        for one, result in by.items()
    }
    facts: dict[str, Any] = {"checkpoint": name, "samples": counts.sizes["batch"]}
    if as_json:
        more = {"without_spikes_microjoules": dense, "left_out": LEFT_OUT}
        show(facts | {"conventions": rows} | more, as_json=True)
        return
    show(facts, False)
    for one, row in rows.items():
        print(f"{row['microjoules']:10.2f} µJ  {one}: {CONVENTIONS[one]}")
    print(f"{dense:10.2f} µJ  a network of the same shape without spikes")
    print(f"Not counted: {LEFT_OUT}.")


def cue(
    name: Name,
    data: OfCard = None,
    data_dir: Folder = None,
    limit: Limit = 100,
    blank: Annotated[
        bool,
        typer.Option("--blank", help="Take the cue away, instead of showing another sample's."),
    ] = False,
    as_json: Json = False,
) -> None:
    """How far a change of the cue moves the answers, in logits, with and without each memory.

    In a task without a cue the first step is changed.
    """
    import numpy as np

    from dista import measures
    from dista.checkpoint import load
    from dista.experiments.cues import NETWORKS, cue_effects
    from dista.experiments.evaluation import batches

    model = load(name)
    task = task_of(model, data, data_dir, name)
    parts = batches(task.test, limit)
    rows = {}
    for network, switches in NETWORKS.items():
        each = [cue_effects(model, task, part, switches, blank=blank).effect for part in parts]
        result = measures.mean_effect(np.concatenate(each))
        rows[network] = {"logits": result.mean, "low": result.low, "high": result.high}
    facts = {
        "checkpoint": name,
        "samples": parts[-1].stop,
        "cue": "blank" if blank else "another sample's",
    }
    if as_json:
        show(facts | {"networks": rows}, as_json=True)
        return
    show(facts, False)
    for network, row in rows.items():
        print(f"{row['logits']:8.2f} logits ({row['low']:.2f} to {row['high']:.2f})  {network}")
