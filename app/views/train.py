"""Train: a run while it is being written, and what it came to."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from app.inputs import checkpoints
from app.learning import curves, progress
from app.link import permission, plain, url
from app.link.problems import Problems, reads
from app.page import choosers, downloads, next_page, snippets, toolbar
from app.page.next_page import Way
from app.trainings import new_run, run_tables
from dista.runs import (
    Run,
    RunError,
    default_folder,
    everywhere,
    shipped,
    unfinished,
)
from dista.widgets.streamlit import probe

if TYPE_CHECKING:
    import pandas as pd

KEY = "train-probe"
TABLES = ("steps", "epochs", "neurons", "attention", "gradients")
POLL = 2.0  # seconds between looks into the folder of a running run
LOOK = 5.0  # and between looks whether one that stands still goes on: from a terminal, or by another reader

HOW_TO_READ = """
- **The film.** The slider goes through the epochs of which there is a recording; curves, cursor and probe
  follow it. *Follow latest* moves on with a training that is running.
- **Time constants and rates** are means over the neurons of a layer, over the samples that the run records.
- **Accuracy** is that of the validation samples, which are not those of the other pages.
"""

EMPTY = """
## No run yet

Start one here, or in a terminal: a run appears on this page as soon as it starts. On a laptop, for instance:

```
dista train --preset digits --data digits
dista train --preset match_map --data match
```

Runs are looked for in the folder {folder}; the variable `DISTA_RUNS` names another one.
"""

SHIPPED_ALONE = """
No run of your own yet: these come with the package. Runs are looked for in the folder {folder}; the variable
`DISTA_RUNS` names another one.
"""


@reads("train")
def show(problems: Problems) -> None:
    runs = everywhere()
    with st.container(horizontal=True, vertical_alignment="center", key="controls"):
        if permission.training():
            new_run.offer(problems)
        else:
            st.caption(permission.NO_TRAINING, width="stretch")
        if runs and "starting" not in st.session_state:
            tools = toolbar.show(HOW_TO_READ)
    if new_run.starting():
        return
    if runs:
        with st.container(key="runs"):
            run = choosers.choose_run(runs, problems)
        if all(one.path.is_relative_to(shipped.folder()) for one in runs.values()):
            st.caption(SHIPPED_ALONE.format(folder=plain.path(default_folder())))
        url.accompany(run=run.name)  # an epoch without its run says nothing
    url.place(problems)
    problems.here()
    for sentence in unfinished(default_folder()).values():
        st.caption(f":material/warning: {plain.text(sentence)}")
    if not runs:
        st.markdown(EMPTY.format(folder=plain.path(default_folder())))
        return
    running = run.status().state == "running"
    with st.container(key="live"), plain.errors():
        check(run)
        polled = running or progress.continuing(run)
        st.fragment(follow, run_every=POLL if polled else None)(run, running, polled)
        if not polled and run.status().state != "finished":
            st.fragment(look, run_every=LOOK)(run)
        offer(tools, run)
        offer_ways(run)


def offer(tools: toolbar.Toolbar, run: Run) -> None:
    """The run's tables and its last snapshot to take home, and the Python that reads them."""
    snapshots = run.snapshots()
    epoch, _ = choosers.epoch_of_link(snapshots)
    recordings = {f"Epoch {epoch}": lambda: run.snapshot(epoch)} if epoch in snapshots else {}
    python = as_python(run, epoch)
    downloads.fill(tools.save, run.name, recordings, tables=lambda: tables(run), python=python)
    tools.code.code(python, language="python")


def offer_ways(run: Run) -> None:
    """The run among others, what its study came to, and its best checkpoint on the pages that run one."""
    ways = [Way("runs", "Beside other runs", {"selected": run.name})]
    if study := run.name.rpartition("/")[0]:
        ways.append(Way("ablate", "What its study came to, in Ablate", {"study": study}))
    if best := checkpoints.best(run):
        subject = {"checkpoint": best.name}
        ways += [
            Way("watch", "The best checkpoint in Watch", subject),
            Way("compare", "The best checkpoint in Compare", subject),
            Way("ablate", "The best checkpoint in Ablate", subject),
        ]
    next_page.offer(*ways)


def tables(run: Run) -> dict[str, pd.DataFrame]:
    return {name: table for name in TABLES if not (table := run_tables.table(run, name)).empty}


def as_python(run: Run, epoch: int) -> str:
    """Code that reads the run and draws its curves, as far as there are any, and its snapshot."""
    shot = epoch in run.snapshots()
    complete = not curves.read(run, "epochs").empty
    drawn = (
        "dista.figures.learning_curves(epochs, epoch=epoch)",
        "dista.figures.tau_history(neurons, epoch=epoch)",
        "dista.figures.rate_history(neurons, epoch=epoch)",
    )
    return "\n".join(
        [
            "import dista",
            "",
            f"run = dista.runs.Run({str(run.path)!r})",
            f"epoch = {epoch}",
            "epochs, neurons = run.table('epochs'), run.table('neurons')",
            *(snippets.displayed("dista.widgets.probe(run.snapshot(epoch))") if shot else []),
            *(snippets.shown(*drawn) if complete else []),
        ]
    )


def check(run: Run) -> None:
    """RunError, in one plain sentence, where the run cannot be shown at all."""
    try:
        _ = run.config
    except RunError as error:
        raise RunError(
            f"the run {run.name} cannot be shown: its config.json is damaged, or of another version"
        ) from error


def look(run: Run) -> None:
    """Show the page anew as soon as a run that stood still goes on, whoever asked it to."""
    if run.status().state == "running":
        st.rerun(scope="app")


def follow(run: Run, was_running: bool, polled: bool) -> None:
    """The film: progress, curves and the probe at one epoch; called again while the run is running.

    A click in it runs it alone, as it was made: whether it is ``polled`` is decided by the whole page.
    """
    status = run.status()
    running = status.state == "running"
    if was_running != running:
        st.session_state.pop("continuing", None)
        st.rerun(scope="app")  # a live run polls and has live charts, another has neither
    if progress.continuing(run) and not polled:
        st.rerun(scope="app")
    with plain.errors():
        progress.show(run, status)
        snapshots = run.snapshots()
        epoch = choosers.choose_epoch(snapshots) if snapshots else 0
    show_damage(run)
    curves.show(run, epoch, running)
    with plain.errors():
        curves.show_layers(curves.read(run, "neurons"))
        curves.offer_layers(run)
    with plain.errors():
        show_snapshot(run, epoch if snapshots else None)


def show_damage(run: Run) -> None:
    """What is left out of what follows, and why."""
    for sentence in run_tables.damage(run):
        st.caption(f":material/warning: {plain.text(sentence)}")


# The probe sample, epoch by epoch -----------------------------------------------------------------


def show_snapshot(run: Run, epoch: int | None) -> None:
    """The probe on a sample that the run records, as it was after ``epoch``."""
    if epoch is None:
        if run.status().state == "finished":
            st.caption("This run has no recordings: it comes with its tables alone.")
        else:
            st.caption("The recording of the probe sample appears with the first snapshot.")
        return
    training = run.config.training
    sample = choosers.choose_probe(training.probe, training.probes)
    try:
        payload = run_tables.snapshot_payload(run, epoch, sample)
    except Exception as error:  # whatever a damaged recording raises
        raise RunError(
            f"the recording of epoch {epoch} in {run.path} is damaged and cannot be shown"
        ) from error
    remember, place = partial(url.remember_place, KEY, run=run.name), url.place([])
    url.show_place(payload.header)
    probe(payload, key=KEY, state=place, on_change=remember)


show()
