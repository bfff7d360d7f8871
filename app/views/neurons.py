"""Neurons: who fires, what one membrane does, and what becomes of it with another time constant."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from app.computed import experiments
from app.computed.experiments import Surgery
from app.inputs import checkpoints
from app.link import plain, url
from app.link.problems import Problems, reads
from app.page import charts, choosers, downloads, next_page, snippets
from app.page.next_page import Way
from app.page.samples import held_out
from dista.figures.theme import short
from dista.style import sentences

if TYPE_CHECKING:
    import xarray as xr
    from plotly.graph_objects import Figure

OVER = ("16", "64", "256")
FIRST = 32  # samples that are shown while all are counted
AXES = ("channel", "row", "column")
PLACE = ("channel", "neuron-row", "neuron-column")  # in the URL, where row and column are a patch's
TAUS = (1.0, 20.0)

HOW_TO_READ = """
- **A neuron** adds its input current to what is left of its membrane, fires where that reaches the
  threshold, and is reset: `h[t] = v[t-1] + (x[t] - (v[t-1] - v_reset)) / tau` [reviews: PLIF]. *h* is
  the membrane before the reset, *v* after it; where it fires the line drops from one to the other.
- **The time constant tau** says how many steps a membrane listens back, and how much of a step's
  current it takes up: 1/tau. It is learned with the weights [paper: intrinsic plasticity]. A surgery
  changes tau alone. The weights stay as they were trained with the old one, so a model that is worse
  afterwards does not prove that the new tau is a bad one.
- **At the start** is where this training began: at the tau of the configuration, or at those of the checkpoint
  whose weights it took. They are kept in the card.
- **Neurons that never fire** on these samples may fire on others: the share falls as more are taken.
- **The surrogate gradient** stands in for the slope of the step function in training. Membranes far
  from the threshold, where it is near 0, hardly change their weights.
