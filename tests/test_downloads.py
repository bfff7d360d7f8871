"""What readers take home: the numbers of figures, recordings as files, and links, also for a lesson."""

from __future__ import annotations

import io
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest
import test_figures
from dashboard import APP
from streamlit.testing.v1 import AppTest

import dista
from app.computed import recordings
from app.inputs import checkpoints
from app.link import share, vocabulary
from app.page import downloads
from dista import measures, open_recording

# Files ----------------------------------------------------------------------------------------------


def test_the_csv_names_the_figure_of_each_row_and_keeps_its_numbers():
    effect = test_figures.causal()
    drawn = {
        "map": effect.table,
        "denoising": lambda: measures.stacked(test_figures.denoised()),
    }
    more = pd.DataFrame({"layer": ["a", "b"], "tau": [2.0, 3.0]})
    content = downloads.csv(drawn, lambda: {"layers": more})
    assert b"map,head,4,1," in content, "whole numbers stay whole beside rows that have none"
    rows = pd.read_csv(io.BytesIO(content))
    assert list(rows.figure) == ["map"] * 15 + ["denoising"] * 12 + ["layers"] * 2
    assert list(rows.tau.dropna()) == [2, 3]
    one = rows[(rows.seen_step == 3) & (rows.changed_step == 1)]
    assert one.effect.item() == effect.effect[3, 1]
    block = rows[rows.block == 1]
    assert list(block.kept) == list(test_figures.denoised()[1].after)


def test_the_recording_is_a_file_that_opens(page, tmp_path):
    recording = recordings.recording(checkpoints.shipped()["digits"], 3, None)
    path = tmp_path / "one.zarr.zip"
    path.write_bytes(downloads.zarr(lambda: recording))
    again = open_recording(path)
    assert np.array_equal(again["head"].values, recording["head"].values)


NUMBERS, ONE = "Numbers, CSV", "Recording, zarr"
OFFERED = {
    "watch": [NUMBERS, ONE],
    "neurons": [NUMBERS, ONE],
    "denoise": [NUMBERS, "Clean, zarr", "Noisy, zarr"],
    "memory": [NUMBERS, ONE],
    "ablate": [NUMBERS],
    "compare": [NUMBERS, "Recording left, zarr", "Recording right, zarr"],
    "energy": [NUMBERS],
    "train": [NUMBERS, "Epoch 2, zarr"],
    "runs": ["Runs, CSV", "Runs, parquet"],
}


def test_the_line_on_the_page_and_in_the_readme_opens_a_recording(page, tmp_path):
    """Without this package."""
    test = page("watch")
    assert downloads.OPEN_ZIP in [code.value for code in test.code]
    assert downloads.OPEN_ZIP in (APP.parent / "README.md").read_text("utf-8").splitlines()
    shipped = dista.checkpoint.assets() / "first-light.zarr.zip"
    script = f"import sys, xarray, zarr\npath = {str(shipped)!r}\ntree = {downloads.OPEN_ZIP}\n"
    script += "print(int(tree['head'].sizes['class']), 'dista' in sys.modules)"
    read = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    classes = len(open_recording(shipped).attrs["classes"])
    assert read.stdout.split() == [str(classes), "False"], read.stderr


@pytest.mark.parametrize("view", OFFERED)
def test_every_page_offers_what_it_shows(page, view):
    query = {"limit": "25"} if view == "ablate" else {}
    test = page(view, **query)
    assert not test.exception and not test.error
    assert [button.proto.label for button in test.get("download_button")] == OFFERED[view]
    noted = test.session_state[downloads._NOTED]
    assert noted or view in ("watch", "train", "runs"), (
        "the probe and live charts have tables instead"
    )
    if noted:
        rows = pd.read_csv(io.BytesIO(downloads.csv(noted)), low_memory=False)
        assert list(rows.figure.unique()) == list(noted)


# Links ----------------------------------------------------------------------------------------------


def links_of(test):
    """The two links: they are what is last in the toolbar's boxes of code, once their button is open."""
    test.session_state[share.OPEN] = True
    test.run()
    return [code.value for code in test.code if code.value.startswith("?") or "://" in code.value]


@pytest.mark.parametrize("view", OFFERED)
def test_both_links_hold_the_whole_state(page, view):
    state = {"sample": "3", "thresholds": "0,3"} | ({"samples": "25"} if view == "ablate" else {})
    query = {name: text for name, text in state.items() if view in vocabulary.TABLE[name].pages}
    view_link, lesson = links_of(page(view, **state))
    read = [
        {k: v[0] for k, v in parse_qs(urlsplit(it).query).items()} for it in (view_link, lesson)
    ]
    assert query.items() <= read[0].items() and read[1] == read[0] | {"lesson": "1"}
    assert ("thresholds=0,3" in view_link) == (view == "denoise"), (
        "what the page does not know stays out"
    )


def hidden(test):
    return any(".stAppHeader, " in html.proto.body for html in test.get("html"))


def test_a_lesson_hides_the_controls_and_gives_them_back(page):
    def opened(**query):
        test = AppTest.from_file(APP / "main.py", default_timeout=60)
        test.query_params.update(query)
        return test.run()

    assert not hidden(opened(sample="3")) and not hidden(opened(lesson="0"))
    test = opened(sample="3", lesson="1")
    assert hidden(test) and not test.exception
    test.button(key="leave-lesson").click().run()
    assert not hidden(test) and "lesson" not in test.query_params
    assert test.query_params["sample"] in ("3", ["3"])
