"""Sliders over a model in a notebook: what is moved is an intervention, and a figure follows."""

from __future__ import annotations

import html
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dista.extras import need

need("ipywidgets", "sliders over a model", "notebooks")

import ipywidgets

from dista import figures, measures
from dista.experiments import ablations, corruption, interventions
from dista.recording import record as recorded
from dista.style import labels, sentences
from dista.widgets.figures import Figures, with_picture

if TYPE_CHECKING:
    import plotly.graph_objects as go
    import xarray as xr
    from torch import Tensor

    from dista.config import ModelConfig
    from dista.model import DISTA
    from dista.style.palette import Theme

TAUS = (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 12, 16)
NOISES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8)
OF_LAYER = "tau of "
AS_TRAINED = ""  # None is what ipywidgets has for no position at all

Draw = Callable[..., "go.Figure"]


@dataclass(frozen=True)
class Change:
    """Something that can be moved: values by their labels, and the interventions that one of them is.

    ``switch`` writes a value as ``dista.ablations`` has it instead; None is always as trained. ``many`` values
    can be on at once.
    """

    title: str
    values: Mapping[str, Any]
    changes: Callable[[Any], Mapping[str, Any]] | None = None
    switch: str = ""
    many: bool = False

    def widget(self, start: Any) -> Any:
        """The control, at ``start``; ValueError where that is none of the values."""
        style = {"description_width": "150px"}
        common = {
            "description": self.title,
            "style": style,
            "layout": {"width": "430px", "max_width": "100%"},
        }
        if self.many:
            tags = {text: value for text, value in self.values.items()}
            _check(self, start or (), tags.values())
            rows = min(len(tags), 6)
            return ipywidgets.SelectMultiple(
                options=tags, value=tuple(start or ()), rows=rows, **common
            )
        options = {"as trained": AS_TRAINED} | dict(self.values)
        start = AS_TRAINED if start is None else start
        _check(self, [start], options.values())
        return ipywidgets.SelectionSlider(options=list(options.items()), value=start, **common)


def _check(change: Change, wanted: Iterable[Any], values: Iterable[Any]) -> None:
    allowed = list(values)
    for one in wanted:
        if one not in allowed:
            raise ValueError(
                f"{change.title} starts at {one!r}; expected one of {', '.join(map(str, allowed))}"
            )


def _offers(config: ModelConfig) -> dict[str, Change]:
    """What can be moved in a model of this configuration, but for the taus of single layers."""
    heads = {
        f"block {b + 1}, head {h + 1}": f"{b}.{h}"
        for b in range(config.depth)
        for h in range(config.heads)
    }
    windows = range(1, config.memory.window + 1)
    return {
        "u": Change("Denoiser, u", {f"{u}": u for u in range(config.head_dim)}, switch="u"),
        "window": Change(
            "Attention's window", {sentences.count(w, "step"): w for w in windows}, switch="window"
        ),
        "tau": Change("Every tau", {f"{t:g}": t for t in TAUS}, switch="tau"),
        "heads": Change("Silent heads", heads, switch="head", many=True),
        "noise": Change("Noise in the input", {f"{level:g}": level for level in NOISES}),
    }


