"""Shared runtimes from an index to a process: what is loaded, and what becomes of it later."""

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.errors import ExitCode
from envmgr.events import Warned
from envmgr.names import EnvironmentName
from envmgr.pipeline.copies import clone, rename
from envmgr.pipeline.generations import rollback
from envmgr.pipeline.types import ByName, Created
from envmgr.spec.problems import EnvironmentFileInvalid
from tests.support.index_server import IndexServer
from tests.support.libraries import (
    GOMP,
    composed,
    copy_name,
    make_consumer,
    make_library,
    module_of,
    numbers,
    record,
    vendoring,
)
from tests.support.project import Project
from tests.support.wheels import Wheel, make_wheel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="runtimes are shared on Linux")

ALPHA = vendoring("alpha", 1, versions=GOMP[:3])
BETA = vendoring("beta", 2)
GAMMA = vendoring("gamma", 3, versions=GOMP[:2])
NEW_ALPHA = vendoring("alpha", 4, version="2.0", versions=GOMP[:3])
ASKER = make_wheel(
    "asker",
    purelib=False,
    files={
        "asker/__init__.py": module_of("asker"),
        "asker/_core.so": make_consumer("asker", "libgomp.so.1", runpath="$ORIGIN"),
    },
)
"""Asks for libgomp by its canonical name and does not bring it along."""

LINKED = vendoring(
    "linked",
    1,
    more={
        "linked/plug/__init__.py": module_of("linked", "_plug.so"),
        "linked/plug/_plug.so": make_consumer("linked", "libgomp.so.1", runpath="$ORIGIN/../other"),
        "linked/other/README": "links",
    },
    links=f"linked.libs/{copy_name('linked 1.0 1')},linked/other/libgomp.so.1\n",
)
"""Its second library finds the copy by a link that LINKS asks for."""


def blas(name: str, content: int) -> Wheel:
    """Brings an OpenBLAS that asks for libgomp by its canonical name."""
    library = "libopenblas-r0-11111111.3.15.so"
    return make_wheel(
        name,
        purelib=False,
        files={
            f"{name}/__init__.py": module_of(name),
            f"{name}/_core.so": make_consumer(
                name, library, runpath=f"$ORIGIN/../{name}.libs", target="blas_number"
            ),
            f"{name}.libs/{library}": make_library(
                library,
                calls={"blas_number": "gomp_number"},
                answers={"content": content},
                needed=("libgomp.so.1", "libc.so.6"),
            ),
        },
    )


PLAIN = make_wheel("plain")


def warnings(project: Project) -> list[str]:
    return [each.text for each in project.events if isinstance(each, Warned)]


@pytest.fixture
def server() -> Iterator[IndexServer]:
    wheels = [ALPHA, BETA, GAMMA, NEW_ALPHA, PLAIN, ASKER, LINKED, blas("one", 1), blas("two", 1)]
    with IndexServer(wheels) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, server: IndexServer) -> Project:
    made = Project(tmp_path, server.url)
    made.write("alpha ==1.0", "beta", "gamma")
    return made


def test_a_process_loads_one_copy_whatever_it_imports_first(project: Project) -> None:
    made = project.create()
    for order in itertools.permutations(("alpha", "beta", "gamma")):
        assert numbers(project, *order) == "2 2 2 1"
    (openmp,) = [each for each in made.runtimes if each.family == "openmp"]
    assert openmp.implementation == "gnu"
    assert [str(each.package) for each in openmp.servers] == ["beta"]
    assert sorted(each.copy.package for each in openmp.replaced) == ["alpha", "gamma"]
    assert len(composed(project)) == 2


def test_who_looks_in_the_system_finds_the_shared_one(project: Project) -> None:
    project.write("asker", "beta")
    project.create()
    assert numbers(project, "asker", "beta") == "2 2 1"
    assert numbers(project, "beta", "asker") == "2 2 1"
    assert numbers(project, "asker") == "2 1"


def test_who_is_led_to_a_library_that_looks_in_the_system_finds_the_shared_one(
    project: Project,
) -> None:
    project.write("one", "two", "beta")
    project.create()
    for order in itertools.permutations(("one", "two", "beta")):
        assert numbers(project, *order) == "2 2 2 1"
    # What both are led to, and one that loads libgomp before it: the name is known then.
    assert numbers(project, "two", "one", part="openblas-r0") == "2 2 2"


def test_links_of_a_package_lead_to_what_is_shared(project: Project) -> None:
    project.write("linked", "beta")
    project.create()
    assert numbers(project, "linked.plug", "linked") == "2 2 1"
    assert numbers(project, "linked", "beta", "linked.plug") == "2 2 2 1"
    (own,) = composed(project, "linked")
    link = own / "site-packages/linked/other/libgomp.so.1"
    assert str(link.readlink()) == f"../../linked.libs/{copy_name('linked 1.0 1')}"


def test_vendored_leaves_every_package_its_own(project: Project) -> None:
    project.write("alpha ==1.0", "beta", "gamma", more="runtimes: vendored\n")
    project.create()
    assert numbers(project, "alpha", "beta", "gamma") == "1 2 3 3"
    assert composed(project) == []


