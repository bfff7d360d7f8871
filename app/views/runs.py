"""Runs: all trainings in a table, those of a study in a grid of states; several beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from app.link import permission, plain, url
from app.link.problems import Problems, reads
from app.page import downloads, next_page, snippets, toolbar
from app.page.next_page import Way
from app.studies import files, new_study, options, progress, reading, selected, table
from dista.runs import background, default_folder, everywhere
from dista.studies import places

if TYPE_CHECKING:
    import pandas as pd

ALL = "all runs"

HOW_TO_READ = """
- **Columns are the options in which the runs of the table differ**, by their names in `--set`. What is the same in all
  of them is left out. Sort by a column's head; search with the table's own button; filter with words.
- *test* is the accuracy of the best checkpoint on the test samples, *validation* that of the best epoch on those that
  it was chosen by. The little curve is validation by epoch.
- **Runs that differ in a seed alone** say how far accuracies lie apart by accident. What configurations reach over
  seeds, with intervals, is on the Ablate page.
- **Which options matter** is the share of the variance of these accuracies that each accounts for by itself
  (functional ANOVA on forests). The seed is among them: what is not above it may be an accident.
- **A study** is a grid of configurations and seeds, trained by `dista sweep` in processes of their own. They go on
  when this page is closed; stopped or killed, they go on later with what is left.
- Notes and tags are kept in the folder of the run, in `annotation.json`.
"""

EMPTY = """
## No run yet

Start one on the Train page, a study here, or either in a terminal:

```
dista train --preset digits --data digits
dista sweep match-ablation --workers 2
```

Runs are looked for in the folder {folder}; the variable `DISTA_RUNS` names another one.
"""


@reads("runs")
def show(problems: Problems) -> None:
    studies = places.everywhere()
    with st.container(horizontal=True, vertical_alignment="center", key="controls"):
        if permission.training():
            new_study.offer(problems)
        else:
            st.caption(permission.NO_TRAINING, width="stretch")
        study = choose_study(studies, problems)
        tools = toolbar.show(HOW_TO_READ)
    problems.here()
    if st.session_state.get("study-starting") and study is None:
        wait(st.session_state["study-starting"])
    with plain.errors():
        if study is not None:
            progress.show(study)
            way = Way("ablate", "What the study came to, on Ablate", {"study": study.name})
            next_page.offer(way, key="next-pages-study")
        show_runs(study, tools, problems)


def choose_study(studies: dict[str, Path], problems: list[str]) -> Path | None:
    """One of the studies, or all runs; in the URL as ``study``."""
    starting = st.session_state.get("study-starting")
    if starting and url.text("study") == starting and starting not in studies:
        return None
    name = url.choice("study", [ALL, *studies], ALL, problems)
    st.selectbox(
        "Study", [ALL, *studies], label_visibility="collapsed", width=300,
        format_func=lambda one: one if one == ALL or not places.is_shipped(studies[one]) else f"{one}, shipped",
        **url.bound("study", name),
    )  # fmt: skip
    return studies.get(name)


@st.fragment(run_every=1.0)
def wait(name: str) -> None:
    """Say that a study is starting, until it is there or has failed."""
    there = name in places.everywhere()
    said = None if there else background.complaint(default_folder() / name)
    if said:
        plain.error(f"The study did not start: {said}")
        if st.button("Close"):
            del st.session_state["study-starting"]
            url.write(study=None)
            st.rerun(scope="app")
    elif there:
        del st.session_state["study-starting"]
        st.rerun(scope="app")
    else:
        st.info(
            f"Starting {plain.text(name)}: each of its configurations is built once before any is trained."
        )


def show_runs(study: Path | None, tools: toolbar.Toolbar, problems: Problems) -> None:
    """The table, what is selected in it, and all options at once."""
    runs = reading.summaries(everywhere().values() if study is None else files.runs_of(study))
    if not runs:
        said = (
            "None of its runs has begun."
            if study
            else EMPTY.format(folder=plain.path(default_folder()))
        )
        st.markdown(said)
        return
    shown, closely = table.choose(runs, problems)
    if shown.empty:
        return
    selected.show(closely)
    st.markdown("## Which options matter")
    python = as_python(study, options.show(shown))
    tools.code.code(python, language="python")
    name, own = "runs" if study is None else study.name, files.of_runs(shown, study)
    downloads.fill(tools.save, name, tables=lambda: {"runs": flat(shown)}, python=python, files=own)


def flat(table: pd.DataFrame) -> pd.DataFrame:
    """The table without curves, which have a length of their own."""
    return table.drop(columns="curve")


def as_python(study: Path | None, enough: bool) -> str:
    """Code that makes the table, and draws which options matter where there are enough runs."""
    runs = "list(dista.runs.everywhere().values())"
    if study is not None:
        planned = f"dista.open_study({study.name!r}).study.planned()"
        runs = f"[run for one in {planned} if (run := one.run())]"
    lines = [
        "import dista",
        "from dista.runs import overview",
        "",
        f"runs = {runs}",
        "table = overview.table([overview.summary(run) for run in runs], [run.status() for run in runs])",
        "print(table)",
    ]
    if not enough:
        return "\n".join(lines)
    lines += [
        "finished = table[table['state'] == 'finished'].dropna(subset='accuracy')",
        "options = [name for name in table.attrs['options'] if finished[name].astype(str).nunique() > 1]",
        "drawn = {name: finished[name].tolist() for name in options}",
        "importance = dista.measures.option_importance(drawn, finished['accuracy'].tolist())",
        *snippets.shown(
            "dista.figures.option_importance(importance)",
            "dista.figures.parallel_runs(finished[[*options, 'accuracy']])",
        ),
    ]
    return "\n".join(lines)


show()
