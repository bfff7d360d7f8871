"""Ablate: run a checkpoint without some of its parts, and see what they were worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import streamlit as st

from app.computed import reruns
from app.inputs import checkpoints, own_paths, tasks
from app.link import plain, switches, url
from app.link.problems import Problems, reads
from app.link.switches import Experiment
from app.page import charts, choosers, downloads, each_part, next_page, progress, snippets
from app.page.next_page import Way
from app.studies import trained_without
from app.studies.accounts import Above
from dista.figures.ablations import greatest, points
from dista.figures.theme import count, percent
from dista.runs.differences import differing_runs, of_checkpoint

if TYPE_CHECKING:
    import numpy as np

    from dista.measures import Answers, PairedDifference
    from dista.studies.results import Results

INTACT = "as trained"
SAMPLES = 300
NAMED = 12  # samples and runs that are listed

HOW_TO_READ = """
- **The same held-out samples** are answered by the network as it was trained and by the changed one. The
  interval (95 %, Bonett and Price 2012) is for such pairs: what counts is how many samples were lost and how
  many gained. Where it leaves 0 out, the dot is filled; a loss is orange.
- **One after another**: every part of a kind is taken away alone, the one that costs most first. What lies before
  a change is computed once for all of them. Of twenty parts that cost nothing, one leaves 0 out by chance.
- **Weights stay as they were.** A network that was trained without a part can do better than one that
  loses it afterwards: see *Trained without it*.
- **One training each.** The interval speaks of other samples, not of another seed of the same training.
- **Trained without it**: networks of a study, each configuration with several seeds. An open dot is a seed, the
  full one their mean; the line is the 95 % interval over other seeds *and* other samples. Differences are paired: the
  same seed and the same sample. Colour is for what is certain after Holm's correction for all rows together. No
  seed is chosen, and none left out.
- **The most frequent answer**: a network that a change broke gives one answer to nearly all samples. Its
  accuracy then says how frequent that class is, and nothing of what was taken away.
- *Denoiser off* lets every coincidence of spikes through, as u = 0 does [reviews: threshold u].
- **Memory can be another's, or none.** *Another sample's* takes away what was remembered and nothing else: at each
  step the membranes, or the past that attention reaches, are those of another held-out sample, from a run of
  its own; what comes in at this step is this sample's. *Off*, for attention, leaves the current step alone; the
  scale of what is summed stays that of training. *None*, for neurons, begins each step at rest, h = x / tau:
  membranes are then emptier than the weights expect. *tau = 1* also begins afresh, and multiplies every current
  by tau: it is a change of gain first.
- *Time constants* [paper: intrinsic plasticity is their learning]:
  *as before training* puts back those with which
  this training began, as the checkpoint's card has kept them. Silent blocks pass on what they were given.
- *Noise* is Gaussian, its standard deviation in units of the input (1 is white in an image, or one event), per
  pixel, and per colour or polarity and step where there are such. Images end at 0 and 1 and counts at 0, so less
  is added than drawn. It belongs to the sample, so that all networks see the same.
