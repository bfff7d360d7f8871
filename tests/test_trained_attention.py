"""Attention with a threshold in training, along the counts that are kept: the numbers and gradients of the map."""

import pytest
import torch

import dista
from dista import attention
from dista.config import DenoiserConfig
from dista.engine import trained_attention

SCALE = 0.3
SHAPES = [  # time, batch, head, token, dim
    (5, 2, 3, 11, 7),
    (4, 3, 1, 49, 16),
    (1, 2, 2, 5, 33),
    (3, 1, 2, 64, 40),
    (2, 1, 1, 1, 1),
]


def spikes(shape, dtype=torch.float64, rate=0.35):
    generator = torch.Generator().manual_seed(sum(shape))
    return [
        (torch.rand(shape, generator=generator) < rate).to(dtype).requires_grad_() for _ in range(3)
    ]


def threshold(u, **more):
    return attention.Denoise(DenoiserConfig(kind="threshold", u=u, **more), 1, 7)


def both(qkv, window, u):
    """What is read by the map and along the kept counts, in this order."""
    denoise = threshold(u)

    def by_map(q, k, v):
        return attention.read(denoise(attention.scores(q, k, window)), v, window, SCALE)

    def refused(*_):
        raise AssertionError("these are spikes")

    fast = trained_attention.attend(
        *qkv, denoise=denoise, window=window, scale=SCALE, by_map=refused
    )
    return by_map(*qkv), fast


def gradients(out, qkv):
    upstream = torch.randn(out.shape, dtype=out.dtype, generator=torch.Generator().manual_seed(1))
    return torch.autograd.grad(out, qkv, upstream)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("window, u", [(1, 1), (3, 0), (8, 1), (2, 2.5), (3, 50)])
def test_it_is_the_map(shape, window, u):
    qkv = spikes(shape)
    slow, fast = both(qkv, window, u)
    assert torch.equal(slow, fast)
    for one, other in zip(gradients(slow, qkv), gradients(fast, qkv)):
        torch.testing.assert_close(other, one, rtol=0, atol=1e-12)
    assert (u < 50) or not fast.any()


def test_sums_are_exact_in_float32_too():
    qkv = spikes((5, 4, 2, 30, 16), torch.float32)
    slow, fast = both(qkv, 3, 1)
    assert torch.equal(slow, fast)
    for one, other in zip(gradients(slow, qkv), gradients(fast, qkv)):
        torch.testing.assert_close(other, one, rtol=1e-5, atol=1e-4)


def test_threads_change_nothing(monkeypatch):
    qkv = spikes((4, 5, 2, 20, 16))
    one, other = ([], [])
    for results, threads in ((one, 1), (other, 3)):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        _, fast = both(qkv, 2, 1)
        results += [fast, *gradients(fast, qkv)]
    assert all(map(torch.equal, one, other))


@pytest.mark.parametrize("value", [0.5, 2.0, -1.0])
def test_what_is_no_spike_goes_by_the_map(value):
    q, k, v = spikes((2, 1, 1, 4, 3))
    changed = torch.where(torch.ones_like(k).cumsum(-2) == 2, value, k)
    attend = trained_attention.attend
    said = attend(q, changed, v, denoise=threshold(1), window=1, scale=1, by_map=lambda *_: "map")
    assert said == "map"


def test_where_it_applies(monkeypatch):
    q, *_ = spikes((2, 1, 1, 4, 3))
    suits = trained_attention.suits
    assert suits(q, threshold(1))
    assert not suits(q, threshold(1, gradient="all")), "removed entries have a gradient there"
    assert not suits(q, attention.Denoise(DenoiserConfig(kind="lookup"), 1, 3))
    assert not suits(q.to("meta"), threshold(1))
    assert not suits(torch.zeros(1, 1, 1, 1, trained_attention.LARGEST + 1), threshold(1))
    with torch.no_grad():
        assert not suits(q, threshold(1))
    with torch.autocast("cpu", torch.bfloat16):
        assert not suits(q, threshold(1))
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    assert not suits(q, threshold(1))


@pytest.mark.parametrize(
    "memory", [dict(form="none", window=1), dict(form="map", window=3)], ids=str
)
def test_a_model_trains_with_it_as_by_the_map(small_model, small_input, monkeypatch, memory):
    model = small_model(memory=memory, denoiser=dict(kind="threshold", u=1)).double()
    x, calls = small_input(model.config).double(), []
    apply = trained_attention._Attend.apply
    monkeypatch.setattr(
        trained_attention._Attend, "apply", lambda *a: calls.append(1) or apply(*a), raising=True
    )
    results = []
    for kernel in ("auto", "reference"):
        monkeypatch.setenv("DISTA_KERNEL", kernel)
        answer = model(x)
        results.append(
            [answer, *torch.autograd.grad(answer.square().sum(), list(model.parameters()))]
        )
    assert len(calls) == len(model.blocks)
    for one, other in zip(*results):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


def test_a_hook_on_the_map_sees_it(small_model, small_input, monkeypatch):
    model = small_model(denoiser=dict(kind="threshold", u=1))
    monkeypatch.setattr(trained_attention, "attend", lambda *_, **__: pytest.fail("nobody looked"))
    names = [f"blocks.{b}.attention.denoise" for b in range(len(model.blocks))]
    recording = dista.record(model, small_input(model.config), names)
    with dista.intervene(model, {"blocks.*.attention.denoise": dista.interventions.threshold(0)}):
        model(small_input(model.config)).sum().backward()
    assert recording["blocks/0/attention/denoise"].size
