"""Every figure in one table: valid, described, numpy-backed, in both themes, and showing its numbers."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from dista import figures, measures
from dista.figures.theme import palette, short, text_on
from dista.measures import (
    Anytime,
    AttentionOverTime,
    AttentionReceived,
    AttentionSplit,
    AttentionTo,
    BlockDenoising,
    CausalMemory,
    ChanceLevel,
    CueEffect,
    Decision,
    Energy,
    EntryEffects,
    EventFrames,
    EventStatistics,
    FiringMap,
    InputChange,
    KeyMaps,
    LagContributions,
    LayerActivity,
    Learning,
    MapSimilarity,
    MembraneHistogram,
    MembraneTrace,
    NoiseCurve,
    OptionImportance,
    PairedDifference,
    PatchTotals,
    Raster,
    SeedAccuracy,
    SeedCurve,
    SeedDifference,
    SpikeDistance,
    TauSweep,
    TimeByRate,
    TimeBySpikes,
)

LAYERS = ("stem.stages.0.neuron", "blocks.0.attention.query.neuron", "blocks.1.mlp.hidden.neuron")
LABELS = ("cue", "delay", "delay", "probe", "probe")


def key_maps() -> KeyMaps:
    raw = np.arange(3 * 2 * 7).reshape(3, 2, 7) % 5
    denoised = np.where(raw > 2, raw, 0)
    return KeyMaps(
        0, 1, (1, 4), 3, 5, np.array([1, 2, 3]), np.array([0, 4]), raw, denoised, raw - denoised
    )


def over_time() -> AttentionOverTime:
    share = np.full((5, 5), np.nan)
    share[np.tril_indices(5)] = 0.2
    return AttentionOverTime(1, share, np.arange(5.0), "kept")


def looked() -> list[AttentionTo]:
    """Two blocks of two heads, three steps and two patches; the last head pays most, at the last step."""
    paid = np.arange(12.0).reshape(2, 3, 1, 2)
    even = np.array([1.0, 0.5, 0.5])
    return [AttentionTo(block, paid + block, np.full((2, 3, 1, 2), 13.0), even, "kept") for block in (0, 1)]  # fmt: skip


def lags() -> LagContributions:
    share = np.tril(np.ones((5, 3)))
    return LagContributions(0, np.stack([share / share.sum(1, keepdims=True)] * 3))


def cues() -> dict[str, CueEffect]:
    return {
        "As trained": CueEffect(np.array([1.0, 2.0, 1.5]), 1.5, 1.1, 1.9),
        "Without both": CueEffect(np.zeros(3), 0.0, 0.0, 0.0),
    }


def causal(of: str = "head") -> CausalMemory:
    effect = np.full((5, 5), np.nan)
    effect[np.tril_indices(5)] = np.arange(15) / 4
    return CausalMemory(of, effect)


def changes() -> dict[str, PairedDifference]:
    lost, none = np.arange(30), np.arange(0)
    return {
        "Memory: off": PairedDifference(300, 0.9, 0.8, -0.1, -0.14, -0.06, lost, none, 0.2, 0.5),
        "Denoiser: off": PairedDifference(300, 0.9, 0.9, 0.0, -0.01, 0.01, none, none, 0.2, 0.2),
        "Denoiser: u = 2": PairedDifference(
            300, 0.9, 0.95, 0.05, 0.02, 0.08, none, lost[:15], 0.2, 0.2
        ),
    }


def by_chance() -> dict[str, list[ChanceLevel]]:
    levels = [ChanceLevel(0, 0.3, 0.27, 0.7), ChanceLevel(1, 0.6, 0.4, None)]
    return {"trained": levels, "untrained": levels[:1]}


def events() -> EventFrames:
    on = np.arange(30.0).reshape(5, 2, 3)
    return EventFrames(on, on[::-1] / 3)


def patch_totals() -> PatchTotals:
    return PatchTotals(
        0, "raw", 4, np.arange(6.0).reshape(2, 3), np.arange(6.0)[::-1].reshape(2, 3)
    )


def part_changes(*models: str) -> dict[str, dict[str, PairedDifference]]:
    """The second model's parts are worth the same, in another order, and it lacks one."""
    parts = list(changes().values())
    each = {f"block 1 head {head + 1}": part for head, part in enumerate([*parts[::-1]])}
    fewer = {name: parts[place] for place, name in enumerate([*each][:2])}
    return dict(zip(models or ("map",), (each, fewer)))


def apart() -> SpikeDistance:
    return SpikeDistance(LAYERS, np.linspace(0, 1, 15).reshape(3, 5))


def raster() -> Raster:
    spikes = np.arange(20).reshape(4, 5) % 3 == 0
    neurons = np.array([(0, 1, 2), (3, 1, 0), (5, 0, 0), (5, 0, 1)])
    return Raster(LAYERS[2], neurons, spikes, 120, 31, 4)


