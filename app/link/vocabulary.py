"""The words of a link: every name that an address may hold, what it means, and on which pages.

One name for one thing, whichever page it is on. Old links say it by other names, some of which mean
something else today: those names are ``was``, page by page, and are read as if the link had today's.

Places (a step, a block, a head, a row ...) count from 1 in a link, as on the screen. Such a link says ``from=1``:
``watch?step=8&block=2&head=4&from=1``. In one without it, which is an older one, places count from 0; it still opens
what it opened, and the address then says it in today's way. Within the dashboard, as in all Python, places count from
0: ``read`` and ``written`` are the way from the one to the other, and ``from_one`` says of each name whether it is a
place. Samples are numbered by their data, epochs from before the training, and ``layer`` and ``compared`` are
PyTorch's own names of modules (``blocks.0.attention.neuron``): these stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

Kind = Literal["whole number", "number", "one of", "some of", "text", "open"]
VIEWS = ("watch", "neurons", "denoise", "memory", "train", "runs", "ablate", "compare", "energy")
READ = ("tours", "glossary")  # pages to read, which show no network
PAGES = (*VIEWS, *READ)
TOUR = ("tour", "tour-step")
PROBES = ("watch", "compare", "train")  # pages with the probe, which reports where it is
TRAININGS = ("train", "runs")  # pages that show trainings, and no checkpoint
ONE_MODEL = tuple(page for page in VIEWS if page not in TRAININGS)
ONE_SAMPLE = ("watch", "neurons", "denoise", "memory", "compare")
OWN_INPUT = ("watch", "neurons", "denoise", "compare")


class UnknownName(LookupError):
    """A page asks for a name that the table does not have for it: a mistake of ours, no reader's."""


class Parameter(NamedTuple):
    """A name in a link; ``default`` says what a page shows where the link does not have it."""

    name: str
    kind: Kind
    meaning: str
    pages: tuple[str, ...]
    default: str
    was: Mapping[str, str] = MappingProxyType({})
    follows: bool = False
    """Whether it is of what the reader looks at, and goes with him from page to page."""
    from_one: bool = False
    """Whether it is a place, or several, which count from 1 in a link that says ``from=1``."""


def _subject(*parts: Any, **more: Any) -> Parameter:
    return Parameter(*parts, **more, follows=True)


def _place(*parts: Any, **more: Any) -> Parameter:
    return Parameter(*parts, **more, from_one=True)


