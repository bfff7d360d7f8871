"""Train a DISTA with Lightning, and write the run folder that everything else reads.

Synaptic weights and time constants are trained jointly [paper]. A run can be stopped or killed at any
moment and resumed; on one CPU thread it then ends with the same weights, bit for bit.

    begin.py        train: here, or in a process of its own
    start.py        how a run begins here, or goes on, and what is written when it ends
    session.py      the loop over epochs and steps
    feed.py         the batches
    learner.py      the loss
    replay.py       on a GPU, forward and backward as one graph
    optimiser.py    parameter groups, schedule, bounds of the taus, moving average
    mixing.py       augmentation and mixing of whole batches
    state.py        what a resumed run starts from
    writer.py       tables, snapshots and checkpoints of a run
    gradients.py    gradient norms, layer by layer
    stopping.py     Ctrl-C, SIGTERM, and the file with which others ask
    machine.py      devices, processes, precision
    dry_run.py      what a training would cost

Several machines, each with 8 GPUs: run this on each of them, with its own ``--node-rank``.

    torchrun --nnodes 2 --nproc-per-node 8 --node-rank 0 --master-addr HOST --master-port 29500 \\
        -m dista train --preset dista_cifar --data cifar10 --out runs/one --devices 8 --num-nodes 2
"""

from dista.extras import need

need("lightning", "training", "train")

from importlib import import_module
from typing import TYPE_CHECKING

_HOME = {
    "Plan": "dry_run",
    "Stopped": "stopping",
    "is_first": "machine",
    "plan": "dry_run",
    "resume": "start",
    "train": "begin",
}
__all__ = sorted(_HOME)

if TYPE_CHECKING:
    from dista.training.begin import train as train
    from dista.training.dry_run import Plan as Plan
    from dista.training.dry_run import plan as plan
    from dista.training.machine import is_first as is_first
    from dista.training.start import resume as resume
    from dista.training.stopping import Stopped as Stopped


def __getattr__(name: str) -> object:
    """Lightning takes seconds to load: who starts a training in a process of its own does not wait for it."""
    if name not in _HOME:
        raise AttributeError(f"dista.training has no {name!r}; it offers {', '.join(__all__)}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