def test_a_package_can_be_left_apart(project: Project) -> None:
    more = "runtimes: {openmp: {unify: {gamma: false}}}\n"
    project.write("alpha ==1.0", "beta", "gamma", more=more)
    project.create()
    assert numbers(project, "alpha", "beta", "gamma") == "2 2 3 2"
    assert warnings(project) == []


def test_a_package_left_apart_that_is_not_there_is_warned_of(project: Project) -> None:
    project.write("alpha ==1.0", "beta", more="runtimes: {openmp: {unify: {gama: false}}}\n")
    project.create()
    assert warnings(project) == ["`unify` of openmp names gama, which is not in this environment"]


def test_a_changed_choice_makes_another_view_of_the_same_lock(project: Project) -> None:
    project.create()
    lock = project.lock_file.read_bytes()
    project.write("alpha ==1.0", "beta", "gamma", more="runtimes: {openmp: vendored}\n")
    assert project.create().made == "updated"
    assert project.lock_file.read_bytes() == lock
    assert numbers(project, "alpha", "beta", "gamma") == "1 2 3 3"


def test_nothing_is_made_twice(project: Project) -> None:
    project.create()
    before = {path: path.stat().st_ino for path in composed(project)}
    assert project.create().made == "unchanged"
    assert project.create(name="other", file=project.file).made == "created"
    assert {path: path.stat().st_ino for path in composed(project)} == before


def test_the_view_folds_into_what_was_composed(project: Project) -> None:
    project.create()
    site = next(project.prefix.glob("lib/python*/site-packages"))
    (own,) = composed(project, "alpha")
    assert (site / "alpha").readlink() == own / "site-packages/alpha"
    assert (site / "alpha.libs").readlink() == own / "site-packages/alpha.libs"
    entry = (own / "site-packages/alpha/deep").readlink().parents[2]
    plain = "site-packages/alpha/plain.py"
    assert (own / plain).samefile(entry / plain)
    assert not (own / plain).is_symlink()


@pytest.mark.parametrize("way", ["file", "copy", "hardlink"])
def test_other_ways_of_linking_share_as_well(project: Project, way: str) -> None:
    project.write("alpha ==1.0", "beta", "gamma", more=f"link: {{alpha: {way}, beta: {way}}}\n")
    project.create()
    assert numbers(project, "beta", "alpha", "gamma") == "2 2 2 1"


def test_an_update_and_the_way_back(project: Project) -> None:
    project.create()
    first = record(project.prefix)
    project.write("alpha ==2.0", "gamma")
    project.create()
    assert numbers(project, "gamma", "alpha") == "4 4 1"
    rollback(ByName(EnvironmentName("project")), None, project.settings, project.events.append)
    assert record(project.prefix).composed == first.composed
    assert numbers(project, "gamma", "alpha", "beta") == "2 2 2 1"


def test_a_clone_and_a_new_name_keep_what_is_shared(project: Project) -> None:
    project.create()
    source = ByName(EnvironmentName("project"))
    twin = ByName(EnvironmentName("twin"))
    cloned = clone(source, twin, project.settings, project.events.append)
    assert numbers(project, "alpha", "beta", prefix=cloned.prefix) == "2 2 1"
    assert record(cloned.prefix).composed == record(project.prefix).composed
    assert record(cloned.prefix).runtimes == record(project.prefix).runtimes
    renamed = rename(twin, ByName(EnvironmentName("third")), project.settings, lambda _: None)
    assert numbers(project, "gamma", "alpha", prefix=renamed.prefix) == "2 2 1"


def test_a_store_that_moved_is_composed_anew(project: Project) -> None:
    project.create()
    old = project.directory / "home/store"
    moved = Project(project.directory, project.index_url, {"ENVMGR_STORES": ""})
    old.rename(project.directory / "home/away")
    made: Created = moved.create()
    assert made.made == "updated"
    assert numbers(project, "alpha", "gamma") == "2 2 1"
    assert len(composed(project)) == 2


def test_a_package_that_programs_extend_sees_bytecode_of_its_own(project: Project) -> None:
    project.variables = {"ENVMGR_COMPILE": "yes"}
    project.create()
    code = "import alpha.plain, alpha; print(alpha.plain.__cached__, alpha.__file__)"
    cached, file = project.python(code).split()
    assert Path(cached).exists()
    assert "/site-packages/alpha/__pycache__/" in cached
    assert file.startswith(str(project.prefix))


def test_what_another_system_has_ends_it_before_anything_is_resolved(
    project: Project, server: IndexServer
) -> None:
    project.write("alpha", more="runtimes: {blas: accelerate}\n")
    server.forget()
    with pytest.raises(EnvironmentFileInvalid) as refused:
        project.create()
    (problem,) = refused.value.problems
    assert "accelerate" in problem.message
    assert refused.value.exit_code == ExitCode.DEFINITION
    assert not server.seen
    assert not project.lock_file.exists()
