"""The loops behind ``dista.engine.kernels``, compiled by numba on first use and cached, see ``dista.engine.compiled``.

Arrays are (time, row, lane) with lanes fastest: a lane is one neuron, a row are those that the inner
loops run over. Each call handles the rows ``low`` to ``high``, so that several threads can share the
work. An argument that may be None is decided when the loop is compiled. The error model is numpy's,
as a check for a division by zero would keep the inner loops from becoming vector code.
"""

from __future__ import annotations

import numpy as np

from dista.engine.compiled import compiled

LOG2_E = 1.4426950408889634

ROWS = 16
"""Rows whose h is computed again at a time: their h stays in the cache, and a call is worth its buffers (one
loop of its own for it was 3 % faster, and a third recursion)."""


@compiled(inline="always")
def _reset(h, threshold, rest, soft):
    """v from h, one neuron."""
    after = h - threshold if soft else rest
    return after if h >= threshold else h


@compiled
def forward(x, h, s, gain, shift, tau, v_threshold, v_rest, soft, low, high, base=0):
    """h[t] and s[t], each unless None, from the current x[t], or gain * x[t] + shift where gain is not None.

    v lives only in a buffer of one row. h begins at the row ``base``.
    """
    steps, _, lanes = x.shape
    threshold, rest = x.dtype.type(v_threshold), x.dtype.type(v_rest)
    zero, one = x.dtype.type(0), x.dtype.type(1)
    v = np.empty(lanes, x.dtype)
    for row in range(low, high):
        v[:] = rest
        for t in range(steps):
            for c in range(lanes):
                current = x[t, row, c] if gain is None else x[t, row, c] * gain[c] + shift[c]
                charged = v[c] + (current - (v[c] - rest)) / tau[c]
                if h is not None:
                    h[t, row - base, c] = charged
                if s is not None:
                    s[t, row, c] = one if charged >= threshold else zero
                v[c] = _reset(charged, threshold, rest, soft)


@compiled
def backward(grad, h, grad_x, tau, v_threshold, v_rest, soft, slope, low, high, base=0):
    """grad_x from the gradient of h, or of s where ``slope`` is that of a sigmoid surrogate.

    Returns the gradient of tau, one value for each lane. h begins at the row ``base``.
    """
    steps, _, lanes = h.shape
    threshold, rest = h.dtype.type(v_threshold), h.dtype.type(v_rest)
    zero, one = h.dtype.type(0), h.dtype.type(1)
    leak = one / tau
    grad_h = np.empty(lanes, h.dtype)
    power = np.empty(lanes, np.int32)
    grad_v = np.empty(lanes, h.dtype)
    row_tau = np.empty(lanes, h.dtype)
    grad_tau = np.zeros(lanes, np.float64)
    for row in range(low, high):
        grad_v[:] = zero
        for t in range(steps - 1, -1, -1):
            if slope is not None:
                _through_sigmoid(grad[t, row], h[t, row - base], threshold, slope, grad_h, power)
            for c in range(lanes):  # few arrays a loop, or the compiler gives up on vectors
                passed = grad_v[c] if soft or h[t, row - base, c] < threshold else zero
                total = (grad[t, row, c] if slope is None else grad_h[c]) + passed
                grad_x[t, row, c] = total * leak[c]
                grad_v[c] = total * (one - leak[c])
        for c in range(lanes):
            row_tau[c] = grad_x[0, row, c] * (h[0, row - base, c] - rest)
        for t in range(1, steps):
            for c in range(lanes):
                v = _reset(h[t - 1, row - base, c], threshold, rest, soft)
                row_tau[c] += grad_x[t, row, c] * (h[t, row - base, c] - v)
        for c in range(lanes):
            grad_tau[c] -= row_tau[c]
    return grad_tau


