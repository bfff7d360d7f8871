"""The shortcuts of attention: the same numbers and gradients as with the map, and only where nobody looks."""

import pytest
import torch

from dista import attention, denoisers
from dista.config import DenoiserConfig
from dista.engine import attention_products

TIME, BATCH, HEAD, TOKEN, DIM = 5, 2, 3, 11, 7
WINDOWS = (1, 2, 3, 5, 8)
SCALE = 0.3


@pytest.fixture
def qkv():
    shape = (TIME, BATCH, HEAD, TOKEN, DIM)
    return [(torch.rand(shape, dtype=torch.float64) < 0.4).double() for _ in range(3)]


def with_map(q, k, v, window, denoise=lambda a: a):
    return attention.read(denoise(attention.scores(q, k, window)), v, window, SCALE)


def same(one, other, inputs, parameters=()):
    """Outputs and the gradients of a random projection of them agree to rounding."""
    leaves = [*inputs, *parameters]
    torch.testing.assert_close(one, other, rtol=0, atol=1e-12)
    upstream = torch.randn_like(one)
    wanted = torch.autograd.grad(one, leaves, upstream, allow_unused=True)
    gradients = torch.autograd.grad(other, leaves, upstream, allow_unused=True)
    for expected, gradient in zip(wanted, gradients):
        torch.testing.assert_close(gradient, expected, rtol=0, atol=1e-11)


@pytest.mark.parametrize("window", WINDOWS)
def test_prefix_sums_are_attention_without_denoiser(qkv, window):
    inputs = [x.requires_grad_() for x in qkv]
    same(
        with_map(*inputs, window), attention_products.attend_linear(*inputs, window, SCALE), inputs
    )


def test_prefix_sums_of_spikes_are_exact_in_float32(qkv):
    single = [x.float() for x in qkv]
    for window in WINDOWS:
        expected = with_map(*single, window)
        assert torch.equal(attention_products.attend_linear(*single, window, SCALE), expected)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("kind", ["threshold", "lookup"])
@pytest.mark.parametrize("rows", [1, 3, 100])
def test_a_few_queries_at_a_time_are_the_same(qkv, monkeypatch, window, kind, rows):
    monkeypatch.setattr(attention_products, "PART", rows * BATCH * HEAD * TOKEN * 8)
    inputs = [x.requires_grad_() for x in qkv]
    config = DenoiserConfig(kind=kind, u=2.0, learn_table=kind == "lookup")
    denoise = attention.Denoise(config, window, DIM).double()
    in_parts = attention_products.attend_in_parts(*inputs, window, SCALE, denoise)
    same(with_map(*inputs, window, denoise), in_parts, inputs, list(denoise.parameters()))


@pytest.mark.parametrize("window", WINDOWS)
def test_the_size_of_the_map_is_known_beforehand(qkv, window):
    q, k, _ = qkv
    assert attention_products.map_bytes(q, window) == attention.scores(q, k, window).nbytes


def test_what_is_cheaper_counts_multiplications(qkv):
    """11 tokens of 7 channels: K^T V is the smaller product; with 11 and 13 channels it is not."""
    q, *_ = qkv
    wide = torch.zeros(TIME, BATCH, HEAD, TOKEN, 13)
    assert attention_products.is_cheaper(q, 1)
    assert not attention_products.is_cheaper(wide, 1)
    assert attention_products.is_cheaper(wide, 3), (
        "the map has 3 times as many entries, K^T V has not"
    )


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_pair_after_the_other_is_exact(qkv, window, dtype):
    """To rounding with a table of fractions, whose sums depend on the order."""
    q, k, v = (x.to(dtype).transpose(2, 3).contiguous().transpose(2, 3) for x in qkv)
    assert attention_products.by_pair(q, k)
    a = attention_products.scores(q, k, window)
    assert torch.equal(a, attention.scores(q, k, window))
    assert torch.equal(
        attention_products.read(a, v, window, SCALE), attention.read(a, v, window, SCALE)
    )
    a = denoisers.lookup(a, torch.rand(DIM + 1, dtype=dtype))
    torch.testing.assert_close(
        attention_products.read(a, v, window, SCALE), attention.read(a, v, window, SCALE)
    )


