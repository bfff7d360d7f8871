"""The neurons against spikingjelly, against trajectories worked out by hand, and the kernel against both."""

import math

import numpy as np
import pytest
import torch
from spikingjelly.activation_based import neuron as spikingjelly_neuron
from spikingjelly.activation_based import surrogate as spikingjelly_surrogate

from dista import neurons
from dista.config import SURROGATES, NeuronConfig
from dista.engine import kernels, shares
from dista.neurons import LIF

SHAPE = (7, 2, 5, 3, 11)  # time, batch, channel, row, column
EXACT = dict(rtol=0, atol=1e-12)


def currents(shape=SHAPE, dtype=torch.float64, scale=2.0):
    """Currents strong enough that neurons fire, rest and fire again."""
    return (scale * torch.randn(shape, dtype=torch.float64)).add_(1).to(dtype).requires_grad_()


def layer(channels=SHAPE[2], dtype=torch.float64, **options):
    return LIF(NeuronConfig(**options), channels).to(dtype)


# --- spikingjelly -------------------------------------------------------------------------------


@pytest.mark.parametrize("kernel", ["auto", "reference"])
@pytest.mark.parametrize("surrogate", ["sigmoid", "atan", "piecewise_quadratic", "erf"])
@pytest.mark.parametrize(
    "v_threshold, v_reset, tau",
    [(1.0, 0.0, 2.0), (1.0, None, 2.0), (0.7, -0.3, 3.5), (1.3, None, 1.2)],
)
def test_equals_spikingjelly(monkeypatch, kernel, surrogate, v_threshold, v_reset, tau):
    monkeypatch.setenv("DISTA_KERNEL", kernel)
    theirs = spikingjelly_neuron.ParametricLIFNode(
        init_tau=tau,
        decay_input=True,
        v_threshold=v_threshold,
        v_reset=v_reset,
        surrogate_function=getattr(spikingjelly_surrogate, SURROGATES[surrogate])(),
        detach_reset=True,
        step_mode="m",
    ).double()
    ours = layer(tau=tau, v_threshold=v_threshold, v_reset=v_reset, surrogate=surrogate)
    with torch.no_grad():  # both started from a float32 number
        theirs.w.copy_(torch.tensor(-math.log(tau - 1), dtype=torch.float64))
        ours.tau.w.copy_(theirs.w)

    x, weights = currents(), torch.randn(SHAPE, dtype=torch.float64)
    results = []
    for module, w in ((theirs, theirs.w), (ours, ours.tau.w)):
        spikes = module(x)
        results.append((spikes, *torch.autograd.grad((spikes * weights).sum(), (x, w))))
    (their_spikes, *their_grads), (our_spikes, *our_grads) = results

    assert 0.05 < our_spikes.mean() < 0.95
    assert torch.equal(our_spikes, their_spikes)
    for ours, theirs in zip(our_grads, their_grads, strict=True):
        assert theirs.abs().max() > 1e-3
        torch.testing.assert_close(ours, theirs, **EXACT)


@pytest.mark.parametrize("name", SURROGATES)
def test_surrogates_are_spikingjellys(name):
    h = torch.linspace(-2, 2, 41, dtype=torch.float64, requires_grad=True)
    theirs = getattr(spikingjelly_surrogate, SURROGATES[name])()
    spikes = neurons.surrogate(name)(h)
    assert torch.equal(spikes, (h >= 0).double())
    (ours,) = torch.autograd.grad(spikes.sum(), h)
    (expected,) = torch.autograd.grad(theirs(h).sum(), h)
    assert torch.equal(ours, expected) and ours.abs().sum() > 0


@pytest.mark.parametrize("name", SURROGATES)
def test_alpha_changes_the_surrogate_gradient(name):
    h = torch.linspace(-0.9, 0.9, 13, dtype=torch.float64, requires_grad=True)
    gradients = [
        torch.autograd.grad(neurons.surrogate(name, alpha)(h).sum(), h)[0] for alpha in (None, 0.7)
    ]
    assert not torch.equal(*gradients)


