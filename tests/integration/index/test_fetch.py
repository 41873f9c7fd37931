"""Wheels onto the disk, whatever the network does."""

import errno
import os
import resource
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from envmgr.errors import ExitCode, PrefixError
from envmgr.events import Event, Reporter, StageAdvanced, StageFinished, StageStarted, silent
from envmgr.index.download import disk_problem
from envmgr.index.failures import (
    CacheUnwritable,
    HashMismatch,
    IndexRefused,
    IndexUnreachable,
)
from envmgr.index.fetch import fetch_wheels
from envmgr.index.types import Download, FetchedCallback
from envmgr.names import IndexName
from envmgr.spec.types import IndexSpec
from tests.support.catalogs import Machine, index_at, named
from tests.support.index_server import (
    Corrupted,
    Fault,
    IndexServer,
    NoRanges,
    Reset,
    Status,
    Truncated,
    WrongRange,
)
from tests.support.wheels import Wheel, make_wheel

BULK = {"spam/bulk.bin": os.urandom(1 << 20)}
SPAM = make_wheel("spam", files=BULK)
EGGS = make_wheel("eggs")
LARGE = make_wheel("large", files={"large.bin": os.urandom(2_000_000)})
HALF = len(SPAM.data) // 2


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "downloads"


def fetch(
    machine: Machine,
    place: Path,
    *downloads: Download,
    offline: bool = False,
    report: Reporter = silent,
    on_fetched: FetchedCallback | None = None,
    indexes: tuple[IndexSpec, ...] = (),
) -> dict[str, Path]:
    return fetch_wheels(
        downloads,
        place,
        environ={},
        offline=offline,
        cache=machine.cache,
        report=report,
        on_fetched=on_fetched,
        indexes=indexes,
        clock=machine.hours.clock,
    )


def wanted(server: IndexServer, wheel: Wheel) -> Download:
    return Download(
        wheel.filename,
        server.file_url(wheel.filename),
        IndexName("lab"),
        wheel.sha256,
        len(wheel.data),
    )


def test_wheels_arrive_under_their_hashes(machine: Machine, place: Path) -> None:
    with IndexServer([SPAM, EGGS]) as server:
        found = fetch(machine, place, wanted(server, SPAM), wanted(server, EGGS))
    assert list(found) == [SPAM.sha256, EGGS.sha256]
    assert found[SPAM.sha256].read_bytes() == SPAM.data
    assert found[EGGS.sha256].read_bytes() == EGGS.data
    assert sorted(path.name for path in place.iterdir()) == sorted(
        f"{wheel.sha256}.whl" for wheel in (SPAM, EGGS)
    )


def test_what_is_here_is_not_fetched_again(machine: Machine, place: Path) -> None:
    with IndexServer([SPAM]) as server:
        first = fetch(machine, place, wanted(server, SPAM))
        assert fetch(machine, place, wanted(server, SPAM), wanted(server, SPAM)) == first
        assert server.count() == 1
    assert fetch(machine, place, wanted(server, SPAM), offline=True) == first


def test_a_file_that_is_here_with_another_size_is_replaced(machine: Machine, place: Path) -> None:
    place.mkdir()
    (place / f"{SPAM.sha256}.whl").write_bytes(b"cut short")
    with IndexServer([SPAM]) as server:
        found = fetch(machine, place, wanted(server, SPAM))
    assert found[SPAM.sha256].read_bytes() == SPAM.data


def test_a_wheel_the_catalog_had_to_fetch_whole_is_used(machine: Machine, place: Path) -> None:
    with IndexServer([SPAM], ranges=False) as server:
        with machine.catalog(server) as catalog:
            catalog.metadata(catalog.offer(named("spam")).candidates[0])
        server.forget()
        found = fetch(machine, place, wanted(server, SPAM))
        assert server.count() == 0
    assert found[SPAM.sha256].read_bytes() == SPAM.data


