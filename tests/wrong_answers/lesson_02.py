"""Wrong answers to the exercises of lesson 2, as readers write them, and words of the mistake that is named."""

import numpy as np


def derivative_of_the_step(distance):
    return np.zeros_like(distance)


def soft_step(distance):
    return 1 / (1 + np.exp(-4 * distance))


def straight_through(distance):
    return np.ones_like(distance)


def upside_down(distance):
    return np.abs(distance) - 1


def distance_itself(distance):
    return np.abs(distance)


WRONG = {
    "2.1": [
        (derivative_of_the_step, "step's own derivative"),
        (soft_step, "a soft step"),
        (straight_through, "straight-through"),
        (upside_down, "turns learning round"),
        (distance_itself, "fall on both sides"),
    ],
    "2.2": [(3, "Too little"), (50, "Too much"), (-10, "not positive")],
}
