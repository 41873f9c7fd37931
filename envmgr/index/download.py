"""One wheel onto the disk: hashed as it arrives, resumed where it broke, whole or not at all."""

import errno
import fcntl
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256 as new_sha256
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec import Struct

from envmgr.files import remove_file, write_all
from envmgr.index.cache import short_digest
from envmgr.index.failures import CacheUnwritable, HashMismatch, IndexRefused, IndexUnreachable
from envmgr.names import IndexName

if TYPE_CHECKING:
    from envmgr.index.client import Client, Stream

CHUNK = 1 << 20
_OPEN = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
TOLD_AFTER = 512 * 1024
"""Bytes between two reports: one a chunk would cost more than the display can show."""
PROGRESS = 1 << 18
"""Bytes after which a broken connection counts as a first failure again."""


class Stopped(Exception):
    """Somebody else failed, so that this need not be finished."""


class Wanted(Struct, frozen=True, kw_only=True):
    """A file to bring here."""

    filename: str
    url: str
    index: IndexName | None
    sha256: str | None
    """``None``: whatever it turns out to be."""
    size: int | None


class Got(Struct, frozen=True):
    """A file that is here, and its sha256."""

    path: Path
    sha256: str
    size: int


def kept_path(directory: Path, sha256: str) -> Path:
    """Return where a finished download is kept."""
    return directory / f"{sha256}.whl"


def find_kept(directory: Path, wanted: Wanted) -> Got | None:
    """Return a finished download of a file whose hash is known.

    It got its name after its hash was verified, which is not done again unless
    its size is a surprise. Another process that shares the cache may take it
    away at any moment.
    """
    if wanted.sha256 is None:
        return None
    path = kept_path(directory, wanted.sha256)
    try:
        size = path.stat().st_size
        sound = wanted.size in {None, size} or hash_file(path) == wanted.sha256
    except OSError:
        return None
    return Got(path, wanted.sha256, size) if sound else None


def hash_file(path: Path) -> str:
    """Return a file's sha256 in hex, reading it in pieces. Raises OSError."""
    hasher = new_sha256()
    with open(path, "rb", buffering=0) as file:
        while piece := file.read(CHUNK):
            hasher.update(piece)
    return hasher.hexdigest()


