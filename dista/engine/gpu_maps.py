"""The loops behind ``dista.engine.gpu_attention``, in Triton, for NVIDIA GPUs.

A program holds a tile of queries (or, for the gradients of K and V, of keys) of one step, sample and head,
and meets the tiles of the other side that its window reaches. The map lives in registers, a tile at a time.
Arrays are (time, batch, head, token, dim) with strides of their own. DIM is dim, rounded up to what the
matrix units take. Places are counted in 32 bits.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _tile(x, head, time, token, tokens, dim, st, sn, sd, DIM: tl.constexpr):
    """Rows ``token`` of one step: (token, dim), 0 outside."""
    column = tl.arange(0, DIM)
    there = (token < tokens)[:, None] & (column < dim)[None, :]
    place = time * st + token[:, None] * sn + column[None, :] * sd
    return tl.load(x + head + place, mask=there, other=0.0)


@triton.jit
def _head(heads, sb, sh):
    """Where the sample and head of this program begin."""
    which = tl.program_id(1)
    return (which // heads) * sb + (which % heads) * sh


@triton.jit
def _denoised(a, u, table, last, KIND: tl.constexpr):
    """f(a): KIND 0 is the identity, 1 the threshold, 2 the table, whose last place is ``last``."""
    if KIND == 1:
        return tl.where(a > u, a, 0.0)
    elif KIND == 2:
        count = tl.minimum(tl.maximum((a + 0.5).to(tl.int32), 0), last)
        return tl.load(table + count)
    else:
        return a


@triton.jit
def _passes(a, denoised, ALL: tl.constexpr):
    """f'(a): 1 where f kept something, everywhere with ALL."""
    if ALL:
        return tl.zeros_like(a) + 1.0
    else:
        return tl.where(denoised != 0.0, 1.0, 0.0)


@triton.jit
def forward(
    q, k, v, o, table, heads, tokens, dim, window, last, u, scale,
    qt, qb, qh, qn, qd, kt, kb, kh, kn, kd, vt, vb, vh, vn, vd, ot, ob, oh, on, od,
    KIND: tl.constexpr, EXACT: tl.constexpr,
    QUERIES: tl.constexpr, KEYS: tl.constexpr, DIM: tl.constexpr,
):  # fmt: skip
    """o[t] = scale / n(t) * sum_m f(q[t] k[m]^T) v[m] for a tile of queries."""
    PRECISION: tl.constexpr = "ieee" if EXACT else "tf32"
    t = tl.program_id(2)
    query = tl.program_id(0) * QUERIES + tl.arange(0, QUERIES)
    queries = _tile(q, _head(heads, qb, qh), t, query, tokens, dim, qt, qn, qd, DIM)
    of_k, of_v = _head(heads, kb, kh), _head(heads, vb, vh)
    summed = tl.zeros((QUERIES, DIM), tl.float32)
    first = tl.maximum(t - window + 1, 0)
    for m in range(first, t + 1):
        for start in range(0, tokens, KEYS):
            key = start + tl.arange(0, KEYS)
            keys = _tile(k, of_k, m, key, tokens, dim, kt, kn, kd, DIM)
            values = _tile(v, of_v, m, key, tokens, dim, vt, vn, vd, DIM)
            a = tl.dot(queries, tl.trans(keys), input_precision=PRECISION)
            denoised = _denoised(a, u, table, last, KIND)  # of a key outside, the value is 0
            summed += tl.dot(denoised.to(values.dtype), values, input_precision=PRECISION)
    read = scale * summed / (t - first + 1).to(tl.float32)
    column = tl.arange(0, DIM)
    there = (query < tokens)[:, None] & (column < dim)[None, :]
    place = t * ot + query[:, None] * on + column[None, :] * od
    tl.store(o + _head(heads, ob, oh) + place, read.to(o.dtype.element_ty), mask=there)


