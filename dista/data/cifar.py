"""`cifar10` and `cifar100`: small colour photographs, from files that the user has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from einops import rearrange

from dista.data.cache import Arrays
from dista.data.cifar_files import Kind, read_arrays
from dista.data.files import data_folder, stratified
from dista.data.task import Split, Task
from dista.data.warp import CropFlip

CLASSES = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
FINE_CLASSES = tuple(
    [
        "apple",
        "aquarium_fish",
        "baby",
        "bear",
        "beaver",
        "bed",
        "bee",
        "beetle",
        "bicycle",
        "bottle",
        "bowl",
        "boy",
        "bridge",
        "bus",
        "butterfly",
        "camel",
        "can",
        "castle",
        "caterpillar",
        "cattle",
        "chair",
        "chimpanzee",
        "clock",
        "cloud",
        "cockroach",
        "couch",
        "crab",
        "crocodile",
        "cup",
        "dinosaur",
        "dolphin",
        "elephant",
        "flatfish",
        "forest",
        "fox",
        "girl",
        "hamster",
        "house",
        "kangaroo",
        "keyboard",
        "lamp",
        "lawn_mower",
        "leopard",
        "lion",
        "lizard",
        "lobster",
        "man",
        "maple_tree",
        "motorcycle",
        "mountain",
        "mouse",
        "mushroom",
        "oak_tree",
        "orange",
        "orchid",
        "otter",
        "palm_tree",
        "pear",
        "pickup_truck",
        "pine_tree",
        "plain",
        "plate",
        "poppy",
        "porcupine",
        "possum",
        "rabbit",
        "raccoon",
        "ray",
        "road",
        "rocket",
        "rose",
        "sea",
        "seal",
        "shark",
        "shrew",
        "skunk",
        "skyscraper",
        "snail",
        "snake",
        "spider",
        "squirrel",
        "streetcar",
        "sunflower",
        "sweet_pepper",
        "table",
        "tank",
        "telephone",
        "television",
        "tiger",
        "tractor",
        "train",
        "trout",
        "tulip",
        "turtle",
        "wardrobe",
        "whale",
        "willow_tree",
        "wolf",
        "woman",
        "worm",
    ]
)
_VALIDATION = 0.1  # of the training images


_TEN = Kind("cifar10", "CIFAR-10", CLASSES, "CIFAR10", "label", "cifar-10-batches-bin", 1)
_HUNDRED = Kind(
    "cifar100", "CIFAR-100", FINE_CLASSES, "CIFAR100", "fine_label", "cifar-100-binary", 2
)


def cifar10(*, root: str | Path | None = None) -> Task:
    """CIFAR-10 (Krizhevsky 2009): still images (3, 32, 32) in 0..1.

    ``root`` holds torchvision's folder ``cifar-10-batches-py``, whose files are checked against their
    published sums before they are read, or that of the binary version, ``cifar-10-batches-bin``, or
    parquet files (train*.parquet and test*.parquet, at any depth) with columns ``img`` or ``image`` =
    {bytes} and ``label``. A tenth of the training images, the same number of each class, is for
    validation. Images that had to be decoded are kept in the user's cache folder. DataError, with what was
    looked for, where there is none of them, and where a file is damaged.
    """
    return _open(_TEN, root)


def cifar100(*, root: str | Path | None = None) -> Task:
    """CIFAR-100 with its 100 fine classes, read as ``cifar10`` is.

    Torchvision's folder is ``cifar-100-python``, that of the binary version ``cifar-100-binary``; the
    labels of parquet files are ``fine_label``.
    """
    return _open(_HUNDRED, root)


def _open(kind: Kind, root: str | Path | None) -> Task:
    folder = data_folder(kind.name, root)
    arrays = read_arrays(kind, folder)
    train, validation = stratified(arrays["train_labels"], (1 - _VALIDATION, _VALIDATION))
    parts = {"train": ("train", train), "validation": ("train", validation)}
    parts["test"] = ("test", np.arange(len(arrays["test_labels"])))
    splits = {name: _split(name, arrays, *part) for name, part in parts.items()}
    copy = ", JPEG copy" if arrays["lossy"] else ""
    return Task(
        name=kind.name,
        classes=kind.classes,
        input_shape=(3, 32, 32),
        time_steps=None,
        step_labels=None,
        description=f"{kind.title}{copy}: {len(train)} images for training, "
        f"{len(validation)} for validation, {len(arrays['test_labels'])} for the test.",
        **splits,
    )


def _split(name: str, arrays: Arrays, source: str, indices: np.ndarray) -> Split:
    images = torch.from_numpy(arrays[f"{source}_images"][indices])
    return Split(
        name,
        rearrange(images, "sample row column channel -> sample channel row column").contiguous(),
        arrays[f"{source}_labels"][indices],
        unit=1 / 255,
        augmentation=CropFlip() if name == "train" else None,
    )
