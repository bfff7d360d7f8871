"""The dashboard in a real browser: what its tests wait for, read and do. Fixtures are in conftest.py."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from app.link import vocabulary

ROOT = Path(__file__).parent.parent
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]  # fmt: skip
PATIENCE = int(
    os.environ.get("DISTA_TEST_PATIENCE", 120_000)
)  # ms: machines may be busy with something else
PROBE, PLOT = ".dista-probe .panel", ".js-plotly-plot"  # what a page is waited for

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium: apt-get install chromium"
)


@contextlib.contextmanager
def serving(
    script: str = "app/main.py", folder: Path = ROOT, **environment: str
) -> Iterator[tuple[subprocess.Popen, str]]:
    """Streamlit with a page, on a free port; its process and its address."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", script, f"--server.port={port}"]
    command += ["--server.headless=true", "--server.address=127.0.0.1"]
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | environment, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: answers(f"{address}/_stcore/health"), "the server answers")
        yield process, address
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=5).status == 200
    except OSError:
        return False


# Waiting ------------------------------------------------------------------------------------------


def wait_until(condition, what, patience=PATIENCE / 1000):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, f"waited {patience} s, but never: {what}"
        time.sleep(0.1)


def pumped(page, read):
    """What ``read`` sees after the browser's events have come in."""
    page.wait_for_timeout(50)
    return read(page)


def settle(page):
    """Wait till the page has run to its end; it begins some milliseconds after what asks it to."""
    page.wait_for_timeout(300)
    page.locator("[data-test-script-state=notRunning]").wait_for()


def wait_for_url(page, **wanted):
    texts = {name: str(value) for name, value in wanted.items()}
    wait_until(lambda: texts.items() <= pumped(page, query).items(), f"{wanted} in the URL")


def running(page):
    """Whether the server is still at work for this page."""
    return page.locator(".stApp").get_attribute("data-test-script-state") == "running"


def until_idle(page):
    """Wait till no run of the page has begun for half a second: fragments and figures ask for runs of their own."""
    quiet = 0
    while quiet < 5:
        page.wait_for_timeout(100)
        quiet = 0 if running(page) else quiet + 1


# Reading ------------------------------------------------------------------------------------------


def query(page):
    """What the address says, places counted from 0."""
    said = parse_qs(urlsplit(page.url).query)
    return vocabulary.read({name: values[0] for name, values in said.items()})


def film(page):
    """The probe says what it shows: step, patch, block, head and the strongest key; empty till drawn."""
    return page.locator("canvas[data-name=film]").get_attribute("aria-label") or ""


def picture(page):
    """The input of the probe, as it is drawn."""
    return page.locator("canvas[data-name=input]").evaluate("canvas => canvas.toDataURL()")


WIDTHS = {390: 844, 1440: 1000}
"""Of a phone and of a desk, each with its height, in pixels."""

_JUMPS = """window.jumps = 0;
new PerformanceObserver(list => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.jumps += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""


def jumps(browser, address, width):
    """How far a page jumps while it loads: the sum of all its layout shifts; good is below 0.1 (web.dev/articles/cls)."""
    page = browser.new_context(viewport={"width": width, "height": WIDTHS[width]}).new_page()
    page.set_default_timeout(PATIENCE)
    page.add_init_script(_JUMPS)
    page.goto(address)
    page.get_by_test_id("stMain").wait_for()
    page.wait_for_timeout(2500)
    until_idle(page)
    page.wait_for_timeout(1500)
    total = page.evaluate("window.jumps")
    page.context.close()
    return total


# Doing --------------------------------------------------------------------------------------------


def click_patch(page, row, column, rows=7, columns=7):
    canvas = page.locator("canvas[data-name=input]")
    box = canvas.bounding_box()
    at = {"x": (column + 0.5) / columns * box["width"], "y": (row + 0.5) / rows * box["height"]}
    canvas.click(position=at)


def saved(page, button):
    """The name and the content of what a button saves."""
    with page.expect_download() as download:
        button.click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()
