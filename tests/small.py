"""Small results whose numbers are known, for the tests of tables and figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dista.measures import (
    Anytime,
    AttentionOverTime,
    AttentionReceived,
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
    LayerTimes,
    Learning,
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


def clocked_layers() -> LayerTimes:
    names = (
        "stem.position",
        "blocks.0.attention.query",
        "blocks.0.attention",
        "blocks.0.mlp.output",
    )
    counted = 1e5 * np.array([[1, 2], [3, 4], [5, 6], [9, 8]])
    seconds = 1e-9 * counted[..., None] * np.array([1.0, 1.1, 1.5]) + 1e-5
    return LayerTimes(names, counted, seconds, counted > 7e5, samples=3)


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


# What is read of a figure


def title(figure: go.Figure) -> str:
    return figure.layout.title.text.replace("<br>", " ")
