"""The probe in a real browser: what a click shows equals the package's numbers; keys; both hosts."""

import base64
import re

import numpy as np
import pytest
from browsing import needs_chromium

from dista import measures
from dista.recording import record
from dista.widgets.payload import probe_payload
from dista.widgets.source import module, styles

pytestmark = needs_chromium

ROWS, COLUMNS, STEPS = 7, 11, 5
START = dict(step=3, block=0, head=1, row=2, column=4)
STREAMLIT = """async ([source, data]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const show = (await import(url)).default;
  const parentElement = document.getElementById("host").attachShadow({ mode: "open" });
  const style = document.createElement("style");
  style.textContent = document.getElementById("style").textContent;
  parentElement.append(style);
  window.told = [];
  window.show = (text) => { window.remove = show({ parentElement, data: bytes(text),
    setStateValue: (name, value) => window.told.push([name, value]) }); };
  window.show(data);
}"""
JUPYTER = """async ([source, data, traits]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const values = { data: new DataView(bytes.buffer), ...traits };
  const listeners = {};
  window.model = {
    get: (name) => values[name], set: (name, value) => { values[name] = value; },
    save_changes: () => { window.saved = { ...values, data: null }; },
    on: (event, listener) => { listeners[event] = listener; },
    fire: (name, value) => { values[name] = value; listeners[`change:${name}`](); },
  };
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  (await import(url)).default.render({ model: window.model, el: document.getElementById("host") });
}"""


@pytest.fixture
def page(browser):
    """A page that fails the test if anything in it throws or complains."""
    page = browser.new_page(viewport={"width": 1300, "height": 900})
    page.set_default_timeout(60_000)  # a busy machine is no failure
    trouble = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on(
        "console", lambda message: trouble.append(message.text) if message.type == "error" else None
    )
    page.set_content(f"<style id=style>{styles()}</style><div id=host></div>")
    yield page
    page.close()
    assert trouble == []


@pytest.fixture(scope="module")
def recordings(small_model, small_input):
    """Recordings of 5 frames by memory form, each with everything in it."""

    def make(form, names="*"):
        model = small_model(memory=dict(form=form, window=3))
        return record(model, small_input(model.config, steps=STEPS), names, labels=[3, 1, 4, 1])

    cache = {}
    return lambda *key: cache[key] if key in cache else cache.setdefault(key, make(*key))


def encoded(payload, **extra):
    return base64.b64encode(payload.to_bytes(**extra)).decode()


def show(page, payload, state=START, revision=0):
    page.evaluate(
        STREAMLIT, [module("streamlit"), encoded(payload, state=state, revision=revision)]
    )
    title(page, "Step ")


def title(page, start):
    """Waits until the time rail has been drawn for the step that ``start`` names."""
    page.locator(".rail h3").filter(has_text=re.compile(f"^{start}")).wait_for()


def told(page, **wanted):
    """Waits until the host hears of a state with the ``wanted`` values; returns that state."""
    page.wait_for_function(
        """(wanted) => { const state = window.told.at(-1)?.[1];
        return state && Object.entries(wanted).every(([name, value]) => state[name] === value); }""",
        arg=wanted,
    )
    name, state = page.evaluate("window.told.at(-1)")
    assert name == "state"
    return state


def press(page, *keys):
    """Keys in one burst at the focused element, however slow the machine."""
    page.evaluate(
        """(keys) => { const at = document.getElementById("host").shadowRoot.activeElement;
        for (const key of keys) at.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })); }""",
        list(keys),
    )


def shares(page):
    """The parts of the attention total as the page has them, by name."""
    parts = page.locator(".shares [data-part]")
    pairs = parts.evaluate_all("nodes => nodes.map((n) => [n.dataset.part, +n.dataset.value])")
    return dict(pairs)