def trace() -> MembraneTrace:
    h = np.array([0.4, 1.2, 0.3, -0.2, 1.0], np.float32)
    fired = h >= 1
    v = np.where(fired, 0, h)
    return MembraneTrace(LAYERS[1], (5, 0, 1), h, v, 2 * h, fired, 1.0, 0.0, 2.0, 1.0)


def sweep() -> TauSweep:
    return TauSweep(np.array([1, 2.5, 8]), np.array([8, 3, 0]), np.array([1, 1.02, 1.5]), 1.0, 8)


def learners() -> list[Learning]:
    """One that fires at step 3 alone in the end, one that never fires."""
    fired = np.eye(5, dtype=bool)[[0, 1, 2]]
    one = Learning(
        ("weight",), 2, np.array([1.5, 1.4, 1.2]), np.array([2.0, 2.0, 2.0]), np.array([2.0, 2, 0]), fired
    )  # fmt: skip
    silent = replace(one, parts=("weight", "tau"), weight=one.weight / 2, fired=fired & False)
    return [one, silent]


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


def firing(step: float = 0.1) -> FiringMap:
    rate = np.linspace(0, step, 15).reshape(3, 5)
    dead, saturated = np.array([0.5, 0, 0.1]), np.array([0, 0.2, 0])
    return FiringMap(LAYERS, rate, dead, saturated, np.array([60, 20, 20]), 64)


def histogram() -> MembraneHistogram:
    return MembraneHistogram(
        LAYERS[1], np.arange(-1, 2.1, 0.5), np.array([1, 5, 9, 4, 3, 2]), 1.0, 25, 0.2, 0.04
    )


def input_change() -> InputChange:
    clean = np.arange(8.0 * 12).reshape(8, 12)
    patches = np.array([[True, False, False], [False, False, True]])
    return InputChange(clean, clean + 1, patches)


