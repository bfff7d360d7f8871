"""The loops of ``dista.engine.trained_attention``: the map's kept entries, and their gradients, one query after the other.

Spikes are bytes (batch, time, token, channel), a head's channels side by side; numbers have the same shape. The map
is not kept: counting again costs less than reading it would. The lines that count the keys of a query stand in each
loop, as in that of ``dista.engine.event_attention``: in a function of their own they take 3 % of a step more.
"""

from __future__ import annotations

import numpy as np

from dista.engine.compiled import compiled
from dista.engine.event_attention import list_channels, split_head
from dista.engine.vector_code import LANES
from dista.engine.vectors import (
    KEYS,
    add_entry_gradients,
    add_rows,
    count_keys,
    list_spikes,
)


@compiled
def read(q, k, v, heads, dim, window, least, out, low, high):
    """out = sum_m f(Q[t] K[m]^T) V[m] for samples ``low`` to ``high``, where f makes 0 of counts below ``least``."""
    _, steps, tokens, channels = q.shape
    total, lanes = steps * tokens, (dim + LANES - 1) // LANES * LANES
    stride = total + KEYS
    q, k, v, out = q.reshape(-1), k.reshape(-1), v.reshape(-1), out.reshape(-1)
    keys, counts = np.zeros(dim * stride, np.uint8), np.zeros(stride, np.uint8)
    values = np.zeros(total * lanes, out.dtype)
    fired, places = np.empty(dim + LANES, np.int32), np.empty(stride * dim + LANES, np.int32)
    row = np.zeros(2 * lanes, out.dtype)  # of the sum, and of zeros that it begins with
    for sample in range(low, high):
        begin = sample * total * channels
        for head in range(heads):
            first_channel = begin + head * dim
            split_head(k, v, first_channel, channels, dim, total, keys, stride, values, lanes)
            for query in range(total):
                at = first_channel + query * channels
                last = (query // tokens + 1) * tokens
                first = max(0, last - window * tokens)
                n = list_channels(q, at, dim, fired)
                count_keys(counts, first, last, keys, stride, fired, n, least)
                counts[last : last + LANES] = 0
                whole = (last - first + LANES - 1) // LANES * LANES
                end = list_spikes(counts, first, whole, first, places, 0)
                add_rows(row, 0, lanes, values, 0, lanes, places, 0, end)
                for c in range(dim):
                    out[at + c] = row[c]


@compiled
def _rows(x, at, channels, dim, total, lanes, rows):
    """The rows of one head, with zeros up to whole vectors."""
    for i in range(total):
        for c in range(dim):
            rows[i * lanes + c] = x[at + i * channels + c]


@compiled
def _back(rows, at, channels, dim, total, lanes, x):
    for i in range(total):
        for c in range(dim):
            x[at + i * channels + c] = rows[i * lanes + c]


@compiled
def gradients(q, k, v, upstream, heads, dim, window, least, dq, dk, dv, low, high):
    """Of ``read``: dq, dk and dv for the gradient ``upstream`` of its result. f passes it on where it keeps a count."""
    _, steps, tokens, channels = q.shape
    total, lanes = steps * tokens, (dim + LANES - 1) // LANES * LANES
    stride, size = total + KEYS, total * lanes
    q, k, v, upstream = q.reshape(-1), k.reshape(-1), v.reshape(-1), upstream.reshape(-1)
    dq, dk, dv = dq.reshape(-1), dk.reshape(-1), dv.reshape(-1)
    keys, counts, once = (
        np.zeros(dim * stride, np.uint8), np.zeros(stride, np.uint8), np.zeros(stride, np.uint8)
    )  # fmt: skip
    fired, places = np.empty(dim + LANES, np.int32), np.empty(stride + LANES, np.int32)
    queries, key_rows, values, above = (
        np.zeros(size, dq.dtype), np.zeros(size, dq.dtype), np.zeros(size, dq.dtype), np.zeros(size, dq.dtype)
    )  # fmt: skip
    of_queries, of_keys, of_values = (
        np.zeros(size, dq.dtype), np.zeros(size, dq.dtype), np.zeros(size, dq.dtype)
    )  # fmt: skip
    for sample in range(low, high):
        begin = sample * total * channels
        for head in range(heads):
            at = begin + head * dim
            split_head(k, v, at, channels, dim, total, keys, stride, values, lanes)
            _rows(q, at, channels, dim, total, lanes, queries)
            _rows(k, at, channels, dim, total, lanes, key_rows)
            _rows(upstream, at, channels, dim, total, lanes, above)
            of_queries[:], of_keys[:], of_values[:] = 0, 0, 0
            for query in range(total):
                last = (query // tokens + 1) * tokens
                first = max(0, last - window * tokens)
                n = list_channels(q, at + query * channels, dim, fired)
                count_keys(counts, first, last, keys, stride, fired, n, least)
                for j in range(first, last):
                    once[j] = counts[j] != 0
                once[last : last + LANES] = 0
                whole = (last - first + LANES - 1) // LANES * LANES
                end = list_spikes(once, first, whole, first, places, 0)
                add_entry_gradients(
                    above, queries, of_queries, query * lanes, key_rows, of_keys, values, of_values, lanes,
                    places, counts, 0, end,
                )  # fmt: skip
            _back(of_queries, at, channels, dim, total, lanes, dq)
            _back(of_keys, at, channels, dim, total, lanes, dk)
            _back(of_values, at, channels, dim, total, lanes, dv)
