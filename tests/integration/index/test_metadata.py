"""Metadata: beside the wheel, from its end, or out of all of it."""

from random import Random

import pytest

from envmgr.errors import ExitCode
from envmgr.index.failures import HashMismatch, IndexRefused
from envmgr.index.types import UnusableMetadata
from envmgr.wheel.metadata import CoreMetadata
from tests.support.catalogs import Machine, named
from tests.support.index_server import (
    Corrupted,
    IndexServer,
    NoRanges,
    Reset,
    Status,
    Truncated,
    WrongRange,
    hosted,
)
from tests.support.wheels import make_wheel

SPAM = named("spam")
NOISE = {f"spam/{n}.bin": Random(n).randbytes(3_000) for n in range(60)}  # noqa: S311 - noise
WHEEL = make_wheel("spam", requires=["eggs >=2"], files=NOISE)
FILE = f"/files/{WHEEL.filename}"


def metadata_of(machine: Machine, server: IndexServer) -> CoreMetadata | UnusableMetadata:
    with machine.catalog(server) as catalog:
        (candidate,) = catalog.offer(SPAM).candidates
        return catalog.metadata(candidate)


def assert_right(metadata: CoreMetadata | UnusableMetadata) -> None:
    assert isinstance(metadata, CoreMetadata)
    assert metadata.requires_dist == ("eggs >=2",)


def test_metadata_beside_the_wheel_is_taken_where_offered(machine: Machine) -> None:
    with IndexServer([WHEEL], pep658=True) as server:
        assert_right(metadata_of(machine, server))
        assert server.count(FILE) == 0
        assert server.count(f"{FILE}.metadata") == 1


def test_it_is_not_asked_for_where_the_page_does_not_offer_it(machine: Machine) -> None:
    with IndexServer([WHEEL]) as server:
        assert_right(metadata_of(machine, server))
        assert server.count("*.metadata") == 0


def test_metadata_beside_the_wheel_must_have_the_promised_hash(machine: Machine) -> None:
    with IndexServer([hosted(WHEEL, metadata_sha256="00" * 32)], pep658=True) as server:
        for _ in range(2):
            with pytest.raises(HashMismatch) as caught:
                metadata_of(machine, server)
            assert caught.value.exit_code == ExitCode.INTEGRITY
            assert caught.value.expected == "00" * 32


def test_promised_metadata_that_is_not_there_is_read_from_the_wheel(machine: Machine) -> None:
    with IndexServer([WHEEL], pep658=True) as server:
        server.fail("*.metadata", Status(404))
        assert_right(metadata_of(machine, server))
        assert server.count(FILE) == 1


def test_only_the_end_of_a_wheel_is_read(machine: Machine) -> None:
    with IndexServer([WHEEL]) as server:
        assert_right(metadata_of(machine, server))
        (asked,) = [seen for seen in server.seen if seen.path == FILE]
        first = int(asked.headers["range"].removeprefix("bytes=").partition("-")[0])
        assert first > len(WHEEL.data) // 2
        assert not list(machine.cache.glob("wheels/*"))


def test_without_a_size_the_end_is_asked_for_by_its_length(machine: Machine) -> None:
    with IndexServer([WHEEL], sizes=False) as server:
        assert_right(metadata_of(machine, server))
        (asked,) = [seen for seen in server.seen if seen.path == FILE]
        assert asked.headers["range"].startswith("bytes=-")


@pytest.mark.parametrize(
    "fault", [NoRanges(), Status(416), Status(501), Status(400), WrongRange(), Corrupted()]
)
def test_a_server_that_cannot_give_parts_gives_the_whole_wheel_which_is_kept(
    machine: Machine, fault: Status | NoRanges | WrongRange | Corrupted
) -> None:
    with IndexServer([WHEEL]) as server:
        server.fail(FILE, fault, times=1)
        assert_right(metadata_of(machine, server))
        (kept,) = machine.cache.glob("wheels/*")
        assert kept.name == f"{WHEEL.sha256}.whl"
        assert kept.read_bytes() == WHEEL.data


