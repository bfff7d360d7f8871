"""Eight things that readers come for, done as they would do them: the right answer, in as many clicks as it takes.

1  which patch and which head look most at the cue
2  whether the denoiser of block 1 head 2 matters
3  whether the neurons or attention remember
4  whether an own photograph of a digit is read rightly
5  a training, started, stopped and continued
6  what each head is worth, with intervals
7  the same view from a copied link, in another browser
8  the next page, on the same subject
"""

from __future__ import annotations

import io
import re
from functools import cache

import dashboard
import numpy as np
import pytest
from browsing import (
    ROOT,
    click_patch,
    film,
    needs_chromium,
    picture,
    pumped,
    query,
    settle,
    wait_for_url,
    wait_until,
)  # fmt: skip
from PIL import Image, ImageDraw, ImageFilter

import dista
import dista.data
from dista import measures
from dista.experiments import evaluation, forgetting, one_by_one
from dista.experiments.ablations import ablated
from dista.experiments.counterfactuals import changed_cue, cue_steps
from dista.figures.ablations import points
from dista.measures import PairedDifference
from dista.runs import Run

pytestmark = [
    needs_chromium,
    pytest.mark.slow,
]  # many pages each, all of them opened by other tests too
SAMPLES = 50


class Clicks:
    """Clicks on what a page says, and how many they were."""

    def __init__(self, page):
        self.page, self.count = page, 0

    def __call__(self, locator):
        locator.first.click()
        self.count += 1


@pytest.fixture(scope="module")
def network(folders):
    """``network(name)``: a checkpoint that the pages show, and its task."""

    @cache
    def load(name):
        return dista.load(folders[0] / name), dista.data.open(dashboard.TASKS[name][1])

    return load


# 1 ------------------------------------------------------------------------------------------------


def test_the_patch_and_head_that_look_most_at_the_cue(visit, network):
    """From elsewhere on the page: one click. Without that head: another one."""
    model, task = network("match-map")
    recording = dashboard.record_sample(model, task, dashboard.SAMPLE, "*")
    cue = np.array([label == "cue" for label in task.step_labels])
    since = measures.decision(recording).first
    most = measures.rank_patches(measures.attention_to(recording, cue), 1, since=since)[0]
    page = visit(f"?sample={dashboard.SAMPLE}&step=0&block=0&head=0&row=0&column=0")
    click, first = Clicks(page), page.locator(".st-key-lookers button").first
    first.wait_for()
    assert first.inner_text() == (
        f"{most.block + 1}.{most.head + 1}, step {most.step + 1}, row {most.row + 1}, "
        f"column {most.column + 1}: {most.paid} of {most.total} counts, {most.surplus:.1f} beyond"
    )
    click(first)
    there = {name: getattr(most, name) for name in ("block", "head", "step", "row", "column")}
    wait_for_url(page, **there)
    assert click.count == 1
    place = f"Step {most.step + 1}, patch row {most.row + 1}, column {most.column + 1}"
    wait_until(lambda: place in pumped(page, film), "the probe is there")
    click(page.get_by_role("button", name=f"{most.block + 1}.{most.head + 1}", exact=True))
    wait_for_url(page, silent=f"{most.block}.{most.head}")
    page.locator(".st-key-answer-after").get_by_text("%").wait_for()
    wait_until(lambda: place in pumped(page, film), "the probe has kept its place")
    page.get_by_role("button", name="Reset", exact=True).click()
    wait_until(lambda: "silent" not in pumped(page, query), "as it was trained")


# 2 and 6 ------------------------------------------------------------------------------------------


def worth(network, kind: str) -> dict[str, PairedDifference]:
    """What each part of a kind is worth to ``digits``, by its switch."""
    model, task = network("digits")
    switches = one_by_one.parts(model)[kind]
    asked = [(), *([switch] for switch in switches)]
    answered = [
        one_by_one.answer_each(model, task.test, batch, asked)
        for batch in evaluation.batches(task.test, SAMPLES)
    ]
    intact, *without = map(evaluation.join, zip(*answered))
    pairs = zip(switches, without)
    return {switch: measures.paired_difference(intact, after) for switch, after in pairs}


def rows(page, count: int) -> list[str]:
    """The words beside the rows of the figure of all parts, once they are all there and of all samples."""
    page.locator(".st-key-each .gtitle").wait_for()
    said = page.locator(".st-key-each .annotation-text")
    wait_until(lambda: pumped(page, lambda _: said.count()) >= count, "a row for each part")
    return [text.replace("\xa0", " ") for text in said.all_text_contents()]