def received() -> list[AttentionReceived]:
    raw = np.array([[6.0, 2, 2], [4, 2, 4]])
    return [AttentionReceived(b, raw, raw // (2 + b)) for b in range(2)]


def curve() -> NoiseCurve:
    accuracy = np.array([[0.9, 0.5, 0.2], [0.8, 0.6, 0.1]])
    levels = np.array([0, 0.1, 0.2])
    return NoiseCurve("gaussian", (0, 2), levels, accuracy, accuracy - 0.1, accuracy + 0.1, 50)


def compared() -> NoiseCurve:
    """``curve`` with what tells its thresholds apart, and what was really added."""
    difference = np.array([[0.0, 0.0, 0.0], [0.1, -0.05, 0.2]])
    return replace(
        curve(), against=0, difference=difference, difference_low=difference - 0.08,
        difference_high=difference + 0.08, unit="chance per pixel", added=np.array([0, 0.1, 0.3]),
    )  # fmt: skip


def energy(static: bool = True) -> Energy:
    accumulates = np.arange(15.0).reshape(3, 5) * 1000
    multiplies = np.zeros((3, 5))
    multiplies[0, 0] = 500.0
    picojoules = 4.6 * multiplies + 0.9 * accumulates
    dense = np.full((3, 5), 2e4)
    spikes = accumulates / 10
    return Energy(LAYERS, spikes, accumulates, multiplies, dense, picojoules, static, 25)


def entries() -> dict[str, EntryEffects]:
    steps = np.array([0, 1, 1])
    attention, effect = np.array([[0.2, 0.3, 0.5]] * 2), np.array([[0.0, 0.1, 0.4], [0.3, 0.1, 0]])
    trained = EntryEffects(1, steps, np.array([0, 0, 1]), attention, effect)
    return {"trained": trained, "untrained": replace(trained, effect=1 - effect)}


def timed() -> TimeByRate:
    seconds = np.array([[0.02, 0.021], [0.04, 0.045], [0.05, 0.049]])
    return TimeByRate(("blank", "half", "all"), np.array([0.1, 0.2, 0.3]), seconds)


def swept_layer() -> TimeBySpikes:
    seconds = np.array([[0.001, 0.002, 0.004], [0.003, 0.003, 0.003], [0.005, 0.005, 0.005]])
    ways = "rows added", "all multiplied", "by its module"
    return TimeBySpikes(ways, np.array([0.1, 0.2, 0.4]), np.array([10, 20, 40]), seconds)


def any_time() -> Anytime:
    accuracy = np.array([0.5, 0.8, 0.9])
    spent = np.array([1e3, 3e3, 4e3])
    return Anytime(accuracy, accuracy - 0.1, accuracy + 0.1, accuracy, accuracy + 0.1, spent, 25)


def denoised() -> list[BlockDenoising]:
    before, after = np.array([90, 40, 9, 3, 0, 1]), np.array([90, 0, 9, 3, 0, 1])
    block = BlockDenoising(0, "threshold", 1.0, 143, 72.0, 32.0, 40 / 72, 40 / 53, before, after)
    return [block, replace(block, block=1, u=None, kind="lookup")]


def of_seeds() -> dict[str, SeedAccuracy]:
    accuracy = np.array([0.9, 0.92, 0.97])
    one = SeedAccuracy(
        (0, 1, 4), accuracy, 2000, float(accuracy.mean()), 0.036, 0.86, 0.99, accuracy - 0.4, 0.48
    )
    return {"memory=none,taus=fixed": one, "memory=map,taus=fixed": replace(one, mean=0.5)}


def seed_changes() -> dict[str, SeedDifference]:
    parts = np.array([-0.01, 0.02, 0.05])
    one = SeedDifference((0, 1, 4), parts, 2000, 0.02, -0.05, 0.09, 0.3, 0.6)
    lost = replace(one, difference=-0.2, low=-0.3, high=-0.1, p=0.001, holm=0.002)
    return {"memory=map,taus=fixed": one, "memory=none,taus=learned": lost}


def seed_curves() -> dict[str, SeedCurve]:
    accuracy = np.array([[0.9, 0.96, 0.93], [0.8, 0.82, 0.84], [0.5, 0.54, 0.55]])
    mean, levels = accuracy.mean(1), np.array([0, 0.1, 0.4])
    one = SeedCurve("gaussian", levels, (0, 1, 4), accuracy, 500, mean, mean - 0.05, mean + 0.03)
    d = np.array([0, 0.02, 0.1])
    other = replace(one, mean=mean + d, against="u=1", difference=d, difference_low=d - 0.03, difference_high=d + 0.03)  # fmt: skip
    return {"u=1": one, "memory=map,denoiser=threshold, u=3": other}


def importance() -> OptionImportance:
    share = np.array([0.7, 0.2, 0.1])
    return OptionImportance(("memory", "taus", "seed"), share, share - 0.05, share + 0.05, 40)


def swept_runs() -> pd.DataFrame:
    columns = {"memory": ["map", "none", "map"], "u": [1, 2, 3], "accuracy": [0.9, 0.7, 0.8]}
    return pd.DataFrame(columns)


def curves() -> pd.DataFrame:
    table = epochs()
    return pd.concat([table.assign(run="a,seed=0"), table.assign(run="b,seed=0", val_accuracy=0.6)])


def cameras() -> dict[str, EventStatistics]:
    time, rate, x = np.array([5.0, 15, 25]), np.array([1.0, 8, 2]), np.array([14.0, 16, 19])
    one = EventStatistics(time, rate, x, x - 1, 40, 4100.0, 0.5, 16.4, 15.4, 5, 5, 1700.0, 0.3, 4.0)
    return {"real": one, "simulated": replace(one, x=x + 2, y=x - 3, rate=rate * 3)}


def epochs() -> pd.DataFrame:
    columns = ("epoch", "train_loss", "val_loss", "val_accuracy", "seconds")
    return pd.DataFrame(
        [(0, None, 0.7, 0.5, 1), (1, 0.6, 0.5, 0.8, 2), (2, 0.4, 0.6, 0.7, 2)], columns=columns
    )


def steps() -> pd.DataFrame:
    return pd.DataFrame(
        {"step": [1, 2, 3, 4], "epoch": [1, 1, 2, 2], "loss": [2.0, 1.5, 1.0, 0.5], "lr": 0.1}
    )


def gradients() -> pd.DataFrame:
    rows = [
        dict(epoch=epoch, layer=layer, weights=1 + epoch * i, tau=0.5 - 0.1 * epoch * i)
        for epoch in (1, 2)
        for i, layer in enumerate(LAYERS)
    ]
    return pd.DataFrame([*rows, dict(epoch=1, layer="head.linear", weights=3.0, tau=None)])


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
        replace(key_maps(), denoised=None, removed=None), theme=t
    ),
    "attention_split": lambda t: figures.attention_split(measures.split(key_maps()), theme=t),
    "attention_split of nothing": lambda t: figures.attention_split(
        AttentionSplit(0.0, 0.0, 0.0, 0.0, "kept"), theme=t
    ),
    "attention_over_time": lambda t: figures.attention_over_time(
        over_time(), step_labels=LABELS, theme=t
    ),
    "lag_contributions": lambda t: figures.lag_contributions(lags(), theme=t),
    "causal_memory": lambda t: figures.causal_memory(
        causal(), subject="As trained", step=1, step_labels=LABELS, theme=t
    ),
    "cue_effects": lambda t: figures.cue_effects(cues(), theme=t),
    "causal_memory, of a map": lambda t: figures.causal_memory(
        causal("blocks.0.attention.denoise"), theme=t
    ),
    "causal_memory, of a membrane": lambda t: figures.causal_memory(
        causal("blocks.0.attention.query.neuron.membrane"), theme=t
    ),
    "chance_levels": lambda t: figures.chance_levels(by_chance(), theme=t),
    "event_frames": lambda t: figures.event_frames(events(), theme=t),
    "event_frames of nothing": lambda t: figures.event_frames(
        EventFrames(np.zeros((2, 3, 4)), np.zeros((2, 3, 4))), theme=t
    ),
    "patch_totals": lambda t: figures.patch_totals(patch_totals(), theme=t),
    "accuracy_changes": lambda t: figures.accuracy_changes(changes(), theme=t),
    "attention_grid": lambda t: figures.attention_grid(
        looked(), to="the cue", place=(1, 1, 2), step_labels=LABELS[:3], theme=t
    ),
    "part_changes": lambda t: figures.part_changes(
        part_changes(), chance=0.5, what="head", theme=t
    ),
    "part_changes, of two models": lambda t: figures.part_changes(
        part_changes("map", "projection"), theme=t
    ),
    "seed_accuracies": lambda t: figures.seed_accuracies(of_seeds(), theme=t),
    "event_statistics": lambda t: figures.event_statistics(cameras(), theme=t),
    "seed_curves": lambda t: figures.seed_curves(seed_curves(), theme=t),
    "seed_differences": lambda t: figures.seed_differences(seed_changes(), theme=t),
    "run_curves": lambda t: figures.run_curves(curves(), theme=t),
    "parallel_runs": lambda t: figures.parallel_runs(swept_runs(), theme=t),
    "option_importance": lambda t: figures.option_importance(importance(), theme=t),
    "spike_distance": lambda t: figures.spike_distance(apart(), step_labels=LABELS, theme=t),
    "spike_distance of nothing": lambda t: figures.spike_distance(
        SpikeDistance(LAYERS, np.zeros((3, 5))), theme=t
    ),
    "layer_pairs": lambda t: figures.layer_pairs(rows(), rows()[1:], theme=t),
    "layer_pairs, taus": lambda t: figures.layer_pairs(
        rows(), [replace(row, tau=3.0) for row in rows()], of="tau", theme=t
    ),
    "raster": lambda t: figures.raster(raster(), step_labels=LABELS, theme=t),
    "membrane": lambda t: figures.membrane(trace(), step_labels=LABELS, theme=t),
    "membrane, h alone": lambda t: figures.membrane(
        replace(trace(), v=None, current=None, spikes=None, tau=None, half_life=None), theme=t
    ),
    "membrane, a neuron alone": lambda t: figures.membrane(replace(trace(), layer=""), theme=t),
    "entry_effects": lambda t: figures.entry_effects(entries(), theme=t),
    "time_by_rate": lambda t: figures.time_by_rate(timed(), theme=t),
    "time_by_spikes": lambda t: figures.time_by_spikes(swept_layer(), theme=t),
    "tau_sweep": lambda t: figures.tau_sweep(sweep(), theme=t),
    "learning": lambda t: figures.learning(learners(), theme=t),
    "taus": lambda t: figures.taus(rows(), start=2.0, theme=t),
    "taus, no start": lambda t: figures.taus(rows()[:1], theme=t),
    "decision": lambda t: figures.decision(decision(), step_labels=LABELS, theme=t),
    "decision, ten classes": lambda t: figures.decision(decision(10, None), theme=t),
    "denoising": lambda t: figures.denoising(denoised(), theme=t),
    "firing_map": lambda t: figures.firing_map(firing(), theme=t),
    "firing_change": lambda t: figures.firing_change(firing(), firing(0.4), theme=t),
    "firing_change of nothing": lambda t: figures.firing_change(firing(), firing(), theme=t),
    "membrane_histogram": lambda t: figures.membrane_histogram(histogram(), theme=t),
    "membrane_histogram, slope": lambda t: figures.membrane_histogram(
        histogram(), slope=np.ones(6), theme=t
    ),
    "membrane_change": lambda t: figures.membrane_change(
        trace(), replace(trace(), h=trace().h / 2, spikes=None, tau=4.0), theme=t
    ),
    "attention_change": lambda t: figures.attention_change(
        [over_time()], [replace(over_time(), mass=np.arange(5.0) * 3)], step_labels=LABELS, theme=t
    ),
    "decision_change": lambda t: figures.decision_change(
        decision(10), replace(decision(10), answer=4), theme=t
    ),
    "input_change": lambda t: figures.input_change(input_change(), received(), theme=t),
    "input_change of nothing": lambda t: figures.input_change(
        replace(input_change(), patches=np.zeros((2, 3), bool)), theme=t
    ),
    "patch_attention": lambda t: figures.patch_attention(
        received(), input_change().patches, theme=t
    ),
    "map_similarity": lambda t: figures.map_similarity(
        [MapSimilarity(0, 0.8, 0.9), MapSimilarity(1, 0.7, None)], theme=t
    ),
    "noise_curve": lambda t: figures.noise_curve(curve(), own=2, theme=t),
    "noise_differences": lambda t: figures.noise_differences(compared(), theme=t),
    "energy_map": lambda t: figures.energy_map(energy(), theme=t),
    "energy_map, spikes": lambda t: figures.energy_map(energy(), of="spikes", theme=t),
    "energy_comparison": lambda t: figures.energy_comparison(energy(), theme=t),
    "anytime": lambda t: figures.anytime(any_time(), stop=2, theme=t),
    "anytime, no stop": lambda t: figures.anytime(any_time(), theme=t),
    "learning_curves": lambda t: figures.learning_curves(epochs(), theme=t),
    "learning_curves, first epoch": lambda t: figures.learning_curves(epochs()[:1], theme=t),
    "accuracy_by_run": lambda t: figures.accuracy_by_run(
        {name: epochs()[1:] for name in LABELS[:2]}, theme=t
    ),
    "gradient_history": lambda t: figures.gradient_history(gradients(), theme=t),
    "gradient_history, weights": lambda t: figures.gradient_history(
        gradients()[:-1], "weights", theme=t
    ),
    "loss_by_step": lambda t: figures.loss_by_step(steps(), epoch=1, theme=t),
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
    said = title(figures.attention_over_time(over_time())).replace("<br>", " ")
    even = 100 * (1 - 1 / (~np.isnan(over_time().share[-1])).sum())
    assert f"of its attention to the past, even attention {even:.0f} %" in said.replace("\xa0", " ")


def test_a_raster_says_of_whom_its_neurons_are():
    some = replace(raster(), total=12544, active=3000, shown=96)
    assert "96 of the 3000 neurons that fire, of 12544" in title(figures.raster(some)).replace(
        "<br>", " "
    )
    few = replace(some, active=40)
    assert "the 40 of 12544 neurons that fire" in title(figures.raster(few)).replace("<br>", " ")


def test_counts_and_their_chance_levels_stand_side_by_side():
    figure = figures.chance_levels(by_chance())
    assert [list(trace.x) for trace in figure.data] == [[0.3, 0.6, 0.3], [0.27, 0.4, 0.27]]
    assert "67 % to 90 % of the counts" in title(figure).replace("<br>", " ").replace("\xa0", " ")


def test_event_frames_stand_side_by_side():
    figure = figures.event_frames(events())
    for heat, counts in zip(figure.data, (events().on, events().off)):
        tiles = heat.z.reshape(2, 5, 5)
        np.testing.assert_allclose(tiles[..., :3], np.moveaxis(counts, 0, 1), rtol=1e-6)
        assert np.isnan(tiles[..., 3:]).all() and heat.zmax == 29
    assert "75 % of them ON" in title(figure).replace("<br>", " ").replace("\xa0", " ")


def test_patch_totals_are_two_maps_on_one_scale():
    figure = figures.patch_totals(patch_totals())
    np.testing.assert_array_equal(
        [trace.z for trace in figure.data], [patch_totals().paid, patch_totals().received]
    )
    assert figure.layout.coloraxis.cmax == 5
    assert "row 2, column 3 pays most attention, patch row 1, column 1" in title(figure).replace(
        "<br>", " "
    )


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


def test_every_seed_is_shown_and_only_certain_differences_are_coloured():
    figure, colours = figures.seed_differences(seed_changes()), palette("light")
    dots = [trace for trace in figure.data if trace.mode == "markers" and len(trace.x) == 3]
    assert [list(trace.x.round(6)) for trace in dots] == [[-1, 2, 5]] * 2
    assert [trace.marker.line.color for trace in dots] == [colours.muted, colours.orange]
    lines = [trace for trace in figure.data if trace.mode == "lines+markers"]
    assert [list(trace.x.round(6)) for trace in lines] == [[-5, 2, 9], [-30, -20, -10]]
    full = [trace.marker.color != colours.panel for trace in lines]
    assert full == [False, True], "the mean of what may be chance is hollow"
    assert "1 of 2 differences are certain, counting all of them" in figure.layout.meta["alt"]
    assert "over 3 seeds, 95 % interval" in figure.layout.meta["alt"]
    reached = figures.seed_accuracies(of_seeds())
    means = [trace.x[1] for trace in reached.data if trace.mode == "lines+markers"]
    assert means == pytest.approx([93, 50]) and reached.layout.shapes[0].x0 == 48
    assert "chance 48 %" in reached.layout.meta["alt"]


def test_accuracy_changes_show_the_interval_and_whether_it_is_certain():
    figure, colours = figures.accuracy_changes(changes()), palette("light")
    lost, none, _ = figure.data
    assert lost.x.tolist() == pytest.approx([-14, -10, -6]) and set(none.y) == {1}
    assert [t.line.color for t in figure.data] == [colours.orange, colours.accent, colours.accent]
    filled = [t.marker.color != colours.panel for t in figure.data]
    assert filled == [True, False, True]
    assert "Memory: off: −10.0 points" in figure.layout.title.text.replace("<br>", " ")
    assert "240 instead of 270 of 300 correct" in lost.hovertemplate


def test_part_changes_are_sorted_and_chance_is_where_it_is():
    figure = figures.part_changes(part_changes(), chance=0.5, what="head")
    dots = next(trace for trace in figure.data if trace.mode == "markers")
    by_row = [x for _, x in sorted(zip(dots.y, dots.x))]
    assert by_row == sorted(by_row) == pytest.approx([-10, 0, 5])
    assert "block 1 head 3: −10.0 points, the most" in figure.layout.title.text.replace("<br>", " ")
    assert -40 in [shape.x0 for shape in figure.layout.shapes]  # from 90 % to guessing
    assert "one answer 50 %" in figure.layout.annotations[1].text
    both = figures.part_changes(part_changes("map", "projection"))
    assert {trace.name for trace in both.data} == {"map", "projection"}
    assert both.layout.height > figure.layout.height


def test_a_difference_of_one_seed_is_certain_of_its_networks_alone():
    alone = {
        name: replace(one, seeds=(0,), differences=one.differences[:1])
        for name, one in seed_changes().items()
    }
    said = figures.seed_differences(alone).layout.meta["alt"]
    assert "1 of 2 differences are certain, of these networks alone: one seed" in said


def test_the_attention_grid_is_empty_where_a_share_says_nothing():
    figure = figures.attention_grid(looked(), to="the cue", place=(1, 1, 2))
    (cells,) = figure.data
    assert np.isnan(cells.z[:, 0]).all()  # everything that step 1 reaches is the cue
    assert cells.z[3, 2] == pytest.approx((11 + 12) / 26)
    assert (
        "Beyond an even share block 2 head 2 pays most to the cue: 88 % of 26 counts at step 3"
        in figure.layout.title.text.replace("<br>", " ")
    )
    (frame,) = figure.layout.shapes
    assert (frame.x0, frame.y0) == (1.5, 2.5)


def test_layer_pairs_are_of_the_layers_that_both_have():
    right = [replace(row, tau=row.tau + i) for i, row in enumerate(rows()[1:])]
    figure = figures.layer_pairs(rows(), right, of="tau")
    left, other = figure.data[1:]
    assert left.x.tolist() == [2.0, 4.5] and other.x.tolist() == [2.0, 5.5]
    assert "MLP hidden differs most: 4.5 left" in figure.layout.title.text.replace("<br>", " ")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_numbers_on_a_scale_are_readable(theme):
    """At least 4.5 : 1, the contrast that WCAG asks of text, wherever on the scale they stand."""
    shares, colours = np.linspace(0, 1, 41), palette(theme).amount
    rgb = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in colours]

    def luminance(channels):
        parts = [c / 255 for c in channels]
        parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    for share, text in zip(shares, text_on(shares, colours)):
        low, high = (rgb[0], rgb[1]) if share <= 0.5 else (rgb[1], rgb[2])
        along = 2 * share if share <= 0.5 else 2 * share - 1
        cell = luminance([a + along * (b - a) for a, b in zip(low, high)])
        ink = {"#000000": 0.0, "#ffffff": 1.0}[text]
        assert (max(cell, ink) + 0.05) / (min(cell, ink) + 0.05) >= 4.5


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
    removed, remaining = figures.denoising(denoised()).data[:2]
    assert removed.x.tolist() == [1, 2, 3, 4, 5]
    assert removed.y[0] == 40 and np.isnan(removed.y[1:]).all()
    np.testing.assert_array_equal(remaining.y, [np.nan, 9, 3, np.nan, 1])
    assert removed.marker.pattern.shape == "/"


