"""The benchmark measures what it says, on shapes small enough to take a second. No time is asserted."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch

import dista
from dista.bench import cases, machine, memory, neuron, recording, report, scaling, spikes, timing
from dista.bench.tables import tables
from dista.config import NeuronConfig
from dista.engine import events
from dista.measures import neuron_table
from dista.neurons import LIF
from dista.recording import record

TINY = cases.Case(
    "1-8, T 3, 16×16",
    cases._config(16, 3, "FFTT", dim=8, depth=1, heads=2, time_steps=3),
    batch=2,
)
FRAMES = dataclasses.replace(TINY, frames=True)


@pytest.fixture
def tiny(monkeypatch):
    """One small case, two sizes for each axis, and peaks that take no time to measure."""
    monkeypatch.setattr(report, "CASES", {"tiny": TINY})
    monkeypatch.setattr(neuron, "BATCH", 1)
    monkeypatch.setattr(report, "SHIPPED", ("digits",))
    for name, small in {"SAMPLES": 1, "BATCH": 1, "CHANNELS": 16, "SIZE": 2}.items():
        monkeypatch.setattr(spikes, name, small)
    monkeypatch.setattr(scaling, "SHAPES", {"T": [(2, 4), (3, 4)], "N": [(2, 4), (2, 9)]})
    monkeypatch.setattr(machine, "peaks", lambda: {"matrix product": 1e9, "convolution": 2e9})


@pytest.fixture
def result(tiny):
    return report.run(["tiny"], rounds=1, memory=False)


def test_every_implementation_is_compared_with_the_peer(result):
    rows = {row["implementation"]: row for row in result["models"]}
    assert set(rows) == {*cases.IMPLEMENTATIONS, report.BF16}
    peer = rows[cases.PEER]
    for row in rows.values():
        for mode in ("forward", "training"):
            assert row[f"{mode} ratio"] == peer[mode] / row[mode]
    assert peer["forward ratio"] == 1
    for name, row in rows.items():
        if name in (cases.PEER, report.BF16):
            assert row["modules"] is row["modules ratio"] is None, "it does not follow spikes"
        else:
            assert row["modules ratio"] == row["modules"] / row["forward"]


def test_what_is_timed_fires(result):
    """A new model in evaluation mode is silent, and costs an engine that follows spikes nothing."""
    rates = {row["implementation"]: row["rate"] for row in result["models"]}
    assert rates.pop(cases.PEER) is rates.pop(report.BF16) is None
    assert all(0.05 < rate < 0.5 for rate in rates.values()), rates
    silent = cases.ours()(TINY).eval()
    assert not any(layer.rate for layer in neuron_table(record(silent, TINY.input()[0])))


def test_the_peer_fires_too(tiny):
    """Its batch normalisations have the statistics of the batch as ours have."""
    from spikingjelly.activation_based.neuron import LIFNode

    x, _ = TINY.input()
    model = cases.evaluated(cases.PEER, TINY)
    outputs = []
    for module in model.modules():
        if isinstance(module, LIFNode):
            module.register_forward_hook(lambda _, __, out: outputs.append(out.mean().item()))
    cases.logits(model, x)
    assert outputs and sum(outputs) / len(outputs) > 0.05


def test_what_recording_costs_is_against_plain_inference(result, monkeypatch):
    rows = {row["recorded"]: row for row in result["recording"]}
    assert set(rows) == set(recording.LOOKS)
    seconds = {"nothing": 2.0} | dict.fromkeys(recording.LOOKS, 3.0)
    monkeypatch.setattr(
        recording, "interleaved", lambda actions, _: {n: seconds[n] for n in actions}
    )
    assert {row["ratio"] for row in recording.measure(TINY, 1)} == {1.5}


def test_shipped_checkpoints_are_driven_by_spikes_and_run_by_modules(result, monkeypatch):
    rows = result["spikes"]["answers"]
    assert [(row["batch"], row["how"]) for row in rows] == [(1, "at once")] * 2 + [
        (1, "step by step")
    ]
    for row in rows:
        assert row["checkpoint"] == "digits" and row["ratio"] == row["modules"] / row["spikes"]
    model, asked = dista.load("digits").eval(), []
    x, _ = dista.data.open("digits").test.batch(range(1))
    features, modules = events.features, type(model).features
    monkeypatch.setattr(events, "features", lambda *a: asked.append("spikes") or features(*a))
    monkeypatch.setattr(type(model), "features", lambda *a: asked.append("modules") or modules(*a))
    steps = model.config.time_steps
    for actions, times in ((spikes.ways(model, x), 1), (spikes.streams(model, x), steps)):
        for name, act in actions.items():
            act()
            assert asked == [name] * times
            asked.clear()
    with pytest.raises(ValueError, match="training mode"):
        spikes.ways(model.train(), x)


def test_a_layer_is_swept_over_firing_rates(tiny):
    swept = spikes.layer(1, rates=(0.1, 0.4))
    assert swept.seconds.shape == (3, 2) and (swept.seconds > 0).all()
    assert swept.ways == ("rows added", "all multiplied", "by its module")
    assert swept.rate[0] < swept.rate[1] and swept.accumulates[0] < swept.accumulates[1]


def test_accumulates_are_the_weights_that_spikes_meet():
    x = torch.zeros(2, 1, 3, 3, 4)
    x[0, 0, 1, 0, 0], x[1, 0, 2, 1, 1] = 1, 1
    assert spikes.accumulates(x, outputs=5) == 5 * (4 + 9), "a corner has 4 places around it"


def test_how_far_from_the_limit(result):
    row = next(row for row in result["models"] if row["implementation"] == "spatial")
    work = machine.operations(cases.ours()(TINY), TINY.input()[0])
    assert row["of peak"] == pytest.approx(work / row["forward"] / 2e9)


def test_operations_of_one_layer_are_counted_exactly():
    conv = torch.nn.Conv2d(3, 5, 3, padding=1, bias=False)
    assert machine.operations(conv, torch.zeros(2, 3, 7, 11)) == 2 * (2 * 7 * 11) * 5 * 3 * 9


def test_the_result_is_json_and_the_tables_say_all_of_it(result):
    again = json.loads(json.dumps(result))
    said = tables(again)
    for words in (
        "1-8, T 3",
        "spikingjelly",
        "DISTA map",
        "bf16",
        "snntorch",
        "T^",
        "GFLOP/s",
        "everything",
        "driven by spikes",
        "a million accumulates",
    ):
        assert words in said
    assert "not measured" in said, "memory was not"


@pytest.mark.parametrize("case", [TINY, FRAMES])
@pytest.mark.parametrize("name", cases.IMPLEMENTATIONS)
def test_models_of_a_case_have_its_shape(case, name):
    model = cases.IMPLEMENTATIONS[name](case).eval()
    x, y = case.input()
    assert cases.logits(model, x).shape == (len(y), case.config.classes)
    cases.reset(model)


def test_implementations_have_nearly_as_many_weights(monkeypatch):
    def parameters(name):
        return sum(p.numel() for p in cases.IMPLEMENTATIONS[name](TINY).parameters())

    assert parameters("spatial") == parameters("space-time") - taus(TINY)
    assert parameters("spatial") == pytest.approx(parameters(cases.PEER), rel=0.02)


def taus(case):
    model = cases.IMPLEMENTATIONS["space-time"](case)
    return sum(isinstance(m, LIF) for m in model.modules())


def test_actions_take_turns():
    seen = []
    actions = {name: (lambda name=name: seen.append(name)) for name in "abc"}
    medians = timing.interleaved(actions, rounds=2)
    assert "".join(seen) == "abc" + "abc" + "bca"
    assert list(medians) == ["a", "b", "c"]


def test_a_training_step_changes_the_weights_and_a_forward_does_not():
    model = cases.ours()(TINY)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    x, y = TINY.input()
    timing.forward(model, x)()
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    timing.training_step(model, x, y)()
    assert not torch.equal(before["head.linear.weight"], model.head.linear.weight)


def test_peers_of_the_neuron_fire_the_same_spikes():
    x = torch.randn(3, 2, neuron.CHANNELS, 2, 2)
    with torch.no_grad():
        assert torch.equal(neuron.spikingjelly()(x), LIF(NeuronConfig(), neuron.CHANNELS)(x))


@pytest.mark.skipif(not memory.CLEAR.exists(), reason="needs Linux's high-water mark")
def test_growth_is_the_memory_that_is_held_at_once():
    def hold(megabytes):
        return lambda: np.ones(megabytes * 2**20, np.uint8).sum()

    grown = memory.growth(hold(200))
    assert 195 * 2**20 < grown < 260 * 2**20
    assert memory.growth(hold(1)) < 50 * 2**20


@pytest.mark.skipif(not memory.CLEAR.exists(), reason="needs Linux's high-water mark")
def test_peak_memory_is_measured_in_another_process():
    small, large = (
        memory.peak("dista.bench.scaling:attention_step", "none", 8, tokens)
        for tokens in (64, 1024)
    )
    assert large > 4 * small > 0


def test_the_exponent_of_a_power_law():
    sizes = [2, 3, 7]
    assert scaling.exponent(sizes, [5 * n**1.5 for n in sizes]) == pytest.approx(1.5)


def test_an_unknown_case_is_an_error():
    with pytest.raises(KeyError, match="no benchmark case 'large'; there are small, cifar, dvs"):
        report.run(["large"])


def test_the_kernels_in_use_are_said(monkeypatch):
    assert machine.info()["kernels"]["membrane"].startswith("numba")
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    said = machine.info()["kernels"]
    assert set(said) == {"evaluation, CPU", "membrane", "attention"}
    assert all("DISTA_KERNEL=reference" in value for value in said.values())
