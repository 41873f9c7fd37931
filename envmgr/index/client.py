"""Speaks HTTP: patient, and careful with logins. urllib3 is imported with the first client."""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

import urllib3
from msgspec import Struct
from urllib3.exceptions import (
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ProxyError,
)
from urllib3.exceptions import TimeoutError as NoAnswer
from urllib3.util import make_headers

from envmgr import __version__
from envmgr.errors import IndexFailure
from envmgr.index.access import Access, proxy_for
from envmgr.index.addresses import without_secrets
from envmgr.index.clock import SYSTEM_CLOCK, Clock
from envmgr.index.connections import basic_authorization, open_pools
from envmgr.index.failures import IndexRefused, IndexUnreachable
from envmgr.index.freshness import retry_after
from envmgr.index.logins import Logins
from envmgr.names import IndexName

RETRIES = 3
"""How often a request is repeated before it counts as failed."""
REDIRECTS = 20
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 30.0
"""Seconds; also for what a server asks by Retry-After."""
RETRIED = frozenset((408, 425, 429, 500, 502, 503, 504))
REDIRECTED = frozenset((301, 302, 303, 307, 308))
TIMEOUT = urllib3.Timeout(connect=10.0, read=30.0)
PIECE = 64 * 1024
"""Bytes of a streamed body that are handed on at a time."""
DRAINED = 64 * 1024
"""Bytes of an unwanted body up to which reading them is cheaper than a new connection."""

Value = TypeVar("Value")


class Answer(Struct, frozen=True):
    """A response. Header names are in lower case; ``body`` is empty where it was not wanted."""

    status: int
    url: str
    """After redirects."""
    headers: Mapping[str, str]
    body: bytes


class Stream(Struct, frozen=True):
    """A response whose body has yet to come, as the server sends it."""

    status: int
    headers: Mapping[str, str]
    chunks: Iterator[bytes]


class Transient(Exception):
    """An attempt failed in a way that may pass. ``failure`` is raised if it does not."""

    def __init__(
        self, failure: IndexFailure, wait: float | None = None, *, progressed: bool = False
    ) -> None:
        super().__init__(failure, wait, progressed)
        self.failure = failure
        self.wait = wait
        """Seconds, where the server said."""
        self.progressed = progressed
        """Whether enough was received that this counts as a first failure."""