def verdict(page):
    """The sentence over that figure; of the first samples there is another one meanwhile."""
    said = page.get_by_role("heading").filter(has_text=f"on {SAMPLES} held-out samples")
    wait_until(lambda: pumped(page, lambda _: said.count()) == 1, "a sentence on all samples")
    return said.inner_text()


def test_whether_the_denoiser_of_block_1_head_2_matters(visit, network):
    """One click on Ablate: its row says what it is worth, the sentence how many of them are worth something."""
    parts = worth(network, "denoisers")
    page = visit(f"ablate?checkpoint=digits&samples={SAMPLES}&switches=", ready=".st-key-each-part")
    click = Clicks(page)
    click(page.get_by_role("radio", name="every denoiser"))
    certain = sum(one.high < 0 for one in parts.values())
    assert f"{certain} of {len(parts)} denoisers" in verdict(page) and click.count == 1
    (row,) = [text for text in rows(page, len(parts)) if "denoiser of block 1 head 2" in text]
    assert row.startswith(f"{points(parts['denoiser-of=0.1'].difference)} ")


def test_what_each_head_is_worth_with_intervals(visit, network):
    """One click: every head has its row, the worst is named with its interval and can be watched."""
    parts = worth(network, "heads")
    page = visit(f"ablate?checkpoint=digits&samples={SAMPLES}&switches=", ready=".st-key-each-part")
    click = Clicks(page)
    click(page.get_by_role("radio", name="every head"))
    wait_for_url(page, each="heads")
    said = verdict(page)
    assert click.count == 1
    worst = min(parts, key=lambda part: parts[part].difference)
    block, head = (int(number) + 1 for number in worst.removeprefix("head=").split("."))
    low, high = (points(end) for end in (parts[worst].low, parts[worst].high))
    assert f"of {len(parts)} heads" in said
    assert f"Most: block {block} head {head}, {points(parts[worst].difference)} points" in said
    assert f"({low} to {high})" in said
    shown = rows(page, len(parts))
    for part, one in parts.items():
        block, head = (int(number) + 1 for number in part.removeprefix("head=").split("."))
        assert any(
            text.startswith(points(one.difference)) and f"block {block} head {head}" in text
            for text in shown
        )


# 3 ------------------------------------------------------------------------------------------------


def effect_of_the_cue(network, *switches: str) -> float:
    """How far the answer of ``match-map`` moves without its cue, in logits, over 25 held-out samples."""
    model, task = network("match-map")
    x, _ = task.test.batch(range(25))
    lent, _ = task.test.batch(forgetting.another(len(task.test))[:25])
    changed = changed_cue(x, model.config.time_steps, cue_steps(task.step_labels))
    with ablated(model, switches, lent):
        pair = [dista.record(model, each, "head") for each in (x, changed)]
    return measures.cue_effect(*pair).mean


def test_whether_the_neurons_or_attention_remember(visit, network):
    """One click from Watch: the heading of Memory has the four numbers, and so has its figure."""
    whole, neurons, attention, both = (
        f"{effect_of_the_cue(network, *switches):.2f}"
        for switches in ((), ("neuron-memory",), ("memory",), ("memory", "neuron-memory"))
    )
    page = visit("?checkpoint=match-map")
    click = Clicks(page)
    click(page.get_by_role("link", name="Memory", exact=True))
    said = page.get_by_role("heading").filter(
        has_text="A blank cue moves the trained network's answer by"
    )
    said.wait_for()
    numbers = re.findall(r"([\d.]+) \(", said.inner_text())
    assert numbers == [whole, neurons, attention, both] and click.count == 1
    figure = page.locator(".st-key-cue-effects .annotation-text")
    wait_until(lambda: pumped(page, lambda _: figure.count()) == 4, "a row for each network")
    for row, number in zip(figure.all_text_contents(), numbers):
        assert row.startswith(number)


# 4 ------------------------------------------------------------------------------------------------


