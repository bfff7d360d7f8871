"""Figures of ablations, studies, costs and trainings show their numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import small

from dista import figures
from dista.figures.theme import palette, short


def test_every_seed_is_shown_and_only_certain_differences_are_coloured():
    figure, colours = figures.seed_differences(small.seed_changes()), palette("light")
    dots = [trace for trace in figure.data if trace.mode == "markers" and len(trace.x) == 3]
    assert [list(trace.x.round(6)) for trace in dots] == [[-1, 2, 5]] * 2
    assert [trace.marker.line.color for trace in dots] == [colours.muted, colours.orange]
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert [list(trace.x.round(6)) for trace in lines] == [[-5, 2, 9], [-30, -20, -10]]
    full = [trace.marker.color != colours.panel for trace in lines]
    assert full == [False, True], "the mean of what may be chance is hollow"
    assert "1 of 2 differences are certain, counting all of them" in figure.layout.meta["alt"]
    assert "over 3 seeds, 95 % interval" in figure.layout.meta["alt"]
    reached = figures.seed_accuracies(small.of_seeds())
    means = [trace.x[1] for trace in reached.data if trace.mode == "lines+markers"]
    assert means == pytest.approx([93, 50]) and reached.layout.shapes[0].x0 == 48
    assert "chance 48 %" in reached.layout.meta["alt"]


def test_a_difference_of_one_seed_is_certain_of_its_networks_alone():
    alone = {
        name: replace(one, seeds=(0,), differences=one.differences[:1])
        for name, one in small.seed_changes().items()
    }
    said = figures.seed_differences(alone).layout.meta["alt"]
    assert "1 of 2 differences are certain, of these networks alone: one seed" in said


def test_long_names_keep_what_they_begin_and_end_with():
    """Cuts of one configuration differ in their last word."""
    ends = ["with u=1", "with weaker=1"]
    names = [f"memory=none,taus=learned,denoiser=none: {end}" for end in ends]
    figure = figures.seed_differences(dict(zip(names, small.seed_changes().values())))
    rows = [note.text for note in figure.layout.annotations if "memory=none,taus" in note.text]
    assert [row.endswith(end) for row, end in zip(rows, ends)] == [True, True], rows


def test_accuracy_changes_show_the_interval_and_whether_it_is_certain():
    figure, colours = figures.accuracy_changes(small.changes()), palette("light")
    lost, none, _ = figure.data
    assert lost.x.tolist() == pytest.approx([-14, -10, -6]) and set(none.y) == {1}
    assert [t.line.color for t in figure.data] == [colours.orange, colours.accent, colours.accent]
    filled = [t.marker.color != colours.panel for t in figure.data]
    assert filled == [True, False, True]
    assert "Memory: off: −10.0 points" in figure.layout.title.text.replace("<br>", " ")
    assert "240 instead of 270 of 300 correct" in lost.hovertemplate


def test_part_changes_are_sorted_and_chance_is_where_it_is():
    figure = figures.part_changes(small.part_changes(), chance=0.5, what="head")
    dots = next(trace for trace in figure.data if trace.mode == "markers")
    by_row = [x for _, x in sorted(zip(dots.y, dots.x))]
    assert by_row == sorted(by_row) == pytest.approx([-10, 0, 5])
    assert "block 1 head 3: −10.0 points, the most" in figure.layout.title.text.replace("<br>", " ")
    assert -40 in [shape.x0 for shape in figure.layout.shapes]  # from 90 % to guessing
    assert "one answer 50 %" in figure.layout.annotations[1].text
    said = [note for note in figure.layout.annotations if "one answer" in note.text]
    assert len(said) == 3 and {note.bgcolor for note in said} == {palette("light").panel}, (
        "lines end at the words that they would cross"
    )
    both = figures.part_changes(small.part_changes("map", "projection"))
    assert {trace.name for trace in both.data} == {"map", "projection"}
    assert both.layout.height > figure.layout.height


def test_energy_map_shows_the_chosen_quantity():
    for of, wanted in (
        ("energy", small.energy().picojoules / 1e3),  # nJ
        ("operations", small.energy().accumulates + small.energy().multiplies),
        ("spikes", small.energy().spikes),
    ):
        np.testing.assert_array_equal(figures.energy_map(small.energy(), of=of).data[0].z, wanted)
    assert "2 MLP hidden takes 57 % of the spikes" in small.title(
        figures.energy_map(small.energy(), of="spikes")
    )


@pytest.mark.parametrize(("static", "looks"), [(True, 1), (False, 5)])
def test_energy_comparison_takes_one_look_at_an_image(static, looks):
    figure = figures.energy_comparison(small.energy(static))
    _, without, spiking = figure.data
    size = 1e3  # all of them are below a microjoule
    np.testing.assert_allclose(without.x, 4.6 * 2e4 * looks / size)
    np.testing.assert_allclose(spiking.x, small.energy().picojoules.sum(1) / size)
    assert figure.layout.xaxis.title.text == "nJ"
    assert small.title(figure) == (
        f"<b>96.8 nJ an answer, {'276 nJ' if static else '1.38 µJ'} without spikes</b>"
    )


def test_anytime_marks_the_stop():
    figure = figures.anytime(small.any_time(), stop=2)
    said = small.title(figure).replace("<br>", " ")
    low, high = (100 * float(part[1]) for part in (small.any_time().low, small.any_time().high))
    correct = f"{round(0.8 * small.any_time().samples)} of {small.any_time().samples} correct"
    assert (
        said
        == f"<b>After 2 steps: {correct} ({low:.0f} to {high:.0f} %) for 75 % of the energy</b>"
    )
    np.testing.assert_array_equal(figure.data[0].y, small.any_time().accuracy)
    np.testing.assert_array_equal(figure.data[3].y, small.any_time().picojoules / 1e3)
    assert figure.layout.yaxis2.title.text == "nJ so far"
    assert {shape.x0 for shape in figure.layout.shapes} == {2}


def test_learning_curves_find_the_best_epoch_and_histories_the_furthest_layer():
    title = figures.learning_curves(small.epochs()).layout.title.text.replace("<br>", " ")
    assert "80.0 % after epoch 1" in title
    named = [line.name for line in figures.tau_history(small.neurons()).data if line.showlegend]
    assert named == [short(small.LAYERS[1]), short(small.LAYERS[2])]
    assert "MLP hidden moved furthest: 2.0 to 3.0" in figures.tau_history(
        small.neurons()
    ).layout.title.text.replace("<br>", " ")


@pytest.mark.parametrize("panels, draw", [(2, figures.learning_curves), (1, figures.tau_history)])
def test_the_films_cursor_is_in_every_panel(panels, draw):
    table = small.epochs() if draw is figures.learning_curves else small.neurons()
    assert not draw(table).layout.shapes
    lines = draw(table, epoch=2).layout.shapes
    assert [line.x0 for line in lines] == [line.x1 for line in lines] == [2] * panels
