import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

import pytest

from envmgr.cli.document import encode, result_document


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Inner:
    path: Path
    colour: Colour


@dataclass(frozen=True, slots=True)
class Outer:
    inner: tuple[Inner, ...]
    names: frozenset[str]
    seconds: dict[str, float]
    nothing: None = None


def test_a_result_becomes_json_field_by_field() -> None:
    outer = Outer(
        inner=(Inner(Path("/a/b"), Colour.RED),),
        names=frozenset({"z", "a"}),
        seconds={"total": 0.5},
    )

    assert encode(outer) == {
        "inner": [{"path": "/a/b", "colour": "red"}],
        "names": ["a", "z"],
        "seconds": {"total": 0.5},
        "nothing": None,
    }


def test_a_moment_is_written_as_iso_8601() -> None:
    assert encode(datetime(2026, 11, 24, tzinfo=UTC)) == "2026-11-24T00:00:00+00:00"


def test_an_unknown_type_is_refused_and_never_guessed() -> None:
    with pytest.raises(TypeError, match="no JSON for object"):
        encode(object())


def test_a_document_carries_its_schema_and_command() -> None:
    text = result_document("prefix", {"prefix": Path("/a")})

    assert json.loads(text) == {"schema": 1, "command": "prefix", "result": {"prefix": "/a"}}
    assert text.endswith("}\n")


def test_a_file_name_that_is_not_unicode_survives() -> None:
    path = Path("/a/\udcff\u00e9")

    text = result_document("prefix", {"prefix": path})

    assert text.isascii()
    assert Path(json.loads(text)["result"]["prefix"]) == path
