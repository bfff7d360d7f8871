"""A lesson in JupyterLab, in a real browser without a network: a run followed, a widget moved, a prediction scored."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import urllib.request

import nbformat
import pytest
from browsing import free_port, needs_chromium
from lesson_runs import ROOT, opened

pytestmark = [
    pytest.mark.slow,
    needs_chromium,
]

LESSON = "08_what_happens_while_it_learns"
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # all cells are there, seen or not
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "apputils-extension/themes": {"theme": "JupyterLab Light"},
}


@pytest.fixture
def lab(tmp_path):
    """``lab(notebook)``: the address of JupyterLab with this notebook open, in a folder of its own."""
    servers = []

    def start(notebook: nbformat.NotebookNode, theme: str = "Light") -> str:
        nbformat.write(notebook, tmp_path / f"{LESSON}.ipynb")
        settings = SETTINGS | {"apputils-extension/themes": {"theme": f"JupyterLab {theme}"}}
        for name, values in settings.items():
            path = tmp_path / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        port = free_port()
        options = {
            "ServerApp.port": port, "ServerApp.root_dir": tmp_path, "ServerApp.allow_root": True,
            "ServerApp.open_browser": False, "LabApp.user_settings_dir": tmp_path / "settings",
            "LabApp.workspaces_dir": tmp_path / "workspaces", "IdentityProvider.token": "",
            "LabApp.expose_app_in_browser": True,
        }  # fmt: skip
        words = [f"--{name}={value}" for name, value in options.items()]
        own = {
            name: str(tmp_path / "jupyter") for name in ("JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR")
        }
        environment = os.environ | own | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        with (tmp_path / "lab.log").open("w") as log:
            command = [sys.executable, "-m", "jupyterlab", *words]
            servers.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
        address = f"http://127.0.0.1:{port}"
        wait_for(address, tmp_path / "lab.log")
        return f"{address}/lab/tree/{LESSON}.ipynb"

    yield start
    for server in servers:
        server.terminate()
        server.wait(60)


def wait_for(address, log):
    deadline = time.monotonic() + 180
    while True:
        try:
            return urllib.request.urlopen(f"{address}/api", timeout=5).read()
        except OSError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.3)


GIVEN_UP = "[anywidget] Failed to initialize model."
"""What anywidget throws where a page is busy for two seconds; what our widgets make of that is looked at below."""

HURRIED = """AbortSignal.timeout = () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort());
  return controller.signal;
}"""
"""Those two seconds are over at once, as on a page that is busy with something else."""


@pytest.fixture
def page(browser, tmp_path):
    """A page that fails the test where anything would leave this machine, or throws."""
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(600_000)
    trouble = []
    page.on(
        "pageerror", lambda error: None if GIVEN_UP in str(error) else trouble.append(str(error))
    )

    def local_only(route):
        if re.match(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]", route.request.url):
            return route.continue_()
        trouble.append(route.request.url)
        return route.abort()

    page.route("**/*", local_only)
    yield page
    page.close()
    assert trouble == []


KERNEL = (
    "window.jupyterapp?.shell?.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'"
)


RUN = """async (index) => {
  window.jupyterapp.shell.currentWidget.content.activeCellIndex = index;
  await window.jupyterapp.commands.execute("notebook:run-cell");
}"""


def run_all(page):
    """Cell by cell, as a reader does; JupyterLab's own commands do not depend on its looks.

    All at once a busy machine draws for longer than the two seconds that anywidget gives a widget to begin.
    """
    cells = page.locator(".jp-Notebook .jp-Cell")
    cells.first.wait_for()
    page.wait_for_function(KERNEL)
    for index in range(cells.count()):
        page.evaluate(RUN, index)


@pytest.mark.parametrize("pretended", [False, True])
def test_a_lesson_is_worked_through(lab, page, pretended):
    """The trainings are real ones; pretended ones, which take no time, let a page be looked at that is too busy for anywidget."""
    notebook = opened(ROOT / "notebooks" / f"{LESSON}.ipynb")
    for cell in notebook.cells:
        cell.source = re.sub(r"^epochs = 4\b", "epochs = 2", cell.source, flags=re.M)
    if pretended:
        program = [str(ROOT / "tests" / "pretended_training.py")]
        source = f"from dista.runs import background\nbackground.PROGRAM = {program}"
        notebook.cells.insert(1, nbformat.v4.new_code_cell(source))
        page.add_init_script(HURRIED)
    page.goto(lab(notebook))
    run_all(page)
    live, film = (page.locator(".jp-OutputArea-output:has(.figures)").nth(i) for i in (0, 1))
    live.get_by_role("status").filter(has_text=re.compile("Finished after 2 epochs")).wait_for()
    live.locator(".js-plotly-plot:has(.main-svg)").nth(3).wait_for()  # four figures
    scored(page)
    film.get_by_role("status").wait_for()
    if not pretended:
        moved(page, film)
    page.locator(".jp-OutputArea-output", has_text="This run on the Train page").wait_for()
    assert page.locator(".jp-OutputArea-output[data-mime-type$=stderr]").all_inner_texts() == []
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0


def scored(page):
    """The reader predicts, wrongly, and is told what the run says."""
    asked = page.locator(".jp-OutputArea-output", has_text="Which run ends nearest to that").first
    asked.get_by_text("frozen taus", exact=True).click()
    asked.get_by_role("button", name="I predict this").click()
    asked.get_by_text(re.compile("The run says")).wait_for()
    assert "one number a layer" in asked.inner_text()


def moved(page, film):
    """The slider goes to epoch 0; the figures' cursor and the probe follow it."""
    canvas = film.locator("canvas[data-name=film]")
    canvas.wait_for()
    first = film.locator(".js-plotly-plot").first
    first.evaluate("node => { node.querySelector('.main-svg').dataset.same = 'yes'; }")
    handle = film.locator(".noUi-handle")
    handle.focus()
    handle.press("Home")
    page.wait_for_function(
        "node => node.layout.shapes?.some((shape) => shape.x0 === 0)", arg=first.element_handle()
    )
    assert first.locator(".main-svg[data-same=yes]").count() == 1, "drawn in place"