def test_surrogate_gradient_is_the_slope_of_a_sigmoid():
    distance = torch.linspace(-2, 2, 9, dtype=torch.float64)
    with torch.inference_mode():
        slope = neurons.surrogate_gradient(distance, "sigmoid", 3.0)
    expected = [3 * s * (1 - s) for s in (1 / (1 + math.exp(-3 * d)) for d in distance.tolist())]
    assert slope.tolist() == pytest.approx(expected)


# --- by hand ------------------------------------------------------------------------------------

# The current of each step, then h before the reset, v after it, and the spikes.
BY_HAND = [
    pytest.param(
        dict(tau=2.0, v_threshold=1.0, v_reset=0.0),
        [1.0, 1.5, 2.0, 0.0],
        [0.5, 1.0, 1.0, 0.0],  # 0.5; 0.5 + 1.0 / 2 reaches the threshold; 0 + 2 / 2
        [0.5, 0.0, 0.0, 0.0],
        [0, 1, 1, 0],
        id="hard reset",
    ),
    pytest.param(
        dict(tau=4.0, v_threshold=1.0, v_reset=0.5),
        [1.0, 4.0, 1.0, -1.5],
        [
            0.75,
            1.6875,
            0.75,
            0.3125,
        ],  # 0.5 + 1/4; 0.75 + (4 - 0.25)/4; as the first; 0.75 + (-1.75)/4
        [0.75, 0.5, 0.75, 0.3125],
        [0, 1, 0, 0],
        id="hard reset to 0.5",
    ),
    pytest.param(
        dict(tau=2.0, v_threshold=1.0, v_reset=-1.0),
        [3.0, 4.0, 1.0],
        [0.5, 1.75, -0.5],  # -1 + 3/2; 0.5 + (4 - 1.5)/2; -1 + 1/2
        [0.5, -1.0, -0.5],
        [0, 1, 0],
        id="hard reset to -1",
    ),
    pytest.param(
        dict(tau=2.0, v_threshold=1.0, v_reset=None),
        [3.0, 3.0, 0.0, 0.5],
        [1.5, 1.75, 0.375, 0.4375],  # 3/2; 0.5 + 2.5/2; 0.75 - 0.75/2; 0.375 + 0.125/2
        [0.5, 0.75, 0.375, 0.4375],
        [1, 1, 0, 0],
        id="soft reset",
    ),
]


@pytest.mark.parametrize("kernel", ["auto", "reference"])
@pytest.mark.parametrize("options, x, h, v, s", BY_HAND)
def test_trajectory_by_hand(monkeypatch, kernel, options, x, h, v, s):
    monkeypatch.setenv("DISTA_KERNEL", kernel)
    x, h, v, s = (
        torch.tensor(values, dtype=torch.float64).view(-1, 1, 1, 1, 1) for values in (x, h, v, s)
    )
    lif = layer(1, **options)
    with torch.no_grad():
        lif.tau.w.copy_(torch.tensor(-math.log(options["tau"] - 1), dtype=torch.float64))
    potentials = lif.membrane(x, lif.tau())
    torch.testing.assert_close(potentials, h, **EXACT)
    torch.testing.assert_close(lif.membrane.after_reset(potentials), v, **EXACT)
    for training in (True, False):  # without a gradient the spikes take another way
        with torch.set_grad_enabled(training):
            assert torch.equal(lif(x), s)


def test_each_channel_has_its_own_tau():
    lif = layer(3, tau_per="channel", tau=2.0)
    with torch.no_grad():
        lif.tau.w.copy_(torch.tensor([2.0, 4.0, 5.0]).sub(1).log().neg().view(3, 1, 1))
    x = torch.full((2, 1, 3, 1, 1), 0.8, dtype=torch.float64)
    expected = torch.tensor([[0.4, 0.2, 0.16], [0.6, 0.35, 0.288]], dtype=torch.float64)
    torch.testing.assert_close(lif.membrane(x, lif.tau()).view(2, 3), expected, rtol=0, atol=1e-6)


def test_no_state_between_calls():
    lif, x = layer(), currents()
    assert torch.equal(lif(x), lif(x))


# --- the time constant --------------------------------------------------------------------------