_ALL = (
    _subject("checkpoint", "one of", "the checkpoint that runs; on Compare the left one", ONE_MODEL,
             "that of the shipped recording, or the first", was={"compare": "left"}),
    _subject("path", "text", "a checkpoint or recording at a path on the server, instead", ONE_MODEL, "none"),
    _subject("sample", "whole number", "the held-out sample", ONE_SAMPLE, "that of the shipped recording, or 0"),
    _subject("image", "text", "the picture of one's own, packed; for probe and cue PROBE.CUE", OWN_INPUT, "none"),
    _subject("events", "text", "the key of one's own recording of events on the server", OWN_INPUT, "none"),
    _subject("step", "whole number", "the step at which the probe is, from 1", PROBES, "chosen by the probe", from_one=True),
    _subject("block", "whole number", "the block, from 1", PROBES, "chosen by the probe", from_one=True),
    _subject("head", "whole number", "the head of the block, from 1", PROBES, "chosen by the probe", from_one=True),
    _subject("row", "whole number", "the row of the query patch, from 1", PROBES, "chosen by the probe", from_one=True),
    _subject("column", "whole number", "the column of the query patch, from 1", PROBES, "chosen by the probe", from_one=True),
    _subject("layer", "one of", "the layer whose neurons are shown", (*PROBES, "neurons", "memory"),
             "chosen by the probe; the second layer on Neurons; the one compared, or the last read-out, on Memory"),
    _place("neuron", "whole number", "the neuron of the layer in the probe, by its place in it, from 1", PROBES,
              "chosen by the probe"),
    Parameter("range", "one of", "over what the colours of a map reach", PROBES, "head"),
    Parameter("stage", "one of", "the stage of the network that is open, as ``dista.style.labels`` names it", PROBES, "denoise"),
    _place("key", "text", "the key patch that is kept in view, as STEP.ROW.COLUMN", PROBES, "none"),
    Parameter("trust", "open", "How far to trust is open", ("watch",), "closed"),
    # Neurons
    _place("channel", "whole number", "the channel of the neuron, from 1", ("neurons",), "of medium activity"),
    _place("neuron-row", "whole number", "the row of the neuron in its layer, from 1", ("neurons",),
              "of medium activity", was={"neurons": "row"}),
    _place("neuron-column", "whole number", "the column of the neuron in its layer, from 1", ("neurons",),
              "of medium activity", was={"neurons": "column"}),
    Parameter("taus", "one of", "what is done to the time constants", ("neurons",), "learned"),
    Parameter("tau", "number", "the time constant that is set", ("neurons",), "2"),
    Parameter("scope", "one of", "this layer or all", ("watch", "neurons"), "layer on Neurons, all on Watch"),
    # Many samples
    Parameter("samples", "whole number", "how many held-out samples are answered",
              ("neurons", "denoise", "memory", "ablate", "energy"),
              "64 on Neurons, 0 on Denoise, 300 on Ablate, 25 on Memory and Energy",
              was={"neurons": "over", "denoise": "curve", "ablate": "limit"}),
    # Denoise and Memory
    _subject("changed", "whole number", "the step of the input that is changed, from 1; or all", ("denoise", "memory"),
             "all on Denoise, 1 on Memory", was={"denoise": "step", "memory": "step"}, from_one=True),
    Parameter("kind", "one of", "the kind of the noise", ("denoise",), "salt-and-pepper", was={"denoise": "noise"}),
    Parameter("level", "number", "how much of it, 0 to 1", ("denoise",), "0.3"),
    Parameter("where", "one of", "in which part of the input", ("denoise",), "centre"),
    Parameter("paint", "text", "what was painted on the input, packed", ("denoise",), "nothing"),
    Parameter("u", "whole number", "the threshold of the denoiser", ("watch", "denoise"), "as trained"),
    Parameter("window", "whole number", "how many steps attention sees, with the current one", ("watch",), "as trained"),
    Parameter("tau-times", "number", "what time constants are multiplied by", ("watch",), "1"),
    _place("silent", "some of", "the heads that are silent, as BLOCK.HEAD", ("watch",), "none"),
    Parameter("to", "one of", "the keys to which the attention of all heads is shown", ("watch",),
              "the cue, the past or what is drawn, the first that there is"),
    Parameter("class", "one of", "the class for which neurons fire that are listed", ("watch",), "none"),
    Parameter("thresholds", "some of", "the thresholds that are compared", ("denoise",), "0, the trained one, 2 more"),
    Parameter("input", "one of", "what the changed step shows", ("memory",), "blank"),
    Parameter("other", "whole number", "the sample that it shows", ("memory",), "the next one"),
    Parameter("compared", "one of", "what the matrices compare", ("memory",), "head", was={"memory": "of"}),
    Parameter("network", "one of", "the network that is looked at closely", ("memory",), "trained"),
    # Ablate, Compare, Energy
    _place("switches", "some of", "what is taken away", ("ablate",), "attention's memory, or that of neurons"),
    Parameter("together", "open", "all that is taken away is also taken away together", ("ablate",), "each alone"),
    Parameter("each", "one of", "the parts of a kind that are taken away one after another", ("ablate", "denoise"),
              "none of them"),
    Parameter("beside", "one of", "the checkpoint whose parts are shown beside", ("ablate",), "none"),
    Parameter("right", "one of", "the checkpoint on the right", ("compare",), "that on the left"),
    Parameter("noise", "number", "the deviation of Gaussian noise, 0 to 2; on Compare that of the right",
              ("watch", "compare"), "0 on Watch; 0.3 for one network on Compare, 0 for two"),
    Parameter("quantity", "one of", "what the map of costs shows", ("energy",), "energy", was={"energy": "of"}),
    Parameter("convention", "one of", "how operations behind counts are counted", ("energy",), "accumulates"),
    Parameter("stop", "whole number", "after how many steps the answer is read out", ("energy",), "all"),
    Parameter("timed", "open", "the time of each layer is measured beside its operations", ("energy",), "closed"),
    # Runs, and the study on Ablate
    Parameter("study", "one of", "the study", ("runs", "ablate"),
              "all runs on Runs; on Ablate one of the checkpoint's task, or the first"),
    Parameter("configuration", "one of", "the configuration of the study whose networks are asked again", ("ablate",),
              "the last one that was asked"),
    Parameter("study-noise", "one of", "the kind of noise under which they are asked", ("ablate",), "the first one"),
    Parameter("filter", "text", "words that rows of the table have", ("runs",), "none"),
    Parameter("selected", "text", "the runs that are looked at closely, between them |", ("runs",), "none"),
    Parameter("new-grid", "one of", "the grid of a new study", ("runs",), "match-ablation"),
    Parameter("new-workers", "whole number", "how many processes train it", ("runs",), "1"),
    # Train
    Parameter("run", "one of", "the run", ("train",), "the newest"),
    Parameter("epoch", "whole number", "the epoch of the film, or latest", ("train",), "latest, which moves on"),
    _place("probe", "whole number", "which of the recorded samples, from 1", ("train",), "1"),
    Parameter("more", "open", "the further curves are open", ("train",), "closed"),
    Parameter("new-preset", "one of", "the model of a new run", ("train",), "digits"),
    Parameter("new-data", "one of", "its data", ("train",), "the first that fit"),
    Parameter("new-freeze", "one of", "what does not learn", ("train",), "none"),
    Parameter("new-model", "open", "what its model is made of is open", ("train",), "closed"),
    Parameter("new-memory", "one of", "the form of its attention's memory", ("train",), "that of the model"),
    Parameter("new-window", "whole number", "the window of that memory, in steps", ("train",), "that of the model"),
    Parameter("new-steps", "whole number", "its time steps", ("train",), "those of the model"),
    Parameter("new-denoiser", "one of", "its denoiser", ("train",), "that of the model"),
    Parameter("new-u", "whole number", "the threshold of that denoiser", ("train",), "that of the model"),
    Parameter("new-tau", "number", "the time constants at its start, in steps", ("train",), "those of the model"),
    Parameter("new-depth", "whole number", "its blocks", ("train",), "those of the model"),
    Parameter("new-epochs", "whole number", "its epochs", ("train",), "12"),
    Parameter("new-film", "whole number", "after how many steps an epoch ends, and the film gets a picture", ("train",), "0, all of the data"),
    Parameter("new-minutes", "whole number", "its minutes at most", ("train",), "30"),
    Parameter("new-seed", "whole number", "its seed", ("train",), "0"),
    Parameter("term", "text", "the term that is looked up", ("glossary",), "all terms"),
    # All pages
    Parameter("from", "one of", "what places (steps, blocks, heads, rows ...) count from: 1 in every link of today that has some",
              PAGES, "0, as in older links"),
    Parameter("tour", "text", "the tour beside the page: the name of one, or a file on the server", PAGES, "none"),
    Parameter("tour-step", "whole number", "its step, from 1", PAGES, "1"),
    Parameter("lesson", "open", "without controls", PAGES, "with them"),
    Parameter("token", "text", "the token of the printed link; taken out at once", PAGES, "none"),
)  # fmt: skip

