"""Maps of the clean and of the noisy input: what the threshold removes, from where, and who looks at it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from app.denoising.choosing import remember_paint, remember_threshold
from app.inputs import checkpoints
from app.link import plain
from app.page import charts, downloads, next_page
from app.page.next_page import Way
from dista.denoisers import DENOISERS
from dista.experiments.painting import paint_marks
from dista.figures.ablations import points
from dista.figures.theme import percent
from dista.widgets.streamlit import brush, threshold

if TYPE_CHECKING:
    import xarray as xr

    from dista.experiments.corruption import Noise
    from dista.measures import BlockDenoising, Looker


def show(
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


def show_threshold(
    checkpoint: checkpoints.Checkpoint, blocks: list[BlockDenoising], u: int | None
) -> None:
    """The histogram, in which u is a line to drag; its numbers are those of the package's figure."""
    from dista import measures

    config = checkpoint.config
    trained = config.denoiser.u if config.denoiser.kind == "threshold" else 0.0
    downloads.note("denoising", partial(measures.stacked, blocks))
    charts.keep_place("threshold", 328 + 200 * (len(blocks) - 1))  # about what it comes to
    threshold(
        blocks, u=u, trained=trained, rule=described(checkpoint), most=config.head_dim,
        key="threshold", on_change=remember_threshold,
    )  # fmt: skip


def described(checkpoint: checkpoints.Checkpoint) -> str:
    denoiser = checkpoint.config.denoiser
    return DENOISERS[denoiser.kind].title(denoiser.u)


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
            f"Of the attention to corrupted patches{at} the denoiser of block 1 removes {percent(first.removed)}, of that "
            f"to clean ones {percent(first.removed_elsewhere)}. Without noise the corrupted patches get none."
        )
    return (
        f"Of the attention to corrupted patches{at} the denoiser of block 1 removes {percent(first.removed)}. Without "
        f"noise it removes {percent(there)} of the attention to the same patches, so the noise accounts for "
        f"{points(first.removed - there)} points. Of the attention to clean patches it removes "
        f"{percent(first.removed_elsewhere)}."
    )


def answers(clean: xr.DataTree, noisy: xr.DataTree) -> str:
    from dista.measures import decision

    said = [decision(tree) for tree in (clean, noisy)]
    names = [one.classes[one.answer] for one in said]
    sure = [percent(one.probabilities[-1, one.answer]) for one in said]
    return f"Answer without noise: {names[0]} ({sure[0]}). With noise: {names[1]} ({sure[1]})."


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
    for looker in measures.rank_heads(results, 1):
        next_page.offer(*ways(looker), key="next-pages-looker")
    lines = [
        "import numpy as np",
        "keys = np.repeat(change.patches[None], len(after['head'].time), 0)",
    ]
    if noise.step is None:
        return lines
    return [*lines, f"keys[np.arange(len(keys)) != {noise.step}] = False"]


def ways(looker: Looker) -> tuple[Way, ...]:
    """A head on other pages, at the step at which it pays most."""
    place = {"block": looker.block, "head": looker.head, "step": looker.step}
    return (
        Way("watch", f"Block {looker.block + 1} head {looker.head + 1} in Watch", place),
        Way("ablate", "Without it in Ablate", {"switches": f"head={looker.block}.{looker.head}"}),
    )
