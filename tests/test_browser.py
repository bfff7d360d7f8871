"""The dashboard in a real browser: what only a click, a key and a link can show."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import dashboard
import pytest

ROOT = Path(__file__).parent.parent
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PATIENCE = 120_000  # ms: machines may be busy with something else

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    base = tmp_path_factory.mktemp("dashboard")
    (base / "runs").mkdir()
    return dashboard.make_assets(base / "assets"), base / "runs"


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
    """``visit(path, **options)``: a page on which the probe has appeared; no error may be logged."""
    errors, contexts = [], []

    def open_page(path="", width=1440, height=1000, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{server[1]}/{path}")
        page.locator(".dista-probe .panel").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


def query(page):
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def film(page):
    """The probe says what it shows: step, patch, block, head and the strongest key; empty till drawn."""
    return page.locator("canvas[data-name=film]").get_attribute("aria-label") or ""


def wait_for_url(page, **wanted):
    texts = {name: str(value) for name, value in wanted.items()}
    wait_until(lambda: texts.items() <= pumped(page, query).items(), f"{wanted} in the URL")


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
    click_patch(page, 2, 5)
    wait_for_url(page, row=2, column=5, step=7, checkpoint="match-map", sample=dashboard.SAMPLE)
    head = int(query(page)["head"])  # one of two, which the probe chose
    page.keyboard.press("[")
    page.keyboard.press("[")
    page.keyboard.press(".")
    page.keyboard.press("ArrowDown")
    wait_for_url(page, row=3, column=5, step=5, head=1 - head)
    page.get_by_role("button", name="per head").click()
    page.locator(".taurow").nth(3).click()
    wait_for_url(page, range="head", layer="blocks.0.attention.query.neuron")
    assert "Step 6, patch row 4, column 6" in film(page)
    again = visit(f"?{urlsplit(page.url).query}")
    wait_until(lambda: pumped(again, film) == film(page), "the link leads to the same view")
    assert pressed(again) == pressed(page)


def pressed(page):
    """What is chosen: block, head, colour range, layer."""
    return page.locator(".dista-probe [aria-pressed=true]").all_inner_texts()


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
    page.get_by_role("link", name="Train").click()
    page.locator("canvas[data-name=film]").wait_for(state="detached")
    page.get_by_role("link", name="Watch").click()
    wait_for_url(page, row=1, column=6, step=5)
    page.locator("canvas[data-name=film]").wait_for()
    wait_until(lambda: pumped(page, film) == view, "the view of before")


def test_another_sample_keeps_the_place_and_the_probe(visit):
    page = visit(f"?sample={dashboard.SAMPLE}&step=0&row=2&column=2")
    page.locator(".dista-probe").evaluate("element => { element.marked = true; }")
    before = picture(page)
    page.get_by_test_id("stNumberInputStepUp").click()
    wait_for_url(page, sample=dashboard.SAMPLE + 1)
    wait_until(lambda: pumped(page, picture) != before, "another cue is shown")
    assert page.locator(".dista-probe").evaluate("element => element.marked")
    wait_until(lambda: "Step 1, patch row 3, column 3" in pumped(page, film), "the same place")


def picture(page):
    return page.locator("canvas[data-name=input]").evaluate("canvas => canvas.toDataURL()")


def test_it_fits_a_phone_and_follows_the_dark_theme(visit):
    page = visit(width=390, height=844, color_scheme="dark")
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
    assert page.locator(".dista-probe").get_attribute("data-theme") == "dark"


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
