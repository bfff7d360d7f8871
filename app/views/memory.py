"""Memory: change one step of the input, and see what the network still knows of it later."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from app.computed import reruns
from app.inputs import checkpoints, tasks
from app.link import plain, url
from app.link.problems import Problems, reads
from app.page import charts, choosers, downloads, next_page, progress, snippets
from app.page.next_page import Way
from app.page.samples import held_out
from dista.figures.theme import count, short
from dista.memories import FORMS

if TYPE_CHECKING:
    import xarray as xr

    from dista.measures import CausalMemory, CueEffect

NETWORKS = {
    "trained": ("As trained", ()),
    "neurons": ("Without neuron memory", ("neuron-memory",)),
    "attention": ("Without attention's memory", ("memory",)),
    "both": ("Without both", ("memory", "neuron-memory")),
}
"""What each matrix is of: how it is called, and the switches that make it."""

SLOW = 0.5  # seconds from which a network is worth a picture for meanwhile
STOPPED = "memory stopped"  # in the session: until the reader asks again
SAMPLES = ("0", "25", "100", "400")
INPUTS = {"blank": "blank", "other": "another sample's"}

HOW_TO_READ = """
- **A column is an experiment.** The input of one step is replaced, everything else stays, and the
  network runs again. The rows below say how different each later step has become. Steps before the
  change cannot know of it: the matrix is empty there.
- **There are two places to remember in.** Membranes keep a part of the past, decided by the time
  constants [paper: neuron-level attention]. Attention reaches past steps through its explicit memory
  [paper: network-level attention]: through Q, K and V, or in the map. Without both, the diagonal is all
  that is left, exactly.
- **Without neuron memory** each membrane carries over what another held-out sample left, which removes what was
  remembered of this one and nothing else. *Without attention's memory* nothing comes from earlier steps. The
  weights stay those that were trained with memory, so what is left after a cut is not what a network trained
  without it could do.
- **The sentence** is about many samples: all steps of the cue are changed (the first step, in a task without
  cues), and what counts is the root mean square over the classes of how far the logits that are read out
  move, with the 95 % interval of a bootstrap over samples. Each network is compared with itself: how strong an
  effect is at the changed step, which cuts change as well, plays no part.
- **Logits** differ by the root mean square over the classes; **attention maps** by the part of the counts
  that the two runs do not share, 0 to 1; **membranes** by the mean change before the reset, in thresholds.
- This is cause and effect, for this sample and this change. A map says what attention met, not what the
  answer depends on: compare the two at the bottom of the page.
