"""What the networks of a study answer under other conditions: parts cut from them, and noise in the input.

Shown is what ``dista cuts`` and ``dista noise`` have measured; nothing is computed here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st

from app.link import plain, switches, url
from app.page import charts
from app.studies import accounts, reading

if TYPE_CHECKING:
    from dista.measures import SeedCurve, SeedDifference
    from dista.studies.results import Results
    from dista.studies.robustness import Cuts

EMPTY = """
What these networks lose by a cut, and under noise, was not measured yet. Where their weights are,

```
dista cuts {study}
dista noise {study} --as-trained
```

measure it, and keep it beside the runs.
"""


def show(results: Results, problems: list[str], above: accounts.Above) -> None:
    """One configuration, with each part cut that it has, and under noise beside those that are alike but for one part.

    ``above`` is what the switches of the page did to its checkpoint: said beside the same cuts.
    """
    from dista import figures

    cuts, noise = reading.cuts(results.study.path), reading.noise(results.study.path)
    names = [one.name for one in results.study.configurations()]
    asked = {cut.configuration for cut in cuts.cuts} | {n for by in noise.values() for n in by}
    there = [name for name in names if name in asked]
    st.markdown("## The same networks, asked again")
    if not there:
        st.markdown(EMPTY.format(study=plain.text(results.study.name)))
        return
    with st.container(horizontal=True, vertical_alignment="center", key="controls-again"):
        name = url.choice("configuration", there, there[-1], problems)
        st.selectbox(
            "Configuration", there, width=420, label_visibility="collapsed",
            **url.bound("configuration", name),
        )  # fmt: skip
        kind = _kind(list(noise), problems)
    drawn = {}
    if rows := of_configuration(results, cuts, name):
        drawn["study-cuts"] = figures.seed_differences(rows, theme=charts.theme())
    if kind and (curves := beside(results, noise[kind], name)):
        drawn["study-noise"] = figures.seed_curves(curves, theme=charts.theme())
    if drawn:
        charts.row(drawn)
    its = [cut for cut in cuts.cuts if cut.configuration == name]
    for sentence in accounts.sentences(its, words_of(results, name), above):
        st.markdown(sentence)
    st.caption(
        "A cut takes a part from a trained network; *trained with* is another network, which had to do so "
        "from the beginning. Both differences are paired by seed and by sample."
    )


def _kind(kinds: list[str], problems: list[str]) -> str | None:
    if not kinds:
        return None
    kind = url.choice("study-noise", kinds, kinds[0], problems)
    st.segmented_control(
        "Noise", kinds, required=True, label_visibility="collapsed", format_func=lambda one: one.replace("-", " "),
        **url.bound("study-noise", kind),
    )  # fmt: skip
    return kind


def of_configuration(results: Results, cuts: Cuts, name: str) -> dict[str, SeedDifference]:
    """Each cut of a configuration, by the words of the switches above; after it what training without the part does."""
    every = {one.name: one for one in results.study.configurations()}
    levels, words, rows = every[name].levels, words_of(results, name), {}
    for cut in cuts.cuts:
        if cut.configuration == name:
            rows[" · ".join(words.get(one, one) for one in cut.switches)] = cut.difference
            if cut.trained_without:
                its = every[cut.without].levels.items()
                other = [f"{axis}={level}" for axis, level in its if levels[axis] != level]
                rows[f"trained with {', '.join(other) or cut.without}"] = cut.trained_without
    return rows


def words_of(results: Results, name: str) -> dict[str, str]:
    """What the page calls each switch of the networks of a configuration."""
    config = {one.name: one for one in results.study.configurations()}[name].config(0)
    return {
        switch: f"{row.title}: {option}"
        for row in switches.rows(config.model)
        for switch, option in row.options.items()
    }


def beside(results: Results, curves: Mapping[str, SeedCurve], name: str) -> dict[str, SeedCurve]:
    """The curve of a configuration as it was trained, then those of others that differ from it on one axis."""
    levels = {one.name: one.levels for one in results.study.configurations()}
    near = [
        other
        for other, its in levels.items()
        if other != name and sum(its[axis] != levels[name].get(axis) for axis in its) <= 1
    ]
    return {one: curves[one] for one in [name, *near] if one in curves}


def as_python(results: Results) -> list[str]:
    """Lines that read the same, of all configurations."""
    cuts, noise = reading.cuts(results.study.path), reading.noise(results.study.path)
    name = repr(results.study.name)
    lines = [f"cuts = robustness.cuts({name})"] if cuts.cuts else []
    lines += [f"noise = robustness.noise({name})  # by kind"] if noise else []
    return ["from dista.studies import robustness", "", *lines] if lines else []


def figures_of(results: Results) -> list[str]:
    """The code of their figures."""
    cuts, noise = reading.cuts(results.study.path), reading.noise(results.study.path)
    drawn = ["dista.figures.seed_differences(cuts.differences)"] if cuts.cuts else []
    return drawn + [f"dista.figures.seed_curves(noise[{kind!r}])" for kind in noise]
