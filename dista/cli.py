"""``dista``, the same as ``python -m dista``: train, evaluate, record and open the explorer."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    help="See a spiking transformer think, step by step.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Data = Annotated[str, typer.Option("--data", help="Task: digits, digits-events or match.")]


def main() -> None:
    """Run the command line; an error of ours is one clear line and exit code 1."""
    try:
        app()
    except KeyboardInterrupt:
        print("dista: interrupted", file=sys.stderr)
        sys.exit(130)
    except (ValueError, KeyError, OSError) as error:
        message = error.args[0] if isinstance(error, KeyError) else error
        print(f"dista: {message}", file=sys.stderr)
        sys.exit(1)


@app.command()
def train(
    preset: Annotated[str, typer.Option(help="Model preset; `dista presets` lists them.")],
    data: Data,
    out: Annotated[
        Path | None, typer.Option(help="Run folder [default: runs/PRESET-TIME].")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training data.")] = None,
    batch_size: int | None = None,
    lr: Annotated[float | None, typer.Option(help="Peak learning rate of the weights.")] = None,
    tau_lr: Annotated[float | None, typer.Option(help="Peak learning rate of the taus.")] = None,
    label_smoothing: float | None = None,
    seed: int | None = None,
    threads: Annotated[
        int | None, typer.Option(help="CPU threads; 1 is reproducible bit for bit.")
    ] = None,
    augment: Annotated[bool, typer.Option(help="Augment the training data.")] = True,
    save: Annotated[
        Path | None, typer.Option(help="Also copy the best checkpoint to this folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train a model and write a run folder that the explorer shows while it grows."""
    from dista.config import TrainingConfig
    from dista.data import open as open_task
    from dista.presets import preset as model_config

    given = {
        "epochs": epochs, "batch_size": batch_size, "lr": lr, "tau_lr": tau_lr, "seed": seed,
        "label_smoothing": label_smoothing, "threads": threads, "augment": augment,
    }  # fmt: skip
    training = TrainingConfig(**{name: value for name, value in given.items() if value is not None})
    config, task = model_config(preset), open_task(data)
    folder = out or Path("runs") / f"{preset}-{time.strftime('%Y%m%d-%H%M%S')}"

    from dista.training import train as run_training

    began = time.perf_counter()
    run = run_training(task, config, training, folder=folder, preset=preset)
    best = run.load("best")
    if save:
        best.card["name"] = save.name
        best.save(save)
    seconds = round(time.perf_counter() - began, 3)
    _print({"run": str(folder), **best.card["metrics"]["test"], "seconds": seconds}, as_json)


@app.command("eval")
def evaluate(
    name: Annotated[str, typer.Argument(help="A shipped checkpoint, or a folder.")],
    data: Annotated[str | None, typer.Option(help="Task [default: the one of the card].")] = None,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    limit: Annotated[int | None, typer.Option(help="Only the first so many samples.")] = None,
    threads: int | None = None,
    as_json: Json = False,
) -> None:
    """Measure a checkpoint on its task."""
    import torch

    from dista.checkpoint import load
    from dista.data import open as open_task
    from dista.evaluation import evaluate as measure

    if threads:
        torch.set_num_threads(threads)
    model = load(name)
    task = open_task(_task_of(model.card, data, name))
    if split not in ("train", "validation", "test"):
        raise ValueError(f"split={split!r}; expected train, validation or test")
    result = {"checkpoint": name, "task": task.name, "split": split}
    _print(result | measure(model, getattr(task, split), limit=limit), as_json)


@app.command()
def record(
    name: Annotated[str, typer.Argument(help="A shipped checkpoint, or a folder.")],
    out: Annotated[
        Path, typer.Argument(help="Where to write: a .zarr folder or a .zarr.zip file.")
    ],
    sample: Annotated[int, typer.Option(help="Index in the test split.")] = 0,
    names: Annotated[
        list[str] | None, typer.Option("--name", help="Glob of dotted names; repeatable.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Task [default: the one of the card].")] = None,
    dry_run: Annotated[
        bool, typer.Option(help="Say what would be recorded and how large it is.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Record spikes, membranes, taus and attention of one held-out sample."""
    from dista.checkpoint import load
    from dista.data import open as open_task
    from dista.recording import record as run_recording
    from dista.recording import save

    model = load(name)
    task = open_task(_task_of(model.card, data, name))
    x, y = task.test.batch([sample])
    labels = {"labels": y.tolist(), "classes": task.classes, "samples": [sample]}
    patterns = names or ["*"]
    if dry_run:
        table = run_recording(model, x, patterns, dry_run=True)
        if not as_json:
            print(table.to_string(index=False))
        _print({"names": len(table), "bytes": int(table["bytes"].sum())}, as_json)
        return
    recording = run_recording(model, x, patterns, **labels)
    recording.attrs["task"] = task.name
    if task.step_labels:
        recording.attrs["step_labels"] = list(task.step_labels)
    save(recording, out)
    size = out.stat().st_size if out.is_file() else sum(f.stat().st_size for f in out.rglob("*"))
    _print({"recording": str(out), "bytes": size, "label": task.classes[int(y[0])]}, as_json)


@app.command("presets")
def list_presets(as_json: Json = False) -> None:
    """List the model presets."""
    from dista.presets import presets

    rows = {
        name: {
            "input": c.input_shape, "depth-dim-heads": f"{c.depth}-{c.dim}-{c.heads}", "T": c.time_steps,
            "memory": c.memory.form, "W": c.memory.window, "denoiser": c.denoiser.kind,
        }
        for name, c in presets().items()
    }  # fmt: skip
    if as_json:
        _print(rows, True)
        return
    for name, row in rows.items():
        print(f"{name:20}", "  ".join(f"{key} {value}" for key, value in row.items()))


@app.command("app")
def open_app(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8501,
    headless: Annotated[bool, typer.Option(help="Do not open a browser (for servers).")] = False,
) -> None:
    """Open the dashboard."""
    here = Path(__file__).resolve().parent
    script = next(
        (p for p in (here.parent / "app" / "main.py", here / "_app" / "main.py") if p.is_file()),
        None,
    )
    if script is None:
        raise ValueError("the dashboard is not installed beside the package; run it from a clone")
    headless = headless or os.environ.get("DISTA_HEADLESS", "") not in ("", "0")
    options = [f"--server.port={port}", f"--server.headless={str(headless).lower()}"]
    command = [sys.executable, "-m", "streamlit", "run", str(script), *options]
    os.chdir(script.parent.parent)
    os.execv(sys.executable, command)


def _task_of(card: dict[str, Any], data: str | None, name: str) -> str:
    if data is None and "task" not in card:
        raise ValueError(f"the card of {name!r} names no task; say which with --data")
    return data or card["task"]


def _print(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key:>12}  {value}")
