"""A wheel of the tree, installed where nothing else is: it opens, trains and finds what it trained.

Dependencies come from this environment by a line in a .pth file, so that nothing is downloaded. Files of
that kind in a folder that was added so are not read: an editable installation of this tree stays out.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from browsing import PATIENCE, PROBE, answers, free_port, needs_chromium, wait_until

ROOT = Path(__file__).parent.parent
EVENT = [("x", "<i4"), ("y", "<i4"), ("t", "<i8"), ("p", "u1")]
TINY = (
    "--preset digits_events --data recordings --epochs 1 --batch-size 12 --threads 1 --set model.dim=16 "
    "--set model.heads=2 --set model.depth=1 --set model.classes=2 --set probes=1 --out runs/mine"
)

pytest.importorskip("hatchling", reason="builds the wheel: pip install -e '.[test]'")


def run(*command, **options) -> subprocess.CompletedProcess:
    answer = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=300, **options
    )
    assert answer.returncode == 0, answer.stderr
    return answer


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def program(wheel, tmp_path_factory):
    """``dista`` of an environment with the wheel, and variables that lead nowhere else."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(
        sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index",
        "--disable-pip-version-check", wheel,
    )  # fmt: skip
    (packages,) = (path.parent for path in folder.rglob("site-packages/dista"))
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DISTA_")}
    ours.pop("PYTHONPATH", None)
    return python.with_name("dista"), ours | {"OMP_NUM_THREADS": "1"}, packages


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A user's folder: with data, and with a file that has the name of a module."""
    folder = tmp_path_factory.mktemp("a user's folder")
    for label, at in (("left", 3), ("right", 20)):
        (folder / "data" / label).mkdir(parents=True)
        for number in range(15):
            moving = [(at + i % 5, 5 + i % 9, 1000 * i, i % 2) for i in range(40)]
            events = np.array([*moving, (33, 33, 40_000, 1)], EVENT)
            np.save(folder / "data" / label / f"{number}.npy", events)
    (folder / "random.py").write_text("raise SystemExit('the file of the user ran')\n")
    return folder


@pytest.fixture(scope="module")
def served(program, here):
    """The address of the dashboard that was started in the user's folder, and what it said."""
    port = free_port()
    dista, environment, _ = program
    log = here.parent / "said.txt"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [dista, "app", "--headless", "--port", str(port)],
            cwd=here, env=environment, stdout=said, stderr=said,
        )  # fmt: skip
    try:
        address = f"http://localhost:{port}"
        wait_until(lambda: answers(f"{address}/_stcore/health"), "the server answers")
        yield address, log
    finally:
        process.terminate()
        process.wait(20)


def test_the_wheel_holds_the_configuration_of_the_dashboard(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert "dista/_app/app/.streamlit/config.toml" in names and "dista/_app/app/main.py" in names
    assert "dista/_assets/first-light.zarr.zip" in names
    assert "dista/py.typed" in names, "types are for whoever uses the package, too"
    studies = "dista/_assets/studies/"
    assert f"{studies}match-ablation/shipped.json" in names
    rooms = ("dista/runs/", studies)  # the room of that name, and runs that are shipped
    assert not [name for name in names if "/runs/" in name and not name.startswith(rooms)]
    assert not [name for name in names if "__pycache__" in name]


@needs_chromium
def test_it_opens_trains_and_finds_its_run(served, program, here, browser):
    """As configured, from the user's folder, in which runs are looked for, and into which they go."""
    (address, log), (dista, environment, packages) = served, program
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.locator(PROBE).first.wait_for()
    paper = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert paper == "rgb(251, 250, 246)", "the theme of the dashboard"
    assert "usage statistics" not in log.read_text()

    page.goto(f"{address}/train")
    page.get_by_text("No run of your own yet").wait_for()
    assert str(here / "runs") in page.locator(".stMain").inner_text()
    assert page.get_by_role("button", name="New run").count() == 1, "who sits here may train"
    run(dista, "train", *TINY.split(), "--data-dir", "data", cwd=here, env=environment)
    page.goto(f"{address}/train")
    page.get_by_text(re.compile("Finished after 1 epochs and 2 steps")).wait_for()
    assert "mine" in page.get_by_role("combobox", name="Run").input_value(), "before shipped ones"
    assert (here / "runs" / "mine" / "config.json").is_file()
    assert not list(packages.rglob("runs/mine")), "nothing is written beside the package"