"""


@reads("ablate")
def show(problems: Problems) -> None:
    st.markdown("Take parts of a trained network away, and see how many answers are still correct.")
    opening = None
    with plain.errors():
        opening = choosers.opening(choose_limit, HOW_TO_READ, "to take apart", problems)
    if opening is None:  # also where the task of the checkpoint cannot be opened
        show_trained(None, problems)
        return
    checkpoint, limit, tools = opening
    with st.container(border=True, key="card-switches"):
        starting_taus = checkpoint.starting_taus is not None
        texts = switches.choose(checkpoint.config, problems, starting_taus=starting_taus)
    with plain.errors():
        together = len(texts) > 1 and choose_together()
        experiments = switches.experiments(checkpoint.config, texts, together)
        each = each_part.show(checkpoint, limit, problems)
        before, results = compare(checkpoint, experiments, limit)
        show_results(checkpoint, before, results)
        next_page.offer(
            Way("watch", "This checkpoint in Watch"),
            Way("neurons", "Its time constants in Neurons"),
            Way("denoise", "Its denoiser in Denoise"),
            Way("memory", "Its memory in Memory"),
            Way("energy", "What it costs, in Energy"),
        )
        python = as_python(checkpoint, experiments, limit, each)
        tools.code.code(python, language="python")
        by_switches = {
            experiments[name].switches: one
            for name, one in results.items()
            if not experiments[name].noise
        }
        trained = show_trained(checkpoint, problems, by_switches)
        if trained is not None:
            tools.code.code(trained_without.as_python(trained), language="python")
        show_differing_runs(checkpoint, before, limit)
        name = f"ablate-{downloads.short(checkpoint.name)}"
        downloads.fill(tools.save, name, python=python, files=trained_without.saved(trained))


def choose_limit(checkpoint: checkpoints.Checkpoint, problems: list[str]) -> int:
    """How many held-out samples are answered; in the URL as ``samples``."""
    most = len(tasks.task(checkpoint.data).test)
    limit = url.number("samples", min(SAMPLES, most), problems)
    if not 1 <= limit <= most:
        problems.append(f"The link says samples={limit}; there are 1 to {most} held-out samples.")
        limit = min(SAMPLES, most)
    st.markdown("on", width="content")
    st.number_input(
        "Held-out samples", 1, most, step=100, label_visibility="collapsed", width=140,
        **url.bound("samples", limit),
    )  # fmt: skip
    st.markdown("held-out samples", width="content")
    return limit


def choose_together() -> bool:
    """Whether all that is chosen is taken away together, too; in the URL as ``together``."""
    return st.checkbox("Also all of it together", **url.opened("together"))


# What is run --------------------------------------------------------------------------------------


def compare(
    checkpoint: checkpoints.Checkpoint, experiments: dict[str, Experiment], limit: int
) -> tuple[Answers, dict[str, PairedDifference]]:
    """The answers as trained, and what each experiment makes of them."""
    from dista.measures import paired_difference

    networks = {INTACT: (checkpoint, Experiment())}
    networks |= {name: (checkpoint, experiment) for name, experiment in experiments.items()}
    place = st.empty()

    def sketch(answers: dict[str, Answers]) -> None:
        """What the first samples say, while the others are asked."""
        first = answers.pop(INTACT)
        early = {name: paired_difference(first, after) for name, after in answers.items()}
        if early:
            with place.container():
                show_results(checkpoint, first, early, "-at-first")

    answers = answer_all(networks, limit, "experiments", sketch)
    place.empty()
    before = answers.pop(INTACT)
    return before, {name: paired_difference(before, after) for name, after in answers.items()}


def answer_all(
    networks: dict[str, tuple[checkpoints.Checkpoint, Experiment]],
    limit: int,
    key: str,
    so_far: Callable[[dict[str, Answers]], None] = lambda _: None,
) -> dict[str, Answers]:
    """The answers to the same samples, with a bar while they come in, and a button to stop there."""
    who, then = count(len(networks), "network"), "Show what is there so far"
    with progress.working(key, f"{who}: asked", stop, then=then) as report:

        def report_samples(done: int) -> None:
            st.session_state["answered"] = done
            report(done / limit, f"{who}: {done} of {limit} held-out samples")

        return reruns.answers(networks, limit, report_samples, so_far)


def stop() -> None:
    """Make do with the samples that all networks have answered; they are cached."""
    url.write(samples=st.session_state.get("answered", 25))


# What is shown ------------------------------------------------------------------------------------


def show_results(
    checkpoint: checkpoints.Checkpoint,
    before: Answers,
    results: dict[str, PairedDifference],
    early: str = "",
) -> None:
    """The figure, and the samples that changed sides; ``early`` tells what is shown before all are answered."""
    from dista import figures

    st.markdown(f"## {sentence(before, results)}")
    if not results:
        return
    left, right = st.columns([0.62, 0.38])
    with left:
        figure = figures.accuracy_changes(results, theme=charts.theme())
        charts.plot(figure, f"changes{early}")
    with right, st.container(border=True, key=f"card-samples{early}"):
        name, result = greatest(results)
        st.markdown(f"**{name}: the samples that changed sides**")
        for words, samples in (
            ("Correct as trained, wrong now", result.lost),
            ("Wrong as trained, correct now", result.gained),
        ):
            st.markdown(f"{words}: {linked(checkpoint, samples)}")
        st.caption("A sample opens on the Compare page.")


def sentence(before: Answers, results: dict[str, PairedDifference]) -> str:
    """The difference first, then what it is a difference to."""
    correct = f"{int(before.correct.sum())} of {count(len(before.label), 'held-out sample')}"
    if not results:
        return f"As trained, {correct} are answered correctly. Choose something to take away."
    name, result = greatest(results)
    most = f"{name}, the largest of {len(results)} effects" if len(results) > 1 else name
    after = round(result.after * result.samples)
    lead = f"{points(result.difference)} points ({points(result.low)} to {points(result.high)})"
    doubt = "" if result.certain else ", which may be chance"
    return (
        f"{most}: {lead}{doubt}. {after} instead of {correct} are answered correctly; the most frequent answer is given to "
        f"{percent(result.most_frequent_after)}, and to {percent(result.most_frequent_before)} as trained."
    )


def linked(checkpoint: checkpoints.Checkpoint, samples: np.ndarray) -> str:
    """Sample numbers that lead to where the sample can be watched."""
    if not len(samples):
        return "none"
    links = []
    for sample in samples[:NAMED].tolist():
        query = urlencode(own_paths.in_url(checkpoint) | {"sample": sample})
        links.append(f"[{sample}](./compare?{query})")
    more = f" and {len(samples) - NAMED} more" if len(samples) > NAMED else ""
    return " · ".join(links) + more


def show_trained(
    checkpoint: checkpoints.Checkpoint | None, problems: Problems, above: Above = None
) -> Results | None:
    """A study of networks that were trained without a part; ``above`` is what its switches did to the checkpoint, if any."""
    results = trained_without.choose(checkpoint.task if checkpoint else None, problems)
    if results is not None:
        with plain.errors():
            trained_without.show(results, problems, above)
    return results


def show_differing_runs(checkpoint: checkpoints.Checkpoint, before: Answers, limit: int) -> None:
    """Runs that were trained with one switch set otherwise, on the same samples; those of studies stand above."""
    from dista import figures, measures, runs

    st.markdown("## Single runs that differ from this checkpoint in one switch")
    try:
        alone = [run for run in runs.find(runs.default_folder()) if "/" not in run.name]
        others = differing_runs(of_checkpoint(checkpoint.path), alone)
    except runs.RunError as error:
        st.caption(plain.text(f"There is nothing to compare with: {error}."))
        return
    trained = {
        f"{other.sentence} ({other.run.name})": (best, Experiment())
        for other in others
        if (best := checkpoints.best(other.run)) and best.path != checkpoint.path
    }
    if not trained:
        st.caption(
            f"None of the runs in {plain.path(runs.default_folder())} differs from this checkpoint in one switch alone. "
            "dista train with the same options but one makes such a run."
        )
        return
    if len(trained) > NAMED:
        st.caption(f"The newest {NAMED} of {len(trained)}.")
    answers = answer_all(dict(list(trained.items())[:NAMED]), limit, "siblings")
    results = {name: measures.paired_difference(before, after) for name, after in answers.items()}
    ordered = dict(sorted(results.items(), key=lambda item: item[1].difference))
    charts.plot(figures.accuracy_changes(ordered, theme=charts.theme()), "siblings")
    first = trained[next(iter(ordered))][0]
    next_page.offer(
        Way("compare", "This checkpoint and the first of them in Compare", {"right": first.name}),
        Way("watch", "The first of them in Watch", own_paths.in_url(first)),
        key="next-pages-siblings",
    )


# Python -------------------------------------------------------------------------------------------


def as_python(
    checkpoint: checkpoints.Checkpoint, experiments: dict[str, Experiment], limit: int, each: str
) -> str:
    """Code that runs the experiments and draws their figure, after that of ``each`` part of a kind."""
    *lines, _ = snippets.inputs(checkpoint, 0)
    if each:
        lines += each_part.as_python(each, limit)
    lines += ["", f"def answers(switches=(), noise=0.0, limit={limit}):"]
    lines += ["    options = {'noise': noise, 'limit': limit}"]
    lines += ["    return dista.evaluation.answers(model, task.test, switches, **options)", ""]
    lines += ["experiments = {"]
    lines += [f"    {name!r}: {tuple(experiment)}," for name, experiment in experiments.items()]
    lines += ["}", "before = answers()"]
    drawn = [each_part.FIGURE] if each else []
    if not experiments:
        last = snippets.shown(*drawn) if drawn else ["print(before.correct.mean())"]
        return "\n".join([*lines, *last])
    lines += ["results = {"]
    lines += ["    name: dista.measures.paired_difference(before, answers(*chosen))"]
    lines += ["    for name, chosen in experiments.items()", "}"]
    return "\n".join([*lines, *snippets.shown(*drawn, "dista.figures.accuracy_changes(results)")])


show()
