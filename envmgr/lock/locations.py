"""Where a lock says that a wheel is, and what that means on this machine.

A lock is committed and read by others: credentials and expanded variables stay out
of it, and files are named relative to it where they travel with it.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote, unquote, urlsplit

from envmgr.index.types import Download
from envmgr.lock.types import LockedPackage
from envmgr.names import IndexName
from envmgr.spec.types import IndexSpec

_VARIABLE = re.compile(r"(\$\{\w+\})", re.ASCII)
_BEHIND_A_PATH = re.compile("[?#]")
_USERNAME = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)[^/@:]*:(?=[^/@]*@)")


def basename(location: str) -> str:
    """Return the file name at the end of a URL, be it one or not, or of a path."""
    _, scheme, rest = location.partition("://")
    if not scheme:
        return location.rpartition("/")[2]
    path = _BEHIND_A_PATH.split(rest, maxsplit=1)[0].partition("/")[2]
    return unquote(path.rpartition("/")[2])


def shown_location(url: str, index: IndexSpec | None, lock_directory: str) -> str:
    """Return what a lock in ``lock_directory`` (absolute) may say of a wheel at ``url``.

    A local file inside that directory, or of an index that was written as a relative
    path, becomes a relative path; another one an absolute path. In a URL the values
    of ``${ENVMGR_*}`` become the variables again.
    """
    if not url.startswith("file://"):
        return url if index is None else _concealed(url, index)
    path = unquote(urlsplit(url).path)
    inside = path.startswith(lock_directory.rstrip("/") + "/")
    if inside or (index is not None and _is_relative(index.shown_url)):
        return posixpath.relpath(path, lock_directory)
    return path


def real_url(location: str, index: IndexSpec | None, lock_directory: str) -> str:
    """Return the URL to fetch from; undoes ``shown_location``."""
    if "://" in location:
        return location if index is None else _revealed(location, index)
    path = posixpath.normpath(posixpath.join(lock_directory, location))
    return f"file://{quote(path)}"


def downloads(
    packages: Iterable[LockedPackage], lock_directory: str, indexes: Iterable[IndexSpec]
) -> tuple[Download, ...]:
    """Return what to fetch for these packages, in their order.

    ``indexes`` are those of the environment file or the settings: a lock holds neither
    their credentials nor the values of their variables.
    """
    known: Mapping[IndexName, IndexSpec] = {index.name: index for index in indexes}

    def download(package: LockedPackage) -> Download:
        index = None if package.index is None else known.get(package.index)
        return Download(
            filename=package.wheel.filename,
            url=real_url(package.wheel.location, index, lock_directory),
            index=None if index is None else index.name,
            sha256=package.wheel.sha256,
            size=package.wheel.size,
        )

    return tuple(download(package) for package in packages)


def _is_relative(shown: str) -> bool:
    return "://" not in shown and not shown.startswith(("/", "~", "$"))


def _concealed(url: str, index: IndexSpec) -> str:
    for variable, value in sorted(_values(index).items(), key=lambda item: -len(item[1])):
        whole = rf"(?<![A-Za-z0-9]){re.escape(value)}(?![A-Za-z0-9])"
        url = re.sub(whole, variable, url)
    return url


def _revealed(location: str, index: IndexSpec) -> str:
    for variable, value in _values(index).items():
        location = location.replace(variable, value)
    return location


def _values(index: IndexSpec) -> dict[str, str]:
    """Return what each ``${NAME}`` of an index's URL stands for, but for a user's name.

    Found by laying the URL as it was written beside the one it became.
    """
    if "${" not in index.shown_url:
        return {}
    shown = _USERNAME.sub(r"\1", index.shown_url).rstrip("/")
    parts = _VARIABLE.split(shown)
    variables = list(dict.fromkeys(parts[1::2]))
    pattern = re.escape(parts[0])
    for position in range(1, len(parts), 2):
        first = parts.index(parts[position]) == position
        number = variables.index(parts[position])
        pattern += f"(?P<v{number}>.+?)" if first else f"(?P=v{number})"
        pattern += re.escape(parts[position + 1])
    match = re.fullmatch(pattern, _USERNAME.sub(r"\1", index.url).rstrip("/"))
    return {} if match is None else dict(zip(variables, match.groups(), strict=True))
