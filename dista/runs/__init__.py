"""The run folder, the boundary between training and looking: its only reader and writer, who holds it, the
processes that train in the background, and how two runs differ.
"""

from dista.runs.background import Training
from dista.runs.begun import unfinished
from dista.runs.facts import RunConfig, State, Status, Table
from dista.runs.folder import Run, RunError, default_folder, find, place
from dista.runs.shipped import everywhere
from dista.runs.tables import Tail

__all__ = [
    "Run", "RunConfig", "RunError", "State", "Status", "Table", "Tail", "Training", "default_folder", "everywhere",
    "find", "place", "unfinished",
]  # fmt: skip
