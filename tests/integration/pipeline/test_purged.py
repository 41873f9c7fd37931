"""What something else deleted, as purges of scratch do: mended, or told."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envmgr.events import silent
from envmgr.files import remove_tree
from envmgr.link.complete import is_complete
from envmgr.link.generation import generation_path, read_current
from envmgr.link.prefix import PrefixTaken, prefix_kind
from envmgr.names import EnvironmentName
from envmgr.pipeline.environments import list_packages
from envmgr.pipeline.types import ByName
from envmgr.pipeline.upkeep import verify_store
from envmgr.store.entry import MANIFEST, EntryDamaged, read_manifest
from envmgr.store.sources import SOURCES
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.purge import purge
from tests.support.upkeep import entry_of
from tests.support.views import add
from tests.support.wheels import make_wheel

PROJECT = ByName(EnvironmentName("project"))
SAY = "import deep, deep.a.b.c.last, flat; print('whole')"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    names = ["deep", "deep/a", "deep/a/b", "deep/a/b/c"]
    deep = {f"{name}/__init__.py": f"# {name}\n" for name in names}
    wheels = [
        make_wheel("deep", files={**deep, "deep/a/b/c/last.py": "x = 1\n"}),
        make_wheel("flat", entry_points={"console_scripts": {"flat": "flat:main"}}),
    ]
    with IndexServer(wheels) as server:
        project = Project(tmp_path, server.url)
        project.write("deep", "flat")
        project.create()
        yield project


def lose_a_file_on_top(project: Project) -> None:
    """What ``create`` notices at the cost of a few stats; then it looks at all of them."""
    module = entry_of(project, project.prefix, "flat").path / "site-packages/flat/__init__.py"
    module.parent.chmod(0o755)
    module.unlink(missing_ok=True)


def test_where_one_entry_lost_files_every_directory_of_the_others_is_looked_at(
    project: Project,
) -> None:
    deep = entry_of(project, project.prefix, "deep").path
    for name in ("site-packages/deep/a/b/c/last.py", SOURCES):
        (deep / name).parent.chmod(0o755)
        (deep / name).unlink()
    lose_a_file_on_top(project)

    project.create()

    assert "deep 1.0 in the store (gone: site-packages/deep/a/b/c/last.py" in project.told()
    assert project.python(SAY) == "whole"
    assert verify_store(project.settings, silent).damaged == ()


@pytest.mark.parametrize("seed", range(6))
def test_create_brings_back_entries_of_which_files_went(seed: int, project: Project) -> None:
    entries = project.directory / "home/store/v1/entries"
    assert purge(entries, 0.6, seed) > 2
    lose_a_file_on_top(project)
    assert verify_store(project.settings, silent).damaged

    assert project.create().made == "updated"

    assert project.python(SAY) == "whole"
    assert verify_store(project.settings, silent).damaged == ()
    assert "it is fetched again" in project.told()


def test_what_is_deleted_is_not_forgotten_with_the_manifest(project: Project) -> None:
    entry = entry_of(project, project.prefix, "deep")
    for name in (MANIFEST, "site-packages/deep/a/b/c/last.py"):
        (entry.path / name).parent.chmod(0o755)
        (entry.path / name).unlink()

    with pytest.raises(EntryDamaged) as damaged:
        read_manifest(entry)

    assert str(damaged.value).endswith("site-packages/deep/a/b/c/last.py is gone")
    assert not (entry.path / MANIFEST).exists()


def test_a_file_that_record_lists_and_no_wheel_held_is_not_missed(tmp_path: Path) -> None:
    from envmgr.store.store import open_store

    wheel = make_wheel("alpha", edit_record=lambda rows: [*rows, ["alpha/none.py", "", ""]])
    entry = add(open_store((tmp_path / "store",)), wheel, tmp_path)
    known = read_manifest(entry)
    entry.path.chmod(0o755)
    (entry.path / MANIFEST).unlink()
    assert read_manifest(entry) == known

    entry.path.chmod(0o755)
    (entry.path / MANIFEST).unlink()
    (entry.path / SOURCES).unlink()
    with pytest.raises(EntryDamaged):  # nobody can tell any more: fetched again to be sure
        read_manifest(entry)


def generation_of(project: Project) -> Path:
    record = read_current(project.prefix)
    assert record is not None
    return generation_path(project.prefix, record.id)


def lose_a_link(project: Project) -> None:
    next(generation_of(project).glob("lib/*/site-packages/deep")).unlink()


def lose_a_directory(project: Project) -> None:
    remove_tree(generation_of(project) / "lib")


def lose_every_file(project: Project) -> None:
    assert purge(project.prefix, 1.1, 0) > 5


def lose_the_state(project: Project) -> None:
    remove_tree(project.prefix / ".envmgr")


def lose_the_store(project: Project) -> None:
    remove_tree(project.directory / "home/store")


def lose_the_caches(project: Project) -> None:
    purge(project.directory / "cache", 0.5, 1)
    lose_a_link(project)


@pytest.mark.parametrize(
    "lose",
    [
        lose_a_link,
        lose_a_directory,
        lose_every_file,
        lose_the_state,
        lose_the_store,
        lose_the_caches,
    ],
)
def test_create_mends_what_was_lost(lose: Callable[[Project], None], project: Project) -> None:
    lose(project)
    assert project.create().made != "unchanged"
    assert project.python(SAY) == "whole"
    assert project.create().made == "unchanged"


def test_more_entries_than_the_view_had_are_no_loss(project: Project) -> None:
    record = read_current(project.prefix)
    assert record is not None
    generation = generation_of(project)
    assert is_complete(generation, record)
    (generation / "etc/written").mkdir()
    assert is_complete(generation, record)


def test_links_of_ours_that_lead_nowhere_are_no_prefix_of_another_tool(project: Project) -> None:
    lose_the_state(project)
    assert prefix_kind(project.prefix) == "empty"
    (project.prefix / "notes").write_text("mine")
    assert prefix_kind(project.prefix) != "empty"
    with pytest.raises(PrefixTaken):
        project.create()


def test_the_list_tells_of_packages_that_the_store_lost(project: Project) -> None:
    shutil.rmtree(entry_of(project, project.prefix, "deep").path)
    purge(project.directory / "home/store/v1/entries", 1.1, 0)
    project.events.clear()

    rows = list_packages(PROJECT, project.settings, project.events.append)

    assert [(row.name, row.size) for row in rows] == [("deep", None), ("flat", None)]
    told = project.told()
    assert "deep 1.0 of project cannot be found in the store" in told
    assert "is damaged" in told
    assert told.count("envmgr sync -n project") == 2


def test_what_a_site_cannot_give_any_more_is_fetched(project: Project) -> None:
    site = project.directory / "site"
    (project.directory / "home/store").rename(site)
    here = Project(
        project.directory, project.index_url, {"ENVMGR_STORES": str(site)}, project.events
    )
    purge(site / "v1/entries", 1.1, 0)
    project.events.clear()

    here.create()

    assert here.told().count("its wheel is fetched") == 2
    entries = {path.name for path in (project.directory / "home/store/v1/entries").iterdir()}
    record = read_current(here.prefix)
    assert record is not None
    assert {package.key for package in record.packages} <= entries