@pytest.mark.parametrize("per, shape", [("layer", ()), ("channel", (5, 1, 1))])
@pytest.mark.parametrize("learned", [True, False])
def test_tau_is_a_parameter_only_where_it_is_learned(per, shape, learned):
    tau = layer(tau=3.0, tau_per=per, learn_tau=learned).tau
    assert [name for name, _ in tau.named_parameters()] == (["w"] if learned else [])
    assert [name for name, _ in tau.named_buffers()] == ([] if learned else ["w"])
    assert tau.w.shape == shape
    torch.testing.assert_close(
        tau(), torch.full(shape, 3.0, dtype=torch.float64), rtol=1e-6, atol=0
    )


def test_state_moves_between_learned_and_fixed():
    learned, fixed = layer(tau=3.0), layer(tau=2.0, learn_tau=False)
    x = currents()
    assert not torch.equal(fixed(x), learned(x))
    fixed.load_state_dict(learned.state_dict())
    assert torch.equal(fixed(x), learned(x))
    layer(tau=5.0).load_state_dict(fixed.state_dict())


def test_gradient_without_grad_mode_is_the_same_spike():
    lif, x = layer(), currents()
    with torch.no_grad():
        silent = lif(x)
    assert torch.equal(silent, lif(x)) and not silent.requires_grad


# --- the fused kernel ---------------------------------------------------------------------------


