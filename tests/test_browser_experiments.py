"""Figures that can be clicked and experiments in a real browser: all of them are in the link."""

from __future__ import annotations

from urllib.parse import urlsplit

import dashboard
import pytest
from browsing import (
    PLOT,
    needs_chromium,
    pumped,
    query,
    saved,
    settle,
    wait_for_url,
    wait_until,
)

pytestmark = needs_chromium


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


@pytest.mark.slow
def test_a_click_in_a_matrix_changes_that_step(visit):
    page = visit("memory?checkpoint=match-map", ready=".st-key-closely-attention .gtitle")
    box = page.locator(".st-key-memory-neurons .heatmaplayer").bounding_box()
    page.mouse.click(box["x"] + 2.5 / 8 * box["width"], box["y"] + 6.5 / 8 * box["height"])
    wait_for_url(page, changed=2, network="neurons")
    page.get_by_role("heading", name="With step 3 changed").wait_for()
    page.get_by_role("radio", name="another sample's").click()
    wait_for_url(page, input="other")
    settle(page)  # before, what was shown may stand beside what comes
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
    page.get_by_text("Also all of it together").click()
    figure = ".st-key-changes .js-plotly-plot"
    page.locator(figure).get_by_text("All of it together").first.wait_for()
    again = visit(f"ablate?{urlsplit(page.url).query}", ready=".st-key-changes .gtitle")
    shown = [it.locator(figure).text_content() for it in (page, again)]
    assert shown[0] == shown[1]


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


KEPT = r"""() => [...document.querySelectorAll(".stElementContainer:has(.stPlotlyChart)")].map(node => {
    const key = [...node.classList].find(name => name.startsWith("st-key-"));
    const sheets = [...document.querySelectorAll("style")].map(sheet => sheet.textContent).join("\n");
    const kept = sheets.match(new RegExp(`\\.${key}:not\\([^)]*\\)\\) \\{ height: (\\d+)px`));
    return [key, kept && +kept[1], node.getBoundingClientRect().height];
})"""


def test_a_figure_takes_the_place_that_was_kept_for_it(visit):
    """What stands below does not jump when Plotly has been loaded and has drawn."""
    page = visit("energy?checkpoint=digits", ready=".st-key-anytime .gtitle")
    settle(page)
    places = page.evaluate(KEPT)
    assert [key for key, *_ in places] == ["st-key-map", "st-key-comparison", "st-key-anytime"]
    for key, kept, height in places:
        assert kept == height, key
