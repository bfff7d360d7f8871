"""One sample of a recording, read by dotted names as the probe's packing needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import xarray as xr


class Sample:
    """One sample of a recording, read by dotted names; remembers how many steps it has seen."""

    def __init__(self, recording: xr.DataTree, sample: int) -> None:
        self.recording, self.sample, self.steps = recording, sample, 1

    def get(self, name: str) -> xr.DataArray | None:
        """The variable ``name`` (dots are levels) without its batch axis, or None."""
        try:
            array = self.recording[name.replace(".", "/")]
        except KeyError:
            return None
        if not hasattr(array, "dims") or not hasattr(array, "dtype"):
            return None
        if "batch" in array.dims:
            if not 0 <= self.sample < array.sizes["batch"]:
                raise IndexError(
                    f"sample {self.sample} is not in the recording, which holds "
                    f"{array.sizes['batch']}; choose 0 to {array.sizes['batch'] - 1}"
                )
            array = array.isel(batch=self.sample)
        if "pair" in array.dims:
            self.steps = max(self.steps, int(array.coords["query_time"].max()) + 1)
        self.steps = max(self.steps, array.sizes.get("time", 1))
        return array