def title(figure: go.Figure) -> str:
    return figure.layout.title.text.replace("<br>", " ")


def test_firing_map_shows_rates_and_who_never_fires():
    figure = figures.firing_map(firing())
    cells, dead, saturated = figure.data
    np.testing.assert_array_equal(cells.z, firing().rate)
    assert dead.x.tolist() == [0.5, 0, 0.1] and saturated.x.tolist() == [0, 0.2, 0]
    assert title(figure) == "<b>32 % of all neurons never fire on 64 samples</b>"


def test_firing_change_is_the_difference_around_zero():
    figure = figures.firing_change(firing(0.4), firing(0.1))
    np.testing.assert_allclose(figure.data[0].z, np.linspace(0, -0.3, 15).reshape(3, 5))
    assert figure.data[0].zmin == -figure.data[0].zmax
    assert title(figure) == "<b>75 % fewer spikes in all</b>"


def test_membrane_histogram_splits_at_the_threshold():
    below, fires, slope = figures.membrane_histogram(histogram(), slope=np.arange(6)).data
    assert below.x.tolist() == [-0.75, -0.25, 0.25, 0.75] and fires.x.tolist() == [1.25, 1.75]
    np.testing.assert_allclose(np.append(below.y, fires.y) * 25, histogram().counts)
    assert slope.y.tolist() == [0, 1, 2, 3, 4, 5] and slope.x.tolist() == [*below.x, *fires.x]


