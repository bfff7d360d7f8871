"""The popover in which readers bring their own input: a drawing, a picture, or a recording of events.

Pictures are in the URL as ``image``. A recording does not fit there: it stays on the server, and its key
is in the URL as ``events``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import streamlit as st

from app.inputs import drawing, event_files, images, own_input, tasks
from app.link import plain, url

if TYPE_CHECKING:
    from app.inputs.checkpoints import Checkpoint
    from app.inputs.own_input import Kind

NAMES = {"digit": "image", "colours": "image", "events": "events"}
"""How the URL calls an own input of each kind."""


def choose_image(checkpoint: Checkpoint, problems: list[str]) -> str | None:
    """An own input as text, for ``recordings`` and ``snippets``; None while there is none that fits."""
    offer(checkpoint, problems)
    return fitting(checkpoint, problems)


def offer(checkpoint: Checkpoint, problems: list[str]) -> None:
    """The popover for what this checkpoint can see, and a button that removes what was brought."""
    with st.container(width="content"):
        _offer(own_input.kind(checkpoint.config.input_shape), checkpoint)
    if _in_link():
        said = "Show the held-out sample instead of the own input"
        st.button("Remove", icon=":material/undo:", on_click=_forget, help=said)
    if problem := st.session_state.pop("own-input-problem", None):
        problems.append(problem)


def _in_link() -> bool:
    """Whether the link holds an own input of any kind."""
    return url.text("image") is not None or url.text("events") is not None


@st.fragment
def _offer(kind: Kind | None, checkpoint: Checkpoint) -> None:
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
            images.image_pixels(text)
    except ValueError as error:
        problems.append(f"{plain.sentence(error)} Showing the sample.")
        return None
    return text


# What is offered --------------------------------------------------------------------------------


def _offer_digit(checkpoint: Checkpoint) -> None:
    role = " It is shown as the probe." if checkpoint.task == "match" else ""
    st.markdown(f"**Draw a digit.**{role}")
    drawing.pad(_key("pad"), st.session_state.get(_key("strokes"), []), _keep_drawing)
    st.caption(
        "Scaled to 20 pixels, centred by mass and drawn with a pen of equal width, as in MNIST, from "
        "which the networks learned."
    )
    st.file_uploader(
        "Or a picture of one digit, png or jpg",
        type=["png", "jpg", "jpeg"], key=_key("digit"), on_change=_keep_digit,
    )  # fmt: skip
    st.toggle(
        "Dark digit on light paper",
        value=True,
        key="own-image-invert",
        on_change=_keep_digit,
        help="The networks have seen light digits on black: this inverts the picture.",
    )
    st.caption("28 × 28 pixels with 16 greys, so that it fits into the link.")


def _offer_colours(checkpoint: Checkpoint) -> None:
    st.file_uploader(
        "A picture, png or jpg",
        type=["png", "jpg", "jpeg"], key=_key("colours"), on_change=_keep_colours,
    )  # fmt: skip
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


def _keep_drawing() -> None:
    strokes = st.session_state[_key("strokes")] = drawing.strokes(_key("pad"))
    if not strokes:
        st.session_state["own-input-changed"] = True
        url.write(image=None)
        return
    _keep("image", lambda: images.image_text(images.drawn(strokes)))


def _keep_digit() -> None:
    if upload := st.session_state.get(_key("digit")):
        invert = st.session_state["own-image-invert"]
        read = images.read_digit
        _keep("image", lambda: images.image_text(read(upload.getvalue(), invert=invert)))


def _keep_colours() -> None:
    if upload := st.session_state.get(_key("colours")):
        _keep("image", lambda: images.colour_text(images.read_colours(upload.getvalue())))


def _keep_events() -> None:
    if upload := st.session_state.get(_key("events")):
        read = event_files.read
        _keep("events", lambda: event_files.shelf().keep(read(upload.name, upload.getvalue())))


def _keep(name: str, text: Callable[[], str]) -> None:
    """Put an own input into the URL; what is wrong with it is said in the run that follows."""
    st.session_state["own-input-changed"] = True
    try:
        url.write(**{name: text()})
    except ValueError as error:
        st.session_state["own-input-problem"] = plain.sentence(error)


def _forget() -> None:
    st.session_state["own-inputs"] = st.session_state.get("own-inputs", 0) + 1
    url.write(image=None, events=None)
