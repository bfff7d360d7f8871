"""Denoise: what the threshold takes out of the attention maps, and what noise in the input does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.computed import experiments
from app.denoising import choosing, curve, maps
from app.inputs import checkpoints, tasks
from app.link import plain
from app.link.problems import Problems, reads
from app.page import choosers, downloads, each_part, next_page, snippets
from app.page.next_page import Way
from app.page.samples import held_out

if TYPE_CHECKING:
    from dista.experiments.corruption import Noise

EACH = 300  # samples that are answered without each denoiser

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
        with st.container(
            horizontal=True, vertical_alignment="bottom", gap="small", key="controls-noise"
        ):
            noise = choosing.choose_noise(checkpoint, problems)
        u = choosing.threshold_of_link(checkpoint, problems)
        clean = experiments.noisy(checkpoint.weights, sample, image, None, u)
        noisy = experiments.noisy(checkpoint.weights, sample, image, noise, u)
        maps.show(checkpoint, clean, noisy, noise, u)
        offer_ways(noise)
        lookers = maps.show_lookers(noisy, clean, noise)
        curve.show(checkpoint, noise, problems)
        each = show_each(checkpoint, problems)
        name = f"denoise-{downloads.short(checkpoint.name)}-{sample}"
        python = as_python(checkpoint, sample, image, noise, u, lookers)
        python = "\n".join([python, *each])
        tools.code.code(python, language="python")
        recordings = {"Clean": lambda: clean, "Noisy": lambda: noisy}
        downloads.fill(tools.save, name, recordings, python=python)


def offer_ways(noise: Noise) -> None:
    """Other pages on this sample; Compare knows Gaussian noise alone, and on all of the input."""
    same = {"noise": noise.level} if noise[:3] == ("gaussian", noise.level, "everywhere") else {}
    next_page.offer(
        Way("watch", "This sample in Watch"),
        Way("compare", "This noise in Compare" if same else "This sample in Compare", same),
        Way("memory", "This sample in Memory"),
        Way("ablate", "Without the denoiser in Ablate", {"switches": "denoiser"}),
    )


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
