"""Requirements on the one wheel at a URL."""

from pathlib import Path

import pytest

from envmgr.errors import ExitCode
from envmgr.index.failures import DirectUnusable, HashMismatch, IndexRefused, IndexUnreachable
from envmgr.names import extra_name
from envmgr.wheel.metadata import CoreMetadata
from envmgr.wheel.requirement import Direct
from tests.support.catalogs import Machine, named
from tests.support.index_server import IndexServer, Status
from tests.support.wheels import Wheel, make_wheel

WHEEL = make_wheel("Spam", "1.5+local", requires=["eggs"])


def direct(url: str, name: str = "spam") -> Direct:
    return Direct(named(name), frozenset({extra_name("x")}), url)


@pytest.mark.parametrize("fragment", ["", f"#sha256={WHEEL.sha256}", "#egg=spam"])
def test_the_wheel_at_a_url_becomes_a_candidate(machine: Machine, fragment: str) -> None:
    with IndexServer([WHEEL]) as server, machine.catalog() as catalog:
        candidate = catalog.direct(direct(server.file_url(WHEEL.filename) + fragment))
        assert (str(candidate.version), candidate.filename) == ("1.5+local", WHEEL.filename)
        assert (candidate.sha256, candidate.size) == (WHEEL.sha256, len(WHEEL.data))
        assert candidate.url == server.file_url(WHEEL.filename)
        found = catalog.metadata(candidate)
        assert isinstance(found, CoreMetadata)
        assert found.requires_dist == ("eggs",)
        assert server.count() == 1


def test_a_local_wheel_is_read_where_it_is(machine: Machine, tmp_path: Path) -> None:
    path = WHEEL.write_to(tmp_path)
    with machine.catalog(offline=True) as catalog:
        candidate = catalog.direct(direct(path.as_uri()))
        assert (candidate.sha256, candidate.url) == (WHEEL.sha256, path.as_uri())
        assert isinstance(catalog.metadata(candidate), CoreMetadata)


def test_a_wrong_hash_is_an_integrity_failure(machine: Machine, tmp_path: Path) -> None:
    path = WHEEL.write_to(tmp_path)
    wrong = f"#sha256={'0' * 64}"
    with IndexServer([WHEEL]) as server, machine.catalog() as catalog:
        for url in (server.file_url(WHEEL.filename), path.as_uri()):
            with pytest.raises(HashMismatch) as caught:
                catalog.direct(direct(url + wrong))
            assert caught.value.exit_code == ExitCode.INTEGRITY
    assert path.exists()
    assert not list(machine.cache.glob("wheels/*"))


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.org/spam-1.tar.gz", "wheel"),
        ("https://example.org/eggs-1-py3-none-any.whl", "eggs"),
        ("https://example.org/spam-1-cp27-cp27m-win32.whl", "not for Python 3.12"),
        ("https://example.org/spam-1-py3-none-any-cuda.whl", "variant"),
        ("http://[x/spam-1-py3-none-any.whl", "cannot be read"),
        ("http://h:99999/spam-1-py3-none-any.whl", "cannot be read"),
        ("git+https://example.org/spam.git@main", "not supported yet"),
        ("ftp://example.org/spam-1-py3-none-any.whl", "not supported yet"),
        ("https://example.org/spam-1-py3-none-any.whl#md5=00", "only sha256"),
        ("https://example.org/spam-1-py3-none-any.whl#sha256=00", "64 hex digits"),
    ],
)
def test_what_cannot_be_taken_is_an_error_of_the_file(
    machine: Machine, url: str, reason: str
) -> None:
    with machine.catalog() as catalog, pytest.raises(DirectUnusable, match=reason) as caught:
        catalog.direct(direct(url))
    assert caught.value.exit_code == ExitCode.DEFINITION


@pytest.mark.parametrize("status", [404, 403, 500])
def test_a_url_that_gives_no_file_is_an_index_failure(machine: Machine, status: int) -> None:
    with IndexServer([WHEEL]) as server, machine.catalog() as catalog:
        server.fail("*", Status(status))
        with pytest.raises(IndexRefused) as caught:
            catalog.direct(direct(server.file_url(WHEEL.filename)))
        assert caught.value.status == status


def test_an_absent_local_wheel_is_an_index_failure(machine: Machine, tmp_path: Path) -> None:
    with machine.catalog() as catalog, pytest.raises(IndexUnreachable):
        catalog.direct(direct((tmp_path / WHEEL.filename).as_uri()))


def test_what_is_at_a_url_may_change_and_is_looked_at_again(machine: Machine) -> None:
    changed = Wheel(WHEEL.filename, make_wheel("Spam", "1.5+local", requires=["ham"]).data)
    with IndexServer([WHEEL]) as server:
        url = server.file_url(WHEEL.filename)

        def sha256(*, offline: bool = False, refresh: bool = False) -> str:
            with machine.catalog(offline=offline, refresh=refresh) as catalog:
                return catalog.direct(direct(url)).sha256

        assert sha256() == WHEEL.sha256
        server.remove(WHEEL.filename)
        server.add(changed)
        assert sha256() == WHEEL.sha256
        assert sha256(refresh=True) == changed.sha256
        machine.hours.at += 601
        server.forget()
        assert sha256() == changed.sha256
        assert server.count() == 1
    machine.hours.at += 1e9
    assert sha256(offline=True) == changed.sha256


def test_offline_a_url_never_seen_is_an_index_failure(machine: Machine) -> None:
    with (
        machine.catalog(offline=True) as catalog,
        pytest.raises(IndexUnreachable, match="offline"),
    ):
        catalog.direct(direct(f"https://example.org/{WHEEL.filename}"))


def test_a_login_in_the_url_is_used_and_not_kept(machine: Machine) -> None:
    with IndexServer([WHEEL], credentials=("me", "secret")) as server, machine.catalog() as catalog:
        url = server.file_url(WHEEL.filename).replace("http://", "http://me:secret@")
        candidate = catalog.direct(direct(url))
        assert candidate.url == server.file_url(WHEEL.filename)
