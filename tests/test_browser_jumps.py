"""Pages stand still while they load, of the shipped models and studies."""

from __future__ import annotations

import pytest
from browsing import WIDTHS, jumps, needs_chromium, serving

from app.link import vocabulary

pytestmark = [needs_chromium, pytest.mark.slow]

GOOD = 0.1


@pytest.fixture(scope="module")
def shipped(tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    with serving(DISTA_RUNS=str(runs)) as (_, address):
        yield address


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", (*vocabulary.PAGES, "?step=8&from=1"))
def test_a_page_stands_still_while_it_loads(shipped, browser, name, width):
    assert jumps(browser, f"{shipped}/{name}", width) < GOOD
