"""All options of a sweep at once: lines through them, and how much the accuracies depend on each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.page import charts, next_page
from app.page.next_page import Way
from app.studies.table import BETWEEN

if TYPE_CHECKING:
    import pandas as pd

    from dista.measures import OptionImportance


def show(table: pd.DataFrame) -> bool:
    """Whether there are as many runs as that needs: else a sentence says how many."""
    from dista import figures
    from dista.measures.importance import FEWEST

    runs = measured(table)
    options = [name for name in runs if name != "accuracy"]
    if len(runs) < FEWEST or len(options) < 2:
        st.caption(
            f"Which options matter is shown for {FEWEST} or more finished runs that differ in two options or more. "
            f"Finished here: {len(runs)}. Options in which these differ: {len(options)}."
        )
        return False
    theme = charts.theme()
    left, right = st.columns([0.62, 0.38])
    with left:
        charts.plot(figures.parallel_runs(runs, theme=theme), "parallel-runs")
    with right:
        charts.plot(figures.option_importance(_importance(runs), theme=theme), "importance")
    best, beside = best_and_least(table)
    next_page.offer(
        Way("train", "The best of these runs on Train", {"run": best}),
        Way("runs", "The best beside the least, here", {"selected": f"{best}{BETWEEN}{beside}"}),
        key="next-pages-options",
    )
    return True


def best_and_least(table: pd.DataFrame) -> tuple[str, str]:
    """The names of the finished runs that reached most and least on the test samples."""
    finished = table[table["state"] == "finished"].dropna(subset="accuracy")
    ordered = finished.sort_values("accuracy", ascending=False, kind="stable")["run"]
    return ordered.iloc[0], ordered.iloc[-1]


def measured(table: pd.DataFrame) -> pd.DataFrame:
    """The options and the accuracy of finished runs; without options that are the same in all of them."""
    finished = table[(table["state"] == "finished") & table["accuracy"].notna()]
    options = [name for name in table.attrs["options"] if finished[name].astype(str).nunique() > 1]
    return finished[[*options, "accuracy"]].reset_index(drop=True)


@st.cache_data(show_spinner="Which options matter: forests grow", max_entries=16)
def _importance(runs: pd.DataFrame) -> OptionImportance:
    from dista.measures import option_importance

    options = {name: runs[name].tolist() for name in runs if name != "accuracy"}
    return option_importance(options, runs["accuracy"].tolist())