@compiled
def _through_sigmoid(grad_s, h, threshold, slope, grad_h, power):
    """grad_h = grad_s * sigmoid'(slope (h - threshold)) in float32, to rounding.

    sigmoid'(z) = e / (1 + e)^2 with e = exp(-|z|) = 2^k 2^f, where k is whole and 2^f, 0 <= f < 1, a
    polynomial with an error below 2e-7: a call of exp for each neuron would not become vector code.
    """
    one, lowest = np.float32(1), np.float32(-120)
    steepness, gain = np.float32(slope * LOG2_E), np.float32(slope)
    for c in range(len(h)):
        z = max(-abs(steepness * (h[c] - threshold)), lowest)
        k = np.floor(z)
        f = z - k
        p = np.float32(1.8775767e-3) * f + np.float32(8.9893397e-3)
        p = p * f + np.float32(5.5826318e-2)
        p = p * f + np.float32(2.4015361e-1)
        p = p * f + np.float32(6.9315308e-1)
        grad_h[c] = p * f + np.float32(9.9999994e-1)
        power[c] = (np.int32(k) + np.int32(127)) << np.int32(23)  # the bits of the float 2^k
    two_to_k = power.view(np.float32)
    for c in range(len(h)):
        e = grad_h[c] * two_to_k[c]
        grad_h[c] = grad_s[c] * (gain * e / ((one + e) * (one + e)))


@compiled
def moments(x, low, high):
    """Sums of x and of its square over time and the rows ``low`` to ``high``, for each lane."""
    steps, _, lanes = x.shape
    sums, squares = np.zeros(lanes, np.float64), np.zeros(lanes, np.float64)
    for t in range(steps):
        for row in range(low, high):
            for c in range(lanes):
                value = np.float64(x[t, row, c])
                sums[c] += value
                squares[c] += value * value
    return sums, squares


@compiled
def normalised_backward(
    grad, x, grad_current, gain, shift, tau, v_threshold, v_rest, soft, slope, low, high
):
    """The gradient of the input current from that of s; h is computed again, a few rows at a time.

    Returns for each lane the gradient of tau, and the sums of the gradient and of it times x.
    """
    steps, _, lanes = x.shape
    h = np.empty((steps, ROWS, lanes), x.dtype)
    of_rows = np.empty((2, lanes), x.dtype)
    sums = np.zeros((3, lanes), np.float64)
    for base in range(low, high, ROWS):
        end = min(base + ROWS, high)
        forward(x, h, None, gain, shift, tau, v_threshold, v_rest, soft, base, end, base)
        of_tau = backward(
            grad, h, grad_current, tau, v_threshold, v_rest, soft, slope, base, end, base
        )
        of_rows[:] = x.dtype.type(0)
        for t in range(steps):
            for row in range(base, end):
                for c in range(lanes):
                    g = grad_current[t, row, c]
                    of_rows[0, c] += g
                    of_rows[1, c] += g * x[t, row, c]
        # Adding arrays to slices would take numba some seconds more to compile.
        for c in range(lanes):
            sums[0, c] += of_tau[c]
            sums[1, c] += of_rows[0, c]
            sums[2, c] += of_rows[1, c]
    return sums


@compiled
def normalised_input(grad, x, gain, mean_part, x_part, low, high):
    """In place of grad: gain * grad - mean_part - x_part * x, the gradient of what was normalised."""
    steps, _, lanes = x.shape
    for t in range(steps):
        for row in range(low, high):
            for c in range(lanes):
                g = gain[c] * grad[t, row, c] - mean_part[c]
                grad[t, row, c] = g - x_part[c] * x[t, row, c]


@compiled
def pool(x, largest, place, low, high):
    """The largest of 3 x 3 at every second row and column, and where it is: 3 row + column.

    Arrays are (image, row, column, channel). Of equals the first is taken, and nan before all, as torch
    does. Rows are compared first, and once for both of the windows that share a column.
    """
    _, height, width, channels = x.shape
    tall = np.empty((width, channels), x.dtype)
    tall_row = np.empty((width, channels), np.uint8)
    for image in range(low, high):
        for row in range(largest.shape[1]):
            top, bottom = max(0, 2 * row - 1), min(height, 2 * row + 2)
            for z in range(width):
                for c in range(channels):
                    tall[z, c] = x[image, top, z, c]
                    tall_row[z, c] = 3 * (top - 2 * row + 1)
            for y in range(top + 1, bottom):
                p = np.uint8(3 * (y - 2 * row + 1))
                for z in range(width):
                    for c in range(channels):
                        now = x[image, y, z, c]
                        wins = (now > tall[z, c]) | (now != now)
                        tall[z, c] = now if wins else tall[z, c]
                        tall_row[z, c] = p if wins else tall_row[z, c]
            for column in range(largest.shape[2]):
                left, right = max(0, 2 * column - 1), min(width, 2 * column + 2)
                p = np.uint8(left - 2 * column + 1)
                for c in range(channels):
                    largest[image, row, column, c] = tall[left, c]
                    place[image, row, column, c] = tall_row[left, c] + p
                for z in range(left + 1, right):
                    p = np.uint8(z - 2 * column + 1)
                    for c in range(channels):
                        best, winner = largest[image, row, column, c], place[image, row, column, c]
                        now, here = tall[z, c], tall_row[z, c] + p
                        wins = (now > best) | (now != now) | ((now == best) & (here < winner))
                        largest[image, row, column, c] = now if wins else best
                        place[image, row, column, c] = here if wins else winner


