"""How fast the dashboard answers, in headless Chromium; prints figures, asserts nothing.

    .venv/bin/python tests/latency.py [--starts 3] [--rounds 30] [--sessions 10] [--minutes 5] [--pages] [--json]

    start         `dista app` with a warm environment, until the first page shows its figure
    client        a key that moves the query patch, until the film is drawn again: no server involved
    cached        another sample that was recorded before
    intervention  a time constant moved on Neurons: the model runs again, and every figure is made anew
    slowest       the slowest control of each page: seconds to a first picture, and to the last
    jumps         what moves while a page loads (cumulative layout shift; good is below 0.1)
    training      both again while a training uses the other core; and what the open Train page costs it
    sessions      several readers at once for some minutes: what they wait, and the server's memory

Everything is measured on the shipped checkpoints, through the browser: from the key until the text on
the page has changed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from browsing import CHROMIUM, FLAGS, ROOT, WIDTHS, answers, free_port, jumps, running, until_idle
from playwright.sync_api import Browser, Page, sync_playwright

from app.link import vocabulary

PATIENCE = 120_000  # ms
FILM = "canvas[data-name=film]"


@dataclass(frozen=True)
class Interaction:
    """Something a reader does: where, with which key on what, and the text that tells the answer."""

    path: str
    target: str
    keys: tuple[str, ...]
    tells: str
    attribute: str = ""
    to_the_end: bool = False
    """Whether the answer is there only when the server has finished: figures follow the text."""
    warm: int = 2
    """Rounds that are not counted: the first time is that of loading, not of answering."""


INTERACTIONS = {
    "client": Interaction("", FILM, ("ArrowRight", "ArrowLeft"), FILM, "aria-label"),
    "cached": Interaction(
        "", "[data-testid=stNumberInputField]", ("ArrowUp", "ArrowDown"), FILM, "aria-label",
    ),
    "intervention": Interaction(
        "neurons?checkpoint=digits&taus=set&tau=3.0", ".stSlider input[type=range]",
        ("ArrowRight",), "h5", to_the_end=True,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Slow:
    """The slowest control of a page: what is clicked, and what a reader then looks at, early or at the end."""

    path: str
    target: str
    picture: str


SLOWEST = {
    "watch, a head off": Slow("?checkpoint=match-map&sample=1", "button:has(:text-is('1.1'))", ".st-key-answer-after :text('%')"),
    "watch, trust": Slow("?checkpoint=match-map&sample=1", "button:has-text('How far to trust')", ":text('How much of it is learned')"),
    "neurons, 256 samples": Slow("neurons?checkpoint=match-map", "button:has(:text-is('256'))", ".st-key-firing-at-first .main-svg"),
    "neurons, tau": Slow("neurons?checkpoint=match-map&taus=set&tau=3.0&scope=all", ".stSlider input[type=range]", ".st-key-decision-change .main-svg"),
    "denoise, every denoiser": Slow("denoise?checkpoint=match-map&sample=1", "button:has(:text-is('every denoiser'))", ".st-key-each-at-first .main-svg"),
    "memory, next sample": Slow("memory?checkpoint=match-map&sample=1", "[data-testid=stNumberInputStepUp]", "[class*=st-key-at-first] .main-svg"),
    "ablate, one switch": Slow("ablate?checkpoint=match-map", "button:has(:text-is('4 steps'))", ".st-key-changes-at-first .main-svg"),
    "ablate, every head": Slow("ablate?checkpoint=match-map&switches=", "button:has(:text-is('every head'))", ".st-key-each-at-first .main-svg"),
    "compare, next sample": Slow("compare?left=match-map&sample=1", "[data-testid=stNumberInputStepUp]", FILM),
}  # fmt: skip


# The server ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def server(runs: Path) -> Iterator[tuple[psutil.Process, str]]:
    """The dashboard as `make app` starts it, on a free port; its process and address."""
    port = free_port()
    command = [sys.executable, "-m", "dista", "app", "--headless", "--port", str(port)]
    environment = os.environ | {"DISTA_RUNS": str(runs)}
    started = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        address = f"http://127.0.0.1:{port}"
        while not answers(f"{address}/_stcore/health"):
            time.sleep(0.02)
        yield psutil.Process(started.pid), address
    finally:
        started.terminate()
        started.wait(20)


def first_figure(browser: Browser, runs: Path) -> float:
    """Seconds from the command to the first figure."""
    began = time.perf_counter()
    with server(runs) as (_, address):
        page = open_page(browser, f"{address}/")
        page.locator(FILM).wait_for()
        seconds = time.perf_counter() - began
        page.context.close()
    return seconds


def open_page(browser: Browser, address: str) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    return page


# Interactions -------------------------------------------------------------------------------------


def milliseconds(page: Page, what: Interaction, key: str) -> float:
    """From the key until the text has changed, to the few milliseconds that asking takes."""
    node = page.locator(what.tells).first

    def told() -> str | None:
        return node.get_attribute(what.attribute) if what.attribute else node.text_content()

    before = told()
    page.locator(what.target).first.focus()
    began = time.perf_counter()
    page.keyboard.press(key)
    while told() in (before, "", None) or (what.to_the_end and running(page)):
        if time.perf_counter() - began > PATIENCE / 1000:
            raise TimeoutError(f"{what.tells} on {page.url} never changed after {key}")
    return 1000 * (time.perf_counter() - began)


def measure(browser: Browser, address: str, rounds: int) -> dict[str, dict[str, float]]:
    """Median and 95th percentile, in milliseconds, of every interaction."""
    summaries = {}
    for name, what in INTERACTIONS.items():
        page = open_page(browser, f"{address}/{what.path}")
        page.locator(what.target).first.wait_for(state="attached")
        page.locator(what.tells).first.wait_for()
        page.wait_for_timeout(3000)  # what is below the fold is drawn, too
        taken = []
        for turn in range(rounds + 2 * what.warm):
            taken.append(milliseconds(page, what, what.keys[turn % len(what.keys)]))
            page.wait_for_timeout(300)
        summaries[name] = summary(taken[2 * what.warm :])
        page.context.close()
    return summaries


def seconds_of(browser: Browser, address: str, what: Slow) -> dict[str, float]:
    """From the click until a first picture is there, and until the server has finished."""
    page = open_page(browser, f"{address}/{what.path}")
    target = page.locator(what.target).first
    target.wait_for(state="attached")
    until_idle(page)
    began = time.perf_counter()
    if what.target.endswith("[type=range]"):
        target.focus()
        page.keyboard.press("ArrowRight")
    else:
        target.click()
    page.wait_for_timeout(50)
    first = None
    while first is None or running(page):
        if first is None and page.locator(what.picture).count():
            first = time.perf_counter() - began
        if first is None and not running(page) and time.perf_counter() - began > 2:
            break  # it was there at once, or is another one at the end
        if time.perf_counter() - began > PATIENCE / 1000:
            raise TimeoutError(f"{what.path}: {what.picture} never came")
        page.wait_for_timeout(20)
    last = time.perf_counter() - began
    page.context.close()
    return {"first": last if first is None else first, "all": last}


def summary(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    at_95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return {"median": statistics.median(ordered), "p95": at_95, "count": len(ordered)}


# Training -----------------------------------------------------------------------------------------


@dataclass
class Training:
    """A training in a process of its own, on one thread."""

    folder: Path
    process: subprocess.Popen = field(init=False)

    def __enter__(self) -> Training:
        words = "--preset digits --data digits --threads 1 --epochs 1000 --set snapshot_mb=20"
        command = [sys.executable, "-m", "dista", "train", *words.split(), "--out", self.folder]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
        while self.steps() < 20:
            time.sleep(0.2)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(60)

    def steps(self) -> int:
        path = self.folder / "steps.jsonl"
        return path.read_bytes().count(b"\n") if path.is_file() else 0

    def speed(self, seconds: float) -> float:
        """Steps a second over the next so many seconds."""
        began, before = time.perf_counter(), self.steps()
        time.sleep(seconds)
        return (self.steps() - before) / (time.perf_counter() - began)


def cost_of_looking(browser: Browser, address: str, run: Training, rounds: int) -> float:
    """Training speed with the Train page open, as a part of that without, in turns of 20 seconds."""
    ratios = []
    for _ in range(rounds):
        alone = run.speed(20)
        page = open_page(browser, f"{address}/train?run={run.folder.name}")
        page.locator(FILM).wait_for()
        page.wait_for_timeout(2000)
        ratios.append(run.speed(20) / alone)
        page.context.close()
    return statistics.median(ratios)


# Sessions -----------------------------------------------------------------------------------------


def several(
    browser: Browser, address: str, process: psutil.Process, sessions: int, minutes: float
) -> dict:
    """Readers who take turns with the cached interaction; latency, and the server's memory over time."""
    what = INTERACTIONS["cached"]
    pages = [open_page(browser, f"{address}/{what.path}") for _ in range(sessions)]
    for page in pages:
        page.locator(FILM).wait_for()
    end, taken, memory, turn = time.monotonic() + 60 * minutes, [], [], 0
    while time.monotonic() < end:
        for page in pages:
            taken.append(milliseconds(page, what, what.keys[turn % 2]))
        turn += 1
        memory.append(process.memory_info().rss / 1e6)
    for page in pages:
        page.context.close()
    quarter = max(1, len(memory) // 4)
    early, late = (statistics.median(part) for part in (memory[:quarter], memory[-quarter:]))
    return summary(taken) | {"memory_mb_first_quarter": early, "memory_mb_last_quarter": late}


# All of it ----------------------------------------------------------------------------------------


def run(options: argparse.Namespace) -> dict:
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        runs = Path(folder)
        result = {"processors": os.cpu_count(), "load": os.getloadavg()[0]}
        if not options.pages:
            starts = [first_figure(browser, runs) for _ in range(options.starts + 1)][1:]
            result["start_seconds"] = statistics.median(starts)
        with server(runs) as (process, address):
            result["jumps"] = {
                width: {
                    page: jumps(browser, f"{address}/{page}", width) for page in vocabulary.PAGES
                }
                for width in WIDTHS
            }
            result["slowest"] = {
                name: seconds_of(browser, address, what) for name, what in SLOWEST.items()
            }
            if options.pages:
                return result
            result["idle"] = measure(browser, address, options.rounds)
            with Training(runs / "beside") as training:
                result["while training"] = measure(browser, address, options.rounds)
                looks = cost_of_looking(browser, address, training, options.looks)
                result["training speed with the page open"] = looks
            if options.minutes:
                result["sessions"] = several(
                    browser, address, process, options.sessions, options.minutes
                )
        browser.close()
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--looks", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument(
        "--pages", action="store_true", help="only each page's slowest control and jumps"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = run(options)
    print(json.dumps(result) if options.json else _said(result))


def _said(result: dict) -> str:
    lines = [f"{result['processors']} processors, load {result['load']:.1f} at the start"]
    lines += [
        f"{page} jumps by {total:.3f}, {width} pixels wide"
        for width, each in result["jumps"].items()
        for page, total in each.items()
    ]
    lines += [
        f"{name}: first picture after {one['first']:.1f} s, all after {one['all']:.1f} s"
        for name, one in result["slowest"].items()
    ]
    if "idle" not in result:
        return "\n".join(lines)
    lines.append(f"first figure after {result['start_seconds']:.1f} s")
    for when in ("idle", "while training"):
        lines += [
            f"{name}, {when}: median {row['median']:.0f} ms, 95th percentile {row['p95']:.0f} ms"
            for name, row in result[when].items()
        ]
    speed = result["training speed with the page open"]
    lines.append(f"training speed with the Train page open: {100 * speed:.0f} % of that without")
    if "sessions" in result:
        lines.append(f"several sessions: {json.dumps(result['sessions'])}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
