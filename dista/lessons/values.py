"""Whether two answers are the same, and how they are written: numbers, arrays, tensors, and groups of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

LONGEST = 90  # characters of a value that a sentence can hold


def difference(answer: Any, expected: Any, close: float) -> str | None:
    """What keeps ``answer`` from being ``expected``, in words; None where they agree.

    Arrays and tensors agree where shape and all values do, groups where each of their parts does.
    """
    if isinstance(expected, Mapping):
        return _keys(answer, expected, close)
    if isinstance(expected, (tuple, list)) and not _is_plain(expected):
        return _parts(answer, expected, close)
    if isinstance(expected, (str, bool, type(None))):
        same = type(answer) is type(expected) or isinstance(expected, str)
        same = same or isinstance(answer, np.bool_)
        return None if same and answer == expected else _against(answer, expected)
    return _numbers(answer, expected, close)


def _keys(answer: Any, expected: Mapping[Any, Any], close: float) -> str | None:
    if not isinstance(answer, Mapping):
        return f"{written(answer)} is no dict; expected the keys {written(list(expected))}"
    if set(answer) != set(expected):
        return f"the keys are {written(list(answer))}, expected {written(list(expected))}"
    for key, value in expected.items():
        words = difference(answer[key], value, close)
        if words:
            return f"`{key}`: {words}"
    return None


def _parts(answer: Any, expected: Any, close: float) -> str | None:
    if not isinstance(answer, (tuple, list)) or len(answer) != len(expected):
        many = len(answer) if isinstance(answer, (tuple, list)) else 1
        return f"{many} value{'s' * (many != 1)} came back ({written(answer)}), expected {len(expected)}"
    for index, (part, value) in enumerate(zip(answer, expected)):
        words = difference(part, value, close)
        if words:
            return f"value {index + 1} of {len(expected)}: {words}"
    return None


def _numbers(answer: Any, expected: Any, close: float) -> str | None:
    try:
        values = np.asarray(plain(answer), float)
    except (TypeError, ValueError):
        return _against(answer, expected)
    target = np.asarray(plain(expected), float)
    if values.shape != target.shape:
        return f"the shape is {values.shape}, expected {target.shape}"
    if np.allclose(values, target, rtol=close, atol=close, equal_nan=True):
        return None
    if target.size <= 8:
        return _against(answer, expected)
    off = ~np.isclose(values, target, rtol=close, atol=close, equal_nan=True)
    place = tuple(int(i) for i in np.argwhere(off)[0])
    at = place[0] if len(place) == 1 else place
    return (
        f"{int(off.sum())} of {target.size} values differ; the first at [{at}]: "
        f"{values[place]:.4g}, expected {target[place]:.4g}"
    )


def _against(answer: Any, expected: Any) -> str:
    return f"your answer is {written(answer)}, expected {written(expected)}"


def plain(value: Any) -> Any:
    """Tensors and arrays of xarray as numpy, at any depth; other things as they are."""
    if hasattr(value, "detach"):
        return value.detach().cpu().numpy()
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    return getattr(value, "values", value) if not isinstance(value, Mapping) else value


def _is_plain(value: Any) -> bool:
    """Whether a list is numbers alone, which an array may stand for."""
    try:
        return np.asarray(plain(value)).dtype.kind in "biuf"
    except (TypeError, ValueError):
        return False


def written(value: Any) -> str:
    """A value as a sentence holds it: short, numbers with four digits."""
    value = plain(value)
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    if isinstance(value, (int, float, np.number)):
        return f"{float(value):.4g}"
    if isinstance(value, (tuple, list)):
        inside = ", ".join(written(part) for part in value)
        words = f"({inside})" if isinstance(value, tuple) else f"[{inside}]"
    elif isinstance(value, np.ndarray):
        words = np.array2string(value, precision=3, separator=", ", threshold=12)
        words = " ".join(words.split())
    else:
        words = repr(value)
    return words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
