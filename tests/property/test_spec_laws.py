"""Laws of the environment file, over generated files and texts."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from packaging.markers import Marker
from packaging.specifiers import SpecifierSet

from envmgr.names import EnvironmentName, ExtraName, GroupName, IndexName, PackageName
from envmgr.spec.composer import compose
from envmgr.spec.environment import parse_environment
from envmgr.spec.foreign import translate
from envmgr.spec.keys import ENVIRONMENT, KEYS
from envmgr.spec.problems import EnvironmentFileInvalid, Findings, Problem
from envmgr.spec.reserved import RESERVED_VARIABLES
from envmgr.spec.schema import environment_schema
from envmgr.spec.types import (
    Dependency,
    EnvironmentSpec,
    IndexSpec,
    PythonPath,
    PythonRange,
    PythonSpec,
)
from envmgr.wheel.requirement import Direct, Named, parse_requirement
from tests.support.core_yaml import core_load

SOURCE = Path("/srv/project/environment.yaml")
CORPUS = Path(__file__).parents[1] / "corpus" / "environment"

_PART = st.from_regex(r"[a-z0-9]{1,4}", fullmatch=True)
_NAMES = st.lists(_PART, min_size=1, max_size=3).map("-".join).filter(lambda name: name != "python")
_PACKAGES = _NAMES.map(PackageName)
_VERSIONS = st.from_regex(r"(0|[1-9][0-9]?)(\.(0|[1-9][0-9]?)){0,2}", fullmatch=True)
_CLAUSES = st.tuples(st.sampled_from(["==", "!=", ">=", "<=", ">", "<"]), _VERSIONS).map("".join)
_SPECIFIERS = st.lists(_CLAUSES, max_size=3).map(lambda clauses: SpecifierSet(",".join(clauses)))
_EXTRAS = st.none() | st.frozensets(_NAMES.map(ExtraName), max_size=2)
_MARKERS = st.none() | st.sampled_from(
    ['python_version < "3.12"', 'sys_platform == "linux" and os_name != "nt"']
).map(Marker)
_TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


@st.composite
def _directs(draw: st.DrawFn) -> Direct:
    name = draw(_PACKAGES)
    place = draw(st.sampled_from(["https://wheels.example.org", "file:///srv"]))
    url = f"{place}/{name.replace('-', '_')}-1.0-py3-none-any.whl"
    return Direct(name, draw(_EXTRAS), url, draw(_MARKERS))


_LIMITS = st.builds(Named, _PACKAGES, st.none(), _SPECIFIERS, _MARKERS)
_NAMED = st.builds(Named, _PACKAGES, _EXTRAS, _SPECIFIERS, _MARKERS)
_DEPENDENCIES: st.SearchStrategy[tuple[Dependency, ...]] = st.lists(
    _NAMED | _directs(), max_size=4
).map(tuple)
_PYTHONS: st.SearchStrategy[PythonSpec] = st.builds(
    PythonPath, _NAMES.map(lambda name: Path("/opt", name))
) | st.builds(PythonRange, _SPECIFIERS)
_ADDRESSES = st.sampled_from(["https://a.example.org/simple/", "http://b.example.org/"])
_GLOBS = st.lists(st.from_regex(r"[a-z0-9]{1,3}-?(\*|\?)?", fullmatch=True), max_size=2)


@st.composite
def _indexes(draw: st.DrawFn) -> tuple[IndexSpec, ...]:
    names = draw(st.lists(_NAMES, max_size=3, unique=True))
    urls = [draw(_ADDRESSES) for _ in names]
    return tuple(
        IndexSpec(name=IndexName(name), url=url, shown_url=url, packages=tuple(draw(_GLOBS)))
        for name, url in zip(names, urls, strict=True)
    )


_VARIABLE_NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name not in RESERVED_VARIABLES and not name.startswith("ENVMGR_")
)
_SPECS = st.builds(
    EnvironmentSpec,
    source=st.just(SOURCE),
    name=st.from_regex(r"[a-z0-9_-]{1,8}", fullmatch=True).map(EnvironmentName),
    description=st.none() | _TEXT,
    python=_PYTHONS,
    indexes=_indexes(),
    dependencies=_DEPENDENCIES,
    groups=st.dictionaries(_NAMES.map(GroupName), _DEPENDENCIES, max_size=2),
    constraints=st.lists(_LIMITS, max_size=2).map(tuple),
    overrides=st.lists(_LIMITS, max_size=2).map(tuple),
    prereleases=st.frozensets(_PACKAGES, max_size=2),
    exclude_newer=st.none() | st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    variables=st.dictionaries(
        _VARIABLE_NAMES, _TEXT.filter(lambda text: "\0" not in text), max_size=3
    ),
)


def _data(spec: EnvironmentSpec) -> dict[str, Any]:
    """The file's keys as plain data; a key with its default is left out."""
    python = spec.python
    data = {
        "name": spec.name,
        "description": spec.description,
        "python": str(python.path if isinstance(python, PythonPath) else python.specifier),
        "indexes": [
            {"name": index.name, "url": index.shown_url, "packages": list(index.packages)}
            for index in spec.indexes
        ],
        "dependencies": [str(dependency) for dependency in spec.dependencies],
        "groups": {name: list(map(str, group)) for name, group in spec.groups.items()},
        "constraints": list(map(str, spec.constraints)),
        "overrides": list(map(str, spec.overrides)),
        "prereleases": sorted(spec.prereleases),
        "exclude-newer": spec.exclude_newer and spec.exclude_newer.isoformat(),
        "variables": dict(spec.variables),
    }
    return {
        key: value
        for key, value in data.items()
        if value or (key == "description" and value is not None)
    }


