"""The space-time probe, wrapped for Jupyter and for Streamlit, and what lessons show in a notebook.

Importing this package loads neither anywidget nor streamlit; each name brings what it needs when
it is first used. ``probe(recording)`` is for notebooks, ``dista.widgets.streamlit.probe`` for the
dashboard, ``probe_payload`` packs a recording for either. ``predict(prediction)`` asks a question of
``dista.lessons`` and scores the answer, ``tau_lab()`` is a neuron under a current drawn by hand. ``follow(run)`` shows a
training while it happens, ``controls(model, x, changes)`` are sliders over a model.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Controls": "intervening",
    "Figures": "figures",
    "Follow": "following",
    "Payload": "packing",
    "probe_payload": "payload",
    "Predict": "predictions",
    "Probe": "jupyter",
    "TauLab": "lab",
    "controls": "intervening",
    "follow": "following",
    "predict": "predictions",
    "probe": "jupyter",
    "tau_lab": "lab",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(
            f"dista.widgets has no {name!r}; it offers {', '.join(__all__)} "
            "and the modules jupyter, payload, streamlit"
        )
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