def busiest(recording, head, step, sample):
    """The patch whose attention reaches most widely, and how the package splits it."""
    patches = [(row, column) for row in range(ROWS) for column in range(COLUMNS)]
    splits = [measures.attention_split(recording, 0, head, p, step, sample) for p in patches]
    best = max(
        range(len(patches)),
        key=lambda i: min(splits[i].same_patch, splits[i].same_step) * splits[i].total,
    )
    return *patches[best], splits[best]


def test_a_click_asks_and_the_totals_are_those_of_the_package(page, recordings):
    recording = recordings("map")
    show(page, probe_payload(recording, 1))
    row, column, split = busiest(recording, head=2, step=4, sample=1)
    assert min(split.same_patch, split.same_step, split.elsewhere) > 0
    canvas = page.locator("canvas[data-name=input]")
    box = canvas.bounding_box()
    canvas.click(position={
        "x": (column + 0.5) / COLUMNS * box["width"], "y": (row + 0.5) / ROWS * box["height"],
    })  # fmt: skip
    page.keyboard.press("]")
    page.keyboard.press(".")
    told(page, row=row, column=column, step=4, head=2)
    parts = shares(page)
    for part in ("same_patch", "same_step", "elsewhere"):
        assert parts[part] == pytest.approx(getattr(split, part) * split.total)
    spoken = page.locator("[aria-live=polite]").inner_text()
    assert (
        f"row {row + 1}, column {column + 1}, block 1, head 3: attention {split.total:g}" in spoken
    )


def test_keys(page, recordings):
    show(page, probe_payload(recordings("map")))
    page.locator("canvas[data-name=input]").focus()
    press(page, "ArrowUp", "ArrowLeft", "ArrowLeft", "[", "[", ",", ",")
    state = told(page, step=1, block=0, head=2, row=1, column=2)
    assert state["sample"] == 0 and state["range"] == "head" and state["revision"] == 0
    assert len(page.evaluate("window.told")) == 1, "the host hears of a burst once"
    press(page, *["ArrowDown"] * (ROWS + 2))
    told(page, row=ROWS - 1)


def test_playing_tells_the_host_at_the_end_only(page, recordings):
    show(page, probe_payload(recordings("map")))
    page.locator("canvas[data-name=input]").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Pause").wait_for()
    assert page.evaluate("window.told") == []
    told(page, step=STEPS - 1)
    assert len(page.evaluate("window.told")) == 1
    assert page.get_by_role("button", name="Play the steps").is_visible()


def test_clicks_on_the_other_panels(page, recordings):
    show(page, probe_payload(recordings("map")))
    page.get_by_role("button", name="Block 2").click()
    page.get_by_role("button", name="per map").click()
    page.locator("[data-layer='blocks.1.mlp.hidden.neuron']").click()
    state = told(page, block=1, range="map", layer="blocks.1.mlp.hidden.neuron")
    raster = page.locator("canvas[data-name=raster]")
    before = page.locator(".membrane h3").inner_text()
    raster.focus()
    for _ in range(2):  # the second one finds the focus where it was
        page.keyboard.press("ArrowDown")
        page.wait_for_function("(old) => window.told.at(-1)[1].neuron !== old", arg=state["neuron"])
        state = page.evaluate("window.told.at(-1)[1]")
    assert page.locator(".membrane h3").inner_text() != before
    box = page.locator(".membrane svg").bounding_box()
    page.locator(".membrane svg").click(position={"x": box["width"] * 0.15, "y": 90})
    told(page, step=0)
    title(page, "Step 1 of 5")


