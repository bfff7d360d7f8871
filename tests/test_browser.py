"""The dashboard in a real browser: what only a click, a key and a link can show."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import dashboard
import numpy as np
import pytest

from app.inputs import images
from app.link import vocabulary
from dista.experiments.painting import SPECKLED, paint_marks
from dista.runs import Run

ROOT = Path(__file__).parent.parent
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PLACE = re.compile(r"(?:block|head|step) (\d+)")  # as a page says it, from 1
PROBE, PLOT = ".dista-probe .panel", ".js-plotly-plot"  # what a page is waited for
PATIENCE = int(
    os.environ.get("DISTA_TEST_PATIENCE", 120_000)
)  # ms: machines may be busy with something else

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def folders(assets, tmp_path_factory):
    return assets, tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def server(folders):
    """The dashboard as users start it, on a free port; its process and its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assets, runs = folders
    command = [sys.executable, "-m", "streamlit", "run", "app/main.py", f"--server.port={port}"]
    command += ["--server.headless=true", "--server.address=127.0.0.1"]
    environment = os.environ | {"DISTA_ASSETS": str(assets), "DISTA_RUNS": str(runs)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(f"{address}/_stcore/health"), "the server answers")
        yield process, address
    finally:
        process.terminate()
        process.wait(20)


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except OSError:
        return False


