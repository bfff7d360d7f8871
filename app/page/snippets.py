"""The Python behind "Copy as Python": lines that pages put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.inputs import checkpoints, event_files, images, own_input, tasks

MOST_TEXT = (
    100_000  # letters of a recording of events within the code; one of N-MNIST has some 30,000
)

if TYPE_CHECKING:
    from app.computed.experiments import Surgery
    from app.inputs.checkpoints import Checkpoint


def inputs(checkpoint: Checkpoint, sample: int | str, image: str | None = None) -> list[str]:
    """Lines that load the model and the task and make ``x`` and ``label``, of one sample or a range."""
    samples = f"[{sample}]" if isinstance(sample, int) else sample
    lines = ["import dista", "", f"model = dista.load({name_or_path(checkpoint)!r})"]
    stands_in = checkpoint.task in tasks.FROM_FILES and tasks.stand_ins(checkpoint.data)
    if stands_in:
        steps = tasks.options_of(checkpoint.data)
        words = "".join(f", {option}={value!r}" for option, value in steps.items())
        bare = f"dista.data.without_samples({checkpoint.task!r}{words})"
        lines += [f"task = dista.data.with_stand_ins({bare})  # its files are not here"]
        lines += [f"x, label = task.test.batch({samples})"]
        return lines if image is None else lines + own(image, checkpoint, sample)
    if image is None:
        return [*lines, task(checkpoint), f"x, label = task.test.batch({samples})"]
    if len(tasks.form(checkpoint.data).test):
        lines += [task(checkpoint), f"x, label = task.test.batch({samples})"]
    else:
        length = tasks.options_of(checkpoint.data).get("time_steps")
        words = "" if length is None else f", time_steps={length}"
        lines += [
            f"task = dista.data.without_samples({checkpoint.task!r}{words})  # its files are not here",
            "x = model.mean.new_zeros(1, *task.input_shape)",
        ]
    return lines + own(image, checkpoint, sample)


def name_or_path(checkpoint: Checkpoint) -> str:
    """What ``dista.load`` takes: the name of a shipped checkpoint, or a path."""
    return checkpoint.name if checkpoint.name in checkpoints.shipped() else checkpoint.path


def task(checkpoint: Checkpoint) -> str:
    """The line that opens the task of a checkpoint."""
    data = checkpoint.data
    options = ({"root": data.root} if data.root else {}) | tasks.options_of(data)
    words = "".join(f", {option}={value!r}" for option, value in options.items())
    return f"task = dista.data.open({data.name!r}{words})"


def shown(*figures: str) -> list[str]:
    """Lines that make ``figures`` and show all of them: below a notebook's cell, or from a script in a browser.

    A figure that is only made is shown by a notebook alone, and there only if it is the last.
    """
    made = [f"    {one}," for one in figures]
    return ["", "figures = [", *made, "]", "for figure in figures:", "    figure.show()"]


def displayed(widgets: str) -> list[str]:
    """Lines that show widgets in a notebook; a script has no place for them."""
    return ["from IPython.display import display", "", f"display({widgets})  # in a notebook"]


def recording(checkpoint: Checkpoint, sample: int, image: str | None) -> list[str]:
    """``inputs``, and a line that makes ``recording``."""
    return [*inputs(checkpoint, sample, image), f"recording = {record_call(sample, image)}"]


def record_call(sample: int, image: str | None) -> str:
    """The call that records ``x``, of which only a held-out sample has a label."""
    labels = "" if image is not None else "labels=label.tolist(), "
    return f"dista.record(model, x, {labels}classes=task.classes, samples=[{sample}])"


def trust(checkpoint: Checkpoint, sample: int, image: str | None) -> list[str]:
    """``recording``, and lines that compare the network's maps with those of untrained networks."""
    from app.computed.trust import BATCH, MAPS, NETWORKS, SAMPLES

    return [
        *recording(checkpoint, sample, image),
        "print(dista.measures.row_sums(recording, block=0))",
        "",
        "from dista.experiments.untrained import untrained_like",
        "",
        f"batch, _ = task.train.batch(range({BATCH}))",
        f"networks = [untrained_like(model, batch, seed) for seed in range({NETWORKS})]",
        f"x, _ = task.test.batch(range({SAMPLES}))",
        f"own, *others = [dista.record(network, x, {list(MAPS)}) for network in (model, *networks)]",
        "print(dista.measures.untrained_similarity(own, others))",
    ]


