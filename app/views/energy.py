"""Energy: what an answer costs, layer by layer and step by step, and what stopping early saves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from app.computed import experiments
from app.inputs import checkpoints, tasks
from app.link import plain, url
from app.link.problems import Problems, reads
from app.page import charts, choosers, downloads, next_page, progress, snippets
from app.page.next_page import Way
from app.page.samples import held_out
from dista.figures.energy import joules
from dista.figures.theme import count, percent
from dista.measures.energy import LEFT_OUT

if TYPE_CHECKING:
    from dista.measures import Anytime, Convention, Energy

SAMPLES = ("25", "100", "300", "1000")
QUANTITIES = ("energy", "operations", "spikes")
TIMED = 25  # held-out samples that go through together while layers are timed

CONVENTIONS = {
    "accumulates": "counts as accumulates",
    "neurobench": "NeuroBench",
    "rate": "rate × T × operations",
}
COUNTED = {
    "accumulates": "a count of n is n accumulates",
    "neurobench": "layers of counts above 1 multiply (NeuroBench)",
    "rate": "every layer takes its firing rate × steps × operations as accumulates",
}

FORMULA = "Energy = 4.6 pJ × multiplications + 0.9 pJ × accumulates"

HOW_TO_READ = """
- **The constants** are those of a 32-bit multiply-accumulate and of an accumulate in 45 nm, the
  convention of the field. They leave out memory access, neurons and leakage, which real chips do not:
  read the numbers as a count of operations, not as a measurement.
- **The convention decides.** Behind a residual connection inputs are counts, sums of the spikes of several layers.
  *Counts as accumulates*: a count of n is n accumulates, one for each spike and weight that meet [ours].
  *NeuroBench*: a layer with a count above 1 among its inputs multiplies, once for each input that is not 0 and
  weight that it meets; only layers of spikes accumulate [related: arXiv 2304.04640]. *Rate × T × operations* is the estimate of the papers: the mean input of
  a layer times what it would multiply without spikes, all of it accumulates [related: Spikformer].
- **None of them counts** the denoiser's comparisons, residual sums, pooling, neuron updates, memory access and
  leakage.
- **Multiplications** remain where the input is not made of spikes: in the first convolution of an
  image, which is computed once, and in the head, which reads an average over patches.
- **The network without spikes** has the same layers and sizes, and multiplies everywhere. It looks at
  a still image once. At frames of events it looks at every step, with the same memory.
- **Stopping early** reads out the mean of the logits of the last steps so far, as many as the model reads out at
  the end: all of them, or the last two, say. The bars are 95 % intervals.