def download(
    client: "Client",
    wanted: Wanted,
    directory: Path,
    on_bytes: Callable[[int], None],
    stopped: Callable[[], bool],
) -> Got:
    """Fetch a file into ``directory``, under its sha256.

    Raises IndexFailure, HashMismatch, CacheUnwritable, and Stopped once ``stopped`` says so.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with _Part.open(directory, wanted.sha256 or short_digest(wanted.url)) as part:
            transfer = _Transfer(client, wanted, part, on_bytes, stopped)
            found = transfer.run()
            path = kept_path(directory, found)
            part.path.replace(path)
            return Got(path, found, part.size)
    except OSError as error:
        raise CacheUnwritable(directory, disk_problem(error)) from error


def disk_problem(error: OSError) -> str:
    """Say in a clause why something could not be written."""
    if error.errno == errno.ENOSPC:
        return "the disk is full"
    if error.errno == errno.EDQUOT:
        return "the disk quota is used up"
    return error.strerror or str(error)


ATTEMPTS = 20
"""Names that are tried for an unfinished download: another process may have one, or be
removing it at this moment."""


class _Part:
    """An unfinished download. Locked, so that two processes do not write one file."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size
        self._hasher = new_sha256()
        at = 0
        while piece := os.pread(descriptor, CHUNK, at):
            self._hasher.update(piece)
            at += len(piece)
        os.lseek(descriptor, 0, os.SEEK_END)

    @classmethod
    def open(cls, directory: Path, stem: str) -> Self:
        for attempt in range(ATTEMPTS):
            own = f".{os.getpid()}-{os.urandom(3).hex()}" if attempt else ""
            path = directory / f"{stem}{own}.part"
            descriptor = os.open(path, _OPEN, 0o644)
            if _lock(descriptor, path):
                return cls(path, descriptor)
            os.close(descriptor)
        raise OSError(errno.EBUSY, "every name for an unfinished download is taken", str(directory))

    @property
    def digest(self) -> str:
        return self._hasher.hexdigest()

    def append(self, chunk: bytes) -> None:
        write_all(self._descriptor, chunk)
        self._hasher.update(chunk)
        self.size += len(chunk)

    def restart(self) -> None:
        os.ftruncate(self._descriptor, 0)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        self._hasher = new_sha256()
        self.size = 0

    def remove(self) -> None:
        remove_file(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        os.close(self._descriptor)
        if self.size == 0:
            with suppress(OSError):
                self.remove()


def _lock(descriptor: int, path: Path) -> bool:
    """Lock an open file; ``False`` if another process has it, or renamed it meanwhile."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.fstat(descriptor).st_ino == path.stat().st_ino
    except OSError as error:
        if error.errno in {errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS}:
            return True  # a file system without locks: the hash is what counts
        if isinstance(error, BlockingIOError | FileNotFoundError):
            return False
        raise


@dataclass(slots=True)
class _Transfer:
    client: "Client"
    wanted: Wanted
    part: _Part
    on_bytes: Callable[[int], None]
    stopped: Callable[[], bool]
    etag: str | None = None
    mixed: bool = False
    """Whether what is here may be of two different files."""
    told: int = 0
    """How many bytes were reported; never goes back."""

    def run(self) -> str:
        """Transfer until the hash fits; return it.

        A beginning that cannot be vouched for (of an earlier run, or resumed
        without an ETag) may be what makes a hash wrong, so that everything is
        fetched anew once.
        """
        if self.wanted.sha256 is None:
            self.part.restart()
        self.mixed = self.part.size > 0
        self._tell()
        self.client.with_retries(self._attempt)
        if self.mixed and self.wanted.sha256 != self.part.digest:
            self.part.restart()
            self.client.with_retries(self._attempt)
        found = self.part.digest
        if self.wanted.sha256 not in {None, found}:
            self.part.remove()
            raise HashMismatch(self.wanted.filename, self.wanted.url, self.wanted.sha256, found)
        return found

    def _attempt(self) -> None:
        from envmgr.index.client import Transient

        if self.wanted.sha256 is None and self.etag is None:
            self.part.restart()
        before = self.part.size
        try:
            with self.client.stream(self.wanted.url, self._headers(), self.wanted.index) as stream:
                if self._accept(stream):
                    for chunk in stream.chunks:
                        if self.stopped():
                            raise Stopped
                        self.part.append(chunk)
                        if self.part.size - self.told >= TOLD_AFTER:
                            self._tell()
            self._tell()
            if self.part.size < (self.wanted.size or 0) and self.part.digest != self.wanted.sha256:
                raise Transient(self._unreachable("it ended too early"))
        except Transient as transient:
            transient.progressed = self.part.size - before >= PROGRESS
            raise

    def _headers(self) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"}
        if self.part.size:
            headers["Range"] = f"bytes={self.part.size}-"
            if self.etag is not None:
                headers["If-Range"] = self.etag
        return headers

    def _accept(self, stream: "Stream") -> bool:
        """Prepare for what the server sends; ``False`` if everything is here already."""
        from envmgr.index.client import Transient

        asked_for, etag = self.etag, stream.headers.get("etag", "")
        self.etag = etag if etag.startswith('"') else None
        if stream.status == 200:
            if self.part.size:
                self.part.restart()
            return True
        if stream.status == 206 and _range_start(stream.headers) == self.part.size:
            self.mixed = self.mixed or asked_for is None
            return True
        if stream.status in {206, 416} and self.part.size:
            if stream.status == 416 and self.part.size == _total(stream.headers):
                return False
            self.part.restart()
            raise Transient(self._unreachable("it sends other bytes than were asked for"))
        raise IndexRefused(self.wanted.index, self.wanted.url, stream.status)

    def _unreachable(self, reason: str) -> IndexUnreachable:
        return IndexUnreachable(self.wanted.index, self.wanted.url, reason)

    def _tell(self) -> None:
        if self.part.size > self.told:
            self.on_bytes(self.part.size - self.told)
            self.told = self.part.size


def _range_start(headers: Mapping[str, str]) -> int | None:
    """Return the first byte's offset of ``Content-Range: bytes 5-9/10``."""
    unit, _, rest = headers.get("content-range", "").partition(" ")
    first = rest.partition("-")[0]
    return int(first) if unit == "bytes" and first.isdigit() else None


def _total(headers: Mapping[str, str]) -> int | None:
    total = headers.get("content-range", "").rpartition("/")[2]
    return int(total) if total.isdigit() else None
