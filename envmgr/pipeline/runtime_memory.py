"""Where it is kept what follows from the symbols of libraries: files in the cache.

::

    runtimes/<digest of the key and of the code that decides>     a digest of it, then what was kept

So a change of the code asks everything anew. Whoever cannot write here goes on without.
"""

import hashlib
from contextlib import suppress
from functools import cache
from pathlib import Path

import envmgr.runtime
from envmgr.files import write_atomically

DIRECTORY = "runtimes"
_DIGEST = 32


class RuntimeMemory:
    """A memory below the directory of envmgr's caches."""

    def __init__(self, caches: Path) -> None:
        self._directory = caches / DIRECTORY

    def find(self, key: str) -> bytes | None:
        """Return what was kept whole; else ``None``."""
        try:
            data = self._file(key).read_bytes()
        except OSError:
            return None
        content = data[_DIGEST:]
        return content if hashlib.sha256(content).digest() == data[:_DIGEST] else None

    def keep(self, key: str, data: bytes) -> None:
        """Keep something, if the disk lets us."""
        with suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file(key), hashlib.sha256(data).digest() + data)

    def _file(self, key: str) -> Path:
        name = hashlib.sha256(f"{code_digest()} {key}".encode()).hexdigest()
        return self._directory / name


@cache
def code_digest() -> str:
    """Return a digest (hex) of the code that decides, as its files tell."""
    (root,) = envmgr.runtime.__path__
    files = sorted(Path(root).rglob("*.py"))
    told = [(str(file.relative_to(root)), file.read_bytes()) for file in files]
    return hashlib.sha256(repr(told).encode()).hexdigest()