def test_changes_show_before_and_after():
    after = replace(trace(), h=trace().h / 2, spikes=None)
    lines = figures.membrane_change(trace(), after).data
    np.testing.assert_array_equal(lines[0].y, trace().h)
    np.testing.assert_array_equal(lines[1].y, after.h)
    assert lines[2].x.tolist() == [1, 4] and lines[3].x.tolist() == []
    louder = replace(over_time(), mass=3 * over_time().mass)
    figure = figures.attention_change([over_time()], [louder])
    assert title(figure) == "<b>200 % more attention in all</b>"
    figure = figures.decision_change(decision(10), replace(decision(10), answer=4))
    assert title(figure).startswith("<b>The answer turns from class 0 to class 4")
    assert sorted({note.text for note in figure.layout.annotations}) == [
        "class 0", "class 1", "class 4",
    ]  # fmt: skip


def test_input_change_outlines_the_corrupted_patches():
    figure = figures.input_change(input_change(), received())
    pictures = [trace for trace in figure.data if trace.type == "heatmap"]
    wanted = [input_change().clean, input_change().noisy]
    wanted += [part for one in received() for part in (one.raw, one.denoised)]
    for picture, image in zip(pictures, wanted, strict=True):
        np.testing.assert_array_equal(picture.z, image)
    assert [p.zmax for p in pictures] == [96, 96, 6, 6, 6, 6]
    noisy, *maps = [trace for trace in figure.data if trace.type == "scatter"]
    assert noisy.x[:2].tolist() == [-0.5, 3.5] and noisy.y[2] == 3.5  # a patch of 4 x 4 pixels
    assert noisy.x[6:8].tolist() == [7.5, 11.5] and len(noisy.x) == 12
    assert len(maps) == 4 and maps[0].x[6:8].tolist() == [1.5, 2.5]
    assert title(figure) == "<b>Noise reaches 33 % of the patches</b>"


