"""CIFAR's files: torchvision's folder, the binary version, and parquet."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dista.data.cache import Arrays, cached_arrays, key_of
from dista.data.errors import DataError, reading
from dista.extras import need

_SIDE = 32
_PIXELS = 3 * _SIDE * _SIDE  # bytes of an image: all of red, then green, then blue
_MOST = 200_000  # images of one file; each takes 3 KB of memory
_ENCODED = 1_000_000  # bytes of one encoded image; those of CIFAR have about two thousand
_READ = 1000  # images that are taken out of a parquet file at once


class Kind(NamedTuple):
    """One of the two sets.

    ``dataset`` is torchvision's class for it, ``label`` the column with the labels of a parquet file,
    ``binary`` the folder of the binary version, in whose files ``label_bytes`` come before an image, the
    label last.
    """

    name: str
    title: str
    classes: tuple[str, ...]
    dataset: str
    label: str
    binary: str
    label_bytes: int


def read_arrays(kind: Kind, folder: Path) -> Arrays:
    """``train_images`` (image, row, column, channel), ``train_labels``, the same for test, and ``lossy``.

    DataError where the folder has none of the forms, and where a file is damaged.
    """
    arrays = _torchvision(kind, folder) or _binary(kind, folder) or _parquet(kind, folder)
    if arrays is None:
        raise DataError(
            f"{folder} has neither {_published(kind).base_folder} (torchvision's folder) nor {kind.binary} nor "
            "train*.parquet and test*.parquet; give the folder that does"
        )
    for part in ("train", "test"):
        _check_labels(folder, kind, arrays[f"{part}_labels"])
    return arrays


def _check_labels(path: Path, kind: Kind, labels: np.ndarray) -> None:
    if not len(labels):
        raise DataError(
            f"{path} has a part without images; expected some to train and some to test"
        )
    if labels.min() < 0 or labels.max() >= len(kind.classes):
        raise DataError(
            f"{path} has labels from {labels.min()} to {labels.max()}; those of {kind.title} are 0 to "
            f"{len(kind.classes) - 1}"
        )


# torchvision's ----------------------------------------------------------------------------------


def _published(kind: Kind) -> type:
    """torchvision's class of the set, which knows the published files."""
    need("torchvision", kind.title, "data")
    from torchvision import datasets

    return getattr(datasets, kind.dataset)


def _torchvision(kind: Kind, folder: Path) -> Arrays | None:
    """The arrays of torchvision's folder, None where there is none; DataError where it is damaged."""
    published = _published(kind)
    if not (folder / published.base_folder).is_dir():
        return None
    try:
        with reading(folder / published.base_folder, "readable"):
            parts = {name: published(folder, train=name == "train") for name in ("train", "test")}
    except DataError as error:
        if not isinstance(error.__cause__, RuntimeError):
            raise
        raise DataError(
            f"{folder / published.base_folder} is not what was published: a file is missing or "
            "has another MD5 sum; download it again"
        ) from error
    images = {f"{name}_images": part.data for name, part in parts.items()}
    labels = {f"{name}_labels": np.array(part.targets, np.int64) for name, part in parts.items()}
    return images | labels | {"lossy": np.array(False)}


# The binary version -----------------------------------------------------------------------------


def _binary(kind: Kind, folder: Path) -> Arrays | None:
    """The arrays of the binary version, None where there is none."""
    base = folder / kind.binary
    if not base.is_dir():
        return None
    arrays: Arrays = {"lossy": np.array(False)}
    for part, pattern in {
        "train": ("data_batch_*.bin", "train.bin"),
        "test": ("test*.bin",),
    }.items():
        paths = [path for name in pattern for path in sorted(base.glob(name))]
        if not paths:
            raise DataError(f"{base} has no {' or '.join(pattern)}; download it again")
        images, labels = zip(*(read_binary(path, kind.label_bytes) for path in paths))
        arrays |= {
            f"{part}_images": np.concatenate(images),
            f"{part}_labels": np.concatenate(labels),
        }
    return arrays


