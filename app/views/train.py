"""Train: a run while it is being written, and what it came to."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.inputs import checkpoints
from app.link import permission, plain, url
from app.link.problems import Problems, reads
from app.page import charts, choosers, downloads, next_page, snippets, toolbar
from app.page.next_page import Way
from app.trainings import live_charts, new_run, processes, run_tables
from dista.runs import (
    Run,
    RunError,
    Status,
    background,
    default_folder,
    everywhere,
    shipped,
    unfinished,
)
from dista.style import sentences
from dista.style.labels import layer as short
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
        polled = running or continuing(run)
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


def offer_layers(run: Run) -> None:
    """What the curves are of, in the best checkpoint: the layer whose tau moved furthest, the denoiser, the spikes."""
    from dista.figures.training import furthest_layers

    if (best := checkpoints.best(run)) is None:
        return
    subject, neurons = {"checkpoint": best.name}, read(run, "neurons")
    moved = [] if neurons.empty else furthest_layers(neurons, "tau")
    next_page.offer(
        *(
            Way(
                "neurons",
                f"{short(layer)}, whose tau moved furthest, in Neurons",
                subject | {"layer": layer},
            )
            for layer in moved[:1]
        ),
        Way("denoise", "What its denoiser removes, in Denoise", subject),
        Way("energy", "What its spikes cost, in Energy", subject),
        key="next-pages-curves",
    )


def tables(run: Run) -> dict[str, pd.DataFrame]:
    return {name: table for name in TABLES if not (table := run_tables.table(run, name)).empty}


def as_python(run: Run, epoch: int) -> str:
    """Code that reads the run and draws its curves, as far as there are any, and its snapshot."""
    shot = epoch in run.snapshots()
    complete = not read(run, "epochs").empty
    curves = (
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
            *(snippets.shown(*curves) if complete else []),
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


def continuing(run: Run) -> bool:
    """Whether this reader has asked that the run goes on, and it does not yet."""
    return st.session_state.get("continuing") == run.name


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
    if continuing(run) and not polled:
        st.rerun(scope="app")
    with plain.errors():
        show_progress(run, status)
        snapshots = run.snapshots()
        epoch = choosers.choose_epoch(snapshots) if snapshots else 0
    show_damage(run)
    show_curves(run, epoch, running)
    with plain.errors():
        show_layers(read(run, "neurons"))
        offer_layers(run)
    with plain.errors():
        show_snapshot(run, epoch if snapshots else None)


def show_damage(run: Run) -> None:
    """What is left out of what follows, and why."""
    for sentence in run_tables.damage(run):
        st.caption(f":material/warning: {plain.text(sentence)}")


def read(run: Run, table: str) -> pd.DataFrame:
    """A table of the run, or a sentence why it cannot be read."""
    try:
        return run_tables.table(run, table)
    except (ValueError, OSError) as error:
        raise RunError(
            f"{run.path / table}.jsonl is damaged and cannot be read; the rest of the run may be whole"
        ) from error


# Progress ---------------------------------------------------------------------------------------


def show_progress(run: Run, status: Status) -> None:
    config = run.config
    epochs, steps = config.training.epochs, status.steps
    done = status.step / steps if steps else status.epoch / epochs
    said = sentences.progress(status.state, status, epochs, status.reason)
    complaint = background.complaint(run.path)
    name, data, said = map(plain.text, (config.preset or run.name, config.data_title, said))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(1.0, done), text=f"**{name}** on {data}. {said}")
        if not permission.training():
            pass  # to look is all
        elif status.state == "running":
            st.button("Stop", icon=":material/stop:", on_click=stop, args=(run,))
        elif status.state != "finished":
            label = "Starting" if continuing(run) and not complaint else "Continue"
            st.button(
                label, icon=":material/play_arrow:", on_click=go_on, args=(run,),
                disabled=label == "Starting",
            )  # fmt: skip
    if continuing(run) and complaint:
        plain.error(f"The training did not go on: {complaint}")
    for sentence in st.session_state.pop("asked", []):
        st.toast(plain.text(sentence))


def stop(run: Run) -> None:
    """Ask the run to end; it finishes its step and saves first."""
    permission.check_training()
    try:
        run.ask_to_stop()
        st.session_state["asked"] = ["The training finishes its step, saves, and stops."]
    except RunError as error:
        st.session_state["asked"] = [str(error)]


def go_on(run: Run) -> None:
    processes.go_on(run.path)
    st.session_state["continuing"] = run.name
    st.session_state["asked"] = ["The training goes on from its last saved state in some seconds."]


# Curves -----------------------------------------------------------------------------------------


def show_curves(run: Run, epoch: int, running: bool) -> None:
    """Live charts keep zoom and selection over updates; finished runs get the package's figures.

    Each is drawn by itself: a damaged table takes its own with it, and no other.
    """
    if running:
        show_charts(live(run, epoch))
    else:
        show_figures(run, epoch)
    more = st.expander("Gradients, attention maps, silent neurons", **url.opened("more"))
    if more.open:
        with more:
            show_charts(more_charts(run, epoch))


# A chart's title, how it is drawn, and its key; a text here would be shown by Streamlit's magic.
Drawn = tuple[str, Callable[[], Any], str]


def live(run: Run, epoch: int) -> list[Drawn]:
    table = partial(read, run)
    return [
        (
            "Loss by training step",
            lambda: live_charts.loss(table("steps"), epoch),
            "live-loss",
        ),
        (
            "Validation accuracy by epoch",
            lambda: live_charts.accuracy(table("epochs"), epoch),
            "live-accuracy",
        ),
        (
            "Time constants by epoch, steps",
            lambda: live_charts.layers(table("neurons"), "tau", epoch),
            "live-tau",
        ),
        (
            "Spikes per neuron and step",
            lambda: live_charts.layers(table("neurons"), "rate", epoch, share=True),
            "live-rate",
        ),
    ]


def more_charts(run: Run, epoch: int) -> list[Drawn]:
    drawn = [
        ("Gradients of weights", "gradients", "weights", False, "more-weights"),
        ("Gradients of taus", "gradients", "tau", False, "more-taus"),
        ("Removed by the denoiser", "attention", "removed", True, "more-removed"),
        ("Mean lag, steps", "attention", "reach", False, "more-reach"),
        ("Silent neurons", "neurons", "dead", True, "more-dead"),
    ]

    def layers(table: str, column: str, share: bool) -> Any:
        return live_charts.layers(read(run, table), column, epoch, share=share)

    return [(title, partial(layers, *what), key) for title, *what, key in drawn]


def show_charts(drawn: list[Drawn]) -> None:
    for column, (title, chart, key) in zip(st.columns(len(drawn)), drawn):
        with column.container(border=True, key=f"card-{key}"), plain.errors():
            st.markdown(f"**{title}**")
            live_charts.show(chart(), key)


def show_figures(run: Run, epoch: int) -> None:
    from dista import figures

    with contextlib.suppress(RunError):  # which is said in its figure's place
        if read(run, "epochs").empty:
            st.info(
                "The run ended before its first epoch was complete: the loss of its steps is what there is."
            )
            show_charts(live(run, epoch)[:1])
            return
    drawn = [
        (figures.learning_curves, "epochs", "learning"),
        (figures.tau_history, "neurons", "tau"),
        (figures.rate_history, "neurons", "rate"),
    ]
    for column, (figure, table, name) in zip(st.columns(3), drawn):
        with column, plain.errors():
            shown = figure(read(run, table), epoch=epoch, theme=charts.theme())
            charts.plot(shown, f"done-{name}-{run.name}")


def show_layers(neurons: pd.DataFrame) -> None:
    """Name the layers that stay silent or always fire, in words."""
    if neurons.empty:
        return
    for sentence in charts.unusual_layers(neurons):
        st.markdown(sentence)


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
