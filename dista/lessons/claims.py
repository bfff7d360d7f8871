"""What trainings with and without a part say to the paper's claim that it helps: one verdict, one sentence.

Lessons and README use these words alone, so that they never say different things about one study.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from dista.measures import SeedDifference
from dista.style.sentences import count


class Difference(Protocol):
    """A difference of accuracies and the ends of its interval, over samples or over seeds and samples."""

    @property
    def difference(self) -> float: ...

    @property
    def low(self) -> float: ...

    @property
    def high(self) -> float: ...


class Compared(Protocol):
    """A study as far as it has come: differences to its baseline, and means over the levels of the other axes."""

    @property
    def differences(self) -> Mapping[str, SeedDifference]: ...

    @property
    def effects(self) -> Mapping[str, SeedDifference]: ...


@dataclass(frozen=True)
class Claim:
    """That a part helps: ``alone`` is the configuration that has this part and no other, ``level`` its level."""

    words: str
    alone: str
    level: str


STUDY = "match-ablation"
"""The study that has trainings with and without each part."""

CLAIMS = {
    "attention's memory": Claim(
        "Attention that reaches past steps helps",
        "memory=map,taus=fixed,denoiser=none",
        "memory=map",
    ),
    "the learned taus": Claim(
        "Learned time constants help", "memory=none,taus=learned,denoiser=none", "taus=learned"
    ),
    "the denoiser": Claim(
        "The denoiser helps", "memory=none,taus=fixed,denoiser=threshold", "denoiser=threshold"
    ),
}
"""The paper's three claims, by the part that each is about."""


def verdict(alone: SeedDifference, average: SeedDifference) -> str:
    """What two differences say to the claim that a part helps, both after Holm's correction.

    "supported" where both are gains that can be told from none, "not supported" where one of them is a loss that can
    be, else "not resolved".
    """
    if all(one.certain and one.difference > 0 for one in (alone, average)):
        return "supported"
    if any(one.certain and one.difference < 0 for one in (alone, average)):
        return "not supported"
    return "not resolved"


def answer(part: str, study: Compared | None) -> str:
    """The claim about ``part`` (a key of CLAIMS), and what the study says to it, as Markdown."""
    claim = CLAIMS[part]
    both = _differences(claim, study)
    if both is None:
        return (
            f"Not measured: the study `{STUDY}` is not here, or has not got so far. `dista sweep {STUDY}` trains it, in some "
            "hours on a laptop."
        )
    alone, average = both
    return (
        f"{claim.words}: **{verdict(alone, average)}** by `{STUDY}`. Trained with this part alone {points(alone)}, on average "
        f"over the other parts {points(average)}; {count(len(alone.seeds), 'seed')}."
    )


def verdicts(study: Compared | None) -> str:
    """The three claims and what the study says to each, in one line of Markdown."""
    said = {claim.words: _differences(claim, study) for claim in CLAIMS.values()}
    return " ".join(
        f"{words}: **{verdict(*both)}**." if both else f"{words}: not measured here."
        for words, both in said.items()
    )


def _differences(
    claim: Claim, study: Compared | None
) -> tuple[SeedDifference, SeedDifference] | None:
    """That to the baseline, and the mean over the other parts; None where one of them is not there."""
    if study is None or claim.alone not in study.differences or claim.level not in study.effects:
        return None
    return study.differences[claim.alone], study.effects[claim.level]


def points(one: Difference) -> str:
    """A difference of accuracies with its interval: ``+4.1 points (-1.8 to +10.1)``."""
    return f"{100 * one.difference:+.1f} points ({100 * one.low:+.1f} to {100 * one.high:+.1f})"
