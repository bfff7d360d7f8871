"""Wrong answers to the exercises of lesson 7, as readers write them, and words of the mistake that is named."""

import numpy as np


def accuracy_of(right):
    return {u: np.mean(one) for u, one in right.items()}


def best_on_test(validation, test):
    right = accuracy_of(test)
    u = max(sorted(right), key=right.get)
    return u, right[u]


def told_on_validation(validation, test):
    right = accuracy_of(validation)
    u = max(sorted(right), key=right.get)
    return u, right[u]


def larger_of_two(validation, test):
    right = accuracy_of(validation)
    u = max(sorted(right, reverse=True), key=right.get)
    return u, accuracy_of(test)[u]


def all_together(validation, test):
    right = accuracy_of({u: [*validation[u], *test[u]] for u in validation})
    u = max(sorted(right), key=right.get)
    return u, accuracy_of(test)[u]


def u_alone(validation, test):
    right = accuracy_of(validation)
    return max(sorted(right), key=right.get)


WRONG = {
    "7.1": [
        (best_on_test, "partly luck"),
        (told_on_validation, "on which it was chosen"),
        (larger_of_two, "removes less"),
        (all_together, "no say in it"),
        (u_alone, "Return both"),
    ],
    "7.2": [
        ([0, 0, *range(2, 16)], "0 to 16 times"),
        ([0, 0, *range(2, 17)], "threshold u = 1 itself"),
        (list(range(17)), "no denoiser"),
        ([0] * 7 + list(range(7, 17)), "carry the signal"),
    ],
}
