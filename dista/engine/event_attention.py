"""Attention in work for coincidences: only keys that fired with a query are counted, only what the denoiser keeps is read.

Queries, keys and values are bytes (batch, time, row, column, channel), as ``dista.engine.event_loops`` has them.
Counts are whole numbers, so that their sums are exact in float32 up to 2^24, in whatever order.
"""

from __future__ import annotations

import numpy as np

from dista.engine.compiled import compiled
from dista.engine.event_loops import begin, charged, end
from dista.engine.vector_code import LANES
from dista.engine.vectors import (
    KEYS,
    ROWS,
    add_products,
    add_rows,
    count_keys,
    fire,
    list_spikes,
)


@compiled
def list_channels(x, at, dim, places):
    """List which of the ``dim`` channels from ``at`` fired; returns how many."""
    whole = dim // LANES * LANES
    n = list_spikes(x, at, whole, 0, places, 0)
    for c in range(whole, dim):
        places[n] = c
        n += x[at + c] != 0
    return n


@compiled
def split_head(k, v, at, channels, dim, tokens, keys, stride, values, lanes):
    """The keys of one head, (channel, token), and its values, (token, channel), of all steps."""
    for j in range(tokens):
        for c in range(dim):
            keys[c * stride + j] = k[at + j * channels + c]
            values[j * lanes + c] = v[at + j * channels + c]


@compiled
def _mean(sums, factor, n):
    """sums = factor * sums / n, rounded in the order of ``Read``: a membrane may lie exactly on its threshold."""
    for i in range(len(sums)):
        sums[i] = factor * sums[i] / n


@compiled
def _fire_all(
    sums, row, factor, window, tau, constants, held, out, h, sample, batch, past, steps, tokens, v
):  # fmt: skip
    """Spikes of the neurons after attention of one sample, from the ``sums`` (step, token, row)."""
    threshold, rest, soft = (
        sums.dtype.type(constants[0]),
        sums.dtype.type(constants[1]),
        constants[2] != 0,
    )
    channels = len(tau)
    for t in range(steps):
        _mean(
            sums[t * tokens * row : (t + 1) * tokens * row],
            factor,
            sums.dtype.type(min(window, past + t + 1)),
        )
        begin(v, held, sample, t, rest)
        for i in range(tokens):
            at, to, here = (t * tokens + i) * row, (sample * steps + t) * len(v), i * channels
            place = (t * batch + sample) * len(v) + here
            charged(sums, at, v, here, tau, channels, rest, h, place)
            fire(
                sums, at, v, here, tau, channels, threshold, rest, soft, out, to + here, out, False
            )  # fmt: skip
        end(v, held, sample, t)


