"""How fast this is, side by side with spikingjelly's Spikformer of the same shape, in one run.

``dista bench`` prints what this package computes. Machines are noisy, so only ratios of interleaved
runs mean something; seconds are printed for the record.

    cases      the shapes, and how each implementation is built
    timing     interleaved medians of forward and training step
    recording  what recording costs
    spikes     evaluation driven by spikes against modules
    neuron     a layer of neurons alone
    scaling    attention against the numbers of steps and of patches
    loops      all of them used once, to be compiled
    memory     peak memory, each in a process of its own
    gpu        exactness, speed and a training on a GPU
    machine    versions, kernels, and the peaks of this machine (the roofline)
    report     everything as one dictionary
    tables     and as Markdown; gpu_tables those of a GPU
"""

from dista.bench.cases import CASES
from dista.bench.report import run
from dista.bench.tables import tables

__all__ = ["CASES", "run", "tables"]
