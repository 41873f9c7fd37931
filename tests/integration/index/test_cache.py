"""What is asked again, when, and what is not."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from envmgr.errors import ExitCode
from envmgr.index.cache import CHOICES, Body, IndexCache, PageHead, PageRecord
from envmgr.index.catalog import target_key
from envmgr.index.failures import IndexRefused, IndexUnreachable
from envmgr.index.remote import cache_address
from envmgr.wheel.metadata import CoreMetadata
from tests.support.catalogs import Machine, index_at, named, versions
from tests.support.index_server import IndexServer, Status
from tests.support.locks import target_for
from tests.support.wheels import make_wheel

SPAM = named("spam")
PAGE = "/simple/spam/"


def look(
    machine: Machine, server: IndexServer, *, offline: bool = False, refresh: bool = False
) -> list[str]:
    """Open a catalog, ask for everything about spam, and close it."""
    with machine.catalog(server, offline=offline, refresh=refresh) as catalog:
        for candidate in catalog.offer(SPAM).candidates:
            assert isinstance(catalog.metadata(candidate), CoreMetadata)
        return versions(catalog, "spam")


def server_of(**kind: object) -> IndexServer:
    wheels = [make_wheel("spam", "1"), make_wheel("spam", "2", tag="cp312-cp312-win_amd64")]
    return IndexServer(wheels, **kind)  # type: ignore[arg-type]


def test_a_fresh_page_is_not_asked_for_again(machine: Machine) -> None:
    with server_of() as server:
        assert look(machine, server) == ["1"]
        server.forget()
        machine.hours.at += 599
        assert look(machine, server) == ["1"]
        assert server.count() == 0
        machine.hours.at += 2
        assert look(machine, server) == ["1"]
        assert server.counts() == {PAGE: 1}


def test_the_servers_word_on_freshness_is_honoured(machine: Machine) -> None:
    with server_of(cache_control="max-age=60") as server:
        look(machine, server)
        machine.hours.at += 59
        look(machine, server)
        assert server.count(PAGE) == 1
        machine.hours.at += 2
        look(machine, server)
        assert server.count(PAGE) == 2


def test_what_must_not_be_stored_is_not(machine: Machine) -> None:
    with server_of(cache_control="no-store") as server:
        look(machine, server)
        look(machine, server)
        assert server.count(PAGE) == 2
        with pytest.raises(IndexUnreachable):
            look(machine, server, offline=True)


def test_a_stale_page_that_did_not_change_is_not_sent_again(machine: Machine) -> None:
    with server_of(etag=True) as server:
        look(machine, server)
        machine.hours.at += 3600
        server.forget()
        assert look(machine, server) == ["1"]
        assert "if-none-match" in server.seen[0].headers
        machine.hours.at += 599
        look(machine, server)
        assert server.count() == 1


def test_a_stale_page_that_changed_is_read_anew(machine: Machine) -> None:
    with server_of(etag=True) as server:
        look(machine, server)
        server.add(make_wheel("spam", "3"))
        assert look(machine, server) == ["1"]
        machine.hours.at += 3600
        assert look(machine, server) == ["3", "1"]


def test_refresh_asks_again_and_is_told_that_nothing_changed(machine: Machine) -> None:
    with server_of(etag=True) as server:
        look(machine, server)
        server.forget()
        assert look(machine, server, refresh=True) == ["1"]
        assert server.counts() == {PAGE: 1}
        assert "if-none-match" in server.seen[0].headers
        server.add(make_wheel("spam", "3"))
        assert look(machine, server, refresh=True) == ["3", "1"]


def test_a_clock_that_went_back_makes_nothing_fresh(machine: Machine) -> None:
    with server_of() as server:
        look(machine, server)
        machine.hours.at -= 100
        look(machine, server)
        assert server.count(PAGE) == 2


def test_that_a_name_is_absent_is_remembered_for_ten_minutes(machine: Machine) -> None:
    with server_of() as server:
        for _ in range(2):
            with machine.catalog(server) as catalog:
                assert catalog.offer(named("eggs")).index is None
        assert server.count("/simple/eggs/") == 1
        server.add(make_wheel("eggs"))
        machine.hours.at += 601
        with machine.catalog(server) as catalog:
            assert versions(catalog, "eggs") == ["1.0"]


def test_a_failure_is_not_remembered(machine: Machine) -> None:
    with server_of() as server:
        server.fail(PAGE, Status(403))
        with pytest.raises(IndexRefused):
            look(machine, server)
        server.heal()
        assert look(machine, server) == ["1"]


def test_a_failure_to_revalidate_is_a_failure_and_spoils_nothing(machine: Machine) -> None:
    with server_of(etag=True) as server:
        look(machine, server)
        machine.hours.at += 3600
        server.fail(PAGE, Status(500))
        with pytest.raises(IndexRefused):
            look(machine, server)
        assert look(machine, server, offline=True) == ["1"]


def test_offline_takes_whatever_is_there_however_old(machine: Machine) -> None:
    with server_of() as server:
        look(machine, server)
    machine.hours.at += 1e9
    assert look(machine, server, offline=True) == ["1"]


def test_offline_a_page_that_is_not_there_is_an_index_failure(machine: Machine) -> None:
    with server_of() as server, machine.catalog(server, offline=True) as catalog:
        with pytest.raises(IndexUnreachable, match="offline") as caught:
            catalog.offer(SPAM)
        assert caught.value.exit_code == ExitCode.INDEX
        assert caught.value.hint is not None
        assert server.count() == 0


def test_offline_metadata_that_is_not_there_is_an_index_failure(machine: Machine) -> None:
    with server_of() as server:
        with machine.catalog(server) as catalog:
            catalog.offer(SPAM)
        with machine.catalog(server, offline=True) as catalog:
            (candidate,) = catalog.offer(SPAM).candidates
            with pytest.raises(IndexUnreachable, match="offline"):
                catalog.metadata(candidate)


def test_metadata_is_kept_for_good(machine: Machine) -> None:
    with server_of() as server:
        look(machine, server)
        machine.hours.at += 1e9
        server.forget()
        look(machine, server)
        assert server.counts() == {PAGE: 1}


def test_a_page_in_the_cache_serves_every_target(machine: Machine) -> None:
    with server_of() as server:
        look(machine, server)
        old = machine.with_target(target_for((3, 9, 1)))
        server.add(make_wheel("spam", "3"))
        with old.catalog(server) as catalog:
            assert versions(catalog, "spam") == ["1"]
        cutoff = datetime(2025, 1, 1, tzinfo=UTC)
        with machine.catalog(server, exclude_newer=cutoff) as catalog:
            assert versions(catalog, "spam") == []
        assert look(machine, server) == ["1"]
        assert server.count(PAGE) == 1


def test_two_indexes_do_not_share_what_they_say(machine: Machine) -> None:
    with (
        server_of() as first,
        IndexServer([make_wheel("spam", "7")]) as second,
    ):
        assert look(machine, first) == ["1"]
        assert look(machine, second) == ["7"]
        assert look(machine, first) == ["1"]
        assert (first.count(PAGE), second.count(PAGE)) == (1, 1)


def test_an_index_may_change_its_name_and_keep_its_cache(machine: Machine) -> None:
    with server_of() as server:
        look(machine, server)
        with machine.catalog(index_at(server.url, "other")) as catalog:
            assert catalog.offer(SPAM).candidates[0].index == "other"
        assert server.count(PAGE) == 1


@pytest.mark.parametrize("damage", [b"", b"x", b"\0" * 400, None])
@pytest.mark.parametrize("which", ["pages/*", "metadata/*", "*"])
def test_a_damaged_cache_is_as_good_as_none(
    machine: Machine, damage: bytes | None, which: str
) -> None:
    with server_of(etag=True) as server:
        look(machine, server)
        hit = 0
        for path in files_like(machine.cache, which):
            data = path.read_bytes()
            path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]) if damage is None else damage)
            hit += 1
        assert hit
        assert look(machine, server) == ["1"]
        machine.hours.at += 3600
        assert look(machine, server) == ["1"]


def test_damage_that_would_still_be_readable_is_noticed(machine: Machine) -> None:
    with IndexServer([make_wheel("spam", "1", requires=["eggs"])]) as server:
        look(machine, server)
        damaged = 0
        for path in files_like(machine.cache, "*"):
            data = path.read_bytes()
            if b"eggs" in data or b"spam-1-" in data:
                path.write_bytes(data.replace(b"eggs", b"eggz").replace(b"spam-1-", b"spam-2-"))
                damaged += 1
        assert damaged >= 2
        with machine.catalog(server) as catalog:
            (candidate,) = catalog.offer(SPAM).candidates
            found = catalog.metadata(candidate)
            assert candidate.filename == "spam-1-py3-none-any.whl"
            assert isinstance(found, CoreMetadata)
            assert found.requires_dist == ("eggs",)


@pytest.mark.parametrize("kept", [0, 3, 40, -1])
def test_a_page_is_fetched_whole_if_it_is_not_whole_in_the_cache(
    machine: Machine, kept: int
) -> None:
    other = machine.with_target(target_for((3, 9, 1)))
    with server_of(etag=True) as server:
        look(machine, server)
        (path,) = files_like(machine.cache, "pages/*")
        path.write_bytes(path.read_bytes()[:kept])
        assert look(other, server) == ["1"]
        assert server.count(PAGE) == 2
        machine.hours.at += 3600
        assert look(other, server) == ["1"]
        assert "if-none-match" in server.seen[-1].headers


def test_a_page_that_was_still_right_still_serves_every_target(machine: Machine) -> None:
    with server_of(etag=True) as server:
        look(machine, server)
        machine.hours.at += 3600
        look(machine, server)
        other = machine.with_target(target_for((3, 9, 1)))
        assert look(other, server) == ["1"]
        assert look(machine, server) == ["1"]
        assert server.count(PAGE) == 2


def test_what_was_chosen_is_not_put_beside_a_page_that_another_process_wrote(
    tmp_path: Path,
) -> None:
    cache = IndexCache(tmp_path, "https://example.org/simple/")
    before = PageRecord(PageHead(True, 1.0, 2.0, "before"))
    after = PageRecord(PageHead(True, 3.0, 4.0, "after"))
    body = Body("https://example.org/simple/spam/", "text/html", b"<a>")
    cache.keep_page("spam", after, body)
    cache.keep_record("spam", before.choosing("target", b"choice"), before.head)
    assert cache.record("spam") == after
    assert cache.body("spam", before.head) is None
    cache.keep_record("spam", after.choosing("target", b"choice"), after.head)
    assert cache.record("spam") == after.choosing("target", b"choice")
    assert cache.body("spam", after.head) == body


def test_choices_are_kept_for_the_latest_targets(machine: Machine) -> None:
    with server_of() as server:
        for micro in range(CHOICES + 2):
            look(machine.with_target(target_for((3, 12, micro))), server)
        index = IndexCache(machine.cache, cache_address(index_at(server.url)))
        record = index.record("spam")
        assert record is not None
        latest = [target_key(target_for((3, 12, micro)), None) for micro in range(CHOICES + 2)][2:]
        assert list(record.choices) == latest
        assert server.count(PAGE) == 1


def test_a_cache_that_cannot_be_written_costs_nothing_but_time(machine: Machine) -> None:
    machine.cache.parent.mkdir(exist_ok=True)
    machine.cache.write_text("in the way")
    with server_of() as server:
        assert look(machine, server) == ["1"]
        assert look(machine, server) == ["1"]
        assert server.count(PAGE) == 2


def test_a_warm_run_imports_no_http_client(machine: Machine) -> None:
    with server_of() as server:
        look(machine, server)
        program = f"""
import sys
from pathlib import Path
from tests.support.catalogs import Machine, Hours, index_at, named
with Machine(Path({str(machine.cache)!r}), Hours()).catalog(index_at({server.url!r})) as catalog:
    catalog.prefetch([named("spam")])
    (candidate,) = catalog.offer(named("spam")).candidates
    catalog.metadata(candidate)
heavy = {{"urllib3", "truststore", "envmgr.index.client", "envmgr.index.html_pages"}}
heavy &= set(sys.modules)
sys.exit(f"imported {{heavy}}" if heavy else 0)
"""
        server.forget()
        found = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert (found.returncode, found.stderr) == (0, "")
        assert server.count() == 0


def files_like(cache: Path, pattern: str) -> list[Path]:
    return [path for path in cache.rglob(pattern) if path.is_file()]
