"""Operations, counted by hand, by loops over the recorded spikes, and by torch's own counter."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from dista import measures, memories, recording
from dista.config import ModelConfig
from dista.experiments import operations
from dista.measures import MeasureError
from dista.model import DISTA
from dista.recording import hooks

FORMS = {
    name: dict(form=name, window=3 if form.remembers else 1)
    for name, form in memories.FORMS.items()
}


def of(counts, quantity, layer):
    return counts[quantity].sel(layer=layer).values


# By hand ----------------------------------------------------------------------------------------

# 2 x 2 patches of 2 channels in 1 head, 3 hidden channels, 5 classes. A 3 x 3 convolution with
# padding meets 4 pixels at each of the 4 places.
BY_HAND = {
    "stem.stages.0": 4 * 4 * 1 * 2,
    "stem.position": 4 * 4 * 2 * 2,
    "blocks.0.attention.query": 4 * 2 * 2,
    "blocks.0.attention.key": 4 * 2 * 2,
    "blocks.0.attention.value": 4 * 2 * 2,
    "blocks.0.attention.scores": 4 * 4 * 2,
    "blocks.0.attention.read": 4 * 4 * 2,
    "blocks.0.attention.output": 4 * 2 * 2,
    "blocks.0.mlp.hidden": 4 * 2 * 3,
    "blocks.0.mlp.output": 4 * 3 * 2,
    "head": 2 * 5,
}


def tiny(**memory):
    config = ModelConfig(
        input_shape=(1, 2, 2), classes=5, time_steps=3, dim=2, depth=1, heads=1, mlp_ratio=1.5,
        stem_pools=(False,), memory=memory,
    )  # fmt: skip
    return DISTA(config).eval()


def test_a_tiny_model_counted_by_hand():
    counts = operations.count(tiny(form="none"), torch.rand(1, 1, 2, 2))
    assert counts["layer"].values.tolist() == list(BY_HAND)
    for layer, products in BY_HAND.items():
        once = layer == "stem.stages.0"  # the image is the same at every step
        assert of(counts, "dense", layer).tolist() == [products] + [0 if once else products] * 2
    assert of(counts, "multiplies", "stem.stages.0")[:, 0].tolist() == [32, 0, 0]
    assert counts.attrs["static"] is True


@pytest.mark.parametrize(
    ("memory", "layer", "steps"),
    [
        (dict(form="projection", window=2), "query", [1, 2, 2]),
        (dict(form="attenuated", window=2), "query", [1, 1, 1]),
        (dict(form="map", window=2), "scores", [1, 2, 2]),
        (dict(form="map", window=2), "read", [1, 2, 2]),
        (dict(form="map", window=2), "query", [1, 1, 1]),
    ],
)
def test_memory_costs_where_it_works(memory, layer, steps):
    name = f"blocks.0.attention.{layer}"
    counts = operations.count(tiny(**memory), torch.rand(1, 1, 2, 2))
    assert of(counts, "dense", name).tolist() == [BY_HAND[name] * n for n in steps]


def test_an_input_full_of_spikes_needs_as_many_accumulates_as_products():
    model = tiny(form="none")
    full = operations.count(model, torch.ones(3, 2, 1, 2, 2))
    assert of(full, "accumulates", "stem.stages.0").tolist() == [[32, 32]] * 3
    corner = torch.zeros(3, 1, 1, 2, 2)
    corner[1, 0, 0, 0, 0] = 2  # two events in a corner reach 4 places and 2 channels
    counts = operations.count(model, corner)
    assert of(counts, "accumulates", "stem.stages.0")[:, 0].tolist() == [0, 16, 0]
    assert of(counts, "spikes", "stem.stages.0")[:, 0].tolist() == [0, 2, 0]
    assert not of(counts, "multiplies", "stem.stages.0").any()


def test_grouped_convolutions_are_refused():
    with pytest.raises(ValueError, match="2 groups cannot be counted"):
        operations._fan_out(torch.nn.Conv2d(2, 2, 3, groups=2), torch.ones(1, 1, 2, 4, 4))


# By loops over what a model did -----------------------------------------------------------------


@pytest.fixture(scope="module", params=FORMS)
def counted(request, small_model, small_input):
    model = small_model(memory=FORMS[request.param])
    x = small_input(model.config, samples=3)
    return model, x, operations.count(model, x)


def inputs_of(model, x, name):
    calls = []
    with torch.inference_mode(), hooks(model, {name: lambda m, inputs, out: calls.append(inputs)}):
        model(x)
    return [value.numpy() for value in calls[0]]


def met_by_loops(x, kernel, channels):
    """Spikes of (row, column) times the places of a padded convolution that they reach."""
    total, reach = 0, kernel // 2
    for row, column in np.ndindex(*x.shape[-2:]):
        for up, left in np.ndindex(kernel, kernel):
            y, z = row + up - reach, column + left - reach
            if 0 <= y < x.shape[-2] and 0 <= z < x.shape[-1]:
                total += int(x[:, y, z].sum()) * channels
    return total


@pytest.mark.parametrize(
    ("layer", "module", "kernel", "channels"),
    [
        ("stem.position", "stem.position.conv", 3, 39),
        ("blocks.1.mlp.hidden", "blocks.1.mlp.hidden.conv", 1, 58),
    ],
)
def test_convolutions_against_loops(counted, layer, module, kernel, channels):
    model, x, counts = counted
    (spikes,) = inputs_of(model, x, module)
    for step, sample in ((0, 0), (4, 2), (2, 1)):
        expected = met_by_loops(spikes[step, sample], kernel, channels)
        assert of(counts, "accumulates", layer)[step, sample] == expected > 0
        assert of(counts, "spikes", layer)[step, sample] == spikes[step, sample].sum()


def test_lags_count_at_the_step_that_uses_them(counted):
    model, x, counts = counted
    (trains,) = inputs_of(model, x, "blocks.0.attention.key.lags.0.synapse")
    spikes = trains.sum((2, 3, 4)).astype(int)
    declared = memories.FORMS[model.config.memory.form]
    lags = declared.lags(model.config.memory) if declared.trains_lags else (0,)
    expected = [sum(spikes[t - lag] for lag in lags if lag <= t) * 39 for t in range(5)]
    accumulates = of(counts, "accumulates", "blocks.0.attention.key")
    np.testing.assert_array_equal(accumulates, expected)


def test_attention_counts_each_meeting_of_two_spikes(counted):
    model, x, counts = counted
    tree = recording.record(model, x, ["*.scores", "*.denoise"])
    scores = tree["blocks/1/attention/scores"]
    a, v = inputs_of(model, x, "blocks.1.attention.read")
    key_time, query_time = scores["key_time"].values, scores["query_time"].values
    for step in range(5):
        pairs = np.flatnonzero(query_time == step)
        met = scores.values[pairs].astype(int).sum((0, 2, 3, 4))
        np.testing.assert_array_equal(
            of(counts, "accumulates", "blocks.1.attention.scores")[step], met
        )
        read = np.zeros(3, int)
        for pair in pairs:
            for key in range(77):
                entries = (a[pair, :, :, :, key] != 0).sum(2)  # queries that read this key
                read += (entries * v[key_time[pair], :, :, key].sum(2)).sum(1).astype(int)
        np.testing.assert_array_equal(
            of(counts, "accumulates", "blocks.1.attention.read")[step], read
        )


def test_the_past_costs_the_same_whatever_follows(counted, small_input):
    model, *_ = counted
    frames = small_input(model.config, samples=2, steps=5)
    whole, start = operations.count(model, frames), operations.count(model, frames[:3])
    for quantity in operations.QUANTITIES:
        np.testing.assert_array_equal(whole[quantity].values[:, :3], start[quantity].values)
    assert whole.attrs["static"] is False


def test_counting_leaves_the_model_as_it_was(counted):
    model, x, counts = counted
    with torch.inference_mode():
        np.testing.assert_array_equal(counts["head"].values, model.steps(x).numpy())
    assert not any(module._forward_hooks for module in model.modules())


def test_dense_products_are_those_of_torchs_counter(counted):
    model, x, counts = counted
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model(x)
    flops = {name: sum(ops.values()) for name, ops in counter.get_flop_counts().items()}
    for layer in counts["layer"].values:
        names = [f"DISTA.{layer}.conv", f"DISTA.{layer}"]
        products = next(flops[name] for name in names if name in flops)
        products /= 2 * 3  # a product and a sum each; three samples
        if layer.startswith("stem"):  # torch counts the padding: here it is left out
            rows, columns = (13, 21) if "stages" in layer else (7, 11)
            products *= (3 * rows - 2) * (3 * columns - 2) / (9 * rows * columns)
        assert of(counts, "dense", layer).sum() == pytest.approx(products), layer


# Energy -----------------------------------------------------------------------------------------


def test_energy_is_the_formula(counted):
    _, _, counts = counted
    result = measures.energy(counts)
    for i, layer in enumerate(result.layers):
        accumulates = of(counts, "accumulates", layer).mean(1)
        multiplies = of(counts, "multiplies", layer).mean(1)
        np.testing.assert_allclose(result.picojoules[i], 0.9 * accumulates + 4.6 * multiplies)
    assert result.total == pytest.approx(result.picojoules.sum()) and result.samples == 3
    np.testing.assert_allclose(result.ann, 4.6 * counts["dense"].values[:, 0])  # one look
    spiking = result.picojoules.sum(1) < 4.6 * result.dense.sum(1)
    assert spiking[list(result.layers).index("blocks.0.mlp.hidden")]


def test_a_network_without_spikes_looks_at_every_frame(counted, small_input):
    model, *_ = counted
    counts = operations.count(model, small_input(model.config, samples=1, steps=4))
    result = measures.energy(counts)
    np.testing.assert_allclose(result.ann, 4.6 * counts["dense"].values.sum(1))


def test_the_conventions_count_what_they_say(counted):
    """Against the recorded inputs of a layer behind a residual connection, whose inputs are counts."""
    model, x, counts = counted[:3]
    inputs = {}

    def keep(module, arriving, output):
        inputs["x"] = arriving[0].double()

    with hooks(model, {"blocks.1.mlp.hidden.conv": keep}), torch.inference_mode():
        model.steps(x)
    arriving, outputs = inputs["x"], model.blocks[1].mlp.hidden.conv.out_channels
    assert (arriving > 1).any()
    layer = "blocks.1.mlp.hidden"
    sums = {
        "once": (arriving == 1).sum((2, 3, 4)) * outputs,
        "several": (arriving > 1).sum((2, 3, 4)) * outputs,
        "rated": arriving.mean((2, 3, 4)) * arriving[0, 0].numel() * outputs,
    }
    for name, expected in sums.items():
        np.testing.assert_allclose(of(counts, name, layer), expected, atol=0.51)  # whole numbers
    row = counts["layer"].values.tolist().index(layer)
    energies = {name: measures.energy(counts, name) for name in measures.CONVENTIONS}
    met = (sums["once"] + sums["several"]).numpy()
    assert (sums["several"] > 0).all(), "all steps of all samples multiply"
    np.testing.assert_allclose(energies["neurobench"].multiplies[row], met.mean(1))
    np.testing.assert_allclose(energies["neurobench"].picojoules[row], 4.6 * met.mean(1))
    np.testing.assert_allclose(
        energies["rate"].picojoules[row], 0.9 * sums["rated"].numpy().mean(1), atol=0.5
    )
    query = counts["layer"].values.tolist().index("blocks.0.attention.scores")  # spikes alone
    assert np.array_equal(
        energies["neurobench"].picojoules[query], energies["accumulates"].picojoules[query]
    )
    assert not energies["neurobench"].multiplies[query].any()
    with pytest.raises(
        MeasureError, match="convention='mine'; expected one of accumulates, neurobench, rate"
    ):
        measures.energy(counts, "mine")


@pytest.mark.parametrize("readout", [None, 2])
def test_anytime_is_the_answer_to_the_first_steps(small_model, small_input, readout):
    model = small_model(readout_steps=readout)
    frames = small_input(model.config, samples=4, steps=5)
    labels = np.array([3, 1, 4, 1])
    counts = operations.count(model, frames)
    result = measures.anytime(counts, labels)
    final = None
    for t in range(5, 0, -1):
        with torch.inference_mode():
            read = model(frames[:t]).double().softmax(-1).numpy()
        final = read.argmax(1) if final is None else final
        assert result.accuracy[t - 1] == pytest.approx((read.argmax(1) == labels).mean())
        assert result.confidence[t - 1] == pytest.approx(read.max(1).mean(), rel=1e-5)
        assert result.agreement[t - 1] == pytest.approx((read.argmax(1) == final).mean())
        spent = measures.energy(operations.count(model, frames[:t])).total
        assert result.picojoules[t - 1] == pytest.approx(spent)
    assert (result.low <= result.accuracy).all() and (result.accuracy <= result.high).all()
    with pytest.raises(MeasureError, match="2 labels for 4 counted samples"):
        measures.anytime(counts, labels[:2])
