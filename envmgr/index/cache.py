"""What was fetched from indexes, on disk: compact, checked, and never needed.

    <cache>/index-v1/<index>/pages/<name>.head       what HTTP said about the page
                            /pages/<name>.page       the page, compressed
                            /offers/<target>/<name>  what was chosen from it for a target
                            /metadata/<key>          a wheel's metadata, for good
    <cache>/wheels/<sha256>.whl                      wheels that had to be fetched whole

``<index>`` is a digest of the index's URL without its password. Every file
begins with a checksum; one that does not fit is as good as absent. Files are
written aside and renamed, so that processes may share a cache.
"""

import os
import zlib
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from envmgr.files import write_atomically
from envmgr.index.pages import Page

FORMAT = "index-v1"
"""Part of the path; raised whenever what is inside changes its meaning."""


class PageHead(msgspec.Struct, frozen=True, array_like=True):
    """What a page's freshness depends on; ``digest`` is empty for "no such project"."""

    digest: str
    fetched_at: float
    fresh_until: float
    """Seconds of the epoch."""
    etag: str | None = None
    last_modified: str | None = None

    @property
    def present(self) -> bool:
        """Whether the index has the name."""
        return bool(self.digest)


_HEADS = msgspec.msgpack.Decoder(PageHead)
_PAGES = msgspec.msgpack.Decoder(Page)


def short_digest(*parts: str) -> str:
    """Return 24 hex digits that stand for ``parts``."""
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


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

    def head(self, name: str) -> PageHead | None:
        """Return what is known about a project's page."""
        payload = self._read(os.path.join("pages", f"{name}.head"))
        if payload is None:
            return None
        try:
            return _HEADS.decode(payload)
        except msgspec.MsgspecError:
            return None

    def page(self, name: str, head: PageHead) -> Page | None:
        """Return the page that ``head`` speaks of."""
        payload = self._read(os.path.join("pages", f"{name}.page"))
        if payload is None or payload[:24] != head.digest.encode():
            return None
        try:
            return _PAGES.decode(_decompressed(payload[24:]))
        except (msgspec.MsgspecError, zlib.error):
            return None

    def keep_page(self, name: str, head: PageHead, page: Page | None) -> None:
        """Store a head, and the page it speaks of unless it is there already."""
        if page is not None:
            body = _compressed(msgspec.msgpack.encode(page))
            self._write(os.path.join("pages", f"{name}.page"), head.digest.encode() + body)
        self._write(os.path.join("pages", f"{name}.head"), msgspec.msgpack.encode(head))

    def offer(self, target: str, name: str) -> bytes | None:
        """Return what was chosen for a target, as offers.encode_choice made it."""
        return self._read(os.path.join("offers", target, name))

    def keep_offer(self, target: str, name: str, data: bytes) -> None:
        """Store what was chosen for a target."""
        self._write(os.path.join("offers", target, name), data)

    def metadata(self, key: str) -> bytes | None:
        """Return a wheel's metadata, as offers.encode_metadata made it."""
        return self._read(os.path.join("metadata", key))

    def keep_metadata(self, key: str, data: bytes) -> None:
        """Store a wheel's metadata."""
        self._write(os.path.join("metadata", key), data)

    def _read(self, relative: str) -> bytes | None:
        try:
            descriptor = os.open(f"{self._root}/{relative}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            size = os.fstat(descriptor).st_size
            return unseal(os.read(descriptor, size))
        except OSError:
            return None
        finally:
            os.close(descriptor)

    def _write(self, relative: str, payload: bytes) -> None:
        path = Path(self._root, relative)
        with suppress(OSError):
            if path.parent not in self._made:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._made.add(path.parent)
            write_atomically(path, seal(payload))


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
