"""Figures of attention, memory, the denoiser and noise show their numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import small

from dista import figures
from dista.measures import (
    AttentionSplit,
    CausalMemory,
    MapSimilarity,
)


def test_filmstrip_shows_the_counts_where_they_belong():
    figure, maps = figures.filmstrip(small.key_maps()), small.key_maps()
    for strip, counts in zip(figure.data[:3], (maps.raw, maps.denoised, maps.removed)):
        tiles = strip.z.reshape(2, 5, 8)
        np.testing.assert_array_equal(tiles[:, 1:4, :7], np.moveaxis(counts, 0, 1))
        assert np.isnan(tiles[:, [0, 4]]).all() and np.isnan(tiles[..., 7]).all()
        assert (strip.zmin, strip.zmax) == (0, maps.raw.max())
        assert strip.customdata.reshape(2, 5, 8, 3)[1, 3, 4].tolist() == [4, 2, 5]
    assert list(figure.layout.yaxis.ticktext) == ["raw", "kept", "removed"]


def test_attention_split_names_its_shares():
    split = AttentionSplit(0.25, 0.5, 0.25, 8.0, "kept")
    names = [bar.name for bar in figures.attention_split(split).data]
    assert names == ["same patch, other steps 25 %", "same step 50 %", "elsewhere 25 %"]
    beside = figures.attention_split(replace(split, even=(0.1, 0.3, 0.6)))
    assert "same step 50 % (even attention 30 %)" in beside.layout.meta["alt"]


def test_a_share_of_the_past_stands_beside_that_of_even_attention():
    said = small.title(figures.attention_over_time(small.over_time())).replace("<br>", " ")
    even = 100 * (1 - 1 / (~np.isnan(small.over_time().share[-1])).sum())
    assert f"of its attention to the past, even attention {even:.0f} %" in said.replace("\xa0", " ")


def test_counts_and_their_chance_levels_stand_side_by_side():
    figure = figures.chance_levels(small.by_chance())
    assert [list(trace.x) for trace in figure.data] == [[0.3, 0.6, 0.3], [0.27, 0.4, 0.27]]
    assert "67 % to 90 % of the counts" in small.title(figure).replace("<br>", " ").replace(
        "\xa0", " "
    )


def test_event_frames_stand_side_by_side():
    figure = figures.event_frames(small.events())
    for heat, counts in zip(figure.data, (small.events().on, small.events().off)):
        tiles = heat.z.reshape(2, 5, 5)
        np.testing.assert_allclose(tiles[..., :3], np.moveaxis(counts, 0, 1), rtol=1e-6)
        assert np.isnan(tiles[..., 3:]).all() and heat.zmax == 29
    assert "75 % of them ON" in small.title(figure).replace("<br>", " ").replace("\xa0", " ")


def test_patch_totals_are_two_maps_on_one_scale():
    figure = figures.patch_totals(small.patch_totals())
    np.testing.assert_array_equal(
        [trace.z for trace in figure.data],
        [small.patch_totals().paid, small.patch_totals().received],
    )
    assert figure.layout.coloraxis.cmax == 5
    assert "row 2, column 3 pays most attention, patch row 1, column 1" in small.title(
        figure
    ).replace("<br>", " ")


def test_causal_memory_says_how_far_a_change_reaches():
    effect = np.where(np.tri(3, dtype=bool), np.eye(3), np.nan)
    for later, said in (
        (0.0, "nothing is left of step 1 at step 3"),
        (0.5, "0.50 logits are left of step 1"),
    ):
        effect[2, 0] = later
        figure = figures.causal_memory(CausalMemory("head", effect), subject="Cut", largest=4)
        title = figure.layout.title.text.replace("<br>", " ")
        assert title.startswith("<b>Cut: ") and said in title
        np.testing.assert_array_equal(figure.data[0].z, effect)
        assert figure.data[0].zmax == 4
    assert list(figure.data[1].text) == ["1.0", "0", "1.0", ".50", "0", "1.0"]


def test_the_attention_grid_is_empty_where_a_share_says_nothing():
    figure = figures.attention_grid(small.looked(), to="the cue", place=(1, 1, 2))
    (cells,) = figure.data
    assert np.isnan(cells.z[:, 0]).all()  # everything that step 1 reaches is the cue
    assert cells.z[3, 2] == pytest.approx((11 + 12) / 26)
    assert (
        "All patches of a head together: block 2 head 2 pays most to the cue beyond an even share, "
        "88 % of 26 counts at step 3" in figure.layout.title.text.replace("<br>", " ")
    )
    (frame,) = figure.layout.shapes
    assert (frame.x0, frame.y0) == (1.5, 2.5)


def test_denoising_separates_removed_from_kept():
    removed, remaining = figures.denoising(small.denoised()).data[:2]
    assert removed.x.tolist() == [1, 2, 3, 4, 5]
    assert removed.y[0] == 40 and np.isnan(removed.y[1:]).all()
    np.testing.assert_array_equal(remaining.y, [np.nan, 9, 3, np.nan, 1])
    assert removed.marker.pattern.shape == "/"


def test_input_change_outlines_the_corrupted_patches():
    figure = figures.input_change(small.input_change(), small.received())
    pictures = [trace for trace in figure.data if trace.type == "heatmap"]
    wanted = [small.input_change().clean, small.input_change().noisy]
    wanted += [part for one in small.received() for part in (one.raw, one.denoised)]
    for picture, image in zip(pictures, wanted, strict=True):
        np.testing.assert_array_equal(picture.z, image)
    assert [p.zmax for p in pictures] == [96, 96, 6, 6, 6, 6]
    noisy, *maps = [trace for trace in figure.data if trace.type == "scatter"]
    assert noisy.x[:2].tolist() == [-0.5, 3.5] and noisy.y[2] == 3.5  # a patch of 4 x 4 pixels
    assert noisy.x[6:8].tolist() == [7.5, 11.5] and len(noisy.x) == 12
    assert len(maps) == 4 and maps[0].x[6:8].tolist() == [1.5, 2.5]
    assert small.title(figure) == "<b>Noise reaches 33 % of the patches</b>"


def test_patch_attention_is_the_share_of_the_corrupted():
    figure = figures.patch_attention(small.received(), small.input_change().patches)
    raw, denoised = figure.data
    np.testing.assert_allclose(raw.y, [0.5, 0.5])
    np.testing.assert_allclose(denoised.y, [5 / 10, 3 / 4])
    assert figure.layout.shapes[0].y0 == pytest.approx(1 / 3)
    assert "50 % of attention goes to corrupted patches, 62 %" in small.title(figure)


def test_map_similarity_and_noise_curve_show_their_numbers():
    figure = figures.map_similarity([MapSimilarity(0, 0.8, 0.9), MapSimilarity(1, 0.7, None)])
    np.testing.assert_array_equal(figure.data[1].x, [0.8, 0.7])
    np.testing.assert_array_equal(figure.data[2].x, [0.9, np.nan])
    assert "more like the clean ones (0.90) than raw maps (0.80)" in small.title(figure)
    silent = figures.map_similarity([MapSimilarity(0, 0.8, None)])
    assert small.title(silent) == "<b>There is no attention left to compare</b>"
    lines = figures.noise_curve(small.curve(), own=2).data
    np.testing.assert_array_equal(lines[0].y, small.curve().accuracy[0])
    np.testing.assert_allclose(lines[1].error_y.array, 0.1)
    assert [line.name for line in lines] == ["u = 0", "u = 2, as trained"]
