"""The popover in which readers bring their own input: a drawing, a picture, or a recording of events.

Pictures are in the URL as ``image``. A recording does not fit there: it stays on the server, and its key
is in the URL as ``events``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from app.inputs import drawing, event_files, images, own_input, tasks
from app.link import plain, url

if TYPE_CHECKING:
    from app.inputs.checkpoints import Checkpoint
    from app.inputs.own_input import Kind

NAMES = {"digit": "image", "colours": "image", "events": "events"}
"""How the URL calls an own input of each kind."""


Answer = Callable[[str], str]
"""What the network says of an own input, in Markdown: shown beside it while it is made."""


_BEFORE = "own inputs before"  # in the session: what the link held before each change
_MOST_UNDONE = 20


def choose_image(
    checkpoint: Checkpoint, problems: list[str], answer: Answer | None = None
) -> str | None:
    """An own input as text, for ``recordings`` and ``snippets``; None while there is none that fits."""
    offer(checkpoint, problems, answer)
    return fitting(checkpoint, problems)


def offer(checkpoint: Checkpoint, problems: list[str], answer: Answer | None = None) -> None:
    """The popover for what this checkpoint can see, and a button that removes what was brought."""
    with st.container(width="content"):
        _offer(own_input.kind(checkpoint.config.input_shape), checkpoint, answer)
    if _in_link():
        said = "Show the held-out sample instead of the own input"
        st.button("Remove", icon=":material/undo:", on_click=_forget, help=said)
    if problem := st.session_state.pop("own-input-problem", None):
        problems.append(problem)


def _in_link() -> bool:
    """Whether the link holds an own input of any kind."""
    return url.text("image") is not None or url.text("events") is not None


@st.fragment
def _offer(kind: Kind | None, checkpoint: Checkpoint, answer: Answer | None) -> None:
    """The popover, which is filled while it is open; a fragment, so that opening it costs nothing."""
    if st.session_state.pop("own-input-changed", False):
        st.rerun()  # the whole page
    with st.popover("Own input", key="own-input", on_change="rerun") as popover:
        if not popover.open:
            return
        with st.container(width=320):
            if kind is None:
                st.write(
                    "This checkpoint's inputs have a form for which there is no own input yet."
                )
            else:
                _OFFERS[kind](checkpoint)
                _say(kind, answer)


def fitting(checkpoint: Checkpoint, problems: list[str]) -> str | None:
    """What the URL holds, as text; a sentence where this checkpoint cannot see it, or it is damaged or gone."""
    kind = own_input.kind(checkpoint.config.input_shape)
    text = url.text(NAMES[kind]) if kind else None
    if text is None or (kind != "events" and images.is_colour(text) != (kind == "colours")):
        if _in_link():
            problems.append("This checkpoint cannot see the own input. Showing the sample.")
        return None
    try:
        if kind == "events":
            own_input.event_input(text, tasks.form(checkpoint.data))
        elif kind == "colours":
            images.colour_pixels(text)
        else:
            parts = images.roles(text)
            for part in parts.values():
                images.image_pixels(part)
            if checkpoint.task != "match" and "probe" not in parts:
                return None  # it is a cue, for another task
    except ValueError as error:
        problems.append(f"{plain.sentence(error)} Showing the sample.")
        return None
    return text


# What is offered --------------------------------------------------------------------------------


def _offer_digit(checkpoint: Checkpoint) -> None:
    st.markdown("**Draw a digit**")
    role = _choose_role() if checkpoint.task == "match" else "probe"
    strokes = st.session_state.get(_key(f"strokes-{role}"), [])
    drawing.pad(_key(_pad(role)), strokes, partial(_keep_drawing, role))
    st.file_uploader(
        "Or a photograph of one, png or jpg",
        type=["png", "jpg", "jpeg"], key=_key("digit"), on_change=_keep_digit, args=(role,),
    )  # fmt: skip
    st.button(
        "Try one: a 4 on grey paper", icon=":material/photo_camera:", key=_key("example"),
        on_click=_keep_example, args=(role,),
    )  # fmt: skip
    _preview(role)
    st.caption(
        "As in MNIST, from which the networks learned: 20 pixels high, centred by mass, light on black, with a "
        "pen of about one width. 28 × 28 pixels with 16 greys, so that it fits into the link."
    )


def _choose_role() -> str:
    """What a picture is for, where there are two digits to compare."""
    st.segmented_control(
        "Shown as", ("probe", "cue"), key="own-role", required=True, default="probe",
        help="The other one stays that of the held-out sample, or what you brought for it.",
    )  # fmt: skip
    return st.session_state["own-role"]


def _pad(role: str) -> str:
    return "pad" if role == "probe" else f"pad-{role}"


def _preview(role: str) -> None:
    """A photograph beside what the network sees of it, and the way back."""
    photograph = st.session_state.get(_key("photograph"))
    part = images.roles(url.text("image") or "").get(role)
    if photograph is None or part is None:
        return
    left, right = st.columns(2)
    left.image(photograph, caption="your picture", width="stretch")
    with contextlib.suppress(ValueError):
        seen = np.kron(images.image_pixels(part), np.ones((6, 6)))
        right.image(seen, caption="what the network sees", width="stretch")
    st.toggle(
        "As it is", key=_key("raw"), on_change=_keep_photograph, args=(role,),
        help="Without taking the paper out, centring and scaling: a light digit on black, fitted as a whole.",
    )  # fmt: skip


def _say(kind: Kind, answer: Answer | None) -> None:
    """The network's answer to what is in the link, and a way back to what was there before."""
    text = url.text(NAMES[kind])
    if text is not None and answer is not None:
        with plain.errors():
            st.markdown(answer(text))
    if st.session_state.get(_BEFORE):
        st.button(
            "Previous input", icon=":material/undo:", on_click=_undo,
            help="Back to what was there before the last change",
        )  # fmt: skip


