"""What is measured on: versions, kernels and why, and how fast this machine multiplies."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import time
from pathlib import Path

import torch
from torch import nn

from dista.engine import attention_products, events, kernels

PACKAGES = ("dista-explorer", "torch", "spikingjelly", "numba", "snntorch", "lightning")


def info() -> dict:
    """Versions, machine and the kernels that are in use, each with its reason."""
    return {
        "versions": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "system": platform.platform(),
        "processor": _processor(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "kernels": {"evaluation, CPU": events.implementation()}
        | kernels.implementations()
        | attention_products.shortcuts(),
    }


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    model = next(
        (line.split(":")[1].strip() for line in lines if line.startswith("model name")), ""
    )
    return f"{model or platform.machine()}, {os.cpu_count()} cores"


def peaks(rounds: int = 5) -> dict[str, float]:
    """FLOP/s that this machine reaches in float32: a large matrix product and a 1x1 convolution.

    The best of ``rounds``: it is the ceiling of what a model of these operations can reach.
    """
    a, b = torch.rand(1024, 1024), torch.rand(1024, 1024)
    x = torch.rand(64, 384, 16, 16).to(memory_format=torch.channels_last)
    conv = nn.Conv2d(384, 384, 1, bias=False).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        return {
            "matrix product": _rate(lambda: a @ b, 2 * 1024**3, rounds),
            "convolution": _rate(lambda: conv(x), 2 * 384 * x.numel(), rounds),
        }


def _rate(action, operations: int, rounds: int) -> float:
    seconds = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - began)
    return operations / min(seconds[1:])


def operations(model: nn.Module, x: torch.Tensor) -> int:
    """Floating-point operations of one forward: products and sums in convolutions and matrix products."""
    from torch.utils.flop_counter import FlopCounterMode

    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model.eval()(x)
    return counter.get_total_flops()
