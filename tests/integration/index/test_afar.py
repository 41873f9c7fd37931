"""Pages asked for by another process: the answers, the failures and the cache are the same."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from envmgr.errors import ExitCode
from envmgr.events import Event, Warned
from envmgr.helper import Helper
from envmgr.index.failures import IndexRefused, IndexUnreachable, IndexUnreadable
from envmgr.index.types import Offer
from envmgr.index.workers import ASKING_AT_ONCE
from envmgr.wheel.metadata import CoreMetadata
from tests.support.catalogs import Machine, index_at, named, versions
from tests.support.index_server import Hosted, IndexServer, Slow, Status, hosted
from tests.support.values import replace
from tests.support.wheels import make_wheel

SPAM = named("spam")
NAMES = ("spam", "unheard-of")


@pytest.fixture(scope="module")
def running() -> Iterator[Helper]:
    with Helper(ASKING_AT_ONCE) as helper:
        yield helper


@pytest.fixture
def helper(running: Helper) -> Helper:
    return running


def answer(machine: Machine, server: IndexServer, helper: Helper | None, name: str) -> Offer:
    with machine.catalog(server, helper=helper) as catalog:
        return catalog.offer(named(name))


@pytest.mark.parametrize("style", ["json", "html"])
def test_the_offer_is_the_one_that_would_be_made_here(
    tmp_path: Path, helper: Helper, style: str
) -> None:
    wheels = [make_wheel("spam", version) for version in ("1.0", "1.10", "1.9")]
    files = [
        *wheels,
        Hosted(filename="spam-2.tar.gz"),
        make_wheel("spam", "3", tag="cp27-cp27m-any"),
    ]
    with IndexServer(files, style=style) as server:  # type: ignore[arg-type]
        here, absent = (answer(Machine(tmp_path / "here"), server, None, name) for name in NAMES)
        there = tuple(answer(Machine(tmp_path / "there"), server, helper, name) for name in NAMES)
    assert [str(each.version) for each in here.candidates] == ["1.10", "1.9", "1.0"]
    assert [str(each.version) for each in here.excluded] == ["3", "2"]
    assert absent.index is None
    assert there == (here, absent)


def test_a_page_is_kept_and_not_asked_for_again(machine: Machine, helper: Helper) -> None:
    with IndexServer([make_wheel("spam")]) as server:
        first = answer(machine, server, helper, "spam")
        assert server.count("/simple/spam/") == 1
        assert answer(machine, server, helper, "spam") == first
        assert server.count("/simple/spam/") == 1
        with machine.catalog(server, offline=True) as catalog:
            assert catalog.offer(SPAM) == first


def test_what_did_not_change_is_not_sent_again(machine: Machine, helper: Helper) -> None:
    with IndexServer([make_wheel("spam")], etag=True) as server:
        first = answer(machine, server, helper, "spam")
        server.forget()
        with machine.catalog(server, helper=helper, refresh=True) as catalog:
            assert catalog.offer(SPAM) == first
        (again,) = server.seen
        assert again.headers["if-none-match"]


def test_the_next_index_is_asked_for_what_the_first_lacks(machine: Machine, helper: Helper) -> None:
    with (
        IndexServer([make_wheel("eggs")]) as first,
        IndexServer([make_wheel("spam")]) as second,
        machine.catalog(
            index_at(first.url, "a"), index_at(second.url, "b"), helper=helper
        ) as catalog,
    ):
        offer = catalog.offer(SPAM)
        assert (offer.index, offer.asked) == ("b", ("a",))


def test_files_newer_than_wanted_are_not_there(machine: Machine, helper: Helper) -> None:
    old = replace(hosted(make_wheel("spam", "1")), upload_time="2024-01-01T00:00:00Z")
    new = replace(hosted(make_wheel("spam", "2")), upload_time="2025-01-01T00:00:00Z")
    with (
        IndexServer([old, new]) as server,
        machine.catalog(
            server, helper=helper, exclude_newer=datetime(2024, 6, 1, tzinfo=UTC)
        ) as catalog,
    ):
        assert versions(catalog, "spam") == ["1"]


def test_failures_are_raised_as_they_would_be_here(machine: Machine, helper: Helper) -> None:
    with IndexServer([make_wheel("spam")]) as server:
        server.fail("/simple/spam/", Status(403))
        server.pages["/simple/eggs/"] = ("application/json", b"{")
        with machine.catalog(server, helper=helper) as catalog:
            with pytest.raises(IndexRefused, match="403") as refused:
                catalog.offer(SPAM)
            with pytest.raises(IndexUnreadable, match="JSON"):
                catalog.offer(named("eggs"))
    assert (refused.value.index, refused.value.exit_code) == ("lab", ExitCode.INDEX)
    with (
        machine.catalog(index_at(server.url), helper=helper) as catalog,
        pytest.raises(IndexUnreachable, match="refused"),
    ):
        catalog.offer(SPAM)


def test_logins_reach_the_index_and_never_the_cache(machine: Machine, helper: Helper) -> None:
    with IndexServer([make_wheel("spam")], credentials=("me", "p@ss")) as server:
        url = server.url.replace("http://", "http://me:p%40ss@")
        with machine.catalog(index_at(url), helper=helper) as catalog:
            (candidate,) = catalog.offer(SPAM).candidates
            assert isinstance(catalog.metadata(candidate), CoreMetadata)
    kept = b"".join(path.read_bytes() for path in machine.cache.rglob("*") if path.is_file())
    assert kept
    assert b"p@ss" not in kept
    assert b"p%40ss" not in kept


def test_netrc_counts_there_too_and_is_complained_of_once(
    machine: Machine, helper: Helper, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    told: list[Event] = []
    with IndexServer([make_wheel("spam")], credentials=("me", "secret")) as server:
        with machine.catalog(server, helper=helper, environ={"NETRC": str(netrc)}) as catalog:
            assert versions(catalog, "spam") == ["1.0"]
        netrc.write_text("machine")
        with (
            machine.catalog(
                server,
                helper=helper,
                refresh=True,
                environ={"NETRC": str(netrc)},
                report=told.append,
            ) as catalog,
            pytest.raises(IndexRefused, match="credentials"),
        ):
            catalog.offer(SPAM)
    assert [type(event) for event in told] == [Warned]


def test_a_netrc_that_no_index_needs_is_not_complained_of(machine: Machine, helper: Helper) -> None:
    told: list[Event] = []
    with IndexServer([make_wheel("spam")], credentials=("me", "secret")) as server:
        url = server.url.replace("http://", "http://me:secret@")
        with machine.catalog(
            index_at(url), helper=helper, environ={"NETRC": "/nowhere/netrc"}, report=told.append
        ) as catalog:
            assert versions(catalog, "spam") == ["1.0"]
    assert not told


def test_closing_waits_for_no_process_that_was_not_asked(machine: Machine) -> None:
    with IndexServer() as server, Helper(ASKING_AT_ONCE) as helper:
        process = helper.submit(os.getpid).result()
        os.kill(process, signal.SIGSTOP)
        os.waitpid(process, os.WUNTRACED)
        unanswered = helper.submit(os.getpid)
        with machine.catalog(server, helper=helper):
            assert not server.seen
        assert not unanswered.done()


def test_closing_waits_for_no_server(machine: Machine) -> None:
    names = [f"slow-{number}" for number in range(40)]
    with (
        IndexServer([make_wheel("spam"), *map(make_wheel, names)]) as server,
        Helper(ASKING_AT_ONCE) as helper,
    ):
        server.fail("/simple/slow-*", Slow(4))
        with machine.catalog(server, helper=helper) as catalog:
            catalog.prefetch(map(named, names))
            assert versions(catalog, "spam") == ["1.0"]
            began = time.monotonic()
        assert time.monotonic() - began < 3
        with machine.catalog(server, offline=True) as catalog:
            assert versions(catalog, "spam") == ["1.0"]


def test_a_process_that_is_ended_after_its_last_answer_is_not_missed(machine: Machine) -> None:
    with IndexServer([make_wheel("spam")]) as server, Helper(ASKING_AT_ONCE) as helper:
        with machine.catalog(server, helper=helper) as catalog:
            offer = catalog.offer(SPAM)
            os.kill(helper.submit(os.getpid).result(), signal.SIGKILL)
        assert [str(each.version) for each in offer.candidates] == ["1.0"]


def test_what_a_process_that_was_ended_leaves_is_asked_for_here(machine: Machine) -> None:
    with IndexServer([make_wheel("spam")]) as server, Helper(ASKING_AT_ONCE) as helper:
        os.kill(helper.submit(os.getpid).result(), signal.SIGKILL)
        offer = answer(machine, server, helper, "spam")
        assert [str(each.version) for each in offer.candidates] == ["1.0"]
        assert server.count("/simple/spam/") == 1
        with machine.catalog(server, offline=True) as catalog:
            assert catalog.offer(SPAM) == offer


def test_what_was_being_asked_at_the_end_is_not_asked_again(machine: Machine) -> None:
    with IndexServer([make_wheel("slow")]) as server:
        server.fail("/simple/slow/", Slow(2), times=1)
        with Helper(ASKING_AT_ONCE) as helper, machine.catalog(server, helper=helper) as catalog:
            catalog.prefetch([named("slow")])
            while not server.count("/simple/slow/"):
                time.sleep(0.01)
        for thread in threading.enumerate():
            if thread.name.startswith("index-"):
                thread.join(20)
        assert server.count("/simple/slow/") == 1
