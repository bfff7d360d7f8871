"""Wrong answers to the exercises of lesson 6, as readers write them, and words of the mistake that is named."""

import numpy as np


def both_ways(q, k, window):
    n = len(q)
    return {(t, m): q[t] @ k[m].T for t in range(n) for m in range(n) if t - m < window}


def one_too_far(q, k, window):
    return {(t, m): q[t] @ k[m].T for t in range(len(q)) for m in range(max(0, t - window), t + 1)}


def past_alone(q, k, window):
    return {(t, m): q[t] @ k[m].T for t in range(len(q)) for m in range(max(0, t - window + 1), t)}


def own_key(q, k, window):
    return {
        (t, m): q[t] @ k[t].T for t in range(len(q)) for m in range(max(0, t - window + 1), t + 1)
    }


def transposed(q, k, window):
    return {
        (t, m): k[m] @ q[t].T for t in range(len(q)) for m in range(max(0, t - window + 1), t + 1)
    }


def anything_moves(network, frames):
    changed = frames.copy()
    changed[-1] = changed[-1] + 0.5
    return bool(np.any(network(changed) != network(frames)))


def at_the_start(network, frames):
    changed = frames.copy()
    changed[-1] += 5
    return not np.allclose(network(changed)[0], network(frames)[0])


def only_the_end(network, frames):
    changed = frames.copy()
    changed[-1] += 5
    return not np.allclose(network(changed)[:-1], network(frames)[:-1])


def made_blank(network, frames):
    changed = frames.copy()
    changed[-1] = 0
    return not np.allclose(network(changed)[:-1], network(frames)[:-1])


WRONG = {
    "6.1": [
        (both_ways, "future"),
        (one_too_far, "one step too long"),
        (past_alone, "current step is missing"),
        (own_key, "k[m]"),
        (transposed, "changed places"),
    ],
    "6.2": [
        (anything_moves, "that is memory"),
        (at_the_start, "first step alone"),
        (only_the_end, "last step alone"),
        (made_blank, "no change"),
        (lambda network, frames: False, "proved nothing"),
    ],
}