def wait_until(condition, what, patience=PATIENCE / 1000):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, f"waited {patience} s, but never: {what}"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def visit(server, browser):
    """``visit(path, **options)``: a page on which ``ready`` has appeared; no error may be logged."""
    errors, contexts = [], []

    def open_page(path="", width=1440, height=1000, ready=PROBE, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{server[1]}/{path}")
        page.locator(ready).first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def query(page):
    """What the address says, places counted from 0."""
    said = parse_qs(urlsplit(page.url).query)
    return vocabulary.read({name: values[0] for name, values in said.items()})


def film(page):
    """The probe says what it shows: step, patch, block, head and the strongest key; empty till drawn."""
    return page.locator("canvas[data-name=film]").get_attribute("aria-label") or ""


def wait_for_url(page, **wanted):
    texts = {name: str(value) for name, value in wanted.items()}
    wait_until(lambda: texts.items() <= pumped(page, query).items(), f"{wanted} in the URL")


def settle(page):
    """Wait till the page has run to its end; it begins some milliseconds after what asks it to."""
    page.wait_for_timeout(300)
    page.locator("[data-test-script-state=notRunning]").wait_for()


def pumped(page, read):
    """What ``read`` sees after the browser's events have come in."""
    page.wait_for_timeout(50)
    return read(page)


def click_patch(page, row, column, rows=7, columns=7):
    canvas = page.locator("canvas[data-name=input]")
    box = canvas.bounding_box()
    at = {"x": (column + 0.5) / columns * box["width"], "y": (row + 0.5) / rows * box["height"]}
    canvas.click(position=at)


def test_the_first_figure_needs_no_torch(server, visit):
    page = visit()
    assert page.locator(".dista-probe canvas").count() > 5
    assert page.get_by_text("Traceback").count() == 0
    maps = Path(f"/proc/{server[0].pid}/maps")
    if not maps.is_file():
        pytest.skip("needs /proc to see which libraries a process has loaded")
    assert "libtorch" not in maps.read_text()


def test_click_and_keys_move_the_view_and_a_link_restores_it(visit):
    page = visit()
    opened = page.get_by_text("Opened where there is most to see").inner_text()
    block, head, step = (int(number) - 1 for number in PLACE.findall(opened))
    click_patch(page, 2, 5)
    wait_for_url(page, row=2, column=5, block=block, head=head, step=step)
    assert step >= 6, "where the answer is read out"
    wait_for_url(page, checkpoint="match-map", sample=dashboard.SAMPLE)
    page.keyboard.press("[")
    page.keyboard.press("[")
    page.keyboard.press(".")
    page.keyboard.press("ArrowDown")
    wait_for_url(page, row=3, column=5, step=step - 2, head=1 - head)  # of two
    page.get_by_role("button", name="per head").click()
    page.locator(".taurow").nth(3).click()
    wait_for_url(page, range="head", layer="blocks.0.attention.query.neuron")
    assert f"Step {step - 1}, patch row 4, column 6" in film(page)
    again = visit(f"?{urlsplit(page.url).query}")
    wait_until(lambda: pumped(again, film) == film(page), "the link leads to the same view")
    assert pressed(again) == pressed(page)


def pressed(page):
    """What is chosen: block, head, colour range, layer."""
    return page.locator(".dista-probe [aria-pressed=true]").all_inner_texts()


@pytest.mark.slow
def test_an_open_stage_is_in_the_link(visit):
    page = visit()
    page.locator("[data-stage=qkv]").click()
    wait_for_url(page, stage="qkv")
    page.locator("canvas[data-name=keys]").press("ArrowLeft")
    wait_until(lambda: "key" in pumped(page, query), "the key that is compared")
    verdict = page.locator(".verdict").inner_text()
    again = visit(f"?{urlsplit(page.url).query}")
    again.locator(".verdict").wait_for()
    assert again.locator(".verdict").inner_text() == verdict
    page.locator("canvas[data-name=keys]").press("Escape")
    wait_until(lambda: "key" not in pumped(page, query), "the strongest again")
    page.locator("[data-stage=qkv]").press("ArrowLeft")
    wait_for_url(page, stage="stem")


@pytest.mark.slow
def test_untrained_networks_are_asked_when_the_reader_is(visit):
    page = visit()
    page.get_by_role("button", name="How far to trust").click()
    page.get_by_text("to an untrained network's maps").first.wait_for()
    wait_for_url(page, trust="open")
    page.keyboard.press("Escape")
    wait_until(lambda: "trust" not in pumped(page, query), "the note is closed")
    again = visit("?trust=open")
    again.get_by_text("to an untrained network's maps").first.wait_for()


def test_back_undoes(visit):
    page = visit()
    click_patch(page, 1, 1)
    wait_for_url(page, row=1, column=1)
    click_patch(page, 4, 2)
    wait_for_url(page, row=4, column=2)
    page.go_back()
    wait_until(lambda: "patch row 2, column 2" in pumped(page, film), "the patch of before")


def test_a_page_is_left_and_found_as_it_was(visit):
    page = visit("?row=1&column=6&step=5")
    wait_until(
        lambda: "Step 6, patch row 2, column 7" in pumped(page, film), "the view of the link"
    )
    view = film(page)
    page.get_by_role("link", name="Train", exact=True).click()
    page.locator("canvas[data-name=film]").wait_for(state="detached")
    page.get_by_role("link", name="Watch", exact=True).click()
    wait_for_url(page, row=1, column=6, step=5)
    page.locator("canvas[data-name=film]").wait_for()
    wait_until(lambda: pumped(page, film) == view, "the view of before")


def test_what_is_looked_at_goes_along_by_the_menu_and_by_the_links_under_figures(visit):
    page = visit("?checkpoint=digits&sample=3&block=1&head=0&row=2&column=5")
    page.get_by_role("link", name="Denoise", exact=True).click()
    wait_for_url(page, checkpoint="digits", sample=3)
    page.get_by_test_id("stNumberInputStepUp").first.click()
    wait_for_url(page, sample=4)
    settle(page)  # its links are those of the sample before till then
    page.get_by_role("link", name="This sample in Watch").click()
    wait_for_url(page, checkpoint="digits", sample=4)
    page.locator(PROBE).first.wait_for()  # else the button may be that of the page before
    page.get_by_role("link", name="This head in Ablate").wait_for()
    settle(page)
    page.get_by_role("button", name="Link", exact=True).click()
    link = page.locator(".stCode code").filter(has_text="?").first
    wait_until(lambda: "sample=4" in pumped(page, lambda _: link.text_content()), "a link")
    assert "checkpoint=digits" in link.text_content()


def test_another_sample_keeps_the_place_and_the_probe(visit):
    page = visit(f"?sample={dashboard.SAMPLE}&step=0&row=2&column=2")
    page.locator(".dista-probe").evaluate("element => { element.marked = true; }")
    before = picture(page)
    page.get_by_test_id("stNumberInputStepUp").click()
    wait_for_url(page, sample=dashboard.SAMPLE + 1)
    wait_until(lambda: pumped(page, picture) != before, "another cue is shown")
    assert page.locator(".dista-probe").evaluate("element => element.marked")
    wait_until(lambda: "Step 1, patch row 3, column 3" in pumped(page, film), "the same place")


def test_the_patch_and_head_that_look_most_at_the_cue_are_one_click_away(visit):
    page = visit(f"?sample={dashboard.SAMPLE}&step=0&block=0&head=0&row=0&column=0")
    first = page.locator(".st-key-lookers button").first
    first.wait_for()
    said = first.inner_text()
    first.click()
    block, head = (int(number) - 1 for number in said.split(",")[0].split("."))
    step, row, column = (int(part.split()[-1]) - 1 for part in said.split(":")[0].split(",")[1:])
    wait_for_url(page, block=block, head=head, step=step, row=row, column=column)
    place = f"Step {step + 1}, patch row {row + 1}, column {column + 1}"
    wait_until(lambda: place in pumped(page, film), "the probe is there")
    page.get_by_role("button", name=f"{block + 1}.{head + 1}", exact=True).click()
    wait_for_url(page, silent=f"{block}.{head}")
    page.locator(".st-key-answer-after").get_by_text("%").wait_for()
    wait_until(lambda: place in pumped(page, film), "the probe has kept its place")
    page.get_by_role("button", name="Reset", exact=True).click()
    wait_until(lambda: "silent" not in pumped(page, query), "as it was trained")


def test_all_heads_are_measured_in_one_click_with_intervals(visit):
    page = visit("ablate?checkpoint=digits&samples=75&switches=", ready=".st-key-each-part")
    page.get_by_role("radio", name="every head").click()
    wait_for_url(page, each="heads")
    page.locator(".st-key-each .gtitle").wait_for()
    rows = page.locator(".st-key-each .annotation-text").all_text_contents()
    assert sum("one answer" in text for text in rows) == 4  # two blocks of two heads
    said = page.get_by_role("heading").filter(has_text="more than chance may")
    wait_until(
        lambda: pumped(page, lambda _: said.count()) == 1, "that of the first samples is gone"
    )
    assert "of 4 heads" in said.inner_text() and "75 held-out samples" in said.inner_text()


def draw(page, *points):
    """Draw through points of the pad, 0..1 each way, with the mouse."""
    box = page.locator("canvas[data-name=pad]").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


def input_pixels(page):
    """The input as the probe draws it: 28 x 28 shares of ink."""
    return page.locator("canvas[data-name=input]").evaluate("""canvas => {
        const small = new OffscreenCanvas(28, 28).getContext("2d");
        small.drawImage(canvas, 0, 0, 28, 28);
        return [...small.getImageData(0, 0, 28, 28).data].filter((_, i) => i % 4 === 0).map(v => 1 - v / 255);
    }""")


def test_a_drawn_digit_is_the_input_and_in_the_link(visit):
    page = visit("?checkpoint=digits&sample=3&row=0&column=0")
    before = picture(page)
    page.get_by_role("button", name="Own input").click()
    page.locator("canvas[data-name=pad]").wait_for()
    draw(page, (0.3, 0.2), (0.7, 0.2), (0.45, 0.85))
    wait_until(lambda: "image" in pumped(page, query), "the drawing in the URL")
    wait_until(lambda: pumped(page, picture) != before, "the drawing is shown")
    expected = images.image_pixels(query(page)["image"])
    assert expected.sum() > 40
    shown = np.reshape(input_pixels(page), (28, 28))
    assert np.corrcoef(shown[6:].ravel(), expected[6:].ravel())[0, 1] > 0.9
    link = urlsplit(page.url).query
    again = visit(f"?{link}")
    wait_until(lambda: pumped(again, picture) == pumped(page, picture), "the link shows it as well")
    page.get_by_role("button", name="Undo").click()
    wait_until(lambda: "image" not in pumped(page, query), "no drawing, no image in the URL")
    wait_until(lambda: pumped(page, picture) == before, "the sample again")
    page.get_by_role("button", name="Previous input").click()
    wait_until(lambda: f"image={pumped(page, query).get('image')}" in link, "the drawing again")


def test_a_digit_can_be_drawn_with_keys(visit):
    page = visit("?checkpoint=digits&sample=3")
    page.get_by_role("button", name="Own input").click()
    pad = page.locator("canvas[data-name=pad]")
    pad.focus()
    page.keyboard.press("Space")
    for _ in range(8):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    page.get_by_text("Pen up, 50 % from the left, 70 % from the top").wait_for(state="attached")
    wait_until(lambda: "image" in pumped(page, query), "the drawing in the URL")
    ink = images.image_pixels(query(page)["image"])
    rows, columns = np.nonzero(ink > 0.5)
    assert np.ptp(rows) > 15 and np.ptp(columns) < 4, "a one"
    page.get_by_role("button", name="Clear").press("Enter")
    wait_until(lambda: "image" not in pumped(page, query), "it is cleared")


def test_mistakes_are_searched_and_one_is_chosen(visit):
    page = visit("?checkpoint=digits&sample=3")
    page.get_by_role("button", name="Find").click()
    # Its progress and Stop are in test_page_samples: here a search may be over before it is seen.
    page.get_by_text("are answered wrong").wait_for()
    mistake = page.get_by_role("button", name="Sample ").first
    number = mistake.inner_text().split()[1].rstrip(":")
    mistake.click()
    wait_for_url(page, sample=number)
    assert query(page)["checkpoint"] == "digits"


def picture(page):
    return page.locator("canvas[data-name=input]").evaluate("canvas => canvas.toDataURL()")


def test_a_phone_shows_the_open_step_and_what_can_be_changed_above_the_probe(visit):
    page = visit("?step=8&from=1", 390)
    strip, now = page.locator(".steps"), page.locator(".steps [aria-current=step]")
    assert inside(now.bounding_box(), strip.bounding_box())
    change, shown = page.locator(".st-key-card-change"), page.locator(".st-key-reset")
    above = pumped(page, lambda page: change.bounding_box()["y"] < strip.bounding_box()["y"])
    assert above and shown.is_visible() and page.get_by_text("Silent heads").is_hidden()
    page.locator(".st-key-show-changes label").click()
    page.get_by_text("Silent heads").wait_for()
    assert change.bounding_box()["y"] < strip.bounding_box()["y"]


def inside(box, frame):
    return frame["x"] <= box["x"] + 1 and box["x"] + box["width"] <= frame["x"] + frame["width"] + 1


def test_links_of_a_page_that_runs_cannot_be_clicked_and_the_menu_can(visit):
    page = visit("glossary", 390, ready=".st-key-next-page a")
    settle(page)
    events = """(key) => {
        const link = document.querySelector(`.st-key-${key} a`);
        link.closest("[data-stale]").dataset.stale = "true";
        return getComputedStyle(link).pointerEvents;
    }"""
    assert page.evaluate(events, "next-page") == "none"
    assert page.evaluate(events, "phone-menu") == "auto"


def test_it_fits_a_phone_and_follows_the_dark_theme(visit):
    page = visit(width=390, height=844, color_scheme="dark")
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
    assert page.locator(".dista-probe").get_attribute("data-theme") == "dark"


def test_a_click_in_the_raster_picks_a_neuron_and_surgery_is_in_the_link(visit):
    page = visit("neurons?checkpoint=digits&sample=3&layer=stem.position.neuron", ready=PLOT)
    cells = page.locator(".st-key-raster .nsewdrag").first
    cells.wait_for()
    box = cells.bounding_box()
    cells.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    wait_until(
        lambda: {"channel", "neuron-row", "neuron-column"} <= pumped(page, query).keys(), "a neuron"
    )
    page.get_by_role("combobox", name="Time constants").click()
    page.get_by_role("option", name="set to a value").click()
    page.get_by_text("What follows from it").wait_for()
    wait_for_url(page, taus="set")
    titles = page.locator(".st-key-membrane-change .gtitle")
    again = visit(f"neurons?{urlsplit(page.url).query}", ready=".st-key-membrane-change .gtitle")
    assert again.locator(".st-key-membrane-change .gtitle").text_content() == titles.text_content()


@pytest.mark.slow
def test_noise_is_measured_with_progress_and_can_be_cancelled(visit):
    page = visit("denoise?checkpoint=digits&sample=3&kind=occlusion&level=0.4", ready=PLOT)
    page.locator(".st-key-similarity .gtitle").wait_for()
    page.get_by_role("radio", name="500").click()
    page.get_by_text("% of 500 samples with every level").wait_for()
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_text("Choose a number of samples").wait_for()
    wait_until(lambda: "samples" not in pumped(page, query), "samples out of the URL")
    assert page.locator(".st-key-curve").count() == 0
    again = visit(f"denoise?{urlsplit(page.url).query}", ready=".st-key-input .gtitle")
    shown = [it.locator(".st-key-input .gtitle").text_content() for it in (page, again)]
    assert shown[0] == shown[1] and "of the patches" in shown[0]


@pytest.mark.slow
def test_stopping_early_is_in_the_link(visit):
    page = visit("energy?checkpoint=digits", ready=".st-key-anytime .gtitle")
    page.get_by_text("An answer takes").wait_for()
    page.get_by_role("slider", name="Stop after step").press("ArrowLeft")
    page.get_by_text("Stopping after 3 steps of 4 saves").wait_for()
    wait_for_url(page, stop=3)
    page.get_by_role("radio", name="spikes").click()
    wait_for_url(page, quantity="spikes")
    again = visit(f"energy?{urlsplit(page.url).query}", ready=".st-key-anytime .gtitle")
    again.get_by_text("Stopping after 3 steps of 4 saves").wait_for()
    assert "of the spikes" in again.locator(".st-key-map .gtitle").text_content()


def test_a_click_in_a_matrix_changes_that_step(visit):
    page = visit("memory?checkpoint=match-map", ready=".st-key-closely-attention .gtitle")
    box = page.locator(".st-key-memory-neurons .heatmaplayer").bounding_box()
    page.mouse.click(box["x"] + 2.5 / 8 * box["width"], box["y"] + 6.5 / 8 * box["height"])
    wait_for_url(page, changed=2, network="neurons")
    page.get_by_role("heading", name="With step 3 changed").wait_for()
    page.get_by_role("radio", name="another sample's").click()
    wait_for_url(page, input="other")
    titles = page.locator(".st-key-closely-membrane .gtitle")
    again = visit(f"memory?{urlsplit(page.url).query}", ready=".st-key-closely-attention .gtitle")
    again.get_by_role("heading", name="With step 3 changed").wait_for()
    wait_until(
        lambda: (
            again.locator(".st-key-closely-membrane .gtitle").text_content()
            == pumped(page, lambda _: titles.text_content())
        ),
        "the link leads to the same view",
    )


@pytest.mark.slow
def test_what_is_switched_off_is_in_the_link(visit):
    page = visit("ablate?checkpoint=digits&samples=50", ready=".st-key-changes .gtitle")
    page.locator(".st-key-card-switches").get_by_role("button", name="2", exact=True).click()
    wait_for_url(page, switches="memory,block=1")
    page.get_by_text("All of it together:").first.wait_for()
    again = visit(f"ablate?{urlsplit(page.url).query}", ready=".st-key-changes .gtitle")
    shown = [it.locator(".st-key-changes .gtitle").text_content() for it in (page, again)]
    assert shown[0] == shown[1] and "All of it together" in shown[0]


def test_both_sides_of_a_comparison_move_together(visit):
    page = visit(f"compare?left=match-map&sample={dashboard.SAMPLE}&step=5&row=1&column=1")
    films = page.locator("canvas[data-name=film]")
    wait_until(lambda: pumped(page, lambda _: films.count()) == 2, "both probes")

    def both(place):
        labels = [films.nth(i).get_attribute("aria-label") or "" for i in (0, 1)]
        return all(place in label for label in labels)

    def wait_for_both(place):
        wait_until(lambda: pumped(page, lambda _: both(place)), f"{place} on both sides")

    wait_for_both("Step 6, patch row 2, column 2")
    page.locator("canvas[data-name=input]").nth(1).focus()
    for key in ("[", "ArrowRight"):
        page.keyboard.press(key)
    wait_for_both("Step 5, patch row 2, column 3")
    wait_for_url(page, step=4, row=1, column=2)
    page.go_back()
    wait_for_both("Step 6, patch row 2, column 2")


def test_a_run_appears_live(visit, folders):
    writer = dashboard.Writer(folders[1] / "live")
    writer.run.set_status("running", epoch=0, step=0, steps=30)
    page = visit("train")
    page.get_by_text("Epoch 1 of 3").wait_for()
    assert page.get_by_text("running").count() == 1
    writer.epoch(1)
    page.get_by_text("Epoch 2 of 3, step 10 of 30").wait_for()
    page.get_by_role("slider").wait_for()
    assert page.get_by_role("slider").get_attribute("aria-valuetext") == "1"
    writer.run.set_status("finished", epoch=3, step=30)
    page.get_by_text("Finished after 3 epochs").wait_for()
    page.locator(".js-plotly-plot").first.wait_for()


def test_a_training_outlives_the_page_that_started_it(visit, folders):
    """Started, left, found again by another reader, stopped: a real process all along."""
    dashboard.Writer(folders[1] / "seen").run.set_status("stopped", epoch=0, step=0)
    page = visit("train?run=seen&new-preset=tiny&new-data=digits&new-epochs=500")
    page.get_by_role("button", name="New run").click()
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url(lambda url: "run=tiny-" in url)
    run = query(page)["run"]
    page.get_by_text("Epoch 1 of 500").wait_for()
    page.context.close()
    steps = len(Run(folders[1] / run).table("steps"))
    wait_until(lambda: len(Run(folders[1] / run).table("steps")) > steps, "it goes on alone")
    again = visit(f"train?run={run}")
    again.get_by_role("button", name="Stop").click()
    again.get_by_text("Stopped in epoch").wait_for()
    assert Run(folders[1] / run).status().state == "stopped"
    assert again.get_by_role("button", name="Continue").is_visible()


def test_the_page_follows_a_run_that_it_was_asked_to_continue(visit, folders):
    """The click reruns a part of the page only, which was made for a run that does not change."""
    path = folders[1] / "goes-on"
    writer = dashboard.Writer(path)
    writer.run.set_status("stopped", epoch=0, step=0, steps=30)
    page = visit("train?run=goes-on", ready="text=Stopped in epoch 1 of 3")
    page.get_by_role("button", name="Continue").click()
    writer.run.set_status(
        "running", epoch=0, step=0, steps=30
    )  # the process that was started loads
    page.get_by_role("button", name="Stop").wait_for()
    writer.epoch(1)
    page.get_by_text("Epoch 2 of 3, step 10 of 30").wait_for()
    writer.run.set_status("finished", epoch=3, step=30)
    page.get_by_text("Finished after 3 epochs").wait_for()


def test_the_threshold_is_a_line_to_drag_and_for_the_keyboard(visit):
    page = visit("denoise?checkpoint=digits&sample=3", ready=".threshold .grip")
    page.locator(".st-key-similarity .gtitle").wait_for()
    grip = page.get_by_role("slider", name="Threshold u")
    box = page.locator(".threshold svg").bounding_box()
    x, y = box["x"], box["y"] + 150
    page.mouse.move(x + 0.2 * box["width"], y)
    page.mouse.down()
    page.mouse.move(x + 0.7 * box["width"], y, steps=4)
    dragged = grip.get_attribute("aria-valuenow")
    assert (
        int(dragged) > 1 and f"u = {dragged} removes" in page.locator(".threshold h3").inner_text()
    )
    assert "u" not in query(page), "the page hears of it when the line is let go"
    page.mouse.up()
    wait_for_url(page, u=dragged)
    grip.press("Home")
    wait_for_url(page, u=0)
    page.locator(".threshold h3").get_by_text("u = 0 removes 0 %").wait_for()
    page.go_back()
    wait_for_url(page, u=dragged)
    wait_until(
        lambda: pumped(page, lambda _: grip.get_attribute("aria-valuenow")) == dragged,
        "the line goes back",
    )
    page.get_by_role("button", name="As trained").click()
    wait_until(lambda: "u" not in pumped(page, query), "u out of the URL")


def test_a_control_that_was_left_is_found_as_it_was(visit):
    page = visit("denoise?checkpoint=digits&sample=3", ready=".threshold .grip")
    page.get_by_role("slider", name="Threshold u").press("Home")
    wait_for_url(page, u=0)
    page.get_by_role("link", name="Energy", exact=True).click()
    page.locator(".threshold .grip").wait_for(state="detached")
    page.get_by_role("link", name="Denoise", exact=True).click()
    page.locator(".threshold h3").get_by_text("u = 0 removes 0 %").wait_for()
    assert query(page)["u"] == "0"


def test_the_input_is_painted_with_the_pointer_and_with_keys(visit):
    page = visit("denoise?checkpoint=digits&sample=3&kind=painted", ready="canvas[data-name=brush]")
    canvas = page.locator("canvas[data-name=brush]")
    page.get_by_text("Paint on the input: nothing").wait_for()
    page.locator(".st-key-similarity .gtitle").wait_for()
    page.get_by_role("group", name="Width").get_by_role("button", name="1").click()
    page.wait_for_timeout(500)  # until nothing moves any more
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 2.5 / 28, box["y"] + box["height"] * 3.5 / 28)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 6.5 / 28, box["y"] + box["height"] * 3.5 / 28)
    page.mouse.up()
    wait_until(lambda: "paint" in pumped(page, query), "paint in the URL")
    marks = paint_marks(query(page)["paint"], 28, 28)
    assert np.argwhere(marks).tolist() == [[3, column] for column in range(2, 7)]
    page.get_by_role("button", name="speckles").click()
    canvas.focus()
    for key in ("ArrowDown", "Space"):
        page.keyboard.press(key)
    wait_until(
        lambda: paint_marks(pumped(page, query)["paint"], 28, 28)[4, 6] == SPECKLED, "a speckle"
    )
    page.get_by_role("button", name="Undo").click()
    wait_until(
        lambda: np.array_equal(paint_marks(pumped(page, query)["paint"], 28, 28), marks), "undone"
    )
    page.get_by_text("of the attention to corrupted patches and").wait_for()
    again = visit(f"denoise?{urlsplit(page.url).query}", ready="canvas[data-name=brush]")
    again.get_by_text("5 pixels painted").wait_for()


