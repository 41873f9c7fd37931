from pathlib import Path

import pytest

from envmgr.cli.document import field_names
from envmgr.errors import ExitCode
from envmgr.spec.environment import parse_environment
from envmgr.spec.keys import KEYS
from envmgr.spec.problems import EnvironmentFileInvalid
from envmgr.spec.types import EnvironmentSpec
from tests.unit.spec.source import SOURCE


def test_every_key_built_so_far_has_its_place_in_the_value() -> None:
    without_a_place = {"schema", "index_strategy"}
    supported = {key.attribute for key in KEYS if key.supported} - without_a_place
    assert supported == set(field_names(EnvironmentSpec)) - {"source", "places"}


def test_requirements_keep_where_they_stand() -> None:
    text = "dependencies:\n- a\n-  {package: b}\ngroups:\n  Test_A: ['c', d]\n"
    spec = parse_environment(text, SOURCE, {})
    assert [(each.line, each.column) for each in spec.places.dependencies] == [(2, 3), (3, 14)]
    places = {group: [each.column for each in at] for group, at in spec.places.groups.items()}
    assert places == {"test-a": [12, 17]}


def test_files_that_differ_in_places_only_are_equal() -> None:
    once = parse_environment("dependencies: [a]\n", SOURCE, {})
    again = parse_environment("dependencies:\n  - a\n", SOURCE, {})
    assert once.places.dependencies != again.places.dependencies
    assert once == again


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    with pytest.raises(EnvironmentFileInvalid) as caught:
        parse_environment("nmae: x\npython: ^3\nextends: x\nname: A\n", SOURCE, {})
    assert caught.value.exit_code is ExitCode.DEFINITION
    assert str(caught.value) == "/srv/project/environment.yaml has 4 problems"
    assert [problem.line for problem in caught.value.problems] == [1, 2, 3, 4]
    assert caught.value.details()[0] == (
        "/srv/project/environment.yaml:1:1: the key `nmae` is not known (write `name`)"
    )


def test_one_problem_is_one_problem() -> None:
    with pytest.raises(EnvironmentFileInvalid) as caught:
        parse_environment("name: A\n", SOURCE, {})
    assert str(caught.value).endswith("has 1 problem")


def test_what_an_alias_repeats_is_complained_about_once() -> None:
    with pytest.raises(EnvironmentFileInvalid) as caught:
        parse_environment("groups: {a: &x [numpy=1], b: *x}\n", SOURCE, {})
    assert len(caught.value.problems) == 1


def test_a_password_of_a_url_is_never_repeated() -> None:
    text = """\
indexes:
  - {name: a, url: "https://user:hunter2@a.example.org/"}
  - {name: b, url: "${ENVMGR_URL}"}
dependencies:
  - https://user:hunter2@a.example.org/mine-1.0-py3-none-any.whl
  - mine @ https://user:hunter2@a.example.org/mine-1.0-py3-none-any.whl
  - mine @ ftp://user:hunter2@a.example.org/mine-1.0-py3-none-any.whl
"""
    with pytest.raises(EnvironmentFileInvalid) as caught:
        parse_environment(text, SOURCE, {"ENVMGR_URL": "ftp://user:hunter2@a.example.org/"})
    assert len(caught.value.problems) == 5
    assert "hunter2" not in "\n".join(caught.value.details())


def test_credentials_are_kept_for_use_and_shown_nowhere() -> None:
    text = "indexes: [{name: a, url: 'https://u:${ENVMGR_TOKEN}@a.example.org/'}]"
    spec = parse_environment(text, SOURCE, {"ENVMGR_TOKEN": "hunter2"})
    assert spec.indexes[0].url == "https://u:hunter2@a.example.org/"
    assert "hunter2" not in repr(spec)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/srv/climate/environment.yaml", "climate"),
        ("/srv/climate/environment.yml", "climate"),
        ("/srv/My Project (2)/environment.yaml", "my-project-2"),
        ("/srv/climate/gpu.yaml", "gpu"),
        ("/srv/climate/GPU.v2.yml", "gpu-v2"),
        ("/environment.yaml", "environment"),
        ("/srv/模型/environment.yaml", "environment"),
    ],
)
def test_an_environment_without_a_name_is_called_after_its_file(source: str, name: str) -> None:
    assert parse_environment("{}", Path(source), {}).name == name


@pytest.mark.parametrize("name", ["path", "argv", "cdpath", "pipestatus", "umask", "PPID", "PATH"])
def test_variables_that_shells_keep_for_themselves_are_refused(name: str) -> None:
    with pytest.raises(EnvironmentFileInvalid) as caught:
        parse_environment(f"variables: {{{name}: v}}\n", SOURCE, {})
    assert f"`variables` cannot set {name}: " in caught.value.details()[0]


@pytest.mark.parametrize("name", ["Path", "CDPATH", "MANPATH", "ARGV", "HISTORY", "COLUMNS"])
def test_other_cases_of_their_names_are_other_variables(name: str) -> None:
    spec = parse_environment(f"variables: {{{name}: v}}\n", SOURCE, {})
    assert spec.variables == {name: "v"}
