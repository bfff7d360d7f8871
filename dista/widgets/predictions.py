"""A prediction in a notebook: made with pointer or keys, then shown beside the run's result with a score and words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dista.extras import need

need("anywidget", "a prediction in a notebook", "notebooks")

import traitlets

from dista.widgets.hearing import Hearing
from dista.widgets.source import module, styles

if TYPE_CHECKING:
    from dista.lessons.predictions import Prediction


class Predict(Hearing):
    """A question whose result stays in Python until the reader has committed; ``prediction.last`` is the answer.

    ``values`` is where the reader's marks, bars, curve, order or place are (None: nowhere yet). Setting
    ``committed`` asks for the answer, which then lies in ``result``: score, words, misconception, and the truth.
    """

    _esm = module("lesson")
    _css = styles("lesson")
    part = traitlets.Unicode("predict").tag(sync=True)
    spec = traitlets.Dict().tag(sync=True)
    values = traitlets.Any(None, allow_none=True).tag(sync=True)
    committed = traitlets.Bool(False).tag(sync=True)
    result = traitlets.Dict().tag(sync=True)

    def __init__(self, prediction: Prediction) -> None:
        self.prediction = prediction
        spec = {
            "kind": prediction.kind,
            "question": prediction.question,
            "start": prediction.start,
            **prediction.spec(),
        }
        super().__init__(spec=spec, values=prediction.start)

    @traitlets.observe("committed")
    def _answer(self, change: dict[str, Any]) -> None:
        self.result = self._result() if change["new"] else {}

    def _result(self) -> dict[str, Any]:
        try:
            answer = self.prediction.answer(self.values)
        except ValueError as error:
            return {"problem": str(error)}
        return {
            "score": answer.score,
            "points": answer.points,
            "right": answer.right,
            "words": answer.words,
            "misconception": answer.misconception,
            "truth": self.prediction.revealed(),
        }

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The widget, and for pages where none runs the question with the result folded."""
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        texts = {
            "text/plain": repr(self.prediction),
            "text/html": self.prediction._repr_html_(),
        }
        return {**data, **texts}, metadata


def predict(prediction: Prediction) -> Predict:
    """Ask ``prediction`` in a notebook: a widget that hides the run's result until the reader has decided."""
    return Predict(prediction)
