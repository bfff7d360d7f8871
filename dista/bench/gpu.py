"""What a GPU does with this package: whether it is right, how fast it is, and what it learns in a few minutes.

    exactness    every memory form and denoiser, float64 on the CPU against the GPU, gradients included
    speed        forward and training step beside spikingjelly's Spikformer, float32 and bfloat16
    training     ``dista_cifar`` on CIFAR-10 for the minutes that are left

A machine may be lent for minutes only: what is known is written to a file after every part.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from dista.bench import machine
from dista.bench.cases import CASES, IMPLEMENTATIONS, PEER, Case, logits, reset
from dista.bench.timing import Action, forward, interleaved, training_step
from dista.config import DenoiserConfig, MemoryConfig, ModelConfig, NeuronConfig
from dista.files import replacement
from dista.model import DISTA

FORMS = ("none", "projection", "attenuated", "map")
DENOISERS = ("none", "threshold", "lookup")
PRECISIONS = {"fp32": None, "bf16": torch.bfloat16}
BATCH = 128
Tick = Callable[[str], None]


class Report:
    """What was measured, in a file that is written again after every part.

    ValueError where the file exists and is not such a report.
    """

    def __init__(self, path: Path | None, tick: Tick) -> None:
        kind = replacement.Kind("the report", ValueError, objection)
        self.path = path and replacement.place(path, kind)
        self.tick, self.result = tick, {}

    def add(self, part: str, entry: Any) -> None:
        self.result[part] = entry
        self.tick(f"{part}: {json.dumps(entry)}")
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with replacement.replacing(self.path) as file:
                file.write(json.dumps(self.result, indent=1).encode() + b"\n")


def objection(path: Path) -> str:
    """Why ``path`` is not a report of this module, "" where it is."""
    try:
        report = json.loads(path.read_bytes())
    except (OSError, ValueError):
        report = None
    ours = isinstance(report, dict) and "machine" in report
    return "" if ours else "is not a report of dista bench"


def run(
    device: str,
    *,
    minutes: float,
    rounds: int = 7,
    folder: Path | None = None,
    data_dir: Path | None = None,
    train: bool = True,
    tick: Tick = lambda _: None,
) -> dict:
    """Everything within ``minutes``; the report is ``folder``/bench.json, the training ``folder``/run.

    ValueError where there is no such device. Without files of CIFAR-10 nothing is trained.
    """
    if device != "cpu" and not torch.cuda.is_available():
        raise ValueError(
            f"device={device!r}, but torch sees no GPU; leave --device out for the CPU"
        )
    end = time.monotonic() + 60 * minutes
    report = Report(folder and folder / "bench.json", tick)
    report.add("machine", machine.info())
    report.add("exactness", exactness(device))
    rows: list[dict] = []
    for precision in PRECISIONS:
        rows += speed(CASES["cifar"], device, precision, rounds)
        report.add("models", rows)
    if train and data_dir:
        left = (end - time.monotonic()) / 60
        report.add("training", learn(data_dir, (folder or Path("runs")) / "run", left))
    return report.result


# --- exactness ------------------------------------------------------------------------------------


def exactness(device: str) -> list[dict]:
    """A row for each memory form and denoiser: relative differences to float64 on the CPU.

    ``float64`` runs the reference on the device, ``kernels`` float32 by the device's kernels, whose logits
    and gradients can only be compared where no membrane lies within rounding of its threshold:
    ``spikes`` is the share that differs.
    """
    return [_agreement(form, kind, device) for form in FORMS for kind in DENOISERS]


def small(form: str, kind: str) -> ModelConfig:
    """A model of every operation, with sizes that fill no tile."""
    return ModelConfig(
        input_shape=(3, 12, 20),
        classes=7,
        time_steps=4,
        dim=48,
        depth=2,
        heads=3,
        stem_pools=(False, True),
        neuron=NeuronConfig(tau_per="channel"),
        attention_scale=0.5,
        memory=MemoryConfig(form=form, window=1 if form == "none" else 3),
        denoiser=DenoiserConfig(kind=kind, u=0.0 if kind == "none" else 1.0),
    )


def _agreement(form: str, kind: str, device: str) -> dict:
    torch.manual_seed(0)
    model = DISTA(small(form, kind))
    x, y = torch.rand(6, *model.config.input_shape), torch.arange(6) % 7
    with reference():
        wide = _results(model, x, y, "cpu", torch.float64)
        there = _results(model, x, y, device, torch.float64)
    with torch.backends.cudnn.flags(allow_tf32=False):  # whose 10 bits move many a membrane
        kernels = _results(model, x, y, device, torch.float32)
    return {
        "memory": form,
        "denoiser": kind,
        "float64": _differences(there, wide),
        "kernels": _differences(kernels, wide),
        "spikes": _different_spikes(kernels[2], wide[2]),
    }


def _results(
    model: DISTA, x: Tensor, y: Tensor, device: str, dtype: torch.dtype
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Logits, all gradients in a row, and the input of the head and of all convolutions, on the CPU."""
    import copy

    copied = copy.deepcopy(model).to(device, dtype).train()
    seen: list[Tensor] = []
    convolutions = [m for m in copied.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    for module in convolutions:
        module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach().cpu()))
    logits = copied(x.to(device, dtype))
    cross_entropy(logits, y.to(device)).backward()
    gradients = torch.cat([p.grad.flatten().double().cpu() for p in copied.parameters()])
    return logits.detach().double().cpu(), gradients, seen


