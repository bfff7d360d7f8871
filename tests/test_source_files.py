"""The reader of imports, on which the tests of the architecture stand."""

import source_files
from source_files import imports, uses

SAMPLE = """
from typing import TYPE_CHECKING
import numpy as np, torch.nn
if TYPE_CHECKING:
    import pandas
try:
    import zarr
except ImportError:
    pass
class A:
    import tonic
def f():
    from dista.model import DISTA
    from . import sibling
    from ..figures import one as two
"""


def test_imports_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr(source_files, "ROOT", tmp_path)
    path = tmp_path / "dista" / "data" / "sample.py"
    path.parent.mkdir(parents=True)
    path.write_text(SAMPLE)
    at_import = {"typing", "typing.TYPE_CHECKING", "numpy", "torch.nn", "zarr", "tonic"}
    later = {"dista.model", "dista.model.DISTA", "dista.data", "dista.data.sibling"}
    later |= {"dista.figures", "dista.figures.one"}
    assert imports(path, everywhere=False) == at_import
    assert imports(path) == at_import | later
    assert uses(path, "torch") and not uses(path, "tor")
    assert uses(path, "dista.model") and not uses(path, "dista.model", everywhere=False)
