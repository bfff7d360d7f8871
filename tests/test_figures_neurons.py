"""Figures of neurons and of what they decide show their numbers."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import small

from dista import figures
from dista.figures.theme import palette


def test_a_raster_says_of_whom_its_neurons_are():
    some = replace(small.raster(), total=12544, active=3000, shown=96)
    assert "96 of the 3000 neurons that fire, of 12544" in small.title(
        figures.raster(some)
    ).replace("<br>", " ")
    few = replace(some, active=40)
    assert "the 40 of 12544 neurons that fire" in small.title(figures.raster(few)).replace(
        "<br>", " "
    )


def test_layer_pairs_are_of_the_layers_that_both_have():
    right = [replace(row, tau=row.tau + i) for i, row in enumerate(small.rows()[1:])]
    figure = figures.layer_pairs(small.rows(), right, of="tau")
    left, other = figure.data[1:]
    assert left.x.tolist() == [2.0, 4.5] and other.x.tolist() == [2.0, 5.5]
    assert "MLP hidden differs most: 4.5 left" in figure.layout.title.text.replace("<br>", " ")


def test_membrane_drops_where_it_fires():
    line, spikes, current = figures.membrane(small.trace()).data
    assert line.y.tolist() == pytest.approx([0.4, 0.4, 1.2, 0, 0.3, 0.3, -0.2, -0.2, 1, 0])
    assert spikes.x.tolist() == [1, 4]
    assert current.y.tolist() == pytest.approx((2 * small.trace().h).tolist())


def test_taus_take_the_start_of_each_layer():
    start = dict(zip(small.LAYERS, (3.0, 2.5, 1.5)))
    figure = figures.taus(small.rows(), start=start)
    before = next(t for t in figure.data if t.name == "at the start")
    assert before.x.tolist() == [3.0, 2.5, 1.5]
    with pytest.raises(ValueError, match="no layer has a time constant"):
        figures.taus([replace(small.rows()[0], tau=None)])


def test_a_wrong_answer_is_said_and_drawn_in_orange():
    figure = figures.decision(small.decision(label=1))
    assert "wrong, it is class 1" in figure.layout.title.text.replace("<br>", " ")
    assert {t.name: t.line.color for t in figure.data} == {
        "class 0": palette("light").accent,
        "class 1": palette("light").orange,
    }
    assert "wrong" not in figures.decision(small.decision(label=0)).layout.title.text


def test_firing_map_shows_rates_and_who_never_fires():
    figure = figures.firing_map(small.firing())
    cells, dead, saturated = figure.data
    np.testing.assert_array_equal(cells.z, small.firing().rate)
    assert dead.x.tolist() == [0.5, 0, 0.1] and saturated.x.tolist() == [0, 0.2, 0]
    assert small.title(figure) == "<b>32 % of all neurons never fire on 64 samples</b>"


def test_firing_change_is_the_difference_around_zero():
    figure = figures.firing_change(small.firing(0.4), small.firing(0.1))
    np.testing.assert_allclose(figure.data[0].z, np.linspace(0, -0.3, 15).reshape(3, 5))
    assert figure.data[0].zmin == -figure.data[0].zmax
    assert small.title(figure) == "<b>75 % fewer spikes in all</b>"


def test_membrane_histogram_splits_at_the_threshold():
    below, fires, slope = figures.membrane_histogram(small.histogram(), slope=np.arange(6)).data
    assert below.x.tolist() == [-0.75, -0.25, 0.25, 0.75] and fires.x.tolist() == [1.25, 1.75]
    np.testing.assert_allclose(np.append(below.y, fires.y) * 25, small.histogram().counts)
    assert slope.y.tolist() == [0, 1, 2, 3, 4, 5] and slope.x.tolist() == [*below.x, *fires.x]


def test_changes_show_before_and_after():
    after = replace(small.trace(), h=small.trace().h / 2, spikes=None)
    lines = figures.membrane_change(small.trace(), after).data
    np.testing.assert_array_equal(lines[0].y, small.trace().h)
    np.testing.assert_array_equal(lines[1].y, after.h)
    assert lines[2].x.tolist() == [1, 4] and lines[3].x.tolist() == []
    louder = replace(small.over_time(), mass=3 * small.over_time().mass)
    figure = figures.attention_change([small.over_time()], [louder])
    assert small.title(figure) == "<b>200 % more attention in all</b>"
    blocks = [small.over_time(), replace(small.over_time(), block=1)]
    steps = len(blocks[0].mass)
    shown = ["cue", "cue", *["probe"] * (steps - 2)]
    for sides, said in (
        ([blocks[:1]] * 2, shown),
        ([blocks] * 2, ["cue", "", "probe", *[""] * (steps - 3)]),
    ):
        axis = figures.attention_change(*sides, step_labels=shown).layout.xaxis
        assert [re.sub("^.*?<br>|<.*?>", "", tick) for tick in axis.ticktext] == said
    figure = figures.decision_change(small.decision(10), replace(small.decision(10), answer=4))
    assert small.title(figure).startswith("<b>The answer turns from class 0 to class 4")
    assert sorted({note.text for note in figure.layout.annotations}) == [
        "class 0", "class 1", "class 4",
    ]  # fmt: skip
