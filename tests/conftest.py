"""One thread, fixed seeds, and a model small enough that a test takes milliseconds."""

import functools
import os
import shutil
import sys
from pathlib import Path

import pytest
import torch
from filelock import FileLock

sys.path.insert(0, str(Path(__file__).parent))
import shapes

shapes.check()  # before anything of the package is imported

from dista.config import ModelConfig  # noqa: E402

torch.set_num_threads(1)
sys.path.insert(0, str(Path(__file__).parent.parent))  # as the dashboard's main.py does

# Every axis has a size of its own, so that a swapped pair cannot pass: 4 samples, 2 colours, 3 heads of
# 13 channels, 5 steps, 7 x 11 patches, 17 classes, 2 blocks.
SMALL = dict(
    input_shape=(2, 13, 21),
    classes=17,
    time_steps=5,
    dim=39,
    depth=2,
    heads=3,
    mlp_ratio=1.5,
    stem_pools=(True,),
    attention_scale=0.5,
    memory=dict(form="map", window=3),
)


@pytest.fixture(scope="session")
def tiny_assets(tmp_path_factory):
    """A folder with the tiny checkpoints of ``dashboard``, made once for all workers: copy it to write."""
    import dashboard

    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with FileLock(base / "assets.lock"):
        if not (base / "assets").is_dir():
            dashboard.make_assets(base / "assets.part").rename(base / "assets")
    return base / "assets"


@pytest.fixture(scope="module")
def assets(tiny_assets, tmp_path_factory):
    """A copy of the tiny checkpoints for the tests of a module."""
    return shutil.copytree(tiny_assets, tmp_path_factory.mktemp("copy") / "assets")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with one run, stopped after two of three epochs."""
    import dashboard

    folder = tmp_path_factory.mktemp("runs")
    writer = dashboard.Writer(folder / "some-run")
    writer.epoch(1)
    writer.epoch(2)
    writer.run.set_status("stopped", epoch=2, step=20, reason="interrupted from the keyboard")
    return folder


@pytest.fixture
def page(assets, runs, monkeypatch):
    """``page(view, **query)``: a page of the dashboard after its first run, without a browser."""
    import dashboard

    dashboard.surroundings(monkeypatch, assets, runs)
    return dashboard.open_page


@pytest.fixture(scope="session", autouse=True)
def _components_are_looked_for_once():
    """AppTest reads the metadata of every installed package at each run of a page, which took longer than the page."""
    from streamlit.components.v2 import manifest_scanner

    once = functools.cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", once)
        yield


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def small_config():
    """``small_config(dim=..., ...)``: the small configuration with some fields changed."""
    return lambda **changes: ModelConfig(**SMALL | changes)


@pytest.fixture(scope="session")
def small_model(small_config):
    """``small_model(**changes)``: an untrained model whose neurons fire, in evaluation mode."""

    def build(seed=1, **changes):
        from dista.experiments.untrained import untrained_like
        from dista.model import DISTA

        config = small_config(**changes)
        return untrained_like(DISTA(config), images(config), seed)

    return build


@pytest.fixture(scope="session")
def small_input():
    """``small_input(config, samples=4, steps=None)``: random images, or frames where steps are given."""
    return images


def images(config, samples=4, steps=None, seed=2):
    leading = (samples,) if steps is None else (steps, samples)
    return torch.rand(*leading, *config.input_shape, generator=torch.Generator().manual_seed(seed))


# A real browser -----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def folders(tiny_assets, tmp_path_factory):
    """The checkpoints and the runs that ``server`` looks at, the worker's own."""
    base = tmp_path_factory.mktemp("served")
    (base / "runs").mkdir()
    return shutil.copytree(tiny_assets, base / "assets"), base / "runs"


@pytest.fixture(scope="session")
def server(folders):
    """The address of the dashboard as users start it: one for all tests of a worker, whichever come to it."""
    from browsing import serving

    assets, runs = folders
    with serving(DISTA_ASSETS=str(assets), DISTA_RUNS=str(runs)) as (_, address):
        yield address


@pytest.fixture(scope="module")
def browser():
    """Chromium, for a module: while Playwright is there no other test of the process can run an event loop."""
    from browsing import CHROMIUM, FLAGS
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(server, browser):
    """``visit(path, **options)``: a page on which ``ready`` has appeared; no error may be logged."""
    from browsing import PATIENCE, PROBE

    errors, contexts = [], []

    def open_page(path="", width=1440, height=1000, ready=PROBE, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{server}/{path}")
        page.locator(ready).first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []
