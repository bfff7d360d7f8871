"""Inputs that readers make in a real browser: digits that are drawn, paint on a sample."""

from __future__ import annotations

from urllib.parse import urlsplit

import numpy as np
import pytest
from browsing import needs_chromium, picture, pumped, query, wait_until

from app.inputs import images
from dista.experiments.painting import SPECKLED, paint_marks

pytestmark = needs_chromium


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


@pytest.mark.slow
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


@pytest.mark.slow
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
    page.get_by_text("Of the attention to corrupted patches").wait_for()
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
