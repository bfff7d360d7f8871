"""The link from a lesson into the dashboard, in the state that the lesson ended with."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode

from dista.lessons.page import inline, page

SERVED = "http://localhost:8501"
"""Where ``dista app`` serves the dashboard unless it is told otherwise."""


@dataclass(frozen=True)
class Link:
    """A page of the dashboard and its state; ``state`` holds parameters of its address."""

    page: str
    words: str
    state: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return (
            f"{SERVED}/{self.page}?{urlencode(self.state)}"
            if self.state
            else f"{SERVED}/{self.page}"
        )

    def __repr__(self) -> str:
        return f"{self.words}\n{self.address} (start the dashboard first: dista app)"

    def _repr_html_(self) -> str:
        anchor = f'<a href="{inline(self.address)}" target="_blank" rel="noopener">{inline(self.words)}</a>'
        return page(
            "",
            [],
            extra=f'<div class="link">{anchor} (start it first: <code>dista app</code>)</div>',
        )


def dashboard(page: str, words: str, **state: object) -> Link:
    """The link to ``page`` of the dashboard, "neurons" say, with its state: ``checkpoint="match-map", neuron_row=3``.

    The names are those of ``app/link/vocabulary.py``, with ``_`` for ``-``. Steps, rows and other places count from 0, as
    in Python; the dashboard reads them so in a link without ``from=1``, and writes them from 1 once it is open.
    """
    return Link(page, words, {name.replace("_", "-"): str(value) for name, value in state.items()})
