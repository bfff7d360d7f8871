"""The benchmark of a GPU, as far as a CPU can run it, and what is said of its results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from dista.bench import cases, gpu
from dista.bench.gpu_tables import tables

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "notebooks" / "book"
TINY = cases.Case(
    "1-8, T 3, 16×16",
    cases._config(16, 3, "FFTT", dim=8, depth=1, heads=2, time_steps=3),
    batch=2,
)


@pytest.fixture(scope="module")
def measured():
    return json.loads((ROOT / "assets" / "bench-gpu.json").read_text("utf-8"))


@pytest.mark.parametrize("form", ["none", "map"])
def test_agreement_is_measured_against_float64(form):
    """A CPU agrees with itself; and results that are twice as large are found."""
    errors = gpu._agreement(form, "threshold", "cpu")
    assert errors["float64"] == {"logits": 0, "gradients": 0}
    assert 0 < errors["kernels"]["logits"] < 1e-2
    x = torch.rand(2, 3, 12, 20)
    one = gpu._results(gpu.DISTA(gpu.small(form, "none")), x, torch.arange(2), "cpu", torch.float64)
    doubled = (2 * one[0], one[1])
    assert gpu._differences(doubled, one)["logits"] == pytest.approx(1)
    assert gpu._differences(doubled, one)["gradients"] == 0


def test_spikes_that_differ_are_counted():
    image, between, last = torch.rand(3), torch.tensor([0.0, 1, 2, 3]), torch.rand(2)
    other = torch.tensor([0.0, 1, 2, 4])
    assert gpu._different_spikes([image, between, last], [image + 1, other, last + 1]) == 0.25


def test_the_environment_is_as_before(monkeypatch):
    monkeypatch.setenv("DISTA_KERNEL", "auto")
    with gpu.reference():
        assert gpu.os.environ["DISTA_KERNEL"] == "reference"
    assert gpu.os.environ["DISTA_KERNEL"] == "auto"
    monkeypatch.delenv("DISTA_KERNEL")
    with gpu.reference():
        pass
    assert "DISTA_KERNEL" not in gpu.os.environ


def test_an_implementation_that_fails_leaves_the_others(monkeypatch):
    def broken(case):
        raise RuntimeError("no kernel image")

    subset = {name: cases.IMPLEMENTATIONS[name] for name in (cases.PEER, "spatial")}
    monkeypatch.setattr(gpu, "IMPLEMENTATIONS", subset | {"DISTA projection": broken})
    rows = {r["implementation"]: r for r in gpu.speed(TINY, "cpu", "fp32", 1, batch=2)}
    assert rows["DISTA projection"]["training error"] == "RuntimeError: no kernel image"
    spatial, peer = rows["spatial"], rows[cases.PEER]
    expected = peer["training seconds"] / spatial["training seconds"]
    assert spatial["training seconds ratio"] == expected
    assert spatial["forward images per second"] == 2 / spatial["forward seconds"]


def test_every_part_is_written_when_it_is_known(tmp_path):
    said = []
    report = gpu.Report(tmp_path / "deep" / "bench.json", said.append)
    report.add("one", 1)
    assert json.loads(report.path.read_text()) == {"one": 1}
    report.add("two", [2])
    assert json.loads(report.path.read_text()) == {"one": 1, "two": [2]}
    assert said == ["one: 1", "two: [2]"]


@pytest.mark.parametrize("content", ["my notes", "[1]", '{"mine": 1}'])
def test_a_file_that_is_no_report_stays(tmp_path, content):
    path = tmp_path / "bench.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"bench\.json is not a report of dista bench; choose"):
        gpu.Report(path, print)
    assert path.read_text() == content


def test_a_report_is_replaced_by_the_next(tmp_path):
    for version in ("1", "2"):
        gpu.Report(tmp_path / "bench.json", print).add("machine", version)
    assert json.loads((tmp_path / "bench.json").read_text()) == {"machine": "2"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so():
    with pytest.raises(ValueError, match="device='cuda', but torch sees no GPU"):
        gpu.run("cuda", minutes=1)


# --- what was measured ----------------------------------------------------------------------------


def row(measured, name, precision):
    return next(
        r for r in measured["models"] if (r["implementation"], r["precision"]) == (name, precision)
    )


def test_the_tables_have_every_part(measured):
    text = tables(measured)
    assert text.count("DISTA projection, graph") == 2 and "| validation | 52.4 % |" in text
    assert "Spikes that differ with the kernels: at most 0 %." in text
    assert tables({"exactness": measured["exactness"]}).count("|") == 16


@pytest.mark.parametrize(
    "said, name",
    [
        ("spatial, as the peer", "spatial"),
        ("with the denoiser, map memory", "DISTA map"),
        ("with it, projection memory", "DISTA projection"),
    ],
)
def test_the_book_has_the_measured_ratios(measured, said, name):
    def both(value):
        return " / ".join(f"{value(precision):.2f}" for precision in ("fp32", "bf16"))

    def ratio(what):
        return both(lambda precision: row(measured, name, precision)[f"{what} ratio"])

    def as_graphs(precision):
        rates = [
            row(measured, f"{who}, graph", precision)["training images per second"]
            for who in (name, cases.PEER)
        ]
        return rates[0] / rates[1]

    parts = [said, *map(ratio, ("forward seconds", "training seconds", "training bytes"))]
    rate = row(measured, f"{name}, graph", "bf16")["training images per second"]
    line = " | ".join([*parts, both(as_graphs), f"{rate:.0f}"])
    assert f"| {line} |" in (BOOK / "reference" / "speed.md").read_text("utf-8")


def test_the_book_has_the_measured_accuracies(measured):
    page = " ".join((BOOK / "howto" / "08_papers_sizes.md").read_text("utf-8").split())
    epochs = {r["epoch"]: 100 * r["val_accuracy"] for r in measured["training"]["epochs"]}
    assert f"is {epochs[10]:.1f} % after 10 epochs and {epochs[30]:.1f} % after 30" in page
    best = measured["training"]["best"]["test"]
    assert f"the best epoch has {100 * best['accuracy']:.1f} %" in page
    assert len(epochs) == 31 and "31 epochs of 12 s" in page
