"""Watch: what a trained network does with one sample, step by step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.computed import payloads, probe_numbers, recordings, trust
from app.computed.recordings import Changes
from app.inputs import checkpoints, own_paths, recording_files
from app.inputs.own_paths import RecordingFile
from app.link import plain, url
from app.link.problems import Problems, reads
from app.page import choosers, downloads, next_page, overview, playground, snippets, toolbar
from app.page.next_page import Way
from dista.style.labels import layer as short
from dista.widgets.streamlit import probe

if TYPE_CHECKING:
    import xarray as xr

    from dista.widgets.packing import Payload

KEY = "watch-probe"

HOW_TO_READ = """
- **Maps are counts, not probabilities.** A cell says how many channels of a query and a key spiked
  together, 0 to the size of a head. There is no softmax, rows are not normalised, and two maps
  compare only on the same colour range: that of a head reaches to its largest count of this sample. *global* is
  the same for all heads; *per map* shows faint maps, in which a 1 may be as dark as a 16 elsewhere.
- **Kept** is what the denoiser lets through, **removed** what it takes out: thresholding is the
  paper's *nonlinear denoising* [paper, reviews]; the value of u is [ours].
- **Steps further back** are reached in one of two ways. In *map* memory queries meet the keys of
  past steps directly [ours; related: STAtten]. In *projection* memory the past enters Q, K and V
  before the map [reviews, a reconstruction], so that each map stays within its step.
- **The time constant tau** says how many steps a membrane listens back. It is learned together
  with the weights [paper: intrinsic plasticity].
- **Who looks at the cue?** A cell is the share of a head's attention at a step that goes there, over all patches.
  Patches are ranked by the counts beyond those of even attention over all keys in reach [ours]: a share alone is
  high wherever little else can be reached. What is *drawn* are patches with a pixel of half the largest value or more.
- **Change it and watch** changes the trained network, which is not trained anew. Another time constant is another
  gain as well: 1/tau of the current enters. Noise is Gaussian, its deviation in units of the input.
