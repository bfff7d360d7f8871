"""The loops behind ``dista.kernels``, compiled by numba on first use and cached beside this file.

Arrays are (time, site, channel) with channels fastest; a site is a patch of a sample. Each call
handles the sites ``low`` to ``high``, so that several threads can share the work.
"""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(nogil=True, cache=True)
def forward(x, h, tau, v_threshold, v_rest, soft, low, high):
    """h[t] from x[t]; v lives only in a buffer of one site."""
    steps, _, channels = x.shape
    threshold, rest = x.dtype.type(v_threshold), x.dtype.type(v_rest)
    v = np.empty(channels, x.dtype)
    for site in range(low, high):
        v[:] = rest
        for t in range(steps):
            for c in range(channels):
                charged = v[c] + (x[t, site, c] - (v[c] - rest)) / tau[c]
                h[t, site, c] = charged
                after = charged - threshold if soft else rest
                v[c] = after if charged >= threshold else charged


@numba.njit(nogil=True, cache=True)
def backward(grad_h, h, grad_x, tau, v_threshold, v_rest, soft, low, high):
    """grad_x from the gradient of h; returns the gradient of tau, one value for each channel."""
    steps, _, channels = h.shape
    threshold, rest = h.dtype.type(v_threshold), h.dtype.type(v_rest)
    zero, one = h.dtype.type(0), h.dtype.type(1)
    leak = one / tau
    grad_v = np.empty(channels, h.dtype)
    site_tau = np.empty(channels, h.dtype)
    grad_tau = np.zeros(channels, np.float64)
    for site in range(low, high):
        grad_v[:] = zero
        for t in range(steps - 1, -1, -1):
            for c in range(channels):  # few arrays a loop, or the compiler gives up on vectors
                passed = grad_v[c] if soft or h[t, site, c] < threshold else zero
                total = grad_h[t, site, c] + passed
                grad_x[t, site, c] = total * leak[c]
                grad_v[c] = total * (one - leak[c])
        for c in range(channels):
            site_tau[c] = grad_x[0, site, c] * (h[0, site, c] - rest)
        for t in range(1, steps):
            for c in range(channels):
                before = h[t - 1, site, c]
                after = before - threshold if soft else rest
                v = after if before >= threshold else before
                site_tau[c] += grad_x[t, site, c] * (h[t, site, c] - v)
        for c in range(channels):
            grad_tau[c] -= site_tau[c]
    return grad_tau