"""


@reads("energy")
def show(problems: Problems) -> None:
    read = f"**{FORMULA}**\n{HOW_TO_READ}"
    opening = choosers.opening(choose_samples, read, "whose energy could be counted", problems)
    if opening is None:
        return
    checkpoint, samples, tools = opening
    with plain.errors():
        of = url.choice("quantity", QUANTITIES, "energy", problems)
        convention = choose_convention(problems)
        stop, timed = stop_at(checkpoint, problems), url.text("timed") is not None
        python = as_python(checkpoint, samples, of, stop, convention, timed)
        tools.code.code(python, language="python")
        said = st.container()
        fewer, what = partial(url.write, samples=None), count(samples, "held-out sample")
        with progress.measuring(fewer, what, "operations") as report:
            energy, anytime = experiments.operations(
                checkpoint.weights, samples, report, convention
            )
        said.markdown(f"## {sentence(energy, anytime, stop)}")
        show_figures(energy, anytime, of, stop)
        st.caption(about_accuracy(checkpoint, anytime.samples))
        show_times(checkpoint)
        next_page.offer(
            Way("watch", "The last of these steps in Watch", {"step": stop - 1}),
            Way("ablate", "The same samples in Ablate", {"samples": samples}),
            Way("neurons", "Who fires, in Neurons"),
        )
        name = f"energy-{downloads.short(checkpoint.name)}"
        downloads.fill(tools.save, name, python=python)


# What is chosen -----------------------------------------------------------------------------------


def choose_samples(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> int:
    """How many held-out samples are counted; in the URL as ``samples``."""
    samples = url.choice("samples", SAMPLES, "25", problems)
    st.segmented_control(
        "Held-out samples", SAMPLES, required=True, label_visibility="collapsed",
        format_func=lambda text: f"{text} samples" if text == SAMPLES[0] else text,
        **url.bound("samples", samples),
    )  # fmt: skip
    return min(int(samples), held_out(checkpoint))


def choose_convention(problems: list[str]) -> Convention:
    """How operations are counted behind spikes and counts; in the URL."""
    convention = url.choice("convention", list(CONVENTIONS), "accumulates", problems)
    st.segmented_control(
        "Counted as", list(CONVENTIONS), format_func=CONVENTIONS.get, required=True,
        **url.bound("convention", convention),
    )  # fmt: skip
    return convention


def stop_at(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> int:
    """The number of steps after which the answer is read out; all of them at first."""
    steps = checkpoint.config.time_steps
    if checkpoint.task is not None:
        steps = tasks.task(checkpoint.data).time_steps or steps
    stop = url.number("stop", steps, problems)
    if not 1 <= stop <= steps:
        problems.append(f"The answer cannot be read out after step {stop}: there are 1 to {steps}.")
        stop = steps
    return stop


# What is shown ------------------------------------------------------------------------------------


def sentence(energy: Energy, anytime: Anytime, stop: int) -> str:
    """The one plain sentence of the page."""
    spent, steps = anytime.picojoules, len(anytime.picojoules)
    if stop == steps:
        ann = float(energy.ann.sum())
        looks = ", which looks at the image once," if energy.static else ""
        return (
            f"An answer takes {joules(energy.total)} where {COUNTED[energy.convention]}; the same network without "
            f"spikes{looks} would take {joules(ann)}."
        )
    early, all_steps = (
        round(float(share) * anytime.samples) for share in anytime.accuracy[[stop - 1, -1]]
    )
    return (
        f"Stopping after {count(stop, 'step')} of {steps} saves "
        f"{percent(1 - spent[stop - 1] / spent[-1])} of the energy; "
        f"{early} of {anytime.samples} answers are correct instead of {all_steps}."
    )


def show_figures(energy: Energy, anytime: Anytime, of: str, stop: int) -> None:
    from dista import figures

    theme = charts.theme()
    drawn = {
        "map": figures.energy_map(energy, of=of, theme=theme),
        "comparison": figures.energy_comparison(energy, theme=theme),
        "anytime": figures.anytime(anytime, stop=stop, theme=theme),
    }
    tallest = max(figure.layout.height for figure in drawn.values())
    # Column by column: on a phone they stand below each other, and what came into one later would move the next.
    for column, (key, figure) in zip(st.columns([0.34, 0.33, 0.33]), drawn.items()):
        with column:
            with st.container(key=f"above-{key}"):
                show_above(key, energy, anytime, of, stop)
            charts.plot(figure, key, height=tallest)
    st.caption(
        f"{FORMULA}, in 45 nm; means over {count(energy.samples, 'held-out sample')}. Left out: {LEFT_OUT}."
    )


def show_above(key: str, energy: Energy, anytime: Anytime, of: str, stop: int) -> None:
    """What can be chosen or is to be said of the figure ``key``."""
    steps = len(anytime.accuracy)
    if key == "map":
        st.segmented_control("Shown", QUANTITIES, required=True, **url.bound("quantity", of))
    elif key == "comparison":
        show_totals(energy)
    elif steps > 1:
        st.slider("Stop after step", 1, steps, step=1, **url.bound("stop", stop))


def about_accuracy(checkpoint: checkpoints.Checkpoint, samples: int) -> str:
    """What these few samples can say of how often the network is correct, and who says more."""
    said = f"Accuracy is that of {count(samples, 'held-out sample')}, with its 95 % interval."
    if checkpoint.accuracy is None or not checkpoint.samples:
        return said
    of_all = f"{100 * checkpoint.accuracy:.1f} % of all {checkpoint.samples}"
    return f"{said} The checkpoint's card says {of_all}."


def show_times(checkpoint: checkpoints.Checkpoint) -> None:
    """Where it is asked for, what this machine says: the time of each layer beside its operations."""
    st.checkbox("Does this machine agree? Time each layer", **url.opened("timed"))
    if url.text("timed") is None:
        return
    from dista import figures

    with plain.errors():
        times = experiments.layer_times(checkpoint.weights, min(TIMED, held_out(checkpoint)))
        charts.plot(figures.layer_times(times, theme=charts.theme()), "times")
        st.caption(
            f"Processor time of one sample on one thread of the machine that serves this page, {times.samples} samples at "
            "once and step by step; the median of five rounds. Circles are open where a layer has more than half "
            "of the operations that it has without spikes: there all of them are multiplied. The first layer and the head, which multiply numbers, are left out."
        )


def show_totals(energy: Energy) -> None:
    """Operations in numbers, and both ways to count the network without spikes."""
    looks = energy.dense_picojoules
    once, always = (joules(float(part.sum())) for part in (looks[:, :1], looks))
    done = [
        f"{float(part.sum()):,.0f}".replace(",", "\u202f")
        for part in (energy.accumulates, energy.multiplies)
    ]
    st.markdown(
        f"{done[0]} accumulates and {done[1]} multiplications. Without spikes: {once} for one step, "
        f"{always} for all {looks.shape[1]}."
    )


# Python -------------------------------------------------------------------------------------------


def as_python(
    checkpoint: checkpoints.Checkpoint,
    samples: int,
    of: str,
    stop: int,
    convention: str,
    timed: bool,
) -> str:
    """Code that makes the figures of the page; the last of them measures again."""
    times, clocked = [], []
    if timed:
        number = min(TIMED, held_out(checkpoint))
        times = [
            "from dista.experiments.layer_times import layer_times",
            f"times = layer_times(model, task.test.batch(range({number}))[0])",
        ]
        clocked = ["dista.figures.layer_times(times)"]
    return "\n".join(
        [
            *snippets.inputs(checkpoint, f"range({samples})"),
            "counts = dista.operations.count(model, x)",
            f"energy = dista.measures.energy(counts, {convention!r})",
            f"anytime = dista.measures.anytime(counts, label.numpy(), {convention!r})",
            *times,
            *snippets.shown(
                f"dista.figures.energy_map(energy, of={of!r})",
                "dista.figures.energy_comparison(energy)",
                f"dista.figures.anytime(anytime, stop={stop})",
                *clocked,
            ),
        ]
    )


show()
