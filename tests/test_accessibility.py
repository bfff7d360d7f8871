"""What axe finds on the pages: every page, and what can be opened on it, in both themes, on a phone and on a screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import dashboard
import pytest
from browsing import PLOT, PROBE, WIDTHS, needs_chromium, settle

from app.link import vocabulary

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs axe: pip install -e '.[test]'"
)
pytestmark = needs_chromium

THEMES = ("light", "dark")


class State(NamedTuple):
    """A page as a reader has it: its address, what it is waited for, and what is opened on it."""

    path: str
    ready: str = ".stMain h1"
    open: Callable = lambda page: None


def button(name: str) -> Callable:
    """Open what stands behind a button, which a phone has behind one for all tools."""

    def press(page):
        found = page.get_by_role("button", name=name, exact=True)
        if not found.is_visible():
            page.locator(".st-key-all-tools label").click()
        found.click()
        page.get_by_test_id("stPopoverBody").wait_for()

    return press


def training(page):
    page.get_by_role("button", name="New run").click()
    page.get_by_role("button", name="Start training").wait_for()


DIGITS = "checkpoint=digits&sample=3"
STATES = {
    "watch": State(f"?{DIGITS}", PROBE),
    "watch, first view": State("", ".st-key-start"),
    "watch, with Python": State(f"?{DIGITS}", PROBE, button("Copy as Python")),
    "watch, with links": State(f"?{DIGITS}", PROBE, button("Link")),
    "watch, to save": State(f"?{DIGITS}", PROBE, button("Save")),
    "watch, how to read": State(f"?{DIGITS}", PROBE, button("How to read")),
    "watch, own input": State(f"?{DIGITS}", PROBE, button("Own input")),
    "watch, mistakes": State(f"?{DIGITS}", PROBE, button("Find")),
    "watch, changed": State(f"?{DIGITS}&silent=0.1&u=2&class=0", PROBE),
    "watch, on a tour": State("?tour=dista&tour-step=1", PROBE),
    "neurons": State(f"neurons?{DIGITS}", PLOT),
    "neurons, another tau": State(f"neurons?{DIGITS}&taus=set&tau=4", PLOT),
    "denoise": State(f"denoise?{DIGITS}", PLOT),
    "denoise, painted": State(f"denoise?{DIGITS}&kind=painted", "canvas[data-name=brush]"),
    "memory": State("memory?checkpoint=match-map", PLOT),
    "train": State("train?run=some-run&more=open", PROBE),
    "train, a new run": State("train?run=some-run&new-model=open", PROBE, training),
    "runs": State("runs", ".stDataFrame"),
    "runs, selected": State("runs?selected=some-run", ".st-key-run-curves .gtitle"),
    "ablate": State("ablate?checkpoint=digits&samples=25&each=heads", ".st-key-each .gtitle"),
    "compare": State(f"compare?{DIGITS}", PROBE),
    "energy": State("energy?checkpoint=digits", PLOT),
    "tours": State("tours"),
    "glossary": State("glossary"),
    "a lesson's link": State(f"denoise?{DIGITS}&lesson=1", PLOT),
    "what is not there": State("neurons?checkpoint=gone&sample=x", PLOT),
}


def test_every_page_is_among_the_states():
    assert {name for name in STATES if "," not in name} >= set(vocabulary.PAGES)


@pytest.fixture(scope="module")
def a_run(folders):
    """The run that Train and Runs show."""
    writer = dashboard.Writer(folders[1] / "some-run")
    writer.epoch(1)
    writer.run.set_status("stopped", epoch=1, step=10, reason="interrupted from the keyboard")


STREAMLITS = {
    "presentation-role-conflict": "stFileUploaderDropzone",  # its area for files has a role and a name
    "region": "data-floating-ui-portal",  # what its tooltips stand in is no part of the page
}
"""What axe finds in Streamlit's own elements, which we cannot reach: the rule, and a mark of the node."""


def violations(page) -> list[str]:
    """What axe finds of ours, one line for each node."""
    found = axe.Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['html'][:120]}"
        for one in found
        for node in one["nodes"]
        if STREAMLITS.get(one["id"], "none of its") not in node["html"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", STATES)
def test_axe_finds_nothing(visit, a_run, name, theme, width):
    state = STATES[name]
    page = visit(state.path, width, ready=state.ready, color_scheme=theme)
    settle(page)
    state.open(page)
    settle(page)
    assert violations(page) == []


def test_the_system_may_change_its_theme_while_a_page_is_open(visit):
    """One page in both themes; all of them, which takes an hour, are looked at by ``pytest -m slow``."""
    page = visit("tours", ready=".stMain h2", color_scheme="light")
    settle(page)
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(
        "getComputedStyle(document.querySelector('.stApp')).colorScheme === 'dark'"
    )
    assert violations(page) == []


@pytest.mark.slow
def test_commands_to_copy_break_their_lines(visit):
    """Half of a command cannot be read, and the keyboard does not scroll it."""
    page = visit("ablate?checkpoint=digits&samples=25&switches=", 240, ready=".stMain pre")
    listing = page.locator(".stMain pre").filter(has_text="dista sweep").first
    listing.wait_for()
    assert listing.evaluate("node => node.scrollWidth <= node.clientWidth")