def potentials_and_gradients(compute, x, tau, v_threshold, v_reset):
    h = compute(x, tau, v_threshold, v_reset)
    weights = torch.randn(h.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return h, *torch.autograd.grad((h * weights.to(h.dtype)).sum(), (x, tau))


@pytest.mark.parametrize("dtype, atol", [(torch.float64, 1e-12), (torch.float32, 1e-4)])
@pytest.mark.parametrize("v_threshold, v_reset", [(1.0, 0.0), (0.8, None), (1.1, -0.4), (1.0, 0.3)])
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("layout", ["contiguous", "channels last"])
def test_kernel_equals_the_reference(dtype, atol, v_threshold, v_reset, per_channel, layout):
    x = currents(dtype=dtype).detach()
    if layout == "channels last":
        x = x.movedim(2, -1).contiguous().movedim(-1, 2)
        assert not x.is_contiguous()
    x.requires_grad_()
    tau = (
        torch.linspace(1.3, 4.1, 5, dtype=dtype).view(5, 1, 1)
        if per_channel
        else torch.tensor(2.3, dtype=dtype)
    )
    tau.requires_grad_()
    assert kernels.suits(x)
    fused = potentials_and_gradients(kernels.membrane, x, tau, v_threshold, v_reset)
    plain = potentials_and_gradients(neurons.membrane, x, tau, v_threshold, v_reset)
    assert torch.equal(fused[0], plain[0])
    assert 0.1 < (fused[0] >= v_threshold).double().mean() < 0.9
    for ours, reference in zip(fused[1:], plain[1:], strict=True):
        assert ours.shape == reference.shape and ours.dtype == dtype
        torch.testing.assert_close(ours, reference, rtol=atol, atol=atol)


@pytest.mark.parametrize("shape", [(1, 2, 5, 3, 7), (3, 1, 1, 1, 1), (2, 3, 5, 1, 1)])
def test_kernel_of_small_shapes(shape):
    x, tau = currents(shape), torch.tensor(1.7, dtype=torch.float64, requires_grad=True)
    fused = potentials_and_gradients(kernels.membrane, x, tau, 1.0, 0.2)
    plain = potentials_and_gradients(neurons.membrane, x, tau, 1.0, 0.2)
    for ours, reference in zip(fused, plain, strict=True):
        torch.testing.assert_close(ours, reference, **EXACT)


def test_kernel_on_two_threads(monkeypatch):
    shape = (3, 5, 11, 13, 7)  # more neurons than two blocks of the loops
    parts = []
    pool = shares._pool
    monkeypatch.setattr(shares, "_pool", lambda threads: parts.append(threads) or pool(threads))
    x, tau = (
        currents(shape),
        torch.linspace(1.2, 5, 11, dtype=torch.float64).view(11, 1, 1).requires_grad_(),
    )
    one = potentials_and_gradients(kernels.membrane, x, tau, 1.0, None)
    assert not parts
    torch.set_num_threads(2)
    try:
        two = potentials_and_gradients(kernels.membrane, x, tau, 1.0, None)
    finally:
        torch.set_num_threads(1)
    assert parts == [2, 2]  # forward and backward
    assert torch.equal(one[0], two[0]) and torch.equal(one[1], two[1])
    torch.testing.assert_close(one[2], two[2], **EXACT)


def test_the_slope_without_a_choice_is_the_library_s():
    assert spikingjelly_surrogate.Sigmoid().alpha == neurons.SIGMOID_SLOPE


def test_environment_switches_the_kernel_off(monkeypatch):
    x = currents().detach()
    assert kernels.suits(x)
    monkeypatch.setattr(kernels, "membrane", lambda *_: pytest.fail("the kernel ran"))
    with pytest.raises(pytest.fail.Exception):
        layer()(x)
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    assert not kernels.suits(x)
    layer()(x)


@pytest.mark.parametrize("x", [torch.zeros(2, 3), torch.zeros(2, 1, 1, 1, 1, dtype=torch.float16)])
def test_kernel_leaves_other_inputs_to_the_reference(x):
    assert not kernels.suits(x)
    tau = torch.tensor(2.0, dtype=x.dtype)
    assert neurons.membrane(x, tau).shape == x.shape


# --- charge and fire in one pass ----------------------------------------------------------------


def spikes_and_gradients(lif, x, weights):
    s = lif(x)
    return s, *torch.autograd.grad((s * weights).sum(), (x, lif.tau.w))


@pytest.mark.parametrize("tau_per", ["layer", "channel"])
@pytest.mark.parametrize("v_threshold, v_reset", [(1.0, 0.0), (0.7, -0.3), (1.3, None)])
@pytest.mark.parametrize("alpha", [None, 1.5])
def test_one_pass_is_the_reference(monkeypatch, tau_per, v_threshold, v_reset, alpha):
    """In float32 the surrogate gradient comes from the loop itself, not from spikingjelly."""
    options = dict(tau_per=tau_per, v_threshold=v_threshold, v_reset=v_reset, alpha=alpha)
    lif, x = layer(dtype=torch.float32, **options), currents(dtype=torch.float32)
    weights = torch.randn(SHAPE)
    monkeypatch.setattr(kernels, "membrane", lambda *_: pytest.fail("two passes"))
    fused = spikes_and_gradients(lif, x, weights)
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    plain = spikes_and_gradients(lif, x, weights)
    assert torch.equal(fused[0], plain[0]) and 0.05 < fused[0].mean() < 0.95
    for ours, reference in zip(fused[1:], plain[1:], strict=True):
        torch.testing.assert_close(ours, reference, rtol=2e-5, atol=2e-6)


def test_the_surrogate_of_the_loop_is_the_sigmoid_far_from_the_threshold_too():
    """One step, so that the gradient of x is the surrogate's alone, over 200 e-folds."""
    x = torch.linspace(-60, 62, 8191).view(1, 1, 1, 1, -1).requires_grad_()
    tau = torch.tensor(1.0)
    (ours,) = torch.autograd.grad(kernels.spikes(x, tau, 1.0, 0.0, 4.0).sum(), x)
    e = torch.exp(-4 * (x.detach().double() - 1).abs()).clamp_min(2.0**-120)
    torch.testing.assert_close(ours.double(), 4 * e / (1 + e) ** 2, rtol=2e-5, atol=0)


@pytest.mark.parametrize("surrogate", ["atan", "sigmoid"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_one_pass_without_gradients_suits_every_surrogate(monkeypatch, surrogate, dtype):
    lif, x = layer(surrogate=surrogate, dtype=dtype), currents(dtype=dtype).detach()
    with torch.no_grad():
        expected = lif.spikes(lif.membrane(x, lif.tau()))
        monkeypatch.setattr(kernels, "membrane", lambda *_: pytest.fail("two passes"))
        assert torch.equal(lif(x), expected)


@pytest.mark.parametrize("part", ["membrane", "spikes"])
def test_two_passes_while_a_hook_listens(monkeypatch, part):
    monkeypatch.setattr(kernels, "spikes", lambda *_: pytest.fail("the hook would see nothing"))
    lif, seen = layer(dtype=torch.float32), []
    handle = getattr(lif, part).register_forward_hook(lambda *_: seen.append(part))
    lif(currents(dtype=torch.float32))
    assert seen == [part]
    handle.remove()
    with pytest.raises(pytest.fail.Exception):
        lif(currents(dtype=torch.float32))


@pytest.mark.parametrize("v_reset", [0.0, -0.3, None])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("last", [False, True], ids=["channels third", "channels last"])
def test_the_potential_after_the_reset(monkeypatch, v_reset, dtype, last):
    """The loop is the equation, in whatever order the potentials lie; it keeps that order."""
    h = 2 * currents(dtype=dtype).detach()
    h = h.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3) if last else h
    module = layer(v_threshold=0.7, v_reset=v_reset, dtype=dtype).membrane
    v = module.after_reset(h)
    assert v.dtype == dtype and v.stride() == h.stride()
    assert torch.equal(v, neurons.reset(h, (h >= 0.7).to(dtype), 0.7, v_reset))
    monkeypatch.setattr(kernels, "after_reset", lambda *_: pytest.fail("the kernel ran"))
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    assert torch.equal(module.after_reset(h), v)


WHOLE = [  # values, a type, and whether it holds them
    ([0.0, 1.0, 1.0], np.bool_, True),
    ([0.0, 0.5], np.bool_, False),
    ([0.0, 2.0], np.bool_, False),
    ([0.0, 255.0], np.uint8, True),
    ([0.0, 256.0], np.uint8, False),
    ([-1.0, 3.0], np.uint8, False),
    ([1.0, 3.25], np.uint8, False),
    ([-0.0], np.uint8, True),
    ([float("nan")], np.uint8, False),
    ([float("inf"), -float("inf")], np.uint8, False),
    ([256.0, 65535.0], np.uint16, True),
    ([65536.0], np.uint16, False),
    ([1e30], np.uint16, False),
    ([], np.uint8, True),
]


@pytest.mark.parametrize("kernel", ["auto", "reference"])
@pytest.mark.parametrize("values, dtype, holds", WHOLE)
def test_whole_numbers_are_packed_where_they_fit(monkeypatch, values, dtype, holds, kernel):
    monkeypatch.setenv("DISTA_KERNEL", kernel)
    values = np.array(values, np.float32)
    small = kernels.packed(values, dtype)
    assert (small is not None) == holds
    if holds:
        assert small.dtype == dtype and np.array_equal(small, values)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 3, 1)])
