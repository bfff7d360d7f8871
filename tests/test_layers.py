"""Convolution and normalisation: folded into one in evaluation, and only then."""

import pytest
import torch

from dista import kernels, layers
from dista.layers import Pool, SpikingConv


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


# --- pooling ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(11, 13), (8, 6), (1, 5), (2, 1)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("threads", [1, 2])
def test_pooling_is_that_of_torch(monkeypatch, size, dtype, threads):
    """Also among equals, of which there are many here, which decide where the gradient goes."""
    monkeypatch.setattr(kernels, "BLOCK", 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(-3, 3, (3, 2, 5, *size), generator=generator).to(dtype).requires_grad_()
    expected = torch.nn.MaxPool2d(3, 2, 1)(x.flatten(0, 1)).unflatten(0, (3, 2))
    ours = Pool()(x)
    assert torch.equal(ours, expected) and ours.dtype == dtype
    weights = torch.randint(9, ours.shape, generator=generator).to(dtype)
    wanted, given = (torch.autograd.grad((y * weights).sum(), x)[0] for y in (expected, ours))
    assert torch.equal(given, wanted) and given.shape == x.shape


def test_pooling_passes_nan_on():
    x = torch.zeros(1, 1, 1, 6, 6)
    x[..., 0, 0] = x[..., 5, 4] = torch.nan
    expected = torch.nn.MaxPool2d(3, 2, 1)(x[0])[None]
    assert expected.isnan().sum() == 2
    torch.testing.assert_close(Pool()(x), expected, equal_nan=True)


def test_pooling_keeps_a_byte_for_each_result():
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t), lambda t: t):
        result = Pool()(torch.randn(3, 2, 5, 11, 13, requires_grad=True))
    assert [t.nbytes for t in kept] == [result.numel()]


def test_pooling_leaves_other_types_to_torch(monkeypatch):
    x = torch.randn(3, 2, 5, 11, 13)
    expected = Pool()(x)
    monkeypatch.setattr(kernels, "max_pool", lambda _: pytest.fail("the kernel ran"))
    assert Pool()(x.bfloat16()).dtype == torch.bfloat16
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    assert torch.equal(Pool()(x), expected)