@compiled
def pool_backward(grad, place, grad_x, low, high):
    """grad_x from the gradient of what ``pool`` found, and the places."""
    _, rows, columns, channels = grad.shape
    for image in range(low, high):
        grad_x[image] = grad.dtype.type(0)
        for row in range(rows):
            for column in range(columns):
                for c in range(channels):
                    p = np.int64(place[image, row, column, c])
                    y, z = 2 * row - 1 + p // 3, 2 * column - 1 + p % 3
                    grad_x[image, y, z, c] += grad[image, row, column, c]


@compiled
def pool_by_sign(x, largest, sign, low, high):
    """Of 3 x 3 at every second row and column what is largest after multiplication by the channel's ``sign``, 1 or -1.

    Where it is ``normalised_pool_input`` finds by comparing: a loop over numbers of one size becomes vector code.
    """
    _, height, width, channels = x.shape
    tall = np.empty((width, channels), x.dtype)
    for image in range(low, high):
        for row in range(largest.shape[1]):
            top, bottom = max(0, 2 * row - 1), min(height, 2 * row + 2)
            for z in range(width):
                for c in range(channels):
                    tall[z, c] = sign[c] * x[image, top, z, c]
            for y in range(top + 1, bottom):
                for z in range(width):
                    for c in range(channels):
                        now = sign[c] * x[image, y, z, c]
                        tall[z, c] = now if now > tall[z, c] else tall[z, c]
            for column in range(largest.shape[2]):
                middle = 2 * column
                left, right = max(0, middle - 1), min(width - 1, middle + 1)
                for c in range(channels):
                    best = tall[left, c] if tall[left, c] > tall[middle, c] else tall[middle, c]
                    best = tall[right, c] if tall[right, c] > best else best
                    largest[image, row, column, c] = sign[c] * best


@compiled
def normalised_pool_input(grad, largest, x, grad_x, gain, mean_part, x_part, low, high):
    """gain * (grad, where x is the first that is its window's largest) - mean_part - x_part * x: ``normalised_input``
    after ``pool_by_sign``."""
    _, height, width, channels = x.shape
    zero = x.dtype.type(0)
    rest = np.empty(channels, x.dtype)
    for image in range(low, high):
        for y in range(height):
            for z in range(width):
                for c in range(channels):
                    grad_x[image, y, z, c] = -mean_part[c] - x_part[c] * x[image, y, z, c]
        for row in range(grad.shape[1]):
            for column in range(grad.shape[2]):
                for c in range(channels):
                    rest[c] = gain[c] * grad[image, row, column, c]
                for y in range(max(0, 2 * row - 1), min(height, 2 * row + 2)):
                    for z in range(max(0, 2 * column - 1), min(width, 2 * column + 2)):
                        for c in range(channels):
                            here = x[image, y, z, c] == largest[image, row, column, c]
                            part = rest[c] if here else zero
                            grad_x[image, y, z, c] += part
                            rest[c] -= part


@compiled
def after_reset(h, v, v_threshold, v_rest, soft):
    """v from h, both flat."""
    threshold, rest = h.dtype.type(v_threshold), h.dtype.type(v_rest)
    for i in range(len(h)):
        v[i] = _reset(h[i], threshold, rest, soft)


@compiled
def pack(values, small, most):
    """small = values, both flat; whether all of them are whole numbers from 0 to ``most``."""
    zero, top = values.dtype.type(0), values.dtype.type(most)
    wrong = np.int32(0)
    for i in range(len(values)):
        value = values[i] if values[i] >= zero else zero  # the conversion of others is undefined
        whole = np.int32(value if value <= top else top)
        small[i] = whole
        wrong |= np.int32(values.dtype.type(whole) != values[i])
    return wrong == 0
