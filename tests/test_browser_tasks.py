"""Eight things that readers come for, done in a real browser as they would do them."""

from __future__ import annotations

import dashboard
from browsing import film, needs_chromium, pumped, query, wait_for_url, wait_until

pytestmark = needs_chromium


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
