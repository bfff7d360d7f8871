"""What imports leave behind is out of the collector's sight, and only that."""

import subprocess
import sys
from pathlib import Path

APP = Path(__file__).parent.parent / "app"
SCRIPT = """
import gc, sys
sys.path.insert(0, {app!r})
import heap

heap.settle()
first = gc.get_freeze_count()
kept = [[] for _ in range(10_000)]
heap.settle()
assert gc.get_freeze_count() <= first, "nothing was imported: what a run made can still be collected"
import decimal, xml.dom.minidom
heap.settle()
assert gc.get_freeze_count() > first > 1000
"""


def test_what_imports_leave_behind_is_set_aside():
    script = SCRIPT.format(app=str(APP))
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