class Client:
    """Connections to indexes: pooled, patient, and careful with logins. Thread-safe."""

    def __init__(
        self,
        access: Access,
        logins: Logins | None = None,
        *,
        clock: Clock = SYSTEM_CLOCK,
        timeout: urllib3.Timeout = TIMEOUT,
    ) -> None:
        """Raise IndexUnreachable for a proxy that cannot be used, or certificates."""
        self._access = access
        self._logins = logins or Logins(access)
        self._clock = clock
        self._pools = open_pools(access, timeout)

    def close(self) -> None:
        """Hang up."""
        for pool in self._pools.values():
            pool.clear()

    def get(
        self,
        url: str,
        headers: Mapping[str, str],
        index: IndexName | None,
        wanted: frozenset[int] | None = None,
    ) -> Answer:
        """Fetch a URL. The body is read where ``wanted`` holds the status, or for all.

        A status that is worth repeating is repeated; any other is the caller's
        to judge. Raises IndexUnreachable, and IndexRefused for 429 and 5xx.
        """

        def attempt() -> Answer:
            with self._response(url, headers, index) as (response, found_at):
                read = wanted is None or response.status in wanted
                return Answer(
                    response.status,
                    found_at,
                    _headers(response),
                    response.read(decode_content=True) if read else b"",
                )

        return self.with_retries(attempt)

    @contextmanager
    def stream(
        self, url: str, headers: Mapping[str, str], index: IndexName | None
    ) -> Iterator[Stream]:
        """Open a URL once, undecoded. Raises Transient, IndexUnreachable, IndexRefused."""
        with self._response(url, headers, index) as (response, _):
            chunks = response.stream(PIECE, decode_content=False)
            yield Stream(response.status, _headers(response), chunks)

    def with_retries(self, attempt: Callable[[], Value]) -> Value:
        """Repeat ``attempt`` while it raises Transient, with growing pauses."""
        failed = 0
        while True:
            try:
                return attempt()
            except Transient as transient:
                failed = 1 if transient.progressed else failed + 1
                if failed > RETRIES:
                    raise transient.failure from None
                self._clock.sleep(pause(failed, transient.wait, self._clock.jitter()))

    @contextmanager
    def _response(
        self, url: str, headers: Mapping[str, str], index: IndexName | None
    ) -> Iterator[tuple[urllib3.BaseHTTPResponse, str]]:
        """Send one request; yields the response and the URL it is of.

        Failures of network and server become ours, also while reading.
        """
        try:
            response, found_at = self._follow(url, headers, index)
            try:
                if response.status in RETRIED:
                    wait = retry_after(_headers(response), self._clock.now())
                    raise Transient(IndexRefused(index, url, response.status), wait)
                yield response, found_at
            finally:
                _let_go(response)
        except LocationValueError as error:
            raise IndexUnreachable(index, url, f"this is no web address: {error}") from None
        except HTTPError as error:
            failure = IndexUnreachable(index, url, _reason(error))
            if _may_pass(error):
                raise Transient(failure) from error
            raise failure from error

    def _follow(
        self, url: str, headers: Mapping[str, str], index: IndexName | None
    ) -> tuple[urllib3.BaseHTTPResponse, str]:
        """Send a request, and again to wherever a server says that the answer is; returns where."""
        at = url
        for _ in range(REDIRECTS):
            response = self._send(at, headers, index, url)
            target = response.headers.get("location")
            if response.status not in REDIRECTED or target is None:
                return response, at
            _let_go(response)
            try:
                following = urljoin(at, target)
            except ValueError as error:
                reason = f"it redirects to what is no web address: {error}"
                raise IndexUnreachable(index, url, reason) from None
            if at.startswith("https:") and not following.startswith("https:"):
                host = urlsplit(following).hostname
                reason = f"it redirects to {host} without encryption"
                raise IndexUnreachable(index, url, reason)
            at = following
        raise IndexUnreachable(index, url, "it redirects in circles")

    def _send(
        self, at: str, headers: Mapping[str, str], index: IndexName | None, url: str
    ) -> urllib3.BaseHTTPResponse:
        """Send one request to ``at``, with the login of that place and no other's."""
        try:
            login = self._logins.of(at)
            pool = self._pools[proxy_for(self._access.proxies, at)]
        except ValueError as error:
            raise IndexUnreachable(index, url, f"this is no web address: {error}") from None
        if urlsplit(at).scheme not in {"http", "https"} or not urlsplit(at).hostname:
            raise IndexUnreachable(index, url, "this is no web address")
        authorization = {} if login is None else {"Authorization": basic_authorization(login)}
        return pool.request(
            "GET",
            without_secrets(at),
            headers={**_ALWAYS, **headers, **authorization},
            redirect=False,
            retries=False,
            preload_content=False,
            decode_content=False,
        )


def pause(failed: int, asked: float | None, jitter: float) -> float:
    """Return seconds to wait after the ``failed``-th failure in a row (from 1)."""
    own = float(FIRST_PAUSE * 2 ** (failed - 1) * (0.5 + jitter))
    return min(max(own, asked or 0.0), LONGEST_PAUSE)


_ALWAYS = {"User-Agent": f"envmgr/{__version__}", **make_headers(accept_encoding=True)}


def _headers(response: urllib3.BaseHTTPResponse) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _let_go(response: urllib3.BaseHTTPResponse) -> None:
    """Give a connection back, or close it where too much is still to come."""
    if (response.length_remaining or DRAINED + 1) <= DRAINED:
        response.drain_conn()
    else:
        response.close()
    response.release_conn()


def _may_pass(error: Exception) -> bool:
    """Whether the same request may do better: not with a wrong certificate, or by a bad proxy."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError | ProxyError):
            return False
        cause = cause.__cause__ or cause.__context__
    return True


def _reason(error: Exception) -> str:
    """Return the clause that says why; urllib3 wraps what the system said."""
    if isinstance(error, NoAnswer) and not isinstance(error, NewConnectionError):
        return "no answer in time"
    if isinstance(error, ProxyError):
        return f"the proxy does not let us through: {_reason(error.original_error)}"
    cause = error.__cause__ or (error.args[-1] if error.args else None)
    if isinstance(error, NewConnectionError) and isinstance(cause, OSError):
        return cause.strerror or str(cause)
    if isinstance(cause, Exception):
        return str(cause) or type(cause).__name__
    return str(error) or type(error).__name__