def test_patch_attention_is_the_share_of_the_corrupted():
    figure = figures.patch_attention(received(), input_change().patches)
    raw, denoised = figure.data
    np.testing.assert_allclose(raw.y, [0.5, 0.5])
    np.testing.assert_allclose(denoised.y, [5 / 10, 3 / 4])
    assert figure.layout.shapes[0].y0 == pytest.approx(1 / 3)
    assert "50 % of attention goes to corrupted patches, 62 %" in title(figure)


def test_map_similarity_and_noise_curve_show_their_numbers():
    figure = figures.map_similarity([MapSimilarity(0, 0.8, 0.9), MapSimilarity(1, 0.7, None)])
    np.testing.assert_array_equal(figure.data[1].x, [0.8, 0.7])
    np.testing.assert_array_equal(figure.data[2].x, [0.9, np.nan])
    assert "more like the clean ones (0.90) than raw maps (0.80)" in title(figure)
    silent = figures.map_similarity([MapSimilarity(0, 0.8, None)])
    assert title(silent) == "<b>There is no attention left to compare</b>"
    lines = figures.noise_curve(curve(), own=2).data
    np.testing.assert_array_equal(lines[0].y, curve().accuracy[0])
    np.testing.assert_allclose(lines[1].error_y.array, 0.1)
    assert [line.name for line in lines] == ["u = 0", "u = 2, as trained"]


