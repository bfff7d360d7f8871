"""From page to page in a real browser: what goes along, what is found again, tours and lessons."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from browsing import (
    PLOT,
    PROBE,
    film,
    needs_chromium,
    pumped,
    query,
    settle,
    wait_for_url,
    wait_until,
)

from app.link import vocabulary
from app.tours import shelf

pytestmark = needs_chromium


@pytest.mark.slow
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


@pytest.mark.slow
def test_links_of_a_page_that_runs_are_not_followed_by_keys_and_say_so(visit):
    page = visit("glossary", ready=".st-key-next-page a")
    settle(page)
    link, stale = page.locator(".st-key-next-page a"), """(link, stale) => {
        link.closest("[data-stale]").dataset.stale = stale;
    }"""  # fmt: skip
    link.evaluate(stale, "true")
    page.locator(".st-key-next-page a[aria-disabled=true]").wait_for()
    link.press("Enter")
    settle(page)
    assert urlsplit(page.url).path == "/glossary"
    link.evaluate(stale, "false")
    page.locator(".st-key-next-page a:not([aria-disabled])").wait_for()
    link.press("Enter")
    page.locator(PROBE).first.wait_for()
    assert urlsplit(page.url).path in ("/", "/first")


@pytest.mark.slow
def test_a_control_that_was_left_is_found_as_it_was(visit):
    page = visit("denoise?checkpoint=digits&sample=3", ready=".threshold .grip")
    page.get_by_role("slider", name="Threshold u").press("Home")
    wait_for_url(page, u=0)
    page.get_by_role("link", name="Energy", exact=True).click()
    page.locator(".threshold .grip").wait_for(state="detached")
    page.get_by_role("link", name="Denoise", exact=True).click()
    page.locator(".threshold h3").get_by_text("u = 0 removes 0 %").wait_for()
    assert query(page)["u"] == "0"


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


@pytest.mark.slow
def test_a_tour_brings_what_it_speaks_of_into_view_and_marks_it(visit):
    step = shelf.shipped()["dista"].steps[4]
    state = vocabulary.written(step.query | {"tour": "dista", "tour-step": "5"})
    page = visit(f"?{urlencode(state)}", height=700)
    panel = page.locator(".dista-probe .panel.centre:visible")
    assert step.part == "stage"
    wait_until(lambda: pumped(page, lambda _: marked(panel)), "it is marked")
    wait_until(
        lambda: 0 <= pumped(page, lambda _: panel.bounding_box()["y"]) < 350, "it is in view"
    )
    assert page.locator(".st-key-tour").bounding_box()["y"] > 0, "and so is what is said of it"


def marked(panel):
    return panel.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"


@pytest.mark.slow
def test_figures_take_on_another_theme_while_a_page_is_open(visit):
    page = visit("energy?checkpoint=digits", ready=PLOT, color_scheme="light")
    settle(page)
    title = page.locator(".gtitle").first
    ink = "node => getComputedStyle(node).fill"
    light = title.evaluate(ink)
    page.emulate_media(color_scheme="dark")
    wait_until(
        lambda: pumped(page, lambda _: title.count() and title.evaluate(ink)) not in (0, light),
        "the figures are drawn in the colours of the other theme",
    )


@pytest.mark.slow
def test_the_room_that_was_kept_for_the_glossary_is_as_high_as_the_glossary(visit):
    """The way on stands below the list, and not in the middle of it."""
    page = visit("glossary", ready="dl.glossary")
    settle(page)
    words, lead = page.locator("dl.glossary"), page.locator(".st-key-next-page")

    def below(_):
        box = words.bounding_box()
        return lead.bounding_box()["y"] >= box["y"] + box["height"]

    wait_until(lambda: pumped(page, below), "the way on is below the list")
