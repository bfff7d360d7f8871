"""What ``dista train`` does to its folder, without a network, and without the seconds in which it loads libraries.

With PRETENDED=holds it stays in its first epoch until it is asked to stop, or finds a file ``fail`` in the run's folder.
"""

from __future__ import annotations

import json
import os
import sys
import time

from dista.config import TrainingConfig
from dista.presets import preset
from dista.runs import Run, RunConfig, RunError

LAYERS = ("stem.position.neuron", "blocks.0.attention.query.neuron", "blocks.0.mlp.hidden.neuron")


def main(words: list[str]) -> None:
    options = [word.removeprefix("--").partition("=")[::2] for word in words]
    named = dict(pair for pair in options if pair[0] != "set")
    fields = dict(value.split("=", 1) for name, value in options if name == "set")
    if named.get("data") == "nothing" or "init" in fields:
        sys.exit(f"dista: no checkpoint {fields.get('init')}, no data {named.get('data')!r}")
    try:
        run, epochs = opened(named, fields)
    except RunError as error:
        sys.exit(f"dista: {error}")
    epoch = run.status().epoch
    while epoch < epochs and not run.asked_to_stop():
        epoch += 1
        write(run, epoch, learns="freeze" not in fields or "taus" in fields["freeze"])
        run.set_status("running", epoch=epoch, step=10 * epoch, steps=10 * epochs)
        wait(run, epoch)
    run.set_status("finished" if epoch == epochs else "stopped", epoch=epoch, step=10 * epoch)


def opened(named: dict[str, str], fields: dict[str, str]) -> tuple[Run, int]:
    if "resume" in named:
        run = Run(named["resume"])
        run.reopen()
        return run, run.config.training.epochs
    training = TrainingConfig(epochs=json.loads(fields.get("epochs", "9")))
    what = RunConfig(preset="tiny", data="digits", model=preset("tiny"), training=training)
    run = Run.create(named["out"], what, {})
    write_layers(run, 0, 2.0)
    return run, training.epochs


def write(run: Run, epoch: int, learns: bool) -> None:
    accuracy = 1 - 0.5 / epoch if learns else 0.1
    loss = {"train_loss": 1 - accuracy, "val_loss": 1 - accuracy, "val_accuracy": accuracy}
    steps = range(10 * epoch - 9, 10 * epoch + 1)
    run.append("steps", [{"step": s, "epoch": epoch, "loss": 1 / s} for s in steps])
    write_layers(run, epoch, 2 + 0.1 * epoch)
    run.append(
        "gradients", [{"epoch": epoch, "layer": n, "weights": 0.5, "tau": 0.1} for n in LAYERS]
    )
    run.append("epochs", [{"epoch": epoch, **loss, "seconds": 0.1}])


def write_layers(run: Run, epoch: int, tau: float) -> None:
    run.append("neurons", [{"epoch": epoch, "layer": n, "tau": tau, "rate": 0.1} for n in LAYERS])
    run.append("attention", [{"epoch": epoch, "block": 0, "count": 0.5, "removed": 0.5}])


def wait(run: Run, epoch: int) -> None:
    while os.environ.get("PRETENDED") == "holds" and not run.asked_to_stop():
        if (run.path / "fail").exists():
            at = {"epoch": epoch, "step": 10 * epoch}
            run.set_status("crashed", **at, reason="RuntimeError: the loss became nan")
            raise RuntimeError("the loss became nan")
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1:])
