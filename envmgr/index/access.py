"""How to get to a host: proxies and logins, read from an environment given as a mapping."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct, field

from envmgr.index.addresses import credentials_in, origin
from envmgr.spec.types import IndexSpec

Origin: TypeAlias = tuple[str, str, int | None]
Login: TypeAlias = tuple[str, str]


class Access(Struct, frozen=True, kw_only=True):
    """Everything about the network that is the user's and not the index's to say."""

    logins: Mapping[Origin, Login] = field(default_factory=dict)
    """From index URLs; they count for every URL of the same scheme, host and port."""
    netrc: Path | None = None
    """Where further logins stand, by host."""
    netrc_required: bool = False
    """Whether the user named the file, so that its absence is worth a word."""
    proxies: Mapping[str, str | None] = field(default_factory=dict)
    """URL pattern (``https://``, ``all://*.example.org``) to proxy, ``None`` for none."""
    certificates: str | None = None
    """A file of certificates to trust in place of the system's (``SSL_CERT_FILE``)."""
    certificates_directory: str | None = None
    """``SSL_CERT_DIR``."""


def access_from(environ: Mapping[str, str], indexes: Iterable[IndexSpec] = ()) -> Access:
    """Read ``NETRC``, ``HOME``, ``*_proxy``, ``SSL_CERT_*`` and the logins in index URLs."""
    logins: dict[Origin, Login] = {}
    for index in indexes:
        login = credentials_in(index.url)
        if login is not None:
            logins.setdefault(origin(index.url), login)
    named, home = environ.get("NETRC"), environ.get("HOME")
    if named:
        netrc: Path | None = Path(named)
    else:
        netrc = Path(home) / ".netrc" if home else None
    return Access(
        logins=logins,
        netrc=netrc,
        netrc_required=bool(named),
        proxies=proxies_from(environ),
        certificates=environ.get("SSL_CERT_FILE") or None,
        certificates_directory=environ.get("SSL_CERT_DIR") or None,
    )


def proxies_from(environ: Mapping[str, str]) -> dict[str, str | None]:
    """Read ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy``, lower case first."""

    def value(name: str) -> str:
        return (environ.get(name) or environ.get(name.upper()) or "").strip()

    proxies: dict[str, str | None] = {}
    for scheme in ("http", "https", "all"):
        proxy = value(f"{scheme}_proxy")
        if proxy:
            proxies[f"{scheme}://"] = proxy if "://" in proxy else f"http://{proxy}"
    if not proxies:
        return {}
    for entry in map(str.strip, value("no_proxy").split(",")):
        if entry == "*":
            return {}
        if entry:
            proxies[_pattern(entry)] = None
    return proxies


def proxy_for(proxies: Mapping[str, str | None], url: str) -> str | None:
    """Return the proxy for a URL: ``None`` where a pattern exempts it, or none is set.

    Raises ValueError for what is no URL.
    """
    scheme, host, port = origin(url)
    for pattern, proxy in proxies.items():
        if proxy is None and _matches(pattern, scheme, host, port):
            return None
    return proxies.get(f"{scheme}://") or proxies.get("all://")


def _matches(pattern: str, scheme: str, host: str, port: int | None) -> bool:
    wanted_scheme, _, place = pattern.partition("://")
    wanted_host, colon, wanted_port = place.rpartition(":")
    if not (colon and wanted_port.isdigit()):
        wanted_host, wanted_port = place, ""
    bare = wanted_host.removeprefix("*").removeprefix(".").strip("[]").lower()
    if wanted_scheme not in {"all", scheme} or wanted_port not in {"", str(port)}:
        return False
    if not wanted_host.startswith("*"):
        return host == bare
    return host == bare or host.endswith(f".{bare}")


def _pattern(entry: str) -> str:
    """Write a ``no_proxy`` entry as a URL pattern: ``example.org`` means its subdomains too."""
    if "://" in entry:
        return entry
    from ipaddress import ip_address

    host = entry.strip("[]")
    try:
        address = ip_address(host)
    except ValueError:
        return "all://localhost" if entry == "localhost" else f"all://*{entry}"
    return f"all://[{address}]" if address.version == 6 else f"all://{address}"
