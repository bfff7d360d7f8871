"""``dista train``: a run, or the rest of one, and its best checkpoint."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dista.cli.answers import show, stopped
from dista.cli.options import Folder, Json
from dista.extras import need

if TYPE_CHECKING:
    from dista.config import ModelConfig
    from dista.model import DISTA
    from dista.runs import Run


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
        Path | None,
        typer.Option(help="Run folder; by default runs/PRESET-TIME, or DISTA_RUNS/PRESET-TIME."),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with this run folder; all else is as it was.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training data.")] = None,
    minutes: Annotated[float | None, typer.Option(help="End after so much time.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Samples of one forward on one device.")
    ] = None,
    lr: Annotated[float | None, typer.Option(help="Peak learning rate of the weights.")] = None,
    tau_lr: Annotated[float | None, typer.Option(help="Peak learning rate of the taus.")] = None,
    freeze: Annotated[str | None, typer.Option(help="Train no synapses, or no taus.")] = None,
    label_smoothing: Annotated[
        float | None, typer.Option(help="The share of the target that goes to all classes alike.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of the first weights and of the order of the data.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="CPU threads; 1 is reproducible bit for bit.")
    ] = None,
    precision: Annotated[str | None, typer.Option(help="fp32 or bf16-mixed.")] = None,
    devices: Annotated[int | None, typer.Option(help="GPUs, or processes, a machine.")] = None,
    num_nodes: Annotated[int | None, typer.Option(help="Machines.")] = None,
    augment: Annotated[bool | None, typer.Option(help="Augment the training data.")] = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="Start from the weights of this checkpoint, or of this run's best, where they fit."
        ),
    ] = None,
    more: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Any field of TrainingConfig, as ema=0.999, or of the preset's ModelConfig, as "
            "model.memory.window=2, or an option of the data, as data.delay_steps=6; repeatable.",
        ),
    ] = None,
    logger: Annotated[str | None, typer.Option(help="tensorboard, besides the tables.")] = None,
    dry_run: Annotated[
        bool, typer.Option(help="Say what it would cost, from a few measured steps.")
    ] = False,
    save: Annotated[
        Path | None,
        typer.Option(help="Also copy the best checkpoint to this folder, over one that is there."),
    ] = None,
    half: Annotated[
        bool, typer.Option("--half", help="Save that copy in half precision: half the size.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a model and write a run folder that the explorer shows while it grows."""
    flags = {
        "epochs": epochs, "minutes": minutes, "batch_size": batch_size, "lr": lr, "tau_lr": tau_lr,
        "freeze": freeze, "label_smoothing": label_smoothing, "seed": seed, "threads": threads,
        "precision": precision, "devices": devices, "num_nodes": num_nodes, "augment": augment,
        "init": init,
    }  # fmt: skip
    flags = {name: value for name, value in flags.items() if value is not None}
    named = _pairs(more)
    if twice := flags.keys() & named.keys():
        raise ValueError(
            f"{min(twice)} is given twice, by its own option and with --set; choose one"
        )
    options = flags | named
    need("lightning", "dista train", "train")  # before the data are opened, which takes a while
    if logger not in (None, "tensorboard"):
        raise ValueError(f"logger={logger!r}; expected tensorboard")
    if half and save is None:
        raise ValueError("--half says how --save writes its copy; name a folder with --save")
    try:
        if resume is not None:
            others = (preset, data, data_dir, recipe, out)
            if options or dry_run or any(other is not None for other in others):
                raise ValueError(_RESUMED.format(run=resume))
            run = _resume(resume, save, logger)
        else:
            run = _train(
                preset, data, data_dir, recipe, options, out, save, logger, dry_run, as_json
            )
        if run:
            _report(run, save, half, as_json)
    except KeyboardInterrupt as stop:  # here, as typer would turn it into an exit of its own
        raise typer.Exit(stopped(stop)) from None


_RESUMED = (
    "--resume takes everything from the run, also where its data are; leave the other options out. "
    "If the data have moved, say so in data_root of {run}/config.json; to train on other data or for "
    "more epochs, start a new run with --init {run}"
)