TABLE: Mapping[str, Parameter] = MappingProxyType({one.name: one for one in _ALL})


def check(name: str, page: str | None) -> None:
    """UnknownName where the table does not have ``name`` on ``page`` (None: on any)."""
    if name not in TABLE:
        raise UnknownName(f"links have no {name!r}: say in app/link/vocabulary.py what it means")
    if page is not None and page not in TABLE[name].pages:
        raise UnknownName(
            f"{page} reads {name!r}, which app/link/vocabulary.py has for "
            f"{', '.join(TABLE[name].pages)} alone"
        )


def of_page(page: str) -> Iterator[Parameter]:
    return (one for one in _ALL if page in one.pages)


# Places count from 1 in a link, and from 0 within ---------------------------------------------------

FROM_ONE = {"from": "1"}
_PLACES = re.compile(r"(?:(?:head|block)=)?(-?\d{1,15}(?:\.\d{1,15})*)", re.ASCII)


def read(link: Mapping[str, str]) -> dict[str, str]:
    """What a link says, with places counted from 0: one that says ``from=1``, or an older one."""
    by = -1 if counts_from_one(link) else 0
    return {name: shifted(name, text, by) for name, text in link.items() if name != "from"}


def written(state: Mapping[str, str]) -> dict[str, str]:
    """The link to a state whose places count from 0; it says ``from=1`` where it has some."""
    link = {name: shifted(name, text, 1) for name, text in state.items()}
    return link if link == dict(state) else link | FROM_ONE


