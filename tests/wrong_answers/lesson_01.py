"""Wrong answers to the exercises of lesson 1, as readers write them, and words of the mistake that is named."""


def no_leak(v, x, tau, threshold):
    v += x / tau
    return (1, 0.0) if v >= threshold else (0, v)


def adds_the_whole_input(v, x, tau, threshold):
    h = v * (1 - 1 / tau) + x
    return (1, 0.0) if h >= threshold else (0, h)


def keeps_its_potential(v, x, tau, threshold):
    h = v + (x - v) / tau
    return int(h >= threshold), h


def subtracts(v, x, tau, threshold):
    h = v + (x - v) / tau
    return (1, h - threshold) if h >= threshold else (0, h)


def strictly_above(v, x, tau, threshold):
    h = v + (x - v) / tau
    return (1, 0.0) if h > threshold else (0, h)


WRONG = {
    "1.1": [
        (no_leak, "leak is missing"),
        (adds_the_whole_input, "whole input"),
        (keeps_its_potential, "reset is missing"),
        (subtracts, "soft reset"),
        (strictly_above, "with >="),
    ],
    "1.2": [(8, "fills too slowly"), (1.5, "fills too fast"), (0.5, "below 1")],
}
