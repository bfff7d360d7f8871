"""Compare: two checkpoints, two runs, or two inputs, side by side and in step."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.computed import payloads, reruns
from app.computed.reruns import Side
from app.inputs import checkpoints, own_input_form, own_paths
from app.link import plain, url
from app.link.problems import Problems, reads
from app.page import charts, choosers, downloads, next_page, snippets, toolbar
from app.page.next_page import Way
from dista.figures.theme import percent
from dista.style.labels import layer as short
from dista.widgets.streamlit import probe

if TYPE_CHECKING:
    import xarray as xr

    from dista.measures import LayerActivity, SpikeDistance

SIDES = ("left", "right")
NOISE = 0.3  # the standard deviation with which one network is compared with itself
MOST = 2.0

HOW_TO_READ = """
- **Both sides move together**: a step, a patch, a head, a block or a layer chosen on one side is chosen on the
  other as well, as far as it has it.
- **The same network twice**, with another input: neurons correspond, so that spikes can be compared one by
  one. Where the noise is taken out on the way, the rows of the figure fade from top to bottom.
- **Two networks** that were trained apart: their neurons and heads do not correspond, even where they have
  the same number. Compare maps as wholes, rates, time constants and answers.
- Maps are counts. The two sides have colour ranges of their own; *global* ranges are global to a side.
- *Noise* is Gaussian, in units of the input: 1 is white in an image, or one event.
- **An own input** takes the sample's place on both sides, with the noise on the right.
"""


@reads("compare")
def show(problems: Problems) -> None:
    st.markdown("Two networks, or two inputs, side by side. **Where do they part?**")
    options = with_own(checkpoints.runnable(), problems)
    if not options:
        choosers.show_empty("to compare")
        checkpoints.show_damaged()
        return
    with choosers.row("controls"):
        sides = choose_sides(options, problems)
        own_paths.offer()
        checkpoints.show_damaged()
        tools = toolbar.show(HOW_TO_READ)
    place = url.place(problems)
    problems.here()
    with plain.errors():
        recordings = [reruns.side(side) for side in sides]
        st.markdown(f"## {plain.text(sentence(recordings))}")
        choose_shown()
        with st.container(key="differences"):
            show_differences(sides, recordings)
        show_probes(sides, recordings, place)
        next_page.offer(*ways(sides))
        python = as_python(sides, place)
        tools.code.code(python, language="python")
        left, right = (downloads.short(side.checkpoint.name) for side in sides)
        name = f"compare-{left}-{right}-{sides[0].sample}"
        both = {f"Recording {side}": (lambda it=it: it) for side, it in zip(SIDES, recordings)}
        downloads.fill(tools.save, name, both, python=python)


def with_own(
    options: dict[str, checkpoints.Checkpoint], problems: list[str]
) -> dict[str, checkpoints.Checkpoint]:
    """A checkpoint at a path of the reader's own comes first."""
    own = own_paths.source(problems)
    if isinstance(own, own_paths.RecordingFile):
        problems.append(f"{own.path} is a recording, which the Watch page shows; here models run.")
        own = None
    return options if own is None else {own.name: own} | options


def choose_sides(
    options: dict[str, checkpoints.Checkpoint], problems: list[str]
) -> tuple[Side, Side]:
    """What is left and what is right: a checkpoint each, one input, and noise on the right."""
    own = url.text("path")
    first = own if own in options else checkpoints.default(options)
    left = checkpoints.choose("checkpoint", "Left", options, first, problems)
    st.markdown("and", width="content")
    same_task = {
        name: one
        for name, one in options.items()
        if (one.task, one.data_options) == (left.task, left.data_options)
    }
    checkpoints.take_old_name("right")
    if url.text("right") not in same_task:
        url.write(right=None)  # of another task: samples have nothing in common
    right = checkpoints.choose("right", "Right", same_task, left.name, problems)
    sample = choosers.choose_sample(left, problems)
    images = choose_images((left, right), sample, problems)
    noise = url.real("noise", NOISE if right == left else 0.0, 0.0, MOST, problems)
    with choosers.together():
        st.markdown("noise on the right", width="content")
        st.number_input(
            "Noise on the right", 0.0, MOST, step=0.1, label_visibility="collapsed", width=130,
            **url.bound("noise", noise),
        )  # fmt: skip
    return Side(left, sample, 0.0, images[0]), Side(right, sample, noise, images[1])


