"""What the package and the dashboard write and read again, for ``test_fuzz.py``: pictures, recordings,
checkpoints and runs, one file of which is damaged.
"""

from __future__ import annotations

import contextlib
import functools
import io
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from fuzzing import Reader, file


def picture(format: str, mode: str = "RGB") -> bytes:
    """A picture of 40 x 30 pixels; of a jpg one that is to be turned."""
    import numpy as np
    from PIL import Image

    pixels = np.arange(40 * 30 * 4).reshape(30, 40, 4) * 37 % 251
    made, buffer = Image.fromarray(pixels.astype(np.uint8), "RGBA").convert(mode), io.BytesIO()
    turned = Image.Exif()
    turned[0x0112] = 6
    made.save(buffer, format, **({"exif": turned} if format == "JPEG" else {}))
    return buffer.getvalue()


def in_link(read: Callable[[str], object]) -> Callable[[bytes, Path], object]:
    """A reader of what stands in a link as base64."""
    from app.inputs import images

    return lambda content, _: read(images._text(content))


@functools.cache
def made() -> Path:
    """A folder with a run as training leaves it when it is stopped: ``run``, and a recording ``one.zarr``."""
    import numpy as np
    import torch

    import dista
    from dista.config import TrainingConfig
    from dista.recording import save
    from dista.runs import Run, RunConfig

    folder = Path(tempfile.mkdtemp(prefix="dista-fuzz-"))
    config = dista.preset("tiny").replace(dim=8, heads=1, depth=1)
    model, training = dista.DISTA(config).eval(), TrainingConfig(epochs=1)
    model.card = {
        "name": "one",
        "task": "digits",
        "metrics": {"test": {"accuracy": 0.5, "samples": 9}},
    }
    x = torch.rand(1, *config.input_shape, generator=torch.Generator().manual_seed(0))
    recording = dista.record(model, x, ["*.tau", "*.denoise", "head"], classes=list("0123456789"))
    what = RunConfig(preset="tiny", data="digits", model=config, training=training)
    run = Run.create(folder / "run", what, {"command": "dista train", "started": 1.0})
    run.append(
        "steps", [{"step": i, "epoch": 0, "loss": 1 / (i + 1), "lr": 1e-3} for i in range(20)]
    )
    run.append(
        "neurons", [{"epoch": i, "layer": "stem", "tau": 2.0, "rate": 0.1} for i in range(9)]
    )
    run.note("a row is missing")
    run.save_snapshot(0, recording)
    dista.save(model, run.checkpoint("best"))
    run.save_state({"a": torch.from_numpy(np.arange(9.0))}, {"epoch": 0, "step": 20})
    run.set_status("stopped", epoch=0, step=20, reason="asked")
    save(recording, folder / "one.zarr")
    return folder


def content(place: str) -> bytes:
    return (made() / place).read_bytes()


def within(
    part: str, place: str, read: Callable[[Path], object]
) -> Callable[[bytes, Path], object]:
    """A reader of the folder ``part``, in which the file at ``place`` is damaged."""

    def written(damaged: bytes, folder: Path) -> object:
        shutil.copytree(made() / part, folder / "copy")
        (folder / "copy" / place).write_bytes(damaged)
        return read(folder / "copy")

    return written


def read_run(path: Path) -> None:
    """Everything that a page reads of a run, and what a resumed training does first."""
    from dista.runs import Run, RunError, find
    from dista.runs.differences import differing_runs
    from dista.runs.facts import TABLES

    run = Run(path)
    find(path.parent)
    run.status()
    run.notes()
    for table in TABLES:
        run.table(table)
    for read in (lambda: run.config, lambda: run.environment):
        with contextlib.suppress(RunError):
            read()
    with contextlib.suppress(RunError):
        differing_runs(run.config, [run])
    with contextlib.suppress(RunError):
        run.rewind((run.reopen() or (None, None))[1])
    run.release()


def readers() -> list[Reader]:
    """Of the files that are ours. To add one: its name, a valid content, how it is read, what it may raise."""
    import dista
    from app.inputs import checkpoints, images
    from dista.checkpoint import CheckpointError
    from dista.files.recordings import RecordingError, open_recording
    from dista.runs import RunError

    digit = lambda data, _: images.read_digit(data, invert=True)  # noqa: E731
    colours = lambda data, _: images.read_colours(data)  # noqa: E731
    picture_errors, of_weights = (images.ImageError,), (CheckpointError,)
    best, model = "run/checkpoints/best", lambda path: dista.load(path)
    card = lambda path: checkpoints.checkpoint_at("one", path)  # noqa: E731
    snapshot = "run/snapshots/epoch-0000.zarr.zip"
    of_run = (RunError,)
    map_place = "blocks/0/attention/denoise"
    map_file = next(p for p in (made() / "one.zarr" / map_place / "c").rglob("*") if p.is_file())
    chunk = map_file.relative_to(made() / "one.zarr").as_posix()
    return [
        Reader("a png", picture("PNG", "RGBA"), digit, picture_errors),
        Reader("a png of a palette", picture("PNG", "P"), digit, picture_errors),
        Reader("a jpg", picture("JPEG"), colours, picture_errors),
        Reader("a digit in a link", _bytes(images.image_text), in_link(images.image_pixels), picture_errors),
        Reader("a picture in a link", _bytes(images.colour_text, 3), in_link(images.colour_pixels), picture_errors),
        Reader("a recording", content(snapshot), file("a.zarr.zip", open_recording), (RecordingError,)),
        Reader("a recording's root", content("one.zarr/zarr.json"),
               within("one.zarr", "zarr.json", open_recording), (RecordingError,)),
        Reader("a recording's array", content(f"one.zarr/{map_place}/zarr.json"),
               within("one.zarr", f"{map_place}/zarr.json", open_recording), (RecordingError,)),
        Reader("a recording's chunk", content(f"one.zarr/{chunk}"),
               within("one.zarr", chunk, open_recording), (RecordingError,)),
        Reader("weights", content(f"{best}/model.safetensors"), within(best, "model.safetensors", model), of_weights),
        Reader("a configuration", content(f"{best}/config.json"), within(best, "config.json", model), of_weights),
        Reader("a card", content(f"{best}/card.json"), within(best, "card.json", model), of_weights),
        Reader("a card in a list", content(f"{best}/card.json"), within(best, "card.json", card)),
        Reader("weights in a list", content(f"{best}/model.safetensors"), within(best, "model.safetensors", card)),
        *(Reader(f"a run's {name}", content(f"run/{name}"), within("run", name, read_run), of_run)
          for name in ("config.json", "status.json", "environment.json", "steps.jsonl", "neurons.jsonl",
                       "notes.jsonl", "resume.safetensors")),
    ]  # fmt: skip


def _bytes(text: Callable[..., str], channels: int = 0) -> bytes:
    """What ``text`` makes of a picture, before it is base64."""
    import numpy as np

    from app.inputs import images

    shape = (32, 32, channels) if channels else (28, 28)
    levels = (np.indices(shape).sum(0) % 16).astype(np.uint8)
    return images._bytes(text(levels))
