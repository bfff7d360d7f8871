"""Record what named modules do, and change it, with plain PyTorch forward hooks.

A dotted module name is the address of a quantity everywhere: ``blocks.0.attention.scores`` in
Python, ``blocks/0/attention/scores`` in the recording. A hook that returns nothing records; a hook
that returns a tensor intervenes. This module knows torch and xarray, not the model: it sees whatever
a module class declares in ``observables`` (see ``dista.observable``).
"""

from __future__ import annotations

import contextlib
import difflib
import json
import math
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor, nn

from dista.engine import kernels, modules
from dista.engine.modules import LOOKS, SPIKES
from dista.files import weights
from dista.files.recordings import RecordingError as RecordingError  # raised here too
from dista.files.recordings import open_recording as open_recording
from dista.files.recordings import place as place
from dista.files.recordings import save as save
from dista.hooks import Hook as Hook
from dista.hooks import hooks as hooks
from dista.hooks import promising
from dista.observable import Observable

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr


class Source(NamedTuple):
    """Where an observable comes from: a module's dotted name, the module, and how to read it."""

    module_name: str
    module: nn.Module
    observable: Observable


def observables(model: nn.Module) -> dict[str, Source]:
    """Everything that can be recorded, by dotted name, in the order of the model's modules."""
    sources = {}
    for module_name, module in modules.named(model).items():
        for suffix, observable in getattr(module, "observables", {}).items():
            sources[_named(module_name, suffix)] = Source(module_name, module, observable)
    return sources


def _named(module_name: str, suffix: str) -> str:
    """The dotted name of an observable; see ``Observable`` for what ``suffix`` means."""
    parent = module_name if suffix.startswith(".") else module_name.rpartition(".")[0]
    return f"{parent}.{suffix.lstrip('.')}".lstrip(".") if suffix else module_name


def matching(patterns: str | Sequence[str], names: Sequence[str]) -> list[str]:
    """The names that any of the glob ``patterns`` matches, in order; an error if one matches none."""
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            near = difflib.get_close_matches(pattern, names, 3, cutoff=0.3) or list(names)[:3]
            raise RecordingError(
                f"nothing is called {pattern!r}; the nearest names are {', '.join(near)}"
            )
    return [name for name in names if any(fnmatchcase(name, p) for p in patterns)]


def record(
    model: nn.Module,
    x: Tensor,
    names: str | Sequence[str] = "*",
    *,
    labels: Sequence[int] | None = None,
    classes: Sequence[str] | None = None,
    samples: Sequence[int] | None = None,
    dry_run: bool = False,
) -> xr.DataTree | pd.DataFrame:
    """Run ``model(x)`` in evaluation mode and return what the named observables did, labelled.

    ``names`` is a glob or several over the names of ``observables(model)``. The result is an xarray
    DataTree in which the dotted name is a path to a DataArray, with ``input`` at the root; spikes are
    bool, attention counts uint8 or uint16 where they are integers, the rest float32. ``labels`` and
    ``samples`` (sample indices) go along the batch axis, ``classes`` are kept as an attribute, and so is
    the digest of the ``weights`` (``dista.files.weights``).

    With ``dry_run`` nothing is kept: the result is a table of names, shapes and bytes, at the cost of
    running one sample. The model is left as it was, hooks and training mode included, also after an
    exception; its outputs are those of a run without recording, bit for bit where that runs by modules. Where
    it is driven by spikes (``dista.engine.events``), as much stays so as the names leave to it, and a spike may
    differ whose membrane lies within rounding of the threshold. ``x`` goes to the device of the model; one that ``torch.compile`` has wrapped runs, and is
    named, as it was written.
    """
    model = modules.original(model)
    every = observables(model)
    sources = {name: every[name] for name in matching(names, list(every))}
    batch_axis = x.ndim - 4
    if dry_run:
        return _sizes(model, x, sources, batch_axis)
    values = _run(model, x, sources, _keep)
    arrays = _arrays(values, live=(x, *model.parameters(), *model.buffers()))
    return _tree(model, x, sources, arrays, labels=labels, classes=classes, samples=samples)


