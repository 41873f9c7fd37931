"""Connections to hosts: pools by proxy, certificates, and each host looked up once."""

import socket
import ssl
from base64 import b64encode
from functools import partial
from importlib.util import find_spec
from typing import ClassVar
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as NoAnswer

from envmgr.index.access import Access, Login
from envmgr.index.addresses import credentials_in
from envmgr.index.failures import IndexUnreachable
from envmgr.index.workers import Once

CONNECTIONS = 32


def open_pools(access: Access, timeout: urllib3.Timeout) -> dict[str | None, urllib3.PoolManager]:
    """Make the connections' pools: by proxy, and ``None`` for those without one.

    Raises IndexUnreachable for a proxy that cannot be used, or certificates.
    """
    context = _tls(access)
    pools: dict[str | None, urllib3.PoolManager] = {}
    for proxy in (None, *access.proxies.values()):
        try:
            pools[proxy] = _pool(proxy, context, timeout)
        except (ImportError, ValueError, HTTPError) as error:
            reason = f"this proxy cannot be used: {error}"
            raise IndexUnreachable(None, proxy or "", reason) from None
    return pools


def _pool(
    proxy: str | None, context: ssl.SSLContext, timeout: urllib3.Timeout
) -> urllib3.PoolManager:
    if proxy is not None and urlsplit(proxy).scheme.startswith("socks"):
        if find_spec("socks") is None:
            raise ImportError("SOCKS needs the package PySocks beside envmgr")
        from urllib3.contrib.socks import SOCKSProxyManager

        return SOCKSProxyManager(proxy, maxsize=CONNECTIONS, ssl_context=context, timeout=timeout)
    if proxy is None:
        pool = urllib3.PoolManager(maxsize=CONNECTIONS, ssl_context=context, timeout=timeout)
    else:
        login = credentials_in(proxy)
        said = {} if login is None else {"Proxy-Authorization": basic_authorization(login)}
        pool = urllib3.ProxyManager(
            proxy,
            maxsize=CONNECTIONS,
            proxy_headers=said,
            ssl_context=context,
            proxy_ssl_context=context,
            timeout=timeout,
        )
    pool.pool_classes_by_scheme = _looking_up_once()
    return pool


class Lookups:
    """The addresses of hosts, each asked for once.

    A pool that opens its connections together would ask as often, at the same
    time; resolvers that drop some of such questions make each cost 5 seconds.
    """

    def __init__(self) -> None:
        self._hosts: dict[tuple[str, int], Once[list[str]]] = {}

    def addresses(self, host: str, port: int) -> list[str]:
        """Return a host's addresses, best first. Raises OSError, each time anew."""
        return self._hosts.setdefault((host, port), Once(partial(_addresses, host, port))).get()


class _LookingUpOnce(HTTPConnection):
    """Connects as urllib3 does, to the addresses that ``lookups`` has."""

    lookups: ClassVar[Lookups]

    def _new_conn(self) -> socket.socket:
        host = self._dns_host
        try:
            addresses = self.lookups.addresses(host, self.port)
        except OSError:
            return super()._new_conn()  # which tells of it in urllib3's words
        try:
            for address in addresses[:-1]:
                self._dns_host = address
                try:
                    return super()._new_conn()
                except (NewConnectionError, NoAnswer):
                    continue
            self._dns_host = addresses[-1]
            return super()._new_conn()
        finally:
            self._dns_host = host


def _looking_up_once() -> dict[str, type[HTTPConnectionPool]]:
    """Return urllib3's pools by scheme, with connections that share their lookups."""
    shared = Lookups()

    class Plain(_LookingUpOnce):
        lookups = shared

    class Encrypted(Plain, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


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


def basic_authorization(login: Login) -> str:
    """Write a login as the value of a header (RFC 7617)."""
    return f"Basic {b64encode(':'.join(login).encode()).decode('ascii')}"
