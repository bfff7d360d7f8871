"""Inputs that a network would answer like any others although they are none."""

import warnings

import numpy as np
import pytest
import torch

import dista
from dista.experiments import evaluation
from dista.inputs import BRIGHTEST, InputWarning, check
from dista.widgets.packing import Packer


@pytest.fixture(scope="module")
def model(small_model):
    return small_model(input_shape=(3, 13, 21))


class Split:
    unit = 0

    def __init__(self, x):
        self.x = x

    def __len__(self):
        return len(self.x)

    def batch(self, indices):
        return self.x[list(indices)], torch.zeros(len(indices), dtype=torch.long)


def evaluated(model, x):
    return evaluation.evaluate(model, Split(x))


def answered(model, x):
    return evaluation.answers(model, Split(x))


def streamed(model, x):
    return model.step(x, model.start())


WAYS = [lambda model, x: model(x), dista.record, evaluated, answered, streamed]


@pytest.mark.parametrize("way", WAYS, ids=["call", "record", "evaluate", "answers", "step"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_no_numbers_are_refused(model, small_input, way, bad):
    x = small_input(model.config)
    x[1, 2, 3, 4] = bad
    with pytest.raises(
        ValueError, match="input has 1 of 3276 values that are infinite or no number"
    ):
        way(model, x)


@pytest.mark.parametrize("way", WAYS, ids=["call", "record", "evaluate", "answers", "step"])
def test_images_in_0_to_255_are_said(model, small_input, way):
    with pytest.warns(InputWarning, match=r"input reaches 25\d.*; images are expected in 0\.\.1"):
        way(model, 255 * small_input(model.config))


def test_images_with_noise_and_counts_of_events_are_not(small_model, small_input):
    events = small_model()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        events(100 * small_input(events.config).round())
        check(torch.full((1, 3, 2, 2), BRIGHTEST))


def test_a_training_that_is_compiled_or_away_is_not_held_up(model):
    check(torch.full((1, 3, 2, 2), float("nan"), device="meta"))


@pytest.mark.parametrize("value, dtype", [(2**32 + 5, "int32"), (-1, "uint8"), (256, "uint8"),
                                          (2**31, "int32"), (float("nan"), "uint8")])  # fmt: skip
def test_a_number_that_does_not_fit_does_not_become_another_one(value, dtype):
    with pytest.raises(ValueError, match=f"it has values from .*; {dtype} holds"):
        Packer().add("it", np.array([0, value]), dtype)
    Packer().add("it", np.array([0, np.iinfo(dtype).max]), dtype)
