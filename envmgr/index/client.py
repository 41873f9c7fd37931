"""The only module that speaks HTTP. httpx is imported when the first client is made."""

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import httpcore
import httpx

from envmgr import __version__
from envmgr.errors import IndexFailure
from envmgr.events import Reporter, Warned, silent
from envmgr.index.access import Access, Login
from envmgr.index.addresses import origin
from envmgr.index.clock import SYSTEM_CLOCK, Clock
from envmgr.index.failures import IndexRefused, IndexUnreachable
from envmgr.index.freshness import retry_after
from envmgr.index.workers import Once
from envmgr.names import IndexName

if TYPE_CHECKING:
    from netrc import netrc

RETRIES = 3
"""How often a request is repeated before it counts as failed."""
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 30.0
"""Seconds; also for what a server asks by Retry-After."""
RETRIED = frozenset((408, 425, 429, 500, 502, 503, 504))
CONNECTIONS = 32
TIMEOUT = httpx.Timeout(connect=10.0, read=30.0, write=30.0, pool=None)

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response. Header names are in lower case; ``body`` is empty where it was not wanted."""

    status: int
    url: str
    """After redirects."""
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Stream:
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
        *,
        clock: Clock = SYSTEM_CLOCK,
        report: Reporter = silent,
        timeout: httpx.Timeout = TIMEOUT,
    ) -> None:
        """Raise IndexUnreachable for a proxy that cannot be used, or certificates."""
        self._access = access
        self._clock = clock
        self._report = report
        self._netrc: netrc | None = None
        self._netrc_read = False
        self._httpx = _open(access, timeout)

    def close(self) -> None:
        """Hang up."""
        self._httpx.close()

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
            with self._response(url, headers, index) as response:
                read = wanted is None or response.status_code in wanted
                return Answer(
                    response.status_code,
                    str(response.url),
                    _headers(response),
                    response.read() if read else b"",
                )

        return self.with_retries(attempt)

    @contextmanager
    def stream(
        self, url: str, headers: Mapping[str, str], index: IndexName | None
    ) -> Iterator[Stream]:
        """Open a URL once, undecoded. Raises Transient, IndexUnreachable, IndexRefused."""
        with self._response(url, headers, index) as response:
            yield Stream(response.status_code, _headers(response), response.iter_raw())

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
    ) -> Iterator[httpx.Response]:
        """Send one request; failures of network and server become ours, also while reading."""
        try:
            login = self._login(url)
        except ValueError as error:
            raise IndexUnreachable(index, url, f"this is no web address: {error}") from None
        auth = httpx.USE_CLIENT_DEFAULT if login is None else httpx.BasicAuth(*login)
        try:
            with self._httpx.stream("GET", url, headers=dict(headers), auth=auth) as response:
                if url.startswith("https:") and response.url.scheme != "https":
                    reason = f"it redirects to {response.url.host} without encryption"
                    raise IndexUnreachable(index, url, reason)
                if response.status_code in RETRIED:
                    wait = retry_after(_headers(response), self._clock.now())
                    raise Transient(IndexRefused(index, url, response.status_code), wait)
                yield response
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
            failure = IndexUnreachable(index, url, _reason(error))
            if _may_pass(error):
                raise Transient(failure) from error
            raise failure from error

    def _login(self, url: str) -> Login | None:
        here = origin(url)
        login = self._access.logins.get(here)
        if login is not None:
            return login
        if not self._netrc_read:
            self._netrc = self._read_netrc()
            self._netrc_read = True
        found = None if self._netrc is None else self._netrc.authenticators(here[1])
        return None if found is None else (found[0] or "", found[2] or "")

    def _read_netrc(self) -> "netrc | None":
        from netrc import NetrcParseError, netrc

        path = self._access.netrc
        if path is None:
            return None
        try:
            return netrc(str(path))
        except FileNotFoundError:
            if self._access.netrc_required:
                self._report(Warned(f"there is no {path}, which NETRC names"))
        except (OSError, NetrcParseError, UnicodeDecodeError) as error:
            self._report(Warned(f"{path} cannot be read, so no login is taken from it: {error}"))
        return None


def pause(failed: int, asked: float | None, jitter: float) -> float:
    """Return seconds to wait after the ``failed``-th failure in a row (from 1)."""
    own = float(FIRST_PAUSE * 2 ** (failed - 1) * (0.5 + jitter))
    return min(max(own, asked or 0.0), LONGEST_PAUSE)


def _open(access: Access, timeout: httpx.Timeout) -> httpx.Client:
    context = _tls(access)
    limits = httpx.Limits(
        max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS, keepalive_expiry=60.0
    )
    try:
        mounts = {
            pattern: None
            if proxy is None
            else httpx.HTTPTransport(verify=context, limits=limits, proxy=proxy)
            for pattern, proxy in access.proxies.items()
        }
    except (ImportError, ValueError) as error:
        proxy = next(proxy for proxy in access.proxies.values() if proxy)
        raise IndexUnreachable(None, proxy, f"this proxy cannot be used: {error}") from None
    return httpx.Client(
        transport=_Transport(context, limits),
        mounts=mounts,
        timeout=timeout,
        follow_redirects=True,
        trust_env=False,
        headers={"User-Agent": f"envmgr/{__version__}"},
    )


class LookedUpOnce(httpcore.NetworkBackend):
    """Connects as httpcore does, but asks for a host's addresses once.

    A pool that opens its connections together would ask as often, at the same
    time; resolvers that drop some of such questions make each cost 5 seconds.
    """

    def __init__(self) -> None:
        self._connecting = httpcore.SyncBackend()
        self._hosts: dict[tuple[str, int], Once[list[str]]] = {}

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address that accepts. Raises httpcore.ConnectError and -Timeout."""
        try:
            once = self._hosts.setdefault((host, port), Once(partial(_addresses, host, port)))
            addresses = once.get()
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        for address in addresses[:-1]:
            try:
                return self._connecting.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._connecting.connect_tcp(
            addresses[-1], port, timeout, local_address, socket_options
        )


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Transport(httpx.HTTPTransport):
    """httpx's own, over connections of ours; httpx gives no other way to say so."""

    def __init__(self, context: ssl.SSLContext, limits: httpx.Limits) -> None:
        super().__init__(verify=context, limits=limits)
        self._pool = httpcore.ConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=LookedUpOnce(),
        )


def _tls(access: Access) -> ssl.SSLContext:
    """Trust what the system trusts, or what the user names."""
    if access.certificates or access.certificates_directory:
        try:
            return ssl.create_default_context(
                cafile=access.certificates, capath=access.certificates_directory
            )
        except (OSError, ssl.SSLError) as error:
            named = access.certificates or access.certificates_directory or ""
            raise IndexUnreachable(None, named, f"no certificates there: {error}") from None
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _headers(response: httpx.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _may_pass(error: Exception) -> bool:
    """Whether the same request may do better: not with a wrong certificate, URL or circle."""
    if isinstance(error, httpx.UnsupportedProtocol | httpx.ProxyError):
        return False
    if not isinstance(error, httpx.TransportError | httpx.DecodingError):
        return False
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return False
        cause = cause.__cause__ or cause.__context__
    return True


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(error, httpx.TooManyRedirects):
        return "it redirects in circles"
    return str(error) or type(error).__name__
