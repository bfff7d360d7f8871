"""The dashboard at the width of a phone."""

from __future__ import annotations

import pytest
from browsing import needs_chromium, pumped, wait_until

pytestmark = needs_chromium


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


@pytest.mark.slow
def test_it_fits_a_phone_and_follows_the_dark_theme(visit):
    page = visit(width=390, height=844, color_scheme="dark")
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth <= main.clientWidth")
    assert page.locator(".dista-probe").get_attribute("data-theme") == "dark"


@pytest.mark.slow
def test_on_a_phone_the_first_view_says_where_its_links_lead(visit):
    page = visit(width=390, height=844)
    for said in ("See one neuron", "See what a patch attends to", "See what it removes"):
        assert page.get_by_role("link", name=said).get_by_text(said).is_visible()
    assert not page.locator(".st-key-ideas .stHtml p").first.is_visible(), (
        "sentences are for wider screens"
    )


@pytest.mark.slow
def test_on_a_phone_compare_shows_one_of_its_three_parts(visit):
    page = visit("compare?checkpoint=digits", width=390, height=844)

    def seen(_=None):
        parts = ("side-left", "side-right", "differences")
        boxes = {part: page.locator(f".st-key-{part}").bounding_box() for part in parts}
        return [part for part, box in boxes.items() if box and box["height"]]

    wait_until(lambda: pumped(page, seen) == ["side-left"], "the left side alone")
    page.get_by_text("Difference", exact=True).click()
    wait_until(lambda: pumped(page, seen) == ["differences"], "the difference alone")


@pytest.mark.slow
def test_the_menu_of_a_phone_shows_the_page_that_is_open(visit):
    page = visit("glossary", 390, ready="dl.glossary")
    here = page.locator(".st-key-phone-here")
    wait_until(
        lambda: pumped(page, lambda _: in_view(here, 390)), "the last page of the menu is in view"
    )


def in_view(locator, width):
    box = locator.bounding_box()
    return bool(box) and box["x"] >= 0 and box["x"] + box["width"] <= width
