"""Watch: what a trained network does with one sample, step by step."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import controls
import state
import streamlit as st

from dista.widgets.streamlit import probe

if TYPE_CHECKING:
    from dista.widgets.packing import Payload

KEY = "watch-probe"

HOW_TO_READ = """
- **Maps are counts, not probabilities.** A cell says how many channels of a query and a key spiked
  together, 0 to the size of a head. There is no softmax, rows are not normalised, and two maps
  compare only on the same colour range: choose *per head* or *global* for that.
- **Kept** is what the denoiser lets through, **removed** what it takes out: thresholding is the
  paper's *nonlinear denoising* [paper, reviews]; the value of u is [ours].
- **Steps further back** are reached in one of two ways. In *map* memory queries meet the keys of
  past steps directly [ours; related: STAtten]. In *projection* memory the past enters Q, K and V
  before the map [reviews, a reconstruction], so that each map stays within its step.
- **The time constant tau** says how many steps a membrane listens back. It is learned together
  with the weights [paper: intrinsic plasticity].
- Attention shows where spikes coincide. It does not show what the answer depends on.
"""

EMPTY = """
#### There is no checkpoint to watch yet

Train a small one, a few minutes on a laptop, and it appears here:

```
dista train --preset match_map --data match --save assets/match-map
```
"""


def show() -> None:
    problems: list[str] = []
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="controls"):
        checkpoint = controls.choose_checkpoint(problems)
        if checkpoint is not None:
            sample = controls.choose_sample(checkpoint, problems)
            image = controls.choose_image(checkpoint, problems)
            code = st.popover("Copy as Python")
            st.popover("How to read this", key="how-to-read").markdown(HOW_TO_READ)
        waiting = st.container(width="content")
    if checkpoint is None:
        show_without_checkpoint(problems)
        return
    place = state.place(problems)
    warn(problems)
    with state.plain_errors():
        with waiting:
            recording = state.recording(checkpoint, sample, image)
        payload = state.payload(recording, checkpoint.path, checkpoint.accuracy, sample, image)
        seen = show_probe(payload, place, checkpoint=checkpoint.name, sample=sample)
        code.code(as_python(checkpoint, sample, image, seen), language="python")


def show_without_checkpoint(problems: list[str]) -> None:
    """The shipped recording alone still makes a page; without it, say what makes one."""
    first = state.first_light()
    if first is None:
        st.markdown(EMPTY)
        return
    place = state.place(problems)
    warn(problems)
    with state.plain_errors():
        show_probe(state.payload(first, "first light"), place)


def show_probe(payload: Payload, place: dict[str, Any], **choices: Any) -> dict[str, Any]:
    remember = partial(state.remember_place, KEY, **choices)
    return probe(payload, key=KEY, state=place, on_change=remember)


def warn(problems: list[str]) -> None:
    if problems:
        st.warning(" ".join(problems))


def as_python(
    checkpoint: state.Checkpoint, sample: int, image: str | None, place: dict[str, Any]
) -> str:
    """Code that shows the same view in a notebook."""
    lines = [
        "import dista",
        "",
        f"model = dista.load({checkpoint.name!r})",
        f"task = dista.data.open({checkpoint.task!r})",
        f"x, label = task.test.batch([{sample}])",
    ]
    if image is not None:
        lines += own_image_code(image, checkpoint.task)
    known = "" if image is not None else "labels=label.tolist(), "
    lines += [
        f"recording = dista.record(model, x, {known}classes=task.classes, samples=[{sample}])"
    ]
    names = [*state.PLACE_NUMBERS, *state.PLACE_WORDS]
    options = "".join(f"    {name}={place[name]!r},\n" for name in names if name in place)
    lines += ["", "dista.widgets.probe(", "    recording,", "    step_labels=task.step_labels,"]
    return "\n".join(lines) + "\n    class_names=task.classes,\n" + options + ")"


def own_image_code(image: str, task: str) -> list[str]:
    where = "[-2:]" if task == "match" else "[:]"
    return [
        "",
        "# the own image, 28 x 28 pixels with 16 greys",
        "import base64, zlib, numpy, torch",
        f"packed = base64.urlsafe_b64decode({image + '=' * (-len(image) % 4)!r})",
        "grey = numpy.frombuffer(zlib.decompress(packed), numpy.uint8).reshape(28, 28)",
        f"x{where} = torch.from_numpy(grey / numpy.float32(15))",
        "",
    ]


show()
