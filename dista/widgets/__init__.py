"""What is moved and follows, in notebooks and on pages: the space-time probe, a training, sliders over a model.

Importing this package loads neither anywidget nor streamlit; each name brings what it needs when
it is first used. ``probe(recording)``, ``follow(run)`` and ``controls(model, x, changes)`` are for notebooks,
``dista.widgets.streamlit.probe`` for the dashboard, ``probe_payload`` packs a recording for either.
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
    "Probe": "jupyter",
    "controls": "intervening",
    "follow": "following",
    "probe": "jupyter",
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
