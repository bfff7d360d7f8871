"""``dista``, the same as ``python -m dista``: train, evaluate, ablate, record and open the explorer."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from dista.data import Task
    from dista.model import DISTA
    from dista.runs import Run

app = typer.Typer(
    help="See a spiking transformer think, step by step.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Folder = Annotated[
    Path | None, typer.Option("--data-dir", help="Folder of the data, for tasks that need files.")
]


OfCard = Annotated[
    str | None,
    typer.Option(help="Task, or the folder of its files [default: the task of the card]."),
]


def main() -> None:
    """Run the command line; an error of ours is one clear line and exit code 1."""
    try:
        app()
    except KeyboardInterrupt:
        sys.exit(_stopped(KeyboardInterrupt()))
    except (ValueError, KeyError, OSError) as error:
        message = error.args[0] if isinstance(error, KeyError) else error
        print(f"dista: {message}", file=sys.stderr)
        sys.exit(1)


@app.command()
def train(
    preset: Annotated[
        str | None, typer.Option(help="Model preset; `dista presets` lists them.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Task; `dista presets` names them.")] = None,
    data_dir: Folder = None,
    recipe: Annotated[
        str | None, typer.Option(help="Training options by name; `dista presets` lists them.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Run folder [default: runs/PRESET-TIME].")
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with this run folder; all else is as it was.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training data.")] = None,
    minutes: Annotated[float | None, typer.Option(help="End after so much time.")] = None,
    batch_size: int | None = None,
    lr: Annotated[float | None, typer.Option(help="Peak learning rate of the weights.")] = None,
    tau_lr: Annotated[float | None, typer.Option(help="Peak learning rate of the taus.")] = None,
    freeze: Annotated[str | None, typer.Option(help="Train no synapses, or no taus.")] = None,
    label_smoothing: float | None = None,
    seed: int | None = None,
    threads: Annotated[
        int | None, typer.Option(help="CPU threads; 1 is reproducible bit for bit.")
    ] = None,
    precision: Annotated[str | None, typer.Option(help="fp32 or bf16-mixed.")] = None,
    devices: Annotated[int | None, typer.Option(help="GPUs, or processes, a machine.")] = None,
    num_nodes: Annotated[int | None, typer.Option(help="Machines.")] = None,
    augment: Annotated[bool | None, typer.Option(help="Augment the training data.")] = None,
    init: Annotated[
        str | None, typer.Option(help="Start from this checkpoint's weights where they fit.")
    ] = None,
    more: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Any field of TrainingConfig, as ema=0.999, or of the preset's ModelConfig, as "
            "model.memory.window=2; repeatable.",
        ),
    ] = None,
    logger: Annotated[str | None, typer.Option(help="tensorboard, besides the tables.")] = None,
    dry_run: Annotated[
        bool, typer.Option(help="Say what it would cost, from a few measured steps.")
    ] = False,
    save: Annotated[
        Path | None, typer.Option(help="Also copy the best checkpoint to this folder.")
    ] = None,
    half: Annotated[
        bool, typer.Option("--half", help="Save that copy in half precision: half the size.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a model and write a run folder that the explorer shows while it grows."""
    given = {
        "epochs": epochs, "minutes": minutes, "batch_size": batch_size, "lr": lr, "tau_lr": tau_lr,
        "freeze": freeze, "label_smoothing": label_smoothing, "seed": seed, "threads": threads,
        "precision": precision, "devices": devices, "num_nodes": num_nodes, "augment": augment,
        "init": init,
    }  # fmt: skip
    options = {name: value for name, value in given.items() if value is not None} | _pairs(more)
    if logger not in (None, "tensorboard"):
        raise ValueError(f"logger={logger!r}; expected tensorboard")
    if resume:
        if preset or data or recipe or options or out or dry_run:
            raise ValueError("--resume takes everything from the run; leave the other options out")
        from dista.training import resume as run_resume

    try:
        if resume:
            run = run_resume(resume, logger=logger)
        else:
            run = _train(preset, data, data_dir, recipe, options, out, logger, dry_run, as_json)
        if run:
            _report(run, save, half, as_json)
    except KeyboardInterrupt as stop:  # here, as typer would turn it into an exit of its own
        raise typer.Exit(_stopped(stop)) from None


