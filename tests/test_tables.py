"""Results as tables: each of them, several together, and what is empty."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import small

from dista import measures
from dista.measures import (
    Answers,
    AttentionSplit,
    CueEffect,
    MapSimilarity,
    MapStatistics,
    PairedDifference,
    PatchAttention,
    Result,
    RowSums,
    SeedAccuracy,
    SeedDifference,
    UntrainedSimilarity,
    stacked,
)
from dista.measures.tables import cells, concatenated

ANSWERS = Answers(np.array([1, 0, 2]), np.array([1, 1, 2]), np.array([0.9, 0.6, 0.8]))
NOTHING = np.arange(0)

# A result of each kind, and how many rows it has.
RESULTS = [
    (small.energy().by_layer, 3),
    (ANSWERS, 3),
    (small.any_time(), 3),
    (small.over_time(), 15),
    (small.received()[0], 6),
    (small.looked()[0], 12),
    (measures.rank_patches(small.looked())[0], 1),
    (
        measures.ClassRates(
            "stem", np.ones((3, 2)), np.array([4, 5]), np.zeros(3, int), np.zeros(3)
        ),
        6,
    ),
    (AttentionSplit(0.25, 0.5, 0.25, 8.0, "kept"), 3),
    (small.denoised()[1], 6),
    (small.causal(), 15),
    (small.decision(), 10),
    (small.energy(), 15),
    (small.firing(), 15),
    (small.input_change(), 96),
    (small.key_maps(), 42),
    (small.lags(), 36),
    (small.rows()[0], 1),
    (MapSimilarity(1, 0.7, None), 1),
    (MapStatistics(0, 1.5, 0.3, 0.2, None), 1),
    (small.histogram(), 6),
    (small.trace(), 5),
    (small.curve(), 6),
    (PairedDifference(300, 0.9, 0.8, -0.1, -0.14, -0.06, np.arange(30), NOTHING, 0.2, 0.3), 1),
    (PatchAttention(0, 0.5, 0.6, None, 0.1), 1),
    (small.raster(), 20),
    (RowSums(0, "raw", 1.0, 2.0, 3.0, 40, 2), 1),
    (small.apart(), 15),
    (UntrainedSimilarity(0, "raw", 16, 1, 0.4, None, None, None, 0, None, None), 1),
    (
        SeedAccuracy(
            (0, 1), np.array([0.8, 0.9]), 500, 0.85, 0.07, 0.7, 1.0, np.array([0.5, 0.6]), 0.5
        ),
        2,
    ),
    (small.importance(), 3),
    (SeedDifference((0, 1), np.array([0.1, 0.2]), 500, 0.15, 0.0, 0.3, 0.04, 0.08), 2),
    (CueEffect(np.arange(3.0), 1.0, 0.0, 2.0), 3),
    (small.seed_curves()["u=1"], 3),
    (small.sweep(), 3),
    (small.learners()[0], 3),
    (small.by_chance()["trained"][0], 1),
    (small.patch_totals(), 6),
    (small.events(), 30),
    (small.cameras()["real"], 3),
    (measures.EntryEffects(1, np.arange(3), np.arange(3), np.ones((2, 3)), np.ones((2, 3))), 6),
    (measures.Stopped(0.9, np.array([1, 4, 2]), ANSWERS, np.ones(3)), 3),
    (measures.TimeByRate(("a", "b"), np.array([0.1, 0.2]), np.ones((2, 5))), 10),
    (
        measures.LayerTimes(
            ("a", "b"), np.ones((2, 3)), np.ones((2, 3, 4)), np.ones((2, 3), bool), 5
        ),
        6,
    ),
    (measures.TimeBySpikes(("a", "b"), np.arange(3.0), np.arange(3), np.ones((2, 3))), 6),
]


def test_every_dataclass_of_the_measures_is_a_result_and_stands_here():
    modules = [
        importlib.import_module(f"dista.measures.{module.name}")
        for module in pkgutil.iter_modules(measures.__path__)
    ]
    classes = {
        thing
        for module in modules
        for thing in vars(module).values()
        if isinstance(thing, type) and dataclasses.is_dataclass(thing)
    }
    assert [kind for kind in classes if not issubclass(kind, Result)] == []
    assert classes == {type(result) for result, _ in RESULTS}
    assert {kind.__name__ for kind in classes} <= set(measures.__all__)


@pytest.mark.parametrize("result, rows", RESULTS, ids=lambda it: type(it).__name__)
def test_a_result_is_a_table_with_a_row_for_each_item(result, rows):
    table = result.table()
    assert isinstance(table, pd.DataFrame) and len(table) == rows
    assert all(name.isidentifier() and name == name.lower() for name in table.columns)
    assert list(table.columns) == list(result.columns())
    assert set(table.attrs["units"]) <= set(table.columns)
    assert not table.map(lambda value: isinstance(value, (np.ndarray, tuple))).any(axis=None)


def test_single_results_are_one_row_of_their_fields():
    table = stacked([RowSums(0, "raw", 1.0, 2.0, 3.0, 40, 2), RowSums(1, "raw", 0, 0, 0, 40, 40)])
    assert list(table.columns) == ["block", "stage", "low", "median", "high", "rows", "empty"]
    assert table["high"].tolist() == [3, 0] and table["empty"].tolist() == [2, 40]
    assert table.attrs["units"]["median"] == "coincident spikes"


def test_answers_say_sample_by_sample_what_was_right():
    table = ANSWERS.table()
    assert table["sample"].tolist() == [0, 1, 2]
    assert table["correct"].tolist() == [True, False, True]
    assert table["confidence"].tolist() == [0.9, 0.6, 0.8]
    assert replace(ANSWERS, confidence=None).table()["confidence"].isna().all()


def test_what_was_not_recorded_is_empty():
    alone = replace(small.key_maps(), head=None, denoised=None, removed=None)
    table = alone.table()
    assert table["raw"].tolist() == alone.raw.ravel().tolist()
    assert table[["head", "denoised", "removed"]].isna().all(axis=None)
    unlabelled = small.decision(label=None).table()
    assert unlabelled["is_label"].isna().all() and unlabelled["is_answer"].sum() == 5


def test_results_with_names_are_told_apart_and_whole_numbers_stay_whole():
    table = stacked({"lags": small.lags(), "layers": small.rows()}, "of")
    assert list(table["of"]) == ["lags"] * 36 + ["layers"] * 3
    assert table["lag"].dropna().tolist() == small.lags().table()["lag"].tolist()
    assert str(table["lag"].dtype) == "Int64"
    assert table.attrs["units"]["tau"] == "steps" and table.attrs["units"]["lag"] == "steps"


@pytest.mark.parametrize("none", [[], {}])
def test_no_results_are_an_error(none):
    with pytest.raises(ValueError, match="at least one result of dista"):
        stacked(none)
    with pytest.raises(ValueError, match="at least one result of dista"):
        concatenated(none)


def test_cells_refuse_an_array_of_another_shape():
    columns = cells({"a": ["x", "y"], "b": range(3)}, value=np.arange(6).reshape(2, 3))
    assert columns["a"].tolist() == ["x"] * 3 + ["y"] * 3 and columns["b"].tolist() == [0, 1, 2] * 2
    assert columns["value"].tolist() == [*range(6)]
    with pytest.raises(ValueError, match=r"value has shape \(3, 2\); expected \(2, 3\): a, b"):
        cells({"a": ["x", "y"], "b": range(3)}, value=np.zeros((3, 2)))
