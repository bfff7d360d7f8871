"""What ``dista bench`` prints: the measurements as Markdown tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def tables(result: dict) -> str:
    """The result as Markdown tables."""
    parts = _models, _recording, _answers, _layer, _neurons, _exponents, _machine
    return "\n\n".join(part(result) for part in parts)


def _models(result: dict) -> str:
    header = (
        "shape", "", "spikes", "forward", "ratio", "against its modules", "training", "ratio", "memory", "ratio", "of peak, as if dense",
    )  # fmt: skip
    rows = [
        (
            f"{row['shape']}, batch {row['batch']}",
            row["implementation"],
            "" if row["rate"] is None else f"{100 * row['rate']:.0f} %",
            _ms(row["forward"]),
            _times(row["forward ratio"]),
            _times(row["modules ratio"]),
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


def _answers(result: dict) -> str:
    header = ("shipped checkpoint", "batch", "", "by modules", "driven by spikes", "ratio")
    rows = [
        (
            row["checkpoint"],
            str(row["batch"]),
            row["how"],
            _ms(row["modules"]),
            _ms(row["spikes"]),
            _times(row["ratio"]),
        )
        for row in result["spikes"]["answers"]
    ]
    return markdown(header, rows)


def _layer(result: dict) -> str:
    """A row for each firing rate, and below it what the first way's time is made of."""
    measured = result["spikes"]
    by_rate: dict[float, dict[str, float]] = {}
    for row in measured["layer"]:
        by_rate.setdefault(row["rate"], {})[row["way"]] = row["seconds"]
    ways = list(next(iter(by_rate.values())))
    header = ("a 3×3 layer, spikes per neuron and step", *ways)
    rows = [(f"{100 * rate:.0f} %", *map(_ms, each.values())) for rate, each in by_rate.items()]
    fit, crossover = measured["fit"], measured["crossover"]
    said = (
        f"{ways[0]}: {_ms(fit['start'])} + {_ms(1e6 * fit['each'])} a million accumulates, "
        f"R² = {fit['r_squared']:.3f}; "
    )
    faster = "never" if crossover is None else f"from {100 * crossover:.0f} % on"
    return f"{markdown(header, rows)}\n\n{said}multiplying is faster {faster}."


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
