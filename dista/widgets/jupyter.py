"""The probe in a notebook: an anywidget whose state can be watched and set from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from dista.widgets.payload import probe_payload
from dista.widgets.source import module, styles

if TYPE_CHECKING:
    import xarray as xr

STATE = (
    "sample",
    "step",
    "block",
    "head",
    "row",
    "column",
    "layer",
    "neuron",
    "range",
    "stage",
    "key",
)
STAGES = ("input", "stem", "qkv", "scores", "denoise", "readout", "logits")


class Probe(anywidget.AnyWidget):
    """Space-time attention of one recording; every part of its state is a trait.

    ``step``, ``block``, ``head``, ``row``, ``column`` and ``neuron`` count from zero; -1 lets the
    probe choose. ``layer`` is a dotted neuron name, ``range`` one of ``"map"``, ``"head"``,
    ``"global"``, ``stage`` one of ``STAGES``, the one that is open, ``key`` the patch that is compared with the query in
    stage ``"qkv"``, as ``"step.row.column"`` (``""``: the strongest). Setting ``sample`` shows another sample of
    the recording.
    """

    _esm = module("jupyter")
    _css = styles()
    data = traitlets.Bytes().tag(sync=True)
    sample = traitlets.Int(0).tag(sync=True)
    step = traitlets.Int(-1).tag(sync=True)
    block = traitlets.Int(-1).tag(sync=True)
    head = traitlets.Int(-1).tag(sync=True)
    row = traitlets.Int(-1).tag(sync=True)
    column = traitlets.Int(-1).tag(sync=True)
    layer = traitlets.Unicode("").tag(sync=True)
    neuron = traitlets.Int(-1).tag(sync=True)
    range = traitlets.Enum(("map", "head", "global"), "map").tag(sync=True)
    stage = traitlets.Enum(STAGES, "denoise").tag(sync=True)
    key = traitlets.Unicode("").tag(sync=True)

    def __init__(self, recording: xr.DataTree, sample: int = 0, **options: Any) -> None:
        """``options`` are parts of the state, and what ``probe_payload`` takes."""
        state = {name: options.pop(name) for name in STATE if name in options}
        self._recording, self._options = recording, options
        super().__init__(sample=sample, data=self._pack(sample), **state)

    def _pack(self, sample: int) -> bytes:
        return probe_payload(self._recording, sample, **self._options).to_bytes()

    @traitlets.observe("sample")
    def _show(self, change: dict[str, Any]) -> None:
        if self.data:
            self.data = self._pack(change["new"])

    @property
    def state(self) -> dict[str, Any]:
        """The state as a plain dict, as the dashboard keeps it in its URL."""
        return {name: getattr(self, name) for name in STATE}


def probe(recording: xr.DataTree, sample: int = 0, **options: Any) -> Probe:
    """Show one sample of ``recording`` in a notebook; options as for ``Probe``."""
    return Probe(recording, sample, **options)
