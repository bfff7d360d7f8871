"""Vector code makes the same sums on every processor."""

from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = """
import sys
import numpy as np
from dista.engine import vectors
vectors._AT_ONCE = {at_once}
from dista.engine.compiled import compiled

@compiled
def products(sums, lanes, rows, x, count):
    vectors.add_products(sums, 0, lanes, 0, lanes, rows, 0, lanes, x, 0, count, count)

random, lanes, count = np.random.default_rng(0), 48, 37
sums = random.normal(size=vectors.ROWS * lanes).astype(np.float32)
rows = random.normal(size=count * lanes).astype(np.float32)
x = random.normal(size=vectors.ROWS * count).astype(np.float32)
exact = sums.reshape(-1, lanes) + x.reshape(-1, count).astype(float) @ rows.reshape(count, lanes)
products(sums, lanes, rows, x, count)
print(abs(sums - exact.ravel()).max() < 1e-4, sums.tobytes().hex())
"""


def test_products_are_the_same_with_16_and_with_32_registers(tmp_path):
    """How many sums are under way at once depends on the processor; what comes out must not."""
    answers = []
    for at_once in ("(4, (1,))", "(8, (2, 1))"):
        script = tmp_path / "products.py"
        script.write_text(SCRIPT.format(at_once=at_once))
        own = {"NUMBA_CACHE_DIR": str(tmp_path / at_once[1])}
        run = subprocess.run(
            [sys.executable, script], capture_output=True, text=True, check=True, env=os.environ | own
        )  # fmt: skip
        answers.append(run.stdout)
    assert answers[0] == answers[1] and answers[0].startswith("True ")
