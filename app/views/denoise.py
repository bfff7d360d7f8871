"""Denoise: what the threshold takes out of the attention maps, and what noise in the input does."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from app.computed import experiments
from app.inputs import checkpoints, tasks
from app.link import plain, url
from app.link.problems import Problems, reads
from app.page import charts, choosers, downloads, each_part, next_page, progress, snippets
from app.page.next_page import Way
from app.page.samples import held_out
from dista.denoisers import DENOISERS
from dista.experiments.painting import PaintError, paint_marks, paint_text
from dista.figures.ablations import points
from dista.figures.theme import count, percent
from dista.widgets.streamlit import brush, threshold

if TYPE_CHECKING:
    import xarray as xr

    from dista.config import ModelConfig
    from dista.experiments.corruption import Noise
    from dista.measures import BlockDenoising

KINDS = {
    "salt-and-pepper": "salt and pepper",
    "gaussian": "Gaussian",
    "events": "spurious events",
    "occlusion": "occlusion",
    "painted": "painted by you",
}
WHERE = ("everywhere", "left half", "upper half", "centre")
EACH = 300  # samples that are answered without each denoiser
LIKE = 16  # samples whose noisy maps are compared with the clean ones
SAMPLES = ("0", "50", "100", "200", "500")
DEFAULT = "salt-and-pepper", 0.3, "centre"

HOW_TO_READ = """
- **The denoiser** keeps a count of the attention map where it is larger than *u* and makes all others
  0: thresholding is the paper's *nonlinear denoising* [paper, reviews]. Counts are whole numbers, so
  u = 1 and u = 1.9 do the same. The weights were trained with one u; any other one is an intervention.
- **Corrupted patches** are those with a changed pixel. The stem's 3 x 3 convolutions carry noise
  into neighbouring patches as well, and from the second block on attention has spread it further.
- **Similarity** is the cosine between the maps of the clean and of the noisy input, with the same u:
  1 where they are alike up to a factor. It compares raw maps with raw ones, denoised with denoised.
- **Painted pixels** are as you painted them: full is the largest value, blank is nothing,
  speckled is either of both by chance. The link holds them.
- **At one step only**, of events or of a sequence, the input and what its patches receive are of that step:
  what its keys receive, at that step and later. Similarity is still that of all steps.
- **What is due to noise.** A threshold removes small counts wherever they are. What it removes at the corrupted
  patches is shown beside what it removes at the same places of the clean input: only the difference has to do
  with noise.
- **Accuracy against noise** uses the same noisy samples for every u. The bars of the curve are 95 % intervals of
  each accuracy; whether two u differ is seen in the paired differences below it (Bonett and Price 2012), sample
  by sample, which are narrower.
- **Levels** are per pixel; of colours and of the two polarities of events each has noise of its own, and of frames
  each step. Images end at 0 and 1, event counts at 0: below each level stands what was really added, as
  the root mean square over all values of the input.
