"""Change the network and its input, and see the answer before and after, on the same sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from app.computed.recordings import Changes
from app.link import switches, url
from app.page import next_page
from app.page.next_page import Way
from dista.figures.theme import percent
from dista.style.labels import layer as short

if TYPE_CHECKING:
    import xarray as xr

    from app.inputs.checkpoints import Checkpoint

NAMES = ("u", "window", "tau-times", "scope", "silent", "noise")
FACTORS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0, 8.0)
NOISES = (0.0, 0.05, 0.1, 0.2, 0.4, 0.8)
TRAINED = "trained"


def choose(checkpoint: Checkpoint, layer: str, problems: list[str]) -> Changes:
    """Sliders and switches, all of them in the URL; ``layer`` is the one that the probe shows, or ""."""
    config = checkpoint.config
    _head()
    own = config.denoiser.u if config.denoiser.kind == "threshold" else None
    u = _slider(
        "u", "Denoiser: keeps counts above u", range(min(config.head_dim, 16) + 1), own, problems
    )
    window = None
    if config.memory.window > 1:
        steps = range(1, config.memory.window + 1)
        window = _slider(
            "window", "Attention sees, in steps", steps, config.memory.window, problems
        )
    times = _nearest("tau-times", "Time constants, times", FACTORS, 1.0, problems)
    scope = url.choice("scope", ["all", "layer"], "all", problems)
    if times != 1 and layer:
        st.segmented_control(
            "Whose time constants", ["all", "layer"], required=True, label_visibility="collapsed",
            format_func={"all": "all layers", "layer": short(layer)}.get, **url.bound("scope", scope),
        )  # fmt: skip
    noise = _nearest("noise", "Noise in the input", NOISES, 0.0, problems)
    silent = _choose_heads(config.depth, config.heads, problems)
    return Changes(u, window, times, layer if scope == "layer" else "", silent, noise)


def _head() -> None:
    """The title, and the ways to show what can be changed, on a phone, and to undo it."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="change-head"
    ):  # fmt: skip
        st.markdown("**Change it and watch**", width="content")
        changed = any(url.text(name) is not None for name in NAMES)
        _offer_all(changed)
        st.button(
            "Reset", key="reset", type="tertiary", disabled=not changed, on_click=_reset,
            help="Everything as it was trained",
        )  # fmt: skip


@st.fragment
def _offer_all(changed: bool) -> None:
    """A switch for a phone, where the probe would begin far below what can be changed; it costs no run of the page."""
    st.checkbox("Show", value=changed, key="show-changes")


def _reset() -> None:
    url.write(**dict.fromkeys(NAMES))


def _slider(
    name: str, label: str, values: range, trained: float | None, problems: list[str]
) -> int | None:
    """One of ``values``; None where it is the trained one, which for other rules is a place of its own."""
    default = int(trained) if trained is not None and int(trained) in values else None
    options = [*map(str, values)] if default is not None else [TRAINED, *map(str, values)]
    first = TRAINED if default is None else str(default)
    said = url.choice(name, options, first, problems)
    st.select_slider(label, options, **url.bound(name, said))
    return None if said == first else int(said)


def _nearest(
    name: str, label: str, values: tuple[float, ...], default: float, problems: list[str]
) -> float:
    """One of a few numbers: the nearest to what the link says."""
    said = url.real(name, default, values[0], 8.0, problems)
    value = min(values, key=lambda one: abs(one - said))
    st.select_slider(
        label, values, format_func=lambda one: f"× {one:g}" if 1.0 in values else f"{one:g}",
        **url.bound(name, value),
    )  # fmt: skip
    return value


def _choose_heads(depth: int, heads: int, problems: list[str]) -> tuple[tuple[int, int], ...]:
    """The heads that are silent; in the URL as ``silent``, BLOCK.HEAD with commas."""
    options = {f"{b}.{h}": (b, h) for b in range(depth) for h in range(heads)}
    said = [text for text in (url.text("silent") or "").split(",") if text]
    if unknown := [text for text in said if text not in options]:
        there = ", ".join(f"{b + 1}.{h + 1}" for b, h in options.values())
        problems.append(f"{url.link_says('silent', unknown[0])}; there are {there}.")
    silent = [text for text in options if text in said]
    st.pills(
        "Silent heads, block.head", list(options), selection_mode="multi", wrap=True,
        format_func=lambda text: "{}.{}".format(*(part + 1 for part in options[text])),
        **url.bound("silent", silent),
    )  # fmt: skip
    return tuple(options[text] for text in silent)


# Before and after ---------------------------------------------------------------------------------


def show_answers(before: xr.DataTree, after: xr.DataTree | None) -> None:
    """The answer as trained, and with the change, in orange where it is another."""
    from dista.measures import decision

    first = decision(before)
    second = None if after is None else decision(after)
    left, right = st.columns(2)
    with left.container(border=True, key="answer-before"):
        st.caption("as trained")
        st.markdown(f"**{_said(first)}**")
    with right.container(border=True, key="answer-after"):
        st.caption("with the change")
        if second is None:
            st.markdown("nothing changed yet")
        else:
            other = second.answer != first.answer
            st.markdown(f":orange[**{_said(second)}**]" if other else f"**{_said(second)}**")


def _said(decision: Any) -> str:
    names = decision.classes or [str(n) for n in range(decision.logits.shape[1])]
    return f"{names[decision.answer]} {percent(decision.probabilities[-1, decision.answer])}"


def offer_many(checkpoint: Checkpoint, changes: Changes) -> None:
    """The way to the same change over many samples, as far as Ablate has a switch for it."""
    rows = switches.rows(checkpoint.config)
    offered = {text for row in rows for text in row.options}
    wanted = {f"u={changes.u}": changes.u is not None, f"window={changes.window}": changes.window is not None,
              "denoiser": changes.u == 0, "memory": changes.window == 1, f"noise={changes.noise:g}": changes.noise > 0}  # fmt: skip
    texts = [text for text, asked in wanted.items() if asked and text in offered]
    texts += [f"head={block}.{head}" for block, head in changes.silent]
    if texts:
        state = {"switches": ",".join(texts)} | ({"together": "open"} if len(texts) > 1 else {})
        st.caption("One sample proves little.")
        next_page.offer(Way("ablate", "The same over 300 samples", state), key="over-many")


def as_python(changes: Changes) -> list[str]:
    """Lines that record ``x`` again as ``recording``, with the changes."""
    calls = [
        f"    {pattern!r}: dista.interventions.{name}({', '.join(f'{k}={v!r}' for k, v in words.items())}),"
        for pattern, (name, words) in changes.interventions.items()
    ]
    return ["", "changes = {", *calls, "}", "with dista.intervene(model, changes):"]
