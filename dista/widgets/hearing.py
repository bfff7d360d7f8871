"""Widgets that hear what Python says, however busy the page is when they begin.

anywidget (0.11) gives a widget's module two seconds. After that the widget is drawn, but every message from Python is
dropped, for good: a prediction asks and is never answered, figures stay as they were. A page that draws a lesson on a
machine with other work takes longer than that. So the module, once it is there, takes the messages of its own
model directly (``js/hearing.js``), for which it has to know the model's name.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from dista.extras import need

need("anywidget", "widgets", "notebooks")

import anywidget
import traitlets


class Hearing(anywidget.AnyWidget):
    """A widget whose module knows its model's name, ``own``, and may ask for the traits ``AGAIN``."""

    AGAIN: tuple[str, ...] = ()
    own = traitlets.Unicode().tag(sync=True)

    def __init__(self, **values: Any) -> None:
        name = uuid4().hex
        super().__init__(model_id=name, own=name, **values)
        self.on_msg(self._asked)

    def _asked(self, _: Any, content: Any, buffers: Any) -> None:
        """The module is there; what Python said before may be lost."""
        if content == "again" and self.AGAIN:
            self.send_state(list(self.AGAIN))