def test_energy_map_shows_the_chosen_quantity():
    for of, wanted in (
        ("energy", energy().picojoules / 1e3),  # nJ
        ("operations", energy().accumulates + energy().multiplies),
        ("spikes", energy().spikes),
    ):
        np.testing.assert_array_equal(figures.energy_map(energy(), of=of).data[0].z, wanted)
    assert "2 MLP hidden takes 57 % of the spikes" in title(
        figures.energy_map(energy(), of="spikes")
    )


@pytest.mark.parametrize(("static", "looks"), [(True, 1), (False, 5)])
def test_energy_comparison_takes_one_look_at_an_image(static, looks):
    figure = figures.energy_comparison(energy(static))
    _, without, spiking = figure.data
    size = 1e3  # all of them are below a microjoule
    np.testing.assert_allclose(without.x, 4.6 * 2e4 * looks / size)
    np.testing.assert_allclose(spiking.x, energy().picojoules.sum(1) / size)
    assert figure.layout.xaxis.title.text == "nJ"
    assert title(figure) == (
        f"<b>96.8 nJ an answer, {'276 nJ' if static else '1.38 µJ'} without spikes</b>"
    )


def test_anytime_marks_the_stop():
    figure = figures.anytime(any_time(), stop=2)
    said = title(figure).replace("<br>", " ")
    low, high = (100 * float(part[1]) for part in (any_time().low, any_time().high))
    correct = f"{round(0.8 * any_time().samples)} of {any_time().samples} correct"
    assert (
        said
        == f"<b>After 2 steps: {correct} ({low:.0f} to {high:.0f} %) for 75 % of the energy</b>"
    )
    np.testing.assert_array_equal(figure.data[0].y, any_time().accuracy)
    np.testing.assert_array_equal(figure.data[3].y, any_time().picojoules / 1e3)
    assert figure.layout.yaxis2.title.text == "nJ so far"
    assert {shape.x0 for shape in figure.layout.shapes} == {2}