def test_packing_keeps_the_order_in_memory(monkeypatch, threads, order):
    monkeypatch.setattr(shares, "VALUES", 100)
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    values = np.random.default_rng(0).integers(0, 9, (3, 5, 7, 11)).astype(np.float32)
    values = values.transpose(order)
    small = kernels.packed(values, np.uint8)
    assert np.array_equal(small, values) and small.shape == values.shape
    assert np.argsort(small.strides).tolist() == np.argsort(values.strides).tolist()
    spoilt = values.copy()
    spoilt[-1, -1, -1, -1] = 0.5  # in the share of the last thread
    assert kernels.packed(spoilt, np.uint8) is None
    assert kernels.packed(np.broadcast_to(values[:1], values.shape), np.uint8).sum() > 0


def test_membranes_keep_float32_under_autocast():
    lif, x = layer(dtype=torch.float32), currents(dtype=torch.bfloat16)
    assert torch.equal(lif(x), lif(x.float())) and lif(x).dtype == torch.float32


@pytest.mark.parametrize(
    "sites, up_to, expected", [(56, 16, 14), (13, 4, 1), (12, 100, 12), (7, 0, 1)]
)
def test_rows_divide_the_sites(sites, up_to, expected):
    assert shares._divisor(sites, up_to) == expected