def _differences(actual: tuple, expected: tuple) -> dict[str, float]:
    return {
        name: float((a - b).norm() / b.norm())
        for name, a, b in zip(("logits", "gradients"), actual, expected)
    }


def _different_spikes(actual: list[Tensor], expected: list[Tensor]) -> float:
    """The share of values between layers that differ, all of them sums of spikes, the image left out."""
    pairs = [(a.double(), b) for a, b in zip(actual[1:-1], expected[1:-1], strict=True)]
    different = sum(int((a.round() != b.round()).sum()) for a, b in pairs)
    return different / sum(b.numel() for _, b in pairs)


@contextlib.contextmanager
def reference() -> Iterator[None]:
    """No kernels of ours inside."""
    before = os.environ.get("DISTA_KERNEL")
    os.environ["DISTA_KERNEL"] = "reference"
    try:
        yield
    finally:
        os.environ.pop("DISTA_KERNEL")
        if before is not None:
            os.environ["DISTA_KERNEL"] = before


# --- speed ----------------------------------------------------------------------------------------


def speed(case: Case, device: str, precision: str, rounds: int, batch: int = BATCH) -> list[dict]:
    """A row for each implementation; an error instead of numbers where one does not run.

    Medians of interleaved runs, and the largest memory of a step beyond what the model holds; ratios above
    1 are faster, or less memory, than the peer.
    """
    case = replace(case, batch=batch)
    modes = {mode: _measured(case, device, precision, rounds, mode) for mode in MODES}
    rows = []
    for name in [*IMPLEMENTATIONS, *REFERENCES, *GRAPHS]:
        row = {"shape": case.name, "batch": batch, "precision": precision, "implementation": name}
        for mode, measurements in modes.items():
            own, peer = measurements.get(name, {}), measurements[PEER]
            row |= {f"{mode} {what}": value for what, value in own.items()}
            for what in ("seconds", "bytes"):
                if own.get(what) and peer.get(what):
                    row[f"{mode} {what} ratio"] = peer[what] / own[what]
        rows.append(row)
    return rows


MODES = ("forward", "training")
REFERENCES = {"DISTA projection, no kernels": "DISTA projection"}
"""The same model by the reference alone: what the kernels gain."""

GRAPHS = {f"{name}, graph": name for name in (PEER, "spatial", "DISTA map", "DISTA projection")}
"""Training as ``dista train`` does it, forward and backward recorded as one CUDA graph; the peer by the same
code, though its users would have to write it. Their memory is taken beforehand, and not measured."""