def counts_from_one(link: Mapping[str, str]) -> bool:
    return FROM_ONE.items() <= link.items()


def shifted(name: str, text: str, by: int) -> str:
    """``text`` with each place in it moved by ``by``: "3", "8.2.1", "1.2,2.4", "memory,head=1.2".

    What is no place ("all", "u=3") stays, and so does what cannot be one, of which a page then says so.
    """
    if not by or name not in TABLE or not TABLE[name].from_one:
        return text
    return ",".join(_shifted(part, by) for part in text.split(","))


def _shifted(part: str, by: int) -> str:
    places = _PLACES.fullmatch(part)
    if not places:
        return part
    moved = ".".join(str(int(place) + by) for place in places[1].split("."))
    return part[: places.start(1)] + moved


# Old names ------------------------------------------------------------------------------------------


def translated(page: str, old: Mapping[str, str]) -> dict[str, str | None]:
    """What has to change in an old link to ``page`` so that it says the same today; None goes out.

    Of two names for one thing today's counts.
    """
    changes: dict[str, str | None] = {}
    for one in of_page(page):
        name = one.was.get(page)
        if name in old:
            changes[name] = None
            if one.name not in old:
                changes[one.name] = old[name]
    return changes


def old_names(page: str) -> set[str]:
    """Names by which old links to a page say what has another name today."""
    return {one.was[page] for one in of_page(page) if page in one.was}


# What follows the reader ----------------------------------------------------------------------------


def following(page: str) -> set[str]:
    """The names of what a page shows that goes with the reader, from it and to it.

    None of Train: a place in a run's snapshot is one in a network of its own.
    """
    return {one.name for one in of_page(page) if one.follows and page not in TRAININGS}


def subject(page: str, shown: Mapping[str, str]) -> dict[str, str]:
    """What of a page's state the reader takes along to another page."""
    names = following(page)
    texts = {name: text for name, text in shown.items() if name in names}
    if not texts.get("changed", "0").isdigit():
        del texts["changed"]  # all of them is no step
    return _one_of(texts, page)


def _one_of(subject: dict[str, str], page: str) -> dict[str, str]:
    """A path stands for a checkpoint, and the other way round: with both, a page would show the path."""
    if subject.get("checkpoint") == subject.get("path"):
        subject.pop("checkpoint", None)
    elif page == "compare" and "checkpoint" in subject:
        subject.pop("path", None)  # Compare alone can show one beside the other
    return subject


def taken(page: str, carried: Mapping[str, str]) -> dict[str, str]:
    """What of that the page can show."""
    names = following(page)
    return {name: text for name, text in carried.items() if name in names}


def left_behind(page: str, carried: Mapping[str, str]) -> str | None:
    """One sentence on what the page cannot show of it, and why; None where it shows all that matters."""
    if page in TRAININGS or page in READ:
        return None  # they show runs or words, nothing else
    if {"image", "events"} & carried.keys() and page not in OWN_INPUT:
        why = "compares held-out samples" if page == "memory" else "answers many held-out samples"
        return f"The own input is not shown here: this page {why}. It is kept for the others."
    if "sample" in carried and page not in ONE_SAMPLE:
        return f"Sample {carried['sample']} is kept for other pages: this one answers many held-out samples."
    return None
