"""Every figure in one table: valid, described, numpy-backed, in both themes, and showing its numbers."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from dista import figures, measures
from dista.figures.theme import palette, short
from dista.measures import (
    AttentionOverTime,
    AttentionSplit,
    BlockDenoising,
    Decision,
    KeyMaps,
    LagContributions,
    LayerActivity,
    MembraneTrace,
    Raster,
)

LAYERS = ("stem.stages.0.neuron", "blocks.0.attention.query.neuron", "blocks.1.mlp.hidden.neuron")
LABELS = ("cue", "delay", "delay", "probe", "probe")


def key_maps() -> KeyMaps:
    raw = np.arange(3 * 2 * 7).reshape(3, 2, 7) % 5
    kept = np.where(raw > 2, raw, 0)
    return KeyMaps(0, 1, (1, 4), 3, 5, np.array([1, 2, 3]), np.array([0, 4]), raw, kept, raw - kept)


def over_time() -> AttentionOverTime:
    share = np.full((5, 5), np.nan)
    share[np.tril_indices(5)] = 0.2
    return AttentionOverTime(1, share, np.arange(5.0), "kept")


def lags() -> LagContributions:
    share = np.tril(np.ones((5, 3)))
    return LagContributions(0, np.stack([share / share.sum(1, keepdims=True)] * 3))


def raster() -> Raster:
    spikes = np.arange(20).reshape(4, 5) % 3 == 0
    neurons = np.array([(0, 1, 2), (3, 1, 0), (5, 0, 0), (5, 0, 1)])
    return Raster(LAYERS[2], neurons, spikes, 120, 31, 4)


def trace() -> MembraneTrace:
    h = np.array([0.4, 1.2, 0.3, -0.2, 1.0], np.float32)
    fired = h >= 1
    v = np.where(fired, 0, h)
    return MembraneTrace(LAYERS[1], (5, 0, 1), h, v, 2 * h, fired, 1.0, 0.0, 2.0, 1.0)


def rows() -> list[LayerActivity]:
    return [
        LayerActivity(layer, tau, tau - 0.5, tau + 0.5, 0.1, 0.2, 0.0)
        for layer, tau in zip(LAYERS, (1.6, 2.0, 4.5))
    ]


def decision(classes: int = 2, label: int | None = 1) -> Decision:
    logits = np.random.default_rng(0).normal(size=(5, classes))
    logits[:, 0] += 3
    running = np.full_like(logits, np.nan)
    running[3:] = logits[3:]
    names = tuple(f"class {i}" for i in range(classes))
    return Decision(logits, running, np.full_like(logits, 0.5), 3, 0, 3, label, names)


def denoised() -> list[BlockDenoising]:
    before, after = np.array([90, 40, 9, 3, 0, 1]), np.array([90, 0, 9, 3, 0, 1])
    block = BlockDenoising(0, "threshold", 1.0, 143, 72.0, 32.0, 40 / 72, 40 / 53, before, after)
    return [block, replace(block, block=1, u=None, kind="lookup")]


def epochs() -> pd.DataFrame:
    columns = ("epoch", "train_loss", "val_loss", "val_accuracy", "seconds")
    return pd.DataFrame(
        [(0, None, 0.7, 0.5, 1), (1, 0.6, 0.5, 0.8, 2), (2, 0.4, 0.6, 0.7, 2)], columns=columns
    )


def neurons() -> pd.DataFrame:
    return pd.DataFrame(
        [
            dict(epoch=epoch, layer=layer, tau=2 + epoch * i / 4, rate=0.1 + epoch * i / 50)
            for epoch in range(3)
            for i, layer in enumerate(LAYERS)
        ]
    )


FIGURES = {
    "filmstrip": lambda t: figures.filmstrip(key_maps(), theme=t),
    "filmstrip, labelled": lambda t: figures.filmstrip(key_maps(), step_labels=LABELS, theme=t),
    "filmstrip, raw alone": lambda t: figures.filmstrip(
        replace(key_maps(), kept=None, removed=None), theme=t
    ),
    "attention_split": lambda t: figures.attention_split(measures.split(key_maps()), theme=t),
    "attention_split of nothing": lambda t: figures.attention_split(
        AttentionSplit(0.0, 0.0, 0.0, 0.0, "kept"), theme=t
    ),
    "attention_over_time": lambda t: figures.attention_over_time(
        over_time(), step_labels=LABELS, theme=t
    ),
    "lag_contributions": lambda t: figures.lag_contributions(lags(), theme=t),
    "raster": lambda t: figures.raster(raster(), step_labels=LABELS, theme=t),
    "membrane": lambda t: figures.membrane(trace(), step_labels=LABELS, theme=t),
    "membrane, h alone": lambda t: figures.membrane(
        replace(trace(), v=None, current=None, spikes=None, tau=None, half_life=None), theme=t
    ),
    "taus": lambda t: figures.taus(rows(), start=2.0, theme=t),
    "taus, no start": lambda t: figures.taus(rows()[:1], theme=t),
    "decision": lambda t: figures.decision(decision(), step_labels=LABELS, theme=t),
    "decision, ten classes": lambda t: figures.decision(decision(10, None), theme=t),
    "denoising": lambda t: figures.denoising(denoised(), theme=t),
    "learning_curves": lambda t: figures.learning_curves(epochs(), theme=t),
    "learning_curves, first epoch": lambda t: figures.learning_curves(epochs()[:1], theme=t),
    "tau_history": lambda t: figures.tau_history(neurons(), theme=t),
    "tau_history, first epoch": lambda t: figures.tau_history(neurons()[:3], theme=t),
    "rate_history": lambda t: figures.rate_history(neurons(), theme=t),
}


def test_the_table_has_every_figure():
    assert {name.split(",")[0].split(" of ")[0] for name in FIGURES} == set(figures.__all__)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", FIGURES)
def test_figure(name, theme):
    figure = FIGURES[name](theme)
    assert isinstance(figure, go.Figure)
    assert json.loads(figure.to_json())["data"]
    assert figure.layout.paper_bgcolor == palette(theme).panel
    assert figure.layout.width is None and figure.layout.height >= 120
    _is_described(figure)
    for trace_ in figure.data:
        for part in ("x", "y", "z", "customdata"):
            value = getattr(trace_, part, None)
            assert value is None or isinstance(value, np.ndarray), f"{trace_.type}.{part}"


def _is_described(figure: go.Figure) -> None:
    """A sentence as a title that fits a narrow screen, and more of them in the description."""
    alt = figure.layout.meta["alt"]
    lines = figure.layout.title.text.removeprefix("<b>").removesuffix("</b>").split("<br>")
    assert all(len(line) <= 40 for line in lines)
    assert alt.endswith(".") and len(alt) > len(" ".join(lines))
    assert "nan" not in alt and "None" not in alt


def test_filmstrip_shows_the_counts_where_they_belong():
    figure, maps = figures.filmstrip(key_maps()), key_maps()
    for strip, counts in zip(figure.data[:3], (maps.raw, maps.kept, maps.removed)):
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


def test_membrane_drops_where_it_fires():
    line, spikes, current = figures.membrane(trace()).data
    assert line.y.tolist() == pytest.approx([0.4, 0.4, 1.2, 0, 0.3, 0.3, -0.2, -0.2, 1, 0])
    assert spikes.x.tolist() == [1, 4]
    assert current.y.tolist() == pytest.approx((2 * trace().h).tolist())


def test_taus_take_the_start_of_each_layer():
    start = dict(zip(LAYERS, (3.0, 2.5, 1.5)))
    figure = figures.taus(rows(), start=start)
    before = next(t for t in figure.data if t.name == "at the start")
    assert before.x.tolist() == [3.0, 2.5, 1.5]
    with pytest.raises(ValueError, match="no layer has a time constant"):
        figures.taus([replace(rows()[0], tau=None)])


def test_a_wrong_answer_is_said_and_drawn_in_orange():
    figure = figures.decision(decision(label=1))
    assert "wrong, it is class 1" in figure.layout.title.text.replace("<br>", " ")
    assert {t.name: t.line.color for t in figure.data} == {
        "class 0": palette("light").accent,
        "class 1": palette("light").orange,
    }
    assert "wrong" not in figures.decision(decision(label=0)).layout.title.text


def test_denoising_separates_removed_from_kept():
    removed, kept = figures.denoising(denoised()).data[:2]
    assert removed.x.tolist() == [1, 2, 3, 4, 5]
    assert removed.y[0] == 40 and np.isnan(removed.y[1:]).all()
    np.testing.assert_array_equal(kept.y, [np.nan, 9, 3, np.nan, 1])
    assert removed.marker.pattern.shape == "/"


def test_learning_curves_find_the_best_epoch_and_histories_the_furthest_layer():
    title = figures.learning_curves(epochs()).layout.title.text.replace("<br>", " ")
    assert "80.0 % after epoch 1" in title
    named = [line.name for line in figures.tau_history(neurons()).data if line.showlegend]
    assert named == [short(LAYERS[1]), short(LAYERS[2])]
    assert "mlp hidden moved furthest: 2.0 to 3.0" in figures.tau_history(
        neurons()
    ).layout.title.text.replace("<br>", " ")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: figures.filmstrip(key_maps(), theme="sepia"),
            "theme='sepia'; expected one of light",
        ),
        (lambda: figures.raster(raster(), step_labels=["cue"]), "1 entries for 5 steps"),
        (lambda: figures.learning_curves(epochs()[["epoch"]]), "has no train_loss, val_loss"),
        (lambda: figures.tau_history(epochs()), "neurons table has no layer, tau"),
        (lambda: figures.denoising([]), "blocks is empty"),
    ],
)
def test_wrong_input_is_explained(make, said):
    with pytest.raises(ValueError, match=said):
        make()


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        ("stem.stages.0.neuron", "stem 1"),
        ("stem.position.neuron", "stem position"),
        ("blocks.0.attention.query.neuron", "1 query"),
        ("blocks.1.attention.neuron", "2 read-out"),
        ("blocks.1.mlp.hidden.neuron", "2 mlp hidden"),
    ],
)
def test_short_names_count_from_one(layer, name):
    assert short(layer) == name