"""


@reads("memory")
def show(problems: Problems) -> None:
    st.markdown(
        "Change the input of a single step. **What does the network still know of it later?**"
    )
    opening = choosers.opening(
        choosers.choose_sample, HOW_TO_READ, "whose memory could be tested", problems, task="match"
    )
    if opening is None:
        return
    checkpoint, sample, tools = opening
    with plain.errors():
        controls = choosers.row("controls-changed")
        with controls:
            other = choose_input(checkpoint, sample, problems)
        if st.session_state.get(STOPPED):
            st.button("Change one step after the other", type="primary", on_click=go_on)
            return
        effects = network_effects(checkpoint, sample, other)
        labels = tasks.task(checkpoint.data).step_labels
        names = list(effects["trained"])
        layers = [name.removesuffix(".membrane") for name in names if name.endswith(".membrane")]
        with controls:
            of, step = choose_comparison(names, checkpoint, problems)
        said = st.container()
        show_matrices({name: each[of] for name, each in effects.items()}, step, labels)
        recording = show_one_change(checkpoint, sample, other, layers, of, step, labels, problems)
        next_page.offer(
            Way("watch", "This step in Watch", {"step": step}),
            Way("neurons", "This layer in Neurons"),
            Way("denoise", "Noise at this step in Denoise"),
            Way("ablate", "Without memory in Ablate"),
        )
        show_own_account(checkpoint, sample, labels)
        samples = choose_samples(checkpoint, problems)
        said.markdown(f"## {show_cue(checkpoint, samples, other is None)}")
        name = f"memory-{downloads.short(checkpoint.name)}-{sample}"
        python = as_python(checkpoint, sample, other, of, step, samples)
        downloads.fill(tools.save, name, {"Recording": lambda: recording}, python=python)
        tools.code.code(python, language="python")


def choose_input(
    checkpoint: checkpoints.Checkpoint, sample: int, problems: list[str]
) -> int | None:
    """What the changed step shows instead: nothing (None), or the same step of another sample."""
    kind = url.choice("input", list(INPUTS), "blank", problems)
    with choosers.together():
        st.markdown("The changed step is", width="content")
        st.segmented_control(
            "Changed step", list(INPUTS), format_func=INPUTS.get, required=True,
            label_visibility="collapsed", **url.bound("input", kind),
        )  # fmt: skip
    if kind == "blank":
        return None
    last = held_out(checkpoint) - 1
    other = url.number("other", min(sample + 1, last), problems)
    if other > last:
        problems.append(f"There is no sample {other}: the held-out samples are 0 to {last}.")
        other = min(sample + 1, last)
    st.number_input(
        "Other sample", 0, last, step=1, icon=":material/tag:", label_visibility="collapsed",
        width=150, **url.bound("other", other),
    )  # fmt: skip
    return other


def network_effects(
    checkpoint: checkpoints.Checkpoint, sample: int, other: int | None
) -> dict[str, dict[str, CausalMemory]]:
    """The effects in each of the four networks; a bar while they are being computed."""
    effects, said = {}, "changing one step after the other …"
    then = "Leave it; the networks that are done are kept for the next time"
    meanwhile = st.empty()
    with progress.working("effects", said.capitalize(), stop, then=then) as report:
        for name, (title, switches) in NETWORKS.items():
            report(len(effects) / len(NETWORKS), f"{title}: {said}")
            began = time.monotonic()
            effects[name] = reruns.effects(checkpoint.weights, sample, other, switches)
            if time.monotonic() - began > SLOW and len(effects) < len(NETWORKS):
                with meanwhile.container():
                    show_first(effects)
    meanwhile.empty()
    return effects


def show_first(effects: dict[str, dict[str, CausalMemory]]) -> None:
    """What the networks that are done say of the logits, while the others run."""
    from dista import figures

    for column, (name, each) in zip(st.columns(len(NETWORKS)), effects.items()):
        figure = figures.causal_memory(
            each["head"], subject=NETWORKS[name][0], theme=charts.theme()
        )
        with column:
            charts.plot(figure, f"at-first-{len(effects)}-{name}")


def stop() -> None:
    st.session_state[STOPPED] = True


def go_on() -> None:
    del st.session_state[STOPPED]


def choose_comparison(
    names: list[str], checkpoint: checkpoints.Checkpoint, problems: list[str]
) -> tuple[str, int]:
    """What is compared, and the step whose change is looked at closely."""
    steps = checkpoint.config.time_steps
    of = url.choice("compared", names, "head", problems)
    step = url.number("changed", 0, problems)
    if step >= steps:
        problems.append(f"There is no step {step + 1}: the steps are 1 to {steps}.")
        step = 0
    with choosers.together():
        st.markdown("The matrices compare", width="content")
        st.selectbox(
            "Compared", names, format_func=named, label_visibility="collapsed", width=250,
            **url.bound("compared", of),
        )  # fmt: skip
    with choosers.together():
        st.markdown("Look closely at step", width="content")
        st.segmented_control(
            "Changed step", range(steps), format_func=lambda m: str(m + 1), required=True,
            label_visibility="collapsed", **url.bound("changed", step),
        )  # fmt: skip
    return of, step


def named(of: str) -> str:
    """How something that is compared is called on the page."""
    if of == "head":
        return "the logits"
    layer, _, part = of.rpartition(".")
    block = int(of.split(".")[1]) + 1 if part == "denoise" else 0
    return f"the attention map of block {block}" if block else f"membranes of {short(layer)}"


# What is shown ------------------------------------------------------------------------------------


def show_matrices(
    results: dict[str, CausalMemory], step: int, labels: Sequence[str] | None
) -> None:
    """One matrix for each network, on one colour scale; a click chooses the changed step."""
    from dista import figures

    largest = max(result.largest for result in results.values())
    with st.container(key="matrices"):
        columns = st.columns(4)
    for column, (name, result) in zip(columns, results.items()):
        figure = figures.causal_memory(
            result, subject=NETWORKS[name][0], largest=largest, step=step, step_labels=labels,
            theme=charts.theme(),
        )  # fmt: skip
        with column:
            charts.plot(
                charts.clickable(figure), f"memory-{name}", selection_mode="points",
                on_select=partial(remember_click, name),
            )  # fmt: skip


def remember_click(name: str) -> None:
    """Write the changed step that was clicked, and the network it was clicked in, into the URL."""
    points = st.session_state[f"memory-{name}"].selection.points
    if points:
        url.write(changed=int(points[0]["x"]), network=name)


def show_one_change(
    checkpoint: checkpoints.Checkpoint, sample: int, other: int | None, layers: list[str], of: str,
    step: int, labels: Sequence[str] | None, problems: list[str],
) -> xr.DataTree:  # fmt: skip
    """One column of one matrix: the answer, a membrane and the attention with and without the change.

    Returns the recording that it shows.
    """
    from dista import figures, measures

    with choosers.row("closely"):
        st.markdown(f"## With step {step + 1} changed", width="content")
        network = choose_network(problems)
        layer = choose_layer(layers, checkpoint, of, problems)
    switches = NETWORKS[network][1]
    recording = reruns.changed_steps(checkpoint.weights, sample, other, switches, layer)
    neuron = measures.most_changed(recording, layer, step)
    sides, style = (0, 1 + step), {"step_labels": labels, "theme": charts.theme()}
    decisions = [measures.decision(recording, side) for side in sides]
    traces = [measures.membrane_trace(recording, layer, neuron, side) for side in sides]
    attention = [
        [
            measures.attention_over_time(recording, b, sample=side)
            for b in measures.blocks(recording)
        ]
        for side in sides
    ]
    drawn = {
        "closely-decision": figures.decision_change(*decisions, **style),
        "closely-membrane": figures.membrane_change(*traces, **style),
        "closely-attention": figures.attention_change(*attention, theme=charts.theme()),
    }
    charts.row(drawn)
    st.caption(
        f"Dotted: the input as it is; solid: with step {step + 1} changed. The membrane is that of the "
        "neuron that the change moves most later on."
    )
    return recording


def choose_network(problems: list[str]) -> str:
    network = url.choice("network", list(NETWORKS), "trained", problems)
    st.selectbox(
        "Network", list(NETWORKS), format_func=lambda name: NETWORKS[name][0],
        label_visibility="collapsed", width=250, **url.bound("network", network),
    )  # fmt: skip
    return network


def choose_layer(
    layers: list[str], checkpoint: checkpoints.Checkpoint, of: str, problems: list[str]
) -> str:
    """The layer of the membrane: that of the matrices, or else the last read-out of attention."""
    default = of.removesuffix(".membrane")
    if default not in layers:
        default = f"blocks.{checkpoint.config.depth - 1}.attention.neuron"
    layer = url.choice("layer", layers, default, problems)
    st.selectbox(
        "Layer", layers, format_func=lambda name: f"membrane of {short(name)}",
        label_visibility="collapsed", width=250, **url.bound("layer", layer),
    )  # fmt: skip
    return layer


def choose_samples(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> int:
    """Over how many held-out samples the cue is changed; in the URL as ``samples``."""
    samples = url.choice("samples", SAMPLES, SAMPLES[1], problems)
    with choosers.row("cue"):
        st.markdown("## What the answer knows of the cue, over held-out samples", width="content")
        st.segmented_control(
            "Held-out samples", SAMPLES, required=True, label_visibility="collapsed",
            **url.bound("samples", samples),
        )  # fmt: skip
    return min(int(samples), held_out(checkpoint))


def show_cue(checkpoint: checkpoints.Checkpoint, samples: int, blank: bool) -> str:
    """The figure of the effects in each of the four networks; returns the page's one plain sentence."""
    from dista import figures

    if not samples:
        return "Change the cue of some held-out samples, below, to see what the answers know of it."
    results = cue_effects(checkpoint, samples, blank)
    titled = {NETWORKS[name][0]: result for name, result in results.items()}
    charts.plot(figures.cue_effects(titled, theme=charts.theme()), "cue-effects")
    return sentence(results, blank)