def choose_images(
    sides: tuple[checkpoints.Checkpoint, checkpoints.Checkpoint], sample: int, problems: list[str]
) -> list[str | None]:
    """The own input, for each side that can see it; what keeps a side from it is said of that side."""
    own_input_form.offer(sides[0], problems, choosers.answer(sides[0], sample))
    said = [], []
    images = [own_input_form.fitting(one, told) for one, told in zip(sides, said)]
    if said[0] == said[1]:
        problems += said[0]
    else:
        problems += [f"{n.capitalize()}: {text}" for n, told in zip(SIDES, said) for text in told]
    return images


def sentence(recordings: list[xr.DataTree]) -> str:
    """What both answer, and whether that is correct."""
    from dista.measures import decision

    decisions = [decision(recording) for recording in recordings]
    said = [
        f"{name} answers {one.classes[one.answer]} ({percent(one.probabilities[-1, one.answer])})"
        for name, one in zip(SIDES, decisions)
    ]
    truth = (
        f" It is {decisions[0].classes[decisions[0].label]}."
        if decisions[0].label is not None
        else ""
    )
    return f"{said[0].capitalize()}, {said[1]}.{truth}"


@st.fragment
def choose_shown() -> None:
    """Which part a phone shows, where two probes do not stand side by side; the stylesheet does the rest."""
    st.radio(
        "Shown", ("Left", "Right", "Difference"), horizontal=True, label_visibility="collapsed",
        key="shown-side",
    )  # fmt: skip


def show_probes(
    sides: tuple[Side, Side], recordings: list[xr.DataTree], place: dict[str, Any]
) -> None:
    """The probe twice; what is chosen in one is chosen in the other."""
    for name, side, recording, column in zip(SIDES, sides, recordings, st.columns(2)):
        with column, st.container(key=f"side-{name}"):
            st.markdown(f"**{name.capitalize()}**: {described(side)}")
            if "left_out" in recording.attrs:
                st.caption(recording.attrs["left_out"])
            key = f"compare-{name}"
            payload = payloads.payload(recording, side.checkpoint.weights, *side[1:])
            url.show_place(payload.header)
            remember = partial(url.remember_place, key, **in_url(sides))
            probe(
                payload, key=key, state=place, group="compare", name=name.capitalize(), on_change=remember
            )  # fmt: skip


def ways(sides: tuple[Side, Side]) -> list[Way]:
    """Each side by itself, and the noise of the right one where there is any."""
    left, right = (side.checkpoint for side in sides)
    noise = sides[1].noise
    links = [Way("watch", "The left side in Watch"), Way("neurons", "The left side in Neurons")]
    if right != left:
        links += [Way("watch", "The right side in Watch", own_paths.in_url(right))]
    if 0 < noise <= 1:
        same = {"kind": "gaussian", "level": noise, "where": "everywhere"}
        links += [Way("denoise", "This noise in Denoise", same)]
    return links


def in_url(sides: tuple[Side, Side]) -> dict[str, Any]:
    left, right = sides
    named = {"checkpoint": left.checkpoint.name, "right": right.checkpoint.name}
    return named | {"sample": left.sample, "noise": right.noise}


def described(side: Side) -> str:
    noise = f", noise {side.noise:g}" if side.noise else ""
    return f"{checkpoints.title(side.checkpoint)}{noise}"