- Noise kinds and their levels are [ours]. Gaussian noise on event counts makes them fractions.
"""


@reads("denoise")
def show(problems: Problems) -> None:
    opening = choosers.opening(
        choosers.choose_input, HOW_TO_READ, "whose denoiser could be shown", problems
    )
    if opening is None:
        return
    checkpoint, (sample, image), tools = opening
    with plain.errors():
        row = {"horizontal": True, "vertical_alignment": "bottom", "gap": "small"}
        with st.container(**row, key="controls-noise"):
            noise = choose_noise(checkpoint, problems)
        u = threshold_of_link(checkpoint, problems)
        clean = experiments.noisy(checkpoint.weights, sample, image, None, u)
        noisy = experiments.noisy(checkpoint.weights, sample, image, noise, u)
        show_maps(checkpoint, clean, noisy, noise, u)
        offer_ways(noise)
        lookers = show_lookers(noisy, clean, noise)
        show_curve(checkpoint, noise, problems)
        each = show_each(checkpoint, problems)
        name = f"denoise-{downloads.short(checkpoint.name)}-{sample}"
        python = as_python(checkpoint, sample, image, noise, u, lookers)
        python = "\n".join([python, *each])
        tools.code.code(python, language="python")
        recordings = {"Clean": lambda: clean, "Noisy": lambda: noisy}
        downloads.fill(tools.save, name, recordings, python=python)


# What is chosen -----------------------------------------------------------------------------------


def choose_noise(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> Noise:
    """Kind, level and place of the noise, or what was painted, and when; in the URL."""
    from dista.experiments.corruption import Noise

    kind = url.choice("kind", list(KINDS), DEFAULT[0], problems)
    st.selectbox(
        "Noise in the input", list(KINDS), format_func=KINDS.get, width=190,
        **url.bound("kind", kind),
    )  # fmt: skip
    if kind == "painted":
        text = painted(checkpoint, problems)
        return Noise(kind, float(bool(text)), paint=text, step=choose_step(checkpoint, problems))
    level = url.real("level", DEFAULT[1], 0.0, 1.0, problems)
    where = url.choice("where", WHERE, DEFAULT[2], problems)
    st.slider("Level", 0.0, 1.0, step=0.01, width=220, **url.bound("level", level))
    st.selectbox("Where", WHERE, width=150, **url.bound("where", where))
    return Noise(kind, level, where, step=choose_step(checkpoint, problems))


def choose_step(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> int | None:
    """The one step that is changed, where the input has steps; None, "all" in the URL, for all of them."""
    task = tasks.form(checkpoint.data)
    if task.time_steps is None:
        return None
    options = ["all", *map(str, range(task.time_steps))]
    option = url.choice("changed", options, "all", problems)
    st.selectbox(
        "Steps", options, format_func=lambda text: step_named(text, task.step_labels), width=190,
        **url.bound("changed", option),
    )  # fmt: skip
    return None if option == "all" else int(option)


def step_named(text: str, labels: Sequence[str] | None) -> str:
    if text == "all":
        return "all steps"
    label = f" ({labels[int(text)]})" if labels else ""
    return f"step {int(text) + 1}{label} only"


def painted(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> str:
    """What was painted on inputs of this size, as text; in the URL as ``paint``."""
    text = url.text("paint") or ""
    try:
        paint_marks(text, *checkpoint.config.input_shape[1:])
    except PaintError as error:
        problems.append(f"The link holds a painting that cannot be shown: {error}.")
        return ""
    return text


def threshold_of_link(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> int | None:
    """The denoiser's u; None, and not in the URL, where it is left as it was trained."""
    said = url.text("u")
    if said is None:
        return None
    most = checkpoint.config.head_dim
    u = url.number("u", most + 1, problems)
    if u <= most:
        return u
    if said == str(u):
        problems.append(f"There is no u = {u}: counts of this model end at {most}.")
    return None


def remember_threshold(u: int | None) -> None:
    """Write u into the URL, or take it out, when the line was let go."""
    url.write(u=u)


def remember_paint(marks: np.ndarray) -> None:
    """Write what is painted into the URL; nothing painted is nothing there."""
    url.write(paint=paint_text(marks) or None)


def described(checkpoint: checkpoints.Checkpoint) -> str:
    denoiser = checkpoint.config.denoiser
    return DENOISERS[denoiser.kind].title(denoiser.u)


# What is shown ------------------------------------------------------------------------------------


def show_maps(
    checkpoint: checkpoints.Checkpoint, clean: xr.DataTree, noisy: xr.DataTree, noise: Noise, u: int | None
) -> None:  # fmt: skip
    """Histogram with u, the noise in input and maps, attention to it, and similarity to the clean maps."""
    from dista import figures, measures

    theme = charts.theme()
    change = measures.input_change(clean, noisy, step=noise.step)
    received = measures.attention_received(noisy, step=noise.step)
    without = measures.attention_received(clean, step=noise.step)
    parts, quiet = (
        [measures.patch_attention(one, change.patches) for one in each]
        for each in (received, without)
    )
    st.markdown(f"## {sentence(parts, quiet, change.patches.mean(), noise)}")
    st.markdown(plain.text(answers(clean, noisy)))
    alike = measures.map_similarity(clean, noisy)
    about_noise = {
        "patches": figures.patch_attention(received, change.patches, clean=without, theme=theme),
        "similarity": figures.map_similarity(alike, theme=theme),
    }
    left, middle, right = st.columns(3)
    if noise.kind == "painted":
        marks = paint_marks(noise.paint, *checkpoint.config.input_shape[1:])
        with left:
            brush(clean, marks, key="brush", on_change=remember_paint, step=noise.step)
        left, middle = middle, right
    with left:
        show_threshold(checkpoint, measures.denoising(noisy), u)
    with middle:
        charts.plot(figures.input_change(change, received, theme=theme), "input")
    if noise.kind == "painted":
        charts.row(about_noise)
        return
    with right:
        for key, figure in about_noise.items():
            charts.plot(figure, key)


def offer_ways(noise: Noise) -> None:
    """Other pages on this sample; Compare knows Gaussian noise alone, and on all of the input."""
    same = {"noise": noise.level} if noise[:3] == ("gaussian", noise.level, "everywhere") else {}
    next_page.offer(
        Way("watch", "This sample in Watch"),
        Way("compare", "This noise in Compare" if same else "This sample in Compare", same),
        Way("memory", "This sample in Memory"),
        Way("ablate", "Without the denoiser in Ablate", {"switches": "denoiser"}),
    )