def read_binary(path: str | Path, label_bytes: int) -> tuple[np.ndarray, np.ndarray]:
    """The images (image, row, column, channel) and labels of one file of the binary version."""
    with reading(path, "a readable file of CIFAR's binary version"):
        row, size = label_bytes + _PIXELS, Path(path).stat().st_size
        if size % row or not 0 < size // row <= _MOST:
            raise ValueError(
                f"it has {size} bytes; expected {row} for each image, of {_MOST} at most"
            )
        rows = np.fromfile(path, np.uint8).reshape(-1, row)
        images = rows[:, label_bytes:].reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1)
        return images, rows[:, label_bytes - 1].astype(np.int64)


# Parquet ----------------------------------------------------------------------------------------


def _parquet(kind: Kind, folder: Path) -> Arrays | None:
    """The arrays of parquet files, None where there are none; decoded once, then cached."""
    files = {
        name: sorted(p for p in folder.rglob(f"{name}*.parquet") if not p.name.startswith("."))
        for name in ("train", "test")
    }
    if not all(files.values()):
        return None
    key = key_of([path for paths in files.values() for path in paths], [*map(len, files.values())])
    return cached_arrays(f"{kind.name}-2-{key}", lambda: _decode(files, kind.label))


def _decode(files: dict[str, list[Path]], label: str) -> Arrays:
    arrays: Arrays = {"lossy": np.array(False)}
    for name, paths in files.items():
        images, labels, lossy = zip(*(read_parquet(path, label) for path in paths))
        arrays[f"{name}_images"] = np.concatenate(images)
        arrays[f"{name}_labels"] = np.concatenate(labels)
        arrays["lossy"] |= any(lossy)
    return arrays


def read_parquet(path: str | Path, label: str) -> tuple[np.ndarray, np.ndarray, bool]:
    """The images (image, row, column, channel) and labels of a parquet file, and whether they are JPEG."""
    need("pyarrow", "a parquet file", "data")
    need("PIL", "a parquet file of images", "data")
    import pyarrow.parquet as parquet

    with reading(path, "a readable parquet file of images"), parquet.ParquetFile(path) as file:
        names = file.schema_arrow.names
        column = next((name for name in ("img", "image") if name in names), None)
        if column is None or label not in names:
            raise DataError(
                f"{path} has the columns {', '.join(names)}; expected img or image, and {label}"
            )
        if file.metadata.num_rows > _MOST:
            raise ValueError(f"it has {file.metadata.num_rows} images; at most {_MOST} are read")
        images, labels, lossy = [], [], False
        for encoded, answers in _rows(file, column, label):
            images += [_pixels(one) for one in encoded]
            labels.append(answers)
            lossy |= any(one.startswith(b"\xff\xd8") for one in encoded)
        if not images:
            raise ValueError("it has no images")
        return np.stack(images), np.concatenate(labels), lossy


def _rows(file, column: str, label: str) -> Iterator[tuple[list[bytes], np.ndarray]]:
    """Encoded images and labels, some at a time: what they unfold to is not known before."""
    for batch in file.iter_batches(_READ, columns=[column, label]):
        encoded = [one["bytes"] for one in batch.column(column).to_pylist()]
        yield encoded, batch.column(label).to_numpy(zero_copy_only=False).astype(np.int64)


def _pixels(encoded: bytes) -> np.ndarray:
    from PIL import Image

    if len(encoded) > _ENCODED:
        raise ValueError(f"an image takes {len(encoded)} bytes; at most {_ENCODED} are read")
    with Image.open(io.BytesIO(encoded)) as image:
        if image.size != (_SIDE, _SIDE):  # before it is decoded, which takes the memory
            raise ValueError(f"an image has {image.size} pixels; those of CIFAR have 32 x 32")
        return np.asarray(image.convert("RGB"))