@pytest.mark.slow
def test_paint_can_be_there_at_one_step_only(visit):
    page = visit("denoise?kind=painted&step=6", ready="canvas[data-name=brush]")
    page.get_by_text("Paint is there at step 7 only.").wait_for()
    assert not page.get_by_role("group", name="Step", exact=True).is_visible()
    page.get_by_role("combobox", name="Steps").click()
    page.get_by_role("option", name="all steps").click()
    page.get_by_text("Paint is there at every step alike.").wait_for()
    page.get_by_role("group", name="Step", exact=True).wait_for()
    wait_until(lambda: pumped(page, query).get("changed") == "all", "all steps in the URL")


def saved(page, button):
    with page.expect_download() as download:
        button.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def test_figures_numbers_and_recordings_are_saved(visit):
    page = visit("energy?checkpoint=digits", ready=".st-key-anytime .gtitle")
    page.get_by_text("An answer takes").wait_for()
    page.get_by_role("button", name="Save").click()
    name, content = saved(page, page.get_by_role("button", name="Numbers, CSV"))
    assert name == "energy-digits.csv" and content.startswith(b"figure,")
    for kind, start in (("PNG", b"\x89PNG"), ("SVG", b"<svg")):
        name, content = saved(page, page.get_by_role("button", name=f"{kind}:").first)
        assert name == f"energy-digits-map.{kind.lower()}" and content.startswith(start)
    assert page.get_by_role("button", name="Everything, zip").is_visible(), "the popover stays open"
    page = visit(f"?sample={dashboard.SAMPLE}")
    page.get_by_role("button", name="Save", exact=True).click()
    name, content = saved(page, page.get_by_role("button", name="Recording, zarr"))
    assert name.endswith(".zarr.zip") and content.startswith(b"PK")
    page.keyboard.press("Escape")
    for panel in ("attention", "decision"):
        for kind, start in (("png", b"\x89PNG"), ("svg", b"<svg")):
            name, content = saved(page, page.locator(f".{panel} button.save.{kind}"))
            assert name == f"{panel}.{kind}" and content.startswith(start)
    assert page.locator(".tau button.save.png").is_hidden(), (
        "a list is nothing to save as a picture"
    )


