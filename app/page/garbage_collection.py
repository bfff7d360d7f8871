"""Keep the garbage collector short: Streamlit runs it after every run, and what is shown waits for it.

A full collection looks at every object of torch, xarray and plotly, 200 to 300 ms, before the browser
hears of a run that took 15 ms. What imports leave behind stays for good: it is taken out of its sight.
"""

from __future__ import annotations

import gc
import sys

_modules = 0  # that were imported when the collector was last asked


def settle() -> None:
    """To be called at the end of a run: sets aside what is there, if the run has imported anything."""
    global _modules
    if len(sys.modules) > _modules:
        _modules = len(sys.modules)
        gc.collect()
        gc.freeze()
