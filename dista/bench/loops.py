"""Use every compiled loop once, so that numba compiles and keeps it.

One model of each kind that loops know is enough: the code does not depend on sizes.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

from dista.denoisers import DENOISERS
from dista.memories import FORMS, MemoryConfig
from dista.model import DISTA
from dista.presets import preset
from dista.recording import record

WINDOW = 2


def compile_loops() -> list[str]:
    """The functions that were compiled now, as the cache lacked them. Needs numba."""
    from dista.engine.compiled import counting

    with counting() as compiled:
        for model in models():
            use(model)
    return compiled


def models() -> Iterator[DISTA]:
    """One of each kind that loops know: the code does not depend on sizes."""
    small = preset("digits").replace(dim=16, depth=1, heads=2, time_steps=WINDOW + 1)
    for form, declared in FORMS.items():
        for kind in DENOISERS:
            yield DISTA(
                small.replace(
                    memory=MemoryConfig(form=form, window=WINDOW if declared.remembers else 1),
                    denoiser=small.denoiser.replace(kind=kind),
                )
            )


def use(model: DISTA) -> None:
    """Train a step, answer an image, record everything, and follow a stream."""
    x = torch.rand(2, *model.config.input_shape)
    model.train()(x).sum().backward()
    model.eval()
    with torch.no_grad():
        model(x)
        model(x[None].expand(model.config.time_steps, -1, -1, -1, -1))
    record(model, x)
    _, state = model.step(x, model.start())
    model.step(x, state)