def show_threshold(
    checkpoint: checkpoints.Checkpoint, blocks: list[BlockDenoising], u: int | None
) -> None:
    """The histogram, in which u is a line to drag; its numbers are those of the package's figure."""
    from dista import measures

    config = checkpoint.config
    trained = config.denoiser.u if config.denoiser.kind == "threshold" else 0.0
    downloads.note("denoising", partial(measures.stacked, blocks))
    charts.keep_place("threshold", 300 + 200 * (len(blocks) - 1))  # about what it comes to
    threshold(
        blocks, u=u, trained=trained, rule=described(checkpoint), most=config.head_dim,
        key="threshold", on_change=remember_threshold,
    )  # fmt: skip


def sentence(parts: list, quiet: list, share: float, noise: Noise) -> str:
    """The one plain sentence of the page; ``quiet`` is of the same places without noise."""
    if not share and noise.kind == "painted":
        return "Paint on the input: nothing there has changed yet."
    if not share:
        return "Without noise the denoiser can remove nothing but what it always removes: add some."
    if share == 1:
        return (
            "The noise reaches every patch: the maps can be compared with the clean ones, but there "
            "are no clean patches to compare with. A lower level or a place leaves some."
        )
    first, at = parts[0], "" if noise.step is None else f" of step {noise.step + 1}"
    if first.removed is None or first.removed_elsewhere is None:
        return f"Noise lies on {percent(share)} of the patches; there is too little attention to compare."
    there = quiet[0].removed
    if there is None:
        return (
            f"In block 1 the denoiser removes {percent(first.removed)} of the attention to corrupted "
            f"patches{at} and {percent(first.removed_elsewhere)} of that to clean ones; without noise those "
            "places get none."
        )
    return (
        f"In block 1 the denoiser removes {percent(first.removed)} of the attention to corrupted "
        f"patches{at} and {percent(there)} of that to the same places without noise: "
        f"{points(first.removed - there)} points are due to the noise. Of clean patches it removes "
        f"{percent(first.removed_elsewhere)}."
    )


def answers(clean: xr.DataTree, noisy: xr.DataTree) -> str:
    from dista.measures import decision

    said = [decision(tree) for tree in (clean, noisy)]
    names = [one.classes[one.answer] for one in said]
    sure = [percent(one.probabilities[-1, one.answer]) for one in said]
    return f"Answer without noise: {names[0]} ({sure[0]}). With noise: {names[1]} ({sure[1]})."


def show_curve(checkpoint: checkpoints.Checkpoint, noise: Noise, problems: list[str]) -> None:
    """Accuracy against noise for several u, on as many held-out samples as one has patience for."""
    if noise.kind == "painted":
        st.caption(
            "What is painted is there or not: it has no level, so there is no curve of accuracy against it. "
            "Choose another kind of noise for that."
        )
        return
    config = checkpoint.config
    own = own_threshold(config)
    with st.container(key="controls-curve"):
        thresholds, samples = choose_curve(config.head_dim, own, noise, problems)
    if samples:
        draw_curve(checkpoint, noise, thresholds, min(samples, held_out(checkpoint)), own)
        with plain.errors():
            st.markdown(likeness(checkpoint, noise, threshold_of_link(checkpoint, [])))


def show_lookers(noisy: xr.DataTree, clean: xr.DataTree, noise: Noise) -> list[str]:
    """Which head looks at the corrupted patches, and at which step; the Python of its keys, if there are some."""
    from dista import figures, measures

    patches = measures.input_change(clean, noisy, step=noise.step).patches
    if patches.all() or not patches.any():
        return []  # there are no others, or none
    steps = noisy["head"].sizes["time"]
    keys = np.repeat(patches[None], steps, 0)
    if noise.step is not None:
        keys &= (np.arange(steps) == noise.step)[:, None, None]
    results = measures.attention_to(noisy, keys)
    labels = noisy.attrs.get("step_labels")
    figure = figures.attention_grid(
        results, to="corrupted patches", step_labels=labels, theme=charts.theme()
    )
    charts.plot(figure, "lookers")
    lines = [
        "import numpy as np",
        "keys = np.repeat(change.patches[None], len(after['head'].time), 0)",
    ]
    if noise.step is None:
        return lines
    return [*lines, f"keys[np.arange(len(keys)) != {noise.step}] = False"]


