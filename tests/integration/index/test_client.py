"""The client by itself: patience, and its end."""

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import urllib3

from envmgr.index.access import Access
from envmgr.index.client import Client
from envmgr.index.failures import IndexUnreachable
from envmgr.names import IndexName
from tests.support.catalogs import Hours
from tests.support.index_server import CERTIFICATE, IndexServer, Redirect, Slow, Status
from tests.support.wheels import make_wheel

LAB = IndexName("lab")


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    hours = Hours()
    with IndexServer([make_wheel("spam")]) as server:
        server.fail("*", Slow(0.5))
        client = Client(Access(), clock=hours.clock, timeout=urllib3.Timeout(0.1))
        with pytest.raises(IndexUnreachable, match="in time"):
            client.get(f"{server.url}spam/", {}, LAB)
        client.close()
        assert server.count() == 4


def test_a_slow_server_is_waited_for() -> None:
    with IndexServer([make_wheel("spam")]) as server:
        server.fail("*", Slow(0.3))
        client = Client(Access())
        assert client.get(f"{server.url}spam/", {}, LAB).status == 200
        client.close()


def test_a_body_that_is_not_wanted_is_not_read() -> None:
    with IndexServer([make_wheel("spam")]) as server:
        client = Client(Access())
        url = server.file_url("spam-1.0-py3-none-any.whl")
        answer = client.get(url, {}, LAB, wanted=frozenset((206,)))
        assert (answer.status, answer.body) == (200, b"")
        answer = client.get(url, {"Range": "bytes=0-1"}, LAB, wanted=frozenset((206,)))
        assert (answer.status, answer.body) == (206, b"PK")
        client.close()


def test_connections_are_used_again() -> None:
    with IndexServer([make_wheel("spam")]) as server:
        client = Client(Access())
        for _ in range(5):
            client.get(f"{server.url}spam/", {}, LAB)
        client.close()
        assert server.connections == 1


def test_a_status_that_is_the_callers_to_judge_is_returned() -> None:
    with IndexServer() as server:
        client = Client(Access())
        server.fail("*", Status(418))
        assert client.get(server.url, {}, LAB).status == 418
        client.close()


@pytest.mark.parametrize("url", ["gopher://example.org/", "http://", "http://[x", "https:///a"])
def test_what_is_no_web_address_is_unreachable_at_once(url: str) -> None:
    hours = Hours()
    client = Client(Access(), clock=hours.clock)
    with pytest.raises(IndexUnreachable):
        client.get(url, {}, LAB)
    client.close()
    assert hours.slept == []


def test_a_certificate_nobody_vouches_for_is_refused_at_once() -> None:
    hours = Hours()
    with IndexServer([make_wheel("spam")], tls=True) as server:
        client = Client(Access(), clock=hours.clock)
        with pytest.raises(IndexUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
            client.get(f"{server.url}spam/", {}, LAB)
        client.close()
        assert server.count() == 0
    assert hours.slept == []


def test_a_certificate_the_user_vouches_for_is_accepted() -> None:
    with IndexServer([make_wheel("spam")], tls=True) as server:
        client = Client(Access(certificates=str(CERTIFICATE)))
        assert client.get(f"{server.url}spam/", {}, LAB).status == 200
        client.close()


def test_encryption_is_not_given_up_by_a_redirect() -> None:
    with IndexServer([make_wheel("spam")]) as plain, IndexServer(tls=True) as server:
        server.fail("*", Redirect(f"{plain.url}spam/"))
        client = Client(Access(certificates=str(CERTIFICATE)))
        with pytest.raises(IndexUnreachable, match="without encryption"):
            client.get(f"{server.url}spam/", {}, LAB)
        client.close()


def test_a_redirect_to_what_is_no_address_is_told_of() -> None:
    with IndexServer([make_wheel("spam")]) as server:
        server.fail("*", Redirect("http://[::bad/"))
        client = Client(Access())
        with pytest.raises(IndexUnreachable, match="redirects to what is no web address"):
            client.get(f"{server.url}spam/", {}, LAB)
        client.close()


def test_the_addresses_of_a_host_are_looked_up_once_for_all_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []
    real = socket.getaddrinfo

    def counting(*question: Any, **how: Any) -> object:
        asked.append(question[0])
        return real(*question, **how)

    monkeypatch.setattr(socket, "getaddrinfo", counting)
    with IndexServer([make_wheel("spam")]) as server:
        server.fail("*", Slow(0.2))
        client = Client(Access())
        url = f"{server.url}spam/".replace("127.0.0.1", "localhost")
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: client.get(url, {}, LAB).status, range(6)))
        client.close()
        assert answers == [200] * 6
        assert server.connections == 6
    assert asked.count("localhost") == 1


def test_a_host_that_does_not_exist_is_unreachable() -> None:
    hours = Hours()
    client = Client(Access(), clock=hours.clock)
    with pytest.raises(IndexUnreachable, match=r"(?i)name|address"):
        client.get("http://no-such-host.invalid/", {}, LAB)
    client.close()


def test_a_server_that_is_not_there_is_not_called_slow() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = Client(Access(), clock=Hours().clock)
    with pytest.raises(IndexUnreachable, match="Connection refused"):
        client.get(f"http://127.0.0.1:{port}/", {}, LAB)
    client.close()
