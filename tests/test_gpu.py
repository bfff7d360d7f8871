"""The kernels for GPUs, on a GPU, or else on the CPU in Triton's interpreter, which needs a process of its
own: it has to be chosen before Triton is imported."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
import types

import pytest
import torch
import trainings
from torch.nn.functional import cross_entropy

from dista import attention
from dista.config import DenoiserConfig, NeuronConfig
from dista.data.warp import CropFlip
from dista.engine import gpu_attention, gpu_neurons, kernels
from dista.layers import Norm, fire
from dista.model import DISTA
from dista.neurons import LIF
from dista.training import feed
from dista.training.replay import Replay

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
RUNS = torch.cuda.is_available() or INTERPRETED
here = pytest.mark.skipif(not RUNS, reason="needs a GPU, or TRITON_INTERPRET=1 in the environment")


@pytest.mark.slow
def test_everything_here_in_tritons_interpreter():
    if RUNS:
        pytest.skip("it is what runs now")
    pytest.importorskip("triton", reason="triton is not installed")
    command = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", __file__]
    environment = os.environ | {"TRITON_INTERPRET": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=540)
    assert done.returncode == 0, done.stdout[-4000:]
    assert done.stdout.count(".") > 15, "they ran"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_no_triton_on_a_cpu():
    """What needs no GPU must not wait for Triton's import."""
    script = "import sys, torch; from dista.presets import preset; from dista.model import DISTA\n"
    script += "DISTA(preset('tiny'))(torch.rand(2, 1, 28, 28)).sum().backward()\n"
    script += "from dista.engine import kernels; kernels.implementations(); print('dista.engine.gpu_loops' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


# --- training: the samples on the GPU, a step as one graph ------------------------------------------

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@on_gpu
@pytest.mark.parametrize("name", ["digits", "digits-events"])
def test_batches_made_on_a_gpu_are_those_of_the_cpu(name):
    split = trainings.few(name).train
    there = split.to("cuda").batches(20, shuffle=True, augment=True, seed=1, epoch=2)
    for (x, y), (a, b) in zip(
        split.batches(20, shuffle=True, augment=True, seed=1, epoch=2), there
    ):
        torch.testing.assert_close(a.cpu(), x, rtol=0, atol=1e-4)
        assert a.is_cuda and torch.equal(y, b)


def test_a_split_that_stays_on_the_cpu_is_the_same():
    split = trainings.few("digits").train
    assert torch.equal(split.to("cpu").batch([3])[0], split.batch([3])[0])
    task = trainings.few("digits")
    assert feed.on_device(task, torch.device("cpu")) is task


def test_crops_are_drawn_on_the_cpu_wherever_images_are():
    """The meta device refuses to meet tensors of the CPU, as a GPU does."""
    images = torch.zeros(3, 3, 32, 32, dtype=torch.uint8, device="meta")
    assert CropFlip()(images, torch.Generator()).shape == images.shape


@on_gpu
def test_a_replayed_step_is_a_step():
    """Also for the batch after it, of another size, and for the statistics, which see each batch once."""
    torch.manual_seed(0)
    plain = DISTA(trainings.TINY).cuda().train()
    copied = copy.deepcopy(plain)

    def loss(model):
        return lambda x, y: cross_entropy(model(x), y)

    replay = Replay(copied, loss(copied), lambda value: value.backward(), 6)
    for size in (6, 6, 4, 6):
        x, y = torch.rand(size, 1, 28, 28).cuda(), torch.arange(size).cuda()
        expected = loss(plain)(x, y)
        plain.zero_grad()
        expected.backward()
        torch.testing.assert_close(replay(x, y), expected.detach(), rtol=1e-5, atol=1e-6)
        for one, other in zip(copied.parameters(), plain.parameters()):
            torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-5)
    for one, other in zip(copied.buffers(), plain.buffers()):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


# --- neurons --------------------------------------------------------------------------------------

OPTIONS = [
    {},
    {"tau_per": "channel", "v_threshold": 0.7, "v_reset": -0.3},
    {"v_reset": None, "alpha": 1.5},
    {"learn_tau": False},
]
SHAPES = [(4, 2, 48, 3, 3), (3, 2, 5, 3, 11), (1, 2, 70, 3, 3)]