@pytest.mark.parametrize("width", [390, pytest.param(1440, marks=pytest.mark.slow)])
def test_a_lesson_shows_figures_alone_and_opens_in_the_explorer(visit, width):
    page = visit("denoise?checkpoint=digits&sample=3&u=2&lesson=1", width, ready=".threshold .grip")
    page.locator(".st-key-similarity .gtitle").wait_for()
    controls = page.locator(".st-key-controls")
    assert controls.is_hidden() and page.locator(".st-key-controls-noise").is_hidden()
    assert page.get_by_role("link", name="Memory", exact=True).is_hidden()
    page.get_by_role("slider", name="Threshold u").press("ArrowRight")
    wait_for_url(page, u=3, lesson=1)
    page.get_by_role("button", name="Open in the explorer").click()
    controls.wait_for()
    wait_until(lambda: "lesson" not in pumped(page, query), "lesson out of the URL")
    assert query(page)["u"] == "3"
    if width < 640:  # where one button stands for all tools
        page.locator(".st-key-all-tools label").click()
    page.get_by_role("button", name="Link", exact=True).click()
    links = page.get_by_test_id("stCode").filter(has_text="lesson=1")
    links.wait_for()
    told = parse_qs(urlsplit(links.inner_text().strip()).query)
    assert told["u"] == ["3"] and told["lesson"] == ["1"] and told["checkpoint"] == ["digits"]