def _run(
    model: nn.Module,
    x: Tensor,
    sources: Mapping[str, Source],
    keep: Callable[[Observable, Tensor], Any],
) -> dict[str, Any]:
    """One evaluation-mode forward; ``keep(observable, tensor)`` of each chosen name, in their order."""
    values: dict[str, object] = {}
    by_module: dict[str, list[str]] = {}
    for name, source in sources.items():
        by_module.setdefault(source.module_name, []).append(name)

    def recorder(names: list[str]) -> Hook:
        def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            for name in names:
                observable = sources[name].observable
                values[name] = keep(observable, observable.read(module, inputs, output))

        inputs = any(sources[name].observable.of_inputs for name in names)
        return hook if inputs else promising(hook, LOOKS, SPIKES)

    recorders = {module_name: recorder(names) for module_name, names in by_module.items()}
    x = x.to(modules.device_of(model))
    # without gradients, and not torch's inference mode, whose tensors do not tell of changes
    with _evaluating(model), torch.inference_mode(False), torch.no_grad(), hooks(model, recorders):
        model(x)
    return {name: values[name] for name in sources if name in values}


_MODES: WeakKeyDictionary[nn.Module, threading.RLock] = WeakKeyDictionary()


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; afterwards each module is in the mode in which it was.

    One block after the other for a model, over all threads: of two that overlap, one would take the other's
    evaluation mode for the model's own, or lose its own in the middle.
    """
    with _MODES.setdefault(model, threading.RLock()):
        modes = {module: module.training for module in model.modules()}
        model.eval()
        try:
            yield
        finally:
            for module, training in modes.items():
                module.training = training  # each its own: a frozen part may be in the other mode


_SMALLER = {"bool": (np.bool_,), "count": (np.uint8, np.uint16)}


class _Lent(NamedTuple):
    """A float tensor that is recorded as it is, and its version when a hook saw it."""

    tensor: Tensor
    version: int


def _keep(observable: Observable, tensor: Tensor) -> np.ndarray | _Lent:
    """In the smallest type that holds it exactly; what stays float32 is not copied yet."""
    tensor = tensor.detach()
    if tensor.dtype is torch.uint8 and observable.dtype == "bool":  # spikes as the engine has them
        return tensor.bool().numpy()
    if tensor.is_cuda and observable.dtype in _SMALLER:  # a quarter of the bytes leave the GPU
        small = tensor.to(torch.bool if observable.dtype == "bool" else torch.uint8)
        if torch.equal(small.to(tensor.dtype), tensor):
            return small.cpu().numpy()
    tensor = tensor.float().cpu()
    if tensor.is_inference():
        tensor = tensor.clone()
    for dtype in _SMALLER.get(observable.dtype, ()):
        packed = kernels.packed(tensor.numpy(), dtype)
        if packed is not None:
            return packed
    return _Lent(tensor, tensor._version)


def _arrays(
    values: Mapping[str, np.ndarray | _Lent], live: Iterable[Tensor]
) -> dict[str, np.ndarray]:
    """Arrays that nobody else holds: a tensor's own memory, a copy where a ``live`` one may change it.

    RecordingError where an intervention changed a tensor in place after it was seen.
    """
    taken = {tensor.untyped_storage().data_ptr() for tensor in live}
    arrays = {}
    for name, seen in values.items():
        if isinstance(seen, _Lent):
            if seen.tensor._version != seen.version:
                raise RecordingError(
                    f"{name!r} was changed in place after it was recorded; "
                    "a hook has to return a new tensor instead"
                )
            memory = seen.tensor.untyped_storage()
            own = memory.nbytes() == seen.tensor.nbytes and memory.data_ptr() not in taken
            taken.add(memory.data_ptr())
            seen = seen.tensor.numpy() if own else np.array(seen.tensor.numpy())
        arrays[name] = seen
    return arrays


def _sizes(
    model: nn.Module, x: Tensor, sources: Mapping[str, Source], batch_axis: int
) -> pd.DataFrame:
    import pandas as pd

    samples = x.shape[batch_axis]

    def measure(observable: Observable, tensor: Tensor) -> tuple[tuple[int, ...], int]:
        stored = _keep(observable, tensor)
        return tuple(tensor.shape), 4 if isinstance(stored, _Lent) else stored.itemsize

    one = _run(model, x.narrow(batch_axis, 0, 1), sources, measure)
    rows = []
    for name, (shape, width) in one.items():
        axes, dtype = sources[name].observable[:2]
        shape = tuple(samples if axis == "batch" else size for axis, size in zip(axes, shape))
        rows.append((name, axes, shape, dtype, math.prod(shape) * width))
    return pd.DataFrame(rows, columns=["name", "axes", "shape", "dtype", "bytes"])


def _tree(
    model: nn.Module,
    x: Tensor,
    sources: Mapping[str, Source],
    arrays: Mapping[str, np.ndarray],
    *,
    labels: Sequence[int] | None,
    classes: Sequence[str] | None,
    samples: Sequence[int] | None,
) -> xr.DataTree:
    """Arrays by dotted name to a DataTree by path, with coordinates and the model's description."""
    import xarray as xr

    # variables and coordinates
    groups: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {"": ({}, {})}
    for name, array in arrays.items():
        group, _, variable = name.rpartition(".")
        variables, coords = groups.setdefault(group, ({}, {}))
        _, module, observable = sources[name]
        values = {constant: getattr(module, constant) for constant in observable.constants}
        attrs = {k: "soft" if v is None else v for k, v in values.items()}
        variables[variable] = xr.Variable(observable.axes, array, attrs)
        coords.update(observable.coords(module, array))
    variables, coords = groups[""]
    axes = ("time", "batch", "colour", "y", "x")[-x.ndim :]
    variables["input"] = (axes, x.detach().float().cpu().numpy())
    number = x.shape[axes.index("batch")]
    coords["batch"] = np.arange(number) if samples is None else np.asarray(samples)
    if labels is not None:
        variables["label"] = ("batch", np.asarray(labels))
    tree = _grown({group: xr.Dataset(*parts) for group, parts in groups.items()})
    if classes is not None:
        tree.attrs["classes"] = list(classes)
    tree.attrs["model"] = getattr(model, "name", type(model).__name__)
    tree.attrs["weights"] = weights.digest(model)
    if (config := getattr(model, "config", None)) is not None:
        tree.attrs["model_config"] = config.to_json()
    if taus := getattr(model, "card", {}).get("starting_taus"):
        tree.attrs["starting_taus"] = json.dumps(taus)
    return tree


def _grown(datasets: Mapping[str, xr.Dataset]) -> xr.DataTree:
    """Datasets by dotted name as a tree, "" at its root.

    From the root down, as every node is then checked once against those above: ``DataTree.from_dict``
    does it again, and copies, for each level.
    """
    import xarray as xr

    nothing = xr.Dataset()
    children: dict[str, dict[str, None]] = {}  # used as ordered sets
    for name in datasets:
        while name:
            parent, _, last = name.rpartition(".")
            children.setdefault(parent, {})[last] = None
            name = parent

    def grow(node: xr.DataTree, name: str) -> None:
        if name in children:
            below = {last: f"{name}.{last}".lstrip(".") for last in children[name]}
            node.children = {
                last: xr.DataTree(datasets.get(full, nothing)) for last, full in below.items()
            }
            for last, full in below.items():
                grow(node.children[last], full)

    tree = xr.DataTree(datasets[""])
    grow(tree, "")
    return tree
