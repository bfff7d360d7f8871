"""All options of a sweep at once: lines through them, and how much the accuracies depend on each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.page import charts, next_page
from app.page.next_page import Way

if TYPE_CHECKING:
    import pandas as pd

    from dista.measures import OptionImportance


FEW = 4  # options beside the accuracy, whose names stand beside each other on a phone


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
    # A line for each option: on a phone there is room for a few, and the stylesheet leaves out what cannot be read.
    with left, st.container(key="few-options" if len(options) <= FEW else "many-options"):
        charts.plot(figures.parallel_runs(runs, theme=theme), "parallel-runs")
    with right:
        charts.plot(figures.option_importance(_importance(runs), theme=theme), "importance")
    best = Way("train", "The best of these runs on Train", {"run": best_of(table)})
    next_page.offer(best, key="next-pages-options")
    return True


def best_of(table: pd.DataFrame) -> str:
    """The name of the finished run that reached most on the test samples; of several, of the first."""
    finished = table[table["state"] == "finished"].dropna(subset="accuracy")
    return str(finished.loc[finished["accuracy"].idxmax(), "run"])


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
