"""Compositions of several packages, from an index to a process, and what becomes of them later."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.events import silent
from envmgr.files import remove_tree
from envmgr.link.cluster import LEAST
from envmgr.names import EnvironmentName, StoreKey
from envmgr.pipeline.copies import clone
from envmgr.pipeline.environments import delete
from envmgr.pipeline.generations import rollback
from envmgr.pipeline.repair import repair_store
from envmgr.pipeline.types import ByName, ByPrefix
from envmgr.pipeline.upkeep import disk_use, verify_store
from envmgr.store.collect import measure_entry
from envmgr.store.composed import Composition, read_composition, write_composed
from envmgr.store.composed_check import check_composed
from envmgr.store.entry import Entry
from tests.support.index_server import IndexServer
from tests.support.libraries import (
    LOADED,
    composed,
    make_consumer,
    make_library,
    module_of,
    record,
    vendoring,
)
from tests.support.project import Project
from tests.support.sites import as_user, make_site, make_user, shared_directory
from tests.support.upkeep import collect
from tests.support.wheels import Wheel, make_wheel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="libraries reach on Linux")

MANY = {f"front/data{number}.txt": str(number) for number in range(LEAST)}


def front(version: str = "1.0", module: str = module_of("front"), *, name: str = "front") -> Wheel:
    """Finds libback.so in ``space/back/lib``."""
    return make_wheel(
        name,
        version,
        purelib=False,
        files={
            "front/__init__.py": module,
            "front/plain.py": "",
            "front/_core.so": make_consumer(
                "front", "libback.so", runpath="$ORIGIN/../space/back/lib", target="back_number"
            ),
            **MANY,
        },
    )


ASKING = module_of("front").replace("__file__", "os.path.realpath(__file__)")
"""Asks where it really is, as cv2 does."""
RESOLVING = front("2.0", ASKING)
KNOWN = front("6.0", ASKING, name="pyside6-addons")


def back(number: int, version: str = "1.0") -> Wheel:
    """Finds libdeep.so of a third package."""
    return make_wheel(
        "back",
        version,
        purelib=False,
        files={
            "space/back/lib/libback.so": make_library(
                "libback.so",
                calls={"back_number": "deep_number"},
                answers={"version": number},
                needed=("libdeep.so", "libc.so.6"),
                runpath=("$ORIGIN/../../deep/lib",),
            ),
            "space/back/__init__.py": "",
        },
    )


DEEP = make_wheel(
    "deep",
    purelib=False,
    files={"space/deep/lib/libdeep.so": make_library("libdeep.so", answers={"deep_number": 7})},
)
PLAIN = make_wheel("plain")
ALL = ("front ==1.0", "back ==1.0", "deep")


@pytest.fixture
def server() -> Iterator[IndexServer]:
    reaching = vendoring("front", 5, version="3.0", more=dict(_gomp_too()))
    wheels = [front(), RESOLVING, KNOWN, reaching, back(1), back(2, "2.0"), DEEP, PLAIN]
    with IndexServer([*wheels, vendoring("alpha", 1), vendoring("beta", 2)]) as running:
        yield running


def _gomp_too() -> Iterator[tuple[str, bytes | str]]:
    """What makes a package that brings libgomp reach into others as well."""
    yield (
        "front/_reach.so",
        make_consumer(
            "front", "libback.so", runpath="$ORIGIN/../space/back/lib", target="back_number"
        ),
    )
    yield from MANY.items()


@pytest.fixture
def project(tmp_path: Path, server: IndexServer) -> Project:
    made = Project(tmp_path, server.url)
    made.write(*ALL)
    return made


@pytest.fixture
def made(project: Project) -> Project:
    project.create()
    return project


def said(project: Project, code: str, prefix: Path | None = None) -> str:
    done = subprocess.run(
        [(prefix or project.prefix) / "bin/python", "-c", f"{LOADED}\n{code}"],
        capture_output=True,
        text=True,
        check=False,
        env=project.environ,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


NUMBER = "import front; print(front.number(), inodes('libback'), inodes('libdeep'))"


def works(project: Project, prefix: Path | None = None) -> bool:
    return said(project, NUMBER, prefix) == "7 1 1"


def whole(project: Project) -> bool:
    return not verify_store(project.settings, project.events.append).damaged


def place(project: Project, name: str) -> Path:
    (site,) = (project.prefix / "lib").glob("python3*/site-packages")
    return site / name


def test_a_process_loads_each_library_once(made: Project) -> None:
    assert works(made)
    code = (
        "import ctypes, glob, os, front\n"
        "front.number()\n"
        "space = os.path.join(os.path.dirname(os.path.dirname(front.__file__)), 'space')\n"
        "for each in glob.glob(space + '/*/lib/*.so'): ctypes.CDLL(each)\n"
        "print(inodes('libback'), inodes('libdeep'))"
    )
    assert said(made, code) == "1 1"


def test_the_view_folds_into_one_composition(made: Project) -> None:
    (root,) = composed(made)
    assert place(made, "front").readlink() == root / "site-packages/front"
    assert place(made, "space/back").readlink() == root / "site-packages/space/back"
    assert (root / "wheel-name").read_text() == "front 1.0 and 1 more (composed)\n"
    assert record(made.prefix).composed == (root.name,)
    assert place(made, "space").is_dir()
    assert not place(made, "space").is_symlink()


def test_a_module_that_asks_where_it_really_is_finds_its_libraries(project: Project) -> None:
    project.write("front ==2.0", "back", "deep")
    project.create()
    assert works(project)


def test_its_libraries_are_further_names_of_the_packages_own(made: Project) -> None:
    (root,) = composed(made)
    for path in ("front/_core.so", "front/__init__.py", "space/back/lib/libback.so"):
        facts = (root / "site-packages" / path).lstat()
        assert facts.st_nlink == 2, path


def test_environments_share_it_and_nothing_is_made_twice(made: Project) -> None:
    assert made.create().made == "unchanged"
    made.write(*ALL, "plain")
    made.create(name="second")
    assert len(composed(made)) == 1
    assert works(made, made.settings.environments / "second")


def test_another_version_has_another_and_the_way_back_is_there(made: Project) -> None:
    (first,) = composed(made)
    made.write("front ==1.0", "back ==2.0", "deep")
    made.create()
    assert works(made)
    assert len(composed(made)) == 2
    assert collect(made).entries == ()
    rollback(ByName(EnvironmentName("project")), None, made.settings, made.events.append)
    assert works(made)
    assert record(made.prefix).composed == (first.name,)


def test_it_goes_with_the_environments_that_need_it(made: Project) -> None:
    made.write("plain")
    made.create()
    made.write("plain", more="keep: 1\n")
    made.create()
    gone = {entry.key for entry in collect(made).entries}
    assert sum(key.startswith("composed-") for key in gone) == 1
    assert composed(made) == []


def test_a_clone_leads_into_it_too(made: Project) -> None:
    copy = ByName(EnvironmentName("copy"))
    cloned = clone(
        ByName(EnvironmentName("project")), copy, made.settings, made.events.append
    ).prefix
    assert works(made, cloned)
    assert record(cloned).composed == record(made.prefix).composed


def test_its_bytecode_is_that_of_the_packages(project: Project) -> None:
    project.variables = {"ENVMGR_COMPILE": "yes"}
    project.create()
    path = said(project, "import os, front.plain as p; print(os.path.realpath(p.__cached__))")
    assert Path(path).is_file()
    assert "composed-" not in path


def test_metadata_lists_files_that_are_there(made: Project) -> None:
    code = (
        "import importlib.metadata as m\n"
        "print(all(each.locate().exists() for each in m.files('front')), len(m.files('front')))"
    )
    there, count = said(made, code).split()
    assert there == "True"
    assert int(count) > LEAST


@pytest.mark.parametrize("way", ["file", "copy", "hardlink"])
@pytest.mark.parametrize("package", ["front", "back"])
def test_another_way_of_linking_keeps_it_in_the_view(
    project: Project, way: str, package: str
) -> None:
    project.write(*ALL, more=f"link: {{{package}: {way}}}\n")
    project.create()
    assert composed(project) == []
    assert works(project)


def test_what_gives_way_to_a_shared_library_is_in_it_as_well(project: Project) -> None:
    project.write("front ==3.0", "back ==1.0", "deep", "beta")
    project.create()
    (single,) = [
        each for each in composed(project) if "more" not in (each / "wheel-name").read_text()
    ]
    (several,) = [each for each in composed(project) if each != single]
    assert record(project.prefix).composed == (single.name, several.name)
    code = (
        "import ctypes, os, front, beta\n"
        "reach = ctypes.CDLL(os.path.join(os.path.dirname(front.__file__), '_reach.so'))\n"
        "print(front.number(), beta.number(), reach.front_number(), inodes('libgomp'))"
    )
    assert said(project, code) == "2 2 7 1"
    assert whole(project)
    copy = ByName(EnvironmentName("copy"))
    cloned = clone(ByName(EnvironmentName("project")), copy, project.settings, silent).prefix
    assert said(project, code, cloned) == "2 2 7 1"


def test_what_a_program_runs_from_stays_with_all_it_is_made_of(project: Project) -> None:
    """Through the composition of one package that is beta, of which nothing is loaded yet."""
    project.write("front ==3.0", "back ==1.0", "deep", "beta")
    project.create()
    library = place(project, "front/_reach.so")
    code = f"import ctypes; ctypes.CDLL('{library}'); print(1, flush=True); input()"
    with project.waiting(code) as printed:
        assert printed == "1"
        delete(ByName(EnvironmentName("project")), project.settings, project.events.append)
        done = collect(project)
    assert done.entries == ()
    assert len(collect(project).entries) == 6


def test_damage_is_noticed_and_repaired(made: Project) -> None:
    (root,) = composed(made)
    path = root / "site-packages/space/back/lib/libback.so"
    path.parent.chmod(0o755)
    path.unlink()
    path.parent.chmod(0o555)
    assert not whole(made)
    repair_store(made.settings, made.environ, made.events.append)
    assert whole(made)
    assert works(made)


def test_what_is_gone_is_made_again(made: Project) -> None:
    remove_tree(composed(made)[0])
    assert made.create().made == "updated"
    assert works(made)


def test_its_bytes_are_counted_with_the_packages(made: Project) -> None:
    before = disk_use(None, made.settings, silent).total
    remove_tree(composed(made)[0])
    after = disk_use(None, made.settings, silent).total
    assert before.entries == after.entries + 1
    assert before.bytes - after.bytes < 10_000
    assert before.inodes - after.inodes < 15


def refuse(source: object, target: object, **_: object) -> None:
    raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))


def test_where_hard_links_are_refused_libraries_are_found_all_the_same(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", refuse)
    project.create()
    (root,) = composed(project)
    assert (root / "site-packages/space/back/lib/libback.so").is_symlink()
    assert whole(project)
    assert works(project)


def test_a_package_that_is_known_to_need_hard_links_has_them_in_a_composition(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``recipes/links.yaml`` says it of these."""
    project.write("pyside6-addons", "back", "deep")
    project.create()
    (root,) = composed(project)
    assert place(project, "front").readlink() == root / "site-packages/front"
    assert works(project)
    before = measure_entry(StoreKey(root.name), root)
    remove_tree(root)
    monkeypatch.setattr(os, "link", refuse)
    project.create()
    assert not (root / "site-packages/front/_core.so").is_symlink()
    copies = sum(each.stat().st_size for each in (root / "site-packages/front").rglob("*.so"))
    assert copies > 500
    assert measure_entry(StoreKey(root.name), root).bytes > before.bytes + copies
    assert whole(project)
    assert works(project)
    project.write("pyside6-addons", "back", "deep", more="link: {pyside6-addons: hardlink}\n")
    project.create()
    assert not place(project, "front").is_symlink()
    assert record(project.prefix).composed == ()


