"""What a page lets its readers take home: images of figures, their numbers, and the recording.

``charts.plot`` notes what a page draws; at its end the page calls ``fill``. Nothing is made before it is
asked for: images in the browser, by plotly itself, the rest on the server when its button is pressed.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from streamlit.delta_generator import DeltaGenerator

    Table = Callable[[], pd.DataFrame]

_NOTED = "figures on the page"
LONGEST = 60  # letters of a file's name: more is cut off in most windows that list files


class File(NamedTuple):
    """A file that is made when it is asked for; ``ending`` is how its name ends."""

    content: Callable[[], bytes]
    ending: str


def begin() -> DeltaGenerator:
    """The button whose content ``fill`` makes when the page is complete."""
    st.session_state[_NOTED] = {}
    return st.popover("Save")


def note(key: str, table: Table) -> None:
    """Remember a figure by the table of what it shows, which the page is to offer."""
    st.session_state.setdefault(_NOTED, {})[key] = table


def fill(
    place: DeltaGenerator,
    name: str,
    recordings: Mapping[str, Callable[[], xr.DataTree]] | None = None,
    tables: Callable[[], Mapping[str, pd.DataFrame]] | None = None,
    python: str | None = None,
    hint: str | None = None,
    files: Mapping[str, File] = {},
) -> None:
    """Offer the page's figures, their numbers and its ``recordings``, each by what its button says, and all as one.

    ``tables`` are numbers that no figure of the page holds, ``files`` whatever else there is, by what their buttons
    say; all are called when they are asked for.
    ``python`` is the page's code; ``name`` is how the files begin; ``hint`` is said first.
    """
    name = file_name(name)
    figures = dict(st.session_state.get(_NOTED, {}))
    with place:
        if hint:
            st.caption(hint)
        if figures:
            st.markdown("**Figures**")
            _images()(key="save-images", data={"name": name})
        if figures or tables:
            _file("Numbers, CSV", partial(csv, figures, tables), f"{name}.csv")
        for label, recording in (recordings or {}).items():
            _file(f"{label}, zarr", partial(zarr, recording), f"{name}-{_slug(label)}.zarr.zip")
        for label, one in files.items():
            _file(label, one.content, f"{name}-{one.ending}")
        if figures or tables:
            parts = partial(everything, figures, tables, recordings or {}, python)
            _file("Everything, zip", parts, f"{name}.zip")
        st.caption(_HINT)
        if recordings:
            st.code(OPEN_ZIP, language="python", wrap_lines=True)


_HINT = (
    "A .zarr.zip opens with dista.open_recording, or without this package by the line below. The column "
    "figure of the CSV says which figure a row belongs to; steps, blocks and patches count from 0 there, as "
    "in Python."
)
OPEN_ZIP = (
    'xarray.open_datatree(zarr.storage.ZipStore(path, mode="r"), engine="zarr", consolidated=False)'
)
"""The line that opens a recording as it is saved here; there is no shorter one."""


def _file(label: str, data: Any, file_name: str) -> None:
    st.download_button(
        label, data, file_name, on_click="ignore", icon=":material/download:", width="stretch"
    )


def csv(
    figures: Mapping[str, Table], tables: Callable[[], Mapping[str, pd.DataFrame]] | None = None
) -> bytes:
    """The numbers of all figures and tables, one below the other; ``figure`` says where a row is from."""
    from dista.measures.tables import concatenated

    parts = {key: table() for key, table in figures.items()}
    parts |= tables() if tables else {}
    return concatenated(parts, "figure").to_csv(index=False).encode()


def everything(
    figures: Mapping[str, Table], tables: Callable[[], Mapping[str, pd.DataFrame]] | None,
    recordings: Mapping[str, Callable[[], xr.DataTree]], python: str | None,
) -> bytes:  # fmt: skip
    """A zip with a CSV for each figure and table, the recordings, and the Python that makes them."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        drawn = {key: table() for key, table in figures.items()}
        for key, table in (drawn | (dict(tables()) if tables else {})).items():
            file.writestr(f"{file_name(key)}.csv", table.to_csv(index=False))
        for label, recording in recordings.items():
            file.writestr(f"{_slug(label)}.zarr.zip", zarr(recording), zipfile.ZIP_STORED)
        if python is not None:
            file.writestr("page.py", python + "\n")
    return content.getvalue()


def zarr(recording: Callable[[], xr.DataTree]) -> bytes:
    """The recording as one file, as ``dista.recording.save`` writes it."""
    from dista.recording import save

    with tempfile.TemporaryDirectory() as folder:
        return save(recording(), Path(folder, "recording.zarr.zip")).read_bytes()


def short(checkpoint: str) -> str:
    """The name of a checkpoint as a part of a file's: of one in a folder, the run's or the folder's."""
    parts = Path(checkpoint).parts
    of_run = len(parts) > 2 and parts[-2:] == ("checkpoints", "best")
    return file_name(parts[-3] if of_run else parts[-1])


def file_name(text: str) -> str:
    """The text as a file may be called everywhere: without separators, and not hidden."""
    return re.sub(r"[^\w.-]+", "-", text).strip(".-")[:LONGEST].rstrip(".-") or "dista"


def _slug(label: str) -> str:
    return file_name(label.lower())


@cache
def _images() -> Any:
    """Buttons that save each figure on the page as PNG or SVG."""
    from dista.widgets.source import module, styles

    js, css = module("downloads"), styles("downloads")
    return st.components.v2.component("dista_save_images", js=js, css=css)
