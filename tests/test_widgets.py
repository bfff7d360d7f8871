"""The probe's payload is the recording, cut to what is shown; its two hosts keep the reader's place."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from dista import measures
from dista.recording import record
from dista.style import sentences
from dista.widgets import reports
from dista.widgets.packing import ALIGN, Packer, Payload
from dista.widgets.payload import paint_payload, probe_payload
from dista.widgets.source import CONTROLS, HOSTS, LESSONS, module, stale, styles
from dista.widgets.state import CHOICES, FIELDS

SAMPLE = 2


@pytest.fixture(scope="module", params=["map", "projection"])
def recording(request, small_model, small_input):
    """All of a model whose sizes all differ: 5 steps, 4 samples, 7 x 11 patches, 3 heads."""
    model = small_model(memory=dict(form=request.param, window=3), neuron=dict(tau_per="channel"))
    x = small_input(model.config, steps=5)
    return record(model, x, labels=[3, 1, 4, 1], classes=[f"c{i}" for i in range(17)])


def round_trip(payload):
    return Payload.from_bytes(payload.to_bytes(state={"step": 1}))


# --- packing ------------------------------------------------------------------------------------


def test_maps_travel_as_they_were_recorded(recording):
    payload = round_trip(probe_payload(recording, SAMPLE))
    for block in payload.header["attention"]:
        node = recording[f"blocks/{block['block']}/attention"].isel(batch=SAMPLE)
        name = f"attention.{block['block']}"
        raw = payload.array(f"{name}.raw")
        np.testing.assert_array_equal(raw, node["scores"].values)
        assert block["kept"] == "table" and raw.dtype == np.uint8
        np.testing.assert_array_equal(payload.array(f"{name}.table")[raw], node["denoise"].values)
        pairs = np.stack([node["query_time"].values, node["key_time"].values], 1)
        np.testing.assert_array_equal(payload.array(f"{name}.pairs"), pairs)
        np.testing.assert_array_equal(
            payload.array(f"{name}.head_max"), node["scores"].values.max((0, 2, 3))
        )
        assert block["cross"] == bool((pairs[:, 0] != pairs[:, 1]).any())
    assert payload.header["grid"] == [7, 11] and payload.header["steps"] == 5


def test_a_map_that_no_table_explains_travels_whole(recording):
    changed = recording.copy(deep=True)
    denoised = changed["blocks/1/attention/denoise"].values
    raw = changed["blocks/1/attention/scores"].values
    denoised[0, SAMPLE, 2, 5, 7] = raw[0, SAMPLE, 2, 5, 7] + 1
    payload = probe_payload(changed, SAMPLE)
    assert [block["kept"] for block in payload.header["attention"]] == ["table", "array"]
    np.testing.assert_array_equal(payload.array("attention.1.kept"), denoised[:, SAMPLE])


def test_the_most_active_neurons_travel(recording):
    payload = round_trip(probe_payload(recording, SAMPLE, shown=13))
    for position, layer in enumerate(payload.header["layers"]):
        raster = measures.raster(recording, layer["name"], SAMPLE, limit=13)
        index = payload.array(f"layer.{position}.index")
        places = np.stack(np.unravel_index(index, layer["shape"]), 1)
        np.testing.assert_array_equal(places, raster.neurons)
        np.testing.assert_array_equal(payload.array(f"layer.{position}.spikes").T, raster.spikes)
        assert (layer["neurons"], layer["active"]) == (raster.total, raster.active)
        group = recording[layer["name"].replace(".", "/")].isel(batch=SAMPLE)
        for part in ("membrane", "reset", "current"):
            expected = group[part].values.reshape(5, -1)[:, index]
            np.testing.assert_array_equal(payload.array(f"layer.{position}.{part}"), expected)
        counts = group["spikes"].values.sum((1, 2, 3))
        np.testing.assert_array_equal(payload.array(f"layer.{position}.counts"), counts)
        tau = payload.array(f"layer.{position}.tau")
        np.testing.assert_array_equal(tau, group["tau"].values)
        half_lives = [measures.half_life(float(value)) for value in group["tau"].values]
        np.testing.assert_allclose(payload.array(f"layer.{position}.half_life"), half_lives, 1e-6)
        assert layer["threshold"] == group["membrane"].attrs["v_threshold"]


def test_spikes_of_the_stages_travel_as_bits(recording):
    payload = round_trip(probe_payload(recording, SAMPLE))
    packed = payload.header["spikes"]
    attention = ["attention.query", "attention.key", "attention.value", "attention"]
    names = [f"blocks.{block}.{part}.neuron" for block in (0, 1) for part in attention]
    assert set(packed) == {"stem.stages.0.neuron", "stem.position.neuron", *names}
    for name, (steps, channels) in packed.items():
        spikes = recording[name.replace(".", "/")]["spikes"].values[:, SAMPLE]
        assert (steps, channels) == (5, 39) == spikes.shape[:2]
        bits = payload.array(f"spikes.{name}")
        assert bits.nbytes == -(-spikes.size // 8)
        unpacked = np.unpackbits(bits, bitorder="little", count=spikes.size)
        np.testing.assert_array_equal(unpacked.reshape(spikes.shape), spikes)
    assert payload.header["scale"] == 0.5


def test_spikes_that_are_no_bits_are_left_out(recording):
    changed = recording.copy(deep=True)
    group = changed["blocks/1/attention/key/neuron"]
    group["spikes"] = group["spikes"].astype(np.float32) * 0.5
    packed = probe_payload(changed, SAMPLE).header["spikes"]
    assert "blocks.1.attention.key.neuron" not in packed and len(packed) == 9


def test_row_sums_travel(recording):
    for block in probe_payload(recording, SAMPLE).header["attention"]:
        sums = measures.row_sums(recording, block["block"], SAMPLE)
        assert block["sums"] == sentences.row_sums(block["block"], sums)
        assert f"{sentences.number(sums.low)}–{sentences.number(sums.high)}" in block["sums"]


def test_lags_are_mean_sizes_by_head(recording):
    payload = probe_payload(recording, SAMPLE)
    if "1" not in recording["blocks/0/attention/query/lags"].data_vars:
        assert "attention.0.lags" not in payload.header["arrays"]
        return
    lags = payload.array("attention.0.lags")
    assert lags.shape == (3, 3, 5, 3, 77)
    values = recording["blocks/0/attention/value/lags/1"].values[4, SAMPLE]
    by_head = np.abs(values).reshape(3, 13, 77).mean(1)
    np.testing.assert_allclose(lags[2, 1, 4], by_head, rtol=1e-5)


def test_input_and_decision(recording):
    payload = probe_payload(recording, SAMPLE)
    expected = np.clip(recording["input"].values[:, SAMPLE], 0, 255).astype(np.uint8)
    np.testing.assert_array_equal(payload.array("input"), expected)
    assert payload.header["input"]["kind"] == "events"
    decision = measures.decision(recording, SAMPLE)
    np.testing.assert_array_equal(payload.array("logits"), decision.logits)
    assert payload.header["decision"]["settled"] == decision.settled_at
    assert payload.header["decision"]["answer"] == decision.answer
    assert payload.header["label"] == 4 and payload.header["classes"][16] == "c16"


def test_pixels_become_bytes(small_model, small_input):
    model = small_model(input_shape=(3, 13, 21), mean=(0.0,), std=(1.0,))
    x = small_input(model.config)
    payload = probe_payload(record(model, x, "head"), 1)
    assert payload.header["input"] == {
        "kind": "rgb", "frames": 1, "largest": pytest.approx(float(x[1].max())),
    }  # fmt: skip
    np.testing.assert_allclose(payload.array("input")[0] / 255, x[1], atol=0.5 / 255 + 1e-6)


def test_arrays_are_aligned_and_the_buffer_small(recording):
    payload = probe_payload(recording, SAMPLE, shown=13)
    offsets = [entry["offset"] for entry in payload.header["arrays"].values()]
    assert [offset % ALIGN for offset in offsets] == [0] * len(offsets)
    maps = sum(
        entry["shape"][0] * 3 * 77 * 77
        for name, entry in payload.header["arrays"].items()
        if name.endswith(".raw")
    )
    lags = 2 * 3 * 3 * 5 * 3 * 77 * 4
    a_layer = 13 * (4 + 5 + 3 * 5 * 4) + 5 * 4 + 3 * 4 * 160 + 12 * ALIGN
    bits = sum(
        payload.array(n).nbytes + ALIGN for n in payload.header["arrays"] if n[:7] == "spikes."
    )
    assert bits <= 10 * (5 * 39 * 77 // 8 + 2 * ALIGN)
    other = bits + payload.array("input").nbytes + payload.array("logits").nbytes + 2000
    assert len(payload.buffer) <= maps + lags + len(payload.header["layers"]) * a_layer + other


@pytest.mark.parametrize(
    "names, present",
    [
        ("head", {"input", "logits"}),
        ("blocks.0.attention.scores", {"input", "attention.0.raw"}),
        ("blocks.1.attention.denoise", {"input", "attention.1.kept"}),
        ("blocks.*.neuron.spikes", {"input", "layer.0.spikes", "layer.0.index"}),
        ("blocks.*.neuron.membrane", {"input", "layer.0.membrane", "layer.0.index"}),
        ("*.tau", {"input", "layer.0.tau"}),
    ],
)
def test_parts_may_be_missing(small_model, small_input, names, present):
    model = small_model()
    tree = record(model, small_input(model.config, steps=5), names)
    payload = round_trip(probe_payload(tree))
    assert present <= set(payload.header["arrays"])
    absent = {"attention.0.raw", "logits", "layer.0.spikes", "layer.0.membrane"} - present
    assert not absent & set(payload.header["arrays"])


@pytest.mark.parametrize(
    "arguments, error, words",
    [
        (dict(sample=4), IndexError, "sample 4 .* holds 4; choose 0 to 3"),
        (
            dict(patch_grid=(7, 10)),
            ValueError,
            "attends over 77 keys, but the patch grid is 7 x 10",
        ),
        (dict(step_labels=["cue"]), ValueError, "step_labels has 1 entries for 5 steps"),
    ],
)
def test_wrong_arguments(recording, arguments, error, words):
    with pytest.raises(error, match=words):
        probe_payload(recording, **arguments)


def test_wrong_bytes_and_names(recording):
    with pytest.raises(ValueError, match=r"do not hold a header"):
        Payload.from_bytes(b"\xff\xff\0\0\0\0\0\0 short")
    with pytest.raises(KeyError, match="no array 'spikes'"):
        probe_payload(recording).array("spikes")
    with pytest.raises(ValueError, match="dtype 'float64' of 'x'"):
        Packer().add("x", [1.0], "float64")


def test_tau_at_the_start(recording):
    start = {"stem.stages.0.neuron": [3.0]}
    payload = probe_payload(recording, tau_start=start)
    layers = [layer["name"] for layer in payload.header["layers"] if "tau_start" in layer["parts"]]
    assert layers == list(start) and payload.array("layer.0.tau_start") == [3.0]
    default = probe_payload(recording)
    assert not any("tau_start" in layer["parts"] for layer in default.header["layers"]), "of nobody"
    own = recording.copy()
    own.attrs["starting_taus"] = json.dumps(start)
    assert probe_payload(own).array("layer.0.tau_start") == [3.0]


# --- hosts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTS + CONTROLS + LESSONS)
def test_each_component_is_one_module_that_asks_for_nothing(name):
    """Its default export is what a host mounts; neither it nor its stylesheet loads anything from anywhere."""
    text = re.sub(r"/\*.*?\*/", "", module(name), flags=re.DOTALL)  # types are named as imports
    sent = r"const url = URL\.createObjectURL\(new Blob\([^;]*;\s*await import\(url\);"
    text = re.sub(sent, "", text)  # what Python sent is read, from no address
    assert not re.search(r"^import\b|\bimport\(|\brequire\(", text, re.MULTILINE)
    assert len(re.findall(r"^export\b", text, re.MULTILINE)) == 1
    assert re.search(r"^export \{\s*\w+ as default\s*\};?$", text, re.MULTILINE)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "url(" not in styles(name) and "@import" not in styles(name)


def test_there_is_no_other_component():
    with pytest.raises(
        ValueError, match="no widget 'web'; choose one of streamlit, jupyter, thresh"
    ):
        module("web")


def test_the_bundles_are_those_of_the_sources():
    assert not stale(), "JavaScript was changed: npm run build, and commit dista/widgets/built"


def test_importing_the_package_loads_no_host():
    code = (
        "import sys, dista.widgets as w; dir(w); w.probe_payload;"
        "print(sorted({'streamlit', 'anywidget', 'torch', 'plotly'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    with pytest.raises(AttributeError, match="no 'plot'; it offers Controls, Fig"):
        _ = __import__("dista.widgets").widgets.plot


def test_notebook_widget(recording):
    from dista.widgets import probe

    widget = probe(recording, 1, step=3, layer="blocks.0.mlp.hidden.neuron")
    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/plain"] == "The space-time probe, at sample 2 of the recording."
    assert widget.state["step"] == 3 and widget.state["head"] == -1
    assert Payload.from_bytes(widget.data).header["sample"] == 1
    widget.sample = 2
    shown = Payload.from_bytes(widget.data)
    np.testing.assert_array_equal(shown.array("logits"), recording["head"].values[:, 2])
    assert widget.state["step"] == 3
    with pytest.raises(Exception, match="range"):
        widget.range = "wide"
    widget.stage = "qkv"
    assert widget.state["stage"] == "qkv"
    with pytest.raises(Exception, match="stage"):
        widget.stage = "attention"


def test_the_state_is_one_list_for_traits_url_and_browser(recording):
    from app.link import url
    from dista.widgets.jupyter import Probe

    traits = Probe.class_traits(sync=True)
    assert {name: traits[name].default_value for name in FIELDS} == FIELDS
    assert {name: traits[name].values for name in CHOICES} == CHOICES
    assert {*url.PLACE_NUMBERS, *url.PLACE_WORDS} == FIELDS.keys() - {"sample"}
    header = probe_payload(recording, SAMPLE).header
    assert header["fields"] == FIELDS
    assert {name: tuple(header[f"{name}s"]) for name in CHOICES} == CHOICES


# --- what page and browser tell each other --------------------------------------------------------


def test_news_is_told_from_an_echo():
    """A place that the page gives back is no news; a link or a back button is."""
    session = {}

    def run(wanted, reported, returned):
        session["key"] = {"state": reported} if reported else None
        wish = reports.wish(session, "key", wanted)
        wish["returned"] = returned
        return wish["revision"]

    first, later = {"step": 3}, {"step": 5, "head": 1}
    assert run(first, {}, first) == 0
    assert run(first, later | {"revision": 0}, later) == 0, "the reader moved, the page did not"
    assert run(later, later | {"revision": 0}, later) == 0, "the page follows the reader"
    moved = later | {"step": 4}
    assert run(later, moved | {"revision": 0}, moved) == 0, "the page is one run behind"
    assert run(first, moved | {"revision": 0}, first) == 1, "the back button"
    assert run(first, moved | {"revision": 0}, first) == 1, "and only once"
    assert run(first, moved | {"revision": 1}, moved) == 1


def test_going_back_is_news_even_if_the_run_after_a_click_was_cut_short():
    session = {}
    first, clicked = {"step": 3}, {"step": 5}
    reports.wish(session, "key", first)
    session["key"] = {"state": clicked | {"revision": 0}}
    assert reports.acknowledge(session, "key") == clicked  # then the run ended early
    assert reports.wish(session, "key", first)["revision"] == 1
    assert reports.current(session, "key") == first, "what was reported before the news is over"
    reports.acknowledge(
        session, "key"
    )  # a report that crossed with the news: the page's wish stands
    assert reports.wish(session, "key", clicked)["revision"] == 2


def test_a_component_that_was_left_starts_where_the_page_wants_it():
    """The reader moved it, which is in the URL; its own state is gone with it, and it is there again."""
    session = {}
    reports.wish(session, "key", {"u": None})
    session["key"] = {"state": {"u": 3, "revision": 0}}
    reports.acknowledge(session, "key")
    assert reports.wish(session, "key", {"u": 3})["state"] == {"u": None}, (
        "the browser knows better"
    )
    del session["key"]
    wish = reports.wish(session, "key", {"u": 3})
    assert wish["state"] == {"u": 3} and reports.current(session, "key") == {"u": 3}


def test_what_is_painted_on_travels(recording):
    payload = round_trip(paint_payload(recording, SAMPLE, step=3))
    assert payload.header["step"] == 3
    assert payload.array("input").shape == (5, 2, 13, 21) and payload.header["grid"] == [7, 11]
