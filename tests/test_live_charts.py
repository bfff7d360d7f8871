"""Charts of a run that is being written: their numbers, and what keeps a reader's zoom."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from app.trainings import live_charts


def steps(count):
    epoch = np.arange(count) // 10 + 1
    return pd.DataFrame(
        {"step": range(1, count + 1), "epoch": epoch, "loss": np.linspace(2, 1, count)}
    )


def neurons(epochs):
    names = ("stem.position.neuron", "blocks.0.mlp.hidden.neuron", "blocks.1.mlp.hidden.neuron")
    rows = [(e, n, 2.0 + e * i) for e in range(epochs) for i, n in enumerate(names)]
    return pd.DataFrame(rows, columns=["epoch", "layer", "tau"])


def epochs(count):
    rows = [(e, 1 - 0.5**e) for e in range(1, count + 1)]
    return pd.DataFrame(rows, columns=["epoch", "val_accuracy"])


CHARTS = {
    "loss": lambda n, at: live_charts.loss(steps(10 * n), at),
    "accuracy": lambda n, at: live_charts.accuracy(epochs(n), at),
    "layers": lambda n, at: live_charts.layers(neurons(n), "tau", at),
}


@pytest.mark.parametrize("make", CHARTS.values(), ids=list(CHARTS))
def test_only_the_data_changes_while_a_run_grows(make):
    """Another specification would build the chart anew, and the reader's zoom would be gone."""
    before, after = make(3, 1), make(7, 5)
    assert before.spec == after.spec and len(before.data) < len(after.data)
    assert json.loads(json.dumps(before.spec)) == before.spec
    assert before.spec["layer"][0]["params"][0]["bind"] == "scales"


@pytest.mark.parametrize("make", CHARTS.values(), ids=list(CHARTS))
def test_every_field_that_is_drawn_is_in_the_data(make):
    chart = make(4, 2)
    named = json.dumps(chart.spec).split('"field": "')[1:]
    assert {text[: text.index('"')] for text in named} <= set(chart.data.columns)


def test_the_cursor_is_one_number():
    assert CHARTS["loss"](3, 2).data["cursor"].dropna().tolist() == [20.0], (
        "the last step of epoch 2"
    )
    assert CHARTS["loss"](3, 0).data["cursor"].dropna().tolist() == [0.0]
    assert CHARTS["accuracy"](3, 2).data["cursor"].dropna().tolist() == [2.0]
    assert CHARTS["layers"](3, 2).data["cursor"].dropna().tolist() == [2.0]


def test_long_curves_are_thinned_and_keep_their_mean():
    chart = live_charts.loss(steps(9000), 3)
    assert live_charts.POINTS <= len(chart.data) < 2 * live_charts.POINTS
    row = chart.data.iloc[-1]
    whole = steps(9000)["loss"]
    last = int(row["step"])
    assert row["mean"] == pytest.approx(whole[last - 180 : last].mean())


def test_blocks_and_parts_have_names():
    data = CHARTS["layers"](2, 1).data
    assert set(data["part"]) == {"stem", "block 1", "block 2"}
    maps = pd.DataFrame({"epoch": [0, 1], "block": [1, 1], "removed": [0.5, 0.25]})
    chart = live_charts.layers(maps, "removed", 1, share=True)
    assert set(chart.data["part"]) == {"block 2"}
    assert chart.spec["layer"][0]["encoding"]["y"]["axis"]["format"] == ".3~p"


def test_nothing_measured_is_no_chart():
    assert (
        live_charts.loss(pd.DataFrame(), 0) is None
        and live_charts.accuracy(pd.DataFrame(), 0) is None
    )
    assert live_charts.layers(neurons(2).assign(tau=None), "tau", 1) is None