def _quoted(text: str) -> str:
    """A double-quoted YAML scalar: JSON's, with escapes for what YAML does not print."""
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(
        character if character.isprintable() or character == " " else f"\\U{ord(character):08x}"
        for character in escaped
    )


def _block(value: Any, indent: str = "") -> str:
    """Block-style YAML of plain data, with a line break first where it is a collection."""
    if isinstance(value, dict) and value:
        lines = (
            f"{indent}{_quoted(key)}:{_block(inner, indent + '  ')}" for key, inner in value.items()
        )
        return "\n" + "\n".join(lines)
    if isinstance(value, list) and value:
        lines = (f"{indent}-{_block(item, indent + '    ')}" for item in value)
        return "\n" + "\n".join(lines)
    if isinstance(value, str):
        return f" {_quoted(value)}"
    return f" {json.dumps(value)}"


@given(_SPECS)
@settings(max_examples=200, deadline=None)
def test_what_is_written_out_in_blocks_is_read_back(spec: EnvironmentSpec) -> None:
    text = _block(_data(spec)).lstrip("\n") or "{}"
    assert parse_environment(text, SOURCE, {}) == spec


@given(_SPECS)
@settings(max_examples=100, deadline=None)
def test_what_is_written_out_as_json_is_read_back(spec: EnvironmentSpec) -> None:
    data = _data(spec)
    assume(not _has_astral(data))
    assert parse_environment(json.dumps(data), SOURCE, {}) == spec


def _has_astral(data: object) -> bool:
    """JSON's surrogate pairs are no YAML escapes."""
    return any(ord(character) > 0xFFFF for character in json.dumps(data, ensure_ascii=False))


@given(st.text(max_size=200) | st.text("ab: -[]{}&*!|>'\"%@`#\n\t\r,?<=~.", max_size=60))
@settings(max_examples=600, deadline=None)
@example("\ud800")
@example("&a [*a]")
@example("? [")
@example("a: !<")
@example("python: " + "9" * 5000)
@example("schema: " + "9" * 5000)
@example("schema: .inf")
@example("dependencies: ['a ; " + "(" * 3000 + "']")
@example("indexes: [{name: a, url: 'http://[::1'}]")
@example("exclude-newer: 0001-01-01T00:00:00+23:59")
@example('groups: {"a\\n": []}')
@example('variables: {"A\\n": x}')
@example('name: "a\\n"')
def test_any_text_is_read_or_refused_with_problems(text: str) -> None:
    _read_or_refuse(text)


_SEEDS = [
    path.read_bytes().decode("utf-8", "replace") for path in sorted(CORPUS.glob("*/*/*.yaml"))
]


@given(st.sampled_from(_SEEDS), st.data())
@settings(max_examples=400, deadline=None)
def test_a_damaged_file_is_read_or_refused_with_problems(seed: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(seed)))
    end = data.draw(st.integers(start, min(len(seed), start + 8)))
    patch = data.draw(st.text(st.sampled_from("ab1: -[]{}&*!|>'\"%@#\n\t,<=~./$"), max_size=4))
    _read_or_refuse(seed[:start] + patch + seed[end:])


def _read_or_refuse(text: str) -> None:
    problems = _problems(text)
    if problems is None:
        return
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    assert problems
    for problem in problems:
        assert 1 <= problem.line <= len(lines) + 1
        assert problem.column >= 1
        assert problem.message
        assert problem.hint != ""


def _problems(text: str) -> tuple[Problem, ...] | None:
    try:
        parse_environment(text, SOURCE, {})
    except EnvironmentFileInvalid as error:
        return error.problems
    return None


_WORDS = st.sampled_from(
    ["", "x", "first-index", "auto", "lowest", "fold", "next", "1", "true", "host", "allow"]
)
_SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([1.0, 2.5, -0.5]) | _WORDS
)
_INNER_KEYS = st.sampled_from(
    "name url packages explicit when package path editable variant host unify allow hardware "
    "accelerator strategy numpy A_1 1a x.y -".split()
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_INNER_KEYS, inner, max_size=3),
    max_leaves=6,
)
_FILES = st.dictionaries(
    st.sampled_from([key.name for key in KEYS]) | st.just("unknown"), _VALUES, max_size=3
)
_VALIDATOR = Draft202012Validator(environment_schema())


@given(_FILES | _VALUES)
@settings(max_examples=1500, deadline=None)
def test_parser_and_schema_agree_on_the_structure_of_any_data(data: Any) -> None:
    text = json.dumps(data)
    assert core_load(text) == data
    findings = Findings(SOURCE)
    root = compose(text, findings)
    if root is not None:
        ENVIRONMENT.check(root, "", findings)
    assert (not findings.mistakes) == _VALIDATOR.is_valid(data)


_CONDA = st.builds(
    "{}{}{}".format,
    _NAMES.filter(lambda name: name[0].isalpha()),
    st.sampled_from(["=", " ", "==", " = ", "=="]),
    st.builds(
        "{}{}".format, _VERSIONS, st.sampled_from(["", ".*", "=py312_0", ".*=h1_0", " py312_0"])
    ),
)


@given(_CONDA)
def test_the_translation_of_a_conda_spelling_is_a_requirement(text: str) -> None:
    hint = translate(text)
    if hint is None:
        assert "==" in text
        return
    written = hint.removeprefix("write `").partition("`")[0]
    assert isinstance(parse_requirement(written), Named)


def test_the_generated_instants_are_exact_to_the_microsecond() -> None:
    instant = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(microseconds=1)
    text = json.dumps({"exclude-newer": instant.isoformat()})
    assert parse_environment(text, SOURCE, {}).exclude_newer == instant
