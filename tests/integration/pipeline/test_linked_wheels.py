"""An environment with a wheel that has LINKS, from a loopback index to what Python sees."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.pipeline.repair import repair_store
from envmgr.pipeline.upkeep import verify_store
from envmgr.store.tamper import find_tampering
from envmgr.wheel.archive import UnsafeWheel
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.upkeep import collect, create_at, entry_of
from tests.support.wheels import make_wheel

OMP = make_wheel(
    "omp",
    files={"omp/__init__.py": "", "omp/lib/libx.so.1": b"inside"},
    data={"data/lib/libomp.so.5": b"shared", "data/share/omp/a/b/real.txt": b"text"},
    dist_info_files={
        "LINKS": "omp/lib/libx.so.1,omp/lib/libx.so\n"
        "omp-1.0.data/data/lib/libomp.so.5,omp-1.0.data/data/lib/libomp.so\n"
        "omp-1.0.data/data/share/omp/a/b/real.txt,omp-1.0.data/data/share/omp/name.txt\n"
    },
    edit_record=lambda rows: [*rows, ["omp/lib/libx.so", "", ""]],
)
READ = "import omp; print(open(omp.__path__[0] + '/lib/libx.so').read())"
LIST = "from importlib.metadata import files; print(sorted(map(str, files('omp'))))"


@pytest.fixture
def server() -> Iterator[IndexServer]:
    evil = make_wheel("evil", dist_info_files={"LINKS": "evil/__init__.py,../../outside\n"})
    with IndexServer([OMP, evil, make_wheel("beta")]) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, server: IndexServer) -> Project:
    made = Project(tmp_path, server.url)
    made.write("omp", "beta")
    return made


def test_links_work_in_an_environment_and_survive_the_upkeep(project: Project) -> None:
    project.create()

    assert (project.prefix / "lib/libomp.so").read_bytes() == b"shared"
    assert (project.prefix / "lib/libomp.so").samefile(project.prefix / "lib/libomp.so.5")
    assert (project.prefix / "share/omp/name.txt").read_bytes() == b"text"
    assert project.python(READ) == "inside"
    assert "'omp/lib/libx.so'" in project.python(LIST)
    entry = entry_of(project, project.prefix, "omp")
    assert find_tampering(entry) is None
    assert verify_store(project.settings, project.events.append).damaged == ()
    assert not collect(project).entries


def test_another_generation_keeps_them_and_carries_nothing_along(project: Project) -> None:
    project.create()
    project.write("omp")
    project.create()

    assert (project.prefix / "share/omp/name.txt").read_bytes() == b"text"
    assert project.python(READ) == "inside"
    assert "came from" not in project.told()


@pytest.mark.parametrize("way", ["copy", "hardlink"])
def test_copies_come_with_links_of_their_own(project: Project, way: str) -> None:
    project.write("omp", "beta", more=f"link: {{omp: {way}}}\n")
    project.create()
    package = next(project.prefix.glob("lib/python*/site-packages/omp"))

    assert os.fspath((package / "lib/libx.so").readlink()) == "libx.so.1"
    assert not (package / "lib/libx.so.1").is_symlink()
    assert project.python(READ) == "inside"
    project.write("omp", more=f"link: {{omp: {way}}}\n")
    project.create()
    assert project.python(READ) == "inside"


def test_a_link_that_was_lost_is_repaired_from_the_index(project: Project, tmp_path: Path) -> None:
    create_at(project, tmp_path / "env")
    entry = entry_of(project, tmp_path / "env", "omp")
    (entry.path / "data/lib").chmod(0o755)
    (entry.path / "data/lib/libomp.so").unlink()

    repaired = repair_store(project.settings, project.environ, project.events.append)

    assert [each.outcome for each in repaired.entries] == ["repaired"]
    assert os.fspath((entry.path / "data/lib/libomp.so").readlink()) == "libomp.so.5"
    assert verify_store(project.settings, project.events.append).damaged == ()


def test_a_wheel_whose_links_escape_is_refused_and_leaves_nothing(project: Project) -> None:
    project.write("evil")

    with pytest.raises(UnsafeWheel, match=r"LINKS: line 1: '\.\./\.\./outside'"):
        project.create()

    assert project.entries() == set()
    assert not project.prefix.exists()
