"""The loops behind ``dista.engine.gpu_neurons``, in Triton, for NVIDIA GPUs.

Arrays are (time, row, channel) with channels fastest; a row is one site of one sample. A program takes
ROWS x LANES neurons and runs all their steps with the membrane in registers: nothing but currents is read,
nothing but spikes or gradients is written. Arithmetic is float32 whatever the data are kept in. Sums over
rows are one partial result for each chunk of rows, added up outside: no order depends on luck.

STEPS is unrolled, so h of all steps stays in registers between the forward and the backward recursion.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def moments(x, sums, rows, channels, per_chunk, ROWS: tl.constexpr, LANES: tl.constexpr):
    """Sums of x and of its square over a chunk of rows, into ``sums`` (2, chunk, channel)."""
    chunk, chunks = tl.program_id(0), tl.num_programs(0)
    lane = tl.program_id(1) * LANES + tl.arange(0, LANES)
    inside = lane < channels
    total = tl.zeros((ROWS, LANES), tl.float32)
    squares = tl.zeros((ROWS, LANES), tl.float32)
    for start in range(0, per_chunk, ROWS):
        row = chunk.to(tl.int64) * per_chunk + start + tl.arange(0, ROWS)
        there = (row < rows)[:, None] & inside[None, :]
        value = tl.load(x + row[:, None] * channels + lane[None, :], mask=there, other=0.0)
        value = value.to(tl.float32)
        total += value
        squares += value * value
    tl.store(sums + chunk * channels + lane, tl.sum(total, 0), mask=inside)
    tl.store(sums + (chunks + chunk) * channels + lane, tl.sum(squares, 0), mask=inside)


@triton.jit
def _charge(v, current, leak, rest):
    """h from v of the step before; ``leak`` is 1 / tau, as a division costs more than all the rest."""
    return v + (current - (v - rest)) * leak


@triton.jit
def _reset(h, threshold, rest, SOFT: tl.constexpr):
    after = h - threshold if SOFT else tl.zeros_like(h) + rest
    return tl.where(h >= threshold, after, h)


@triton.jit
def forward(
    x, s, gain, shift, taus, rows, channels, x_step, s_step, threshold, rest,
    STEPS: tl.constexpr, NORM: tl.constexpr, SOFT: tl.constexpr,
    ROWS: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    """s from the currents x, or gain * x + shift where NORM; steps of x lie ``x_step`` values apart."""
    row = tl.program_id(0).to(tl.int64) * ROWS + tl.arange(0, ROWS)
    lane = tl.program_id(1) * LANES + tl.arange(0, LANES)
    there = (row < rows)[:, None] & (lane < channels)[None, :]
    place = row[:, None] * channels + lane[None, :]
    leak = 1.0 / tl.load(taus + lane, mask=lane < channels, other=1.0)[None, :]
    if NORM:
        g = tl.load(gain + lane, mask=lane < channels, other=0.0)[None, :]
        b = tl.load(shift + lane, mask=lane < channels, other=0.0)[None, :]
    source, target = x + place, s + place
    v = tl.zeros((ROWS, LANES), tl.float32) + rest
    for _ in tl.static_range(STEPS):
        current = tl.load(source, mask=there, other=0.0).to(tl.float32)
        if NORM:
            current = current * g + b
        h = _charge(v, current, leak, rest)
        tl.store(target, (h >= threshold).to(s.dtype.element_ty), mask=there)
        v = _reset(h, threshold, rest, SOFT)
        source += x_step
        target += s_step


@triton.jit
def backward(
    grad, x, grad_x, sums, gain, shift, taus, mean_part, x_part,
    rows, channels, per_chunk, x_step, grad_step, threshold, rest, slope,
    STEPS: tl.constexpr, NORM: tl.constexpr, SOFT: tl.constexpr,
    SUM: tl.constexpr, WRITE: tl.constexpr, ROWS: tl.constexpr, LANES: tl.constexpr,
):  # fmt: skip
    """From the gradient of s, for a chunk of rows; h is computed again.

    SUM: into ``sums`` (3, chunk, channel) the gradient of tau, and the sums over rows of the gradient of
    the current and of it times x. WRITE: into ``grad_x`` the gradient of the current, where NORM that of
    what was normalised: gain * it - mean_part - x_part * x.
    """
    chunk, chunks = tl.program_id(0), tl.num_programs(0)
    lane = tl.program_id(1) * LANES + tl.arange(0, LANES)
    inside = lane < channels
    leak = 1.0 / tl.load(taus + lane, mask=inside, other=1.0)[None, :]
    if NORM:
        g = tl.load(gain + lane, mask=inside, other=0.0)[None, :]
        b = tl.load(shift + lane, mask=inside, other=0.0)[None, :]
        if WRITE:
            of_mean = tl.load(mean_part + lane, mask=inside, other=0.0)[None, :]
            of_x = tl.load(x_part + lane, mask=inside, other=0.0)[None, :]
    tau_sum = tl.zeros((ROWS, LANES), tl.float32)
    current_sum = tl.zeros((ROWS, LANES), tl.float32)
    product_sum = tl.zeros((ROWS, LANES), tl.float32)
    for start in range(0, per_chunk, ROWS):
        row = chunk.to(tl.int64) * per_chunk + start + tl.arange(0, ROWS)
        there = (row < rows)[:, None] & inside[None, :]
        place = row[:, None] * channels + lane[None, :]
        source, spikes, target = x + place, grad + place, grad_x + place
        v = tl.zeros((ROWS, LANES), tl.float32) + rest
        potentials = ()
        inputs = ()
        for t in tl.static_range(STEPS):
            value = tl.load(source, mask=there, other=0.0).to(tl.float32)
            current = value
            if NORM:
                current = value * g + b
            h = _charge(v, current, leak, rest)
            potentials = potentials + (h,)  # noqa: RUF005 (Triton knows no unpacking)
            inputs = inputs + (value,)  # noqa: RUF005
            v = _reset(h, threshold, rest, SOFT)
            source += x_step
            if t > 0:  # the way back begins at the last step
                spikes += grad_step
                target += grad_step
        grad_v = tl.zeros((ROWS, LANES), tl.float32)
        for i in tl.static_range(STEPS):
            h = potentials[STEPS - 1 - i]
            e = tl.exp(-tl.abs(slope * (h - threshold)))  # sigmoid' is e / (1 + e)^2 on both sides
            share = 1.0 / (1.0 + e)
            of_s = tl.load(spikes, mask=there, other=0.0).to(tl.float32)
            total = of_s * (slope * e * share * share)
            if SOFT:
                total += grad_v
            else:
                total += tl.where(h >= threshold, 0.0, grad_v)  # no gradient passes the reset
            of_current = total * leak
            grad_v = total * (1.0 - leak)
            if SUM:
                if i < STEPS - 1:
                    before = _reset(potentials[STEPS - 2 - i], threshold, rest, SOFT)
                else:
                    before = tl.zeros_like(h) + rest
                tau_sum -= of_current * (h - before)
                current_sum += of_current
                product_sum += of_current * inputs[STEPS - 1 - i]
            if WRITE:
                if NORM:
                    of_current = g * of_current - of_mean - of_x * inputs[STEPS - 1 - i]
                tl.store(target, of_current.to(grad_x.dtype.element_ty), mask=there)
            spikes -= grad_step
            target -= grad_step
    if SUM:
        here = sums + chunk * channels + lane
        tl.store(here, tl.sum(tau_sum, 0), mask=inside)
        tl.store(here + chunks * channels, tl.sum(current_sum, 0), mask=inside)
        tl.store(here + 2 * chunks * channels, tl.sum(product_sum, 0), mask=inside)
