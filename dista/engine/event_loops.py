"""Whole layers in evaluation mode, from bytes to bytes: synapses, normalisation, pooling and neurons in one pass.

Activations are (batch, time, row, column, channel), the number of times that a neuron fired, with channels padded by
zeros to a multiple of ``LANES``. For what fired, rows of weights are added; where much of a step is not zero, all of
it is multiplied. Batch normalisation is part of weights and bias. What is written beside the result are the sums
of one step, which stay in the cache.

Weights are (tile, lag, row, column, channel, output of the tile): all places of a step are computed for ``TILE``
outputs before the next ones, so that their weights stay in the cache too. Each call handles the samples ``low`` to
``high``. Threshold, reset and whether that is soft are ``constants``, numbers all three.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from dista.engine.compiled import compiled
from dista.engine.vectors import ROWS, add_products, add_rows, fire, largest, list_spikes

TILE = 64


class Step(NamedTuple):
    """Sizes of a layer at one step: rows, columns and channels of its input, outputs, and the kernel's side.

    A row of sums is ``row_length`` places long, so that ``ROWS`` of them can be computed at once, and a row of
    numbers to multiply is ``line`` long, with a margin of zeros on both sides.
    """

    height: int
    width: int
    channels: int
    outputs: int
    kernel: int
    row_length: int
    line: int


@compiled
def _step(height, width, channels, outputs, kernel):
    row_length = (width + ROWS - 1) // ROWS * ROWS
    line = (row_length + kernel - 1) * channels
    return Step(height, width, channels, outputs, kernel, row_length, line)


@compiled
def _sums(step, bias):
    """Room for the sums of a step, and the bias after them."""
    end = step.height * step.row_length * step.outputs
    sums = np.empty(end + step.outputs, bias.dtype)
    for c in range(step.outputs):
        sums[end + c] = bias[c]
    return sums


@compiled
def _repeated(values, count):
    """``values`` again and again, ``count`` in all."""
    every = np.empty(count, values.dtype)
    for at in range(count):
        every[at] = values[at % len(values)]
    return every


@compiled
def _list_step(x, image, step, places, n, starts):
    """List what fired in the step of x at ``image`` from places[n] on; returns how far it goes.

    A place is column * channels + channel; ``starts`` (row, column) say where the list of each begins.
    """
    for y in range(step.height):
        starts[y, 0] = n
        for z in range(step.width):
            pixel = image + (y * step.width + z) * step.channels
            n = list_spikes(x, pixel, step.channels, z * step.channels, places, n)
            starts[y, z + 1] = n
    return n


@compiled
def _with_margin(x, image, step, values, at):
    """values[at:] = the step of x at ``image`` as numbers, with margins."""
    count = step.width * step.channels
    for y in range(step.height):
        to = at + y * step.line + step.kernel // 2 * step.channels
        for i in range(count):
            values[to + i] = x[image + y * count + i]


@compiled
def _add_listed(sums, step, first, begins, rows, start, dy, places, starts):
    """Add what the row ``dy`` of the kernel brings from the lists of a step to the outputs from ``first`` on.

    The first to be added to a place, of what ``begins``, finds the bias there.
    """
    half, tile = step.kernel // 2, min(TILE, step.outputs - first)
    bias_at = len(sums) - step.outputs + first
    for y in range(max(0, half - dy), min(step.height, step.height + half - dy)):
        fresh = begins and dy == max(0, half - y)
        for z in range(step.width):
            low = starts[y + dy - half, max(0, z - half)]
            high = starts[y + dy - half, min(step.width, z + half + 1)]
            to = (y * step.row_length + z) * step.outputs + first
            origin = start - (z - half) * step.channels * tile
            add_rows(sums, to, bias_at if fresh else to, rows, origin, tile, places, low, high)


@compiled
def _add_multiplied(sums, step, first, begins, rows, start, dy, values, origin):
    """The same by multiplication of all ``values`` of a step, which begin at ``origin``."""
    half, tile = step.kernel // 2, min(TILE, step.outputs - first)
    bias_at, count = len(sums) - step.outputs + first, step.kernel * step.channels
    for y in range(max(0, half - dy), min(step.height, step.height + half - dy)):
        fresh = begins and dy == max(0, half - y)
        for z in range(0, step.width, ROWS):
            to = (y * step.row_length + z) * step.outputs + first
            at = origin + (y + dy - half) * step.line + z * step.channels
            add_products(
                sums, to, step.outputs, bias_at if fresh else to, 0 if fresh else step.outputs,
                rows, start, tile, values, at, step.channels, count,
            )  # fmt: skip


@compiled
def _pool(sums, step, pooled):
    """``pooled`` of the 3 x 3 sums around every second row and column."""
    for y in range((step.height + 1) // 2):
        top, bottom = max(0, 2 * y - 1), min(step.height, 2 * y + 2)
        for z in range((step.width + 1) // 2):
            left, right = max(0, 2 * z - 1), min(step.width, 2 * z + 2)
            first = (top * step.row_length + left) * step.outputs
            to = (y * ((step.width + 1) // 2) + z) * step.outputs
            largest(
                sums, first, step.outputs, bottom - top, step.row_length * step.outputs,
                right - left, step.outputs, pooled, to,
            )  # fmt: skip


@compiled
def charged(sums, at, v, to, tau, count, rest, h, place):
    """h[place:] = the membranes that ``fire`` is about to compare; nothing where h is empty."""
    for c in range(count if len(h) else 0):
        h[place + c] = v[to + c] + (sums[at + c] - (v[to + c] - rest)) / tau[c]


@compiled
def _fire(sums, step, pooled, v, tau, constants, out, target, before, adds, h, place):
    """Charge, fire and reset the neurons of a step, from what was ``pooled`` of the sums where anything was."""
    threshold, rest, soft = (
        v.dtype.type(constants[0]),
        v.dtype.type(constants[1]),
        constants[2] != 0,
    )
    if len(pooled):
        charged(pooled, 0, v, 0, tau, len(v), rest, h, place)
        fire(pooled, 0, v, 0, tau, len(v), threshold, rest, soft, out, target, before, adds)
        return
    count = step.width * step.outputs
    for y in range(step.height):
        row, at = y * step.row_length * step.outputs, y * count
        charged(sums, row, v, at, tau, count, rest, h, place + at)
        fire(sums, row, v, at, tau, count, threshold, rest, soft, out, target + at, before, adds)


@compiled
def _keep(sums, step, pooled, currents, place):
    """The currents of a step, without what ``sums`` has beyond a row."""
    if len(pooled):
        _copy(pooled, currents[place : place + len(pooled)])
        return
    count = step.width * step.outputs
    for y in range(step.height):
        row, to = y * step.row_length * step.outputs, place + y * count
        _copy(sums[row : row + count], currents[to : to + count])


@compiled
def _copy(x, out):
    """out[:] = x, which in so many words would double what compiling a layer takes."""
    for i in range(len(x)):
        out[i] = x[i]


@compiled
def begin(v, held, sample, t, rest):
    """v before a step: at rest before the first, what the step before left, or what is ``held`` for this one."""
    if len(held):
        _copy(held[sample, t], v)
    elif t == 0:
        v[:] = rest


@compiled
def end(v, held, sample, t):
    """What the step leaves, in place of what was held for it: a stream goes on from there."""
    if len(held):
        _copy(v, held[sample, t])


@compiled
def _neurons(step, pools):
    """How many a layer has."""
    height = (step.height + 1) // 2 if pools else step.height
    width = (step.width + 1) // 2 if pools else step.width
    return height * width * step.outputs


@compiled
def layer(
    x, before, adds, w, bias, kernel, pools, past, reach, most, dense_from, tau, constants, held, charges, out, h, low, high
):  # fmt: skip
    """out = spikes of LIF(sum_l W^(l) X[t-l]), and ``before`` where ``adds``; x holds counts up to ``most``.

    The first ``past`` steps of x are there to be looked back at. The sum is over the lags below ``reach``. A step with
    more than ``dense_from`` rows to add for each of its values is multiplied. ``held`` (batch, step, neuron) are membranes
    before each step, and after it become what it left; ``h``, time before batch, gets those that are compared: either is empty where
    that is not wanted. Unless it ``charges``, h gets the currents, and out nothing.
    """
    batch, reached, height, width, channels = x.shape
    steps = reached - past
    step = _step(height, width, channels, len(bias), kernel)
    lags = len(w) // (kernel * kernel * channels * len(bias))
    x, out, before, h = x.reshape(-1), out.reshape(-1), before.reshape(-1), h.reshape(-1)
    size, margined, row = height * width * channels, height * step.line, kernel * channels
    places, starts = (
        np.empty(lags * size * most, np.int32),
        np.empty((lags, height, width + 1), np.int64),
    )
    values, multiplies = np.zeros(lags * margined, w.dtype), np.zeros(lags, np.bool_)
    sums, neurons = _sums(step, bias), _neurons(step, pools)
    v, pooled = np.empty(neurons, w.dtype), np.empty(neurons if pools else 0, w.dtype)
    taus = _repeated(tau, neurons)
    for sample in range(low, high):
        for t in range(-past, steps):
            slot, image = (t + past) % lags, (sample * reached + t + past) * size
            listed = (
                _list_step(x, image, step, places, slot * size * most, starts[slot])
                - slot * size * most
            )
            multiplies[slot] = listed > dense_from * size
            if multiplies[slot]:
                _with_margin(x, image, step, values, slot * margined)
            if t < 0:
                continue
            for first in range(0, step.outputs, TILE):
                tile = min(TILE, step.outputs - first)
                for lag in range(min(reach, past + t + 1)):
                    seen = (past + t - lag) % lags
                    for dy in range(kernel):
                        start = (first * lags * kernel + (lag * kernel + dy) * tile) * row
                        if multiplies[seen]:
                            _add_multiplied(
                                sums, step, first, lag == 0, w, start, dy, values, seen * margined
                            )
                        else:
                            _add_listed(
                                sums, step, first, lag == 0, w, start, dy, places, starts[seen]
                            )
            if pools:
                _pool(sums, step, pooled)
            to, place = (sample * steps + t) * neurons, (t * batch + sample) * neurons
            if not charges:
                _keep(sums, step, pooled, h, place)
                continue
            begin(v, held, sample, t, constants[1])
            _fire(sums, step, pooled, v, taus, constants, out, to, before, adds, h, place)
            end(v, held, sample, t)


@compiled
def _patch_row(x, sample, t, y, kernel, patches):
    """What the kernel sees at each column of row ``y``, zeros outside of the image."""
    _, _, height, width, colours = x.shape
    half, at = kernel // 2, 0
    for z in range(width):
        for row in range(y - half, y - half + kernel):
            for column in range(z - half, z - half + kernel):
                inside = 0 <= row < height and 0 <= column < width
                for c in range(colours):
                    patches[at] = x[sample, t, row, column, c] if inside else 0
                    at += 1


@compiled
def first_layer(x, w, bias, kernel, pools, tau, constants, held, out, h, low, high):
    """``layer`` for numbers: x (batch, step, row, column, colour), one step of which may stand for all."""
    batch, images, height, width, colours = x.shape
    steps, inputs = out.shape[1], kernel * kernel * colours
    step = _step(height, width, colours, len(bias), kernel)
    out, h, patches = out.reshape(-1), h.reshape(-1), np.zeros(step.row_length * inputs, w.dtype)
    sums, neurons = _sums(step, bias), _neurons(step, pools)
    bias_at = len(sums) - step.outputs
    v, pooled = np.empty(neurons, w.dtype), np.empty(neurons if pools else 0, w.dtype)
    taus = _repeated(tau, neurons)
    for sample in range(low, high):
        for t in range(steps):
            for y in range(height if t < images else 0):
                _patch_row(x, sample, t, y, kernel, patches)
                for z in range(0, width, ROWS):
                    to = (y * step.row_length + z) * step.outputs
                    for first in range(0, step.outputs, TILE):
                        add_products(
                            sums, to + first, step.outputs, bias_at + first, 0,
                            w, first * inputs, min(TILE, step.outputs - first), patches, z * inputs, inputs, inputs,
                        )  # fmt: skip
            if pools and t < images:
                _pool(sums, step, pooled)
            to, place = (sample * steps + t) * neurons, (t * batch + sample) * neurons
            begin(v, held, sample, t, constants[1])
            _fire(sums, step, pooled, v, taus, constants, out, to, out, False, h, place)
            end(v, held, sample, t)
