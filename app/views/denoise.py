"""Denoise: what the threshold takes out of the attention maps, and what noise in the input does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import charts
import controls
import experiments
import snippets
import state
import streamlit as st
import url
from samples import held_out

from dista.figures.theme import percent

if TYPE_CHECKING:
    import xarray as xr

    from dista.corruption import Noise

KINDS = {
    "salt-and-pepper": "salt and pepper",
    "gaussian": "Gaussian",
    "events": "spurious events",
    "occlusion": "occlusion",
}
WHERE = ("everywhere", "left half", "upper half", "centre")
SAMPLES = ("0", "50", "100", "200", "500")
DEFAULT_LEVEL = 0.05

HOW_TO_READ = """
- **The denoiser** keeps a count of the attention map where it is larger than *u* and makes all others
  0: thresholding is the paper's *nonlinear denoising* [paper, reviews]. Counts are whole numbers, so
  u = 1 and u = 1.9 do the same. The weights were trained with one u; any other one is an intervention.
- **Corrupted patches** are those with a changed pixel. The stem's 3 x 3 convolutions carry noise
  into neighbouring patches as well, and from the second block on attention has spread it further.
- **Similarity** is the cosine between the maps of the clean and of the noisy input, with the same u:
  1 where they are alike up to a factor. It compares raw maps with raw ones, denoised with denoised.
- **Accuracy against noise** uses the same noise for every u. The bars are 95 % intervals; lines that
  differ by less than that may not differ at all.
- Noise kinds and their levels are [ours]. Gaussian noise on event counts makes them fractions.
"""

EMPTY = """
#### There is no checkpoint whose denoiser could be shown

Train a small one, a few minutes on a laptop, and it appears here:

