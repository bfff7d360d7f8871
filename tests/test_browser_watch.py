"""Watch and its probe in a real browser: clicks, keys, the link, and what is asked of the reader."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import dashboard
import pytest
from browsing import (
    PATIENCE,
    PROBE,
    click_patch,
    film,
    needs_chromium,
    picture,
    pumped,
    query,
    serving,
    wait_for_url,
    wait_until,
)

pytestmark = needs_chromium
MAPS = Path("/proc/self/maps")
PLACE = re.compile(r"(?:block|head|step) (\d+)")  # as a page says it, from 1


@pytest.mark.skipif(
    not MAPS.is_file(), reason="reads in /proc which libraries a process has loaded"
)
def test_the_first_figure_needs_no_torch(folders, browser):
    """On a server of its own: whichever page others opened on theirs may have needed it."""
    assets, runs = folders
    with serving(DISTA_ASSETS=str(assets), DISTA_RUNS=str(runs)) as (process, address):
        page = browser.new_page()
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.locator(PROBE).first.wait_for()
        assert page.locator(".dista-probe canvas").count() > 5
        assert page.get_by_text("Traceback").count() == 0
        maps = MAPS.parents[1] / str(process.pid) / "maps"
        assert "libtorch" not in maps.read_text()
        page.close()


def test_click_and_keys_move_the_view_and_a_link_restores_it(visit):
    page = visit()
    opened = page.get_by_text("Opened where attention").inner_text()
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
    page.get_by_role("button", name="per map").click()
    page.locator(".taurow").nth(3).click()
    wait_for_url(page, range="map", layer="blocks.0.attention.query.neuron")
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
    page.get_by_text("A correlation of 1 is alike").first.wait_for()
    wait_for_url(page, trust="open")
    page.keyboard.press("Escape")
    wait_until(lambda: "trust" not in pumped(page, query), "the note is closed")
    again = visit("?trust=open")
    again.get_by_text("A correlation of 1 is alike").first.wait_for()


@pytest.mark.slow
def test_back_undoes(visit):
    page = visit()
    click_patch(page, 1, 1)
    wait_for_url(page, row=1, column=1)
    click_patch(page, 4, 2)
    wait_for_url(page, row=4, column=2)
    page.go_back()
    wait_until(lambda: "patch row 2, column 2" in pumped(page, film), "the patch of before")


@pytest.mark.slow
def test_another_sample_keeps_the_place_and_the_probe(visit):
    page = visit(f"?sample={dashboard.SAMPLE}&step=0&row=2&column=2")
    page.locator(".dista-probe").evaluate("element => { element.marked = true; }")
    before = picture(page)
    page.get_by_test_id("stNumberInputStepUp").click()
    wait_for_url(page, sample=dashboard.SAMPLE + 1)
    wait_until(lambda: pumped(page, picture) != before, "another cue is shown")
    assert page.locator(".dista-probe").evaluate("element => element.marked")
    wait_until(lambda: "Step 1, patch row 3, column 3" in pumped(page, film), "the same place")


@pytest.mark.slow
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