"""


@reads("neurons")
def show(problems: Problems) -> None:
    opening = choosers.opening(
        choosers.choose_input, HOW_TO_READ, "whose neurons could be shown", problems
    )
    if opening is None:
        return
    checkpoint, (sample, image), tools = opening
    with plain.errors():
        before = experiments.operated(checkpoint.weights, sample, image)
        layer, surgery = choose(checkpoint, before, problems)
        after = experiments.operated(checkpoint.weights, sample, image, surgery)
        neuron = show_neuron(checkpoint, before, after, layer, surgery, problems)
        if surgery.kind != "learned":
            show_consequences(before, after, layer)
        next_page.offer(
            Way("watch", "This layer in Watch"),
            Way("memory", "This layer in Memory", {"compared": f"{layer}.membrane"}),
            Way("denoise", "This sample in Denoise"),
            Way("ablate", "These time constants in Ablate", ablated(checkpoint)),
        )
        python = as_python(checkpoint, sample, image, layer, neuron, surgery)
        tools.code.code(python, language="python")
        with plain.errors():  # needs held-out samples, which need not be here
            show_population(checkpoint, before, layer, problems)
        name = f"neurons-{downloads.short(checkpoint.name)}-{sample}"
        downloads.fill(tools.save, name, {"Recording": lambda: after}, python=python)


# What is chosen -----------------------------------------------------------------------------------


def choose(
    checkpoint: checkpoints.Checkpoint, recording: xr.DataTree, problems: list[str]
) -> tuple[str, Surgery]:
    """The layer to look at, and what is done to time constants; both in the URL."""
    from dista.measures import layers

    names = layers(recording)
    layer = url.choice("layer", names, names[1], problems, short)
    donors = [name for name in checkpoints.shipped() if name != checkpoint.name]
    said = {"learned": "as learned", "set": "set to a value", "initial": "as before training"}
    if checkpoint.starting_taus is None:
        del said["initial"]
    said |= {name: f"those of {name}" for name in donors}
    kind = url.choice("taus", list(said), "learned", problems)
    scope = url.choice("scope", ("layer", "all"), "layer", problems)
    tau = url.real("tau", 2.0, *TAUS, problems)
    with st.container(
        horizontal=True, vertical_alignment="bottom", gap="small", key="controls-layer"
    ):
        st.selectbox("Layer", names, format_func=short, width=190, **url.bound("layer", layer))
        st.selectbox(
            "Time constants", list(said), format_func=said.get, width=200, **url.bound("taus", kind)
        )
        if kind != "learned":
            st.segmented_control(
                "of", ("layer", "all"), required=True,
                format_func={"layer": "this layer", "all": "all layers"}.get,
                **url.bound("scope", scope),
            )  # fmt: skip
        if kind == "set":
            st.slider("tau, in steps", *TAUS, step=0.1, width=260, **url.bound("tau", tau))
    return layer, Surgery(kind, layer if scope == "layer" else None, tau)


def choose_neuron(recording: xr.DataTree, layer: str, problems: list[str]) -> tuple[int, int, int]:
    """Channel, row and column, in the URL; at first a neuron of medium activity."""
    from dista.measures import raster

    shown = raster(recording, layer, limit=3).neurons
    default = [int(index) for index in shown[min(1, len(shown) - 1)]]
    sizes = recording[f"{layer.replace('.', '/')}/spikes"].sizes
    place = []
    with choosers.row("neuron-place"):
        st.markdown("Click a neuron in the raster, or name it:", width="content")
        for axis, name, start in zip(AXES, PLACE, default):
            index = url.number(name, start, problems)
            if index >= sizes[axis]:
                problems.append(f"There is no {axis} {index + 1}: 1 to {sizes[axis]} are there.")
                index = start
            st.number_input(
                axis.capitalize(), 1, sizes[axis], step=1, width=120, **url.counted(name, index)
            )
            place.append(index)
    return tuple(place)


# What is shown ------------------------------------------------------------------------------------


def show_neuron(
    checkpoint: checkpoints.Checkpoint, before: xr.DataTree, after: xr.DataTree, layer: str,
    surgery: Surgery, problems: list[str],
) -> tuple[int, int, int]:  # fmt: skip
    """Raster, membrane and histogram of the layer; click a neuron in the raster to see its membrane."""
    from dista import figures, measures

    theme, labels = charts.theme(), before.attrs.get("step_labels")
    st.markdown(f"## {sentence(checkpoint, before, after, layer, surgery)}")
    neuron = choose_neuron(before, layer, problems)
    raster = measures.raster(after, layer)
    spikes = charts.clickable(figures.raster(raster, step_labels=labels, theme=theme))
    traces = [measures.membrane_trace(tree, layer, neuron) for tree in (before, after)]
    drawn = {"membrane": figures.membrane(traces[1], step_labels=labels, theme=theme)}
    if surgery.kind == "learned":
        drawn["histogram"] = histogram(after, layer)
    else:
        drawn["membrane-change"] = figures.membrane_change(*traces, step_labels=labels, theme=theme)
    pick = partial(remember_neuron, "raster", raster.neurons)
    clicks = {"raster": {"on_select": pick, "selection_mode": "points"}}
    charts.row({"raster": spikes} | drawn, [0.3, 0.36, 0.34], clicks)
    return neuron


def remember_neuron(key: str, neurons: np.ndarray) -> None:
    """Write the neuron that was clicked in a raster into the URL."""
    points = st.session_state[key].selection.points
    if points:
        clicked = neurons[int(points[0]["y"])]
        url.write(**dict(zip(PLACE, clicked)))


def histogram(recording: xr.DataTree, layer: str) -> Figure:
    from dista import figures, measures

    counted = measures.membrane_histogram(recording, layer)
    slope = experiments.slope(recording, counted)
    return figures.membrane_histogram(counted, slope=slope, theme=charts.theme())


def sentence(
    checkpoint: checkpoints.Checkpoint, before: xr.DataTree, after: xr.DataTree, layer: str, surgery: Surgery
) -> str:  # fmt: skip
    """The one plain sentence of the page."""
    from dista.measures import neuron_table

    rows = [
        next(row for row in neuron_table(tree) if row.layer == layer) for tree in (before, after)
    ]
    if surgery.kind == "learned":
        start = (checkpoint.starting_taus or {}).get(layer)
        history = sentences.tau_history(
            rows[0].tau, None if start is None else float(np.mean(start)),
            learned=checkpoint.config.neuron.learn_tau,
        )  # fmt: skip
        return (
            f"The neurons of {short(layer)} {history} and fire at "
            f"{100 * rows[0].rate:.0f} % of the steps of this sample."
        )
    return (
        f"With tau = {rows[1].tau:.1f} instead of {rows[0].tau:.1f} the neurons of {short(layer)} fire "
        f"at {100 * rows[1].rate:.0f} % of the steps instead of {100 * rows[0].rate:.0f} %."
    )


def show_consequences(before: xr.DataTree, after: xr.DataTree, layer: str) -> None:
    """What the surgery did downstream: spikes, attention and answer."""
    from dista import figures, measures

    theme, labels = charts.theme(), before.attrs.get("step_labels")
    pair = before, after
    st.markdown("## What follows from it: spikes, attention, answer")
    firing, answer, membranes = st.columns(3)
    with firing:
        change = figures.firing_change(*map(measures.firing_map, pair), theme=theme)
        charts.plot(change, "firing-change")
    with answer:
        sides = [
            [measures.attention_over_time(tree, b, sample=0) for b in measures.blocks(tree)]
            for tree in pair
        ]
        change = figures.attention_change(*sides, theme=theme)
        charts.plot(change, "attention-change")
        decisions = [measures.decision(tree) for tree in pair]
        change = figures.decision_change(*decisions, step_labels=labels, theme=theme)
        charts.plot(change, "decision-change")
    with membranes:
        charts.plot(histogram(after, layer), "histogram")


def show_population(
    checkpoint: checkpoints.Checkpoint, recording: xr.DataTree, layer: str, problems: list[str]
) -> None:
    """Every layer over many samples, and the time constants that were learned."""
    from dista import figures, measures

    over = url.choice("samples", OVER, "64", problems)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("## Every layer, over held-out samples", width="content")
        st.segmented_control(
            "Held-out samples", OVER, required=True, label_visibility="collapsed",
            **url.bound("samples", over),
        )  # fmt: skip
    left, right = st.columns([0.6, 0.4])
    with left:
        samples = min(int(over), held_out(checkpoint))
        first = experiments.population_figure(
            checkpoint.weights, min(samples, FIRST), charts.theme()
        )
        charts.keep_place(
            "firing-place", charts.FRAME + int(first.layout.height)
        )  # also while one follows another
        place = st.container(key="firing-place").empty()
        if samples > FIRST and not experiments.is_counted(checkpoint.weights, samples):
            with place.container():
                show_firing(checkpoint, FIRST, "firing-at-first")
        with place.container():
            show_firing(checkpoint, samples, "firing")
    with right:
        rows = measures.neuron_table(recording)
        start = checkpoint.starting_taus
        charts.plot(figures.taus(rows, start=start, theme=charts.theme()), "taus")
        if start is None:
            st.caption(sentences.MISSING["tau_start"])
    next_page.offer(
        Way("energy", "What these spikes cost, in Energy"),
        Way(
            "ablate",
            "These time constants, on these samples",
            ablated(checkpoint) | {"samples": samples},
        ),
        key="next-pages-population",
    )


def ablated(checkpoint: checkpoints.Checkpoint) -> dict[str, object]:
    """The state of Ablate without what was learned of the time constants, where those of the start were kept."""
    return {} if checkpoint.starting_taus is None else {"switches": "learned-taus"}


def show_firing(checkpoint: checkpoints.Checkpoint, samples: int, key: str) -> None:
    figure = experiments.population_figure(checkpoint.weights, samples, charts.theme())
    charts.plot(figure, key)


# Python -------------------------------------------------------------------------------------------


def as_python(
    checkpoint: checkpoints.Checkpoint,
    sample: int,
    image: str | None,
    layer: str,
    neuron: tuple[int, int, int],
    surgery: Surgery,
) -> str:
    """Code that shows the membrane and, after a surgery, what became of it."""
    lines = [*snippets.recording(checkpoint, sample, image), f"layer, neuron = {layer!r}, {neuron}"]
    lines += ["steps = {'step_labels': task.step_labels}"]
    if surgery.kind == "learned":
        lines += ["trace = dista.measures.membrane_trace(recording, layer, neuron)"]
        drawn = [
            "dista.figures.raster(dista.measures.raster(recording, layer), **steps)",
            "dista.figures.membrane(trace, **steps)",
            "dista.figures.taus(dista.measures.neuron_table(recording))",
        ]
        return "\n".join([*lines, *snippets.shown(*drawn)])
    lines += ["", *snippets.surgery(surgery), "with dista.intervene(model, changes):"]
    lines += ["    after = dista.record(model, x, classes=task.classes)"]
    lines += ["traces = [", "    dista.measures.membrane_trace(one, layer, neuron)"]
    lines += ["    for one in (recording, after)", "]"]
    drawn = [
        "dista.figures.raster(dista.measures.raster(after, layer), **steps)",
        "dista.figures.membrane(traces[1], **steps)",
        "dista.figures.membrane_change(*traces, **steps)",
        "dista.figures.decision_change(*map(dista.measures.decision, (recording, after)), **steps)",
    ]
    return "\n".join([*lines, *snippets.shown(*drawn)])


show()
