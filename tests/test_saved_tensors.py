"""What is kept for the backward pass takes a byte where it is whole, and gives the same gradients."""

import contextlib

import numpy as np
import pytest
import torch

from dista.engine import kernels, saved_tensors

SIZE = saved_tensors.LEAST


@pytest.fixture
def packed(monkeypatch):
    """The pieces of memory that were packed, one for each that was tried and held whole numbers."""
    pieces, pack = [], saved_tensors._packed

    def packing(values):
        small = pack(values)
        if small is not None:
            pieces.append(small)
        return small

    monkeypatch.setattr(saved_tensors, "_packed", packing)
    return pieces


def gradient(w, *factors):
    """Of the sum of w * factor for each factor, which keeps the factors for the backward pass."""
    with saved_tensors.in_bytes():
        total = sum((w * factor).sum() for factor in factors)
    return torch.autograd.grad(total, w)[0]


def weight(size=SIZE):
    return torch.ones(size, requires_grad=True)


@pytest.mark.parametrize("form", ["projection", "map", "none"])
@pytest.mark.parametrize("denoiser", ["threshold", "none"])
def test_gradients_of_a_model_are_the_same(
    small_model, small_input, monkeypatch, packed, form, denoiser
):
    window = 1 if form == "none" else 3
    model = small_model(memory=dict(form=form, window=window), denoiser=dict(kind=denoiser))
    x, parameters = small_input(model.config), list(model.parameters())
    small = torch.autograd.grad(model(x).square().sum(), parameters)
    assert packed
    monkeypatch.setattr(saved_tensors, "in_bytes", contextlib.nullcontext)
    whole = torch.autograd.grad(model(x).square().sum(), parameters)
    assert all(torch.equal(one, other) for one, other in zip(small, whole))


def test_a_training_step_keeps_less(small_model, small_input, monkeypatch):
    """What autograd holds in memory, each piece once."""
    model = small_model(denoiser=dict(kind="lookup"))  # one with which maps are kept
    sizes, hooks = {}, torch.autograd.graph.saved_tensors_hooks

    def counting(pack, unpack):
        def count(tensor):
            small = pack(tensor)
            if isinstance(small, torch.Tensor):
                memory = small.untyped_storage()
                sizes[memory.data_ptr()] = memory.nbytes()
            else:
                sizes[id(small.memory)] = small.memory.nbytes
            return small

        return hooks(count, unpack)

    monkeypatch.setattr(torch.autograd.graph, "saved_tensors_hooks", counting)
    output = model(small_input(model.config, 8))
    small = sum(sizes.values())
    sizes.clear()
    monkeypatch.setattr(saved_tensors, "_suits", lambda _: False)
    output = model(small_input(model.config, 8))
    assert small < 0.7 * sum(sizes.values()) and output.requires_grad


@pytest.mark.parametrize(
    "values, whole",
    [((0, 1), True), ((3, 255), True), ((0, 256), False), ((0, 0.5), False), ((-1, 0), False)],
)
def test_whole_numbers_alone_are_packed(packed, values, whole):
    factor = torch.tensor(values, dtype=torch.float32).repeat(SIZE // 2)
    assert torch.equal(gradient(weight(), factor), factor)
    assert [(p.dtype, p.nbytes) for p in packed] == ([(np.uint8, SIZE)] if whole else [])


def test_a_fraction_that_the_sample_misses_is_kept(packed):
    factor = torch.zeros(SIZE)
    factor[SIZE // saved_tensors.SAMPLE + 1] = 0.5
    assert torch.equal(gradient(weight(), factor), factor) and not packed


def test_views_of_the_same_memory_share_it(packed):
    memory = torch.arange(2 * SIZE).remainder(7).float().view(2, SIZE)
    w = weight()
    assert torch.equal(gradient(w, memory[0], memory[1], memory.T[:, 0]), memory[0] * 2 + memory[1])
    assert len(packed) == 1 and packed[0].nbytes == 2 * SIZE


def test_memory_that_is_used_again_is_packed_again(packed):
    w, total = weight(), 0
    with saved_tensors.in_bytes():
        for value in range(1, 6):  # each is freed before the next, which often gets its place
            total = total + (w * torch.full((SIZE,), float(value))).sum()
    assert torch.equal(torch.autograd.grad(total, w)[0], torch.full((SIZE,), 15.0))
    assert len(packed) == 5


def test_a_tensor_that_changes_is_packed_again(packed):
    w, factor = weight(), torch.ones(SIZE)
    with saved_tensors.in_bytes():
        total = (w * factor).sum()
        factor.add_(1)
        total = total + (w * factor).sum()
    assert torch.equal(torch.autograd.grad(total, w)[0], torch.full((SIZE,), 3.0))


@pytest.mark.parametrize(
    "factor",
    [
        torch.ones(SIZE - 1),
        torch.ones(SIZE, dtype=torch.float64),
        torch.ones(SIZE, dtype=torch.bfloat16),
    ],
    ids=["small", "double", "half"],
)
def test_what_is_left_as_it_is(packed, factor):
    assert torch.equal(gradient(weight(len(factor)), factor), factor.float())
    assert not packed


def test_the_reference_packs_nothing(packed, monkeypatch):
    monkeypatch.setenv("DISTA_KERNEL", "reference")
    assert not kernels.enabled()
    assert torch.equal(gradient(weight(), torch.ones(SIZE)), torch.ones(SIZE)) and not packed