@triton.jit
def backward_queries(
    q, k, v, g, dq, table, heads, tokens, dim, window, last, u, scale,
    qt, qb, qh, qn, qd, kt, kb, kh, kn, kd, vt, vb, vh, vn, vd, gt, gb, gh, gn, gd,
    dt, db, dh, dn, dd,
    KIND: tl.constexpr, ALL: tl.constexpr, EXACT: tl.constexpr,
    QUERIES: tl.constexpr, KEYS: tl.constexpr, DIM: tl.constexpr,
):  # fmt: skip
    """The gradient of q, from g, that of o, for a tile of queries."""
    PRECISION: tl.constexpr = "ieee" if EXACT else "tf32"
    t = tl.program_id(2)
    query = tl.program_id(0) * QUERIES + tl.arange(0, QUERIES)
    queries = _tile(q, _head(heads, qb, qh), t, query, tokens, dim, qt, qn, qd, DIM)
    upstream = _tile(g, _head(heads, gb, gh), t, query, tokens, dim, gt, gn, gd, DIM)
    of_k, of_v = _head(heads, kb, kh), _head(heads, vb, vh)
    summed = tl.zeros((QUERIES, DIM), tl.float32)
    first = tl.maximum(t - window + 1, 0)
    for m in range(first, t + 1):
        for start in range(0, tokens, KEYS):
            key = start + tl.arange(0, KEYS)
            keys = _tile(k, of_k, m, key, tokens, dim, kt, kn, kd, DIM)
            values = _tile(v, of_v, m, key, tokens, dim, vt, vn, vd, DIM)
            a = tl.dot(queries, tl.trans(keys), input_precision=PRECISION)
            passes = _passes(a, _denoised(a, u, table, last, KIND), ALL)
            da = tl.dot(upstream, tl.trans(values), input_precision=PRECISION) * passes
            summed += tl.dot(da.to(keys.dtype), keys, input_precision=PRECISION)
    gradient = scale * summed / (t - first + 1).to(tl.float32)
    column = tl.arange(0, DIM)
    there = (query < tokens)[:, None] & (column < dim)[None, :]
    place = t * dt + query[:, None] * dn + column[None, :] * dd
    tl.store(dq + _head(heads, db, dh) + place, gradient.to(dq.dtype.element_ty), mask=there)


@triton.jit
def backward_keys(
    q, k, v, g, dk, dv, table, heads, tokens, dim, steps, window, last, u, scale,
    qt, qb, qh, qn, qd, kt, kb, kh, kn, kd, vt, vb, vh, vn, vd, gt, gb, gh, gn, gd,
    dt, db, dh, dn, dd,
    KIND: tl.constexpr, ALL: tl.constexpr, EXACT: tl.constexpr,
    QUERIES: tl.constexpr, KEYS: tl.constexpr, DIM: tl.constexpr,
):  # fmt: skip
    """The gradients of k and v, which lie alike, for a tile of keys."""
    PRECISION: tl.constexpr = "ieee" if EXACT else "tf32"
    m = tl.program_id(2)
    key = tl.program_id(0) * KEYS + tl.arange(0, KEYS)
    keys = _tile(k, _head(heads, kb, kh), m, key, tokens, dim, kt, kn, kd, DIM)
    values = _tile(v, _head(heads, vb, vh), m, key, tokens, dim, vt, vn, vd, DIM)
    of_q, of_g = _head(heads, qb, qh), _head(heads, gb, gh)
    of_keys = tl.zeros((KEYS, DIM), tl.float32)
    of_values = tl.zeros((KEYS, DIM), tl.float32)
    for t in range(m, tl.minimum(m + window, steps)):
        share = scale / tl.minimum(t + 1, window).to(tl.float32)
        for start in range(0, tokens, QUERIES):
            query = start + tl.arange(0, QUERIES)
            queries = _tile(q, of_q, t, query, tokens, dim, qt, qn, qd, DIM)
            upstream = _tile(g, of_g, t, query, tokens, dim, gt, gn, gd, DIM)
            a = tl.dot(queries, tl.trans(keys), input_precision=PRECISION)
            denoised = _denoised(a, u, table, last, KIND)  # of a query outside, the gradient is 0
            da = tl.dot(upstream, tl.trans(values), input_precision=PRECISION)
            da = da * _passes(a, denoised, ALL)
            denoised_t, da_t = tl.trans(denoised.to(upstream.dtype)), tl.trans(da.to(queries.dtype))
            of_values += share * tl.dot(denoised_t, upstream, input_precision=PRECISION)
            of_keys += share * tl.dot(da_t, queries, input_precision=PRECISION)
    column = tl.arange(0, DIM)
    there = (key < tokens)[:, None] & (column < dim)[None, :]
    place = m * dt + key[:, None] * dn + column[None, :] * dd
    place += _head(heads, db, dh)
    tl.store(dk + place, of_keys.to(dk.dtype.element_ty), mask=there)
    tl.store(dv + place, of_values.to(dv.dtype.element_ty), mask=there)
