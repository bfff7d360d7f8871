"""What vector code is written with: addresses, loads and stores of whole vectors, and loops over them.

All arrays are flat, and offsets count their elements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

LANES = 16
"""Numbers of a vector."""

INDEX, LIST, BYTE, BIT = ir.IntType(64), ir.IntType(32), ir.IntType(8), ir.IntType(1)


def vector_code(function: Callable[..., Any]) -> Any:
    """``function`` makes the code of a call from compiled functions; the types of such a call are numba's matter."""
    return intrinsic(function)


def _data(context: Any, builder: ir.IRBuilder, kind: types.Array, array: Any) -> ir.Value:
    return context.make_array(kind)(context, builder, array).data


def integers(
    context: Any, builder: ir.IRBuilder, kinds: Sequence[Any], args: Sequence[Any]
) -> list:
    """The arguments, integers as 64 bits, arrays as the address of their data."""
    return [
        _data(context, builder, kind, value)
        if isinstance(kind, types.Array)
        else context.cast(builder, value, kind, types.int64)
        for kind, value in zip(kinds, args)
    ]


def vector(element: ir.Type) -> ir.VectorType:
    """The type of ``LANES`` of them."""
    return ir.VectorType(element, LANES)


def _at(builder: ir.IRBuilder, data: ir.Value, offset: ir.Value, kind: ir.Type) -> ir.Value:
    """The address of a ``kind`` that begins at element ``offset`` of ``data``."""
    return builder.bitcast(builder.gep(data, [offset]), kind.as_pointer())


def load(builder: ir.IRBuilder, data: ir.Value, offset: ir.Value, count: int = LANES) -> ir.Value:
    kind = ir.VectorType(data.type.pointee, count)
    return builder.load(_at(builder, data, offset, kind), align=1)


def store(builder: ir.IRBuilder, value: ir.Value, data: ir.Value, offset: ir.Value) -> None:
    builder.store(value, _at(builder, data, offset, value.type), align=1)


def splat(builder: ir.IRBuilder, value: ir.Value, count: int = LANES) -> ir.Value:
    kind = ir.VectorType(value.type, count)
    single = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(LIST, 0))
    mask = ir.Constant(ir.VectorType(LIST, count), [0] * count)
    return builder.shuffle_vector(single, ir.Constant(kind, ir.Undefined), mask)


class Steps:
    """A loop while another whole step fits before ``stop``; where it ended is left in ``place``."""

    def __init__(self, builder: ir.IRBuilder, start: ir.Value, stop: ir.Value, step: int) -> None:
        self.builder, self.stop, self.step = builder, stop, ir.Constant(INDEX, step)
        self.place = cgutils.alloca_once(builder, INDEX)
        builder.store(start, self.place)

    def __enter__(self) -> ir.Value:
        b = self.builder
        self.test, body, self.end = (b.append_basic_block(n) for n in ("test", "body", "end"))
        b.branch(self.test)
        b.position_at_end(self.test)
        now = b.load(self.place)
        b.cbranch(b.icmp_signed("<=", b.add(now, self.step), self.stop), body, self.end)
        b.position_at_end(body)
        return now

    def __exit__(self, *_: object) -> None:
        b = self.builder
        b.store(b.add(b.load(self.place), self.step), self.place)
        b.branch(self.test)
        b.position_at_end(self.end)


def tiles(
    builder: ir.IRBuilder,
    lanes: ir.Value,
    widths: Sequence[int],
    body: Callable[[ir.Value, int], None],
) -> None:
    """``body(first lane, vectors)`` for tiles of ``widths`` vectors, the widest first, until all are covered."""
    start: ir.Value = ir.Constant(INDEX, 0)
    for width in widths:
        steps = Steps(builder, start, lanes, width * LANES)
        with steps as first:
            body(first, width)
        start = builder.load(steps.place)
