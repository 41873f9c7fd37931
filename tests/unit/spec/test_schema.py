from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from envmgr.spec.keys import KEYS, Key
from envmgr.spec.schema import environment_schema, render_schema

ROOT = Path(__file__).parents[3]


def test_the_committed_schema_is_the_one_of_the_types() -> None:
    committed = (ROOT / "environment.schema.json").read_text(encoding="utf-8")
    assert committed == render_schema()


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(environment_schema())


def test_every_key_not_built_yet_says_so_to_an_editor() -> None:
    properties = environment_schema()["properties"]
    assert list(properties) == [key.name for key in KEYS]
    for key in KEYS:
        assert ("not supported yet" in properties[key.name]["description"]) != key.supported


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_the_reference_describes_every_key_and_marks_those_not_built_yet(key: Key) -> None:
    lines = (ROOT / "docs" / "environment-file.md").read_text(encoding="utf-8").splitlines()
    (row,) = [line for line in lines if line.startswith(f"| `{key.name}` |")]
    assert row.endswith("| not yet |") != key.supported
