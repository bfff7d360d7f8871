"""Commands that look at a checkpoint: evaluate, record and ablate it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dista.cli.answers import show
from dista.cli.options import Folder, Json, OfCard, task_of

if TYPE_CHECKING:
    from torch import nn

    from dista.data import Split


def evaluate(
    name: Annotated[str, typer.Argument(help="A shipped checkpoint, or a folder.")],
    data: OfCard = None,
    data_dir: Folder = None,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    limit: Annotated[int | None, typer.Option(help="Only the first so many samples.")] = None,
    threads: Annotated[int | None, typer.Option(help="CPU threads.")] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say what runs the model, and why.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure a checkpoint on its task."""
    import torch

    from dista.checkpoint import load
    from dista.engine.allocator import keep_freed_memory
    from dista.experiments.evaluation import evaluate as measure

    if threads:
        torch.set_num_threads(threads)
    keep_freed_memory()
    model = load(name)
    task = task_of(model, data, data_dir, name)
    if split not in ("train", "validation", "test"):
        raise ValueError(f"split={split!r}; expected train, validation or test")
    result = {"checkpoint": name, "task": task.name, "split": split}
    if verbose:
        print(_what_runs(model.eval(), getattr(task, split)), file=sys.stderr)
    show(result | measure(model, getattr(task, split), limit=limit), as_json)


def _what_runs(model: nn.Module, split: Split) -> str:
    import torch

    from dista.engine import events

    with torch.inference_mode():
        reason = events.why_not(model, split.batch([0])[0])
    return f"run by modules: {reason}" if reason else f"driven by spikes, {events.implementation()}"


def record(
    name: Annotated[str, typer.Argument(help="A shipped checkpoint, or a folder.")],
    out: Annotated[
        Path,
        typer.Argument(
            help="Where to write: a .zarr folder or a .zarr.zip file, new or a recording."
        ),
    ],
    sample: Annotated[int, typer.Option(help="Index in the test split.")] = 0,
    names: Annotated[
        list[str] | None, typer.Option("--name", help="Glob of dotted names; repeatable.")
    ] = None,
    data: OfCard = None,
    data_dir: Folder = None,
    dry_run: Annotated[
        bool, typer.Option(help="Say what would be recorded and how large it is.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Record spikes, membranes, taus and attention of one held-out sample."""
    from dista.checkpoint import load
    from dista.recording import place, save
    from dista.recording import record as run_recording

    place(out)
    model = load(name)
    task = task_of(model, data, data_dir, name)
    if not 0 <= sample < len(task.test):
        raise ValueError(f"sample={sample}; the test split has samples 0 to {len(task.test) - 1}")
    x, y = task.test.batch([sample])
    labels = {"labels": y.tolist(), "classes": task.classes, "samples": [sample]}
    patterns = names or ["*"]
    if dry_run:
        table = run_recording(model, x, patterns, dry_run=True)
        if not as_json:
            print(table.to_string(index=False))
        show({"names": len(table), "bytes": int(table["bytes"].sum())}, as_json)
        return
    recording = run_recording(model, x, patterns, **labels)
    recording.attrs["task"] = task.name
    if task.step_labels:
        recording.attrs["step_labels"] = list(task.step_labels)
    save(recording, out)
    size = out.stat().st_size if out.is_file() else sum(f.stat().st_size for f in out.rglob("*"))
    show({"recording": str(out), "bytes": size, "label": task.classes[int(y[0])]}, as_json)


def ablate(
    name: Annotated[str, typer.Argument(help="A shipped checkpoint, or a folder.")],
    without: Annotated[
        list[str] | None,
        typer.Option(
            help="denoiser, denoiser-of=BLOCK or BLOCK.HEAD, memory, own-past, neuron-memory, carry-over, "
            "learned-taus, learned-tau-of=LAYER, head=BLOCK.HEAD or block=BLOCK, from 0; repeatable."
        ),
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            help="u=COUNT, weaker=COUNT, window=STEPS or tau=STEPS instead of the trained one; repeatable.",
        ),
    ] = None,
    noise: Annotated[float, typer.Option(help="Standard deviation of noise in the input.")] = 0.0,
    data: OfCard = None,
    data_dir: Folder = None,
    limit: Annotated[int | None, typer.Option(help="Only the first so many samples.")] = None,
    as_json: Json = False,
) -> None:
    """Run a checkpoint without some of its parts; the change of accuracy with its 95 % interval."""
    from dista.checkpoint import load
    from dista.experiments.ablations import parse
    from dista.experiments.evaluation import answers
    from dista.measures import paired_difference

    asked = {"without": without or [], "with": with_ or []}
    switches = [text for word, texts in asked.items() for text in texts if parse(text, word)]
    model = load(name)
    task = task_of(model, data, data_dir, name)
    before = answers(model, task.test, limit=limit)
    difference = paired_difference(
        before, answers(model, task.test, switches, noise=noise, limit=limit)
    )
    facts = {"checkpoint": name, "task": task.name, **asked, "noise": noise}
    numbers = {
        key: getattr(difference, key)
        for key in (
            "samples",
            "before",
            "after",
            "difference",
            "low",
            "high",
            "most_frequent_before",
            "most_frequent_after",
        )
    }
    show(
        facts | numbers | {"lost": len(difference.lost), "gained": len(difference.gained)}, as_json
    )
