"""Wrong answers to the exercises of lesson 4, as readers write them, and words of the mistake that is named."""

import numpy as np
from einops import rearrange


def heads_last(query, key, heads):
    q, k = (rearrange(x.astype(int), "(d h) r c -> h (r c) d", h=heads) for x in (query, key))
    return q @ k.swapaxes(-1, -2)


def of_booleans(query, key, heads):
    q, k = (rearrange(x, "(h d) r c -> h (r c) d", h=heads) for x in (query, key))
    return q @ k.swapaxes(-1, -2)


def as_usual(query, key, heads):
    q, k = (rearrange(x.astype(float), "(h d) r c -> h (r c) d", h=heads) for x in (query, key))
    return np.einsum("hqd,hkd->hqk", q, k) / q.shape[-1] ** 0.5


def normalised(query, key, heads):
    q, k = (rearrange(x.astype(float), "(h d) r c -> h (r c) d", h=heads) for x in (query, key))
    e = np.exp(np.einsum("hqd,hkd->hqk", q, k))
    return e / e.sum(-1, keepdims=True)


def key_first(query, key, heads):
    q, k = (rearrange(x.astype(int), "(h d) r c -> h (r c) d", h=heads) for x in (query, key))
    return np.einsum("hqd,hkd->hkq", q, k)


def one_map(query, key, heads):
    q, k = (rearrange(x.astype(int), "c r w -> (r w) c") for x in (query, key))
    return q @ k.T


WRONG = {
    "4.1": [
        (heads_last, "(head dim)"),
        (of_booleans, "booleans"),
        (as_usual, "square root"),
        (normalised, "no softmax"),
        (key_first, "changed places"),
        (one_map, "added up"),
    ],
    "4.2": [
        (lambda q, k: q.shape[1] * q.mean() * k.mean() * np.ones((len(q), len(k))), "one rate"),
        (lambda q, k: np.outer(q.mean(1), k.mean(1)), "*one* channel"),
        (lambda q, k: q.sum(1)[:, None] * k.sum(1), "too much"),
        (lambda q, k: q.astype(int) @ k.T.astype(int), "counts themselves"),
    ],
}