def test_new_data_keeps_the_place_and_a_new_revision_moves_it(page, recordings):
    recording = recordings("map")
    show(page, probe_payload(recording, 0))
    page.locator("canvas[data-name=input]").focus()
    press(page, "[", "ArrowRight")
    state = told(page, step=2, column=5)
    before = page.locator(".decision .note").inner_text()
    page.evaluate(
        "(data) => window.show(data)", encoded(probe_payload(recording, 2), state=START, revision=0)
    )
    page.locator(".decision .note").filter(has_not_text=before).wait_for()
    title(page, "Step 3 of 5")
    focused = "document.getElementById('host').shadowRoot.activeElement.dataset.name"
    assert page.evaluate(focused) == "input", "the keyboard stays where it was"
    label = page.locator("canvas[data-name=input]").get_attribute("aria-label")
    assert f"row {state['row'] + 1}, column {state['column'] + 1}" in label
    page.evaluate(
        "(data) => window.show(data)",
        encoded(probe_payload(recording, 2), state={"step": 0}, revision=1),
    )
    title(page, "Step 1 of 5")
    page.evaluate("window.remove()")
    assert page.locator(".dista-probe").count() == 0


def test_a_neuron_that_new_data_lack_comes_back_with_the_old(page, recordings):
    recording = recordings("map")
    show(page, probe_payload(recording, 0, shown=2))
    heading = page.locator(".membrane h3")
    before = heading.inner_text()
    new, old = (
        encoded(probe_payload(recording, i, shown=2), state=START, revision=0) for i in (2, 0)
    )
    page.evaluate("(data) => window.show(data)", new)
    heading.filter(has_not_text=before).wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate("window.told") == [], "the reader has done nothing"
    page.evaluate("(data) => window.show(data)", old)
    heading.filter(has_text=before).wait_for()


TOGETHER = """async ([source, first, second, last]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const show = (await import(url)).default;
  window.told = [[], []];
  const sides = [first, second].map((data, i) => {
    const parentElement = document.body.appendChild(document.createElement("div"));
    parentElement.id = `side${i}`;
    return { parentElement, data: bytes(data), setStateValue: (_, value) => window.told[i].push(value) };
  });
  (last ? sides.reverse() : sides).forEach(show);
}"""


def test_probes_of_a_group_go_together(page, recordings):
    """What is done in one happens in the other at once; the host hears who followed, and hears it first."""
    payloads = [probe_payload(recordings("map"), sample) for sample in (0, 2)]
    sides = [encoded(p, state={}, revision=0, group="pair") for p in payloads]
    page.evaluate(TOGETHER, [module("streamlit"), *sides])
    films = [page.locator(f"#side{i} canvas[data-name=film]") for i in (0, 1)]

    def place(film):
        return film.get_attribute("aria-label").split(":")[0]

    page.wait_for_function(
        "window.told[1].length === 1"
    )  # it came second, and took the first's place
    assert place(films[0]) == place(films[1])
    page.locator("#side1 canvas[data-name=input]").focus()
    for key in ("[", "ArrowLeft"):
        page.keyboard.press(key)
    page.wait_for_function("window.told.every((told) => told.at(-1)?.step === 3)")
    assert place(films[0]) == place(films[1]) and "tep 4" in place(films[0])
    led, followed = (page.evaluate(f"window.told[{i}].at(-1)") for i in (1, 0))
    assert followed.pop("following") and "following" not in led
    shared = ("step", "block", "head", "row", "column", "layer", "range")
    assert [led[name] for name in shared] == [followed[name] for name in shared]
    assert (led["sample"], followed["sample"]) == (2, 0)
    page.locator("#side0").get_by_role("button", name="Play the steps").click()
    page.wait_for_function("window.told.every((told) => told.at(-1).step === 4)")
    assert page.evaluate("window.told.map((told) => told.length)") == [2, 3]