@compiled
def attend(
    q, k, v, heads, dim, window, reach, table, least, scale, tau, constants, held, out, h, low, high
):
    """out = spikes of LIF(scale / n(t) sum_m f(Q[t] K[m]^T) V[m]), where f(count) is in ``table`` (head, count).

    Where f of a head makes 0 of counts below ``least`` (head,) and keeps the others, that says it all; otherwise
    ``least`` is 0. n(t) counts the steps of the ``window``, of which the last ``reach`` are read; keys and values
    may begin earlier than queries. ``tau`` has a value for each channel.
    """
    batch, steps, height, width, channels = q.shape
    reached, past = k.shape[1], k.shape[1] - steps
    tokens, lanes = height * width, (dim + LANES - 1) // LANES * LANES
    stride, row = reached * tokens + KEYS, channels + LANES
    q, k, v, out, h = (
        q.reshape(-1), k.reshape(-1), v.reshape(-1), out.reshape(-1), h.reshape(-1)
    )  # fmt: skip
    keys, counts = np.zeros(dim * stride, np.uint8), np.zeros(stride, np.uint8)
    values, denoised = (
        np.zeros(reached * tokens * lanes, tau.dtype),
        np.empty(ROWS * reached * tokens, tau.dtype),
    )
    fired, places = np.empty(dim + LANES, np.int32), np.empty(stride * dim + LANES, np.int32)
    nothing = (steps * tokens + ROWS) * row
    sums, v_now = np.zeros(nothing + lanes, tau.dtype), np.empty(tokens * channels, tau.dtype)
    for sample in range(low, high):
        start, first_key = (
            sample * steps * tokens * channels,
            sample * reached * tokens * channels,
        )
        for head in range(heads):
            if least[head] > dim:
                continue  # silent: its sums stay 0
            at = first_key + head * dim
            split_head(k, v, at, channels, dim, reached * tokens, keys, stride, values, lanes)
            for query in range(steps * tokens):
                last = (past + query // tokens + 1) * tokens
                first = max(0, last - reach * tokens)
                n = list_channels(q, start + query * channels + head * dim, dim, fired)
                count_keys(counts, first, last, keys, stride, fired, n, least[head])
                to = query * row + head * dim
                if least[head] > 0:
                    counts[last : last + LANES] = 0
                    listed = list_spikes(
                        counts, first, (last - first + LANES - 1) // LANES * LANES, first, places, 0
                    )
                    add_rows(sums, to, nothing, values, 0, lanes, places, 0, listed)
                    continue
                r, many = query % tokens % ROWS, last - first
                for j in range(many):
                    denoised[r * many + j] = table[head, counts[first + j]]
                if r == ROWS - 1 or query % tokens == tokens - 1:
                    add_products(
                        sums,
                        to - r * row,
                        row,
                        nothing,
                        0,
                        values,
                        first * lanes,
                        lanes,
                        denoised,
                        0,
                        many,
                        many,
                    )
        factor = tau.dtype.type(scale)
        _fire_all(
            sums, row, factor, window, tau, constants, held, out, h, sample, batch, past, steps, tokens, v_now
        )  # fmt: skip


@compiled
def _add_memory(k, v, at, channels, dim, tokens, fired, memory, lanes, sign):
    """memory += sign K^T V of the ``tokens`` of a step."""
    for j in range(tokens):
        pixel = at + j * channels
        for e in range(list_channels(k, pixel, dim, fired)):
            row = fired[e] * lanes
            for c in range(dim):
                memory[row + c] += sign * v[pixel + c]


@compiled
def attend_linear(
    q, k, v, heads, dim, window, reach, scale, tau, constants, held, out, h, low, high
):
    """The same where f is the identity: Q (K^T V), with K^T V a sum over the window that goes along."""
    batch, steps, height, width, channels = q.shape
    tokens, past = height * width, k.shape[1] - steps
    lanes, size = (dim + LANES - 1) // LANES * LANES, tokens * channels
    row, nothing = channels + LANES, steps * tokens * (channels + LANES)
    q, k, v, out, h = (
        q.reshape(-1), k.reshape(-1), v.reshape(-1), out.reshape(-1), h.reshape(-1)
    )  # fmt: skip
    memory, fired = np.zeros(dim * lanes, tau.dtype), np.empty(dim + LANES, np.int32)
    sums, v_now = np.zeros(nothing + lanes, tau.dtype), np.empty(tokens * channels, tau.dtype)
    for sample in range(low, high):
        start, first_key = sample * steps * size, sample * (past + steps) * size
        for head in range(heads):
            memory[:] = 0
            for t in range(-past, steps):
                at = first_key + (past + t) * size + head * dim
                if past + t >= reach:
                    left = at - reach * size
                    _add_memory(k, v, left, channels, dim, tokens, fired, memory, lanes, -1)
                _add_memory(k, v, at, channels, dim, tokens, fired, memory, lanes, 1)
                for i in range(tokens if t >= 0 else 0):
                    at = start + (t * tokens + i) * channels + head * dim
                    n = list_channels(q, at, dim, fired)
                    to = (t * tokens + i) * row + head * dim
                    add_rows(sums, to, nothing, memory, 0, lanes, fired, 0, n)
        factor = tau.dtype.type(scale)
        _fire_all(
            sums, row, factor, window, tau, constants, held, out, h, sample, batch, past, steps, tokens, v_now
        )  # fmt: skip
