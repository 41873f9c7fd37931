from pathlib import Path

import pytest

from envmgr.hardware.filesystem import FileSystem
from envmgr.pipeline.health.places import Place, judge_place
from tests.support.values import replace

GOOD = FileSystem(
    kind="ext4",
    device=1,
    free_bytes=10**12,
    free_inodes=10**7,
    read_only=False,
    no_programs=False,
    case_insensitive=False,
)
STORE = Place(
    role="store",
    path=Path("/x/store"),
    exists=True,
    is_directory=True,
    readable=True,
    writable=True,
    system=GOOD,
)


def found(place: Place) -> list[tuple[str, str]]:
    return [(each.check, each.severity) for each in judge_place(place)]


def test_a_good_place_is_no_complaint() -> None:
    assert found(STORE) == []
    assert found(replace(STORE, role="site store", writable=False)) == []
    unlimited = replace(GOOD, free_inodes=None)
    assert found(replace(STORE, system=unlimited)) == []
    assert found(replace(STORE, exists=False)) == []


@pytest.mark.parametrize(
    ("system", "complaint"),
    [
        (replace(GOOD, free_bytes=10**8), ("space", "problem")),
        (replace(GOOD, free_inodes=1000), ("inodes", "problem")),
        (replace(GOOD, no_programs=True), ("noexec", "problem")),
        (replace(GOOD, case_insensitive=True), ("case", "problem")),
        (replace(GOOD, kind="tmpfs"), ("memory", "note")),
        (replace(GOOD, kind="lustre"), ("network", "note")),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, tuple) else "",
)
def test_what_a_file_system_lacks_is_told(system: FileSystem, complaint: tuple[str, str]) -> None:
    assert found(replace(STORE, system=system)) == [complaint]


def test_caches_may_be_in_memory_and_hold_no_programs() -> None:
    system = replace(GOOD, kind="tmpfs", no_programs=True, case_insensitive=True)
    assert found(replace(STORE, role="cache", system=system)) == []


def test_caches_on_a_network_file_system_are_better_elsewhere() -> None:
    place = replace(STORE, role="cache", system=replace(GOOD, kind="nfs4"))
    (complaint,) = judge_place(place)
    assert "nfs4" in complaint.message
    assert (
        complaint.advice == "set ENVMGR_CACHE, or `cache` in config.yaml, to a local disk "
        "if there is one"
    )


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (replace(STORE, writable=False), "cannot be written"),
        (replace(STORE, exists=False, writable=False), "does not exist and cannot be made"),
        (replace(STORE, is_directory=False), "is not a directory"),
        (replace(STORE, role="site store", exists=False), "is not there"),
        (replace(STORE, role="site store", readable=False), "cannot be read"),
    ],
)
def test_a_place_that_does_not_do_is_a_problem(place: Place, words: str) -> None:
    (complaint,) = judge_place(place)
    assert (complaint.check, complaint.severity) == ("place", "problem")
    assert words in complaint.message
    assert complaint.advice