def cue_effects(
    checkpoint: checkpoints.Checkpoint, samples: int, blank: bool
) -> dict[str, CueEffect]:
    """What a change of the cue does to the answers in each network; a bar while they are asked."""
    import numpy as np

    from dista import measures
    from dista.experiments.evaluation import batches

    parts = batches(tasks.task(checkpoint.data).test, samples)
    effects: dict[str, list[np.ndarray]] = {name: [] for name in NETWORKS}
    leave, what = partial(url.write, samples=SAMPLES[0]), count(samples, "held-out sample")
    with progress.measuring(leave, what, "cue") as report:
        for done, part in enumerate(parts):
            for place, (name, (_, switches)) in enumerate(NETWORKS.items(), 1):
                effects[name].append(reruns.cue_effects(checkpoint.weights, part, blank, switches))
                report((done + place / len(NETWORKS)) / len(parts))
    return {name: measures.mean_effect(np.concatenate(each)) for name, each in effects.items()}


def sentence(results: dict[str, CueEffect], blank: bool) -> str:
    """The answer of the page, in one line."""
    said = {
        name: f"{result.mean:.2f} ({result.low:.2f} to {result.high:.2f})"
        for name, result in results.items()
    }
    cue = "Without its cue" if blank else "With another cue"
    return (
        f"{cue} the answer moves by {said['trained']} logits over {count(len(results['trained'].effect), 'sample')}: "
        f"by {said['neurons']} without neuron memory, {said['attention']} without attention's, "
        f"{said['both']} without both."
    )


