import ast
from pathlib import Path

import pytest
from packaging.markers import Marker

import envmgr
from envmgr.hardware.profile import HardwareProfile
from envmgr.target.target import make_target
from envmgr.target.types import MARKER_VARIABLES, MacOS, Target, UndefinedMarker
from tests.support.host import make_interpreter

HARDWARE = HardwareProfile(architecture="arm64")

HOST_QUESTIONS = {"sys_tags", "platform_tags", "default_environment"}


def foreign() -> Target:
    """A target no machine that runs these tests is."""
    mac = make_interpreter((3, 9, 7), platform="macosx-11.0-arm64", libc=MacOS(12, 3))
    return make_target(mac, HARDWARE)


def test_a_target_has_every_marker_variable_and_ranked_tags() -> None:
    target = foreign()
    assert set(target.markers) == set(MARKER_VARIABLES)
    assert target.tag_ranks[target.tags[0]] == 0
    assert target.tag_ranks["py3-none-any"] > target.tag_ranks["cp39-cp39-macosx_12_0_arm64"]
    assert str(target.python_version) == "3.9.7"


def test_a_target_without_a_marker_variable_cannot_be_made() -> None:
    target = foreign()
    with pytest.raises(ValueError, match="platform_release"):
        Target(
            target.interpreter,
            {name: "" for name in MARKER_VARIABLES if name != "platform_release"},
            target.tags,
            HARDWARE,
        )


@pytest.mark.parametrize("name", MARKER_VARIABLES)
def test_no_value_of_the_host_reaches_a_marker(name: str) -> None:
    target = foreign()
    unlike = dict.fromkeys(MARKER_VARIABLES, "0.0.7")
    other = Target(target.interpreter, unlike, target.tags, HARDWARE)
    assert other.satisfies(Marker(f'{name} == "0.0.7"'))
    assert target.satisfies(Marker(f'{name} == "{target.markers[name]}"'))
    assert not target.satisfies(Marker(f'{name} == "0.0.7"'))


@pytest.mark.parametrize(
    ("marker", "extras", "holds"),
    [
        ('sys_platform == "darwin" and platform_machine == "arm64"', (), True),
        ('python_version < "3.10"', (), True),
        ('python_full_version >= "3.9.8"', (), False),
        ('python_version in "3.8 3.9"', (), True),
        ('"arm" in platform_machine', (), True),
        ('platform_machine not in "x86_64 arm64"', (), False),
        ('os_name > "a"', (), False),
        ('os_name >= "posix"', (), True),
        ('platform_release >= "22"', (), True),
        ('platform_version >= "22"', (), False),
        ('extra == "test"', (), False),
        ('extra == "Test.Thing"', ("test-thing",), True),
        ('extra == "b"', ("a", "b"), True),
        ('extra == "a" and extra == "b"', ("a", "b"), False),
        ('extra != "a"', (), True),
        ('extra != "a"', ("a",), False),
    ],
)
def test_markers_mean_what_pep_508_says(marker: str, extras: tuple[str, ...], holds: bool) -> None:
    assert foreign().satisfies(Marker(marker), frozenset(extras)) is holds


def test_no_marker_always_holds() -> None:
    assert foreign().satisfies(None)


def test_an_answer_is_the_same_when_asked_again_and_depends_on_the_extras() -> None:
    target = foreign()
    marker = Marker('extra == "a"')
    answers = [target.satisfies(marker, frozenset(extras)) for extras in ("a", "b", "a", "b")]
    assert answers == [True, False, True, False]


@pytest.mark.parametrize(
    ("marker", "reason"),
    [
        ('os_name ~= "posix"', "its operator is not defined for what it compares"),
        ('sys_platform === "darwin"', "its operator is not defined for what it compares"),
        ('python_version ~= "x"', "its operator is not defined for what it compares"),
        ('"a" in extras', "it has a variable that is not for package metadata"),
    ],
)
def test_a_marker_without_meaning_is_an_error_of_its_own(marker: str, reason: str) -> None:
    with pytest.raises(UndefinedMarker) as caught:
        foreign().satisfies(Marker(marker))
    assert caught.value.marker == str(Marker(marker))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("requires_python", "admits"),
    [
        (None, True),
        ("", True),
        (">=3.8", True),
        (">=3.9.8", False),
        (">=3.6, <4", True),
        ("not a specifier", True),
    ],
)
def test_requires_python_is_held_against_the_full_version(
    requires_python: str | None, admits: bool
) -> None:
    assert foreign().accepts_python(requires_python) is admits


def test_nobody_asks_the_machine_that_runs_envmgr_for_tags_or_markers() -> None:
    package = Path(envmgr.__file__).parent
    asked = {
        (str(path.relative_to(package)), node.name if isinstance(node, ast.alias) else node.attr)
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.alias) and node.name in HOST_QUESTIONS)
        or (isinstance(node, ast.Attribute) and node.attr in HOST_QUESTIONS)
    }
    assert asked == set()