def test_local_wheels_stay_where_they_are(machine: Machine, place: Path, tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    folder.mkdir()
    path = SPAM.write_to(folder)
    download = Download(SPAM.filename, path.as_uri(), None, SPAM.sha256, None)
    assert fetch(machine, place, download, offline=True) == {SPAM.sha256: path}
    assert not place.exists()


def test_a_local_wheel_that_changed_is_refused_and_not_touched(
    machine: Machine, place: Path, tmp_path: Path
) -> None:
    path = SPAM.write_to(tmp_path)
    with pytest.raises(HashMismatch):
        fetch(machine, place, Download(SPAM.filename, path.as_uri(), None, "0" * 64, None))
    assert path.read_bytes() == SPAM.data
    path.unlink()
    with pytest.raises(IndexUnreachable):
        fetch(machine, place, Download(SPAM.filename, path.as_uri(), None, SPAM.sha256, None))


@pytest.mark.parametrize("fault", [Status(500), Status(429), Reset(), Truncated(1000)])
def test_a_fault_that_passes_is_waited_for(machine: Machine, place: Path, fault: Fault) -> None:
    with IndexServer([SPAM]) as server:
        server.fail("*", fault, times=3)
        found = fetch(machine, place, wanted(server, SPAM))
    assert found[SPAM.sha256].read_bytes() == SPAM.data
    assert len(machine.hours.slept) == 3


def test_a_broken_download_goes_on_where_it_broke(machine: Machine, place: Path) -> None:
    with IndexServer([SPAM]) as server:
        server.fail("*", Truncated(HALF), times=1)
        found = fetch(machine, place, wanted(server, SPAM))
        again = server.seen[1].headers
        assert again["range"] == f"bytes={HALF}-"
        assert again["if-range"].startswith('"')
    assert found[SPAM.sha256].read_bytes() == SPAM.data


def test_progress_makes_up_for_failures(machine: Machine, place: Path) -> None:
    with IndexServer([LARGE]) as server:
        server.fail("*", Truncated(300_000))
        found = fetch(machine, place, wanted(server, LARGE))
        assert server.count() == 7
    assert found[LARGE.sha256].read_bytes() == LARGE.data


def test_a_connection_that_keeps_breaking_is_given_up(machine: Machine, place: Path) -> None:
    with IndexServer([LARGE]) as server:
        server.fail("*", Truncated(1_000))
        with pytest.raises(IndexUnreachable):
            fetch(machine, place, wanted(server, LARGE))
        assert server.count() == 4
    (part,) = place.iterdir()
    assert part.read_bytes() == LARGE.data[:4_000]


@pytest.mark.parametrize("fault", [NoRanges(), WrongRange()])
def test_a_server_that_cannot_go_on_starts_over(
    machine: Machine, place: Path, fault: Fault
) -> None:
    with IndexServer([SPAM]) as server:
        server.fail("*", Truncated(HALF), times=1)
        server.fail("*", fault, times=2)
        found = fetch(machine, place, wanted(server, SPAM))
    assert found[SPAM.sha256].read_bytes() == SPAM.data


def test_a_later_run_goes_on_where_an_earlier_one_broke(machine: Machine, place: Path) -> None:
    with IndexServer([SPAM]) as server:
        server.fail("*", Truncated(HALF), times=1)
        server.fail("*", Status(403))
        with pytest.raises((IndexRefused, IndexUnreachable)):
            fetch(machine, place, wanted(server, SPAM))
        place.mkdir(exist_ok=True)
        (place / f"{SPAM.sha256}.part").write_bytes(SPAM.data[:HALF])
        server.heal()
        server.forget()
        found = fetch(machine, place, wanted(server, SPAM))
        assert server.seen[0].headers["range"] == f"bytes={HALF}-"
        assert server.count() == 1
    assert found[SPAM.sha256].read_bytes() == SPAM.data
    assert [path.name for path in place.iterdir()] == [f"{SPAM.sha256}.whl"]


@pytest.mark.parametrize(
    "left", [SPAM.data, b"x" * HALF, SPAM.data + b"more", SPAM.data[:-1] + b"?", b""]
)
def test_whatever_an_earlier_run_left_the_result_is_right(
    machine: Machine, place: Path, left: bytes
) -> None:
    place.mkdir()
    (place / f"{SPAM.sha256}.part").write_bytes(left)
    with IndexServer([SPAM]) as server:
        found = fetch(machine, place, wanted(server, SPAM))
    assert found[SPAM.sha256].read_bytes() == SPAM.data


@pytest.mark.parametrize("ranges", [True, False])
def test_a_file_that_is_not_the_promised_one_is_refused_and_removed(
    machine: Machine, place: Path, ranges: bool
) -> None:
    with IndexServer([SPAM], ranges=ranges) as server:
        server.fail("*", Corrupted())
        with pytest.raises(HashMismatch) as caught:
            fetch(machine, place, wanted(server, SPAM))
    assert caught.value.exit_code == ExitCode.INTEGRITY
    assert (caught.value.expected, caught.value.filename) == (SPAM.sha256, SPAM.filename)
    assert SPAM.sha256 in "".join(caught.value.details())
    assert list(place.iterdir()) == []


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_a_wheel_that_is_refused_is_an_index_failure(
    machine: Machine, place: Path, status: int
) -> None:
    with IndexServer([SPAM]) as server:
        server.fail("*", Status(status))
        with pytest.raises(IndexRefused) as caught:
            fetch(machine, place, wanted(server, SPAM))
    assert (caught.value.status, caught.value.index) == (status, "lab")
    assert list(place.iterdir()) == []


def test_the_first_failure_ends_the_others_and_what_they_had_is_kept(
    machine: Machine, place: Path
) -> None:
    with IndexServer([SPAM, EGGS]) as server:
        server.fail(f"/files/{EGGS.filename}", Status(403))
        with pytest.raises(IndexRefused):
            fetch(machine, place, wanted(server, SPAM), wanted(server, EGGS))
        server.heal()
        found = fetch(machine, place, wanted(server, SPAM), wanted(server, EGGS))
    assert found[SPAM.sha256].read_bytes() == SPAM.data


def test_offline_nothing_is_fetched(machine: Machine, place: Path) -> None:
    with IndexServer([SPAM]) as server:
        with pytest.raises(IndexUnreachable, match="offline"):
            fetch(machine, place, wanted(server, SPAM), offline=True)
        assert server.count() == 0


def test_each_wheel_is_handed_on_as_soon_as_it_is_complete(machine: Machine, place: Path) -> None:
    handed: dict[str, bytes] = {}

    def on_fetched(download: Download, path: Path) -> None:
        handed[download.filename] = path.read_bytes()

    with IndexServer([SPAM, EGGS]) as server:
        fetch(machine, place, wanted(server, EGGS))
        fetch(machine, place, wanted(server, SPAM), wanted(server, EGGS), on_fetched=on_fetched)
    assert handed == {SPAM.filename: SPAM.data, EGGS.filename: EGGS.data}


def test_what_the_receiver_raises_is_raised(machine: Machine, place: Path) -> None:
    class Refused(PrefixError):
        pass

    def on_fetched(_download: Download, _path: Path) -> None:
        raise Refused

    with IndexServer([SPAM, EGGS]) as server, pytest.raises(Refused):
        fetch(machine, place, wanted(server, SPAM), wanted(server, EGGS), on_fetched=on_fetched)


def test_nothing_is_handed_on_after_the_failure_was_told(machine: Machine, place: Path) -> None:
    wheels = [make_wheel(f"w{n}", files={"x.bin": os.urandom(50_000)}) for n in range(40)]
    handed: list[str] = []

    class Refused(PrefixError):
        pass

    def on_fetched(download: Download, _path: Path) -> None:
        handed.append(download.filename)
        if len(handed) == 3:
            raise Refused

    with IndexServer(wheels) as server:
        with pytest.raises(Refused):
            fetch(machine, place, *(wanted(server, w) for w in wheels), on_fetched=on_fetched)
        told = list(handed)
        wait_for_threads("fetch-")
        assert handed == told
    assert len(told) < len(wheels)


def test_progress_adds_up_to_the_announced_bytes(machine: Machine, place: Path) -> None:
    events: list[Event] = []
    with IndexServer([SPAM, EGGS]) as server:
        server.fail(f"/files/{SPAM.filename}", Truncated(HALF), times=1)
        server.fail(f"/files/{SPAM.filename}", NoRanges(), times=2)
        fetch(machine, place, wanted(server, SPAM), wanted(server, EGGS), report=events.append)
    total = len(SPAM.data) + len(EGGS.data)
    assert events[0] == StageStarted("fetch", total)
    assert isinstance(events[-1], StageFinished)
    assert events[-1].items == 2
    advanced = [event for event in events if isinstance(event, StageAdvanced)]
    assert sum(event.done for event in advanced) == total
    assert all(event.done > 0 for event in advanced)


def test_a_login_of_an_index_serves_its_files(machine: Machine, place: Path) -> None:
    with IndexServer([SPAM], credentials=("me", "secret")) as server:
        with pytest.raises(IndexRefused):
            fetch(machine, place, wanted(server, SPAM))
        index = index_at(server.url.replace("http://", "http://me:secret@"))
        found = fetch(machine, place, wanted(server, SPAM), indexes=(index,))
    assert found[SPAM.sha256].read_bytes() == SPAM.data


def test_a_place_that_cannot_be_written_is_named(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with IndexServer([SPAM]) as server, pytest.raises(CacheUnwritable) as caught:
        fetch(machine, tmp_path / "file" / "below", wanted(server, SPAM))
    assert caught.value.exit_code == ExitCode.PREFIX
    assert str(tmp_path / "file") in str(caught.value)


def test_a_disk_that_takes_no_more_is_an_error_of_the_place(machine: Machine, place: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with IndexServer([SPAM]) as server:
        resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, hard))
        try:
            with pytest.raises(CacheUnwritable) as caught:
                fetch(machine, place, wanted(server, SPAM))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert caught.value.hint is not None
        server.forget()
        found = fetch(machine, place, wanted(server, SPAM))
        assert server.seen[0].headers["range"] == f"bytes={HALF}-"
    assert found[SPAM.sha256].read_bytes() == SPAM.data


def test_a_full_disk_is_said_to_be_full() -> None:
    assert disk_problem(OSError(errno.ENOSPC, "x")) == "the disk is full"
    assert disk_problem(OSError(errno.EDQUOT, "x")) == "the disk quota is used up"
    assert disk_problem(OSError(errno.EACCES, "Permission denied")) == "Permission denied"


def test_a_link_in_the_place_of_an_unfinished_download_is_not_followed(
    machine: Machine, place: Path, tmp_path: Path
) -> None:
    place.mkdir()
    (tmp_path / "victim").write_text("precious")
    (place / f"{SPAM.sha256}.part").symlink_to(tmp_path / "victim")
    with IndexServer([SPAM]) as server, pytest.raises(CacheUnwritable):
        fetch(machine, place, wanted(server, SPAM))
    assert (tmp_path / "victim").read_text() == "precious"


def test_two_runs_at_once_do_not_spoil_each_other(machine: Machine, place: Path) -> None:
    found: list[bytes] = []

    def run() -> None:
        found.append(fetch(machine, place, wanted(server, SPAM))[SPAM.sha256].read_bytes())

    with IndexServer([SPAM]) as server:
        in_threads(run, 4)
    assert found == [SPAM.data] * 4
    assert [path.name for path in place.iterdir()] == [f"{SPAM.sha256}.whl"]


def wait_for_threads(prefix: str) -> None:
    for thread in threading.enumerate():
        if thread.name.startswith(prefix):
            thread.join(30)


def in_threads(task: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=task) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
