"""The lower half of Ablate: networks that were trained without a part, over seeds, with intervals over both."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.link import plain, url
from app.page import charts, next_page, snippets
from app.page.next_page import Way
from app.studies import asked_again, files, progress, reading
from app.studies.accounts import Above
from dista.figures.ablations import points
from dista.runs import default_folder
from dista.studies import places
from dista.studies.grid import GridError
from dista.studies.results import notes

if TYPE_CHECKING:
    from app.page.downloads import File
    from dista.measures import SeedDifference
    from dista.studies.results import Results

EMPTY = """
A switch on a trained network says what that network uses. Whether a part earns its place takes networks that were
*trained* without it, over several seeds. None are here yet; a study of them is trained from the Runs page, or with

```
dista sweep match-ablation --workers 2
```

Studies are looked for in the folder {folder}; the variable `DISTA_RUNS` names another one.
"""


def choose(task: str | None, problems: list[str]) -> Results | None:
    """The study that is shown, by its results; None where there is none, which is said. In the URL as ``study``.

    That comes first whose task is the one of the checkpoint above.
    """
    st.markdown("## Trained without it")
    studies = places.everywhere()
    if not studies:
        st.markdown(EMPTY.format(folder=plain.path(default_folder())))
        return None
    first = next(
        (name for name, path in studies.items() if _task(path) == task), next(iter(studies))
    )
    name = url.choice("study", list(studies), first, problems)
    with st.container(horizontal=True, vertical_alignment="center", key="controls-study"):
        st.selectbox(
            "Study", list(studies), label_visibility="collapsed", width=300,
            format_func=lambda one: f"{one}, shipped" if places.is_shipped(studies[one]) else one,
            **url.bound("study", name),
        )  # fmt: skip
        with plain.errors():
            results = reading.results(studies[name])
            st.markdown(_about(results), width="stretch")
            return results
    return None


def _task(path: Path) -> str | None:
    try:
        return reading.study(path).grid.data
    except (GridError, OSError):
        return None


def _about(results: Results) -> str:
    planned = results.study.planned()
    what = planned[0].config
    finished = sum(run.finished for run in planned)
    return plain.text(
        f"{what.preset} on {what.data}, {what.training.epochs} epochs; {finished} of {len(planned)} runs are finished, "
        f"{progress.whole_seeds(planned)}"
    )


def show(results: Results, problems: list[str], above: Above = None) -> None:
    """Differences and accuracies with every seed, the table, what has to be said beside them, and other conditions."""
    from dista import figures

    theme = charts.theme()
    if not results.accuracies:
        st.info("None of its runs is finished and has answered the test samples yet.")
    else:
        st.markdown(f"## {plain.text(headline(results))}")
        drawn = {}
        if results.differences:
            drawn["study-differences"] = figures.seed_differences(results.differences, theme=theme)
        drawn["study-accuracies"] = figures.seed_accuracies(results.accuracies, theme=theme)
        if results.effects:
            left, right = st.columns([0.5, 0.5])
            with left:
                st.markdown("**One part at a time**, over all levels of the others")
                charts.plot(figures.seed_differences(results.effects, theme=theme), "study-effects")
            with right, st.container(border=True, key="card-study-notes"):
                _show_notes(results)
        else:
            _show_notes(results)
        if results.differences:
            st.markdown(
                f"**Each configuration**; differences are to {plain.text(results.baseline)}"
            )
        charts.row(drawn)
        _show_table(results)
        asked_again.show(results, problems, above)
    way = Way("runs", "Its runs, one by one", {"study": results.study.name})
    next_page.offer(way, key="next-pages-study")


def headline(results: Results) -> str:
    """What each part is worth where that is certain, and which parts are not told apart from chance."""
    differences = results.effects or results.differences
    if not differences:
        only = next(iter(results.accuracies))
        return f"{only} reaches {100 * results.accuracies[only].mean:.1f} %; nothing to compare it with is finished"
    certain = {name: one for name, one in differences.items() if one.certain}
    said = [_worth(name, one) for name, one in certain.items()]
    if open_ := [name for name in differences if name not in certain]:
        verb = "is" if len(open_) == 1 else "are"
        said.append(f"{_and(open_)} {verb} not told apart from chance")
    seeds = sorted({len(one.seeds) for one in differences.values()})
    mean = ", on average over the other parts" if results.effects else ""
    if seeds == [1]:
        return f"One training each, so of these networks alone{mean}: {'; '.join(said)}"
    count = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    return f"Over {count} seeds{mean}: {'; '.join(said)}"


def _worth(name: str, one: SeedDifference) -> str:
    verb = "brings" if one.difference > 0 else "costs"
    low, high = sorted(100 * abs(end) for end in (one.low, one.high))
    if (
        one.low < 0 < one.high
    ):  # certain by p after correction, with an interval that is rounded differently
        return f"{name} {verb} {points(one.difference)} points"
    return f"{name} {verb} {100 * abs(one.difference):.1f} points ({low:.1f} to {high:.1f})"


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _show_notes(results: Results) -> None:
    for note in notes(results):
        st.caption(plain.text(note))


def _show_table(results: Results) -> None:
    """A row for each configuration, those that are not trained as well."""
    table = results.table()
    shares = [name for name in table.attrs["units"]] + [c for c in table if c.startswith("seed_")]
    shown = table.copy()
    for name in shares:
        shown[name] = 100 * shown[name].astype(float)
    shown["seeds"] = [f"{n} of {m}" for n, m in zip(table["seeds"], table["planned_seeds"])]
    levels = {name for one in results.study.configurations() for name in one.levels}
    order = [c for c in shown if c not in levels | {"planned_seeds", "paired_seeds", "samples"}]
    number = st.column_config.NumberColumn
    config = {name: number(_title(name), format="%.1f") for name in shares}
    config |= {name: number(_title(name), format="%.2g") for name in ("p", "p_holm")}
    config["configuration"] = st.column_config.TextColumn(pinned=True, width="large")
    st.dataframe(
        shown, hide_index=True, column_order=order, column_config=config, key="study-table", placeholder="",
        alt=f"{len(table)} configurations: seeds, mean, spread, difference to {results.baseline}",
    )  # fmt: skip


_TITLES = {
    "mean": "mean, %", "spread": "spread", "low": "from", "high": "to", "chance": "chance, %",
    "most_frequent": "one answer, %", "difference": "difference, points", "difference_low": "from ",
    "difference_high": "to ", "p_holm": "p, Holm",
}  # fmt: skip


def _title(name: str) -> str:
    return _TITLES.get(name, name.replace("_", " "))


def as_python(results: Results) -> str:
    """Code that draws the same figures."""
    made = [
        f"dista.figures.{figure}(results.{what})"
        for figure, what in (
            ("seed_differences", "effects"),
            ("seed_differences", "differences"),
            ("seed_accuracies", "accuracies"),
        )
        if getattr(results, what)
    ]
    lines = ["import dista", "", f"results = dista.open_study({results.study.name!r})"]
    lines += ["print(results.table())", *asked_again.as_python(results)]
    made += asked_again.figures_of(results)
    return "\n".join([*lines, *(snippets.shown(*made) if made else [])])


def saved(results: Results | None) -> Mapping[str, File]:
    """The files that the page offers of it."""
    return files.of_study(results) if results is not None and results.accuracies else {}
