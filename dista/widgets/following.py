"""A training in a notebook while it happens, read from its run folder; its film afterwards."""

from __future__ import annotations

import html
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dista.extras import need

need("ipywidgets", "following a training in a notebook", "notebooks")

import ipywidgets

from dista import figures
from dista.runs import Run, RunError, Tail, Training
from dista.runs.tables import with_columns
from dista.style import sentences
from dista.widgets.figures import Figures, with_picture
from dista.widgets.jupyter import Probe

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from dista.style.palette import Theme

LOOK = 1.0
"""Seconds between looks into the folder."""

_FIGURES = (
    (figures.loss_by_step, "steps"),
    (figures.learning_curves, "epochs"),
    (figures.tau_history, "neurons"),
    (figures.rate_history, "neurons"),
)
_TABLES = ("steps", "epochs", "neurons")


class Follow(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A run while it is written, by whomever: what it says of itself, figures, and the probe at one epoch.

    It reads the folder in a thread, so that the kernel is free, and sees what others do to the run, a page
    say. The thread ends when the run is finished or gone, or with ``close``.
    """

    def __init__(
        self, run: Run | Training | str | os.PathLike[str], *, every: float = LOOK
    ) -> None:
        self._every, self._closed, self._lock = every, threading.Event(), threading.RLock()
        self.training = Training(run)  # may refuse; what is left behind then still closes
        self._tails: dict[str, Tail] = {}
        self._figure_of: dict[Any, tuple[Any, Any]] = {}
        self._shown: tuple[Any, ...] = ()
        self._snapshot: tuple[Any, ...] = ()
        self._said = ""
        self._sentence = ipywidgets.HTML()
        self._stop = _button("Stop", "stop", self._ask(self.training.stop))
        self._resume = _button("Resume", "play", self._ask(self.training.resume))
        self._film = ipywidgets.SelectionSlider(
            options=[0], description="After epoch", disabled=True, layout={"width": "340px"}
        )
        self._film.observe(self._scrub, "value")
        self._figures, self._maps = Figures(self._draw), ipywidgets.VBox()
        controls = ipywidgets.HBox(
            [self._stop, self._resume, self._film], layout={"flex_flow": "wrap"}
        )
        super().__init__([self._sentence, controls, self._figures, self._maps])
        if self.refresh():
            threading.Thread(
                target=self._watch, name=f"follow {self.training.path}", daemon=True
            ).start()

    def close(self) -> None:
        """Take it off the page, and end its thread; the training goes on."""
        self._closed.set()
        super().close()

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return with_picture(super()._repr_mimebundle_(**options), self._figures, self._said)

    def _watch(self) -> None:
        while not self._closed.wait(self._every) and self.refresh():
            pass

    def _scrub(self, _: Any) -> None:
        self.refresh()

    def refresh(self) -> bool:
        """Look into the folder, and show what is there; whether there may be more to see later."""
        with self._lock:
            if self._closed.is_set():
                return False
            try:
                return self._show()
            except Exception as error:  # whatever a file that is damaged, or going, raises
                self._say(f"The run cannot be shown: {error}")
                return self.training.path.is_dir()

    # What is shown --------------------------------------------------------------------------------

    def _show(self) -> bool:
        state = self.training.state
        self._stop.disabled = state != "running"
        self._resume.disabled = state not in ("stopped", "crashed")
        try:
            run = self.training.run
        except RunError:
            return self._show_nothing(state)
        config = run.config.training
        status = run.status()
        tables = {name: self._table(run, name) for name in _TABLES}
        epoch = self._choose_epoch(run.snapshots())
        reason = self.training.problem if state == "crashed" else status.reason
        said = [sentences.progress(state, status, config.epochs, reason), *self._damage(run)]
        self._say(
            " ".join(said if any(map(len, tables.values())) else [*said, sentences.UNMEASURED])
        )
        shown = (*map(len, tables.values()), epoch)
        if shown != self._shown:
            self._shown, self._drawn = shown, (tables, epoch)
            self._figures.redraw()
        self._show_maps(run, epoch)
        return state != "finished"

    def _show_nothing(self, state: str) -> bool:
        """There is no run yet, or none any more."""
        gone = bool(self._tails)
        if gone:
            self._say(f"The folder {self.training.path} is not there any more.")
            self._resume.disabled = True
        elif state == "starting":
            self._say(sentences.STARTING)
        else:
            self._say(f"The training did not start: {self.training.problem}.")
            self._resume.disabled = True
        return state == "starting"

    def _table(self, run: Run, name: Any) -> pd.DataFrame:
        tail = self._tails.setdefault(name, Tail(run, name))
        return with_columns(tail.read(), name)

    def _damage(self, run: Run) -> list[str]:
        return [*run.notes(), *(f"{tail.damage}." for tail in self._tails.values() if tail.damage)]

    def _choose_epoch(self, snapshots: list[int]) -> int | None:
        """The epoch of the film; whoever looks at the latest moves on with it."""
        if not snapshots:
            return None
        film = self._film
        if list(film.options) != snapshots or film.disabled:
            latest = film.disabled or film.value == film.options[-1]
            epoch = film.value if not latest and film.value in snapshots else snapshots[-1]
            film.unobserve(self._scrub, "value")
            with film.hold_sync():  # new options alone would show the first of them for a moment
                film.options, film.value, film.disabled = snapshots, epoch, False
            film.observe(self._scrub, "value")
        return film.value

    _drawn: tuple[dict[str, pd.DataFrame], int | None] = ({}, None)

    def _draw(self, theme: Theme) -> list[go.Figure]:
        tables, epoch = self._drawn
        if not any(map(len, tables.values())):
            return []
        return [self._one(draw, tables[table], epoch, theme) for draw, table in _FIGURES]

    def _one(self, draw: Any, table: pd.DataFrame, epoch: int | None, theme: Theme) -> go.Figure:
        """A figure, as it was where nothing of it changed: the cores belong to the training."""
        key = (len(table), epoch, theme)
        if self._figure_of.get(draw, (None,))[0] != key:
            self._figure_of[draw] = (key, draw(table, epoch=epoch, theme=theme))
        return self._figure_of[draw][1]

    def _show_maps(self, run: Run, epoch: int | None) -> None:
        """The probe on the run's own sample, as the network was after ``epoch``."""
        if epoch is None or (epoch, run.snapshots()[0]) == self._snapshot:
            return
        recording = run.snapshot(epoch)
        options = {
            "tau_start": run.starting_taus(),
            "step_labels": recording.attrs.get("step_labels"),
        }
        if self._maps.children:
            self._maps.children[0].show(recording, **options)
        else:
            self._maps.children = [Probe(recording, **options)]
        self._snapshot = (epoch, run.snapshots()[0])

    # What is asked --------------------------------------------------------------------------------

    def _say(self, sentence: str) -> None:
        self._said = sentence
        self._sentence.value = f'<p role="status">{html.escape(sentence)}</p>'

    def _ask(self, what: Callable[[], None]) -> Callable[[Any], None]:
        def asked(button: Any) -> None:
            button.disabled = True
            try:
                what()
            except RunError as error:
                self._say(str(error))

        return asked


def _button(label: str, icon: str, act: Callable[[Any], None]) -> ipywidgets.Button:
    button = ipywidgets.Button(
        description=label, icon=icon, disabled=True, layout={"width": "110px"}
    )
    button.on_click(act)
    return button


def follow(run: Run | Training | str | os.PathLike[str], *, every: float = LOOK) -> Follow:
    """Show a training in a notebook while it happens: loss, accuracy, time constants, firing rates, and the probe.

    ``run`` is what ``dista.train(..., background=True)`` returns, or any run or its folder; one look ``every``
    so many seconds. *Stop* and *Resume* act on the training; the slider scrubs the film of its snapshots. RunError
    where there is no such run.
    """
    return Follow(run, every=every)
