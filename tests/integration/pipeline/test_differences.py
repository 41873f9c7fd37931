"""``diff`` between environments, generations and locks."""

from pathlib import Path

import pytest

from envmgr.errors import UsageError
from envmgr.lock.errors import LockMissing
from envmgr.pipeline.differences import (
    Comparable,
    Difference,
    OfEnvironment,
    OfLock,
    compare_sides,
)
from envmgr.pipeline.generations import NoSuchGeneration
from tests.support.generations import PROJECT, named
from tests.support.project import Project

HERE = OfEnvironment(PROJECT)


def diff(project: Project, one: Comparable, other: Comparable | None = None) -> Difference:
    return compare_sides(one, other, project.settings, project.events.append)


def told(found: Difference) -> list[str]:
    packages = [f"{each.what} {each.name} {each.before} {each.after}" for each in found.packages]
    return packages + [f"{each.name} {each.before} {each.after}" for each in found.facts]


def test_an_environment_is_compared_with_what_sync_would_make_of_it(project: Project) -> None:
    project.write("alpha ==1.0", "beta ==1.0")
    project.create()
    same = diff(project, HERE)
    assert (same.same, told(same)) == (True, [])
    assert (same.before, same.after) == ("project", str(project.lock_file))
    project.write("alpha ==2.0", "checks", more="variables: {COLOUR: blue}\n")
    project.lock()
    found = diff(project, HERE)
    assert not found.same
    assert told(found) == [
        "version alpha 1.0 2.0",
        "added checks None 3.0",
        "$COLOUR None blue",
    ]
    project.sync()
    assert diff(project, HERE).same


def test_a_stale_lock_is_told(project: Project) -> None:
    project.write("alpha ==1.0")
    project.create()
    project.write("alpha ==2.0")
    assert diff(project, HERE).same
    assert "is stale" in project.told()
    assert "alpha ==1.0 became alpha ==2.0" in project.told()


def test_groups_are_those_of_the_environment(project: Project) -> None:
    project.write("alpha ==1.0", more="groups: {test: [checks]}\n")
    project.create()
    assert diff(project, HERE).same
    assert diff(project, HERE, OfLock(project.lock_file)).same
    assert diff(project, OfLock(project.lock_file), HERE).same
    project.create(name="other", groups=("test",))
    other = OfEnvironment(named("other"))
    assert told(diff(project, HERE, other)) == ["added checks None 3.0", "groups  test"]
    assert told(diff(project, other, HERE)) == ["removed checks 3.0 None", "groups test "]


def test_generations_are_compared_with_the_current_one_and_with_others(project: Project) -> None:
    for colour, version in (("red", "1.0"), ("blue", "2.0")):
        project.write(f"alpha =={version}", "beta", more=f"variables: {{COLOUR: {colour}}}\n")
        project.create()
    first = OfEnvironment(PROJECT, 1)
    found = diff(project, first)
    assert (found.before, found.after) == ("project@1", "project")
    assert told(found) == ["version alpha 1.0 2.0", "$COLOUR red blue"]
    assert told(diff(project, first, OfEnvironment(PROJECT, 2))) == told(found)
    assert diff(project, OfEnvironment(PROJECT, 2)).same
    with pytest.raises(NoSuchGeneration):
        diff(project, OfEnvironment(PROJECT, 9))


def test_another_wheel_or_index_of_the_same_version_is_a_difference(
    project: Project, tmp_path: Path
) -> None:
    project.write("alpha ==1.0")
    project.lock()
    old = tmp_path / "pylock.old.toml"
    old.write_bytes(project.lock_file.read_bytes())
    text = old.read_text("utf-8")
    start = text.index('sha256 = "') + len('sha256 = "')
    old.write_text(text[:start] + "0" * 64 + text[start + 64 :], "utf-8")
    assert told(diff(project, OfLock(old), OfLock(project.lock_file))) == ["wheel alpha 1.0 1.0"]
    assert diff(project, OfLock(project.lock_file), OfLock(project.lock_file)).same
    old.write_text(text.replace("loopback", "elsewhere"), "utf-8")
    assert told(diff(project, OfLock(old), OfLock(project.lock_file))) == ["index alpha 1.0 1.0"]


def test_a_lock_alone_and_one_that_is_absent_are_refused(project: Project) -> None:
    project.write("alpha ==1.0")
    project.create()
    with pytest.raises(UsageError):
        diff(project, OfLock(project.lock_file))
    project.lock_file.unlink()
    with pytest.raises(LockMissing):
        diff(project, HERE)
