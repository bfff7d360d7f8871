"""What each part of a kind is worth: all heads, blocks, denoisers or time constants in one click."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from app.computed import reruns
from app.inputs import checkpoints
from app.link import plain, url
from app.link.switches import Experiment
from app.page import charts, choosers, next_page, progress
from app.page.next_page import Way
from dista.figures.ablations import by_effect, points
from dista.figures.theme import count, percent
from dista.style.labels import layer

if TYPE_CHECKING:
    from dista.measures import Answers, PairedDifference

KINDS = {
    "heads": "every head",
    "blocks": "every block",
    "denoisers": "every denoiser",
    "taus": "every layer's time constants",
}
ONE = {"heads": "head", "blocks": "block", "denoisers": "denoiser", "taus": "time constant"}
NONE = "none"
INTACT = "as trained"
THEN = "Leave it; what was answered is kept for the next time"
MISSING = {
    "taus": "The card of this checkpoint has not kept the time constants from before its training.",
    "denoisers": "This model has no denoiser.",
}

Parts = dict[str, dict[str, "PairedDifference"]]


def show(checkpoint: checkpoints.Checkpoint, limit: int, problems: list[str]) -> str:
    """Choose a kind, and a second checkpoint; show what each part of it is worth. The kind, or ""."""
    with choosers.row("controls-each"):
        st.markdown("**One after another**", width="content")
        kind = choose(problems, tuple(KINDS))
        other = choose_other(checkpoint, problems) if kind else None
    if kind:
        measure(checkpoint, kind, limit, other)
    return kind


def choose(problems: list[str], kinds: tuple[str, ...]) -> str:
    """The kind of parts that are taken away one after another, or ""; in the URL as ``each``."""
    said = url.choice("each", [NONE, *kinds], NONE, problems)
    kind = "" if said == NONE else said
    st.session_state["each-part"] = kind or None
    st.pills(
        "One after another", kinds, format_func=KINDS.get, key="each-part", on_change=_to_url, wrap=True,
        label_visibility="collapsed",
    )  # fmt: skip
    return kind


def _to_url() -> None:
    url.write(each=st.session_state["each-part"])


def choose_other(
    checkpoint: checkpoints.Checkpoint, problems: list[str]
) -> checkpoints.Checkpoint | None:
    """A second checkpoint of the same task, or None; in the URL as ``beside``."""
    options = {
        name: one
        for name, one in checkpoints.runnable().items()
        if one.data.name == checkpoint.data.name and one.path != checkpoint.path
    }
    if not options:
        return None
    name = url.choice("beside", [NONE, *options], NONE, problems)
    st.selectbox(
        "Beside it", [NONE, *options], label_visibility="collapsed", width=310,
        format_func=lambda option: "beside no other checkpoint" if option == NONE else
        f"beside {checkpoints.title(options[option])}", **url.bound("beside", name),
    )  # fmt: skip
    return options.get(name)


def measure(
    checkpoint: checkpoints.Checkpoint,
    kind: str,
    limit: int,
    other: checkpoints.Checkpoint | None = None,
) -> None:
    """The figure: of the first samples while the others are asked, then of all."""
    models = {checkpoints.title(one): one for one in (checkpoint, other) if one is not None}
    networks = {
        (name, part): (one, Experiment(() if part == INTACT else (text,)))
        for name, one in models.items()
        for part, text in ({INTACT: ""} | _parts(one, kind)).items()
    }
    if len(networks) == len(models):
        st.caption(plain.text(MISSING.get(kind, f"This model has no {ONE[kind]} of its own.")))
        return
    place, who = st.empty(), count(len(networks) - len(models), ONE[kind])

    def draw(answers: dict[tuple[str, str], Answers], key: str) -> None:
        with place.container():
            _draw(_differences(answers), kind, checkpoint, key)

    with progress.working("each", f"{who}: asked", stop, then=THEN) as report:
        answers = reruns.answers(
            networks, limit,
            lambda done: report(done / limit, f"{who}: {done} of {limit} held-out samples"),
            lambda early: draw(early, "each-at-first"),
        )  # fmt: skip
    place.empty()
    draw(answers, "each")


def stop() -> None:
    """Leave the parts for now."""
    url.write(each=None)


def _parts(checkpoint: checkpoints.Checkpoint, kind: str) -> dict[str, str]:
    """The switches of the parts, by what they are called."""
    return {part(text): text for text in reruns.parts(checkpoint.weights)[kind]}


def part(switch: str) -> str:
    """What a switch of ``dista.experiments.one_by_one.parts`` takes away, in words that count from 1."""
    name, _, value = switch.partition("=")
    if name == "learned-tau-of":
        return f"tau of {layer(value)}"
    block, _, head = value.partition(".")
    place = f"block {int(block) + 1}" + (f" head {int(head) + 1}" if head else "")
    return f"denoiser of {place}" if name == "denoiser-of" else place


def _differences(answers: dict[tuple[str, str], Answers]) -> Parts:
    from dista.measures import paired_difference

    results: Parts = {}
    for (model, part), after in answers.items():
        if part != INTACT:
            before = answers[model, INTACT]
            results.setdefault(model, {})[part] = paired_difference(before, after)
    return results


def _draw(results: Parts, kind: str, checkpoint: checkpoints.Checkpoint, key: str) -> None:
    from dista import figures

    st.markdown(f"## {plain.text(sentence(results, kind))}")
    figure = figures.part_changes(
        results, chance=1 / checkpoint.config.classes, what=ONE[kind], theme=charts.theme()
    )
    charts.plot(figure, key)
    if key == "each":
        worst = by_effect({"": next(iter(results.values()))})[0]
        next_page.offer(way(worst, _parts(checkpoint, kind)[worst]), key="next-pages-each")


def way(said: str, switch: str) -> Way:
    """Where a part can be looked at: a head or a block in Watch, a layer's time constants in Neurons."""
    name, _, value = switch.partition("=")
    said = said[0].upper() + said[1:]
    if name == "learned-tau-of":
        return Way("neurons", f"{said} in Neurons", {"layer": value})
    place = dict(zip(("block", "head"), value.split(".")))
    return Way("watch", f"{said} in Watch", place)


def sentence(results: Parts, kind: str) -> str:
    """How many of them cost something for certain, and which costs most."""
    own = next(iter(results.values()))
    worst = by_effect({"": own})[0]
    result, certain = own[worst], sum(one.high < 0 for one in own.values())
    costs = "costs" if certain == 1 else "cost"
    lead = f"{certain} of {count(len(own), ONE[kind])} {costs} more than chance may"
    return (
        f"{lead} on {count(result.samples, 'held-out sample')}. Most: {worst}, {points(result.difference)} points "
        f"({points(result.low)} to {points(result.high)}), from {percent(result.before)} to {percent(result.after)}."
    )


FIGURE = "dista.figures.part_changes({'model': parts}, chance=1 / len(task.classes))"


def as_python(kind: str, limit: int) -> list[str]:
    """Lines that make what ``FIGURE`` draws, for ``model`` and ``task``."""
    return [
        "", "from dista.experiments import evaluation, one_by_one", "",
        f"texts = one_by_one.parts(model)[{kind!r}]",
        "each = [(), *([text] for text in texts)]",
        f"batches = evaluation.batches(task.test, {limit})",
        "answered = [one_by_one.answer_each(model, task.test, part, each) for part in batches]",
        "intact, *without = map(evaluation.join, zip(*answered))",
        "parts = {",
        "    text: dista.measures.paired_difference(intact, one) for text, one in zip(texts, without)",
        "}",
    ]  # fmt: skip