```
dista train --preset digits --data digits --save assets/digits
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
    if checkpoint is None:
        st.markdown(EMPTY)
        return
    with state.plain_errors():
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            noise = choose_noise(problems)
            u = choose_threshold(checkpoint, problems)
        code.code(as_python(checkpoint, sample, image, noise, u), language="python")
        clean = experiments.noisy(checkpoint, sample, image, noise._replace(level=0.0), u)
        noisy = experiments.noisy(checkpoint, sample, image, noise, u)
        show_maps(clean, noisy)
        show_curve(checkpoint, noise, u, problems)
    if problems:
        st.warning(" ".join(dict.fromkeys(problems)))


# What is chosen -----------------------------------------------------------------------------------


def choose_noise(problems: list[str]) -> Noise:
    """Kind, level and place of the noise; in the URL."""
    from dista.corruption import Noise

    kind = url.choice("noise", list(KINDS), "salt-and-pepper", problems)
    level = url.real("level", DEFAULT_LEVEL, 0.0, 1.0, problems)
    where = url.choice("where", WHERE, "everywhere", problems)
    st.selectbox(
        "Noise in the input", list(KINDS), format_func=KINDS.get, width=190,
        **url.bound("noise", kind),
    )  # fmt: skip
    st.slider("Level", 0.0, 1.0, step=0.01, width=220, **url.bound("level", level))
    st.selectbox("Where", WHERE, width=150, **url.bound("where", where))
    return Noise(kind, level, where)


def choose_threshold(checkpoint: state.Checkpoint, problems: list[str]) -> float | None:
    """The denoiser's u; None, and not in the URL, where it is left as it was trained."""
    config = checkpoint.config
    trained = config.denoiser.u if config.denoiser.kind != "none" else 0.0
    untouched = "u" not in st.query_params
    u = url.number("u", int(trained), problems)
    if u > config.head_dim:
        problems.append(f"There is no u = {u}: counts of this model end at {config.head_dim}.")
        u, untouched = int(trained), True
    st.slider(
        f"Threshold u (trained with {described(checkpoint)})",
        0, config.head_dim, step=1, width=330, **url.bound("u", u),
    )  # fmt: skip
    st.button("As trained", on_click=st.query_params.pop, args=("u", None), disabled=untouched)
    return None if untouched else float(u)


def described(checkpoint: state.Checkpoint) -> str:
    denoiser = checkpoint.config.denoiser
    return {"none": "no denoiser", "lookup": "a table"}.get(denoiser.kind, f"u = {denoiser.u:g}")


# What is shown ------------------------------------------------------------------------------------


def show_maps(clean: xr.DataTree, noisy: xr.DataTree) -> None:
    """Histogram with u, the noise in input and maps, attention to it, and similarity to the clean maps."""
    from dista import figures, measures

    theme = state.theme()
    change = measures.input_change(clean, noisy)
    received = measures.attention_received(noisy)
    denoising = measures.denoising(noisy)
    parts = [measures.patch_attention(one, change.patches) for one in received]
    st.markdown(f"##### {sentence(parts, change.patches.mean())}")
    left, middle, right = st.columns(3)
    with left:
        charts.plot(figures.denoising(denoising, theme=theme), "denoising")
    with middle:
        charts.plot(figures.input_change(change, received, theme=theme), "input")
    with right:
        drawn = figures.patch_attention(received, change.patches, theme=theme)
        charts.plot(drawn, "patches")
        alike = measures.map_similarity(clean, noisy)
        charts.plot(figures.map_similarity(alike, theme=theme), "similarity")
        st.caption(answers(clean, noisy))


def sentence(parts: list, share: float) -> str:
    """The one plain sentence of the page."""
    if not share:
        return "Without noise the denoiser can remove nothing but what it always removes: add some."
    if share == 1:
        return (
            "The noise reaches every patch: the maps can be compared with the clean ones, but there "
            "are no clean patches to compare with. A lower level or a place leaves some."
        )
    first = parts[0]
    if first.removed is None or first.removed_elsewhere is None:
        return f"Noise lies on {percent(share)} of the patches; there is too little attention to compare."
    return (
        f"In block 1 the denoiser removes {percent(first.removed)} of the attention to corrupted "
        f"patches and {percent(first.removed_elsewhere)} of that to clean ones."
    )


def answers(clean: xr.DataTree, noisy: xr.DataTree) -> str:
    from dista.measures import decision

    said = [decision(tree) for tree in (clean, noisy)]
    names = [one.classes[one.answer] for one in said]
    sure = [percent(one.probabilities[-1, one.answer]) for one in said]
    return f"Answer without noise: {names[0]} ({sure[0]}). With noise: {names[1]} ({sure[1]})."


def show_curve(
    checkpoint: state.Checkpoint, noise: Noise, u: float | None, problems: list[str]
) -> None:
    """Accuracy against noise for several u, on as many held-out samples as one has patience for."""
    config = checkpoint.config
    own = config.denoiser.u if config.denoiser.kind == "threshold" else 0.0
    offered = range(min(config.head_dim, 9))
    default = sorted({0, int(own), min(int(own) + 2, config.head_dim)} & set(offered))
    st.markdown(f"##### Accuracy against {KINDS[noise.kind]} noise, {noise.where}")
    thresholds = url.numbers("thresholds", offered, default, problems)
    samples = int(url.choice("curve", SAMPLES, "0", problems))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.pills(
            "Thresholds u", offered, selection_mode="multi", **url.bound("thresholds", thresholds)
        )
        st.segmented_control(
            "Held-out samples", SAMPLES, required=True, **url.bound("curve", str(samples)),
            format_func=lambda text: "none" if text == "0" else text,
        )  # fmt: skip
    if not samples:
        st.caption(
            "Choose a number of samples to measure it; 100 take a minute or two on a laptop."
        )
        return
    draw_curve(checkpoint, noise, thresholds, min(samples, held_out(checkpoint)), own)


def draw_curve(
    checkpoint: state.Checkpoint, noise: Noise, thresholds: list[int], samples: int, own: float
) -> None:
    from dista import figures

    with controls.measuring("curve", f"{samples} samples with every level and u") as seen:
        curve = experiments.noise_curve(checkpoint, noise, thresholds, samples, seen)
    charts.plot(figures.noise_curve(curve, own=own, theme=state.theme()), "curve")


# Python -------------------------------------------------------------------------------------------


def as_python(
    checkpoint: state.Checkpoint, sample: int, image: str | None, noise: Noise, u: float | None
) -> str:
    """Code that makes the histogram and the other figures of the maps."""
    changes = "{}"
    if u is not None:
        changes = f"{{{experiments.DENOISERS!r}: dista.interventions.threshold({u:g})}}"
    return "\n".join(
        [
            *snippets.inputs(checkpoint, sample, image),
            "from dista.corruption import Noise, corrupt",
            "",
            f"noise = Noise({noise.kind!r}, {noise.level:g}, {noise.where!r})",
            f"noisy = corrupt(x, noise, [{sample}], counts=task.test.unit == 1)",
            f"with dista.intervene(model, {changes}):",
            "    before, after = (dista.record(model, it) for it in (x, noisy))",
            "change = dista.measures.input_change(before, after)",
            "received = dista.measures.attention_received(after)",
            "dista.figures.input_change(change, received)",
            "dista.figures.patch_attention(received, change.patches)",
            "dista.figures.map_similarity(dista.measures.map_similarity(before, after))",
            "dista.figures.denoising(dista.measures.denoising(after))",
        ]
    )


show()
