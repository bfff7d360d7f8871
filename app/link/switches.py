"""The switches of an ablation as rows of pills; together they are one word in the URL."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from app.link import url

if TYPE_CHECKING:
    from dista.config import ModelConfig
    from dista.experiments.corruption import Noise

DEFAULT = ("memory", "neuron-memory")  # the first of them that the model has
NOISES = (0.05, 0.1, 0.2, 0.4, 0.8)
THRESHOLDS = (1, 2, 3, 4, 6, 8)


class Row(NamedTuple):
    """One part of the model: the switches that it has, by their text, and what the pills say."""

    title: str
    options: dict[str, str]
    many: bool = False


class Experiment(NamedTuple):
    """What is changed in a run: switches as ``dista.ablations`` takes them, and the noise in the input."""

    switches: tuple[str, ...] = ()
    noise: Noise | float = 0.0


def rows(config: ModelConfig, *, starting_taus: bool = True) -> list[Row]:
    """What can be switched in a model of this configuration, whose card may have its ``starting_taus``."""
    window = config.memory.window
    heads = {
        f"head={b}.{h}": f"{b + 1}.{h + 1}"
        for b in range(config.depth)
        for h in range(config.heads)
    }
    return [
        Row("Denoiser", _denoisers(config)),
        Row(
            "Attention's memory",
            ({"own-past": "another sample's", "memory": "off"} if window > 1 else {})
            | {f"window={w}": f"{w} steps" for w in _between(window)},
        ),
        Row("Neurons' memory", {"neuron-memory": "another sample's", "carry-over": "none, h = x / tau"}),
        Row("Time constants", {"tau=1": "1, and so more gain"}
            | ({"learned-taus": "as before training"} if starting_taus else {})),
        Row("Silent blocks", {f"block={b}": f"{b + 1}" for b in range(config.depth)}, many=True),
        Row("Silent heads, block.head", heads, many=True),
        Row("Noise in the input", {f"noise={std:g}": f"{std:g}" for std in NOISES}),
    ]  # fmt: skip


def _denoisers(config: ModelConfig) -> dict[str, str]:
    """Other thresholds, those beside the trained one; and its control, which removes as much and no single count."""
    has_one = config.denoiser.kind != "none"
    trained = config.denoiser.u if config.denoiser.kind == "threshold" else 1
    thresholds = [u for u in THRESHOLDS if u < config.head_dim and (not has_one or u != trained)]
    return (
        ({"denoiser": "off"} if has_one else {})
        | {f"u={u}": f"u = {u}" for u in thresholds}
        | {f"weaker={trained:g}": f"all counts, as weak as by u = {trained:g}"}
    )


def _between(window: int) -> list[int]:
    """A few windows between 1 and the trained one."""
    return sorted({2, window // 2, window - 1} & set(range(2, window)))


def choose(config: ModelConfig, problems: list[str], *, starting_taus: bool = True) -> list[str]:
    """Pills for every row; what is chosen is in the URL as ``switches``, separated by commas."""
    table = rows(config, starting_taus=starting_taus)
    default = next(text for text in DEFAULT if any(text in row.options for row in table))
    said = url.text("switches")
    wanted = [text for text in (default if said is None else said).split(",") if text]
    switches = _allowed(table, wanted, problems)
    url.show("switches", switches)
    columns = st.columns(3)
    for place, row in enumerate(table):
        key = f"switch:{row.title}"
        mine = [text for text in switches if text in row.options]
        st.session_state[key] = mine if row.many else next(iter(mine), None)
        with columns[place % 3]:
            if not row.options:
                st.caption(f"{row.title}: this model has none.")
                continue
            st.pills(
                row.title, list(row.options), format_func=row.options.get, key=key, wrap=True,
                selection_mode="multi" if row.many else "single",
                on_change=_to_url, args=(table,),
            )  # fmt: skip
    return switches


def _allowed(table: list[Row], wanted: list[str], problems: list[str]) -> list[str]:
    """The wanted switches that the model has, one of a part; a sentence for each of the others."""
    allowed = []
    for text in dict.fromkeys(wanted):
        row = next((row for row in table if text in row.options), None)
        if row is None:
            problems.append(f"{url.link_says('switches', text)}, which this model does not have.")
        elif not row.many and any(other in row.options for other in allowed):
            problems.append(
                f"The link has two switches for one part, {row.title.lower()}; {text!r} is left out."
            )
        else:
            allowed.append(text)
    return allowed  # fmt: skip


def _to_url(table: list[Row]) -> None:
    texts = []
    for row in table:
        value = st.session_state.get(f"switch:{row.title}") or []
        texts += value if row.many else [value] if value else []
    url.write(switches=",".join(texts))


def experiments(
    config: ModelConfig, switches: list[str], together: bool = False
) -> dict[str, Experiment]:
    """What is run beside the model as it is: each switch alone, and before them all ``together`` if asked for."""
    said = {
        text: f"{row.title}: {name}" for row in rows(config) for text, name in row.options.items()
    }
    first = {"All of it together": apart(switches)} if together and len(switches) > 1 else {}
    return first | {said[text]: apart([text]) for text in switches}


def apart(texts: list[str]) -> Experiment:
    """Switches of the model, and the noise, which is one of the input."""
    noise = [text.removeprefix("noise=") for text in texts if text.startswith("noise=")]
    switches = tuple(text for text in texts if not text.startswith("noise="))
    return Experiment(switches, float(noise[0]) if noise else 0.0)