class Controls(ipywidgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Controls over a model, and a figure of how it then answers ``x``; ``dista.widgets.controls`` makes them.

    ``recording`` is the last one. ``value`` has what each control says, None where it is as trained, and
    ``changes`` the same for ``dista.intervene``; noise is in the input, and no intervention.
    """

    recording: xr.DataTree

    def __init__(
        self,
        model: DISTA,
        x: Tensor,
        changes: Mapping[str, Any] | Sequence[str],
        figure: Draw | None,
        record: str | Sequence[str],
        **options: Any,
    ) -> None:
        self._model, self._x, self._record, self._options = model, x, record, options
        starts = changes if isinstance(changes, Mapping) else dict.fromkeys(changes)
        self._offers = {name: _offer(model, name, start) for name, start in starts.items()}
        self._widgets = {
            name: change.widget(None if isinstance(starts[name], tuple) else starts[name])
            for name, change in self._offers.items()
        }
        self._figure = figure or self._decision
        self._with_theme = "theme" in inspect.signature(self._figure).parameters
        self._sentence = ipywidgets.HTML()
        self._run()
        self._figures = Figures(self._draw)
        for widget in self._widgets.values():
            widget.observe(self._follow, "value")
        super().__init__(
            [ipywidgets.VBox([*self._widgets.values()]), self._sentence, self._figures]
        )

    @property
    def value(self) -> dict[str, Any]:
        values = {name: widget.value for name, widget in self._widgets.items()}
        return {
            name: None if value in (AS_TRAINED, ()) else value for name, value in values.items()
        }

    def set(self, name: str, value: Any) -> None:
        """Move the control ``name``, as the reader does; None is as trained. ValueError for a value it does not have."""
        offer, widget = self._offers[name], self._widgets[name]
        none = () if offer.many else AS_TRAINED
        values = self.values_of(name)
        _check(offer, () if value is None else value if offer.many else [value], values)
        widget.value = none if value is None else value

    def values_of(self, name: str) -> list[Any]:
        """All that the control ``name`` can be set to, None apart."""
        return list(self._offers[name].values.values())

    @property
    def changes(self) -> dict[str, list[Any]]:
        switches: list[str] = []
        own: dict[str, list[Any]] = {}
        for name, value in self.value.items():
            offer = self._offers[name]
            if value is None:
                continue
            if offer.switch:
                switches += [f"{offer.switch}={one}" for one in (value if offer.many else (value,))]
            elif offer.changes:
                for pattern, change in offer.changes(value).items():
                    own.setdefault(pattern, []).append(change)
        together = ablations.changes(switches, self._model)
        for pattern, several in own.items():
            together.setdefault(pattern, []).extend(several)
        return together

    def _run(self) -> None:
        """Record the answer of the model as it is now set."""
        x, level = self._x, self.value.get("noise")
        if level:
            numbers = self._options.get("samples") or range(x.shape[x.ndim - 4])
            x = corruption.corrupt(
                x, corruption.Noise("gaussian", level), numbers, counts=x.shape[-3] == 2
            )
        with interventions.intervene(self._model, self.changes):
            self.recording = recorded(self._model, x, self._record, **self._options)
        moved = [
            f"{self._offers[name].title} {widget.label if not self._offers[name].many else ', '.join(widget.label)}"
            for name, widget in self._widgets.items()
            if self.value[name] is not None
        ]
        self._said = f"Changed: {'; '.join(moved)}." if moved else "The model is as trained."
        self._sentence.value = f'<p role="status">{html.escape(self._said)}</p>'

    def _follow(self, _: Any) -> None:
        try:
            self._run()
            self._figures.redraw()
        except ValueError as error:
            self._sentence.value = f'<p role="status">{html.escape(str(error))}</p>'

    def _draw(self, theme: Theme) -> list[go.Figure]:
        return [self._figure(self.recording, **({"theme": theme} if self._with_theme else {}))]

    def _decision(self, recording: xr.DataTree, theme: Theme) -> go.Figure:
        return figures.decision(measures.decision(recording), theme=theme)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        return with_picture(super()._repr_mimebundle_(**options), self._figures, self._said)


def _offer(model: DISTA, name: str, start: Any) -> Change:
    """The control that ``name`` stands for; ValueError for an unknown one, and a layer that is not there."""
    if isinstance(start, tuple):
        values, changes = start
        return Change(name, {str(value): value for value in values}, changes)
    offers = _offers(model.config)
    if name in offers:
        return offers[name]
    layers = [path for path, _ in model.named_modules() if path.endswith("neuron")]
    if name.startswith(OF_LAYER):
        layer = name.removeprefix(OF_LAYER)
        if layer in layers:
            pattern = f"{layer}.tau"
            title = f"Tau, {labels.layer(layer)}"
            return Change(
                title,
                {f"{t:g}": t for t in TAUS},
                lambda steps: {pattern: interventions.tau(steps)},
            )
        raise ValueError(f"no layer {layer!r} has a tau; the model has {', '.join(layers)}")
    raise ValueError(
        f"no control {name!r}; there are {', '.join(offers)}, 'tau of LAYER', and your own as "
        "NAME: (VALUES, FUNCTION)"
    )


def controls(
    model: DISTA,
    x: Tensor,
    changes: Mapping[str, Any] | Sequence[str] = ("u", "window", "tau", "heads", "noise"),
    *,
    figure: Draw | None = None,
    record: str | Sequence[str] = "head",
    **options: Any,
) -> Controls:
    """Controls over ``model`` in a notebook: each change is an intervention, and a figure follows.

    ``changes`` names them, with the value that each starts at, None being as trained: ``u`` of the denoiser,
    ``window`` of attention in steps, ``tau`` of every neuron, or ``tau of blocks.1.mlp.hidden.neuron``, say, ``heads``
    that are silent, as ``"0.1"`` for the second of the first block, and ``noise`` in the input, as a standard
    deviation. One of your own is ``NAME: (VALUES, FUNCTION)``, whose function makes a value the ``changes``
    of ``dista.intervene``.

    ``figure`` draws a recording, and may take the page's ``theme``; by default the decision on the first sample.
    ``record`` and ``options`` are those of ``dista.record``: the less is recorded, the faster it follows.
    ValueError for an unknown name or value.

        dista.widgets.controls(model, x, {"u": 3, "window": None})
    """
    return Controls(model, x, changes, figure, record, **options)
