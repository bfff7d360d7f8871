"""The probe in a notebook: an anywidget whose state can be watched and set from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dista.extras import need

need("anywidget", "the probe in a notebook", "notebooks")

import traitlets

from dista.widgets.hearing import Hearing
from dista.widgets.payload import probe_payload
from dista.widgets.source import module, styles
from dista.widgets.state import CHOICES, FIELDS

if TYPE_CHECKING:
    import xarray as xr


def _trait(name: str) -> traitlets.TraitType[Any, Any]:
    default = FIELDS[name]
    if name in CHOICES:
        trait = traitlets.Enum(CHOICES[name], default)
    else:
        trait = (traitlets.Int if isinstance(default, int) else traitlets.Unicode)(default)
    return trait.tag(sync=True)


_State = type("_State", (traitlets.HasTraits,), {name: _trait(name) for name in FIELDS})


class Probe(Hearing, _State):  # type: ignore[misc, valid-type]  # a class made of the table
    """Space-time attention of one recording; every part of its state is a trait.

    ``step``, ``block``, ``head``, ``row``, ``column`` and ``neuron`` count from zero; -1 lets the
    probe choose. ``layer`` is a dotted neuron name, ``range`` and ``stage``, the stage that is open, are one
    of ``dista.widgets.state.CHOICES``, ``key`` is the patch that is compared with the query in stage
    ``"qkv"``, as ``"step.row.column"`` (``""``: the strongest). Setting ``sample`` shows another sample of
    the recording.
    """

    _esm = module("jupyter")
    _css = styles("jupyter")
    data = traitlets.Bytes().tag(sync=True)

    def __init__(self, recording: xr.DataTree, sample: int = 0, **options: Any) -> None:
        """``options`` are parts of the state, and what ``probe_payload`` takes."""
        state = {name: options.pop(name) for name in FIELDS if name in options}
        self._recording, self._options = recording, options
        super().__init__(sample=sample, data=self._pack(sample), **state)

    def show(self, recording: xr.DataTree, **options: Any) -> None:
        """Another recording in its place, at the place that is looked at; ``options`` are ``probe_payload``'s."""
        self._recording, self._options = recording, options
        self.data = self._pack(self.sample)

    def _pack(self, sample: int) -> bytes:
        return probe_payload(self._recording, sample, **self._options).to_bytes()

    @traitlets.observe("sample")
    def _show(self, change: dict[str, Any]) -> None:
        if self.data:
            self.data = self._pack(change["new"])

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The widget, and a sentence for pages where none runs."""
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        words = f"The space-time probe, at sample {self.sample + 1} of the recording."
        return {**data, "text/plain": words}, metadata

    @property
    def state(self) -> dict[str, Any]:
        """The state as a plain dict, as the dashboard keeps it in its URL."""
        return {name: getattr(self, name) for name in FIELDS}


def probe(recording: xr.DataTree, sample: int = 0, **options: Any) -> Probe:
    """Show one sample of ``recording`` in a notebook; options as for ``Probe``."""
    return Probe(recording, sample, **options)
