"""What layers, stages of the network and colour ranges are called wherever they are shown."""

from __future__ import annotations

STAGES = {
    "input": "Input",
    "stem": "Stem",
    "qkv": "Q, K, V",
    "scores": "Scores",
    "denoise": "Denoise",
    "readout": "Read-out",
    "logits": "Logits",
}
"""The stages of the network from left to right, by their names in URLs."""

RANGES = {"map": "per map", "head": "per head", "global": "global"}
"""What the colours of a map run up to: its own largest value, its head's, or that of all maps."""

_WORDS = {"query": "Q", "key": "K", "value": "V", "mlp": "MLP", "read": "read-out"}
"""As the equations write them; the sum that is read from the values and the neurons that it drives are one stage."""


def layer(name: str) -> str:
    """A layer's dotted name as it fits beside an axis: ``1 Q``, ``2 MLP hidden``; blocks count from 1."""
    parts = [part for part in name.split(".") if part not in ("neuron", "stages")]
    if parts[0] == "blocks" and len(parts) > 1:
        block = int(parts[1]) + 1
        return f"{block} {_in_block(parts[2:])}" if parts[2:] else f"block {block}"
    if parts[0] == "head":
        return "classifier"  # "head" is one of attention's
    if parts[0] == "stem":
        parts = [str(int(part) + 1) if part.isdigit() else part for part in parts]
    return " ".join(parts)


def _in_block(parts: list[str]) -> str:
    if parts == ["attention"]:
        return "read-out"
    if parts[-1] != "output":  # the mlp has an output as well
        parts = [part for part in parts if part != "attention"]
    return " ".join(_WORDS.get(part, part) for part in parts)


def layer_title(name: str) -> str:
    """A layer's neurons in a sentence: ``the Q neurons, block 1``."""
    label = layer(name)
    block, _, rest = label.partition(" ")
    return f"the {rest} neurons, block {block}" if block.isdigit() else f"the {label} neurons"


def neuron(channel: int, row: int, column: int) -> str:
    """Where a neuron is in its layer, in words: ``channel 1, row 2, column 3``; places count from 0 in Python."""
    return f"channel {channel + 1}, row {row + 1}, column {column + 1}"
