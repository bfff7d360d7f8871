"""Waiting threads: what is set, before torch is there, and that a reader's own wish is kept."""

import json
import os
import subprocess
import sys

import pytest

SCRIPT = """
import json, os
{before}
from dista.engine.threads import wait_briefly
wait_briefly()
names = "GOMP_SPINCOUNT", "OMP_WAIT_POLICY"
print(json.dumps({{name: os.environ[name] for name in names if name in os.environ}}))
"""


@pytest.mark.parametrize(
    ("before", "wish", "after"),
    [
        ("", {}, {"GOMP_SPINCOUNT": "1000"}),
        ("", {"OMP_WAIT_POLICY": "ACTIVE"}, {"OMP_WAIT_POLICY": "ACTIVE"}),
        ("", {"GOMP_SPINCOUNT": "7"}, {"GOMP_SPINCOUNT": "7"}),
        ("import torch", {}, {}),
    ],
)
def test_threads_wait_briefly(before, wish, after):
    names = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}
    clean = {name: value for name, value in os.environ.items() if name not in names}
    command = [sys.executable, "-c", SCRIPT.format(before=before)]
    ran = subprocess.run(command, env=clean | wish, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == after


def test_the_command_line_asks_for_it_before_it_loads_torch():
    script = SCRIPT.format(before="import sys, dista.cli as cli\nsys.argv = ['dista', 'presets']")
    script = script.replace(
        "from dista.engine.threads import wait_briefly\nwait_briefly()", "cli.main()"
    )
    script = script.replace("cli.main()", "try: cli.main()\nexcept SystemExit: pass")
    clean = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    ran = subprocess.run(
        [sys.executable, "-c", script], env=clean, capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout.splitlines()[-1]) == {"GOMP_SPINCOUNT": "1000"}
