"""Where it is kept what follows from the symbols of libraries: files in the cache.

::

    runtimes-<digest>/<key>     a digest of it, then what was kept

The digest in the directory's name is that of the code that decides, so a change of it
asks everything anew. Whoever cannot write here goes on without.
"""

import hashlib
import os
import shutil
from contextlib import suppress
from functools import cache
from pathlib import Path

import envmgr.runtime
from envmgr.files import write_atomically

MOST = 200
"""Files; the oldest make room. One has 0.1 to 1 MB where BLAS functions are forwarded."""
_PREFIX = "runtimes-"
_DIGEST = 32


class RuntimeMemory:
    """A memory below the directory of envmgr's caches."""

    def __init__(self, caches: Path) -> None:
        self._caches = caches
        self._directory = caches / f"{_PREFIX}{code_digest()}"

    def find(self, key: str) -> bytes | None:
        """Return what was kept whole; else ``None``."""
        try:
            data = (self._directory / key).read_bytes()
        except OSError:
            return None
        content = data[_DIGEST:]
        return content if hashlib.sha256(content).digest() == data[:_DIGEST] else None

    def keep(self, key: str, data: bytes) -> None:
        """Keep something, if the disk lets us."""
        with suppress(OSError):
            if not self._directory.is_dir():
                self._directory.mkdir(parents=True)
                self._drop_others()
            write_atomically(self._directory / key, hashlib.sha256(data).digest() + data)
            self._make_room()

    def _drop_others(self) -> None:
        for other in self._caches.glob(f"{_PREFIX}*"):
            if other != self._directory:
                shutil.rmtree(other, ignore_errors=True)

    def _make_room(self) -> None:
        with os.scandir(self._directory) as listing:
            files = sorted((item.stat().st_mtime_ns, item.path) for item in listing)
        for _, path in files[:-MOST]:
            Path(path).unlink(missing_ok=True)


@cache
def code_digest() -> str:
    """Return a digest (hex, 16 digits) of the code that decides, as its files tell."""
    (root,) = envmgr.runtime.__path__
    files = sorted(Path(root).rglob("*.py"))
    told = [(str(file.relative_to(root)), file.read_bytes()) for file in files]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]