@pytest.mark.parametrize("named", [False, True])
def test_the_first_of_a_group_leads_whichever_is_there_first(page, recordings, named):
    """Unless the one that is there was asked for a place."""
    payloads = [probe_payload(recordings("map"), sample) for sample in (0, 2)]
    places = []
    for payload in payloads:  # where each would be alone
        show(page, payload, state={})
        label = page.locator("canvas[data-name=film]").get_attribute("aria-label")
        places.append(label.split(":")[0])
        page.evaluate(
            "window.remove(), document.getElementById('host').replaceWith(Object.assign("
            "document.createElement('div'), { id: 'host' }))"
        )
    assert places[0] != places[1]
    states = {}, dict(START, step=4) if named else {}
    sides = [encoded(p, state=s, revision=0, group="pair") for p, s in zip(payloads, states)]
    page.evaluate(TOGETHER, [module("streamlit"), *sides, True])
    page.wait_for_function(f"window.told[{0 if named else 1}].length === 1")
    films = [page.locator(f"#side{i} canvas[data-name=film]") for i in (0, 1)]
    labels = [film.get_attribute("aria-label").split(":")[0] for film in films]
    assert labels[0] == labels[1] and (labels[0] == places[0]) != named


def test_a_map_within_one_step_is_labelled_as_such(page, recordings):
    recording = recordings("projection")
    show(page, probe_payload(recording))
    text = page.locator(".attention").inner_text()
    assert "compares patches of one step" in text and "projection memory, 3 steps" in text
    bars = page.locator(".lagbars").get_attribute("aria-label")
    assert bars.startswith("Q: step 2 ") and "V:" in bars
    split = measures.attention_split(recording, 0, 1, (2, 4), 3)
    parts = shares(page)
    assert set(parts) == {"self", "others"} and sum(parts.values()) == split.total


# --- stages -------------------------------------------------------------------------------------


def open_stage(page, stage):
    page.locator(f"[data-stage={stage}]").click()
    told(page, stage=stage)


def shown_panels(page):
    """The panels of stages that can be seen, by class."""
    names = "nodes => nodes.filter((n) => n.clientWidth).map((n) => n.className.split(' ')[1])"
    stages = {"input", "stem", "qkv", "attention", "values", "decision"}
    return stages & set(page.locator(".panel").evaluate_all(names))


def compared(page):
    """Key step, row, column of the compared key, the count of coincidences and the entry of the map."""
    words = page.locator(".verdict").inner_text()
    row, column, step = map(
        int, re.search(r"key row (\d+), column (\d+), step (\d+)", words).groups()
    )
    count = int(page.locator(".verdict [data-count]").get_attribute("data-count"))
    entry = int(page.locator(".verdict [data-entry]").get_attribute("data-entry"))
    return (step - 1, row - 1, column - 1), count, entry


def entries(recording, state, sample):
    """The recorded map of a state's query: counts by (key step, row, column)."""
    maps = measures.key_maps(
        recording, state["block"], state["head"], (state["row"], state["column"]), state["step"], sample
    )  # fmt: skip
    return {
        (int(step), row, column): int(maps.raw[i, row, column])
        for i, step in enumerate(maps.key_steps)
        for row in range(ROWS)
        for column in range(COLUMNS)
    }


