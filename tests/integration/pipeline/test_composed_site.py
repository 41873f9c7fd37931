"""Composed entries beside a site's store: whose they are, and what a clone takes along.

The site's owner is whoever runs the tests, its user another uid.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.events import Event
from envmgr.files import remove_tree
from envmgr.names import EnvironmentName
from envmgr.pipeline.composed_copies import NotMoved
from envmgr.pipeline.copies import clone
from envmgr.pipeline.types import ByName, ByPrefix
from envmgr.pipeline.upkeep import verify_store
from envmgr.store.bytecode import Compiler
from envmgr.store.copy import copy_into
from envmgr.store.facts import survey_entry
from envmgr.store.leases import read_leases
from tests.support.index_server import IndexServer
from tests.support.libraries import (
    GOMP,
    composed,
    make_consumer,
    make_library,
    numbers,
    record,
    vendoring,
)
from tests.support.project import Project
from tests.support.sites import as_user, make_site, make_user, shared_directory
from tests.support.upkeep import collect
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="runtimes are shared on Linux")

_warm = (copy_into, survey_entry, Compiler)  # imported before a fork

ALPHA = vendoring("alpha", 1, versions=GOMP[:3])
BETA = vendoring("beta", 2)
SOLVER_BLAS = "solver.libs/libopenblas-1234abcd.so"
SOLVER = make_wheel(
    "solver",
    purelib=False,
    files={
        "solver/__init__.py": "",
        "solver/_core.so": make_consumer(
            "solver", "libopenblas-1234abcd.so", runpath="$ORIGIN/../solver.libs", target="dgemm_"
        ),
        SOLVER_BLAS: make_library("libopenblas-1234abcd.so", answers={"dgemm_": 1}),
    },
)
MKL = make_wheel(
    "mkl",
    "2026.1",
    purelib=False,
    files={},
    data={
        f"data/lib/libmkl_{part}.so.3": make_library(
            f"libmkl_{part}.so.3", answers={"dgemm_": 2} if part == "intel_lp64" else {}
        )
        for part in ("intel_lp64", "sequential", "core")
    },
)
"""As far as a library that passes calls on to it needs it."""


@pytest.fixture
def shared() -> Iterator[Path]:
    with shared_directory() as directory:
        yield directory


@pytest.fixture
def server() -> Iterator[IndexServer]:
    with IndexServer([ALPHA, BETA, SOLVER, MKL]) as running:
        yield running


@pytest.fixture
def site(shared: Path, server: IndexServer) -> Project:
    return make_site(shared, server.url)


@pytest.fixture
def user(shared: Path, server: IndexServer, site: Project) -> Project:
    return make_user(shared, server.url, site, cached=True)


def whole(project: Project) -> bool:
    return not verify_store(project.settings, project.events.append).damaged


def test_what_the_site_composed_for_itself_is_linked_to(site: Project, user: Project) -> None:
    site.create()

    assert as_user(user, user.create)["copied"] == 0
    assert numbers(user, "alpha", "beta") == "2 2 1"
    assert composed(user) == []
    assert record(user.prefix).composed == record(site.prefix).composed
    assert as_user(user, user.sync)["made"] == "unchanged"


def test_what_the_site_has_not_composed_is_the_users_own(site: Project, user: Project) -> None:
    """Hard links to files of others are refused where the system guards them."""
    site.write("alpha")
    site.create()
    site.write("beta")
    site.create(name="second", file=site.file)

    assert as_user(user, user.create)["copied"] == 0
    assert composed(site) == []
    assert len(composed(user, "alpha")) == 1
    assert numbers(user, "beta", "alpha") == "2 2 1"
    assert whole(user)
    assert as_user(user, user.sync)["made"] == "unchanged"
    assert set(record(user.prefix).stores) == {
        str(each.settings.stores[0] / "v1/entries") for each in (site, user)
    }


def test_what_the_site_composed_and_may_drop_is_made_anew(site: Project, user: Project) -> None:
    """The packages stay for another environment of the owner; their composition does not."""
    site.create()
    theirs = composed(site)
    site.write("alpha")
    site.create(name="first", file=site.file)
    site.write("beta")
    site.create(name="second", file=site.file)
    remove_tree(site.prefix)

    assert as_user(user, user.create)["copied"] == 0
    assert [path.name for path in composed(user)] == [path.name for path in theirs]
    assert {entry.key for entry in collect(site).entries} == {path.name for path in theirs}
    assert numbers(user, "alpha", "beta") == "2 2 1"
    assert as_user(user, user.sync)["made"] == "unchanged"


def test_what_the_site_lets_go_of_later_is_made_by_the_next_sync(
    site: Project, user: Project
) -> None:
    site.create()
    as_user(user, user.create)
    remove_tree(site.prefix)

    done = as_user(user, user.sync)

    assert (done["made"], done["copied"]) == ("updated", 2)
    collect(site)
    assert composed(site) == []
    assert numbers(user, "alpha", "beta") == "2 2 1"
    assert whole(user)


def test_a_composition_that_the_site_lets_go_of_is_made_by_the_next_sync(
    site: Project, user: Project
) -> None:
    """The packages are needed there by others, so that nothing else changes."""
    site.create()
    site.write("alpha")
    site.create(name="first", file=site.file)
    site.write("beta")
    site.create(name="second", file=site.file)
    as_user(user, user.create)
    remove_tree(site.prefix)

    done = as_user(user, user.sync)

    assert (done["made"], done["copied"]) == ("updated", 0)
    assert len(composed(user)) == 1
    collect(site)
    assert numbers(user, "alpha", "beta") == "2 2 1"


def test_a_composition_of_the_site_that_was_changed_is_not_used(
    site: Project, user: Project
) -> None:
    site.create()
    (theirs,) = composed(site)
    (theirs / "site-packages/alpha").chmod(0o755)
    (theirs / "site-packages/alpha/_core.so").unlink()

    done = as_user(user, user.create)

    assert f"{theirs} is not what it was" in str(done["told"])
    assert [path.name for path in composed(user)] == [theirs.name]
    assert numbers(user, "alpha", "beta") == "2 2 1"
    assert as_user(user, user.sync)["made"] == "unchanged"


def test_a_clone_of_somebody_elses_environment_has_compositions_of_its_own(
    site: Project, shared: Path
) -> None:
    site.create()
    (shared / "lone").mkdir()
    lone = Project(shared / "lone", site.index_url)
    copy = ByName(EnvironmentName("copy"))

    leased: list[frozenset[str]] = []

    def report(_: Event) -> None:
        leased.append(frozenset(read_leases(lone.settings.stores[0] / "v1")))

    prefix = clone(ByPrefix(site.prefix), copy, lone.settings, report).prefix

    assert set(record(site.prefix).composed) <= leased[0]
    site.directory.rename(shared / "away")
    assert numbers(lone, "alpha", "beta", prefix=prefix) == "2 2 1"
    (own,) = composed(lone)
    assert record(prefix).composed == (own.name,)
    assert whole(lone)
    assert collect(lone).entries == ()


def test_a_clone_cannot_take_what_names_the_other_store(site: Project, shared: Path) -> None:
    site.write("solver", more="runtimes: {blas: mkl}\n")
    site.create()
    (shared / "lone").mkdir()
    lone = Project(shared / "lone", site.index_url)
    copy = ByName(EnvironmentName("copy"))

    with pytest.raises(NotMoved) as refused:
        clone(ByPrefix(site.prefix), copy, lone.settings, lone.events.append)

    assert refused.value.path == f"site-packages/{SOLVER_BLAS}"
    assert f"envmgr create -f {site.file}" in refused.value.hint
    assert not (lone.settings.environments / "copy/.envmgr/current").exists()
