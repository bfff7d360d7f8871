"""What imports leave behind is out of the collector's sight, and only that."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
SCRIPT = """
import gc, sys
sys.path.insert(0, {root!r})
from app.page import garbage_collection

garbage_collection.settle()
first = gc.get_freeze_count()
kept = [[] for _ in range(10_000)]
garbage_collection.settle()
assert gc.get_freeze_count() <= first, "nothing was imported: what a run made can still be collected"
import decimal, xml.dom.minidom
garbage_collection.settle()
assert gc.get_freeze_count() > first > 1000
"""


def test_what_imports_leave_behind_is_set_aside():
    script = SCRIPT.format(root=str(ROOT))
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
