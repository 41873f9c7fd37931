"""When an environment is left as it is, and when it is made anew."""

import sys
from pathlib import Path

import pytest

from envmgr.link.prefix import current_generation
from envmgr.names import EnvironmentName
from envmgr.pipeline.errors import EnvironmentFileGone, EnvironmentOfAnotherFile
from envmgr.pipeline.generations import rollback
from envmgr.pipeline.types import ByName, ByPrefix
from tests.support.index_server import IndexServer, hosted
from tests.support.project import Project
from tests.support.wheels import make_wheel

SAY = "import alpha; print(alpha.__version__)"


@pytest.fixture
def made(project: Project) -> Project:
    project.write("beta ==1.1", "alpha ==1.0")
    project.create()
    return project


def test_a_name_that_is_gone_from_the_prefix_is_linked_again(made: Project) -> None:
    (made.prefix / "bin").unlink()
    assert made.create().made == "updated"
    assert made.python(SAY) == "1.0"
    assert made.create().made == "unchanged"


def test_an_environment_that_was_moved_names_its_new_place(made: Project, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    made.prefix.rename(moved)
    assert made.sync(ByPrefix(moved)).made == "updated"
    assert str(made.prefix) not in (moved / "bin" / "beta").read_text("utf-8")
    assert str(moved) in (moved / "bin" / "activate").read_text("utf-8")
    assert made.sync(ByPrefix(moved)).made == "unchanged"


def test_a_prefix_by_another_path_stays_as_it_is(made: Project, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(made.settings.environments)
    assert made.sync(ByPrefix(tmp_path / "link" / "project")).made == "unchanged"


def test_links_lead_into_a_store_that_was_moved(made: Project, server: IndexServer) -> None:
    (made.directory / "home").rename(made.directory / "other")
    made.variables = {"ENVMGR_HOME": str(made.directory / "other")}
    server.forget()
    assert made.sync().made == "updated"
    assert made.python(SAY) == "1.0"
    assert server.count() == 0
    assert made.sync().made == "unchanged"


def test_a_view_of_a_store_that_was_moved_is_made_anew_where_the_prefix_stayed(
    project: Project, tmp_path: Path
) -> None:
    project.write("alpha ==1.0")
    prefix = project.create().prefix
    (tmp_path / "other").mkdir()
    (tmp_path / "home" / "store").rename(tmp_path / "other" / "store")
    project.variables = {"ENVMGR_HOME": str(tmp_path / "other")}
    assert project.sync(ByPrefix(prefix)).made == "updated"
    (module,) = current_generation(prefix).glob("lib/*/site-packages/alpha")
    assert (module / "__init__.py").is_file()
    assert project.sync(ByPrefix(prefix)).made == "unchanged"


def test_going_back_finds_the_entries_of_a_store_that_was_moved(
    made: Project, tmp_path: Path
) -> None:
    made.write("beta ==1.1", "alpha ==2.0")
    prefix = made.create().prefix
    (tmp_path / "other").mkdir()
    (tmp_path / "home" / "store").rename(tmp_path / "other" / "store")
    made.variables = {"ENVMGR_HOME": str(tmp_path / "other")}
    made.sync(ByPrefix(prefix))

    done = rollback(ByPrefix(prefix), 1, made.settings, made.events.append)

    assert done.number == 4
    (module,) = current_generation(prefix).glob("lib/*/site-packages/alpha")
    assert "1.0" in (module / "__init__.py").read_text()


def test_what_programs_wrote_follows_an_environment_that_was_moved(
    project: Project, server: IndexServer, tmp_path: Path
) -> None:
    server.add(hosted(make_wheel("shared", "1.0", data={"data/share/shared.txt": "x"})))
    project.write("shared")
    project.create()
    old = current_generation(project.prefix)
    (project.prefix / "share" / "kernel.json").write_text(f"{old}/bin/python")
    moved = tmp_path / "moved"
    project.prefix.rename(moved)
    project.sync(ByPrefix(moved))
    new = current_generation(moved)
    assert (moved / "share" / "kernel.json").read_text() == f"{new}/bin/python"


def test_absolute_links_of_programs_are_told_from_the_views_own(
    project: Project, server: IndexServer, tmp_path: Path
) -> None:
    """``jupyter labextension develop --sys-prefix`` makes such links, and so do people."""
    server.add(hosted(make_wheel("shared", "1.0", data={"data/share/shared.txt": "x"})))
    project.write("shared")
    project.create()
    first, second = tmp_path / "first", tmp_path / "second"
    (project.prefix / "share" / "developed").symlink_to(first)
    (site,) = current_generation(project.prefix).glob("lib/*/site-packages")
    (site / "mine").symlink_to(first)

    project.write("shared", "alpha")
    project.create()

    kept, stray = project.told().splitlines()
    assert kept == "kept what programs wrote: share/developed"
    assert stray.startswith("mine stayed behind")
    developed = project.prefix / "share" / "developed"
    assert developed.readlink() == first
    assert (project.prefix / "share" / "shared.txt").read_text() == "x"

    developed.unlink()
    developed.symlink_to(second)
    rollback(ByName(EnvironmentName("project")), 1, project.settings, project.events.append)
    assert developed.readlink() == second


def test_a_record_of_before_this_was_recorded_leads_to_a_new_generation(made: Project) -> None:
    import json

    path = made.prefix / ".envmgr" / "current" / "generation.json"
    record = json.loads(path.read_bytes())
    for key in ("prefix", "stores", "lock", "python_wish"):
        record.pop(key, None)
    path.write_text(json.dumps(record), "utf-8")
    assert made.create().made == "updated"


def test_the_same_file_by_another_path_is_the_same_file(made: Project, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(".")
    assert made.create(file=tmp_path / "link" / "environment.yaml").made == "unchanged"


def test_a_file_that_was_moved_takes_its_environment_along(made: Project, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    new = tmp_path / "new" / "environment.yaml"
    made.lock_file.rename(new.with_name("pylock.toml"))
    made.file.rename(new)

    with pytest.raises(EnvironmentFileGone) as failure:
        made.sync()
    assert failure.value.exit_code == 3
    assert str(made.prefix) in str(failure.value)
    assert str(made.file) in str(failure.value)
    assert "envmgr create -f FILE -n project" in failure.value.hint

    assert made.create(file=new).made == "updated"
    assert made.told().count(f"was made from {made.file}, now it is of {new}") == 1
    assert made.sync().made == "unchanged"


def test_a_file_that_is_still_there_keeps_its_environment(made: Project, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    copy = tmp_path / "new" / "environment.yaml"
    copy.write_bytes(made.file.read_bytes())
    with pytest.raises(EnvironmentOfAnotherFile):
        made.create(file=copy)


def test_sync_remembers_the_lock_and_the_python_of_create(project: Project) -> None:
    project.write("alpha ==1.0")
    own = project.directory / "locks" / "pylock.mine.toml"
    own.parent.mkdir()
    wish = f"{sys.version_info[0]}.{sys.version_info[1]}"
    project.create(lock=own, python=wish)
    project.write("alpha ==2.0", more="python: '<3'\n")

    synced = project.sync()

    assert synced.lock == own
    assert project.python(SAY) == "2.0"
    assert not project.lock_file.exists()
    assert project.sync().made == "unchanged"


def test_create_forgets_them_where_it_is_not_told_again(project: Project) -> None:
    project.write("alpha ==1.0")
    project.create(lock=project.directory / "pylock.mine.toml")
    assert project.create().lock == project.lock_file
    assert project.sync(ByName(EnvironmentName("project"))).lock == project.lock_file