@pytest.fixture
def fused(monkeypatch):
    """The kernels, also for tensors that are on no GPU."""
    monkeypatch.setattr(
        gpu_neurons,
        "suits",
        lambda x: kernels.enabled() and x.ndim == 5 and x.dtype in gpu_neurons.DTYPES,
    )


def layer(options, shape, dtype=torch.float32):
    """Normalisation and neurons that no new ones are, their input, and the weights of a sum of spikes."""
    torch.manual_seed(0)
    config, channels = NeuronConfig(**options), shape[2]
    norm, neuron = Norm(config, channels), LIF(config, channels)
    with torch.no_grad():
        norm.weight.mul_(0.5 + torch.rand(channels))
        norm.bias.copy_(0.2 * torch.randn(channels))
        neuron.tau.w.add_(0.3 * torch.randn(neuron.tau.w.shape))
    x = (0.3 + 2 * torch.randn(shape)).to(DEVICE, dtype).requires_grad_()
    return norm.train().to(DEVICE), neuron.to(DEVICE), x, torch.randn(shape).to(DEVICE)


def leaves(*tensors):
    return [tensor for tensor in tensors if tensor.requires_grad]


def of_norm(norm, neuron, x, weights):
    norm.reset_running_stats()
    s = fire(norm, neuron, x)
    wanted = leaves(x, norm.weight, norm.bias, neuron.tau.w)
    return [s, *torch.autograd.grad((s * weights).sum(), wanted), *map(torch.clone, norm.buffers())]


def of_neurons(neuron, x, weights):
    s = neuron(x)
    return [s, *torch.autograd.grad((s * weights).sum(), leaves(x, neuron.tau.w))]


def alike(outputs, expected, few=0.0):
    """Spikes but a share of ``few``, and whatever else there is to rounding."""
    spikes, reference = (part[0].float() for part in (outputs, expected))
    assert (spikes != reference).float().mean() <= few and 0.05 < reference.mean() < 0.95
    for one, other in zip(outputs[1:], expected[1:], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=3e-5)


@here
@pytest.mark.parametrize("options, shape", zip(OPTIONS, [*SHAPES, SHAPES[0]]))
def test_norm_and_neurons_are_the_reference(fused, monkeypatch, options, shape):
    monkeypatch.setattr(gpu_neurons, "PROGRAMS", 4)  # so that a program has several tiles
    monkeypatch.setattr(gpu_neurons, "NEURONS", 256)
    parts = layer(options, shape)
    outputs = of_norm(*parts)
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    alike(outputs, of_norm(*parts))


@here
@pytest.mark.parametrize(
    "options, repeated", [(OPTIONS[0], True), (OPTIONS[1], False), (OPTIONS[2], True)]
)
def test_neurons_alone_are_the_reference(fused, monkeypatch, options, repeated):
    """``repeated``: a static image's current, one step that stands for all."""
    _, neuron, x, weights = layer(options, SHAPES[0])
    if repeated:
        one = x.detach()[:1].clone().requires_grad_()
        x = one.expand(len(x), -1, -1, -1, -1)
    wanted = leaves(one if repeated else x, neuron.tau.w)

    def results():
        s = neuron(x)
        return [s, *torch.autograd.grad((s * weights).sum(), wanted)]

    outputs = results()
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    alike(outputs, results())


@here
def test_the_gradient_of_a_plain_sum(fused, monkeypatch):
    """Its gradient is one number for all, in memory too."""
    _, neuron, x, _ = layer({}, SHAPES[0])
    (gradient,) = torch.autograd.grad(neuron(x).sum(), x)
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    (expected,) = torch.autograd.grad(neuron(x).sum(), x)
    torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=3e-5)


@here
def test_spikes_of_half_precision_stay_in_it(fused, monkeypatch):
    """Membranes do not: the spikes are those of the same currents in float32."""
    half = torch.float16 if INTERPRETED else torch.bfloat16  # which the interpreter cannot widen
    _, neuron, x, weights = layer({}, SHAPES[0], half)
    outputs = of_neurons(neuron, x, weights.to(half))
    assert outputs[0].dtype == outputs[1].dtype == half
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    expected = of_neurons(neuron, x.detach().float().requires_grad_(), weights.to(half).float())
    assert torch.equal(outputs[0].float(), expected[0])
    torch.testing.assert_close(outputs[1].float(), expected[1], rtol=1e-2, atol=1e-3)
    torch.testing.assert_close(outputs[2], expected[2], rtol=1e-3, atol=1e-2)


