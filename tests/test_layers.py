"""Convolution, normalisation and neurons: folded and fused where that changes rounding only."""

import pytest
import torch

from dista import layers
from dista.config import NeuronConfig
from dista.engine import kernels, pooling, shares
from dista.layers import Norm, Pool, SpikingConv, fire
from dista.model import StemStage
from dista.neurons import LIF
from dista.training.machine import SyncNorm


@pytest.fixture(params=[1, 3], ids=["1x1", "3x3"])
def layer(request, small_config):
    """A layer with statistics, gains and biases that no new one has."""
    layer = SpikingConv(small_config(), 5, 7, kernel=request.param).double()
    with torch.no_grad():
        for tensor in (layer.norm.weight, layer.norm.bias, layer.norm.running_mean):
            tensor.copy_(torch.randn(7))
        layer.norm.running_var.copy_(torch.rand(7) + 0.1)
    return layer.eval()


@pytest.fixture
def x():
    return torch.randn(3, 2, 5, 11, 13, dtype=torch.float64)


def test_folding_changes_rounding_only(layer, x):
    expected = layer.norm(layer.conv(x))
    torch.testing.assert_close(
        layers.folded(layer.conv, layer.norm, x), expected, rtol=0, atol=1e-12
    )
    torch.testing.assert_close(layer.current(x), expected, rtol=0, atol=1e-12)


@pytest.fixture
def no_folding(monkeypatch):
    monkeypatch.setattr(layers, "folded", lambda *_: pytest.fail("folded"))


def test_evaluation_folds(layer, x, no_folding):
    with pytest.raises(pytest.fail.Exception):
        layer.current(x)


@pytest.mark.parametrize("part", ["conv", "norm"])
def test_no_folding_while_a_hook_listens(layer, x, no_folding, part):
    seen = []
    getattr(layer, part).register_forward_hook(lambda *_: seen.append(part))
    layer.current(x)
    assert seen == [part]


def test_training_and_the_reference_do_not_fold(layer, x, no_folding, monkeypatch):
    before = layer.norm.running_mean.clone()
    layer.train().current(x)
    assert not torch.equal(before, layer.norm.running_mean)
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    layer.eval().current(x)


# --- normalise, charge and fire in one pass -------------------------------------------------------

OPTIONS = [
    {},
    {"tau_per": "channel", "v_threshold": 0.7, "v_reset": -0.3},
    {"v_reset": None, "alpha": 1.5},
]
LARGE, SMALL, MANY = (4, 3, 16, 9, 6), (3, 2, 5, 7, 7), (2, 2, 300, 3, 4)


@pytest.fixture
def one_pass(monkeypatch):
    """How often the kernel was called."""
    calls, kernel = [], kernels.normalised_spikes
    monkeypatch.setattr(kernels, "normalised_spikes", lambda *a: calls.append(1) or kernel(*a))
    return calls


def learning(options, shape):
    """A normalisation and neurons that no new ones are, in training, their input, and weights of spikes."""
    config, channels = NeuronConfig(**options), shape[2]
    norm, neuron = Norm(config, channels), LIF(config, channels)
    with torch.no_grad():
        norm.weight.mul_(0.5 + torch.rand(channels))
        norm.bias.copy_(0.2 * torch.randn(channels))
        neuron.tau.w.add_(0.3 * torch.randn(neuron.tau.w.shape))
    x = (0.3 + 2 * torch.randn(shape)).requires_grad_()
    return norm.train(), neuron, x, torch.randn(shape)


def results(norm, neuron, x, weights, pool=None):
    """Spikes, gradients, and what the normalisation remembers; started from the same statistics."""
    norm.reset_running_stats()
    s = fire(norm, neuron, x, pool)
    weights = weights[..., : s.shape[-2], : s.shape[-1]]
    wanted = x, norm.weight, norm.bias, neuron.tau.w
    return [s, *torch.autograd.grad((s * weights).sum(), wanted), *map(torch.clone, norm.buffers())]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("shape", [LARGE, SMALL, MANY, (3, 9, 8, 1, 5), (4, 9, 8, 2, 1)])
