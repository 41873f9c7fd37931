"""A wheel's metadata: from the cache, beside the wheel, from its end, or out of all of it."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from msgspec import Struct
from packaging.version import Version

from envmgr.index.addresses import file_path, is_file, origin
from envmgr.index.cache import IndexCache, short_digest
from envmgr.index.download import Got, Wanted, download, find_kept
from envmgr.index.failures import HashMismatch, IndexRefused, IndexUnreachable
from envmgr.index.member import checked_metadata, read_file_member, read_member
from envmgr.index.network import Network
from envmgr.index.offers import UnreadableBytes, decode_metadata, encode_metadata
from envmgr.index.remote import ABSENT
from envmgr.index.types import UnusableMetadata
from envmgr.names import PackageName
from envmgr.wheel.archive import UnsafeWheel
from envmgr.wheel.central_directory import TAIL_SIZE, InvalidArchive, UnsafeMember
from envmgr.wheel.metadata import CoreMetadata

NOT_A_RANGE = frozenset((200, 400, 405, 416, 501))
"""Answers to a range request that mean: take the whole file."""


class Described(Struct, frozen=True, kw_only=True):
    """A wheel whose metadata is wanted."""

    wanted: Wanted
    name: PackageName
    version: Version
    has_metadata: bool = False
    metadata_sha256: str | None = None


@dataclass(slots=True)
class MetadataReader:
    """Reads metadata; wheels that had to be fetched whole are kept in ``wheels``. Thread-safe."""

    network: Network
    wheels: Path
    later: Callable[[Callable[[], object]], None]
    _rangeless: set[object] = field(default_factory=set)
    _got: dict[str, Got] = field(default_factory=dict)
    _locks: dict[str, threading.Lock] = field(default_factory=dict)

    def read(self, wheel: Described, cache: IndexCache) -> CoreMetadata | UnusableMetadata:
        """Return a wheel's metadata, or why it has none.

        Raises IndexFailure, and HashMismatch where metadata is not what its hash says.
        """
        if is_file(wheel.wanted.url):
            return self._local(wheel, Path(file_path(wheel.wanted.url)))
        known = self.cached(wheel, cache)
        if known is not None:
            return known
        metadata = self._fetch(wheel)
        key = cache_key(wheel.wanted)
        if key is not None:
            data = encode_metadata(metadata)
            self.later(lambda: cache.keep_metadata(key, data))
        return metadata

    def cached(self, wheel: Described, cache: IndexCache) -> CoreMetadata | UnusableMetadata | None:
        """Return what the cache knows of a wheel: for good, since its hash names its content."""
        key = cache_key(wheel.wanted)
        data = None if key is None else cache.metadata(key)
        if data is None:
            return None
        try:
            return decode_metadata(data)
        except UnreadableBytes:
            return None

    def whole(self, wanted: Wanted) -> Got:
        """Fetch a wheel whole, or find it; whoever fetches wheels later finds it too."""
        with self._locks.setdefault(wanted.sha256 or wanted.url, threading.Lock()):
            kept = find_kept(self.wheels, wanted)
            if kept is not None:
                return kept
            if wanted.url not in self._got:
                client = self.network.client(wanted.index, wanted.url)
                self._got[wanted.url] = download(
                    client, wanted, self.wheels, lambda _bytes: None, lambda: False
                )
            return self._got[wanted.url]

    def _local(self, wheel: Described, path: Path) -> CoreMetadata | UnusableMetadata:
        try:
            data = _read_member_of(path)
        except UnsafeMember as error:
            raise UnsafeWheel(wheel.wanted.filename, error.member, error.reason) from None
        except InvalidArchive as error:
            return UnusableMetadata(str(error))
        except OSError as error:
            raise IndexUnreachable(
                wheel.wanted.index, wheel.wanted.url, error.strerror or str(error)
            ) from None
        return checked_metadata(data, wheel.name, wheel.version)

    def _fetch(self, wheel: Described) -> CoreMetadata | UnusableMetadata:
        kept = find_kept(self.wheels, wheel.wanted)
        if kept is not None:
            with suppress(IndexUnreachable):  # gone meanwhile: then it is fetched
                return self._local(wheel, kept.path)
        if wheel.has_metadata:
            data = self._fetch_beside(wheel)
            if data is not None:
                return checked_metadata(data, wheel.name, wheel.version)
        if origin(wheel.wanted.url) not in self._rangeless:
            try:
                data = self._fetch_by_ranges(wheel.wanted)
            except InvalidArchive:
                data = None  # the server may be what is wrong: the whole file will tell
            if data is not None:
                return checked_metadata(data, wheel.name, wheel.version)
        return self._local(wheel, self.whole(wheel.wanted).path)

    def _fetch_beside(self, wheel: Described) -> bytes | None:
        """Fetch ``{url}.metadata`` (PEP 658); ``None`` if it is not there after all."""
        url, index = f"{wheel.wanted.url}.metadata", wheel.wanted.index
        client = self.network.client(index, url)
        answer = client.get(url, {}, index, wanted=frozenset((200,)))
        if answer.status in ABSENT:
            return None
        if answer.status != 200:
            raise IndexRefused(index, url, answer.status)
        found = sha256(answer.body).hexdigest()
        if wheel.metadata_sha256 not in {None, found}:
            name = f"{wheel.wanted.filename}.metadata"
            raise HashMismatch(name, url, wheel.metadata_sha256 or "", found)
        return answer.body

    def _fetch_by_ranges(self, wanted: Wanted) -> bytes | None:
        """Fetch only the bytes that matter; ``None`` if the server does not give parts of files.

        Raises InvalidArchive.
        """
        size = wanted.size
        if size is None:
            asked = f"bytes=-{TAIL_SIZE}"
        else:
            asked = f"bytes={max(size - TAIL_SIZE, 0)}-{max(size - 1, 0)}"
        got = self._range(wanted, asked)
        if got is None:
            return None
        start, total, tail = got
        if total is None or start + len(tail) != total:
            return None

        def read(first: int, end: int) -> bytes:
            part = self._range(wanted, f"bytes={first}-{end - 1}")
            if part is None or part[0] != first or len(part[2]) != end - first:
                raise InvalidArchive("the server gives other bytes than it is asked for")
            return part[2]

        return read_member(read, total, tail)

    def _range(self, wanted: Wanted, asked: str) -> tuple[int, int | None, bytes] | None:
        """Fetch a range: where it starts, the file's size, and the bytes."""
        client = self.network.client(wanted.index, wanted.url)
        headers = {"Range": asked, "Accept-Encoding": "identity"}
        answer = client.get(wanted.url, headers, wanted.index, wanted=frozenset((206,)))
        if answer.status in NOT_A_RANGE:
            if answer.status == 200:
                self._rangeless.add(origin(wanted.url))
            return None
        if answer.status != 206:
            raise IndexRefused(wanted.index, wanted.url, answer.status)
        parsed = _content_range(answer.headers.get("content-range", ""))
        if parsed is None or parsed[1] - parsed[0] + 1 != len(answer.body):
            return None
        return parsed[0], parsed[2], answer.body


def cache_key(wanted: Wanted) -> str | None:
    """Name a wheel in an index's cache; ``None`` where nothing says that it stays the same."""
    return None if wanted.sha256 is None else short_digest(wanted.filename, wanted.sha256)


def _read_member_of(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        return read_file_member(lambda first, end: os.pread(descriptor, end - first, first), size)
    finally:
        os.close(descriptor)


def _content_range(text: str) -> tuple[int, int, int | None] | None:
    """Read ``bytes 0-9/100``: first, last, size (RFC 9110 section 14.4)."""
    unit, _, rest = text.strip().partition(" ")
    span, _, total = rest.partition("/")
    first, _, last = span.partition("-")
    if unit.lower() != "bytes" or not (first.isdigit() and last.isdigit()):
        return None
    return int(first), int(last), int(total) if total.isdigit() else None
