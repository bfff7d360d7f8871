"""Sentences about a recording, which are the same on a page, in a figure and in the probe."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from dista.denoisers import DENOISERS
from dista.memories import FORMS

MISSING = {
    "attention": "No attention map was recorded.",
    "pairs": "No attention map was recorded, so there is no pair of patches to compare.",
    "reading": "No attention map was recorded, so there is nothing to read with.",
    "trains": "The spikes of Q, K and V were not recorded, or were changed to other values than 0 and 1.",
    "stem": "The spikes that leave the stem were not recorded.",
    "logits": "No logits were recorded, so the decision cannot be followed.",
    "neurons": "No neurons were recorded.",
    "tau": "Time constants were not recorded. Pick a layer.",
    "tau_start": "The time constants before training were not kept.",
    "spikes": "No spikes of this layer were recorded.",
    "membrane": "No membrane potential of this layer was recorded.",
    "input": "The input was not recorded; the patches are.",
    "lags": "How much each past step adds to Q, K and V was not recorded.",
}
"""What stands in the place of something that a recording does not hold; all of it is recorded by ``dista.record(model, x)``."""


STARTING = "It is starting: loading libraries and data takes some ten seconds."
UNMEASURED = "Nothing has been measured yet."
LEAST_P = 0.001


class Progress(Protocol):
    """How far a training is, as the status of its run says."""

    epoch: int
    step: int
    steps: int | None


class Sums(Protocol):
    """How the row sums of a map are spread, as ``dista.measures.row_sums`` has it."""

    low: float
    median: float
    high: float
    rows: int
    empty: int
    normalised: bool


def number(value: float, digits: int = 2) -> str:
    """``2``, ``2.5``: a number with as many digits as it needs, ``digits`` at most; what is nothing then has no sign."""
    text = f"{round(value, digits) or 0.0:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def p_value(p: float) -> str:
    """What follows "p" in a sentence: two digits, and no more exactly small than a few seeds can say."""
    return f"{p:.2g}" if p >= LEAST_P else f"< {LEAST_P}"


def count(many: int, what: str) -> str:
    """``1 step``, ``2 steps``."""
    return f"{many} {what}{'' if many == 1 else 's'}"


def progress(state: str, at: Progress, epochs: int, reason: str | None) -> str:
    """How far a training is, or how it ended, and why."""
    epoch = min(at.epoch + 1, epochs)
    said = {
        "starting": STARTING,
        "running": f"Epoch {epoch} of {epochs}, step {at.step}{f' of {at.steps}' if at.steps else ''}.",
        "finished": f"Finished after {at.epoch} epochs and {at.step} steps.",
        "stopped": f"Stopped in epoch {epoch} of {epochs}.",
        "crashed": f"Ended early in epoch {epoch} of {epochs}.",
    }[state]
    if not reason or state in ("starting", "running"):
        return said
    return f"{said} Reason: {reason.removesuffix('.')}."


def row_sums(block: int, sums: Sums) -> str:
    """Whether rows compare: what all queries of the block, its heads and steps sum to."""
    if not sums.high:
        return f"No row of block {block + 1} attends to anything."
    silent = f" {sums.empty} of {sums.rows} attend to nothing." if sums.empty else ""
    if sums.normalised:
        return (
            f"Rows of block {block + 1} are normalised: each sums to {number(sums.high)}.{silent}"
        )
    return (
        f"Rows of block {block + 1} are not normalised: they sum to {number(sums.low)}–"
        f"{number(sums.high)} (median {number(sums.median)}).{silent}"
    )


def attention(
    *,
    cross: bool,
    raw: bool,
    denoised: bool,
    rule: Mapping[str, Any],
    lags: bool,
    head_dim: int | None,
    memory: Mapping[str, Any] | None,
) -> str:
    """What a block's map counts, how the past enters it and what its denoiser keeps."""
    most = f" (0–{head_dim})" if head_dim else ""
    removes = _denoiser(raw, denoised, rule)
    if cross:
        return (
            "Coincident spikes between this query and every key of every reachable step"
            f"{most}.{removes}"
        )
    return (
        f"This map compares patches of one step: coincident spikes of query and key{most}. "
        f"{_past(memory or {}, lags)}{removes}"
    )