def show_differences(sides: tuple[Side, Side], recordings: list[xr.DataTree]) -> None:
    """Spike by spike for one network with two inputs; layer by layer for two networks."""
    from dista import figures, measures

    theme = charts.theme()
    if sides[0].checkpoint == sides[1].checkpoint:
        labels = recordings[0].attrs.get("step_labels")
        apart = measures.spike_distance(*recordings)
        left, right = st.columns([0.6, 0.4])
        with left:
            figure = figures.spike_distance(apart, step_labels=labels, theme=theme)
            charts.plot(figure, "spike-distance")
        with right, st.container(border=True, key="card-maps"):
            st.markdown("**How alike the attention maps are**")
            for similarity in measures.map_similarity(*recordings):
                st.markdown(alike(similarity))
            st.caption(
                "Cosine of the two maps of all heads and steps: 100 % is the same direction."
            )
        next_page.offer(*ways_apart(apart), key="next-pages-differences")
        return
    tables = [measures.neuron_table(recording) for recording in recordings]
    for column, of in zip(st.columns(2), ("tau", "rate")):
        with column:
            charts.plot(figures.layer_pairs(*tables, of=of, theme=theme), f"pairs-{of}")
    next_page.offer(*ways_between(sides, tables), key="next-pages-differences")


def ways_apart(apart: SpikeDistance) -> list[Way]:
    """Where one network with two inputs differs most: its layer, its step."""
    if apart.furthest is None:
        return []
    layer, step = apart.furthest
    return [
        Way("neurons", f"{short(layer)}, where most spikes differ, in Neurons", {"layer": layer}),
        Way("memory", f"Step {step + 1}, where they do, in Memory", {"changed": step}),
    ]


def ways_between(sides: tuple[Side, Side], tables: list[list[LayerActivity]]) -> list[Way]:
    """The layer whose time constants differ most, on both sides; and the heads of both, one after another."""
    from dista.measures.comparison import layer_pairs

    both = {"each": "heads", "beside": sides[1].checkpoint.name}
    heads = Way("ablate", "Heads of both in Ablate", both)
    pairs = layer_pairs(*tables, of="tau")
    if not pairs:
        return [heads]
    layer = max(pairs, key=lambda pair: pair.apart).layer
    right = own_paths.in_url(sides[1].checkpoint) | {"layer": layer}
    return [
        Way("neurons", f"{short(layer)}, whose tau differs most, on the left", {"layer": layer}),
        Way("neurons", f"{short(layer)} on the right", right),
        heads,
    ]


def alike(similarity: Any) -> str:
    raw, denoised = (
        "nothing" if x is None else percent(x) for x in (similarity.raw, similarity.denoised)
    )
    return f"Block {similarity.block + 1}: {raw} before the denoiser, {denoised} after it"


# Python -------------------------------------------------------------------------------------------


def as_python(sides: tuple[Side, Side], place: dict[str, Any]) -> str:
    """Code that records both sides, shows both probes, and draws what differs."""
    left, right = sides
    lines = [*inputs(left), *recording_of("left", left)]
    if right.checkpoint != left.checkpoint:
        lines += inputs(right)[2:]  # all but the import
    lines += [*recording_of("right", right), ""]
    names = [*url.PLACE_NUMBERS, *url.PLACE_WORDS]
    options = "".join(f", {name}={place[name]!r}" for name in names if name in place)
    lines += [
        "probes = [",
        f"    dista.widgets.probe(one, step_labels=task.step_labels{options})",
        "    for one in (left, right)",
        "]",
    ]
    lines += snippets.displayed("*probes")
    if left.checkpoint == right.checkpoint:
        lines += ["result = dista.measures.spike_distance(left, right)"]
        drawn = ["dista.figures.spike_distance(result, step_labels=task.step_labels)"]
    else:
        lines += ["tables = [dista.measures.neuron_table(one) for one in (left, right)]"]
        drawn = [f"dista.figures.layer_pairs(*tables, of={of!r})" for of in ("tau", "rate")]
    return "\n".join([*lines, *snippets.shown(*drawn)])


def inputs(side: Side) -> list[str]:
    return snippets.inputs(side.checkpoint, side.sample, side.image)


def recording_of(name: str, side: Side) -> list[str]:
    """Lines that add the noise of a side to ``x``, and record it."""
    noisy = [
        "from dista.experiments.corruption import Noise, corrupt",
        f"noise = Noise('gaussian', {side.noise})",
        f"x = corrupt(x, noise, [{side.sample}], counts=task.test.unit == 1)",
    ]
    recording = f"{name} = {snippets.record_call(side.sample, side.image)}"
    return [*(noisy if side.noise else []), recording]


show()