def test_programs_are_copied_where_hard_links_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "entries/one/site-packages/tool"
    own.parent.mkdir(parents=True)
    own.write_bytes(b"program")
    own.chmod(0o555)
    paths = ("site-packages/tool", "site-packages/file")
    composition = Composition(
        package="one 1.0",
        directories=("site-packages",),
        names=dict.fromkeys(paths, str(own)),
        links={},
        files={},
        solid=paths[:1],
    )
    entry = Entry(composition.key, tmp_path / "entries" / composition.key)
    entry.path.mkdir()
    monkeypatch.setattr(os, "link", refuse)

    write_composed(composition, {}, str(entry.path))

    assert (entry.path / paths[0]).lstat().st_mode & 0o170777 == 0o100555
    assert (entry.path / paths[1]).is_symlink()
    assert check_composed(entry) == ((), 2)
    assert read_composition(entry) == composition
    own.chmod(0o755)
    own.write_bytes(b"another")
    assert [finding.path for finding in check_composed(entry)[0]] == [paths[0]]


@pytest.fixture
def shared() -> Iterator[Path]:
    with shared_directory() as directory:
        yield directory


def test_users_of_a_site_share_the_sites_and_else_have_their_own(
    shared: Path, server: IndexServer
) -> None:
    site = make_site(shared, server.url)
    site.write(*ALL)
    site.create()
    user = make_user(shared, server.url, site, cached=True)
    user.write(*ALL)
    as_user(user, user.create)
    assert composed(user) == []
    assert record(user.prefix).composed == record(site.prefix).composed
    assert works(user)
    site.write("plain")
    site.create()
    site.write("plain", more="keep: 1\n")
    site.create()
    as_user(user, user.sync)
    assert works(user)
    assert whole(user)


def test_a_clone_of_somebody_elses_environment_has_its_own(
    shared: Path, server: IndexServer
) -> None:
    site = make_site(shared, server.url)
    site.write("front ==3.0", "back ==1.0", "deep", "beta")
    site.create()
    assert len(composed(site)) == 2
    (shared / "lone").mkdir()
    lone = Project(shared / "lone", server.url)
    copy = ByName(EnvironmentName("copy"))
    prefix = clone(ByPrefix(site.prefix), copy, lone.settings, lone.events.append).prefix
    site.directory.rename(shared / "away")
    code = "import front, beta; print(front.number(), beta.number(), inodes('libgomp'))"
    assert said(lone, code, prefix) == "2 2 1"
    assert {each.name for each in composed(lone)} == {*record(prefix).composed}
    assert len(composed(lone)) == 2
    assert whole(lone)
