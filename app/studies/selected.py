"""The runs that are selected in the table: their curves, in what they differ, what is written about them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import streamlit as st

from app.inputs import checkpoints
from app.link import permission, plain
from app.page import charts, next_page
from app.page.next_page import Way
from app.studies.table import Read
from dista.figures.theme import count
from dista.runs import Run, RunError, annotation
from dista.runs.differences import differences

if TYPE_CHECKING:
    import pandas as pd

MOST = 10  # curves in one figure


def show(runs: Read) -> None:
    """What is to be said of the selected runs; how to select where none is."""
    if not runs:
        st.caption(
            "Select runs at the left of the table: their curves, differences and notes stand here then."
        )
        return
    st.markdown(f"## {_sentence(runs)}")
    left, right = st.columns([0.6, 0.4])
    with left:
        _show_curves(runs[:MOST])
    with right, st.container(border=True, key="card-differences"):
        _show_differences(runs)
        _show_annotation(runs)
    next_page.offer(*ways(runs))


def _sentence(runs: Read) -> str:
    if len(runs) == 1:
        return plain.text(runs[0][1].name)
    reached = [one.accuracy for _, one in runs if one.accuracy is not None]
    if not reached:
        return f"{count(len(runs), 'run')}, none of them measured on the test samples yet"
    low, high = (f"{100 * value:.1f}" for value in (min(reached), max(reached)))
    return f"{count(len(runs), 'run')}: {low} to {high} % on the test samples"


def _show_curves(runs: Read) -> None:
    from dista import figures

    table = curves(runs)
    if table.empty:
        st.caption("None of them has finished an epoch yet.")
        return
    charts.plot(figures.run_curves(table, theme=charts.theme()), "run-curves")


def curves(runs: Read) -> pd.DataFrame:
    """The accuracy on the validation samples by run and epoch."""
    import pandas as pd

    rows = [
        {"run": one.name, "epoch": epoch, "val_accuracy": value}
        for _, one in runs
        for epoch, value in enumerate(one.curve, 1)
    ]
    return pd.DataFrame(rows, columns=["run", "epoch", "val_accuracy"])


# Differences --------------------------------------------------------------------------------------


def _show_differences(runs: Read) -> None:
    """Option by option: of two runs both values, of more what the first has and the others have not."""
    if len(runs) == 1:
        st.markdown("**In what do two runs differ?** Select another one.")
        return
    first, *others = runs
    if len(others) > 1:
        st.markdown(f"**The first and the second of {len(runs)} differ in**")
    else:
        st.markdown("**They differ in**")
    rows = differing(first[1].config, others[0][1].config)
    if not rows["option"]:
        st.markdown("nothing: the same training once more.")
        return
    st.table(rows)


def differing(ours: Any, theirs: Any) -> dict[str, list[str]]:
    """In which options two configurations differ, with both values, as Markdown."""
    switched = differences(ours, theirs)
    switched = dict(sorted(switched.items(), key=lambda item: item[0].startswith("training.")))
    switched |= {
        name: (getattr(ours, name), getattr(theirs, name))
        for name in ("data",)
        if getattr(ours, name) != getattr(theirs, name)
    }
    names = [plain.text(name.removeprefix("training.")) for name in switched]
    left, right = ([plain.text(pair[side]) for pair in switched.values()] for side in (0, 1))
    return {"option": names, "first": left, "second": right}


# Notes and tags -----------------------------------------------------------------------------------


def _show_annotation(runs: Read) -> None:
    """Of one run its note and tags, of several tags that all of them get."""
    st.markdown("**Note and tags**" if len(runs) == 1 else f"**Tags for these {len(runs)}**")
    if not permission.training():
        for _, one in runs[:1]:
            st.markdown(plain.text(one.note) or "no note")
            st.markdown(" ".join(f":gray-badge[{plain.text(tag)}]" for tag in one.tags))
        st.caption("Who may train here may write notes.")
        return
    tags = list(dict.fromkeys(tag for _, one in runs for tag in one.tags))
    key = f"annotation-{hash(tuple(one.name for _, one in runs))}"
    with st.form(key, border=False):
        note = None
        if len(runs) == 1:
            note = st.text_area(
                "Note", runs[0][1].note, max_chars=annotation.LONGEST_NOTE, height=80
            )
        words = st.multiselect(
            "Tags", tags, tags if len(runs) == 1 else [], accept_new_options=True,
            placeholder="Type a tag, then Enter",
        )  # fmt: skip
        if st.form_submit_button("Save"):
            _save(runs, note, words)


def _save(runs: Read, note: str | None, words: list[str]) -> None:
    """Write what stands in the form; of several runs each gets the tags beside its own."""
    try:
        for run, one in runs:
            tags = words if note is not None else list(itertools.chain(one.tags, words))
            annotation.write(run, one.note if note is None else note, tags)
    except RunError as error:
        plain.error(plain.sentence(error))
        return
    st.rerun()


# Ways on ------------------------------------------------------------------------------------------


def ways(runs: Read) -> list[Way]:
    """The first run on Train, its best checkpoint in Watch, and two of them beside each other."""
    bests = [best.name for run, _ in runs if (best := checkpoints.best(run))]
    links = [Way("train", "The run on Train", {"run": runs[0][1].name})]
    if first := _best(runs[0][0]):
        links.append(Way("watch", "Its best checkpoint in Watch", {"checkpoint": first}))
    if len(bests) >= 2:
        links.append(
            Way("compare", "Two of them in Compare", {"checkpoint": bests[0], "right": bests[1]})
        )
    return links


def _best(run: Run) -> str | None:
    best = checkpoints.best(run)
    return best.name if best else None
