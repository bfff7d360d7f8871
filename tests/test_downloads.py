"""What readers take home: the numbers of figures, recordings as files, and links, also for a lesson."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from functools import partial
from urllib.parse import parse_qs, urlsplit

import dashboard
import numpy as np
import pandas as pd
import pytest
import small
from dashboard import APP
from streamlit.testing.v1 import AppTest

import dista
from app.computed import probe_numbers, recordings
from app.inputs import checkpoints, images
from app.link import vocabulary
from app.page import downloads
from dista import measures, open_recording

DRAWN = images.image_text(np.eye(28) * 15)

# Files ----------------------------------------------------------------------------------------------


def test_the_csv_names_the_figure_of_each_row_and_keeps_its_numbers():
    effect = small.causal()
    drawn = {
        "map": effect.table,
        "denoising": lambda: measures.stacked(small.denoised()),
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
    assert list(block.kept) == list(small.denoised()[1].after)


def test_the_recording_is_a_file_that_opens(page, tmp_path):
    recording = recordings.recording(checkpoints.shipped()["digits"], 3, None)
    path = tmp_path / "one.zarr.zip"
    path.write_bytes(downloads.zarr(lambda: recording))
    again = open_recording(path)
    assert np.array_equal(again["head"].values, recording["head"].values)


def test_everything_of_a_page_is_one_zip(page, tmp_path):
    recording = recordings.recording(checkpoints.shipped()["digits"], 3, None)
    tables = partial(probe_numbers.numbers, recording, {})
    files = downloads.everything(
        {"causal": small.causal().table}, tables, {"One": lambda: recording}, "x = 1"
    )
    with zipfile.ZipFile(io.BytesIO(files)) as file:
        probe = {"layers", "logits", "map", "shares", "raster", "membrane"}
        expected = {f"{name}.csv" for name in probe | {"causal"}} | {"one.zarr.zip", "page.py"}
        assert set(file.namelist()) == expected
        rows = pd.read_csv(file.open("map.csv"))
        (tmp_path / "one.zarr.zip").write_bytes(file.read("one.zarr.zip"))
    assert open_recording(tmp_path / "one.zarr.zip")["head"].equals(recording["head"])
    assert rows.query_step.unique().tolist() == [3] and rows.block.unique().tolist() == [1]


def test_numbers_of_the_probe_are_of_the_place_where_it_is(page):
    recording = recordings.recording(checkpoints.shipped()["digits"], 3, None)
    place = {"step": 2, "block": 0, "head": 1, "row": 3, "column": 4, "neuron": 5}
    place["layer"] = "blocks.0.attention.query.neuron"
    tables = probe_numbers.numbers(recording, place)
    expected = measures.key_maps(recording, 0, 1, (3, 4), 2)
    pd.testing.assert_frame_equal(tables["map"], expected.table())
    assert (tables["membrane"].layer == place["layer"]).all()
    busiest = probe_numbers.numbers(recording, {"block": 0, "step": 2})["map"]
    sums = [
        measures.key_maps(recording, 0, head, (row, column), 2).denoised.sum()
        for head in range(2) for row in range(7) for column in range(7)
    ]  # fmt: skip
    assert busiest.denoised.sum() == max(sums)


NUMBERS, ONE, ALL = "Numbers, CSV", "Recording, zarr", "Everything, zip"
OFFERED = {
    "watch": [NUMBERS, ONE, ALL],
    "neurons": [NUMBERS, ONE, ALL],
    "denoise": [NUMBERS, "Clean, zarr", "Noisy, zarr", ALL],
    "memory": [NUMBERS, ONE, ALL],
    "ablate": [NUMBERS, ALL],
    "compare": [NUMBERS, "Recording left, zarr", "Recording right, zarr", ALL],
    "energy": [NUMBERS, ALL],
    "train": [NUMBERS, "Epoch 2, zarr", ALL],
    "runs": [NUMBERS, "Runs, CSV", "Runs, parquet", ALL],
}


def test_the_line_on_the_page_and_in_the_book_opens_a_recording(page, tmp_path):
    """Without this package."""
    test = page("watch")
    assert downloads.OPEN_ZIP in [code.value for code in test.code]
    book = APP.parent / "notebooks" / "book" / "howto" / "07_recording.md"
    assert downloads.OPEN_ZIP in book.read_text("utf-8").splitlines()
    shipped = dista.checkpoint.assets() / "first-light.zarr.zip"
    script = f"import sys, xarray, zarr\npath = {str(shipped)!r}\ntree = {downloads.OPEN_ZIP}\n"
    script += "print(int(tree['head'].sizes['class']), 'dista' in sys.modules)"
    read = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], cwd=tmp_path, capture_output=True, text=True
    )
    classes = len(open_recording(shipped).attrs["classes"])
    assert read.stdout.split() == [str(classes), "False"], read.stderr


@pytest.fixture(scope="module")
def pages(assets, runs):
    """Every page once, with its links open, for all tests of this file that only look."""
    with pytest.MonkeyPatch.context() as patch:
        dashboard.surroundings(patch, assets, runs)
        seen = {}
        for view in OFFERED:
            query = {name: STATE[name] for name in STATE if view in vocabulary.TABLE[name].pages}
            query |= {"samples": "25"} if view == "ablate" else {}
            seen[view] = dashboard.open_page(view, **query, **{"open-link": True})
        yield seen


STATE = {"sample": "3", "thresholds": "0,3"}


@pytest.mark.parametrize("view", OFFERED)
def test_every_page_offers_what_it_shows(pages, view):
    test = pages[view]
    assert not test.exception and not test.error
    assert [button.proto.label for button in test.get("download_button")] == OFFERED[view]
    noted = test.session_state[downloads._NOTED]
    assert noted or view in ("watch", "train", "runs"), (
        "the probe and live charts have tables instead"
    )
    if noted:
        rows = pd.read_csv(io.BytesIO(downloads.csv(noted)), low_memory=False)
        assert list(rows.figure.unique()) == list(noted)


# Python ---------------------------------------------------------------------------------------------

OTHER_STATES = [
    ("ablate", {"switches": "", "samples": "25"}),
    ("ablate", {"switches": "neuron-memory,head=0.1,noise=0.2", "samples": "25"}),
    ("neurons", {"taus": "set", "tau": "3", "scope": "all", "checkpoint": "digits"}),
    ("denoise", {"u": "2", "changed": "6", "kind": "gaussian"}),
    ("memory", {"input": "other", "samples": "0"}),
    ("watch", {"image": DRAWN, "checkpoint": "match-map"}),
    ("compare", {"image": DRAWN, "checkpoint": "digits", "noise": "0.2"}),
]

CHILD = """
import json, re, sys
import plotly.basedatatypes
shown, told = [], []
plotly.basedatatypes.BaseFigure.show = lambda self, *a, **k: shown.append(self)
import dista
fresh = dict(vars(dista))  # before a page's code has asked for anything
for code in json.load(sys.stdin):
    vars(dista).clear(), vars(dista).update(fresh)
    shown.clear()
    exec(compile(code, "page", "exec"), {"__name__": "__main__"})
    told.append([len(shown), len(re.findall(r"dista\\.figures\\.", code))])
