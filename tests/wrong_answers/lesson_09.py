"""Wrong answers to the exercises of lesson 9, as readers write them, and words of the mistake that is named."""

import numpy as np

import dista


def two_groups(before, after):
    p, q, n = before.mean(), after.mean(), len(before)
    half = 1.96 * np.sqrt(p * (1 - p) / n + q * (1 - q) / n)
    return q - p, q - p - half, q - p + half


def wrong_way(before, after):
    d = before.astype(float) - after
    half = 1.96 * d.std() / len(d) ** 0.5
    return d.mean(), d.mean() - half, d.mean() + half


def of_single_ones(before, after):
    d = after.astype(float) - before
    return d.mean(), d.mean() - 1.96 * d.std(), d.mean() + 1.96 * d.std()


def one_error(before, after):
    d = after.astype(float) - before
    error = d.std() / len(d) ** 0.5
    return d.mean(), d.mean() - error, d.mean() + error


def kept_of(model, x, name):
    kept = []
    with dista.intervene(model, {name: lambda module, inputs, output: kept.append(output)}):
        model(x)
    return kept[0]


def after_the_block(model, x, other, name):
    with dista.intervene(model, {name: kept_of(model, other, name)}):
        pass
    return model(x)


def wrong_input(model, x, other, name):
    with dista.intervene(model, {name: kept_of(model, x, name)}):
        return model(other)


def own_output(model, x, other, name):
    with dista.intervene(model, {name: kept_of(model, x, name) + 0}):
        return model(x)


def zeroed(model, x, other, name):
    with dista.intervene(model, {name: lambda module, inputs, output: 0 * output}):
        return model(x)


WRONG = {
    "9.1": [
        (two_groups, "different"),
        (wrong_way, "a loss is negative"),
        (of_single_ones, "square root of n"),
        (one_error, "68 %"),
    ],
    "9.2": [
        (after_the_block, "inside of the `with` block"),
        (wrong_input, "changed places"),
        (lambda model, x, other, name: model(other), "answer to `other`"),
        (zeroed, "put zeros in"),
    ],
}
