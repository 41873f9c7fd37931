"""Offers and metadata as compact bytes, for the cache."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import astuple
from packaging.version import InvalidVersion, Version

from envmgr.index.choosing import Choice, parse_time
from envmgr.index.types import (
    Excluded,
    Exclusion,
    NoCompatibleTag,
    PythonMismatch,
    SourceOnly,
    UnsupportedVariant,
    UnusableMetadata,
    UploadedTooLate,
    UploadTimeUnknown,
    WheelCandidate,
)
from envmgr.names import ExtraName, IndexName, PackageName
from envmgr.wheel.metadata import CoreMetadata


class UnreadableBytes(ValueError):
    """Bytes that this module did not make, or not this version of it."""


class _Chosen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A WheelCandidate without name and index, which are known; the version is in the file name."""

    filename: str
    url: str
    sha256: str | None
    size: int | None
    upload_time: datetime | None
    requires_python: str | None
    yanked: str | None
    has_metadata: bool
    metadata_sha256: str | None
    label: str | None


_KNOWN = WheelCandidate.__struct_fields__.index("filename")
"""How many fields of a WheelCandidate come before those of _Chosen."""


class _Withheld(msgspec.Struct, frozen=True, array_like=True):
    version: str
    kind: int
    texts: tuple[str, ...]


class _Choice(msgspec.Struct, frozen=True, array_like=True):
    chosen: tuple[_Chosen, ...]
    withheld: tuple[_Withheld, ...]
    note: str | None


class _Metadata(msgspec.Struct, frozen=True, array_like=True):
    name: str
    version: str
    requires_python: str | None
    requires_dist: tuple[str, ...]
    provides_extra: tuple[str, ...]
    unusable: str | None = None


_CHOICES = msgspec.msgpack.Decoder(_Choice)
_METADATA = msgspec.msgpack.Decoder(_Metadata)


def encode_choice(choice: Choice) -> bytes:
    """Pack what was chosen from a page."""
    return msgspec.msgpack.encode(
        (
            [astuple(candidate)[_KNOWN:] for candidate in choice.candidates],
            tuple(map(_withheld, choice.excluded)),
            choice.note,
        )
    )


def decode_choice(data: bytes, name: PackageName, index: IndexName) -> Choice:
    """Unpack a choice. Raises UnreadableBytes."""
    try:
        choice = _CHOICES.decode(data)
        return Choice(
            tuple(_candidate(row, name, index) for row in choice.chosen),
            tuple(
                Excluded(Version(row.version), _READ[row.kind](row.texts))
                for row in choice.withheld
            ),
            choice.note,
        )
    except (msgspec.MsgspecError, InvalidVersion, LookupError) as error:
        raise UnreadableBytes(str(error)) from None


def encode_metadata(metadata: CoreMetadata | UnusableMetadata) -> bytes:
    """Pack a wheel's metadata, or why it has none."""
    if isinstance(metadata, UnusableMetadata):
        return msgspec.msgpack.encode(_Metadata("", "0", None, (), (), metadata.reason))
    return msgspec.msgpack.encode(
        _Metadata(
            metadata.name,
            str(metadata.version),
            metadata.requires_python,
            metadata.requires_dist,
            tuple(sorted(metadata.provides_extra)),
        )
    )


def decode_metadata(data: bytes) -> CoreMetadata | UnusableMetadata:
    """Unpack a wheel's metadata. Raises UnreadableBytes."""
    try:
        row = _METADATA.decode(data)
        if row.unusable is not None:
            return UnusableMetadata(row.unusable)
        return CoreMetadata(
            name=PackageName(row.name),
            version=Version(row.version),
            requires_python=row.requires_python,
            requires_dist=row.requires_dist,
            provides_extra=frozenset(map(ExtraName, row.provides_extra)),
        )
    except (msgspec.MsgspecError, InvalidVersion) as error:
        raise UnreadableBytes(str(error)) from None


def _candidate(row: _Chosen, name: PackageName, index: IndexName) -> WheelCandidate:
    return WheelCandidate(
        name=name,
        version=Version(row.filename.split("-", 2)[1]),
        index=index,
        filename=row.filename,
        url=row.url,
        sha256=row.sha256,
        size=row.size,
        upload_time=row.upload_time,
        requires_python=row.requires_python,
        yanked=row.yanked,
        has_metadata=row.has_metadata,
        metadata_sha256=row.metadata_sha256,
        label=row.label,
    )


def _withheld(excluded: Excluded) -> _Withheld:
    kind = _KINDS[type(excluded.reason)]
    return _Withheld(str(excluded.version), kind, _texts(excluded.reason))


def _texts(reason: Exclusion) -> tuple[str, ...]:
    match reason:
        case NoCompatibleTag(tags):
            return tags
        case PythonMismatch(requires_python):
            return (requires_python,)
        case UploadedTooLate(uploaded):
            return (uploaded.isoformat(),)
        case UnsupportedVariant(labels):
            return labels
        case UnusableMetadata(text):
            return (text,)
        case SourceOnly() | UploadTimeUnknown():
            return ()


def _too_late(texts: tuple[str, ...]) -> UploadedTooLate:
    uploaded = parse_time(texts[0])
    if uploaded is None:
        raise UnreadableBytes(f"{texts[0]!r} is no time")
    return UploadedTooLate(uploaded)


_READERS: tuple[tuple[type[Exclusion], Callable[[tuple[str, ...]], Exclusion]], ...] = (
    (NoCompatibleTag, NoCompatibleTag),
    (PythonMismatch, lambda texts: PythonMismatch(texts[0])),
    (SourceOnly, lambda _texts: SourceOnly()),
    (UploadedTooLate, _too_late),
    (UploadTimeUnknown, lambda _texts: UploadTimeUnknown()),
    (UnsupportedVariant, UnsupportedVariant),
    (UnusableMetadata, lambda texts: UnusableMetadata(texts[0])),
)
"""The number of a kind on disk is its place here: append only."""

_KINDS: dict[type[Any], int] = {kind: number for number, (kind, _) in enumerate(_READERS)}
_READ = {number: read for number, (_, read) in enumerate(_READERS)}
