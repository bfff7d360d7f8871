"""Train in a real browser: runs appear while they are written, and a page follows one that it was asked to continue."""

from __future__ import annotations

import dashboard
from browsing import needs_chromium

pytestmark = needs_chromium


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


def test_the_page_follows_a_run_that_it_was_asked_to_continue(visit, folders):
    """The click reruns a part of the page only, which was made for a run that does not change."""
    path = folders[1] / "goes-on"
    writer = dashboard.Writer(path)
    writer.run.set_status("stopped", epoch=0, step=0, steps=30)
    page = visit("train?run=goes-on", ready="text=Stopped in epoch 1 of 3")
    page.get_by_role("button", name="Continue").click()
    writer.run.set_status(
        "running", epoch=0, step=0, steps=30
    )  # the process that was started loads
    page.get_by_role("button", name="Stop").wait_for()
    writer.epoch(1)
    page.get_by_text("Epoch 2 of 3, step 10 of 30").wait_for()
    writer.run.set_status("finished", epoch=3, step=30)
    page.get_by_text("Finished after 3 epochs").wait_for()