def show_each(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> list[str]:
    """What the denoiser of each block and head is worth, when asked for; lines of Python that say the same."""
    st.markdown("## Does each denoiser matter?")
    if not each_part.choose(problems, ("denoisers",)):
        return []
    with plain.errors():
        limit = min(EACH, held_out(checkpoint))
        each_part.measure(checkpoint, "denoisers", limit)
        lines = each_part.as_python("denoisers", limit)
        return [*lines, *snippets.shown(each_part.FIGURE)]
    return []


def own_threshold(config: ModelConfig) -> float | None:
    """The u with which the network was trained; None where its denoiser is something else than a threshold."""
    if DENOISERS[config.denoiser.kind].compute is None:
        return 0.0
    return config.denoiser.u if config.denoiser.kind == "threshold" else None


def choose_curve(
    most: int, own: float | None, noise: Noise, problems: list[str]
) -> tuple[list[int], int]:
    """The thresholds to be compared, and the number of samples; both in the URL."""
    offered, trained = range(min(most, 9)), int(own or 0)
    default = sorted({0, trained, min(trained + 2, most)} & set(offered))
    at = "" if noise.step is None else f", at step {noise.step + 1} only"
    st.markdown(f"## Accuracy against {KINDS[noise.kind]} noise, {noise.where}{at}")
    thresholds = url.numbers("thresholds", offered, default, problems)
    samples = int(url.choice("samples", SAMPLES, "0", problems))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.pills(
            "Thresholds u", offered, selection_mode="multi", **url.bound("thresholds", thresholds)
        )
        st.segmented_control(
            "Held-out samples", SAMPLES, required=True, **url.bound("samples", str(samples)),
            format_func=lambda text: "none" if text == "0" else text,
        )  # fmt: skip
    if not samples:
        st.caption(
            "Choose a number of samples to measure it; 100 take a minute or two on a laptop."
        )
    return thresholds, samples


def draw_curve(
    checkpoint: checkpoints.Checkpoint,
    noise: Noise,
    thresholds: list[int],
    samples: int,
    own: float | None,
) -> None:
    from dista import figures

    what = f"{samples} samples with every level and u"
    with progress.measuring(partial(url.write, samples=None), what, "curve") as report:
        curve = experiments.noise_curve(checkpoint.weights, noise, thresholds, samples, report, own)
    charts.plot(figures.noise_curve(curve, own=own, theme=charts.theme()), "curve")
    if len(thresholds) > 1:
        charts.plot(figures.noise_differences(curve, theme=charts.theme()), "differences")


def likeness(checkpoint: checkpoints.Checkpoint, noise: Noise, u: int | None) -> str:
    """Whether the denoiser makes noisy maps more like clean ones, over some samples."""
    result = experiments.likeness(checkpoint.weights, noise, u, LIKE)
    if not result.samples:
        return "Too few maps have attention left to compare noisy ones with clean ones."
    return (
        f"With this noise denoised maps are **less** like the clean ones than raw maps in {result.less} of "
        f"{count(result.samples, 'sample')}: a mean cosine of {result.denoised:.2f} against {result.raw:.2f}. "
        f"{verdict(result)}"
    )


def verdict(result: experiments.Likeness) -> str:
    """Whether that is denoising, in words: by most samples and by the mean, or it is neither."""
    most = 2 * result.less > result.samples
    if most and result.denoised < result.raw:
        return "**So here it does not denoise:** with it noisy maps are further from the clean ones than without."
    if not most and result.denoised > result.raw:
        return (
            "**So here it denoises:** with it noisy maps are nearer to the clean ones than without."
        )
    return "**So here it does neither:** most samples and the mean do not agree."


# Python -------------------------------------------------------------------------------------------


def as_python(
    checkpoint: checkpoints.Checkpoint, sample: int, image: str | None, noise: Noise, u: int | None,
    lookers: list[str],
) -> str:  # fmt: skip
    """Code that makes the histogram and the other figures of the maps."""
    changes = "{}"
    if u is not None:
        changes = f"{{{experiments.DENOISERS!r}: dista.interventions.threshold({u:g})}}"
    of_step = "" if noise.step is None else f", step={noise.step}"
    paint = f", paint={noise.paint!r}" if noise.paint else ""
    looks = "dista.measures.attention_to(after, keys)"
    labels = ", step_labels=task.step_labels" if tasks.form(checkpoint.data).step_labels else ""
    return "\n".join(
        [
            *snippets.inputs(checkpoint, sample, image),
            "from dista.experiments.corruption import Noise, corrupt",
            "",
            f"noise = Noise({', '.join(map(repr, noise[:3]))}{paint}{of_step})",
            f"noisy = corrupt(x, noise, [{sample}], counts=task.test.unit == 1)",
            f"with dista.intervene(model, {changes}):",
            "    before, after = (dista.record(model, it) for it in (x, noisy))",
            f"change = dista.measures.input_change(before, after{of_step})",
            f"received = dista.measures.attention_received(after{of_step})",
            f"without = dista.measures.attention_received(before{of_step})",
            *lookers,
            *snippets.shown(
                "dista.figures.input_change(change, received)",
                "dista.figures.patch_attention(received, change.patches, clean=without)",
                "dista.figures.map_similarity(dista.measures.map_similarity(before, after))",
                *[f"dista.figures.attention_grid({looks}, to='corrupted patches'{labels})"]
                * bool(lookers),
                "dista.figures.denoising(dista.measures.denoising(after))",
            ),
        ]
    )


show()
