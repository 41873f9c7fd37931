"""Every file of ``tests/corpus/environment``, judged by the parser and by JSON Schema.

The folder says what must hold: ``good`` files are read to what their ``.expected``
file says; ``bad`` ones give exactly the problems of their head (``# error:``,
``# hint:``) or of their ``.errors`` file. Of ``structure``, the parser and a JSON
Schema validator judge alike; of ``meaning``, the validator is content with all.
"""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from envmgr.spec.composer import decode
from envmgr.spec.environment import parse_environment
from envmgr.spec.problems import EnvironmentFileInvalid, Findings, Problem
from envmgr.spec.schema import environment_schema
from envmgr.spec.settings import PYPI
from envmgr.spec.types import EnvironmentSpec, PythonPath
from tests.support.core_yaml import NotCore, core_load

CORPUS = Path(__file__).parents[2] / "corpus" / "environment"
FILES = sorted(CORPUS.glob("*/*/*.yaml"))
EXPAND = {
    "ENVMGR_INDEX": "https://user:secret@index.example.org/simple",
    "ENVMGR_HOST": "wheels.example.org",
    "ENVMGR_TOKEN": "s3cr/t@",
}
VALIDATOR = Draft202012Validator(environment_schema())


def _source(path: Path) -> Path:
    return Path("/srv/project") / path.name


def _problems(path: Path) -> tuple[Problem, ...]:
    findings = Findings(_source(path))
    text = decode(path.read_bytes(), findings)
    if text is None:
        return findings.problems
    try:
        parse_environment(text, _source(path), EXPAND)
    except EnvironmentFileInvalid as error:
        return error.problems
    return ()


def _shown(problems: tuple[Problem, ...]) -> list[str]:
    lines: list[str] = []
    for problem in problems:
        lines.append(f"error: {problem.line}:{problem.column} {problem.message}")
        if problem.hint is not None:
            lines.append(f"hint: {problem.hint}")
    return lines


def _promised(path: Path) -> list[str]:
    beside = path.with_suffix(".errors")
    if beside.exists():
        return beside.read_text(encoding="utf-8").splitlines()
    head = path.read_bytes().decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    lines = (line.removeprefix("# ") for line in head if line.startswith("# "))
    return [line for line in lines if line.startswith(("error: ", "hint: "))]


def _described(spec: EnvironmentSpec) -> list[str]:
    lines = [f"name = {spec.name}"]
    if spec.description is not None:
        lines.append(f"description = {spec.description!r}")
    path = isinstance(spec.python, PythonPath)
    lines.append(f"python = {'path ' if path else ''}{_python(spec)}".rstrip())
    for index in spec.indexes:
        packages = f" for {' '.join(index.packages)}" if index.packages else ""
        line = f"index {index.name} = {index.url} shown {index.shown_url}{packages}"
        lines.append(line.replace(PYPI, "PyPI"))
    lines += [f"dependency = {dependency}" for dependency in spec.dependencies]
    for name, group in spec.groups.items():
        lines.append(f"group {name} = {'; '.join(map(str, group))}".rstrip())
    lines += [f"constraint = {limit}" for limit in spec.constraints]
    lines += [f"override = {limit}" for limit in spec.overrides]
    lines += [f"prerelease = {name}" for name in sorted(spec.prereleases)]
    if spec.exclude_newer is not None:
        lines.append(f"exclude-newer = {spec.exclude_newer.isoformat()}")
    lines += ["runtimes vendored"] if spec.runtimes.vendored else []
    for family, wish in spec.runtimes.families.items():
        apart = " without ".join(["", *sorted(wish.apart)])
        lines.append(f"runtime {family} = {wish.implementation}, host {wish.host}{apart}")
    lines += [f"link {name} = {way}" for name, way in spec.link.items()]
    lines += [f"conflict = {rule}" for rule in spec.conflicts]
    lines += [f"variable {name} = {value!r}" for name, value in spec.variables.items()]
    return lines


def _python(spec: EnvironmentSpec) -> str:
    return str(spec.python.path if isinstance(spec.python, PythonPath) else spec.python.specifier)


def _schema_accepts(path: Path) -> bool:
    try:
        data = core_load(path.read_bytes().decode("utf-8"))
    except (NotCore, UnicodeDecodeError):
        return False
    return bool(VALIDATOR.is_valid(data))


def _in(*folders: str) -> list[object]:
    return [
        pytest.param(path, id=str(path.relative_to(CORPUS).with_suffix("")))
        for path in FILES
        if path.parent.name in folders or path.parents[1].name in folders
    ]


def test_the_corpus_has_files_of_every_class() -> None:
    count = {
        folder: len(list((CORPUS / folder).glob("*.yaml")))
        for folder in ("good/structure", "good/meaning", "bad/structure", "bad/meaning")
    }
    assert min(count.values()) >= 10
    assert sum(count.values()) >= 60


@pytest.mark.parametrize("path", _in("good"))
def test_a_good_file_is_read_to_what_stands_beside_it(path: Path) -> None:
    spec = parse_environment(path.read_bytes().decode("utf-8"), _source(path), EXPAND)
    expected = path.with_suffix(".expected").read_text(encoding="utf-8").splitlines()
    assert _described(spec) == expected


@pytest.mark.parametrize("path", _in("bad"))
def test_a_bad_file_has_exactly_the_problems_it_promises(path: Path) -> None:
    promised = _promised(path)
    assert promised
    assert _shown(_problems(path)) == promised


@pytest.mark.parametrize("path", _in("structure"))
def test_the_schema_judges_structure_as_the_parser_does(path: Path) -> None:
    assert _schema_accepts(path) == (path.parents[1].name == "good")


@pytest.mark.parametrize("path", _in("meaning"))
def test_the_schema_leaves_meaning_to_the_parser(path: Path) -> None:
    assert _schema_accepts(path)


def test_nothing_stands_beside_no_file() -> None:
    beside = {path for path in CORPUS.rglob("*.*") if path.suffix in {".errors", ".expected"}}
    assert {path.with_suffix(".yaml") for path in beside} <= set(FILES)
