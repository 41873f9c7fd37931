"""Where an interpreter really is, behind links and virtual environments."""

import posixpath
from collections.abc import Iterator, Mapping

from envmgr.hardware.host import Host

_PYVENV_LIMIT = 64 * 1024
"""Bytes; a ``pyvenv.cfg`` has a few hundred."""
_DEEPEST = 8
"""Virtual environments made from one another; more than two are a loop."""
_IN_A_PREFIX = ("bin/python3", "bin/python", "bin/pypy3")


def locate(host: Host, path: str) -> str:
    """Resolve a path to the base interpreter it stands for.

    A directory stands for the interpreter in its ``bin``; links are followed;
    an interpreter copied into a virtual environment stands for the one that
    made it (PEP 405). What leads nowhere is given back as far as it goes.
    """
    return base_interpreter(host, host.real_path(_inside(host, path)))


def base_interpreter(host: Host, real: str) -> str:
    """Leave the virtual environment a real path lies in, if it lies in one."""
    for _ in range(_DEEPEST):
        base = _base(host, real)
        if base is None:
            break
        real = host.real_path(base)
    return real


def _inside(host: Host, path: str) -> str:
    if host.stamp(path) is None:
        for name in _IN_A_PREFIX:
            candidate = posixpath.join(path, name)
            if host.stamp(candidate) is not None:
                return candidate
    return path


def _base(host: Host, real: str) -> str | None:
    """Find the interpreter that made the virtual environment ``real`` lies in, if it does."""
    prefix = posixpath.dirname(posixpath.dirname(real))
    data = host.read_bytes(posixpath.join(prefix, "pyvenv.cfg"), _PYVENV_LIMIT)
    if data is None:
        return None
    for candidate in _makers(parse_pyvenv(data), posixpath.basename(real)):
        if candidate != real and host.stamp(candidate) is not None:
            return candidate
    return None


def _makers(settings: Mapping[str, str], name: str) -> Iterator[str]:
    """Paths the base interpreter may have, best first: tools write different keys."""
    for key in ("executable", "base-executable"):
        if key in settings:
            yield settings[key]
    home = settings.get("home")
    if home:
        version = settings.get("version") or settings.get("version_info") or ""
        minor = ".".join(version.split(".")[:2])
        yield from (posixpath.join(home, each) for each in (f"python{minor}", name, "python3"))


def parse_pyvenv(data: bytes) -> Mapping[str, str]:
    """Read ``pyvenv.cfg``: ``key = value`` lines, keys in lower case (PEP 405)."""
    pairs = (line.partition("=") for line in data.decode("utf-8", "replace").splitlines())
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}
