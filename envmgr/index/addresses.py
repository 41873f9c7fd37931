"""URLs: joining, hiding secrets, origins, and the way between ``file://`` and paths."""

from functools import lru_cache
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit


def without_secrets(url: str) -> str:
    """Return ``url`` without user, password and fragment."""
    if "@" not in url and "#" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2].partition("#")[0]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def without_password(url: str) -> str:
    """Return ``url`` with its user but without a password: what a cache is keyed by."""
    parts = urlsplit(url)
    login, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{login.partition(':')[0]}{at}{host}"))


def credentials_in(url: str) -> tuple[str, str] | None:
    """Return user and password of a URL, percent-decoded; ``None`` where there is no user."""
    parts = urlsplit(url)
    if parts.username is None:
        return None
    return unquote(parts.username), unquote(parts.password or "")


def origin(url: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port: what credentials belong to (RFC 6454)."""
    parts = urlsplit(url)
    default = {"https": 443, "http": 80}.get(parts.scheme)
    return parts.scheme, (parts.hostname or ""), parts.port or default


def absolute(base: str, url: str) -> str:
    """Resolve a page's ``url`` against where the page was found; the fragment goes.

    Raises ValueError for what can be no URL.
    """
    joined = url if url.startswith(("https://", "http://")) else urljoin(base, url)
    end = joined.find("/", len("https://"))
    _check_authority(joined if end < 0 else joined[:end])
    return without_secrets(joined)


@lru_cache(maxsize=256)
def _check_authority(beginning: str) -> None:
    """Judge a URL up to its path; a page's thousands of files share very few. Raises ValueError."""
    if urlsplit(beginning).port == 0:
        raise ValueError("port 0 is no port")


def is_file(url: str) -> bool:
    """Whether a URL means this machine's disk."""
    return url[:5].lower() == "file:"


def file_path(url: str) -> str:
    """Return the absolute path of a ``file://`` URL, percent-decoded (RFC 8089).

    Raises ValueError for a URL of another host.
    """
    parts = urlsplit(url)
    if parts.netloc not in {"", "localhost"}:
        raise ValueError(
            f"{url} names the host {parts.netloc!r}; only this machine's files are meant"
        )
    return unquote(parts.path)


def last_part(url: str) -> str:
    """Return the file name at the end of a URL's path, percent-decoded."""
    return unquote(urlsplit(url).path.rpartition("/")[2])
