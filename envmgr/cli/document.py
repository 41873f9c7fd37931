"""Results as JSON: Structs and dataclasses become objects, field by field."""

import dataclasses
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime
from enum import Enum
from pathlib import PurePath

from msgspec import Struct

SCHEMA = 1
"""Version of the documents; a field is only ever added within one."""

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def encode(value: object) -> Json:
    """Turn a result into what JSON can hold. Raises TypeError for a type it does not know."""
    match value:
        case Enum():
            return encode(value.value)
        case None | bool() | int() | float() | str():
            return value
        case PurePath():
            return str(value)
        case datetime():
            return value.isoformat()
        case Mapping():
            return {str(encode(key)): encode(item) for key, item in value.items()}
        case list() | tuple():
            return [encode(item) for item in value]
        case AbstractSet():
            return sorted((encode(item) for item in value), key=str)
    return {name: encode(getattr(value, name)) for name in field_names(type(value))}


def field_names(kind: type) -> tuple[str, ...]:
    """Return the fields of a Struct's or a dataclass's type. Raises TypeError for any other."""
    if issubclass(kind, Struct):
        return kind.__struct_fields__
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    raise TypeError(f"no JSON for {kind.__name__}")


def result_document(command: str, result: object) -> str:
    """Return the document of a command that ended well."""
    return render_json({"schema": SCHEMA, "command": command, "result": encode(result)})


def render_json(document: object) -> str:
    """Indented, ASCII only, so that any terminal and any file name survive it."""
    return json.dumps(document, indent=2) + "\n"
