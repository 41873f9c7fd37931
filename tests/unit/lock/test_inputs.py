from datetime import UTC, datetime
from pathlib import Path

from packaging.specifiers import SpecifierSet

from envmgr.lock.inputs import inputs_of
from envmgr.names import EnvironmentName, IndexName, group_name, package_name
from envmgr.spec.types import EnvironmentSpec, IndexSpec, PythonPath, PythonRange
from envmgr.wheel.requirement import Named, parse_requirement


def named(text: str) -> Named:
    requirement = parse_requirement(text)
    assert isinstance(requirement, Named)
    return requirement


def test_inputs_are_the_keys_that_decide_with_their_values() -> None:
    spec = EnvironmentSpec(
        source=Path("/p/environment.yaml"),
        name=EnvironmentName("p"),
        python=PythonRange(SpecifierSet(">=3.12")),
        indexes=(
            IndexSpec(
                name=IndexName("lab"),
                url="https://u:p@example.org/simple/",
                shown_url="https://u:p@example.org/simple/",
                packages=("lab-*", "x"),
            ),
        ),
        dependencies=(named("scipy"), named("numpy>=2; os_name=='posix'")),
        groups={group_name("test"): (named("pytest"),), group_name("empty"): ()},
        constraints=(named("protobuf<6"),),
        overrides=(named("six==1.16"),),
        prereleases=frozenset({package_name("black")}),
        exclude_newer=datetime(2026, 11, 2, tzinfo=UTC),
        variables={"OMP_NUM_THREADS": "8"},
    )

    assert inputs_of(spec) == (
        ("python", (">=3.12",)),
        ("indexes", ("lab https://example.org/simple/ for lab-*, x",)),
        ("dependencies", ('numpy >=2; os_name == "posix"', "scipy")),
        ("groups.test", ("pytest",)),
        ("constraints", ("protobuf <6",)),
        ("overrides", ("six ==1.16",)),
        ("prereleases", ("black",)),
        ("exclude-newer", ("2026-11-02T00:00:00+00:00",)),
    )


def test_an_interpreter_is_named_by_its_path() -> None:
    spec = EnvironmentSpec(
        source=Path("/p/environment.yaml"),
        name=EnvironmentName("p"),
        python=PythonPath(Path("/opt/python/bin/python3")),
    )

    assert inputs_of(spec) == (("python", ("/opt/python/bin/python3",)),)


def test_an_empty_file_has_no_inputs() -> None:
    spec = EnvironmentSpec(source=Path("/p/e.yaml"), name=EnvironmentName("p"))

    assert inputs_of(spec) == ()
