"""Frames of events as a result: what is counted, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from dista import measures


def test_off_comes_first_and_steps_are_counted():
    counts = np.zeros((3, 2, 4, 5), np.uint8)
    counts[1, 0, 2, 3], counts[1, 1, 0, 0], counts[2, 1, 3, 4] = 200, 2, 100
    frames = measures.event_frames(counts)
    assert frames.off[1, 2, 3] == 200 and frames.on[2, 3, 4] == 100
    assert frames.by_step.tolist() == [0, 202, 100] and frames.on_share == pytest.approx(102 / 302)
    table = frames.table()
    assert len(table) == 60 and table.groupby("step")["on"].sum().tolist() == [0, 2, 100]
    assert table.query("step == 1 and row == 2 and column == 3")["off"].item() == 200
    assert measures.event_frames(counts * 0).on_share == 0


@pytest.mark.parametrize(
    "counts, words",
    [(np.zeros((3, 4, 5)), "expected \\(time, 2"), (-np.ones((1, 2, 2, 2)), "never below 0")],
)
def test_what_is_no_frame_is_refused(counts, words):
    with pytest.raises(measures.MeasureError, match=words):
        measures.event_frames(counts)