@here
def test_more_steps_than_are_unrolled_run_by_the_reference():
    x = torch.rand(gpu_neurons.MOST_STEPS + 1, 1, 3, 2, 2, device=DEVICE)
    assert not gpu_neurons.suits(x)


# --- attention ------------------------------------------------------------------------------------

SCALE = 0.3
DENOISERS = [
    {"kind": "none"},
    {"kind": "threshold", "u": 1.0},
    {"kind": "threshold", "u": 1.0, "gradient": "all"},
    {"kind": "lookup", "u": 2.0},
    {"kind": "lookup", "table": (0.5, 0.0, 1.0, 0.0, 2.0, 0.25, 3.0, 1.0)},
    {"kind": "lookup", "u": 2.0, "gradient": "all"},
]


def denoiser(options, window, dim=7):
    return attention.Denoise(DenoiserConfig(**options), window, dim).to(DEVICE)


def attended(compute, inputs, upstream):
    o = compute(*inputs)
    return [o, *torch.autograd.grad(o, inputs, upstream)]


def of_reference(denoise, window):
    def compute(q, k, v):
        return attention.read(denoise(attention.scores(q, k, window)), v, window, SCALE)

    return compute


@here
@pytest.mark.parametrize("options", DENOISERS, ids=lambda o: "-".join(map(str, o.values()))[:24])
@pytest.mark.parametrize("window, tokens", [(2, 37)])
def test_attention_in_one_kernel_is_the_reference(options, window, tokens):
    """Heads beside each other in memory, as ``split`` leaves them; sizes that fill no tile."""
    torch.manual_seed(0)
    steps, batch, heads, dim = 3, 1, 2, 7
    shape = steps, batch, tokens, heads, dim
    spikes = [(torch.rand(shape, device=DEVICE) < 0.5).float() for _ in range(3)]
    inputs = [x.transpose(2, 3).requires_grad_() for x in spikes]
    denoise, upstream = denoiser(options, window), torch.randn(inputs[0].shape, device=DEVICE)
    outputs = attended(
        lambda q, k, v: gpu_attention.attend(q, k, v, window, SCALE, denoise), inputs, upstream
    )
    expected = attended(of_reference(denoise, window), inputs, upstream)
    for one, other in zip(outputs, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@here
def test_attention_in_half_precision():
    torch.manual_seed(0)
    half = torch.float16 if INTERPRETED else torch.bfloat16
    inputs = [(torch.rand(2, 2, 2, 19, 24, device=DEVICE) < 0.3).to(half) for _ in range(3)]
    inputs = [x.requires_grad_() for x in inputs]
    denoise = denoiser({"kind": "threshold", "u": 1.0}, 2, 24)
    upstream = torch.randn(inputs[0].shape, device=DEVICE).to(half)
    outputs = attended(
        lambda q, k, v: gpu_attention.attend(q, k, v, 2, SCALE, denoise), inputs, upstream
    )
    wide = [x.detach().float().requires_grad_() for x in inputs]
    expected = attended(of_reference(denoise, 2), wide, upstream.float())
    for one, other in zip(outputs, expected, strict=True):
        torch.testing.assert_close(one.float(), other, rtol=2e-2, atol=5e-2)


def test_a_table_that_learns_is_left_to_others(monkeypatch):
    monkeypatch.setattr(gpu_attention, "_maps", lambda: "the kernels")
    q = types.SimpleNamespace(
        is_cuda=True, dtype=torch.float32, numel=lambda: 1, shape=(1, 1, 1, 4, 7)
    )
    learned = denoiser({"kind": "lookup", "learn_table": True}, 1)
    assert not gpu_attention.suits(q, learned)
    with torch.no_grad():
        assert gpu_attention.suits(q, learned)
    assert gpu_attention.suits(q, denoiser({"kind": "lookup"}, 1))