def _stopped(stop: KeyboardInterrupt) -> int:
    """Say it in a line; the exit status that shells expect of a program that a signal ended."""
    print(f"dista: {str(stop) or 'interrupted'}", file=sys.stderr)
    return 128 + getattr(stop, "signal", signal.SIGINT)


def _train(preset, data, data_dir, recipe, options, out, logger, dry_run, as_json) -> Run | None:
    """The finished run; None after a dry run, whose plan is printed."""
    from dista.data import open as open_task
    from dista.presets import preset as model_config
    from dista.recipes import recipe as training_config

    if not preset or not data:
        raise ValueError("a training needs --preset and --data, or --resume and a run folder")
    mine, its = _split_off("model.", options)
    training = training_config(recipe or "default").replace(**mine)
    config, task = model_config(preset).changed(its), open_task(data, root=data_dir)
    folder = out or Path("runs") / f"{preset}-{time.strftime('%Y%m%d-%H%M%S')}"

    from dista import training as trainings

    if dry_run:
        _print(asdict(trainings.plan(task, config, training)), as_json)
        return None
    return trainings.train(
        task, config, training, folder=folder, preset=preset, data_root=data_dir, logger=logger
    )


def _report(run: Run, save: Path | None, half: bool, as_json: bool) -> None:
    """What a finished run came to; and its best checkpoint in the folder ``save``."""
    from dista.training import is_first

    if not is_first():
        return
    best = run.load("best")
    if save:
        best.card["name"] = save.name
        best.save(save, half=half)
        if half:
            best = _measured_again(run, save)
    seconds = run.status()["seconds"]
    _print({"run": str(run.path), **best.card["metrics"]["test"], "seconds": seconds}, as_json)


def _measured_again(run: Run, folder: Path) -> DISTA:
    """The rounded copy of the run's model, whose card then says what the rounded weights are worth."""
    from dista.checkpoint import load
    from dista.data import open as open_task
    from dista.evaluation import evaluate as measure

    model, task = load(folder), open_task(run.config.data, root=run.config.data_root)
    result = measure(model, task.test)
    model.card["metrics"]["test"] = {k: result[k] for k in ("accuracy", "loss", "samples")}
    model.save(folder, half=True)
    return model


def _pairs(given: list[str] | None) -> dict[str, Any]:
    """``name=value`` words as a dictionary; values are JSON where they can be read as such."""
    found = {}
    for word in given or ():
        name, equals, text = word.partition("=")
        if not equals:
            raise ValueError(f"--set {word}: expected NAME=VALUE, as in --set ema=0.999")
        try:
            found[name] = json.loads(text)
        except json.JSONDecodeError:
            found[name] = text
    return found


