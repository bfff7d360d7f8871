"""The inner loops as LLVM vector code, for functions that numba compiles.

numba keeps a local array in memory, so that a sum of rows that is written as a loop loads and stores its result
at each row: here it stays in registers. LLVM makes of a vector of 16 what the processor has, and where a loop
gives no vector code (the list of spikes) it takes an instruction that does.

All arrays are flat, and offsets count their elements. Lengths are multiples of ``LANES``.
"""

from __future__ import annotations

import functools
from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba.core import cgutils, types

from dista.engine.vector_code import (
    BIT,
    BYTE,
    INDEX,
    LANES,
    LIST,
    Steps,
    integers,
    load,
    splat,
    store,
    tiles,
    vector,
    vector_code,
)

KEYS = 64
"""Bytes of a vector."""

ROWS = 8
"""Rows that ``add_products`` takes at once."""

_AT_ONCE = (8, (2, 1)) if get_host_cpu_features().get("avx512f") else (4, (1,))
"""Rows and vectors whose sums stay in registers. AVX-512 has 32, one for ``LANES`` numbers; AVX2 has 16, and needs two.
Each sum is made in the same order either way."""

_CHAINS = 8
"""Sums under way at once: an addition takes 4 clocks, of which 2 can begin at each."""


@vector_code
def add_rows(
    typing: Any, sums: Any, to: Any, origin: Any, rows: Any, start: Any, width: Any, places: Any, low: Any, high: Any
):  # fmt: skip
    """sums[to:] = sums[origin:] + the rows at start + places[e] * width for each e from ``low`` to ``high``.

    All of them are ``width`` long.
    """

    def code(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        sums, to, origin, rows, start, width, places, low, high = integers(
            context, builder, signature.args, args
        )
        b, many = builder, vector(sums.type.pointee)

        def tile(first: ir.Value, vectors: int) -> None:
            chains, zero = _CHAINS // vectors, ir.Constant(many, [0.0] * LANES)
            lane = [b.add(first, ir.Constant(INDEX, LANES * i)) for i in range(vectors)]
            starts = [[load(b, sums, b.add(origin, i)) for i in lane]] + [[zero] * vectors] * (
                chains - 1
            )
            held = [[cgutils.alloca_once_value(b, value) for value in chain] for chain in starts]

            def add(entry: ir.Value, chain: list) -> None:
                place = b.sext(b.load(b.gep(places, [entry])), INDEX)
                row = b.add(start, b.mul(place, width))
                for i, total in zip(lane, chain):
                    b.store(b.fadd(b.load(total), load(b, rows, b.add(row, i))), total)

            whole = Steps(b, low, high, chains)
            with whole as entry:
                for number, chain in enumerate(held):
                    add(b.add(entry, ir.Constant(INDEX, number)), chain)
            with Steps(b, b.load(whole.place), high, 1) as entry:
                add(entry, held[0])
            for i, totals in zip(lane, zip(*held)):
                total = functools.reduce(b.fadd, map(b.load, totals))
                store(b, total, sums, b.add(to, i))

        tiles(builder, width, (8, 4, 2, 1), tile)
        return context.get_dummy_value()

    return types.void(sums, to, origin, rows, start, width, places, low, high), code


@vector_code
def add_products(
    typing: Any, sums: Any, to: Any, lanes: Any, origin: Any, distance: Any,
    rows: Any, start: Any, width: Any, x: Any, at: Any, apart: Any, count: Any,
):  # fmt: skip
    """``ROWS`` rows of sums, ``lanes`` after each other from ``to`` = the same from ``origin`` + x @ rows.

    Those from ``origin`` lie ``distance`` after each other. Row r of x is the ``count`` values from
    at + r * apart; ``rows`` are as many from ``start``, each ``width`` long, as are those of the sums.
    """

    def code(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        sums, to, lanes, origin, distance, rows, start, width, x, at, apart, count = integers(
            context, builder, signature.args, args
        )
        b = builder

        def each(first: ir.Value, step: ir.Value) -> list[ir.Value]:
            return [b.add(first, b.mul(step, ir.Constant(INDEX, r))) for r in range(ROWS)]

        target, begin, source = each(to, lanes), each(origin, distance), each(at, apart)

        at_once, widths = _AT_ONCE

        def tile(first: ir.Value, vectors: int) -> None:
            lane = [b.add(first, ir.Constant(INDEX, LANES * i)) for i in range(vectors)]
            for low in range(0, ROWS, at_once):
                group(lane, slice(low, low + at_once))

        def group(lane: list[ir.Value], some: slice) -> None:
            held = [
                [cgutils.alloca_once_value(b, load(b, sums, b.add(line, i))) for i in lane]
                for line in begin[some]
            ]
            with Steps(b, ir.Constant(INDEX, 0), count, 1) as k:
                row = b.add(start, b.mul(k, width))
                weights = [load(b, rows, b.add(row, i)) for i in lane]
                for value_at, totals in zip(source[some], held):
                    value = splat(b, b.load(b.gep(x, [b.add(value_at, k)])))
                    for total, weight in zip(totals, weights):
                        product = b.fmul(value, weight, flags=("contract",))
                        b.store(b.fadd(b.load(total), product, flags=("contract",)), total)
            for line, totals in zip(target[some], held):
                for i, total in zip(lane, totals):
                    store(b, b.load(total), sums, b.add(line, i))

        tiles(builder, width, widths, tile)
        return context.get_dummy_value()

    return types.void(
        sums, to, lanes, origin, distance, rows, start, width, x, at, apart, count
    ), code


@vector_code
def list_spikes(typing: Any, x: Any, at: Any, count: Any, base: Any, places: Any, n: Any):
    """The places of what is not 0: base + c for each of the ``count`` bytes x[at + c], x[at + c] times; written
    from places[n] on. Returns the new n, up to which ``places`` is filled."""

    def code(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        x, at, count, base, places, n = integers(context, builder, signature.args, args)
        bits = ir.IntType(LANES)
        zero = ir.Constant(vector(BYTE), [0] * LANES)
        lane = ir.Constant(vector(LIST), list(range(LANES)))
        filled, left = (
            cgutils.alloca_once_value(builder, n),
            cgutils.alloca_once(builder, zero.type),
        )
        write = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [lane.type, LIST.as_pointer(), vector(BIT)]),
            f"llvm.masked.compressstore.v{LANES}i32",
        )
        with Steps(builder, ir.Constant(INDEX, 0), count, LANES) as c:
            builder.store(load(builder, x, builder.add(at, c)), left)
            place = builder.add(splat(builder, builder.trunc(builder.add(base, c), LIST)), lane)
            again, end = builder.append_basic_block("again"), builder.append_basic_block("listed")

            def fired() -> tuple[ir.Value, ir.Value]:
                mask = builder.icmp_unsigned("!=", builder.load(left), zero)
                return mask, builder.bitcast(mask, bits)

            any_left = lambda packed: builder.icmp_unsigned("!=", packed, ir.Constant(bits, 0))  # noqa: E731
            builder.cbranch(any_left(fired()[1]), again, end)
            builder.position_at_end(again)
            mask, packed = fired()
            start = builder.load(filled)
            builder.call(write, [place, builder.gep(places, [start]), mask])
            count_of = builder.zext(builder.ctpop(packed), INDEX)
            builder.store(builder.add(start, count_of), filled)
            builder.store(builder.add(builder.load(left), builder.sext(mask, zero.type)), left)
            builder.cbranch(any_left(fired()[1]), again, end)
            builder.position_at_end(end)
        return builder.load(filled)

    return types.int64(x, at, count, base, places, n), code


@vector_code
def count_keys(
    typing: Any, counts: Any, low: Any, high: Any, keys: Any, stride: Any, channels: Any, n: Any, least: Any
):  # fmt: skip
    """counts[low:high] = in how many of the ``n`` channels each key fired, or 0 where fewer than ``least``.

    ``keys`` are bytes (channel, key), ``stride`` apart. As many counts are written as whole vectors of 64 need.
    """

    def code(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        counts, low, high, keys, stride, channels, n, least = integers(
            context, builder, signature.args, args
        )
        b, many = builder, ir.VectorType(BYTE, KEYS)
        zero = ir.Constant(many, [0] * KEYS)
        least = splat(b, b.trunc(least, BYTE), KEYS)
        with Steps(b, low, b.add(high, ir.Constant(INDEX, KEYS - 1)), KEYS) as key:
            total = cgutils.alloca_once(b, many)
            b.store(zero, total)
            with Steps(b, ir.Constant(INDEX, 0), n, 1) as e:
                channel = b.sext(b.load(b.gep(channels, [e])), INDEX)
                fired = load(b, keys, b.add(b.mul(channel, stride), key), KEYS)
                b.store(b.add(b.load(total), fired), total)
            count = b.load(total)
            store(b, b.select(b.icmp_unsigned(">=", count, least), count, zero), counts, key)
        return context.get_dummy_value()

    return types.void(counts, low, high, keys, stride, channels, n, least), code


@vector_code
def fire(
    typing: Any, sums: Any, at: Any, v: Any, to: Any, tau: Any, lanes: Any, threshold: Any, rest: Any, soft: Any,
    out: Any, place: Any, before: Any, adds: Any,
):  # fmt: skip
    """Charge, fire and reset ``lanes`` neurons.

        h = v + (sums - (v - rest)) / tau       s = h >= threshold        v = h, or after a spike the reset

    Their v begin at ``to``, the currents ``sums`` at ``at``, their ``tau`` at 0; out[place:] are the spikes, or
    those and ``before`` where ``adds``.
    """

    def code(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        constants = 7, 6  # threshold and rest stay as they are
        kinds, args = list(signature.args), list(args)
        b, (threshold, rest) = (
            builder,
            [splat(builder, args.pop(i)) for i in sorted(constants)[::-1]][::-1],
        )
        for i in constants:
            kinds.pop(i)
        sums, at, v, to, tau, lanes, soft, out, place, before, adds = integers(
            context, b, kinds, args
        )
        soft, adds = (b.icmp_signed("!=", flag, ir.Constant(INDEX, 0)) for flag in (soft, adds))
        with Steps(b, ir.Constant(INDEX, 0), lanes, LANES) as c:
            held = load(b, v, b.add(to, c))
            driven = b.fsub(load(b, sums, b.add(at, c)), b.fsub(held, rest))
            h = b.fadd(held, b.fdiv(driven, load(b, tau, c)))
            fired = b.fcmp_ordered(">=", h, threshold)
            reset = b.select(soft, b.fsub(h, threshold), rest)
            store(b, b.select(fired, reset, h), v, b.add(to, c))
            spikes = b.zext(fired, vector(BYTE))
            earlier = b.select(
                adds, load(b, before, b.add(place, c)), ir.Constant(spikes.type, [0] * LANES)
            )
            store(b, b.add(spikes, earlier), out, b.add(place, c))
        return context.get_dummy_value()

    return types.void(
        sums, at, v, to, tau, lanes, threshold, rest, soft, out, place, before, adds
    ), code


@vector_code
def largest(
    typing: Any, values: Any, at: Any, lanes: Any, rows: Any, row: Any, columns: Any, column: Any, result: Any, to: Any
):  # fmt: skip
    """result[to:][:lanes] = the largest of values[at:] over ``rows`` that lie ``row`` apart, and ``columns``."""

    def code(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        values, at, lanes, rows, row, columns, column, result, to = integers(
            context, builder, signature.args, args
        )
        b, zero = builder, ir.Constant(INDEX, 0)
        with Steps(b, zero, lanes, LANES) as c:
            first = b.add(at, c)
            most = cgutils.alloca_once_value(b, load(b, values, first))
            with Steps(b, zero, rows, 1) as y, Steps(b, zero, columns, 1) as z:
                place = b.add(first, b.add(b.mul(y, row), b.mul(z, column)))
                value, held = load(b, values, place), b.load(most)
                b.store(b.select(b.fcmp_ordered(">", value, held), value, held), most)
            store(b, b.load(most), result, b.add(to, c))
        return context.get_dummy_value()

    return types.void(values, at, lanes, rows, row, columns, column, result, to), code


@vector_code
def add_entry_gradients(
    typing: Any, upstream: Any, q: Any, dq: Any, at: Any, k: Any, dk: Any, v: Any, dv: Any, lanes: Any,
    places: Any, counts: Any, low: Any, high: Any,
):  # fmt: skip
    """The gradients of the entries of one query's map, those that were kept: key ``places[e]`` for ``low`` <= e < ``high``.

        s = upstream . v[key]     dq += s k[key]     dk[key] += s q     dv[key] += counts[key] upstream

    The query's rows of ``upstream``, ``q`` and ``dq`` begin at ``at``, those of a key at key * lanes; all are
    ``lanes`` long. ``counts`` are bytes.
    """

    def code(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> Any:
        upstream, q, dq, at, k, dk, v, dv, lanes, places, counts, low, high = integers(
            context, builder, signature.args, args
        )
        b, number = builder, upstream.type.pointee
        zero, begin = ir.Constant(vector(number), [0.0] * LANES), ir.Constant(INDEX, 0)
        name = "f32" if isinstance(number, ir.FloatType) else "f64"
        total = cgutils.get_or_insert_function(
            b.module,
            ir.FunctionType(number, [number, vector(number)]),
            f"llvm.vector.reduce.fadd.v{LANES}{name}",
        )

        def add(to: ir.Value, place: ir.Value, factor: ir.Value, row: ir.Value) -> None:
            product = b.fmul(factor, row, flags=("contract",))
            store(b, b.fadd(load(b, to, place), product, flags=("contract",)), to, place)

        with Steps(b, low, high, 1) as entry:
            key = b.sext(b.load(b.gep(places, [entry])), INDEX)
            row = b.mul(key, lanes)
            dot = cgutils.alloca_once(b, zero.type)
            b.store(zero, dot)
            with Steps(b, begin, lanes, LANES) as c:
                product = b.fmul(
                    load(b, upstream, b.add(at, c)),
                    load(b, v, b.add(row, c)),
                    flags=("contract",),
                )
                b.store(b.fadd(b.load(dot), product, flags=("contract",)), dot)
            nothing = ir.Constant(number, -0.0)
            slope = b.call(total, [nothing, b.load(dot)], fastmath=("reassoc",))
            slope = splat(b, slope)
            count = splat(b, b.uitofp(b.load(b.gep(counts, [key])), number))
            with Steps(b, begin, lanes, LANES) as c:
                mine, its = b.add(at, c), b.add(row, c)
                add(dq, mine, slope, load(b, k, its))
                add(dk, its, slope, load(b, q, mine))
                add(dv, its, count, load(b, upstream, mine))
        return context.get_dummy_value()

    return types.void(upstream, q, dq, at, k, dk, v, dv, lanes, places, counts, low, high), code