def photograph() -> bytes:
    """A thick 7 on paper that is not evenly lit, as a jpg."""
    paper = Image.linear_gradient("L").resize((640, 480)).point(lambda value: 150 + value // 4)
    stroke = [(250, 130), (390, 130), (300, 350)]
    ImageDraw.Draw(paper).line(stroke, 60, 16, "curve")
    file = io.BytesIO()
    paper.filter(ImageFilter.GaussianBlur(1)).save(file, "JPEG")
    return file.getvalue()


def test_an_own_photograph_of_a_digit_is_read_rightly(visit):
    """By a network that has learned digits: one click, one file."""
    page = visit(f"?path={ROOT / 'assets' / 'digits'}&sample=3")
    click, before = Clicks(page), picture(page)
    click(page.get_by_role("button", name="Own input"))
    file = {"name": "mine.jpg", "mimeType": "image/jpeg", "buffer": photograph()}
    page.locator("input[type=file]").first.set_input_files(file)
    page.get_by_text("Answer: 7", exact=True).wait_for()
    wait_until(lambda: "image" in pumped(page, query), "the photograph in the URL")
    wait_until(lambda: pumped(page, picture) != before, "the probe shows it")
    page.get_by_test_id("stImage").first.wait_for()
    assert click.count == 1


# 5 ------------------------------------------------------------------------------------------------


def test_a_training_is_started_stopped_and_continued(visit, folders):
    """A real process all along, which outlives the page that started it and is found by another reader."""
    dashboard.Writer(folders[1] / "seen").run.set_status("stopped", epoch=0, step=0)
    page = visit("train?run=seen&new-preset=tiny&new-data=digits&new-epochs=500")
    click = Clicks(page)
    click(page.get_by_role("button", name="New run"))
    click(page.get_by_role("button", name="Start training"))
    page.wait_for_url(lambda url: "run=tiny-" in url)
    assert click.count == 2
    page.get_by_text("Epoch 1 of 500").wait_for()
    run = Run(folders[1] / query(page)["run"])
    page.context.close()
    steps = len(run.table("steps"))
    wait_until(lambda: len(run.table("steps")) > steps, "it goes on alone")
    again = visit(f"train?run={run.name}")
    click = Clicks(again)
    click(again.get_by_role("button", name="Stop"))
    again.get_by_text("Stopped in epoch").wait_for()
    assert run.status().state == "stopped"
    steps = len(run.table("steps"))
    click(again.get_by_role("button", name="Continue"))
    wait_until(lambda: len(again_steps(again, run)) > steps, "it goes on where it stopped")
    table = again_steps(again, run)
    assert table["step"].tolist() == list(range(1, len(table) + 1)), "no step twice, none left out"
    click(again.get_by_role("button", name="Stop"))
    again.get_by_text("Stopped in epoch").wait_for()
    assert click.count == 3


def again_steps(page, run):
    return pumped(page, lambda _: run.table("steps"))


# 7 ------------------------------------------------------------------------------------------------


def test_a_copied_link_shows_the_same_view_in_another_browser(visit, server):
    page = visit(f"?sample={dashboard.SAMPLE}")
    click_patch(page, 2, 5)
    wait_for_url(page, row=2, column=5)
    page.get_by_role("button", name="1.2", exact=True).click()
    after = page.locator(".st-key-answer-after")
    after.get_by_text("%").wait_for()
    settle(page)
    click = Clicks(page)
    click(page.get_by_role("button", name="Link", exact=True))
    link = page.get_by_test_id("stCode").first
    link.wait_for()
    assert click.count == 1
    other = visit(link.inner_text().strip().removeprefix(server).lstrip("/"))
    other.locator(".st-key-answer-after").get_by_text("%").wait_for()
    wait_until(lambda: pumped(other, film) == film(page), "the same place in the same maps")
    assert query(other)["silent"] == "0.1" and "patch row 3, column 6" in film(other)
    assert other.locator(".st-key-answer-after").inner_text() == after.inner_text()
    assert picture(other) == picture(page)


# 8 ------------------------------------------------------------------------------------------------


def test_the_next_page_is_on_the_same_subject(visit):
    """One click at the foot of a page: the checkpoint, the sample and the layer go along."""
    page = visit("?checkpoint=digits&sample=4&layer=stem.position.neuron")
    settle(page)
    click = Clicks(page)
    click(page.locator(".st-key-next-page a"))
    wait_for_url(page, checkpoint="digits", sample=4, layer="stem.position.neuron")
    page.get_by_role("heading", name="When does a neuron fire").wait_for()
    page.locator(".st-key-raster .gtitle").wait_for()
    assert page.get_by_test_id("stNumberInputField").first.input_value() == "4"
    assert "The neurons of stem position" in page.locator(".stMain h2").first.inner_text()
    assert click.count == 1
