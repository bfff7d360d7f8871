"""What ``dista bench`` prints: the measurements as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def tables(result: dict) -> str:
    """The result as Markdown tables."""
    parts = _models, _recording, _neurons, _exponents, _machine
    return "\n\n".join(part(result) for part in parts)


def _models(result: dict) -> str:
    header = ("shape", "", "forward", "ratio", "training", "ratio", "memory", "ratio", "of peak")
    rows = [
        (
            f"{row['shape']}, batch {row['batch']}",
            row["implementation"],
            _ms(row["forward"]),
            _times(row["forward ratio"]),
            _ms(row["training"]),
            _times(row["training ratio"]),
            _mb(row["bytes"]),
            _times(row["memory ratio"]),
            "" if row["of peak"] is None else f"{100 * row['of peak']:.0f} %",
        )
        for row in result["models"]
    ]
    return markdown(header, rows)


def _recording(result: dict) -> str:
    header = ("recording of DISTA map", "", "forward", "of plain inference")
    rows = [
        (row["shape"], row["recorded"], _ms(row["seconds"]), _times(row["ratio"]))
        for row in result["recording"]
    ]
    return markdown(header, rows)


def _neurons(result: dict) -> str:
    header = ("LIF layer", "forward", "ratio", "forward and backward", "ratio")
    rows = [
        (
            row["library"],
            _ms(row["forward"]),
            _times(row["forward ratio"]),
            _ms(row["backward"]),
            _times(row["backward ratio"]),
        )
        for row in result["neuron"]
    ]
    return markdown(header, rows)


def _exponents(result: dict) -> str:
    header = ("attention over all steps", "against", "time grows as", "memory grows as")
    rows = [
        (
            {"none": "no denoiser", "threshold": "threshold"}[row["denoiser"]],
            f"{row['axis']} = {', '.join(map(str, row['sizes']))}",
            f"{row['axis']}^{row['time exponent']:.2f}",
            "not measured"
            if row["memory exponent"] is None
            else f"{row['axis']}^{row['memory exponent']:.2f}",
        )
        for row in result["attention"]
    ]
    return markdown(header, rows)


def _machine(result: dict) -> str:
    facts, peaks = result["machine"], result["peaks"]
    rates = ", ".join(f"{name} {rate / 1e9:.0f} GFLOP/s" for name, rate in peaks.items())
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return f"{facts['processor']}, {facts['threads']} threads; peaks: {rates}; {versions}."


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _ms(seconds: float | None) -> str:
    return "not installed" if seconds is None else f"{1000 * seconds:.3g} ms"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}×"


def _mb(size: int | None) -> str:
    return "" if size is None else f"{size / 1e6:.0f} MB"
