"""Accuracy against noise for several u, over held-out samples; and whether denoised maps are more like clean ones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from app.computed import experiments
from app.denoising.choosing import KINDS, threshold_of_link
from app.inputs import checkpoints
from app.link import plain, url
from app.page import charts, next_page, progress
from app.page.next_page import Way
from app.page.samples import NONE, held_out, many
from dista.denoisers import DENOISERS
from dista.figures.ablations import points
from dista.figures.theme import count, percent

if TYPE_CHECKING:
    from dista.config import ModelConfig
    from dista.experiments.corruption import Noise
    from dista.measures import NoiseCurve

LIKE = 16  # samples whose noisy maps are compared with the clean ones
SAMPLES = (NONE, "50", "100", "200", "500")


def show(checkpoint: checkpoints.Checkpoint, noise: Noise, problems: list[str]) -> None:
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
        thresholds, samples = choose(config.head_dim, own, noise, problems)
    if samples:
        curve = draw(checkpoint, noise, thresholds, min(samples, held_out(checkpoint)), own)
        with plain.errors():
            u = threshold_of_link(checkpoint, [])
            maps = experiments.likeness(checkpoint.weights, noise, u, LIKE)
            st.markdown(f"**The maps.** {likeness(maps)}")
            if said := answers(curve, own if u is None else u, noise.level):
                st.markdown(f"**The answers.** {said}")


def own_threshold(config: ModelConfig) -> float | None:
    """The u with which the network was trained; None where its denoiser is something else than a threshold."""
    if DENOISERS[config.denoiser.kind].compute is None:
        return 0.0
    return config.denoiser.u if config.denoiser.kind == "threshold" else None


def choose(
    most: int, own: float | None, noise: Noise, problems: list[str]
) -> tuple[list[int], int]:
    """The thresholds to be compared, and the number of samples; both in the URL."""
    offered, trained = range(min(most, 9)), int(own or 0)
    default = sorted({0, trained, min(trained + 2, most)} & set(offered))
    at = "" if noise.step is None else f", at step {noise.step + 1} only"
    st.markdown(f"## Accuracy against {KINDS[noise.kind]} noise, {noise.where}{at}")
    thresholds = url.numbers("thresholds", offered, default, problems)
    samples = int(url.choice("samples", SAMPLES, NONE, problems, many))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.pills(
            "Thresholds u", offered, selection_mode="multi", **url.bound("thresholds", thresholds)
        )
        st.segmented_control(
            "Held-out samples", SAMPLES, required=True, **url.bound("samples", str(samples)),
            format_func=many,
        )  # fmt: skip
    if not samples:
        st.caption(
            "Choose a number of samples to measure it; 100 take a minute or two on a laptop."
        )
    return thresholds, samples


def draw(
    checkpoint: checkpoints.Checkpoint,
    noise: Noise,
    thresholds: list[int],
    samples: int,
    own: float | None,
) -> NoiseCurve:
    """The figures of what was measured, which is returned."""
    from dista import figures

    what = f"{samples} samples with every level and u"
    with progress.measuring(partial(url.write, samples=None), what, "curve") as report:
        curve = experiments.noise_curve(checkpoint.weights, noise, thresholds, samples, report, own)
    charts.plot(figures.noise_curve(curve, own=own, theme=charts.theme()), "curve")
    if len(thresholds) > 1:
        charts.plot(figures.noise_differences(curve, theme=charts.theme()), "differences")
    off = {"switches": "denoiser", "samples": samples}
    next_page.offer(
        Way("ablate", "Without the denoiser, on these samples", off), key="next-pages-curve"
    )
    return curve


def likeness(result: experiments.Likeness) -> str:
    """Whether the denoiser makes noisy maps more like clean ones, over some samples."""
    if not result.samples:
        return "Too few maps have attention left to compare noisy ones with clean ones."
    return (
        f"With this noise denoised maps are **less** like the clean ones than raw maps in {result.less} of "
        f"{count(result.samples, 'sample')}: a mean cosine of {result.denoised:.2f} against {result.raw:.2f}. "
        f"{verdict(result)}"
    )


def verdict(result: experiments.Likeness) -> str:
    """Whether maps become cleaner, in words: by most samples and by the mean, or it is neither."""
    most = 2 * result.less > result.samples
    if most and result.denoised < result.raw:
        return "So the denoiser does not make these maps cleaner: it takes them further from the clean ones."
    if not most and result.denoised > result.raw:
        return "So the denoiser makes these maps cleaner: it brings them nearer to the clean ones."
    return "So it is not clear whether these maps become cleaner: most samples and the mean do not agree."


def answers(curve: NoiseCurve, u: float | None, level: float) -> str:
    """What the denoiser does to the answers at the measured level next to ``level``; "" where that was not measured."""
    if u is None or not u or not {0, u} <= set(curve.thresholds):
        return ""
    at = int(np.abs(curve.levels - level).argmin())
    with_u, without = (curve.accuracy[curve.thresholds.index(one), at] for one in (u, 0))
    return (
        f"At level {curve.levels[at]:g} {percent(with_u)} are correct with u = {u:g} and {percent(without)} with u = 0, "
        f"which removes nothing{_paired(curve, u, at)}. This is another question than that of the maps: the network was "
        "trained with its own u, and may need what that leaves without its maps becoming cleaner."
    )


def _paired(curve: NoiseCurve, u: float, at: int) -> str:
    """The difference from u = 0 with its interval, where one of the two is what the others are compared with."""
    if curve.difference is None or curve.against not in (0, u):
        return ""
    sign, row = (1, u) if curve.against == 0 else (-1, 0)
    place = curve.thresholds.index(row)
    numbers = (curve.difference, curve.difference_low, curve.difference_high)
    middle, *ends = (sign * float(one[place, at]) for one in numbers if one is not None)
    low, high = sorted(ends)
    return f": {points(middle)} points ({points(low)} to {points(high)})"