def own(text: str, checkpoint: Checkpoint, sample: int | str = 0) -> list[str]:
    """Lines that put the own input into ``x``, which holds ``sample``."""
    kind = own_input.kind(checkpoint.config.input_shape)
    if kind == "events":
        return own_events(text)
    if kind == "colours":
        return own_colours(text)
    return own_digits(text, sample) if checkpoint.task == "match" else own_image(text)


def own_events(key: str) -> list[str]:
    """Lines with the recording itself, as the server forgets it, or that read it from the reader's own copy.

    A long one would be more text than anybody pastes.
    """
    file = event_files.shelf().get(key)
    name, packed = file.name, event_files.packed(file.events)
    if len(packed) > MOST_TEXT:
        return [
            "",
            f"# the own recording, too long to stand here: put {name!r}, which was uploaded, beside this code",
            "from pathlib import Path",
            "from dista.data.event_readers import read_events",
            "from dista.data.recordings import as_input",
            f"x = as_input(read_events(Path({name!r})), task)",
            "",
        ]
    return [
        "",
        f"# the own recording, {' '.join(name.split())}",
        "import base64, io, numpy",
        "from dista.data.recordings import as_input",
        f"file = numpy.load(io.BytesIO(base64.b64decode({packed!r})))",
        "events = numpy.rec.fromarrays([file[name].astype(int) for name in 'xytp'], names='x,y,t,p')",
        "x = as_input(events, task)",
        "",
    ]


def own_colours(image: str) -> list[str]:
    """Lines that put the own colour picture of a link into ``x``."""
    return [
        "",
        "# the own picture, 32 x 32 pixels in colour",
        "import base64, io, numpy, torch",
        "from PIL import Image",
        f"packed = base64.urlsafe_b64decode({image + '=' * (-len(image) % 4)!r})",
        "pixels = numpy.asarray(Image.open(io.BytesIO(packed)).convert('RGB'), numpy.float32) / 255",
        "x[:] = torch.from_numpy(pixels.transpose(2, 0, 1).copy())",
        "",
    ]


def own_image(image: str) -> list[str]:
    """Lines that put the own digit of a link into ``x``."""
    return [*_unpacked(images.roles(image)["probe"]), "x[:] = picture", ""]


def own_digits(image: str, sample: int | str) -> list[str]:
    """Lines that put own digits in the place of probe and cue, with the noise of the held-out sample."""
    lines = [f"noise = task.test.noise_of({sample})"]
    for role, part in images.roles(image).items():
        lines += _unpacked(part)
        lines += [f"steps = [label == {role!r} for label in task.step_labels]"]
        lines += ["x[steps, 0] = (picture + noise[steps]).clamp(0, 1)", ""]
    return lines


def _unpacked(image: str) -> list[str]:
    """Lines that make ``picture`` of what a link holds."""
    return [
        "",
        "# the own image, 28 x 28 pixels with 16 greys",
        "import base64, zlib, numpy, torch",
        f"packed = base64.urlsafe_b64decode({image + '=' * (-len(image) % 4)!r})",
        "grey = numpy.frombuffer(zlib.decompress(packed), numpy.uint8).reshape(28, 28)",
        "picture = torch.from_numpy(grey / numpy.float32(15))",
    ]


def surgery(surgery: Surgery) -> list[str]:
    """Lines that make ``changes``, the surgery of time constants for ``dista.intervene``."""
    if surgery.kind == "set":
        return [f"changes = {{{surgery.pattern!r}: dista.interventions.tau({surgery.tau})}}"]
    if surgery.kind == "initial":
        lines = ["changes = dista.ablations.changes(['learned-taus'], model)"]
    else:
        lines = [
            f"donor = dista.load({surgery.kind!r})",
            "changes = dista.interventions.transplant(model, donor)",
        ]
    if surgery.layer is None:
        return lines
    return [*lines, f"changes = {{{surgery.pattern!r}: changes[{surgery.pattern!r}]}}"]
