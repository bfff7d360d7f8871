"""How the accounts of one part relate: what a cut costs one network and many, and what a training without it costs.

They answer two questions. A cut asks what trained networks came to rely on, a training without the part whether a
training needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from app.link import plain
from dista.figures.ablations import points

if TYPE_CHECKING:
    from dista.measures import PairedDifference, SeedDifference
    from dista.studies.robustness import Cut

Above = Mapping[tuple[str, ...], "PairedDifference"] | None
"""What the switches at the top of the page did to the checkpoint, by the switches; None without a checkpoint."""

RELY = {
    "worse": "rely on it",
    "perhaps worse": "seem to rely on it",
    "no different": "are not seen to miss it",
    "perhaps better": "seem to answer better without it",
    "better": "answer better without it",
}
NEED = {
    "worse": "needs it",
    "perhaps worse": "seems to need it",
    "no different": "is not seen to need it",
    "perhaps better": "seems to come out better without it",
    "better": "comes out better without it",
}


def sentences(cuts: list[Cut], words: Mapping[str, str], above: Above) -> Iterator[str]:
    """One for each cut to which a study has networks that were trained without the part; ``words`` name switches."""
    for cut in cuts:
        if cut.trained_without is not None:
            title = plain.text(" · ".join(words.get(one, one) for one in cut.switches))
            yield f"**{title}.** {_numbers(cut, cut.trained_without, above)} {_verdict(cut, cut.trained_without)}"


def _numbers(cut: Cut, without: SeedDifference, above: Above) -> str:
    one = (above or {}).get(cut.switches)
    here = "" if one is None else f"{points(one.difference)} cut from the one checkpoint above; "
    return (
        f"{_interval(cut.difference)} cut from the trained networks of this configuration; {here}"
        f"{_interval(without)} in networks that were trained without it."
    )


def _verdict(cut: Cut, without: SeedDifference) -> str:
    """What follows from both."""
    rely, need = kind(cut.difference), kind(without)
    link = "and" if rely == need else "but"
    return f"So the trained networks {RELY[rely]}, {link} a training {NEED[need]}."


def kind(one: SeedDifference) -> str:
    """In which direction a difference goes, and whether it is certain: by itself, and with all others counted."""
    way = "better" if one.difference > 0 else "worse"
    if one.certain:
        return way
    return "no different" if one.low <= 0 <= one.high else f"perhaps {way}"


def _interval(one: SeedDifference) -> str:
    return f"{points(one.difference)} points ({points(one.low)} to {points(one.high)})"
