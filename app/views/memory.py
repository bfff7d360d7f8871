"""Memory: change one step of the input, and see what the network still knows of it later."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from app.computed import reruns
from app.inputs import checkpoints, tasks
from app.link import plain, url
from app.link.problems import Problems, reads
from app.page import charts, choosers, downloads, next_page, snippets
from app.page.next_page import Way
from app.page.samples import held_out
from app.remembering import closely, cue, networks
from app.remembering.networks import NETWORKS
from dista.figures.theme import short
from dista.memories import FORMS

if TYPE_CHECKING:
    from dista.measures import CausalMemory

ROW = 40  # pixels of a row of widgets
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
        with choosers.row("controls-changed"):
            other = choose_input(checkpoint, sample, problems)
        if st.session_state.get(networks.STOPPED):
            st.button("Change one step after the other", type="primary", on_click=networks.go_on)
            return
        # What can be compared is known when the networks have run: its row has the bar before, and the sentence its place.
        charts.keep_place("controls-compared", ROW)
        controls, said = choosers.row("controls-compared"), st.empty()
        said.markdown(f"## {cue.AWAITED}")
        effects = networks.effects_of(checkpoint, sample, other, controls)
        labels = tasks.task(checkpoint.data).step_labels
        names = list(effects["trained"])
        layers = [name.removesuffix(".membrane") for name in names if name.endswith(".membrane")]
        with controls:
            of, step = choose_comparison(names, checkpoint, problems)
        show_matrices({name: each[of] for name, each in effects.items()}, step, labels)
        recording = closely.show(checkpoint, sample, other, layers, of, step, labels, problems)
        next_page.offer(
            Way("watch", "This step in Watch", {"step": step}),
            Way("neurons", "This layer in Neurons"),
            Way("denoise", "Noise at this step in Denoise"),
            Way("ablate", "Without memory in Ablate"),
        )
        show_own_account(checkpoint, sample, labels)
        samples = cue.choose_samples(checkpoint, problems)
        said.markdown(f"## {cue.show(checkpoint, samples, other is None)}")
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


def choose_comparison(
    names: list[str], checkpoint: checkpoints.Checkpoint, problems: list[str]
) -> tuple[str, int]:
    """What is compared, and the step whose change is looked at closely."""
    steps = checkpoint.config.time_steps
    of = url.choice("compared", names, "head", problems, named)
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


# What is shown -------------------------------------------------------------------------------------


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
        next_page.offer(
            Way("watch", "These maps, patch by patch, in Watch"),
            Way("ablate", "Attention with a shorter memory, in Ablate", {"switches": shorter(memory.window)}),
            key="next-pages-own-account",
        )  # fmt: skip


def shorter(window: int) -> str:
    """The switch of Ablate that leaves about half of a window of two steps or more; of two steps, none of it."""
    return f"window={window // 2}" if window // 2 > 1 else "memory"


# Python --------------------------------------------------------------------------------------------


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
