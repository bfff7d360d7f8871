"""Convolution and normalisation: folded into one in evaluation, and only then."""

import pytest
import torch

from dista import layers
from dista.layers import SpikingConv


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
