"""Values that differ in one thing."""

import dataclasses
from typing import Any, TypeVar

import msgspec

Value = TypeVar("Value")


def field_names(kind: Any) -> tuple[str, ...]:
    """Return the fields of a Struct or a dataclass."""
    if issubclass(kind, msgspec.Struct):
        names: tuple[str, ...] = kind.__struct_fields__
        return names
    return tuple(field.name for field in dataclasses.fields(kind))


def replace(value: Value, **changes: Any) -> Value:
    """Return a copy of a Struct or a dataclass with other fields."""
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **changes)
    return dataclasses.replace(value, **changes)  # type: ignore[type-var]
