"""Wrong answers to the exercises of lesson 10, as readers write them, and words of the mistake that is named."""

import numpy as np


def non_zero(x, outputs):
    return (x > 0).sum() * outputs, np.prod(x.shape) * outputs


def spikes_alone(x, outputs):
    return x.sum(), x.size


def one_step(x, outputs):
    _, tokens, channels = x.shape
    return x.sum() * outputs, tokens * channels * outputs


def exchanged(x, outputs):
    return x.size * outputs, x.sum() * outputs


def stops(confidence, least):
    return [
        next((t for t in range(len(confidence)) if confidence[t, i] >= least), len(confidence) - 1)
        for i in range(confidence.shape[1])
    ]


def rules(confidence, right, candidates):
    for least in candidates:
        stop = stops(confidence, least)
        yield least, np.mean(stop) + 1, np.mean([right[t, i] for i, t in enumerate(stop)])


def earliest(confidence, right, candidates, loss):
    return min(candidates), np.mean(stops(confidence, min(candidates))) + 1


def most_accurate(confidence, right, candidates, loss):
    best = max(rules(confidence, right, candidates), key=lambda rule: (rule[2], rule[1]))
    return best[:2]


def counted_from_zero(confidence, right, candidates, loss):
    enough = right[-1].mean() - loss
    fine = [rule for rule in rules(confidence, right, candidates) if rule[2] >= enough]
    least, steps, _ = min(fine, key=lambda rule: rule[1])
    return least, steps - 1


def without_steps(confidence, right, candidates, loss):
    enough = right[-1].mean() - loss
    fine = [rule for rule in rules(confidence, right, candidates) if rule[2] >= enough]
    return min(fine, key=lambda rule: rule[1])[0]


WRONG = {
    "10.1": [
        (non_zero, "that is as many spikes"),
        (spikes_alone, "not operations"),
        (one_step, "at every step"),
        (exchanged, "changed places"),
    ],
    "10.2": [
        (earliest, "whatever it costs"),
        (most_accurate, "the cheapest is wanted"),
        (counted_from_zero, "counted from 0"),
        (without_steps, "Return both"),
    ],
}