def show_own_account(
    checkpoint: checkpoints.Checkpoint, sample: int, labels: Sequence[str] | None
) -> None:
    """What attention shows of the past by itself, to be compared with the matrices."""
    from dista import figures, measures

    with st.expander("What attention itself shows of earlier steps"):
        memory, style = checkpoint.config.memory, {"step_labels": labels, "theme": charts.theme()}
        if memory.window == 1:
            st.write(
                "This network's attention sees the current step alone; only membranes remember."
            )
            return
        recording = reruns.own_account(checkpoint.weights, sample)
        form = FORMS[memory.form]
        st.write(form.sentence)
        for block, column in enumerate(st.columns(checkpoint.config.depth)):
            if form.in_map(memory):
                figure = figures.attention_over_time(
                    measures.attention_over_time(recording, block), **style
                )
            else:
                figure = figures.lag_contributions(
                    measures.lag_contributions(recording, block), **style
                )
            with column:
                charts.plot(figure, f"own-account-{block}")


# Python -------------------------------------------------------------------------------------------


def as_python(
    checkpoint: checkpoints.Checkpoint, sample: int, other: int | None, of: str, step: int, samples: int
) -> str:  # fmt: skip
    """Code that makes the four matrices, and the effects of the cue."""
    lines, argument = snippets.inputs(checkpoint, sample), ""
    if other is not None:
        lines += [f"other, _ = task.test.batch([{other}])"]
        argument = ", other"
    lines += [
        f"batch = dista.counterfactuals.changed_steps(x, model.config.time_steps{argument})",
        "",
        "elsewhere = dista.forgetting.another(len(task.test))",
        f"lent, _ = task.test.batch([elsewhere[{sample}]])",
        f"networks = {dict(NETWORKS.values())}",
        "results = {}",
        "for name, switches in networks.items():",
        "    with dista.ablations.ablated(model, switches, lent):",
        f"        recording = dista.record(model, batch, {of!r})",
        f"    results[name] = dista.measures.causal_memory(recording, {of!r})",
        "",
        "largest = max(result.largest for result in results.values())",
        "matrices = [",
        "    dista.figures.causal_memory(",
        f"        result, subject=name, largest=largest, step={step}, step_labels=task.step_labels",
        "    )",
        "    for name, result in results.items()",
        "]",
    ]
    drawn = ["*matrices"]
    if samples:
        new = (
            ""
            if other is None
            else f", task.test.batch([(i + 1) % len(task.test) for i in range({samples})])[0]"
        )
        lines += [
            "",
            f"x, _ = task.test.batch(range({samples}))",
            f"lent, _ = task.test.batch(elsewhere[:{samples}])",
            "steps = model.config.time_steps",
            "cue = dista.counterfactuals.cue_steps(task.step_labels)",
            f"changed = dista.counterfactuals.changed_cue(x, steps, cue{new})",
            "effects = {}",
            "for name, switches in networks.items():",
            "    with dista.ablations.ablated(model, switches, lent):",
            "        pair = [dista.record(model, each, 'head') for each in (x, changed)]",
            "    effects[name] = dista.measures.cue_effect(*pair)",
        ]
        drawn += ["dista.figures.cue_effects(effects)"]
    return "\n".join([*lines, *snippets.shown(*drawn)])


show()
