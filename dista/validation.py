"""What all configurations have in common: immutable, checked when made, errors that say what is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError


class ConfigError(ValueError):
    """A configuration is invalid; the message says which field, what was given, what is allowed."""


class Config(BaseModel):
    """Base of all configurations: immutable, no unknown fields, JSON both ways."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise ConfigError(_explain(type(self), error)) from None

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated like a new one."""
        return type(self)(**(dict(self) | changes))

    def changed(self, paths: Mapping[str, Any]) -> Self:
        """A copy with fields changed at any depth: ``config.changed({"memory.window": 1, "dim": 96})``.

        All changes are validated together. ConfigError for a path that leads nowhere.
        """
        fields = self.model_dump()
        for path, value in paths.items():
            inner: Any = fields
            *parents, last = path.split(".")
            for parent in parents:
                inner = inner.get(parent)
                if not isinstance(inner, dict):
                    raise ConfigError(
                        f"{type(self).__name__} has no field {path!r}: {parent!r} is no group of "
                        f"fields; known: {', '.join(type(self).model_fields)}"
                    )
            inner[last] = value
        return type(self)(**fields)

    def to_json(self) -> str:
        return self.model_dump_json(indent=2)

    @classmethod
    def from_json(cls, text: str) -> Self:
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise ConfigError(_explain(cls, error)) from None


def _explain(cls: type[Config], error: ValidationError) -> str:
    """Each problem on a line: field, value given, what was expected, nearest field if unknown."""
    lines = []
    for problem in error.errors():
        field = ".".join(str(part) for part in problem["loc"]) or cls.__name__
        value, expected = problem["input"], problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            near = difflib.get_close_matches(field.split(".")[-1], cls.model_fields, 1)
            hint = (
                f"did you mean {near[0]}?"
                if near
                else f"known fields: {', '.join(cls.model_fields)}"
            )
            lines.append(f"{cls.__name__} has no field {field!r} (given {_short(value)}); {hint}")
        elif problem["type"] == "value_error":
            lines.append(f"{field}: {expected}")
        else:
            lines.append(f"{field}: {expected} (given {_short(value)})")
    return "; ".join(lines)


def _short(value: object) -> str:
    """What was given, shortened where it is a whole file: what is wrong in it is in the sentence."""
    said = repr(value)
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."


_LONGEST = 200
