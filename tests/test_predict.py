"""The prediction widget hides the truth until the reader has committed."""

import json

import pytest
from test_lessons import KINDS, bars, pick, steps

from dista.widgets import predict


@pytest.mark.parametrize("prediction", KINDS, ids=lambda one: one.kind)
def test_the_browser_learns_the_truth_after_the_decision_alone(prediction):
    widget = predict(prediction)
    assert widget.values == prediction.start and widget.result == {}
    assert json.dumps(widget.spec) and "truth" not in widget.spec
    widget.values = prediction.truth
    assert widget.result == {}
    widget.committed = True
    assert widget.result["score"] == 1 and widget.result["right"]
    assert json.dumps(widget.result["truth"]) == json.dumps(prediction.revealed())
    assert prediction.last.values == prediction.truth
    widget.committed = False
    assert widget.result == {}


def test_what_is_wrong_is_said_beside_it():
    widget = predict(bars)
    widget.committed = True
    assert widget.result["score"] == 0 and "Most off is a" in widget.result["words"]
    nowhere = predict(pick)
    nowhere.committed = True
    assert "is no place" in nowhere.result["problem"] and "truth" not in nowhere.result


def test_where_no_widget_runs_the_question_stands_with_the_result_folded():
    data, _ = predict(steps)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "<details>" in data["text/html"] and "4, 8" in data["text/html"]
    assert "4, 8" not in data["text/plain"] and ".answer(" in data["text/plain"]