def _resume(folder: Path, save: Path | None, logger: str | None) -> Run:
    """The finished run."""
    from dista import training as trainings
    from dista.runs import Run

    _check_places(None, save, Run(folder).config.model)
    return trainings.resume(folder, logger=logger)


def _train(
    preset, data, data_dir, recipe, options, out, save, logger, dry_run, as_json
) -> Run | None:
    """The finished run; None after a dry run, whose plan is printed."""
    from dista.data import open_for
    from dista.presets import preset as model_config
    from dista.recipes import recipe as training_config

    if not preset or not data:
        raise ValueError("a training needs --preset and --data, or --resume and a run folder")
    others, its = _split_off("model.", options)
    mine, of_data = _split_off("data.", others)
    training = training_config(recipe or "default").replace(**mine)
    config = model_config(preset).changed(its)
    folder = out if out is not None else _new_folder(preset)
    _check_places(folder, save, config)
    task = open_for(config, data, root=data_dir, options=of_data)

    from dista import training as trainings

    if dry_run:
        show(asdict(trainings.plan(task, config, training)), as_json)
        return None
    return trainings.train(
        task, config, training, folder=folder, preset=preset, data_root=data_dir, logger=logger
    )


def _new_folder(preset: str) -> Path:
    from dista.runs import default_folder

    return default_folder() / f"{preset}-{time.strftime('%Y%m%d-%H%M%S')}"


def _check_places(out: Path | None, save: Path | None, config: ModelConfig) -> None:
    """An error where something would be in the way of what the training writes, before it begins."""
    from dista import checkpoint, runs

    if _joins_others():
        return
    if out is not None:
        runs.place(out)
    if save is not None:
        checkpoint.place(save, config)
    if out is not None and save is not None and out.resolve().is_relative_to(save.resolve()):
        raise ValueError(
            f"the run would be written to {out} and the copy of its best checkpoint to {save}; "
            "name two folders, neither of them within the other"
        )


def _joins_others() -> bool:
    """Whether another process of the same training may have written its folder before this one starts."""
    return any(os.environ.get(name, "0") != "0" for name in ("RANK", "LOCAL_RANK", "NODE_RANK"))


def _report(run: Run, save: Path | None, half: bool, as_json: bool) -> None:
    """What a finished run came to; and its best checkpoint in the folder ``save``."""
    from dista import checkpoint
    from dista.training import is_first

    if not is_first():
        return
    best = run.load("best")
    if save:
        best.card["name"] = save.name
        if half:
            best.card.pop("weights", None)  # rounded they are others, and measured below
        checkpoint.save(best, save, half=half)
        if half:
            best = _measured_again(run, save)
    seconds = run.status().seconds
    show({"run": str(run.path), **best.card["metrics"]["test"], "seconds": seconds}, as_json)


def _measured_again(run: Run, folder: Path) -> DISTA:
    """The rounded copy of the run's model, whose card then says what the rounded weights are worth."""
    from dista.checkpoint import load, save
    from dista.experiments.evaluation import evaluate as measure

    model, what = load(folder), run.config
    task = what.open_task()
    for name in ("validation", "test"):
        result = measure(model, getattr(task, name))
        model.card["metrics"][name] = {k: result[k] for k in ("accuracy", "loss", "samples")}
    save(model, folder, half=True)
    return model


def _pairs(words: list[str] | None) -> dict[str, Any]:
    """``name=value`` words as a dictionary; values are JSON where they can be read as such."""
    values = {}
    for word in words or ():
        name, equals, text = word.partition("=")
        if not equals:
            raise ValueError(f"--set {word}: expected NAME=VALUE, as in --set ema=0.999")
        if name in values:
            raise ValueError(f"--set {name} is given twice; choose one")
        try:
            values[name] = json.loads(text)
        except json.JSONDecodeError:
            values[name] = text
    return values


def _split_off(prefix: str, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options without the prefix, and those with it, from whose names it is taken off."""
    others = {name: value for name, value in options.items() if not name.startswith(prefix)}
    named = {n.removeprefix(prefix): v for n, v in options.items() if n.startswith(prefix)}
    return others, named
