"""``create`` against a real server, a real interpreter and real links."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from envmgr.errors import EnvmgrError
from envmgr.files import remove_tree
from envmgr.lock.errors import LockMissing, LockStale
from envmgr.names import EnvironmentName
from envmgr.pipeline.environments import delete, find_prefix, list_environments, list_packages
from envmgr.pipeline.errors import EnvironmentOfAnotherFile, NoSuchEnvironment, UnknownGroup
from envmgr.pipeline.types import ByName, ByPrefix, Change, LockUse
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.wheels import make_wheel

PROJECT = ByName(EnvironmentName("project"))


def told(changes: Iterable[Change]) -> list[str]:
    return [f"{change.name} {change.before} -> {change.after}" for change in changes]


def test_a_file_becomes_an_environment_that_works(project: Project) -> None:
    project.write("alpha")
    created = project.create()
    assert created.made == "created"
    assert told(created.changes) == ["alpha None -> 2.0", "beta None -> 1.1"]
    assert project.python("import alpha; print(alpha.__version__)") == "2.0"
    assert created.prefix == find_prefix(PROJECT, project.settings) == project.prefix


def test_a_second_create_changes_nothing_and_asks_nobody(
    project: Project, server: IndexServer
) -> None:
    project.write("alpha")
    first = project.create()
    server.forget()
    again = project.create()
    assert (again.made, again.generation) == ("unchanged", first.generation)
    assert server.count() == 0
    assert again.changes == ()


def test_what_the_file_gains_is_added_and_what_fits_stays(
    project: Project, server: IndexServer
) -> None:
    project.write("alpha")
    project.create()
    server.add(make_wheel("alpha", "9.0"))
    project.write("alpha", "checks")
    created = project.create(refresh=True)
    assert created.made == "updated"
    assert told(created.changes) == ["checks None -> 3.0"]
    upgraded = project.lock(upgrade=("alpha",), refresh=True)
    assert told(upgraded.changes) == ["alpha 2.0 -> 9.0", "beta 1.1 -> None"]


def test_groups_are_locked_together_and_chosen_apart(project: Project) -> None:
    project.write("beta ==1.0", more="groups:\n  test: [checks]\n")
    plain = project.create()
    assert plain.packages == 1
    grown = project.create(groups=("test",))
    assert {change.name for change in grown.changes} == {"alpha", "checks"}
    assert project.python("import beta; print(beta.__version__)") == "1.0"
    assert project.create().made == "unchanged", "the groups are remembered"
    with pytest.raises(UnknownGroup) as failure:
        project.create(groups=("tset",))
    assert failure.value.hint == "choose among test"
    project.write("beta ==1.0")
    with pytest.raises(UnknownGroup) as failure:
        project.create(groups=("test",))
    assert failure.value.hint == "list it under `groups` there"


def test_locked_and_frozen_do_what_they_say(project: Project) -> None:
    project.write("alpha ==1.0")
    for use in (LockUse.LOCKED, LockUse.FROZEN):
        with pytest.raises(LockMissing):
            project.create(use=use)
    project.lock()
    before = project.lock_file.read_bytes()
    project.write("alpha ==2.0")
    with pytest.raises(LockStale) as failure:
        project.create(use=LockUse.LOCKED)
    assert "alpha ==1.0 became alpha ==2.0" in str(failure.value)
    with pytest.raises(LockStale):
        project.lock(check=True)
    project.create(use=LockUse.FROZEN)
    assert project.python("import alpha; print(alpha.__version__)") == "1.0"
    assert project.lock_file.read_bytes() == before


def test_a_dry_run_writes_nothing(project: Project) -> None:
    project.write("alpha")
    created = project.create(dry_run=True)
    assert created.dry_run
    assert created.packages == 2
    assert not project.lock_file.exists()
    assert not project.prefix.exists()
    assert project.entries() == set()


def test_variables_are_set_without_touching_the_lock(project: Project) -> None:
    project.write("alpha")
    project.create()
    before = project.lock_file.read_bytes()
    project.write("alpha", more="variables: {COLOUR: 'deep blue'}\n")
    assert project.create().made == "updated"
    assert project.lock_file.read_bytes() == before
    assert "deep blue" in (project.prefix / "bin" / "activate").read_text("utf-8")


def test_a_name_belongs_to_the_file_that_made_it(project: Project, tmp_path: Path) -> None:
    project.write("alpha")
    project.create()
    other = tmp_path / "elsewhere"
    other.mkdir()
    text = project.file.read_text("utf-8")
    (other / "environment.yaml").write_text(text, "utf-8")
    from envmgr.pipeline.create import create
    from envmgr.pipeline.types import CreateRequest

    with pytest.raises(EnvironmentOfAnotherFile) as failure:
        create(
            CreateRequest(file=other / "environment.yaml", selector=None, groups=None),
            project.settings,
            project.environ,
            project.events.append,
        )
    assert failure.value.exit_code == 9
    assert str(project.file) in str(failure.value)


def test_a_directory_with_other_things_is_left_alone(project: Project) -> None:
    project.write("alpha")
    project.prefix.mkdir(parents=True)
    precious = project.prefix / "thesis.tex"
    precious.write_text("years of work", "utf-8")
    with pytest.raises(EnvmgrError) as failure:
        project.create()
    assert failure.value.exit_code == 9
    assert precious.read_text("utf-8") == "years of work"


def test_environments_are_listed_and_deleted(project: Project) -> None:
    project.write("alpha")
    project.create()
    (summary,) = list_environments(project.settings)
    assert (summary.name, summary.packages, summary.file) == ("project", 2, project.file)
    rows = list_packages(PROJECT, project.settings)
    assert [(row.name, row.version, row.index) for row in rows] == [
        ("alpha", "2.0", "loopback"),
        ("beta", "1.1", "loopback"),
    ]
    assert delete(PROJECT, project.settings, project.events.append).prefix == project.prefix
    assert not os.path.lexists(project.prefix)
    assert list_environments(project.settings) == ()
    with pytest.raises(NoSuchEnvironment):
        find_prefix(PROJECT, project.settings)


def test_a_misspelt_environment_gets_the_nearest_name(project: Project) -> None:
    project.write("alpha")
    project.create()
    with pytest.raises(NoSuchEnvironment) as failure:
        find_prefix(ByName(EnvironmentName("projcet")), project.settings)
    assert "project" in str(failure.value.hint)
    with pytest.raises(NoSuchEnvironment):
        find_prefix(ByPrefix(project.directory), project.settings)


def test_what_went_missing_in_the_store_is_brought_back(project: Project) -> None:
    from envmgr.files import remove_tree

    project.write("alpha")
    project.create()
    for key in project.entries():
        remove_tree(project.directory / "home" / "store" / "v1" / "entries" / key)
    created = project.create()
    assert created.unpacked == 2
    assert project.python("import alpha; print(alpha.__version__)") == "2.0"


def test_a_second_environment_fetches_nothing(project: Project, server: IndexServer) -> None:
    project.write("alpha")
    project.create()
    server.forget()
    second = project.create(name="twin")
    assert (second.fetched, second.unpacked) == (0, 0)
    assert server.count() == 0
    assert second.name == "twin"


def test_bytes_are_counted_where_the_index_tells_no_sizes(
    project: Project, server: IndexServer
) -> None:
    wheels = [make_wheel("delta", "1.0"), make_wheel("epsilon", "1.0")]
    for wheel in wheels:
        server.add(wheel)
    project.write("delta", "epsilon")
    sized = project.create()
    server.sizes = False
    remove_tree(project.directory / "home")
    remove_tree(project.directory / "cache")
    project.lock_file.unlink()
    made = project.create()
    assert "size = " not in project.lock_file.read_text("utf-8")
    assert made.fetched == sized.fetched == 2
    assert made.fetched_bytes == sized.fetched_bytes == sum(len(each.data) for each in wheels)