def test_a_server_without_ranges_is_not_asked_for_any_twice(machine: Machine) -> None:
    other = make_wheel("spam", "2", files=NOISE)
    with IndexServer([WHEEL, other], ranges=False) as server, machine.catalog(server) as catalog:
        for candidate in catalog.offer(SPAM).candidates:
            assert isinstance(catalog.metadata(candidate), CoreMetadata)
        assert [seen.headers.get("range") for seen in server.seen if "/files/" in seen.path].count(
            None
        ) == 2
        assert server.count("/files/*") == 3


def test_a_size_that_is_wrong_does_no_harm(machine: Machine) -> None:
    page = f"""{{"files": [{{"filename": "{WHEEL.filename}", "url": "{FILE}", "size": 99999999,
        "hashes": {{"sha256": "{WHEEL.sha256}"}}}}]}}""".encode()
    with IndexServer([WHEEL]) as server:
        server.pages["/simple/spam/"] = ("application/vnd.pypi.simple.v1+json", page)
        assert_right(metadata_of(machine, server))


@pytest.mark.parametrize("fault", [Status(503), Reset(), Truncated(100)])
@pytest.mark.parametrize("pep658", [False, True])
def test_a_fault_that_passes_is_waited_for(
    machine: Machine, fault: Status | Reset | Truncated, pep658: bool
) -> None:
    with IndexServer([WHEEL], pep658=pep658) as server:
        server.fail("/files/*", fault, times=2)
        assert_right(metadata_of(machine, server))


@pytest.mark.parametrize("pep658", [False, True])
@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_refusal_is_an_index_failure(machine: Machine, status: int, pep658: bool) -> None:
    with IndexServer([WHEEL], pep658=pep658) as server:
        server.fail("/files/*", Status(status))
        with pytest.raises(IndexRefused) as caught:
            metadata_of(machine, server)
        assert (caught.value.status, caught.value.index) == (status, "lab")


def test_metadata_of_another_package_is_unusable_with_a_reason(machine: Machine) -> None:
    wheel = make_wheel("eggs", "3", filename="spam-1-py3-none-any.whl")
    with IndexServer([wheel]) as server:
        for _ in range(2):
            assert metadata_of(machine, server) == UnusableMetadata("its METADATA is of eggs 3")
        assert server.count("/files/*") == 1


def test_a_wheel_that_is_no_archive_is_unusable_once_all_of_it_was_seen(machine: Machine) -> None:
    with IndexServer([hosted(WHEEL)]) as server:
        server.remove(WHEEL.filename)
        server.add(hosted(type(WHEEL)("spam-1-py3-none-any.whl", b"x" * 200_000)))
        found = metadata_of(machine, server)
        assert isinstance(found, UnusableMetadata)
        assert len(list(machine.cache.glob("wheels/*"))) == 1


def test_a_wheel_without_a_hash_is_hashed_when_somebody_wants_to_know(machine: Machine) -> None:
    with IndexServer([hosted(WHEEL, sha256="")]) as server, machine.catalog(server) as catalog:
        (candidate,) = catalog.offer(SPAM).candidates
        assert candidate.sha256 is None
        assert_right(catalog.metadata(candidate))
        got = catalog.fetch_sha256(candidate)
        assert (got.sha256, got.size) == (WHEEL.sha256, len(WHEEL.data))
        assert got.path.read_bytes() == WHEEL.data
        server.forget()
        assert catalog.fetch_sha256(candidate) == got
        assert server.count() == 0


def test_metadata_is_asked_for_once_by_many(machine: Machine) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with IndexServer([WHEEL]) as server, machine.catalog(server) as catalog:
        (candidate,) = catalog.offer(SPAM).candidates
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: catalog.metadata(candidate), range(16)))
        assert server.count("/files/*") == 1
