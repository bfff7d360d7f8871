"""What need not be recorded: the membrane before the reset decides what follows it and what came in.

Charge and reset of ``dista.neurons`` [reviews: PLIF], solved for what is missing:

    v[t] = v_reset where h[t] reached the threshold, else h[t]; soft reset: h[t] - v_threshold s[t]
    x[t] = tau (h[t] - v[t-1]) + (v[t-1] - v_reset)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr

Parts = dict[str, "xr.DataArray | None"]


def completed(parts: Mapping[str, xr.DataArray | None], tau: xr.DataArray | None) -> Parts:
    """``parts`` of one layer by name, with ``reset`` and ``current`` where h and ``tau`` give them.

    ``reset`` is exact, ``current`` is exact to rounding. What was recorded stays as it is, and what does not
    follow stays None. ``tau`` is (group,), one value or one a channel.
    """
    full, h = dict(parts), parts.get("membrane")
    if h is None or "v_threshold" not in h.attrs:
        return full
    v = full.get("reset")
    full["reset"] = v = after_reset(h) if v is None else v
    if full.get("current") is None and tau is not None:
        full["current"] = input_current(h, v, tau)
    return full


def after_reset(h: xr.DataArray) -> xr.DataArray:
    """The membrane potential v after the reset, of the recorded h before it."""
    fired, threshold = h >= h.attrs["v_threshold"], h.attrs["v_threshold"]
    v_reset = h.attrs.get("v_reset", "soft")
    return (h - threshold * fired if v_reset == "soft" else h.where(~fired, v_reset)).astype(
        h.dtype
    )


def input_current(h: xr.DataArray, v: xr.DataArray, tau: xr.DataArray) -> xr.DataArray:
    """The current x that charged the membrane from v of the step before to h."""
    v_reset = h.attrs.get("v_reset", "soft")
    rest = 0.0 if v_reset == "soft" else v_reset
    before = v.shift(time=1, fill_value=rest)
    each = tau.rename(group="channel") if tau.size > 1 else float(tau.values.item())
    current = each * (h - before) + (before - rest)
    return current.transpose(*h.dims).astype(h.dtype)
