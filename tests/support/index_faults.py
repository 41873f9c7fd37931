"""What an index server hosts, and the ways in which it can fail."""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias


class HasWheel(Protocol):
    """What ``make_wheel`` returns."""

    @property
    def filename(self) -> str: ...
    @property
    def data(self) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosted:
    """A file, wheel or not, with what the index says about it."""

    filename: str
    data: bytes = b""
    requires_python: str | None = None
    yanked: bool | str = False
    upload_time: str | None = "2026-01-01T00:00:00.000000Z"
    sha256: str | None = None
    """What the page claims; ``None``: the truth. ``""``: no hash at all."""
    metadata: bytes | None = None
    """Served as ``.metadata`` (PEP 658) instead of the wheel's own."""
    metadata_sha256: str | None = None

    @property
    def claimed(self) -> str:
        """The sha256 on the page."""
        return hashlib.sha256(self.data).hexdigest() if self.sha256 is None else self.sha256


def hosted(wheel: HasWheel, **facts: object) -> Hosted:
    """Make a Hosted of a wheel; ``facts`` are its other fields."""
    return Hosted(filename=wheel.filename, data=wheel.data, **facts)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Status:
    """Answer with this status; with a body that is no page."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Slow:
    """Wait before the first byte."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Truncated:
    """Promise the whole body, send this many bytes of it and hang up."""

    sent: int


@dataclass(frozen=True, slots=True)
class Corrupted:
    """Send the whole body with its last byte changed."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Hang up without an answer, with a TCP reset."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the client elsewhere; relative or absolute."""

    location: str
    code: int = 302


@dataclass(frozen=True, slots=True)
class NoRanges:
    """Answer 200 with everything, whatever range was asked for."""


@dataclass(frozen=True, slots=True)
class WrongRange:
    """Answer 206 with bytes from elsewhere, and say so."""


Fault: TypeAlias = Status | Slow | Truncated | Corrupted | Reset | Redirect | NoRanges | WrongRange


def metadata_of(file: Hosted) -> bytes:
    if file.metadata is not None:
        return file.metadata
    with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
        names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return archive.read(names[0])
