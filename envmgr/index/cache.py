"""What was fetched from indexes, on disk: compact, checked, and never needed.

    <cache>/index-v2/<index>/pages/<name>       a page, and what was chosen from it
                            /metadata/<key>     a wheel's metadata, for good
    <cache>/wheels/<sha256>.whl                 wheels that had to be fetched whole

``<index>`` is a digest of the index's URL without its password. A page's file has
two parts, each with a checksum: a short one that is read always, and the
answer as the server sent it, compressed, which only another target needs. What
does not fit its checksum is as good as absent. Files are written aside and
renamed, so that processes may share a cache; and there is one for each page
since making a file takes longer than filling it.
"""

import os
import zlib
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from envmgr.files import write_atomically

FORMAT = "index-v2"
"""Part of the path; raised whenever what is inside changes its meaning."""

CHOICES = 8
"""Targets whose choices are kept with a page."""
_START = 64 * 1024
"""Bytes of a page's file that are read at first."""


class PageHead(msgspec.Struct, frozen=True, array_like=True):
    """What a page's freshness depends on."""

    present: bool
    """Whether the index has the name."""
    fetched_at: float
    fresh_until: float
    """Seconds of the epoch."""
    etag: str | None = None
    last_modified: str | None = None
    sha256: str | None = None
    """Of the wheel at a direct URL."""


class PageRecord(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a page without reading it."""

    head: PageHead
    choices: dict[str, bytes] = {}
    """By target, as offers.encode_choice made them."""

    def choosing(self, target: str, choice: bytes) -> "PageRecord":
        """Return the record with one choice more."""
        others = [(key, kept) for key, kept in self.choices.items() if key != target]
        return PageRecord(self.head, dict([*others, (target, choice)][-CHOICES:]))


class Body(msgspec.Struct, frozen=True, array_like=True):
    """A page as the server sent it."""

    url: str
    """Where it was found, after redirects."""
    content_type: str
    data: bytes


_RECORDS = msgspec.msgpack.Decoder(PageRecord)
_BODIES = msgspec.msgpack.Decoder(Body)


def short_digest(*parts: str) -> str:
    """Return 24 hex digits that stand for ``parts``."""
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def last_kept(root: Path) -> float:
    """Return when a page was last kept below ``root``, in seconds of the epoch; 0 for never."""
    latest = 0.0
    with suppress(OSError), os.scandir(root / FORMAT) as indexes:
        for index in indexes:
            with suppress(OSError):
                latest = max(latest, Path(index.path, "pages").stat().st_mtime)
    return latest


def seal(payload: bytes) -> bytes:
    """Put a checksum before ``payload``."""
    return zlib.crc32(payload).to_bytes(4, "little") + payload


def unseal(data: bytes) -> bytes | None:
    """Return what was sealed; ``None`` if it is damaged."""
    payload = data[4:]
    return payload if zlib.crc32(payload).to_bytes(4, "little") == data[:4] else None


class IndexCache:
    """The cache of one index. Reading never raises; writing gives up quietly.

    A cache that cannot be written costs time and nothing else.
    """

    def __init__(self, root: Path, url: str) -> None:
        """``url`` as of addresses.without_password."""
        self._root = os.path.join(root, FORMAT, short_digest(url))
        self._made: set[Path] = set()

    def record(self, name: str) -> PageRecord | None:
        """Return what is known of a project's page."""
        start = self._read(_page(name), _START)
        end = _end_of_record(start)
        return _record_in(start if end <= len(start) else self._read(_page(name), end))

    def body(self, name: str, head: PageHead) -> Body | None:
        """Return the page that ``head`` speaks of."""
        data = self._read(_page(name))
        record = _record_in(data)
        payload = unseal(data[_end_of_record(data) :])
        if record is None or record.head != head or payload is None:
            return None
        try:
            return _BODIES.decode(_decompressed(payload))
        except (msgspec.MsgspecError, zlib.error):
            return None

    def keep_page(self, name: str, record: PageRecord, body: Body | None) -> None:
        """Store a record, and the page it speaks of; ``None`` where there is none."""
        page = b"" if body is None else seal(_compressed(msgspec.msgpack.encode(body)))
        self._write(_page(name), _with_size(record) + page)

    def keep_record(self, name: str, record: PageRecord, head: PageHead) -> None:
        """Store a record with the page that is there, if it still is the one of ``head``."""
        data = self._read(_page(name))
        there = _record_in(data)
        if there is not None and there.head == head:
            self._write(_page(name), _with_size(record) + data[_end_of_record(data) :])

    def metadata(self, key: str) -> bytes | None:
        """Return a wheel's metadata, as offers.encode_metadata made it."""
        return unseal(self._read(os.path.join("metadata", key)))

    def keep_metadata(self, key: str, data: bytes) -> None:
        """Store a wheel's metadata."""
        self._write(os.path.join("metadata", key), seal(data))

    def _read(self, relative: str, limit: int | None = None) -> bytes:
        """Return a file, or its beginning; nothing where there is none."""
        try:
            descriptor = os.open(f"{self._root}/{relative}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            size = os.fstat(descriptor).st_size
            return os.read(descriptor, min(limit or size, size))
        except OSError:
            return b""
        finally:
            os.close(descriptor)

    def _write(self, relative: str, data: bytes) -> None:
        path = Path(self._root, relative)
        with suppress(OSError):
            if path.parent not in self._made:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._made.add(path.parent)
            write_atomically(path, data)


def _page(name: str) -> str:
    return os.path.join("pages", name)


def _with_size(record: PageRecord) -> bytes:
    """Return the first part of a page's file: how long the record is, and the record."""
    sealed = seal(msgspec.msgpack.encode(record))
    return len(sealed).to_bytes(4, "little") + sealed


def _end_of_record(data: bytes) -> int:
    """Return where the first part of a page's file ends."""
    return 4 + int.from_bytes(data[:4], "little")


def _record_in(data: bytes) -> PageRecord | None:
    payload = unseal(data[4 : _end_of_record(data)])
    if payload is None:
        return None
    try:
        return _RECORDS.decode(payload)
    except msgspec.MsgspecError:
        return None


def _compressed(data: bytes) -> bytes:
    return bytes(_deflate().compress(data, 1))


def _decompressed(data: bytes) -> bytes:
    deflate = _deflate()
    try:
        return bytes(deflate.decompress(data))
    except deflate.error as error:
        raise zlib.error(str(error)) from None


def _deflate() -> Any:
    """Return isal's deflate where it is installed: several times faster, and only then imported."""
    try:
        from isal import isal_zlib
    except ImportError:  # no build of isal for this processor
        return zlib
    return isal_zlib
