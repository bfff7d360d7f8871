"""What ``dista bench --device cuda`` prints: the measurements of a GPU as Markdown."""

from __future__ import annotations

from dista.bench.cases import PEER
from dista.bench.tables import markdown

_DIFFERENCES = (("float64", "reference on the GPU, float64"), ("kernels", "kernels, float32"))


def tables(result: dict) -> str:
    """All parts that ``result`` has."""
    parts = {"exactness": exactness, "models": speed, "training": training}
    return "\n\n".join(table(result[part]) for part, table in parts.items() if part in result)


def exactness(rows: list[dict]) -> str:
    """The largest relative difference to float64 on the CPU over all memory forms and denoisers."""
    largest = [
        (said, *(f"{max(row[part][what] for row in rows):.0e}" for what in ("logits", "gradients")))
        for part, said in _DIFFERENCES
    ]
    header = (f"{len(rows)} pairs of memory form and denoiser", "logits", "gradients")
    share = max(row["spikes"] for row in rows)
    return (
        markdown(header, largest)
        + f"\n\nSpikes that differ with the kernels: at most {100 * share:.2g} %."
    )


def speed(rows: list[dict]) -> str:
    """Images a second, and ratios to the peer, of forward, training step and its memory."""
    header = ("", "precision", "forward", "ratio", "training", "ratio", "memory", "ratio")
    return markdown(header, [_row(row) for row in rows])


def _row(row: dict) -> tuple[str, ...]:
    size = row.get("training bytes")
    return (
        row["implementation"],
        row["precision"],
        _rate(row, "forward"),
        _ratio(row, "forward seconds"),
        _rate(row, "training"),
        _ratio(row, "training seconds"),
        "" if size is None else f"{size / 1e9:.1f} GB",
        _ratio(row, "training bytes"),
    )


def _rate(row: dict, mode: str) -> str:
    rate = row.get(f"{mode} images per second")
    if rate is None:
        return "failed" if f"{mode} error" in row else ""
    return f"{rate:.0f} /s"


def _ratio(row: dict, what: str) -> str:
    ratio = row.get(f"{what} ratio")
    return "" if ratio is None or row["implementation"] == PEER else f"{ratio:.2f}×"


def training(report: dict) -> str:
    """Validation accuracy of some epochs, and what the best one is worth on the test split."""
    epochs = {row["epoch"]: row["val_accuracy"] for row in report["epochs"]}
    some = [n for n in (1, 2, 5, 10, 15, 20, 25, 30, 40, 60, 100) if n in epochs]
    header = ["epoch", *map(str, some)]
    table = markdown(header, [["validation", *(f"{100 * epochs[n]:.1f} %" for n in some)]])
    best = report["best"]
    return (
        f"{table}\n\n{report['preset']}, T = {report['time steps']}, {report['data']} "
        f"{report['minutes']:.1f} minutes; epoch {best['epoch']} has {100 * best['test']['accuracy']:.1f} % "
        "on the test split."
    )
