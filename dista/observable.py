"""The words for axes, and the way a module says what can be seen in it.

Every tensor in the package is laid out as ``time batch channel row column``; attention adds ``head``
and ``query``/``key`` (tokens, i.e. patches in reading order) and ``pair``: one entry for each
combination of a query step and a key step that the memory allows. The same words name the
dimensions of a recording and the axes of a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Sized
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

ACTIVITY = ("time", "batch", "channel", "row", "column")
MAP = ("pair", "batch", "head", "query", "key")

Coords = dict[str, tuple[str, Sequence[int]]]
"""Labels along an axis: from a coordinate's name to (axis, values)."""


class Observable(NamedTuple):
    """One quantity that a module makes visible.

    A module class lists its observables in ``observables``, a dict from a name to one of these.
    The empty name is the module's own dotted name; any other name is its sibling, so that
    ``neuron.membrane`` can also show ``neuron.reset``, or with a dot in front its child, so that
    ``neuron`` can show ``neuron.spikes``. A class with the empty name has no children: in a recording a
    path is an array or a group of them. Recording reads nothing else.

    ``dtype`` is ``"bool"`` for spikes, ``"count"`` for small integers, ``"float"`` otherwise.
    ``read(module, inputs, output)`` returns the tensor, whose dimensions are ``axes``. ``constants``
    names attributes of the module to keep with it, ``coords(module, tensor)`` labels along an axis.
    Both functions get a module of the class that lists them. ``of_inputs`` says that ``read`` looks at the inputs,
    which then have to be there.
    """

    axes: tuple[str, ...]
    dtype: str = "float"
    read: Callable[[Any, tuple[Tensor, ...], Tensor], Tensor] = lambda _, inputs, output: output
    constants: tuple[str, ...] = ()
    coords: Callable[[Any, Sized], Coords] = lambda module, tensor: {}
    of_inputs: bool = False