def _split_off(prefix: str, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options without the prefix, and those with it, from whose names it is taken off."""
    others = {name: value for name, value in options.items() if not name.startswith(prefix)}
    named = {n.removeprefix(prefix): v for n, v in options.items() if n.startswith(prefix)}
    return others, named


@app.command("eval")
def evaluate(
    name: Annotated[str, typer.Argument(help="A shipped checkpoint, or a folder.")],
    data: OfCard = None,
    data_dir: Folder = None,
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    limit: Annotated[int | None, typer.Option(help="Only the first so many samples.")] = None,
    threads: int | None = None,
    as_json: Json = False,
) -> None:
    """Measure a checkpoint on its task."""
    import torch

    from dista.allocator import keep_freed_memory
    from dista.checkpoint import load
    from dista.evaluation import evaluate as measure

    if threads:
        torch.set_num_threads(threads)
    keep_freed_memory()
    model = load(name)
    task = _task_of(model.card, data, data_dir, name)
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
    data: OfCard = None,
    data_dir: Folder = None,
    dry_run: Annotated[
        bool, typer.Option(help="Say what would be recorded and how large it is.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Record spikes, membranes, taus and attention of one held-out sample."""
    from dista.checkpoint import load
    from dista.recording import record as run_recording
    from dista.recording import save

    model = load(name)
    task = _task_of(model.card, data, data_dir, name)
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


@app.command()
def ablate(
    name: Annotated[str, typer.Argument(help="A shipped checkpoint, or a folder.")],
    without: Annotated[
        list[str] | None,
        typer.Option(
            help="denoiser, memory, neuron-memory, learned-taus, head=BLOCK.HEAD or block=BLOCK, "
            "from 0; repeatable."
        ),
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option(
            "--with", help="u=COUNT or window=STEPS instead of the trained one; repeatable."
        ),
    ] = None,
    noise: Annotated[float, typer.Option(help="Standard deviation of noise in the input.")] = 0.0,
    data: OfCard = None,
    data_dir: Folder = None,
    limit: Annotated[int | None, typer.Option(help="Only the first so many samples.")] = None,
    as_json: Json = False,
) -> None:
    """Run a checkpoint without some of its parts; the change of accuracy with its 95 % interval."""
    from dista.ablations import parse
    from dista.checkpoint import load
    from dista.evaluation import answers
    from dista.measures import paired_difference

    asked = {"without": without or [], "with": with_ or []}
    switches = [text for word, texts in asked.items() for text in texts if parse(text, word)]
    model = load(name)
    task = _task_of(model.card, data, data_dir, name)
    before = answers(model, task.test, limit=limit)
    found = paired_difference(before, answers(model, task.test, switches, noise=noise, limit=limit))
    facts = {"checkpoint": name, "task": task.name, **asked, "noise": noise}
    numbers = {
        key: getattr(found, key)
        for key in ("samples", "before", "after", "difference", "low", "high")
    }
    _print(facts | numbers | {"lost": len(found.lost), "gained": len(found.gained)}, as_json)


@app.command("presets")
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
        _print(rows, True)
        return
    for name, row in rows.items():
        print(f"{name:20}", "  ".join(f"{key} {value}" for key, value in row.items()))
    print("\nrecipes:", ", ".join(recipes()))
    print("tasks:  ", ", ".join(names()))


@app.command()
def info(as_json: Json = False) -> None:
    """Say what this installation computes with: versions, machine, kernels and why."""
    from dista.bench.machine import info as describe

    facts = describe()
    if as_json:
        _print(facts, True)
        return
    for name, value in facts.items():
        rows = value.items() if isinstance(value, dict) else [("", value)]
        for part, said in rows:
            print(f"{name:10} {part:24} {said}")


@app.command()
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
    import torch

    from dista.bench import CASES, run, tables

    if threads:
        torch.set_num_threads(threads)
    show = sys.stderr.isatty()

    def tick(what: str) -> None:
        if show:
            print(f"\r\033[K{what} ...", end="", file=sys.stderr, flush=True)

    result = run(case or tuple(CASES), rounds=rounds, memory=memory, tick=tick)
    tick("done")
    print(json.dumps(result) if as_json else tables(result))


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


def _task_of(card: dict[str, Any], data: str | None, data_dir: Path | None, name: str) -> Task:
    """The task that a checkpoint is measured on; ``data`` names another one, or the folder of its files."""
    from dista.data import names
    from dista.data import open as open_task

    if data and data not in names() and Path(data).is_dir():
        data, data_dir = None, Path(data)
    if data is None and "task" not in card:
        raise ValueError(f"the card of {name!r} names no task; say which with --data")
    return open_task(data or card["task"], root=data_dir)


def _print(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
        return
    for key, value in result.items():
        print(f"{key:>12}  {value}")