@pytest.mark.parametrize("form", ["map", "projection"])
def test_coincident_spikes_are_the_entry_of_the_map(page, recordings, form):
    recording = recordings(form)
    maps = recording["blocks/0/attention/scores"].isel(batch=1, pair=slice(-3, None))
    head, token = divmod(int(maps.sum(("pair", "key")).values.argmax()), ROWS * COLUMNS)
    state = dict(step=4, block=0, head=head, row=token // COLUMNS, column=token % COLUMNS)
    show(page, probe_payload(recording, 1), state=state)
    open_stage(page, "qkv")
    counts = entries(recording, state, 1)
    key, count, entry = compared(page)
    assert count == entry == counts[key] == max(counts.values()) > 0
    keys = page.locator("canvas[data-name=keys]")
    keys.focus()
    presses = ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp", "PageUp", "PageDown", "ArrowLeft"]
    seen = {key}
    for name in presses:
        page.keyboard.press(name)
        page.wait_for_timeout(40)
        key, count, entry = compared(page)
        assert count == entry == counts[key]
        seen.add(key)
    assert len(seen) > 3 and len({step for step, *_ in seen}) == (2 if form == "map" else 1)
    told(page, key=".".join(map(str, key)), row=state["row"])
    page.keyboard.press("Escape")
    page.wait_for_timeout(40)
    assert counts[compared(page)[0]] == max(counts.values())
    assert told(page, key="")["row"] == state["row"], "the query stays"


def test_a_key_in_the_state_is_compared_until_another_question_is_asked(page, recordings):
    recording = recordings("map")
    show(page, probe_payload(recording, 1), state=START | {"stage": "qkv", "key": "2.5.9"})
    assert compared(page)[0] == (2, 5, 9)
    page.locator("canvas[data-name=input]").focus()
    press(page, "ArrowRight")
    assert told(page, column=START["column"] + 1)["key"] == ""
    counts = entries(recording, START | {"column": START["column"] + 1}, 1)
    assert counts[compared(page)[0]] == max(counts.values())


@pytest.mark.parametrize("key", ["9.0.0", "2.7.0", "2.0.11", "2.5", "a.b.c", "-1.0.0", "2.5.9.1"])
def test_a_key_that_does_not_exist_is_the_strongest(page, recordings, key):
    recording = recordings("map")
    show(page, probe_payload(recording, 1), state=START | {"stage": "qkv", "key": key})
    counts = entries(recording, START, 1)
    assert counts[compared(page)[0]] == max(counts.values())


def test_pointing_at_a_key_compares_it(page, recordings):
    recording = recordings("projection")
    show(page, probe_payload(recording))
    open_stage(page, "qkv")
    counts = entries(recording, START, 0)
    before = compared(page)[0]
    keys = page.locator("canvas[data-name=keys]")
    box = keys.bounding_box()  # Q, K and V side by side
    third = box["width"] / 3
    keys.hover(position={"x": third + 0.35 * third, "y": box["height"] * 0.6})
    page.wait_for_timeout(60)
    key, count, entry = compared(page)
    assert count == entry == counts[key] and key[0] == START["step"] and key != before
    assert "Q" in keys.get_attribute("aria-label")


@pytest.mark.parametrize("form", ["map", "projection"])
def test_what_is_read_is_what_the_model_reads(page, recordings, form):
    recording = recordings(form)
    show(page, probe_payload(recording, 1), state=START | {"stage": "readout"})
    read = recording["blocks/0/attention/read"].isel(time=3, batch=1, head=1, query=2 * COLUMNS + 4)
    shown = page.locator(".values [data-read]")
    assert float(shown.get_attribute("data-read")) == pytest.approx(float(read.sum()), rel=1e-5)
    spikes = recording["blocks/0/attention/neuron/spikes"].values[3, 1, 13:26, 2, 4]
    assert (
        f"{spikes.sum()} of their 13 neurons spike" in page.locator(".values .readout").inner_text()
    )


def test_the_stem_and_the_tiles_count_as_the_package_does(page, recordings):
    recording = recordings("map")
    show(page, probe_payload(recording, 1), state=START | {"stage": "stem"})
    spikes = [recording[f"stem/{n}/neuron/spikes"].values[3, 1] for n in ("stages/0", "position")]
    both = np.add(*[s.astype(int) for s in spikes])
    words = page.locator(".stem .readout").inner_text()
    assert f"column 5: {both[:, 2, 4].sum()} spikes; all patches {both.sum()}" in words
    maps = measures.key_maps(recording, 0, 1, (2, 4), 3, 1)
    rate = measures.firing_map(recording.isel(batch=[1])).rate
    names = measures.firing_map(recording).layers
    texts = {
        n: page.locator(f"[data-stage={n}] b").inner_text()
        for n in ("scores", "denoise", "readout")
    }
    assert float(texts["scores"]) == maps.raw.sum()
    assert float(texts["denoise"].split()[0]) == pytest.approx(
        100 * maps.removed.sum() / maps.raw.sum(), abs=0.5
    )
    fired = 100 * rate[names.index("blocks.0.attention.neuron"), 3]
    assert float(texts["readout"].split()[0]) == pytest.approx(fired, abs=0.5)
    logits = recording["head"].values[3, 1]
    assert (
        page.locator("[data-stage=logits]")
        .get_attribute("aria-label")
        .startswith(f"Logits: class {logits.argmax()} leads")
    )


def test_the_map_is_open_at_first(page, recordings):
    show(page, probe_payload(recordings("map")))
    assert shown_panels(page) == {"input", "attention", "decision"}
    checked = page.locator("[role=radio][aria-checked=true]")
    assert checked.get_attribute("data-stage") == "denoise" and checked.count() == 1
    assert page.locator("[role=radio][tabindex='0']").count() == 1
    page.locator("canvas[data-name=film]").focus()
    page.keyboard.press("ArrowUp")
    told(page, row=START["row"] - 1, stage="denoise")


def test_arrows_on_the_stages_leave_the_query_alone(page, recordings):
    show(page, probe_payload(recordings("map")))
    page.locator("[data-stage=denoise]").focus()
    for expected in ("readout", "logits", "input", "stem"):
        page.keyboard.press("ArrowRight")
        state = told(page, stage=expected)
        assert (state["row"], state["column"]) == (START["row"], START["column"])
    assert shown_panels(page) == {"input", "stem", "decision"}
    page.keyboard.press("End")
    told(page, stage="logits")
    assert shown_panels(page) == {"input", "attention", "decision"}
    assert page.locator(".panel[data-open]").get_attribute("aria-label") == "Decision, step by step"


def test_a_narrow_page_shows_the_open_stage_alone(page, recordings):
    page.set_viewport_size({"width": 390, "height": 844})
    show(page, probe_payload(recordings("map")))
    for stage, panel in (("stem", "stem"), ("qkv", "qkv"), ("scores", "attention"),
                         ("readout", "values"), ("logits", "decision"), ("input", "input")):  # fmt: skip
        open_stage(page, stage)
        assert shown_panels(page) == {panel}
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(
    "names, stage, words",
    [
        (["*.scores", "*.denoise"], "qkv", "The spikes of Q, K and V were not recorded"),
        (["*.scores", "*.denoise"], "stem", "The spikes that leave the stem were not recorded"),
        (
            ["*.scores", "*.query.neuron.*"],
            "readout",
            "blocks.1.attention.neuron were not recorded",
        ),
        (["*.spikes"], "qkv", "No attention map was recorded"),
        (["*.spikes"], "readout", "No attention map was recorded"),
        (["*.scores", "*.spikes"], "denoise", "What the denoiser keeps was not recorded"),
        (["*.denoise", "*.spikes"], "scores", "The counts before the denoiser were not recorded"),
        ("head", "stem", "The spikes that leave the stem were not recorded"),
    ],
)
def test_stages_say_what_is_missing(
    page, recordings, small_model, small_input, names, stage, words
):
    model = small_model()
    payload = probe_payload(record(model, small_input(model.config, steps=STEPS), names))
    show(page, payload, state={"stage": stage})
    assert words in page.locator(".dista-probe").inner_text()
    for tile in ("stem", "qkv", "scores", "denoise", "readout", "logits", "input"):
        page.locator(f"[data-stage={tile}]").click()
        page.wait_for_timeout(40)


def test_a_map_that_was_changed_is_not_called_a_count(page, recordings):
    changed = recordings("map").copy(deep=True)
    changed["blocks/0/attention/scores"].values[:] += 1
    show(page, probe_payload(changed), state=START | {"stage": "qkv"})
    words = page.locator(".verdict").inner_text()
    assert "the map was changed after it was counted" in words


@pytest.mark.parametrize(
    "names, words",
    [
        ("head", ["No attention map was recorded", "No neurons were recorded"]),
        ("blocks.*.attention.scores", ["No logits were recorded", "No spikes of this layer"]),
        ("blocks.*.neuron.spikes", ["No membrane potential of this layer"]),
        (
            "blocks.*.neuron.membrane",
            ["No spikes of this layer", "Time constants were not recorded"],
        ),
    ],
)
def test_missing_parts_are_said(page, recordings, names, words):
    show(page, probe_payload(recordings("map", names)), state={})
    text = page.locator(".dista-probe").inner_text()
    assert [word for word in words if word not in text] == []
    page.keyboard.press("Tab")
    page.keyboard.press("]")


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_page(page, recordings, width):
    page.set_viewport_size({"width": width, "height": 900})
    show(page, probe_payload(recordings("map")))
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_in_a_notebook(page, recordings):
    traits = dict(START, sample=0, layer="", neuron=-1, range="head", stage="denoise")
    data = base64.b64encode(probe_payload(recordings("map")).to_bytes()).decode()
    page.evaluate(JUPYTER, [module("jupyter"), data, traits])
    page.locator("canvas[data-name=input]").click(position={"x": 3, "y": 3})
    page.wait_for_function("window.saved")
    saved = page.evaluate("window.saved")
    assert (saved["row"], saved["column"], saved["step"]) == (0, 0, 3)
    assert saved["layer"].endswith("neuron") and saved["neuron"] >= 0
    page.evaluate("window.model.fire('step', 1)")
    title(page, "Step 2 of 5")
    page.evaluate("window.model.fire('stage', 'stem')")
    page.locator(".stem").wait_for()
    page.locator("[data-stage=logits]").click()
    page.wait_for_function("window.saved.stage === 'logits'")


# --- predictions and the tau lab --------------------------------------------------------------------

TRAITS = {"predict": ("part", "spec", "values", "committed", "result")}
TRAITS["tau_lab"] = ("part", "current", "tau", "threshold", "reset", "top", "drawn")


def mount(page, widget):
    """Show a lesson's widget with the traits that it has in Python."""
    traits = {name: getattr(widget, name) for name in TRAITS[widget.part]}
    page.evaluate(JUPYTER, [module("lesson"), "", traits])
    page.locator(".lesson .panel").wait_for()


def carry(page, widget, *names):
    """What the browser saved, to Python; and what Python made of it, back."""
    saved = page.evaluate("window.saved")
    for name in names:
        setattr(widget, name, saved[name])
    answer = "result" if widget.part == "predict" else "drawn"
    page.evaluate(
        "([name, value]) => window.model.fire(name, value)", [answer, getattr(widget, answer)]
    )


def of_steps(page):
    page.locator("button.mark").first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Enter", "ArrowRight", "Space"):
        page.keyboard.press(key)
    return [3, 4]


def of_bars(page):
    page.locator(".grip").first.focus()
    for key in ("End", "PageDown", "PageDown", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    return pytest.approx([0.6, 0.2, 0.2])


def of_curve(page):
    page.locator(".grip").nth(2).focus()
    page.keyboard.press("Home")
    return [0.5, 0.5, 0]


def of_order(page):
    name = page.locator(".sorted li span").first.inner_text()
    page.locator(".sorted li").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.locator(".sorted li:focus span").first.inner_text() == name
    names = page.locator(".sorted li > span:not(.movers)").all_inner_texts()[:5]
    assert names[2] == name
    return names


def of_pick(page):
    assert page.locator("button.decide").is_disabled()
    page.locator(".cell").first.focus()
    for key in ("ArrowRight", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    return [1, 1]


def of_choice(page):
    assert page.locator("button.decide").is_disabled()
    page.locator("input").first.focus()
    page.keyboard.press("Space")
    return "a"


@pytest.mark.parametrize("position", range(6))
def test_a_prediction_is_made_with_keys_and_then_shown_beside_the_run(page, position):
    from test_lessons import KINDS

    from dista.widgets import predict

    prediction = KINDS[position]
    widget = predict(prediction)
    mount(page, widget)
    shown = page.locator("#host").inner_text()
    values = globals()[f"of_{prediction.kind}"](page)
    page.locator("button.decide").focus()
    page.keyboard.press("Enter")
    carry(page, widget, "values", "committed")
    assert widget.values == values and prediction.last.points not in shown
    said = page.locator(".said").inner_text()
    assert said.startswith(f"{prediction.last.points}. {prediction.last.words}")
    assert page.locator(".swatch.run:visible, .is-run, .sorted.run li").count()
    page.get_by_role("button", name="Again").click()
    carry(page, widget, "committed")
    assert page.locator(".said").inner_text() == "" and widget.values == values


def test_bars_are_dragged_and_the_lab_follows(page):
    from dista.widgets import tau_lab

    lab = tau_lab([0.0] * 6, tau=1.0)
    mount(page, lab)
    box = page.locator("svg.sizes").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 90)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 30)
    page.mouse.up()
    carry(page, lab, "current")
    assert [value > 1 for value in lab.current].count(True) == 1
    assert page.locator(".readout").inner_text().startswith("1 spike; nothing of the past stays")
    page.locator("input[type=range]").first.fill("4")
    carry(page, lab, "tau")
    assert lab.tau == 4.0 and page.locator("circle.spike").count() == len(lab.trace.fired)
    page.get_by_role("button", name="soft reset").click()
    carry(page, lab, "reset")
    assert lab.reset == "soft"


FIGURES = """async ([source, plotly, drawn]) => {
  const values = { plotly, drawn, theme: "light" }, listeners = {};
  window.model = {
    get: (name) => values[name], set: (name, value) => { values[name] = value; },
    save_changes: () => { window.saved = { ...values }; },
    on: (event, listener) => { listeners[event] = listener; },
    off: (event) => { delete listeners[event]; },
    fire: (name, value) => { values[name] = value; listeners[`change:${name}`]?.(); },
  };
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  window.remove = (await import(url)).default.render({ model: window.model, el: document.getElementById("host") });
}"""


@pytest.mark.slow
def test_figures_are_drawn_in_place(page):
    """What grows is drawn into the figure that is there, which keeps the reader's zoom; nothing is torn down."""
    import small

    from dista import figures
    from dista.widgets.figures import Figures

    texts = [figures.tau_history(small.neurons()[: 3 * n]).to_json() for n in (2, 3)]
    accuracy = figures.learning_curves(small.epochs()).to_json()
    page.evaluate(FIGURES, [Figures._esm, Figures.plotly.default_value, [texts[0], accuracy]])
    plots = page.locator(".js-plotly-plot")
    plots.nth(1).locator(".main-svg").first.wait_for()
    tags = "nodes => nodes.map((n) => { n.tag = true; return n.calcdata?.[0].length; })"
    assert plots.evaluate_all(tags) == [2, 3]
    page.evaluate(
        """() => { window.torn = 0; new MutationObserver((list) => { for (const { removedNodes } of list)
        for (const node of removedNodes) if (node.classList?.contains("main-svg")) window.torn += 1; })
        .observe(document.getElementById("host"), { childList: true, subtree: true }); }"""
    )
    zoom = "node => globalThis[Symbol.for('dista plotly')].relayout(node, {'xaxis.range': [0, 1]})"
    plots.first.evaluate(zoom)
    page.evaluate("(drawn) => window.model.fire('drawn', drawn)", [texts[1], accuracy])
    page.wait_for_function("document.querySelector('.js-plotly-plot').calcdata[0].length === 3")
    assert plots.evaluate_all("nodes => nodes.every((n) => n.tag)")
    assert page.evaluate("window.torn") == 0
    assert plots.first.evaluate("node => node.layout.xaxis.range") == [0, 1]
    assert "moved furthest" in plots.first.get_attribute("aria-label")
    page.evaluate("document.body.style.background = '#111'")
    page.evaluate("(drawn) => window.model.fire('drawn', drawn)", [texts[1]])
    assert plots.count() == 1
    page.evaluate("window.remove()")
    assert page.locator(".figures").count() == 0