- Attention shows where spikes coincide. It does not show what the answer depends on.
"""


@reads("watch")
def show(problems: Problems) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="controls"):
        source = choosers.choose_source(problems)
        if isinstance(source, RecordingFile):
            position = choose_position(source, problems)
            tools = toolbar.show(HOW_TO_READ)
        elif source is not None:
            sample, image = choosers.choose_input(source, problems)
            tools = toolbar.show(HOW_TO_READ)
            doubts = st.popover("How far to trust", **url.opened("trust"))
        waiting = st.container(width="content")
    if source is None:
        show_without_checkpoint(problems)
        return
    place = url.place(problems)
    problems.here()
    if isinstance(source, RecordingFile):
        with plain.errors():
            watch_recording(source, position, place, tools)
        return
    with plain.errors():
        with waiting:
            recording = recordings.recording(source, sample, image)
        watch(source, sample, image, recording, place, tools, problems)
        if doubts.open:
            with doubts, plain.errors():
                show_doubts(source, recording, sample, image)


def watch(
    checkpoint: checkpoints.Checkpoint, sample: int, image: str | None, recording: xr.DataTree,
    place: dict[str, Any], tools: toolbar.Toolbar, problems: Problems,
) -> None:  # fmt: skip
    """A checkpoint with one sample, in the probe, and beside it what can be changed and where to look."""
    if "left_out" in recording.attrs:
        st.caption(recording.attrs["left_out"])
    key = checkpoint.weights, sample, image
    place |= choose_layer(recording, place, problems)
    patch = (place["row"], place["column"]) if {"row", "column"} <= place.keys() else None
    where = overview.look(recording, key, patch, problems)
    opened = not place.keys() & {"step", "block", "head", "row", "column"}
    begins = overview.place(where) if opened else {}
    for name, value in begins.items():
        url.show(name, value)
    heading = st.empty()  # says what is so after the changes, which are chosen below it
    heading.markdown(f"## {overview.sentence(where, opened) or 'Step by step'}")
    left, right = st.columns([0.72, 0.28], gap="small")
    with right, st.container(border=True, key="card-change"):
        changes = playground.choose(checkpoint, place.get("layer", ""), problems)
        answers = st.container()
    shown, now = recording, where
    if changes != Changes():
        shown = recordings.changed(checkpoint.weights, sample, image, changes)
        now = overview.look(shown, (*key, changes), patch, [])
        heading.markdown(f"## {overview.sentence(now, False, changed=True) or 'Step by step'}")
    with answers:
        playground.show_answers(recording, None if shown is recording else shown)
        playground.offer_many(checkpoint, changes)
    payload = payloads.payload(shown, *key, changes)
    with left:
        choices = {"sample": sample} | own_paths.in_url(checkpoint)
        seen = show_probe(payload, begins | place, **choices)
    with right, st.container(border=True, key="card-overview"):
        look_around(checkpoint, now, begins | place | seen, shown, problems)
    offer_ways({"step": payload.header["steps"] - 1} | begins | seen)
    at = begins | seen
    python = as_python(checkpoint, sample, image, at, changes)
    offer_files(tools, f"{downloads.short(checkpoint.name)}-{sample}", shown, at, python)
    tools.code.code(python, language="python")


def choose_layer(
    recording: xr.DataTree, place: dict[str, Any], problems: Problems
) -> dict[str, str]:
    """The layer that the link names, or the last where this network has no such layer."""
    from dista import measures

    names = measures.layers(recording)
    if "layer" not in place or not names:
        return {}  # the probe chooses one
    return {"layer": url.choice("layer", names, names[-1], problems, short)}


def look_around(
    checkpoint: checkpoints.Checkpoint, where: overview.Where | None, at: dict[str, Any],
    recording: xr.DataTree, problems: Problems,
) -> None:  # fmt: skip
    """All heads and steps at once, and the neurons of a class."""
    if where is not None:
        overview.show(where, at)
    block = at.get("block", checkpoint.config.depth - 1)
    layer = at.get("layer") or f"blocks.{block}.attention.neuron"
    overview.show_neurons(checkpoint, layer, recording.attrs["classes"], problems)


def offer_ways(seen: dict[str, Any]) -> None:
    """Other pages on what the probe shows: its layer, its head, its step, and the sample."""
    block, head, step = (seen.get(name, -1) for name in ("block", "head", "step"))
    ablated = Way(
        "ablate", "This checkpoint in Ablate"
    )  # before the probe says which head it has chosen
    if min(block, head) >= 0:
        ablated = Way("ablate", "This head in Ablate", {"switches": f"head={block}.{head}"})
    next_page.offer(
        Way("neurons", "This layer in Neurons"),
        Way("denoise", "This sample in Denoise"),
        Way("memory", "This step in Memory", {"changed": step} if step >= 0 else {}),
        ablated,
        Way("compare", "This sample in Compare"),
    )


def offer_files(
    tools: toolbar.Toolbar, name: str, recording: xr.DataTree, seen: dict[str, Any], python: str,
    position: int = 0,
) -> None:  # fmt: skip
    downloads.fill(
        tools.save,
        name,
        {"Recording": lambda: recording},
        tables=lambda: probe_numbers.numbers(recording, seen, position),
        python=python,
        hint="Panels are saved by the buttons in their corners, as PNG or SVG.",
    )


def choose_position(file: RecordingFile, problems: list[str]) -> int:
    """Which sample of a recording, by its place in it; in the URL as ``sample`` by its own number."""
    numbers = []
    with contextlib.suppress(ValueError, OSError):  # said where the recording is to be shown
        recording = recording_files.open_recording(Path(file.path))
        numbers = recording["batch"].values.tolist() if "batch" in recording.coords else []
    if len(numbers) < 2:
        return 0
    wanted = url.number("sample", numbers[0], problems)
    if wanted not in numbers:
        problems.append(f"There is no sample {wanted} in this recording; showing {numbers[0]}.")
        wanted = numbers[0]
    st.selectbox(
        "Sample", numbers, format_func=lambda sample: f"Sample {sample}",
        label_visibility="collapsed", width=190, **url.bound("sample", wanted),
    )  # fmt: skip
    return numbers.index(wanted)


def watch_recording(
    file: RecordingFile, position: int, place: dict[str, Any], tools: toolbar.Toolbar
) -> None:
    """A recording from a path of the reader's own, in the probe."""
    path = Path(file.path)
    recording = recording_files.open_recording(path)
    payload = payloads.foreign_payload(recording, path, position)
    st.markdown(f"## The recording {plain.text(path.name)}")
    seen = show_probe(payload, place, path=file.name)
    python = of_recording(file, position, seen)
    offer_files(tools, path.name.partition(".")[0], recording, seen, python, position)
    tools.code.code(python, language="python")


