"""What a checkpoint's card says: on what it was trained, with which command, and what was measured."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from dista.files.facts import Count, Facts


class Measured(Facts):
    """Accuracy, a share of the ``samples``, and mean loss on a split."""

    accuracy: Annotated[float, Field(ge=0, le=1)] | None = None
    loss: float | None = None
    samples: Count | None = None


class Card(Facts):
    """A card; whatever it does not say is None or empty, and it may say more.

    ``weights`` are the digest (``dista.files.weights``) of those that the ``metrics`` were measured with.
    ``starting_taus`` are the time constants with which the training began, in steps, by the name of the
    layer: one value, or one a channel. Where it began from another checkpoint they are that one's.
    ``data_options`` are those of the task; none where it was opened as it is by itself.
    """

    name: str | None = None
    task: str | None = None
    data: str | None = None
    data_options: dict[str, Any] = {}
    classes: list[str] | None = None
    weights: str | None = None
    preset: str | None = None
    metrics: dict[str, Measured] = {}
    epoch: Count | None = None
    parameters: Count | None = None
    training: dict[str, Any] | None = None
    starting_taus: dict[str, list[Annotated[float, Field(ge=1)]]] | None = None
    command: str | None = None
    versions: dict[str, str] = {}
    date: str | None = None

    @property
    def test(self) -> Measured:
        """What was measured on the test split; nothing where it was not measured."""
        return self.metrics.get("test", Measured())
