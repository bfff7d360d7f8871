"""The browser's side reads what Python writes; and its tools leave no trace of where they were fetched."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from dista import measures
from dista.recording import record
from dista.widgets.payload import probe_payload
from dista.widgets.state import FIELDS

ROOT = Path(__file__).parent.parent
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="needs node, of version 20 or newer")

READ = """
import { readFileSync } from "node:fs";
import { decode, totals } from "./dista/widgets/js/recording.js";
import { settle } from "./dista/widgets/js/state.js";
import { question, visible } from "./dista/widgets/js/film.js";
import { readValues } from "./dista/widgets/js/values.js";
const [path, wanted] = process.argv.slice(-2);
const recording = decode(new Uint8Array(readFileSync(path)));
const state = settle(recording, JSON.parse(wanted));
const asked = question(recording, state);
const split = totals(visible(asked, state, "kept"), state.step, asked.token);
const read = readValues(recording, asked.block, state.step, state.head);
const logits = [...recording.array("logits")];
console.log(JSON.stringify({ state, split, logits, read: [...read], spikes: [...recording.firing("stem.position.neuron", state.step)] }));
"""


@needs_node
@pytest.mark.parametrize("form", ["map", "projection"])
def test_what_the_browser_reads_is_what_was_recorded(small_model, small_input, tmp_path, form):
    model = small_model(memory=dict(form=form, window=3))
    recording = record(model, small_input(model.config, steps=5), "*")
    path = tmp_path / "payload"
    path.write_bytes(probe_payload(recording, 2).to_bytes())
    wanted = dict(step=3, block=1, head=2, row=4, column=9)
    command = [NODE, "--input-type=module", "--eval", READ, "--", str(path), json.dumps(wanted)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    reading = json.loads(done.stdout)
    assert reading["state"].keys() == FIELDS.keys()
    assert reading["state"].items() >= (wanted | {"sample": 2}).items()
    split = measures.attention_split(recording, 1, 2, (4, 9), 3, 2)
    for part in ("same_patch", "same_step", "elsewhere"):
        assert reading["split"][part] == pytest.approx(getattr(split, part) * split.total)
    np.testing.assert_allclose(
        np.reshape(reading["logits"], (5, 17)), recording["head"][:, 2], rtol=1e-6
    )
    spikes = recording["stem/position/neuron/spikes"].values[3, 2].sum(0).ravel()
    np.testing.assert_array_equal(reading["spikes"], spikes)
    read = recording["blocks/1/attention/read"].isel(time=3, batch=2, head=2)
    read = read.transpose(..., "query").values.ravel()
    np.testing.assert_allclose(reading["read"], read, rtol=1e-5, atol=1e-6)


def test_no_registry_is_named():
    """The lock file serves wherever a registry is reached; packages are told apart by their hashes."""
    lock = json.loads((ROOT / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages and all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert not [name for name, entry in packages.items() if "resolved" in entry]
    assert "omit-lockfile-registry-resolved=true" in (ROOT / ".npmrc").read_text()


def test_the_widgets_need_nothing_but_themselves():
    package = json.loads((ROOT / "package.json").read_text())
    assert package["private"] and "dependencies" not in package
    script = (ROOT / "package.json").read_text() + (ROOT / "Makefile").read_text()
    assert "npm ci" in script and "npm run --silent check" in script


def test_no_source_is_longer_than_a_reader_can_hold():
    files = [p for kind in ("js/*.js", "css/*.css") for p in (ROOT / "dista/widgets").glob(kind)]
    files += (ROOT / "tests" / "js").glob("*.js")
    long = {p.name: n for p in files if (n := len(p.read_text("utf-8").splitlines())) > 345}
    assert len(files) > 30 and long == {}


def test_every_module_says_what_it_is_for():
    for path in (ROOT / "dista" / "widgets" / "js").glob("*.js"):
        assert re.match(r"// [A-Z].{15,}", path.read_text("utf-8")), path.name