print(json.dumps(told))
"""


@pytest.mark.parametrize(
    ("views", "states"),
    [
        (["watch", "neurons", "train"], OTHER_STATES[1:2]),
        pytest.param(list(OFFERED), OTHER_STATES, marks=pytest.mark.slow),
    ],
)
def test_the_python_of_every_page_runs_in_a_fresh_process_and_shows_all_figures(
    pages, page, tmp_path, views, states
):
    """In another folder, in one process for all of them: each sees the package as its import leaves it."""
    tests = [*(pages[view] for view in views), *(page(view, **query) for view, query in states)]
    begin = "import dista\n"
    codes = [next(c.value for c in test.code if c.value.startswith(begin)) for test in tests]
    environment = os.environ | {"PYTHONPATH": str(APP.parent)}
    ran = subprocess.run(
        [sys.executable, "-c", CHILD], input=json.dumps(codes), cwd=tmp_path, env=environment,
        capture_output=True, text=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    for code, (drawn, written) in zip(codes, json.loads(ran.stdout.splitlines()[-1]), strict=True):
        assert drawn >= written, code


# Links ----------------------------------------------------------------------------------------------


def links_of(test):
    """The two links: they are what is last in the toolbar's boxes of code, once their button is open."""
    return [code.value for code in test.code if code.value.startswith("?") or "://" in code.value]


@pytest.mark.parametrize("view", OFFERED)
def test_both_links_hold_the_whole_state(pages, view):
    state = STATE | ({"samples": "25"} if view == "ablate" else {})
    query = {name: text for name, text in state.items() if view in vocabulary.TABLE[name].pages}
    view_link, lesson = links_of(pages[view])
    read = [
        {k: v[0] for k, v in parse_qs(urlsplit(it).query).items()} for it in (view_link, lesson)
    ]
    assert query.items() <= read[0].items() and read[1] == read[0] | {"lesson": "1"}
    assert ("thresholds=0,3" in view_link) == (view == "denoise"), (
        "what the page does not know stays out"
    )


def hidden(test):
    """Whether the controls are: the stylesheet hides them beside the button that leads out of a lesson."""
    return any(button.key == "leave-lesson" for button in test.button)


def test_a_lesson_hides_the_controls_and_gives_them_back(page):
    def opened(**query):
        test = AppTest.from_file(APP / "dashboard.py", default_timeout=60)
        test.query_params.update(query)
        return test.run()

    assert not hidden(opened(sample="3")) and not hidden(opened(lesson="0"))
    test = opened(sample="3", lesson="1")
    assert hidden(test) and not test.exception
    test.button(key="leave-lesson").click().run()
    assert not hidden(test) and "lesson" not in test.query_params
    assert test.query_params["sample"] in ("3", ["3"])
