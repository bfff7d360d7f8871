"""`cifar10` and `cifar100`: small colour photographs, from files that the user has."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from einops import rearrange

from dista.data.cache import Arrays, cached_arrays
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


class _Kind(NamedTuple):
    """One of the two sets: torchvision's class for it, and the column with the labels of a parquet file."""

    name: str
    title: str
    classes: tuple[str, ...]
    dataset: str
    label: str


_TEN = _Kind("cifar10", "CIFAR-10", CLASSES, "CIFAR10", "label")
_HUNDRED = _Kind("cifar100", "CIFAR-100", FINE_CLASSES, "CIFAR100", "fine_label")


def cifar10(*, root: str | Path | None = None) -> Task:
    """CIFAR-10 (Krizhevsky 2009): still images (3, 32, 32) in 0..1.

    ``root`` holds either torchvision's folder ``cifar-10-batches-py``, whose files are checked
    against their published sums before they are read, or parquet files (train*.parquet and
    test*.parquet, at any depth) with columns ``img`` or ``image`` = {bytes} and ``label``. A tenth of
    the training images, the same number of each class, is for validation. Decoded images are kept in
    the user's cache folder. ValueError, with what was looked for, where there is neither.
    """
    return _open(_TEN, root)


def cifar100(*, root: str | Path | None = None) -> Task:
    """CIFAR-100 with its 100 fine classes, read as ``cifar10`` is.

    Torchvision's folder is ``cifar-100-python``, the labels of parquet files are ``fine_label``.
    """
    return _open(_HUNDRED, root)


def _open(kind: _Kind, root: str | Path | None) -> Task:
    folder = data_folder(kind.name, root)
    arrays = _torchvision(kind, folder) or _parquet(kind, folder)
    if arrays is None:
        raise ValueError(
            f"{folder} has neither {_published(kind).base_folder} (torchvision's folder) nor "
            "train*.parquet and test*.parquet; give the folder that does"
        )
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


def _published(kind: _Kind) -> type:
    """torchvision's class of the set, which knows the published files."""
    from torchvision import datasets

    return getattr(datasets, kind.dataset)


def _torchvision(kind: _Kind, folder: Path) -> Arrays | None:
    """The arrays of torchvision's folder, None where there is none; ValueError where it is damaged."""
    published = _published(kind)
    if not (folder / published.base_folder).is_dir():
        return None
    try:
        parts = {name: published(folder, train=name == "train") for name in ("train", "test")}
    except RuntimeError as error:
        raise ValueError(
            f"{folder / published.base_folder} is not what was published: a file is missing or "
            "has another MD5 sum; download it again"
        ) from error
    images = {f"{name}_images": part.data for name, part in parts.items()}
    labels = {f"{name}_labels": np.array(part.targets, np.int64) for name, part in parts.items()}
    return images | labels | {"lossy": np.array(False)}


def _parquet(kind: _Kind, folder: Path) -> Arrays | None:
    """The arrays of parquet files, None where there are none; decoded once, then cached."""
    files = {name: sorted(folder.rglob(f"{name}*.parquet")) for name in ("train", "test")}
    if not all(files.values()):
        return None
    facts = [
        (str(p.resolve()), p.stat().st_size, p.stat().st_mtime) for f in files.values() for p in f
    ]
    key = hashlib.sha256(repr(facts).encode()).hexdigest()[:12]
    return cached_arrays(f"{kind.name}-1-{key}", lambda: _decode(files, kind.label))


def _decode(files: dict[str, list[Path]], label: str) -> Arrays:
    arrays: Arrays = {"lossy": np.array(False)}
    for name, paths in files.items():
        encoded, labels = zip(*(_columns(path, label) for path in paths))
        flat = [one for part in encoded for one in part]
        arrays[f"{name}_images"] = np.stack([_pixels(one) for one in flat])
        arrays[f"{name}_labels"] = np.concatenate(labels)
        arrays["lossy"] |= flat[0].startswith(b"\xff\xd8")
    return arrays


def _columns(path: Path, label: str) -> tuple[list[bytes], np.ndarray]:
    import pyarrow.parquet as parquet

    table = parquet.read_table(path)
    column = next((name for name in ("img", "image") if name in table.column_names), None)
    if column is None or label not in table.column_names:
        raise ValueError(
            f"{path} has the columns {', '.join(table.column_names)}; expected img or image, and {label}"
        )
    images = [one["bytes"] for one in table[column].to_pylist()]
    return images, table[label].to_numpy().astype(np.int64)


def _pixels(encoded: bytes) -> np.ndarray:
    from PIL import Image

    pixels = np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB"))
    if pixels.shape != (32, 32, 3):
        raise ValueError(f"an image has {pixels.shape[:2]} pixels; those of CIFAR-10 have 32 x 32")
    return pixels
