"""What the denoisers removed from the attention maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dista.figures.tables import tabled
from dista.figures.theme import Palette, Theme, finish, palette, percent
from dista.measures import BlockDenoising


@tabled()
def denoising(blocks: Sequence[BlockDenoising], *, theme: Theme = "light") -> go.Figure:
    """Histogram of coincidence counts, one panel a block: removed (hatched) and kept, and u.

    The axis of numbers is logarithmic. Entries of 0 are left out: there is nothing to remove.
    """
    if not blocks:
        raise ValueError("blocks is empty; expected the result of dista.measures.denoising")
    colours = palette(theme)
    largest = max(2, *(len(block.before) - 1 for block in blocks))
    figure = make_subplots(
        len(blocks), 1, shared_xaxes=True, vertical_spacing=0.28 / len(blocks),
        subplot_titles=[_sentence(block) for block in blocks],
    )  # fmt: skip
    for row, block in enumerate(blocks, 1):
        counts = np.arange(1, len(block.before))
        gone = (block.before - block.after)[1:]
        bars = ("removed", gone, colours.orange), ("kept", block.after[1:], colours.accent)
        for name, number, colour in bars:
            figure.add_trace(_bars(name, counts, number, colour, row == 1, colours), row=row, col=1)
        if block.u is not None:
            figure.add_vline(
                np.floor(block.u) + 0.5, row=row, col=1,
                line={"color": colours.ink, "width": 1, "dash": "dot"},
                annotation={"text": f"u = {block.u:g}", "font": {"size": 11}},
                annotation_position="top right",
            )  # fmt: skip
    figure.update_annotations(font_size=12, font_color=colours.muted)
    for note in figure.layout.annotations[: len(blocks)]:
        note.update(x=0, xanchor="left", yshift=4)
    figure.update_xaxes(range=[0.2, largest + 0.8], dtick=max(1, round(largest / 8)), tick0=1)
    figure.update_xaxes(title={"text": "coincident spikes"}, row=len(blocks), col=1)
    figure.update_yaxes(
        type="log", dtick=1, tickformat="~s", title={"text": "entries"}, showgrid=True
    )
    figure.update_layout(barmode="overlay", bargap=0.25)
    raw, denoised = (sum(getattr(b, f"mass_{name}") for b in blocks) for name in ("raw", "kept"))
    gone = sum(b.mass_removed * b.mass_raw for b in blocks)
    title = f"The denoiser removes {percent(gone / raw if raw else 0)} of all coincident spikes"
    alt = f"{title}: {raw:g} before, {denoised:g} after. " + " ".join(
        f"{_sentence(block)}." for block in blocks
    )
    return finish(figure, theme, title=title, alt=alt, height=110 + 165 * len(blocks), top=14)


def _sentence(block: BlockDenoising) -> str:
    return f"Block {block.block + 1}: {percent(block.entries_removed)} of non-zero entries removed"


def _bars(
    name: str, counts: np.ndarray, number: np.ndarray, colour: str, legend: bool, colours: Palette
) -> go.Bar:
    return go.Bar(
        x=counts,
        y=np.where(number > 0, number, np.nan),
        name=name,
        legendgroup=name,
        showlegend=legend,
        marker={
            "color": colour,
            "line": {"width": 0},
            "pattern": {
                "shape": "/" if name == "removed" else "",
                "size": 5,
                "fgcolor": colours.panel,
                "fillmode": "overlay",
            },
        },
        hovertemplate=f"%{{x}} coincidences: %{{y}} entries {name}<extra></extra>",
    )