def test_learning_curves_find_the_best_epoch_and_histories_the_furthest_layer():
    title = figures.learning_curves(epochs()).layout.title.text.replace("<br>", " ")
    assert "80.0 % after epoch 1" in title
    named = [line.name for line in figures.tau_history(neurons()).data if line.showlegend]
    assert named == [short(LAYERS[1]), short(LAYERS[2])]
    assert "MLP hidden moved furthest: 2.0 to 3.0" in figures.tau_history(
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
        (lambda: figures.gradient_history(gradients(), "rate"), "of='rate'; expected weights or"),
        (lambda: figures.accuracy_by_run({}), "runs is empty"),
        (lambda: figures.denoising([]), "blocks is empty"),
        (lambda: figures.accuracy_changes({}), "results is empty"),
        (lambda: figures.part_changes({"map": {}}), "results is empty"),
        (lambda: figures.attention_grid([], to="the cue"), "results is empty"),
        (lambda: figures.seed_accuracies({}), "results is empty"),
        (lambda: figures.entry_effects({}), "results is empty"),
        (lambda: figures.seed_differences({}), "results is empty"),
        (lambda: figures.seed_curves({}), "results is empty"),
        (lambda: figures.event_statistics({}), "results is empty"),
        (
            lambda: figures.seed_curves(
                seed_curves() | {"x": replace(seed_curves()["u=1"], kind="events")}
            ),
            "results are of events, gaussian; expected one kind of noise",
        ),
        (lambda: figures.layer_pairs(rows(), []), "no layer in common of which the firing rate"),
        (
            lambda: figures.firing_change(firing(), replace(firing(), layers=LAYERS[:2])),
            "recordings of the same model",
        ),
        (lambda: figures.energy_map(energy(), of="joy"), "of='joy'; expected one of energy"),
        (lambda: figures.anytime(any_time(), stop=4), "stop=4; expected 1 to 3 steps"),
        (lambda: figures.patch_attention([], np.ones((1, 1), bool)), "received is empty"),
        (lambda: figures.map_similarity([]), "results is empty"),
        (lambda: figures.attention_change([over_time()], []), "the same blocks"),
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
        ("blocks.0.attention.query.neuron", "1 Q"),
        ("blocks.1.attention.neuron", "2 read-out"),
        ("blocks.1.mlp.hidden.neuron", "2 MLP hidden"),
    ],
)
def test_short_names_count_from_one(layer, name):
    assert short(layer) == name


@pytest.mark.parametrize("panels, draw", [(2, figures.learning_curves), (1, figures.tau_history)])
def test_the_films_cursor_is_in_every_panel(panels, draw):
    table = epochs() if draw is figures.learning_curves else neurons()
    assert not draw(table).layout.shapes
    lines = draw(table, epoch=2).layout.shapes
    assert [line.x0 for line in lines] == [line.x1 for line in lines] == [2] * panels


# --- names from outside -------------------------------------------------------------------------

EVIL = "<a href='https://example.org'>x</a> & <img src=x>"


def _texts(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for name, one in value.items() if name != "meta" for text in _texts(one))
    elif isinstance(value, (list, tuple)):
        yield from (text for one in value for text in _texts(one))
    elif isinstance(value, np.ndarray) and value.dtype.kind in "OU":
        yield from _texts(value.ravel().tolist())


@pytest.mark.parametrize("name", FIGURES)
def test_names_from_outside_are_shown_as_they_are(name, monkeypatch):
    """Plotly reads a part of HTML in every text; a layer, a step or a class may be called like some."""
    this = globals()
    monkeypatch.setitem(this, "LAYERS", tuple(f"{EVIL}{i}" for i in range(3)))
    monkeypatch.setitem(this, "LABELS", tuple(f"{EVIL}{i}" for i in range(5)))
    plain = decision
    monkeypatch.setitem(
        this, "decision", lambda classes=2, label=1: replace(
            plain(classes, label), classes=tuple(f"{EVIL}{i}" for i in range(classes))
        ),
    )  # fmt: skip
    figure = FIGURES[name]("light")
    texts = list(_texts(figure.to_plotly_json()))
    assert texts
    for text in texts:
        assert "<a" not in text and "<img" not in text and "</a>" not in text, text
    alt = figure.layout.meta["alt"]
    assert "&lt;" not in alt, "a description is text already"


def test_names_from_outside_are_themselves_in_numbers_and_hovers():
    from dista.figures.tables import table

    classes = ("a < b & c", "<b>5 %</b> %{x}")
    figure = figures.decision(replace(decision(), classes=classes))
    assert [trace.name for trace in figure.data][-1] == "a &lt; b &amp; c"
    assert "a < b & c" in table(figure).to_string()
    assert all("%{x}" not in trace.hovertemplate for trace in figure.data)
    assert "Answer: a &lt; b &amp; c" in figure.layout.title.text.replace("<br>", " ")
    assert "Answer: a < b & c" in figure.layout.meta["alt"]
