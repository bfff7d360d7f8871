"""Answers that stop by confidence: where, with what, and what was spent until then."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from dista import measures
from dista.measures import MeasureError

LABELS = np.array([1, 0, 1])


def counted(readout: int | None = None) -> xr.Dataset:
    """Three samples, 4 steps, two classes: sure at once, sure of class 0 from step 3 on, never sure."""
    logits = np.zeros((4, 3, 2))
    logits[:, 0, 1] = 5
    logits[2:, 1, 0] = 20
    logits[:, 2, 1] = 0.1
    operations = np.arange(1, 5)[None, :, None] * np.ones((2, 4, 3))
    axes = ("layer", "time", "batch")
    return xr.Dataset(
        {
            "accumulates": (axes, operations),
            "multiplies": (axes, operations * [[[1]], [[0]]]),
            "head": (("time", "batch", "class"), logits),
        },
        attrs={"model_config": json.dumps({"readout_steps": readout})},
    )


def test_each_sample_stops_where_it_is_sure_enough():
    stopped = measures.stopped(counted(), LABELS, 0.9)
    assert stopped.steps.tolist() == [1, 3, 4]
    assert stopped.answers.answer.tolist() == [1, 0, 1] and stopped.answers.accuracy == 1
    per_step = np.cumsum(np.arange(1, 5)) * (0.9 * 2 + 4.6)
    assert stopped.picojoules == pytest.approx(per_step[stopped.steps - 1])


@pytest.mark.parametrize("confidence, steps", [(0, [1, 1, 1]), (1, [4, 4, 4])])
def test_the_ends_of_the_rule(confidence, steps):
    assert measures.stopped(counted(), LABELS, confidence).steps.tolist() == steps


def test_the_answer_is_read_from_the_steps_that_the_model_reads_out():
    counts = counted(readout=1)
    counts["head"][0, 1] = [0, 10]  # sure of the wrong class at first
    early, late = (measures.stopped(counts, LABELS, c).answers.answer[1] for c in (0.9, 1))
    assert (early, late) == (1, 0)


def test_its_table_has_a_row_for_each_sample():
    table = measures.stopped(counted(), LABELS, 0.9).table()
    assert table["steps"].tolist() == [1, 3, 4] and table["correct"].all()
    assert table.attrs["units"]["picojoules"] == "pJ"


@pytest.mark.parametrize(
    "labels, confidence, words",
    [(LABELS, 1.5, "confidence=1.5"), (LABELS[:2], 0.5, "2 labels for 3 counted samples")],
)
def test_what_cannot_be_stopped_is_said(labels, confidence, words):
    with pytest.raises(MeasureError, match=words):
        measures.stopped(counted(), labels, confidence)