def _offer_colours(checkpoint: Checkpoint) -> None:
    st.file_uploader(
        "A picture, png or jpg",
        type=["png", "jpg", "jpeg"], key=_key("colours"), on_change=_keep_colours,
    )  # fmt: skip
    st.button("Try one: a drawn ship", icon=":material/image:", on_click=_keep_example_of_colours)
    st.caption(
        "Scaled and cropped to 32 × 32 pixels, then compressed to about 1 KB so that it fits into the "
        "link: fine differences of colour are lost, and the network sees what is left."
    )


def _offer_events(checkpoint: Checkpoint) -> None:
    _, rows, columns = checkpoint.config.input_shape
    st.file_uploader(
        f"A recording of an event camera, {columns} × {rows} pixels",
        type=[suffix.removeprefix(".") for suffix in event_files.SUFFIXES],
        key=_key("events"), on_change=_keep_events,
    )  # fmt: skip
    if (rows, columns) == (34, 34):
        st.button(
            "Try one: a filmed digit", icon=":material/videocam:", on_click=_keep_example_of_events
        )
    st.caption(
        "N-MNIST's .bin, a .npy array with fields x, y, t (µs) and p, an .npz with arrays of these names, "
        "an .aedat (version 2 of a DVS128, or 3.1), or .aedat4. It stays on this server until it restarts, or newer "
        "ones take its place; the link holds only its key."
    )
    if file := event_files.shelf().get(url.text("events") or ""):
        st.markdown(_described(file, rows, columns))


def _described(file: event_files.EventFile, rows: int, columns: int) -> str:
    events = file.events
    seconds = int(events["t"][-1] - events["t"][0]) / 1e6
    outside = int(((events["y"] >= rows) | (events["x"] >= columns)).sum())
    left_out = f" {outside} of them lie outside of the model's view and are left out." * bool(
        outside
    )
    return f"**{plain.text(file.name)}**: {len(events)} events in {seconds:.3g} s.{left_out}"


_OFFERS: Mapping[Kind, Callable[[Checkpoint], None]] = {
    "digit": _offer_digit,
    "colours": _offer_colours,
    "events": _offer_events,
}


# What was brought -------------------------------------------------------------------------------


def _key(what: str) -> str:
    """A widget's key; after "Remove" it is another one, and the widget empty."""
    return f"own-{what}-{st.session_state.get('own-inputs', 0)}"


def _keep_drawing(role: str = "probe") -> None:
    strokes = st.session_state[_key(f"strokes-{role}")] = drawing.strokes(_key(_pad(role)))
    st.session_state[_key("photograph")] = None
    _keep("image", lambda: _with(role, images.drawn(strokes) if strokes else None))


def _with(role: str, levels: np.ndarray | None) -> str | None:
    """The pictures of the link with this one for ``role``, or without one for it."""
    parts = images.roles(url.text("image") or "")
    parts.pop(role, None)
    if levels is not None:
        parts[role] = images.image_text(levels)
    return images.of_roles(parts)


def _keep_digit(role: str) -> None:
    if upload := st.session_state.get(_key("digit")):
        st.session_state[_key("photograph")] = upload.getvalue()
        _keep_photograph(role)


def _keep_example(role: str) -> None:
    from app.inputs import examples

    st.session_state[_key("photograph")] = examples.photograph()
    _keep_photograph(role)


def _keep_photograph(role: str) -> None:
    from app.inputs import photographs

    content = st.session_state[_key("photograph")]

    def levels() -> np.ndarray:
        if st.session_state.get(_key("raw")):
            return images.read_digit(content, invert=False)
        return photographs.normalised(images.read_grey(content))

    _keep("image", lambda: _with(role, levels()))


def _keep_colours() -> None:
    if upload := st.session_state.get(_key("colours")):
        _keep("image", lambda: images.colour_text(images.read_colours(upload.getvalue())))


def _keep_example_of_colours() -> None:
    from app.inputs import examples

    _keep("image", lambda: images.colour_text(images.read_colours(examples.ship())))


def _keep_example_of_events() -> None:
    from app.inputs import examples

    _keep("events", lambda: event_files.shelf().keep(event_files.read(*examples.recording())))


def _keep_events() -> None:
    if upload := st.session_state.get(_key("events")):
        read = event_files.read
        _keep("events", lambda: event_files.shelf().keep(read(upload.name, upload.getvalue())))


def _keep(name: str, text: Callable[[], str | None]) -> None:
    """Put an own input into the URL; what is wrong with it is said in the run that follows."""
    st.session_state["own-input-changed"] = True
    before = {one: url.text(one) for one in ("image", "events")}
    try:
        url.write(**{name: text()})
    except ValueError as error:
        st.session_state["own-input-problem"] = plain.sentence(error)
        return
    st.session_state.setdefault(_BEFORE, []).append(before)
    del st.session_state[_BEFORE][:-_MOST_UNDONE]


def _undo() -> None:
    """The own input of before the last change; the widgets begin afresh, as a file cannot be put back into one."""
    st.session_state["own-input-changed"] = True
    st.session_state["own-inputs"] = st.session_state.get("own-inputs", 0) + 1
    url.write(**st.session_state[_BEFORE].pop())


def _forget() -> None:
    st.session_state["own-inputs"] = st.session_state.get("own-inputs", 0) + 1
    st.session_state.pop(_BEFORE, None)
    url.write(image=None, events=None)
