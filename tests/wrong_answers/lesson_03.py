"""Wrong answers to the exercises of lesson 3, as readers write them, and words of the mistake that is named."""

import numpy as np


def counts_once(events, steps, size, duration):
    frames = np.zeros((steps, 2, *size))
    frames[events["t"] * steps // duration, events["p"], events["y"], events["x"]] += 1
    return frames


def x_is_a_row(events, steps, size, duration):
    frames = np.zeros((steps, 2, *size[::-1]))
    np.add.at(frames, (events["t"] * steps // duration, events["p"], events["x"], events["y"]), 1)
    return frames


def on_first(events, steps, size, duration):
    frames = np.zeros((steps, 2, *size))
    np.add.at(
        frames, (events["t"] * steps // duration, 1 - events["p"], events["y"], events["x"]), 1
    )
    return frames


def from_the_first(events, steps, size, duration):
    frames = np.zeros((steps, 2, *size))
    t = events["t"] - events["t"][0]
    np.add.at(frames, (t * steps // (t[-1] + 1), events["p"], events["y"], events["x"]), 1)
    return frames


WRONG = {
    "3.1": [
        (counts_once, "counted once"),
        (x_is_a_row, "y is the row"),
        (on_first, "ON comes first"),
        (from_the_first, "from the first event"),
    ],
    "3.2": [
        (lambda p: p.astype(bool), "truth value"),
        (lambda p: (p.astype(int) + 1) / 2, "right for -1 and 1"),
        (lambda p: p, "-1 is left"),
        (lambda p: np.abs(p * 1), "without its sign"),
        (lambda p: (p <= 0) * 1, "wrong way round"),
    ],
}