def show_without_checkpoint(problems: list[str]) -> None:
    """The shipped recording alone still makes a page; without it, say what makes one."""
    first = recording_files.first_light()
    if first is None:
        choosers.show_empty("to watch yet", task="match")
        return
    place = url.place(problems)
    problems.here()
    with plain.errors():
        st.markdown("## The recording that comes with this dashboard")
        show_probe(payloads.payload(first, "first light", first.attrs.get("weights")), place)


def show_probe(payload: Payload, place: dict[str, Any], **choices: Any) -> dict[str, Any]:
    url.show_place(payload.header)
    remember = partial(url.remember_place, KEY, **choices)
    return probe(payload, key=KEY, state=place, on_change=remember)


def show_doubts(
    checkpoint: checkpoints.Checkpoint, recording: xr.DataTree, sample: int, image: str | None
) -> None:
    """Row sums, and how much of the maps networks have that learned nothing."""
    st.markdown("**Counts, not probabilities**\n\n" + bullets(trust.row_sentences(recording)))
    place, controls = st.empty(), trust.controls(checkpoint)
    there = trust.is_there(checkpoint.weights, controls)
    for networks in dict.fromkeys((trust.NETWORKS,) if there else (trust.FEWER, trust.NETWORKS)):
        similarities = trust.untrained(checkpoint.weights, controls, networks)
        early = "" if networks == trust.NETWORKS else f" The first {networks} networks say:"
        lines = bullets(map(trust.similarity_sentence, similarities))
        place.markdown(f"**How much of it is learned?** {trust.READ}{early}\n\n{lines}")
    st.caption(trust.METHOD)
    st.code("\n".join(snippets.trust(checkpoint, sample, image)), language="python")


def bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {sentence}" for sentence in sentences)


def of_recording(file: RecordingFile, position: int, place: dict[str, Any]) -> str:
    """Code that shows a recording from a path in a notebook."""
    lines = ["import dista", "", f"recording = dista.open_recording({file.path!r})"]
    lines += ["", "dista.widgets.probe(", f"    recording,\n    {position},"]
    lines += ["    step_labels=recording.attrs.get('step_labels'),"]
    return "\n".join(lines) + "\n" + _options(place) + ")"


def _options(place: dict[str, Any]) -> str:
    names = [*url.PLACE_NUMBERS, *url.PLACE_WORDS]
    return "".join(f"    {name}={place[name]!r},\n" for name in names if name in place)


def as_python(
    checkpoint: checkpoints.Checkpoint, sample: int, image: str | None, place: dict[str, Any],
    changes: Changes = Changes(),
) -> str:  # fmt: skip
    """Code that shows the same view in a notebook."""
    lines = snippets.recording(checkpoint, sample, image)
    if changes.noise:
        noise = "from dista.experiments.corruption import Noise, corrupt"
        counts = "counts=task.test.unit == 1"
        lines[-1:] = [
            noise,
            f"x = corrupt(x, Noise('gaussian', {changes.noise!r}), [{sample}], {counts})",
            lines[-1],
        ]
    if changes.interventions:
        lines[-1:] = [*playground.as_python(changes), f"    {lines[-1]}"]
    lines += ["", "dista.widgets.probe(", "    recording,", "    step_labels=task.step_labels,"]
    return "\n".join(lines) + "\n    class_names=task.classes,\n" + _options(place) + ")"


show()
