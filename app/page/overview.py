"""Where to look: the attention of all heads and steps to chosen keys, who pays most, and what a click leads to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import streamlit as st

from app.computed import experiments, overviews
from app.link import plain, url
from app.page import charts, next_page
from app.page.next_page import Way
from dista import measures
from dista.figures.theme import count, percent
from dista.style.labels import layer as short

if TYPE_CHECKING:
    from app.inputs.checkpoints import Checkpoint
    from dista.measures import AttentionTo, Looker

LISTED = 5  # patches, and neurons
_OPTIONS = "overview options"
SAMPLES = 64  # held-out samples over which neurons are looked through


class Where(NamedTuple):
    """What is looked for, and what came of it: keys by what they are called, those chosen, and their attention."""

    to: str
    said: str
    results: Sequence[AttentionTo]
    lookers: Sequence[Looker]
    since: int


def look(
    recording: Any, key: Sequence[Any], patch: tuple[int, int] | None, problems: list[str]
) -> Where | None:
    """The attention to what the URL names as ``to``; None where there are no maps, or nothing to look for."""
    options = overviews.targets(recording, *key)
    if patch is not None:
        options = {**options, "patch": f"row {patch[0] + 1}, column {patch[1] + 1}"}
    if not options:
        return None
    to = url.choice("to", list(options), next(iter(options)), problems)
    st.session_state[_OPTIONS] = options
    results = overviews.attention(recording, to, patch if to == "patch" else None, *key)
    since = overviews.read_out(recording, *key)
    return Where(
        to, options[to], results, measures.rank_patches(results, LISTED, since=since), since
    )


def place(where: Where | None) -> dict[str, int]:
    """The block, head, step and patch that pay most beyond an even share: the first of the list."""
    return _place(where.lookers[0]) if where and where.lookers else {}


def _place(looker: Looker) -> dict[str, int]:
    names = ("block", "head", "step", "row", "column")
    return {name: getattr(looker, name) for name in names}


def sentence(where: Where | None, opened: bool, *, changed: bool = False) -> str:
    """What there is to see, whether the page has opened there, and whether it is so in a network that was ``changed``."""
    if where is None:
        return ""
    if not where.lookers:
        lead = "As it is changed, no" if changed else "No"
        return f"{lead} patch pays more to {where.said} than even attention would."
    first = where.lookers[0]
    lead = "Opened where attention" if opened else "Attention"
    lead = "As it is changed, attention" if changed else lead
    return (
        f"{lead} to {where.said} is furthest beyond an even share: block {first.block + 1}, head {first.head + 1}, "
        f"step {first.step + 1}, row {first.row + 1}, column {first.column + 1}. **{first.paid} of this patch's "
        f"{first.total} counts** go there; spread evenly, {first.paid - first.surplus:.1f} would."
    )


def show(where: Where, at: Mapping[str, Any]) -> None:
    """The grid and the patches that pay most; a click in either goes there."""
    from dista import figures

    options = st.session_state[_OPTIONS]
    st.pills(
        "Attention to", list(options), format_func=options.get, required=True, wrap=True,
        **url.bound("to", where.to),
    )  # fmt: skip
    shown = tuple(int(at[name]) for name in ("block", "head", "step") if name in at)
    figure = figures.attention_grid(
        where.results, to=where.said, place=shown if len(shown) == 3 else None, since=where.since,
        theme=charts.theme(),
    )  # fmt: skip
    charts.plot(
        charts.clickable(figure), "overview", on_select=lambda: _clicked(where), selection_mode="points",
    )  # fmt: skip
    said = (
        f"from step {where.since + 1} on, as the answer is read out"
        if where.since
        else "at any step"
    )
    st.markdown(
        f"**Patches whose attention to {plain.text(where.said)} is furthest beyond an even share**, {said}"
    )
    with st.container(gap=None, key="lookers"):
        for i, looker in enumerate(where.lookers):
            st.button(
                f"{looker.block + 1}.{looker.head + 1}, step {looker.step + 1}, row {looker.row + 1}, column "
                f"{looker.column + 1}: {looker.paid} of {looker.total} counts, {looker.surplus:.1f} beyond",
                key=f"looker-{i}", type="tertiary", on_click=url.write, kwargs=_place(looker),
            )  # fmt: skip
        if not where.lookers:
            st.caption("None pays more than even attention would.")


def _clicked(where: Where) -> None:
    """Go to the cell's head and step, and to the patch of it that pays most."""
    points = st.session_state["overview"]["selection"]["points"]
    if not points:
        return
    step, row = int(points[0]["x"]), int(points[0]["y"])
    heads = [(one, head) for one in where.results for head in range(len(one.paid))]
    one, head = heads[row]
    patch = int(one.surplus[head, step].argmax())
    here = divmod(patch, one.paid.shape[-1])
    url.write(block=one.block, head=head, step=step, row=here[0], column=here[1])


# Neurons ------------------------------------------------------------------------------------------


def show_neurons(
    checkpoint: Checkpoint, layer: str, classes: Sequence[str], problems: list[str]
) -> None:
    """The channels of the layer that fire most for a class, over some held-out samples."""
    options = [str(number) for number in range(len(classes))]
    said = url.choice("class", ["none", *options], "none", problems)
    st.session_state["neurons-for"] = None if said == "none" else said
    st.pills(
        f"Neurons of {short(layer)} that fire for", options, wrap=True, key="neurons-for",
        format_func=lambda number: plain.text(classes[int(number)]),
        on_change=lambda: url.write(**{"class": st.session_state["neurons-for"]}),
    )  # fmt: skip
    if said == "none":
        return
    rates = experiments.class_rates(checkpoint.weights, layer, SAMPLES)
    wanted = int(said)
    own = np.flatnonzero(rates.favours == wanted)
    for channel in own[np.argsort(-rates.contrast[own], kind="stable")][:LISTED].tolist():
        mean, contrast = rates.rate[channel, wanted], rates.contrast[channel]
        way = Way(
            "neurons",
            f"Channel {channel + 1}: fires at {percent(mean)} of steps and places, {percent(mean - contrast)} else",
            {"layer": layer, "channel": channel},
        )
        next_page.offer(way, key=f"neuron-{channel}")
    if not len(own):
        st.caption("No channel of this layer fires most for it.")
    st.caption(f"Over {count(int(rates.samples.sum()), 'held-out sample')}.")