def _past(memory: Mapping[str, Any], lags: bool) -> str:
    form = FORMS.get(memory.get("form", ""))
    if form and form.is_before_map:
        return f"The past enters before it, through Q, K and V ({form.title}, {memory['window']} steps)."
    return "The past enters before it, through Q, K and V." if lags else "No other step enters."


def _denoiser(raw: bool, denoised: bool, rule: Mapping[str, Any]) -> str:
    if not denoised:
        return " What the denoiser keeps was not recorded."
    if not raw:
        return " The counts before the denoiser were not recorded."
    kind = DENOISERS.get(rule.get("kind", ""))
    return f" {kind.sentence(float(rule.get('u', 0)))}" if kind else ""


def settles(answer: str, label: str | None, settled: int, first: int, steps: int) -> str:
    """When the answer comes to stay; steps count from 0, ``first`` is the first that is averaged."""
    verdict = "" if label is None else f" The label is “{label}”."
    if label == answer:
        verdict = " That is correct."
    if settled == first == 0:
        return f"Answers “{answer}” from the first step on.{verdict}"
    stays = " and stays" if settled < steps - 1 else ""
    return f"Settles at step {settled + 1} on “{answer}”{stays}.{verdict}"


def averaged(first: int, steps: int) -> str:
    """Which steps the answer is the mean of."""
    if first == steps - 1:
        return "The last step alone is the answer."
    return f"The answer is the mean of {f'steps {first + 1} to {steps}' if first else 'all steps'}."


def tau_history(tau: float, start: float | None, *, learned: bool) -> str:
    """What became of a time constant, after "the neurons": its ``start``, where the card has kept it."""
    if not learned:
        return f"have the fixed tau = {tau:.1f}"
    if start is None:
        return f"learned tau = {tau:.1f} (that of the start was not kept)"
    return f"learned tau = {tau:.1f}, from {start:.1f} at the start,"


TRAINED = "after training"
"""When a network was recorded, where nothing else is known of it."""


def moment(epoch: int) -> str:
    """When in its training a network was recorded: ``epoch`` 0 is before it."""
    return f"after epoch {epoch}" if epoch else "before training"


def no_lags(memory: Mapping[str, Any] | None) -> str:
    """Why there is nothing to say of how much each past step adds to Q, K and V."""
    if memory and memory.get("window") == 1:
        return (
            "Nothing: this model has no attention memory, each step stands alone. What lasts is in the "
            "membranes."
        )
    return MISSING["lags"]


def steps(
    total: int,
    labels: Sequence[str] | None,
    sentences: Sequence[str] | None,
    back: Sequence[int] | None,
) -> list[str]:
    """A sentence a step: that of ``sentences``, or how many steps its attention reaches ``back``.

    ``back`` is None where no map was recorded, and empty where maps compare patches of one step.
    """
    return [
        _step(f"Step {step + 1} of {total}", step, labels, sentences, back) for step in range(total)
    ]


def _step(
    start: str,
    step: int,
    labels: Sequence[str] | None,
    sentences: Sequence[str] | None,
    back: Sequence[int] | None,
) -> str:
    if sentences:
        return f"{start}: {sentences[step]}"
    named = f"{start}, {labels[step]}" if labels and labels[step] else start
    if back is None:
        return named
    if not back:
        return f"{named}: attention compares the patches of this step"
    if not back[step]:
        return f"{named}: there is no past yet to attend to"
    reach = count(back[step], "step")
    return f"{named}: attention reaches back {reach}, to step {step + 1 - back[step]}"