def test_the_first_view_offers_the_tour_and_the_tour_is_walked(visit):
    """By button and by key, with a question answered, to its end; the first view does not come again."""
    page = visit(ready=".st-key-start")
    page.locator(".stMain h1").wait_for()  # of more than one, this complains
    assert page.title() == "Watch · DISTA Explorer"
    page.get_by_role("button", name="Take the tour").click()
    for number in range(1, 13):
        page.get_by_text(f"DISTA in twelve steps · {number} of 12").wait_for()
        if number == 1:
            page.get_by_text("remember the first digit until the second one comes").click()
            page.get_by_text("What is not remembered is lost.").wait_for()
            page.keyboard.press("Alt+PageDown")
        elif number < 12:
            page.locator(".st-key-tour-next button").click()
    wait_for_url(page, tour="dista", **{"tour-step": 12})
    page.get_by_role("button", name="End the tour").last.click()
    page.locator(".st-key-tour").wait_for(state="detached")
    assert "tour" not in query(page)
    page.goto(page.url.partition("?")[0])
    page.locator(PROBE).first.wait_for()
    assert page.locator(".st-key-start").count() == 0


def test_on_a_phone_the_first_view_says_where_its_links_lead(visit):
    page = visit(width=390, height=844)
    for said in ("See one neuron", "See what a patch attends to", "See what it removes"):
        assert page.get_by_role("link", name=said).get_by_text(said).is_visible()
    assert not page.locator(".st-key-ideas .stHtml p").first.is_visible(), (
        "sentences are for wider screens"
    )


def test_on_a_phone_compare_shows_one_of_its_three_parts(visit):
    page = visit("compare?checkpoint=digits", width=390, height=844)

    def seen(_=None):
        parts = ("side-left", "side-right", "differences")
        boxes = {part: page.locator(f".st-key-{part}").bounding_box() for part in parts}
        return [part for part, box in boxes.items() if box and box["height"]]

    wait_until(lambda: pumped(page, seen) == ["side-left"], "the left side alone")
    page.get_by_text("Difference", exact=True).click()
    wait_until(lambda: pumped(page, seen) == ["differences"], "the difference alone")