def test_a_pair_after_the_other_where_nobody_wants_gradients(qkv, monkeypatch):
    q, k, _ = qkv
    wanted = q.clone().requires_grad_()
    assert attention_products.by_pair(q, k) and not attention_products.by_pair(q, wanted)
    with torch.no_grad():
        assert attention_products.by_pair(wanted, k)
    with torch.autocast("cpu", torch.bfloat16):
        assert not attention_products.by_pair(q, k)
    assert not attention_products.by_pair(q.to("meta"), k)
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    assert not attention_products.by_pair(q, k)


@pytest.mark.parametrize("form, window", [("none", 1), ("map", 3)])
def test_a_model_takes_a_pair_after_the_other(small_model, small_input, monkeypatch, form, window):
    model = small_model(memory=dict(form=form, window=window))
    x = small_input(model.config)
    calls = [counted(monkeypatch, name) for name in ("scores", "read")]
    sequence, steps = model._sequence(x)
    by_modules = model.normalised(sequence), steps  # as where a hook listens to another module
    with torch.no_grad():
        fast = model.head(model.features(*by_modules))
    blocks = len(model.blocks)
    assert [len(c) for c in calls] == [blocks, blocks]
    assert torch.equal(model.steps(x), fast)
    assert [len(c) for c in calls] == [blocks, blocks], "with gradients"


# --- in the model -------------------------------------------------------------------------------


def counted(monkeypatch, name):
    """The calls of a shortcut, in a list that grows."""
    calls, compute = [], getattr(attention_products, name)

    def counting(*arguments, **options):
        calls.append(name)
        return compute(*arguments, **options)

    monkeypatch.setattr(attention_products, name, counting)
    return calls


@pytest.mark.parametrize("form, window", [("none", 1), ("map", 3), ("projection", 2)])
def test_a_model_without_denoiser_takes_prefix_sums(
    small_model, small_input, monkeypatch, form, window
):
    # 77 patches, 13 channels a head
    model = small_model(memory=dict(form=form, window=window), denoiser=dict(kind="none")).double()
    x, calls = small_input(model.config).double(), counted(monkeypatch, "attend_linear")
    fast = model.steps(x)
    assert len(calls) == len(model.blocks)
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    torch.testing.assert_close(model.steps(x), fast, rtol=0, atol=1e-12)
    assert len(calls) == len(model.blocks)


def test_a_large_map_is_computed_in_parts(small_model, small_input, monkeypatch):
    model = small_model(denoiser=dict(kind="lookup")).double()
    x, calls = small_input(model.config).double(), counted(monkeypatch, "attend_in_parts")
    whole = torch.autograd.grad(model(x).square().sum(), list(model.parameters()))
    assert calls == []
    monkeypatch.setattr(attention_products, "LARGE_MAP", 1)
    in_parts = torch.autograd.grad(model(x).square().sum(), list(model.parameters()))
    assert len(calls) == len(model.blocks)
    for one, other in zip(whole, in_parts):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", ["scores", "denoise", "read"])
def test_no_shortcut_while_a_hook_listens(small_model, small_input, monkeypatch, name):
    model = small_model(denoiser=dict(kind="none"))
    x, calls = small_input(model.config), counted(monkeypatch, "attend_linear")
    looked, watched = [], model.get_submodule(f"blocks.0.attention.{name}")
    handle = watched.register_forward_hook(lambda *_: looked.append(1))
    model(x)  # with gradients, or it would be driven by spikes
    handle.remove()
    assert looked == [1]
    assert len(calls) == 1, "the other block is not watched"
    seen = []
    handle = torch.nn.modules.module.register_module_forward_hook(
        lambda module, inputs, output: seen.append(type(module).__name__)
    )
    try:
        model(x)
    finally:
        handle.remove()
    assert {"Scores", "Denoise", "Read"} <= set(seen) and len(calls) == 1


def test_an_unknown_kernel_is_an_error(small_model, small_input, monkeypatch):
    model = small_model()
    monkeypatch.setenv("DISTA_KERNEL", "fastest")
    with pytest.raises(ValueError, match="'fastest'; expected one of auto, reference"):
        model(small_input(model.config))