def _measured(case: Case, device: str, precision: str, rounds: int, mode: str) -> dict[str, dict]:
    measurements: dict[str, dict] = {}
    actions: dict[str, Action] = {}
    for name, build in _builders(mode, device).items():
        try:
            action = build(case, device, PRECISIONS[precision])
            action()  # what compiles, compiles here
            measurements[name] = {"bytes": None if name in GRAPHS else _peak(action, device)}
            actions[name] = action
        except (
            Exception
        ) as error:  # another library's, or too little memory: the others are measured
            measurements[name] = {"error": f"{type(error).__name__}: {error}"[:300]}
    for name, seconds in interleaved(actions, rounds).items():
        measurements[name] |= {"seconds": seconds, "images per second": case.batch / seconds}
    return measurements


def _builders(mode: str, device: str) -> dict[str, Callable[..., Action]]:
    def usual(name: str) -> Callable[..., Action]:
        def build(case: Case, device: str, dtype: torch.dtype | None) -> Action:
            model = IMPLEMENTATIONS[name](case).to(device)
            x, y = (part.to(device) for part in case.input())
            if mode == "forward":
                return forward(model, x, dtype)
            return training_step(model, x, y, dtype)

        return build

    def plain(name: str) -> Callable[..., Action]:
        def build(*arguments) -> Action:
            action = usual(name)(*arguments)

            def act() -> None:
                with reference():
                    action()

            return act

        return build

    builders = {name: usual(name) for name in IMPLEMENTATIONS}
    builders |= {name: plain(of) for name, of in REFERENCES.items()}
    if mode == "training" and device != "cpu":
        builders |= {name: _graph(of) for name, of in GRAPHS.items()}
    return builders


def _graph(name: str) -> Callable[..., Action]:
    def build(case: Case, device: str, dtype: torch.dtype | None) -> Action:
        from dista.training.replay import Replay

        model = IMPLEMENTATIONS[name](case).to(device).train()
        x, y = (part.to(device) for part in case.input())
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)

        def loss(x: Tensor, y: Tensor) -> Tensor:
            with torch.autocast(device, dtype, enabled=dtype is not None):
                answer = logits(model, x)
            reset(model)
            return cross_entropy(answer.float(), y)

        replay = Replay(model, loss, lambda value: value.backward(), case.batch)
        replay(x, y)
        optimizer.step()  # whose state is made at the first step

        def act() -> None:
            replay(x, y)
            optimizer.step()
            torch.cuda.synchronize()

        return act

    return build


def _peak(action: Action, device: str) -> int | None:
    """Bytes that a run takes beyond what was there before."""
    if device == "cpu":
        return None
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    action()
    return torch.cuda.max_memory_allocated() - before


# --- training -------------------------------------------------------------------------------------


_RATES = {"lr": 1.2e-3, "tau_lr": 4.8e-3}
"""[ours]: lower than the recipe's, for a network twice as wide as it was made for."""

_LITTLE = {"snapshot_mb": 1.0, "activity": 4}
"""Looking into the network takes time from training it."""


def learn(
    data_dir: Path, folder: Path, minutes: float, preset: str = "dista_cifar", **changes: Any
) -> dict:
    """Train ``preset`` with 4 steps on CIFAR-10 for so many minutes, the schedule ending with them.

    ``changes`` are those of the recipe ``cifar-short``.
    """
    from dista.data import open as open_task
    from dista.presets import preset as model_config
    from dista.recipes import recipe
    from dista.training import train

    task = open_task("cifar10", root=data_dir)
    config = model_config(preset).changed({"time_steps": 4, "memory.window": 4})
    precision = "bf16-mixed" if torch.cuda.is_available() else "fp32"
    training = recipe("cifar-short").replace(
        **{"epochs": 200, "minutes": minutes, "precision": precision} | _RATES | _LITTLE | changes
    )
    trained = train(task, config, training, folder=folder, preset=preset, data_root=data_dir)
    epochs = trained.table("epochs")
    best = trained.load("best").card
    return {
        "data": task.description,
        "preset": preset,
        "time steps": config.time_steps,
        "parameters": best["parameters"],
        "minutes": trained.status()["seconds"] / 60,
        "epochs": json.loads(epochs.to_json(orient="records")),
        "best": {"epoch": best["epoch"], **best["metrics"]},
        "training": training.model_dump(),
    }
