"""Accuracy against noise for several u, over held-out samples; and whether denoised maps are more like clean ones."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from app.computed import experiments
from app.denoising.choosing import KINDS, threshold_of_link
from app.inputs import checkpoints
from app.link import plain, url
from app.page import charts, next_page, progress
from app.page.next_page import Way
from app.page.samples import held_out
from dista.denoisers import DENOISERS
from dista.figures.theme import count

if TYPE_CHECKING:
    from dista.config import ModelConfig
    from dista.experiments.corruption import Noise

LIKE = 16  # samples whose noisy maps are compared with the clean ones
SAMPLES = ("0", "50", "100", "200", "500")


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
        draw(checkpoint, noise, thresholds, min(samples, held_out(checkpoint)), own)
        with plain.errors():
            st.markdown(likeness(checkpoint, noise, threshold_of_link(checkpoint, [])))


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


def draw(
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
    off = {"switches": "denoiser", "samples": samples}
    next_page.offer(
        Way("ablate", "Without the denoiser, on these samples", off), key="next-pages-curve"
    )


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