@pytest.mark.parametrize("pool", [None, Pool()])
def test_one_pass_over_norm_and_neurons_is_the_reference(
    monkeypatch, one_pass, options, shape, threads, pool
):
    """Pooled before they fire, too; gains of both signs, as largest is what is least where one is negative."""
    monkeypatch.setattr(shares, "BLOCK", 64)  # so that threads share even little
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    parts = *learning(options, shape), pool
    with torch.no_grad():
        parts[0].weight[::3].neg_()
    ours = results(*parts)
    assert one_pass
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    reference = results(*parts)
    assert len(one_pass) == 1
    assert torch.equal(ours[0], reference[0]) and 0.05 < ours[0].mean() < 0.95
    for gradient, expected in zip(ours[1:], reference[1:], strict=True):
        torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("part", ["", "spikes", "membrane", "norm"])
def test_norm_and_neurons_apart_while_a_hook_listens(one_pass, part):
    norm, neuron, x, _ = learning({}, SMALL)
    seen = []
    at = norm if part == "norm" else neuron.get_submodule(part)
    at.register_forward_hook(lambda *_: seen.append(part))
    fire(norm, neuron, x)
    assert seen == [part] and not one_pass


def test_norm_and_neurons_apart_where_one_pass_does_not_suit(monkeypatch, one_pass):
    norm, neuron, x, _ = learning({"surrogate": "atan"}, SMALL)
    fire(norm, neuron, x)
    norm, neuron, x, _ = learning({}, SMALL)
    with torch.no_grad():
        fire(norm, neuron, x)
    fire(norm.double(), neuron.double(), x.double())
    norm, neuron, x, _ = learning({}, SMALL)
    norm.__class__ = SyncNorm  # whose statistics are of other processes, too
    monkeypatch.setattr(SyncNorm, "_synchronised", lambda self, x: x)
    fire(norm, neuron, x)
    assert not one_pass


def test_a_single_value_has_no_variance():
    norm, neuron, x, _ = learning({}, (1, 1, 4, 1, 1))
    with pytest.raises(ValueError, match="more than 1 value"):
        fire(norm, neuron, x)


def test_a_layer_in_training_takes_one_pass(one_pass, small_config):
    layer, x = SpikingConv(small_config(), 5, 7), torch.randn(3, 2, 5, 4, 4)
    layer.train()(x)
    layer.eval()(x)
    assert len(one_pass) == 1


def test_a_stage_that_pools_takes_one_pass_unless_a_hook_wants_what_is_pooled(
    one_pass, small_config
):
    stage, x = StemStage(small_config(), 5, 7, pool=True).train(), torch.randn(3, 2, 5, 8, 6)
    assert stage(x).shape == (3, 2, 7, 4, 3) and len(one_pass) == 1
    seen = []
    stage.pool.register_forward_hook(lambda *_: seen.append("pool"))
    assert stage(x).shape == (3, 2, 7, 4, 3) and len(one_pass) == len(seen) == 1


# --- pooling ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(11, 13), (8, 6), (1, 5), (2, 1)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("threads", [1, 2])
def test_pooling_is_that_of_torch(monkeypatch, size, dtype, threads):
    """Also among equals, of which there are many here, which decide where the gradient goes."""
    monkeypatch.setattr(shares, "BLOCK", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(-3, 3, (3, 2, 5, *size), generator=generator).to(dtype).requires_grad_()
    expected = torch.nn.MaxPool2d(3, 2, 1)(x.flatten(0, 1)).unflatten(0, (3, 2))
    ours = Pool()(x)
    assert torch.equal(ours, expected) and ours.dtype == dtype
    weights = torch.randint(9, ours.shape, generator=generator).to(dtype)
    wanted, gradient = (torch.autograd.grad((y * weights).sum(), x)[0] for y in (expected, ours))
    assert torch.equal(gradient, wanted) and gradient.shape == x.shape


def test_pooling_passes_nan_on():
    x = torch.zeros(1, 1, 1, 6, 6)
    x[..., 0, 0] = x[..., 5, 4] = torch.nan
    expected = torch.nn.MaxPool2d(3, 2, 1)(x[0])[None]
    assert expected.isnan().sum() == 2
    torch.testing.assert_close(Pool()(x), expected, equal_nan=True)


def test_pooling_keeps_a_byte_for_each_result():
    saved = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: saved.append(t), lambda t: t):
        result = Pool()(torch.randn(3, 2, 5, 11, 13, requires_grad=True))
    assert [t.nbytes for t in saved] == [result.numel()]


def test_pooling_leaves_other_types_to_torch(monkeypatch):
    x = torch.randn(3, 2, 5, 11, 13)
    expected = Pool()(x)
    monkeypatch.setattr(pooling, "max_pool", lambda _: pytest.fail("the kernel ran"))
    assert Pool()(x.bfloat16()).dtype == torch.bfloat16
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    assert torch.equal(Pool()(x), expected)
