"""Names, indexes and their order, over real connections."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from envmgr.errors import ExitCode
from envmgr.events import Event, Warned
from envmgr.index.failures import IndexRefused, IndexUnreachable, IndexUnreadable
from envmgr.index.types import Excluded, SourceOnly, UnusableMetadata
from envmgr.wheel.metadata import CoreMetadata
from tests.support.catalogs import Machine, index_at, named, versions
from tests.support.index_server import (
    Hosted,
    IndexServer,
    Redirect,
    Reset,
    Slow,
    Status,
    Truncated,
    hosted,
)
from tests.support.wheels import make_wheel

SPAM = named("spam")


@pytest.mark.parametrize("style", ["json", "html"])
def test_an_index_offers_what_it_has(machine: Machine, style: str) -> None:
    wheels = [make_wheel("spam", version) for version in ("1.0", "1.10", "1.9")]
    with (
        IndexServer([*wheels, Hosted(filename="spam-2.tar.gz")], style=style) as server,  # type: ignore[arg-type]
        machine.catalog(server) as catalog,
    ):
        offer = catalog.offer(SPAM)
        assert [str(candidate.version) for candidate in offer.candidates] == ["1.10", "1.9", "1.0"]
        assert [(str(e.version), e.reason) for e in offer.excluded] == [("2", SourceOnly())]
        assert (offer.index, offer.asked, offer.reserved) == ("lab", (), False)
        best = offer.candidates[0]
        assert (best.sha256, best.url) == (wheels[1].sha256, server.file_url(wheels[1].filename))
        assert catalog.offer(SPAM) is offer


def test_the_first_index_with_the_name_answers_even_if_another_has_more(machine: Machine) -> None:
    with (
        IndexServer([make_wheel("eggs")]) as first,
        IndexServer([make_wheel("spam", "1")]) as second,
        IndexServer([make_wheel("spam", "2")]) as third,
        machine.catalog(
            index_at(first.url, "a"), index_at(second.url, "b"), index_at(third.url, "c")
        ) as catalog,
    ):
        offer = catalog.offer(SPAM)
        assert (offer.index, offer.asked) == ("b", ("a",))
        assert versions(catalog, "spam") == ["1"]
        assert third.count() == 0


def test_a_project_without_files_still_has_the_name(machine: Machine) -> None:
    with (
        IndexServer() as first,
        IndexServer([make_wheel("spam")]) as second,
        machine.catalog(index_at(first.url, "a"), index_at(second.url, "b")) as catalog,
    ):
        first.add_project("spam")
        offer = catalog.offer(SPAM)
        assert (offer.index, offer.candidates, offer.excluded) == ("a", (), ())
        assert second.count() == 0


def test_a_reserved_name_is_asked_of_its_index_alone(machine: Machine) -> None:
    with (
        IndexServer([make_wheel("lab-tools", "9"), make_wheel("spam")]) as world,
        IndexServer([make_wheel("lab-tools", "1"), make_wheel("spam")]) as lab,
        machine.catalog(
            index_at(world.url, "world"), index_at(lab.url, "lab", ("lab-*",))
        ) as catalog,
    ):
        offer = catalog.offer(named("lab-tools"))
        assert (offer.index, offer.reserved) == ("lab", True)
        assert versions(catalog, "lab-tools") == ["1"]
        missing = catalog.offer(named("lab-more"))
        assert (missing.index, missing.asked, missing.reserved) == (None, ("lab",), True)
        assert catalog.offer(SPAM).index == "world"
        assert world.count("/simple/lab-*") == 0
        assert lab.count("/simple/spam/") == 0


@pytest.mark.parametrize("status", [404, 410])
def test_an_index_without_the_name_is_passed_over(machine: Machine, status: int) -> None:
    with (
        IndexServer() as first,
        IndexServer([make_wheel("spam")]) as second,
        machine.catalog(index_at(first.url, "a"), index_at(second.url, "b")) as catalog,
    ):
        first.fail("*", Status(status))
        assert catalog.offer(SPAM).index == "b"
        nobody = catalog.offer(named("nobody"))
        assert (nobody.index, nobody.asked, nobody.candidates) == (None, ("a", "b"), ())


@pytest.mark.parametrize("status", [400, 401, 403, 418, 500, 503])
def test_an_index_that_refuses_is_never_taken_for_one_without_the_name(
    machine: Machine, status: int
) -> None:
    with (
        IndexServer() as first,
        IndexServer([make_wheel("spam")]) as second,
        machine.catalog(index_at(first.url, "a"), index_at(second.url, "b")) as catalog,
    ):
        first.fail("*", Status(status))
        with pytest.raises(IndexRefused) as caught:
            catalog.offer(SPAM)
        assert (caught.value.index, caught.value.status) == ("a", status)
        assert caught.value.exit_code == ExitCode.INDEX
        assert second.count() == 0


def test_an_index_that_nobody_answers_for_is_unreachable(machine: Machine) -> None:
    with IndexServer() as server:
        gone = server.url
    with machine.catalog(index_at(gone)) as catalog, pytest.raises(IndexUnreachable) as caught:
        catalog.offer(SPAM)
    assert caught.value.exit_code == ExitCode.INDEX
    assert len(machine.hours.slept) == 3


@pytest.mark.parametrize("fault", [Status(500), Status(503), Status(429), Reset(), Truncated(20)])
def test_a_fault_that_passes_is_waited_for(machine: Machine, fault: Status | Reset) -> None:
    with IndexServer([make_wheel("spam")]) as server, machine.catalog(server) as catalog:
        server.fail("/simple/*", fault, times=3)
        assert versions(catalog, "spam") == ["1.0"]
        assert server.count("/simple/spam/") == 4
    assert machine.hours.slept == sorted(machine.hours.slept)
    assert len(machine.hours.slept) == 3


def test_a_server_that_asks_for_patience_gets_it(machine: Machine) -> None:
    with IndexServer([make_wheel("spam")]) as server, machine.catalog(server) as catalog:
        server.fail("*", Status(429, {"Retry-After": "17"}), times=1)
        assert versions(catalog, "spam") == ["1.0"]
    assert machine.hours.slept == [17.0]


def test_a_refusal_that_is_no_accident_is_not_repeated(machine: Machine) -> None:
    with IndexServer() as server, machine.catalog(server) as catalog:
        server.fail("*", Status(403))
        with pytest.raises(IndexRefused, match="forbidden"):
            catalog.offer(SPAM)
        assert server.count() == 1


def test_a_failure_is_the_same_for_everybody_who_asks(machine: Machine) -> None:
    with IndexServer() as server, machine.catalog(server) as catalog:
        server.fail("*", Status(403))
        for _ in range(2):
            with pytest.raises(IndexRefused):
                catalog.offer(SPAM)
        assert server.count() == 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/vnd.pypi.simple.v1+json", b"{"),
        ("application/vnd.pypi.simple.v1+json", b'{"meta": {"api-version": "2.0"}, "files": []}'),
        ("application/octet-stream", b""),
        ("text/html", b'<form action="/login"><input name="key" type="Password"></form>'),
    ],
)
def test_what_is_no_page_is_an_index_failure(machine: Machine, kind: str, body: bytes) -> None:
    with IndexServer() as server, machine.catalog(server) as catalog:
        server.pages["/simple/spam/"] = (kind, body)
        with pytest.raises(IndexUnreadable) as caught:
            catalog.offer(SPAM)
        assert caught.value.exit_code == ExitCode.INDEX


def test_urls_are_relative_to_where_a_redirect_led(machine: Machine) -> None:
    wheel = make_wheel("spam", requires=["eggs"])
    with (
        IndexServer([wheel]) as real,
        IndexServer() as front,
        machine.catalog(front) as catalog,
    ):
        front.fail("/simple/spam/", Redirect(f"{real.url}spam/"))
        (candidate,) = catalog.offer(SPAM).candidates
        assert candidate.url == real.file_url(wheel.filename)
        found = catalog.metadata(candidate)
        assert isinstance(found, CoreMetadata)
        assert found.requires_dist == ("eggs",)


def test_a_circle_of_redirects_is_given_up(machine: Machine) -> None:
    with IndexServer() as server, machine.catalog(server) as catalog:
        server.fail("*", Redirect("/simple/spam/"))
        with pytest.raises(IndexUnreachable, match="circles"):
            catalog.offer(SPAM)


def test_a_login_in_the_url_is_used_for_pages_and_files_and_never_shown(machine: Machine) -> None:
    with IndexServer([make_wheel("spam")], credentials=("me", "p@ss")) as server:
        url = server.url.replace("http://", "http://me:p%40ss@")
        with machine.catalog(index_at(url)) as catalog:
            (candidate,) = catalog.offer(SPAM).candidates
            assert isinstance(catalog.metadata(candidate), CoreMetadata)
            assert candidate.url == server.file_url(candidate.filename)
    kept = b"".join(path.read_bytes() for path in machine.cache.rglob("*") if path.is_file())
    assert b"p@ss" not in kept
    assert b"p%40ss" not in kept


def test_netrc_gives_logins_by_host(machine: Machine, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    with (
        IndexServer([make_wheel("spam")], credentials=("me", "secret")) as server,
        machine.catalog(server, environ={"NETRC": str(netrc)}) as catalog,
    ):
        assert versions(catalog, "spam") == ["1.0"]


@pytest.mark.parametrize("content", [None, "machine", "\0"])
def test_an_unusable_netrc_is_told_once_and_no_more(
    machine: Machine, tmp_path: Path, content: str | None
) -> None:
    netrc = tmp_path / "netrc"
    if content is not None:
        netrc.write_text(content)
    told: list[Event] = []
    with (
        IndexServer([make_wheel("spam"), make_wheel("eggs")]) as server,
        machine.catalog(server, environ={"NETRC": str(netrc)}, report=told.append) as catalog,
    ):
        assert versions(catalog, "spam") == versions(catalog, "eggs") == ["1.0"]
    assert [type(event) for event in told] == [Warned]


def test_without_a_login_an_index_that_wants_one_refuses_and_says_what_to_do(
    machine: Machine,
) -> None:
    with (
        IndexServer([make_wheel("spam")], credentials=("me", "secret")) as server,
        machine.catalog(server) as catalog,
        pytest.raises(IndexRefused, match="credentials") as caught,
    ):
        catalog.offer(SPAM)
    assert "netrc" in (caught.value.hint or "")


def test_a_login_is_not_sent_to_another_host(machine: Machine) -> None:
    wheel = make_wheel("spam")
    with IndexServer([wheel]) as other, IndexServer(credentials=("me", "secret")) as server:
        server.fail(
            "/simple/spam/", Redirect(other.url.replace("127.0.0.1", "localhost") + "spam/")
        )
        url = server.url.replace("http://", "http://me:secret@")
        with machine.catalog(index_at(url)) as catalog:
            (candidate,) = catalog.offer(SPAM).candidates
            catalog.metadata(candidate)
        assert other.count() >= 2
        assert not [seen for seen in other.seen if "authorization" in seen.headers]


def test_a_proxy_is_used_unless_the_host_is_exempt(machine: Machine) -> None:
    with IndexServer([make_wheel("spam")]) as proxy:
        environ = {"http_proxy": proxy.root}
        with machine.catalog(
            index_at("http://index.example.org/simple/"), environ=environ
        ) as catalog:
            assert versions(catalog, "spam") == ["1.0"]
        assert proxy.seen[0].headers["host"] == "index.example.org"
    with (
        IndexServer([make_wheel("eggs")]) as server,
        machine.catalog(server, environ=environ | {"no_proxy": "127.0.0.1"}) as catalog,
    ):
        assert versions(catalog, "eggs") == ["1.0"]


def test_an_unusable_proxy_or_certificate_is_an_index_failure(
    machine: Machine, tmp_path: Path
) -> None:
    for environ in (
        {"http_proxy": "socks9://example.org"},
        {"SSL_CERT_FILE": str(tmp_path / "absent.pem")},
    ):
        with (
            IndexServer([make_wheel("spam")]) as server,
            machine.catalog(server, environ=environ) as catalog,
            pytest.raises(IndexUnreachable),
        ):
            catalog.offer(SPAM)


def test_requests_say_who_asks(machine: Machine) -> None:
    with IndexServer([make_wheel("spam")]) as server, machine.catalog(server) as catalog:
        catalog.offer(SPAM)
        assert server.seen[0].headers["user-agent"].startswith("envmgr/")
        assert "application/vnd.pypi.simple.v1+json" in server.seen[0].headers["accept"]


def test_exclude_newer_fails_closed(machine: Machine) -> None:
    wheels = [
        hosted(make_wheel("spam", "1"), upload_time="2026-01-01T00:00:00Z"),
        hosted(make_wheel("spam", "2"), upload_time="2026-06-01T00:00:00Z"),
        hosted(make_wheel("spam", "3"), upload_time=None),
    ]
    with IndexServer(wheels) as server:
        with machine.catalog(server, exclude_newer=datetime(2026, 3, 1, tzinfo=UTC)) as catalog:
            assert versions(catalog, "spam") == ["1"]
        with machine.catalog(server) as catalog:
            assert versions(catalog, "spam") == ["3", "2", "1"]


def test_prefetch_runs_ahead_through_requirements_that_hold(machine: Machine) -> None:
    wheels = [
        make_wheel(
            "spam", requires=["eggs[fry] <2", 'oil; sys_platform == "win32"', "not a requirement"]
        ),
        make_wheel(
            "eggs", "1", requires=['pan; extra == "fry"', 'fork; extra == "eat"'], extras=["fry"]
        ),
        make_wheel("eggs", "2", requires=["never"]),
        make_wheel("pan", requires=["spam"]),
    ]
    with IndexServer(wheels) as server, machine.catalog(server) as catalog:
        catalog.prefetch([SPAM])
        wait_until(lambda: server.count("/files/pan*") == 1)
        server.forget()
        for name in ("spam", "eggs", "pan"):
            offer = catalog.offer(named(name))
            assert isinstance(catalog.metadata(offer.candidates[-1]), CoreMetadata)
        assert server.count() == 0


def test_what_fails_ahead_stays_silent_until_somebody_asks(machine: Machine) -> None:
    with (
        IndexServer([make_wheel("spam", requires=["eggs"])]) as server,
        machine.catalog(server) as catalog,
    ):
        server.fail("/simple/eggs/", Status(403))
        catalog.prefetch([SPAM])
        wait_until(lambda: server.count("/simple/eggs/") == 1)
        assert versions(catalog, "spam") == ["1.0"]
        with pytest.raises(IndexRefused):
            catalog.offer(named("eggs"))
        assert server.count("/simple/eggs/") == 1


def test_closing_does_not_wait_for_a_slow_server(machine: Machine) -> None:
    released = threading.Event()
    with IndexServer([make_wheel("spam")]) as server:
        server.fail("*", Slow(1.5))

        def prefetch_and_close() -> None:
            with machine.catalog(server) as catalog:
                catalog.prefetch([SPAM])
                wait_until(lambda: server.count() == 1)
            released.set()

        thread = threading.Thread(target=prefetch_and_close)
        thread.start()
        assert released.wait(1.0)
        thread.join()
        wait_until(lambda: not [t for t in threading.enumerate() if t.name.startswith("index-")])


def test_a_quarantined_project_offers_nothing_and_says_why(machine: Machine) -> None:
    body = b"""{"meta": {"api-version": "1.4"}, "files": [],
        "project-status": {"status": "quarantined", "reason": "malware"}}"""
    with IndexServer() as server:
        server.pages["/simple/spam/"] = ("application/vnd.pypi.simple.v1+json", body)
        for _ in range(2):
            with machine.catalog(server) as catalog:
                offer = catalog.offer(SPAM)
                assert (offer.index, offer.note) == ("lab", "quarantined: malware")
        assert server.count() == 1


# -- directories --------------------------------------------------------------------------


def test_a_directory_of_wheels_is_an_index(machine: Machine, tmp_path: Path) -> None:
    pool = tmp_path / "pool of 100% wheels#1"
    pool.mkdir()
    wheel = make_wheel("Spam.Extra", "1.0+local", requires=["eggs"])
    wheel.write_to(pool)
    make_wheel("spam", "2").write_to(pool)
    (pool / "notes.txt").write_text("not a wheel")
    (pool / "spam-9.whl").mkdir()
    spec = index_at(f"file://{quote(str(pool))}/")
    with machine.catalog(spec) as catalog:
        (candidate,) = catalog.offer(named("spam-extra")).candidates
        assert (candidate.size, candidate.sha256) == (len(wheel.data), None)
        found = catalog.metadata(candidate)
        assert isinstance(found, CoreMetadata)
        assert found.requires_dist == ("eggs",)
        got = catalog.fetch_sha256(candidate)
        assert (got.sha256, got.path) == (wheel.sha256, pool / wheel.filename)
        assert versions(catalog, "spam") == ["2"]
        assert catalog.offer(named("eggs")).index is None


def test_a_directory_may_have_a_folder_for_each_project(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "Spam_Extra"
    folder.mkdir()
    make_wheel("spam-extra", "1").write_to(folder)
    (folder / "spam_extra-3.tar.gz").write_bytes(b"")
    make_wheel("spam-extra", "2").write_to(tmp_path)
    (tmp_path / "empty").mkdir()
    with machine.catalog(tmp_path) as catalog:
        offer = catalog.offer(named("spam-extra"))
        assert [str(candidate.version) for candidate in offer.candidates] == ["2", "1"]
        assert [e.version.public for e in offer.excluded] == ["3"]
        assert all(
            isinstance(catalog.metadata(candidate), CoreMetadata) for candidate in offer.candidates
        )
        empty = catalog.offer(named("empty"))
        assert (empty.index, empty.candidates) == ("lab", ())


def test_a_folder_may_have_a_page_with_relative_links(machine: Machine, tmp_path: Path) -> None:
    pool = tmp_path / "files"
    pool.mkdir()
    wheel = make_wheel("spam")
    wheel.write_to(pool)
    folder = tmp_path / "simple" / "spam"
    folder.mkdir(parents=True)
    link = f"../../files/{quote(wheel.filename)}#sha256={wheel.sha256}"
    (folder / "index.html").write_text(f'<a href="{link}" data-requires-python="&gt;=3">x</a>')
    with machine.catalog(tmp_path / "simple") as catalog:
        (candidate,) = catalog.offer(SPAM).candidates
        assert candidate.url == (pool / wheel.filename).as_uri()
        assert (candidate.sha256, candidate.requires_python) == (wheel.sha256, ">=3")
        assert isinstance(catalog.metadata(candidate), CoreMetadata)


def test_a_page_in_a_directory_may_lead_to_a_server(machine: Machine, tmp_path: Path) -> None:
    wheel = make_wheel("spam", requires=["eggs"])
    with IndexServer([wheel]) as server:
        folder = tmp_path / "spam"
        folder.mkdir()
        (folder / "index.html").write_text(f'<a href="{server.file_url(wheel.filename)}">x</a>')
        with machine.catalog(tmp_path) as catalog:
            (candidate,) = catalog.offer(SPAM).candidates
            assert isinstance(catalog.metadata(candidate), CoreMetadata)


@pytest.mark.parametrize("kind", ["absent", "file", "elsewhere"])
def test_a_directory_that_cannot_be_read_is_unreachable(
    machine: Machine, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "file").write_text("")
    url = (
        "file://elsewhere.example.org/wheels/"
        if kind == "elsewhere"
        else (tmp_path / kind).as_uri() + "/"
    )
    with machine.catalog(index_at(url)) as catalog, pytest.raises(IndexUnreachable) as caught:
        catalog.offer(SPAM)
    assert caught.value.exit_code == ExitCode.INDEX


def test_a_broken_wheel_in_a_directory_has_unusable_metadata(
    machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "spam-1-py3-none-any.whl").write_bytes(b"no archive")
    make_wheel("eggs", "1", filename="spam-2-py3-none-any.whl").write_to(tmp_path)
    with machine.catalog(tmp_path) as catalog:
        found = [catalog.metadata(candidate) for candidate in catalog.offer(SPAM).candidates]
        assert [type(metadata) for metadata in found] == [UnusableMetadata] * 2
        assert found[0] == UnusableMetadata("its METADATA is of eggs 1")


def test_a_directory_knows_no_upload_times(machine: Machine, tmp_path: Path) -> None:
    make_wheel("spam").write_to(tmp_path)
    with machine.catalog(tmp_path, exclude_newer=datetime(2030, 1, 1, tzinfo=UTC)) as catalog:
        offer = catalog.offer(SPAM)
        assert offer.candidates == ()
        assert [type(excluded) for excluded in offer.excluded] == [Excluded]


def wait_until(holds: Callable[[], object]) -> None:
    """Wait for something that threads do."""
    pause = threading.Event()
    for _ in range(1_000):
        if holds():
            return
        pause.wait(0.01)
    pytest.fail("it did not happen within 10 seconds")
