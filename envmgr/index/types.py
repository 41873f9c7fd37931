"""What an index gives, and what it withholds with why."""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeAlias

from msgspec import Struct
from packaging.version import Version

from envmgr.names import IndexName, PackageName
from envmgr.wheel.metadata import CoreMetadata
from envmgr.wheel.requirement import Direct


class WheelCandidate(Struct, frozen=True, kw_only=True):
    """A version as one concrete wheel of one index: the best of that version for the target."""

    name: PackageName
    version: Version
    index: IndexName
    filename: str
    url: str
    """Absolute, without credentials or fragment; ``file://`` for a directory of wheels."""
    sha256: str | None
    """``None`` where the index gives no hash; then it is computed on download."""
    size: int | None
    upload_time: datetime | None
    requires_python: str | None
    yanked: str | None
    """``None``: not yanked; otherwise the reason, perhaps empty (PEP 592)."""
    has_metadata: bool
    """Whether the index offers ``{url}.metadata`` (PEP 658)."""
    metadata_sha256: str | None
    label: str | None = None
    """The variant label (PEP 825), ``None`` for a plain wheel."""

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class DirectCandidate(Struct, frozen=True, kw_only=True):
    """The one wheel a direct requirement points at."""

    name: PackageName
    version: Version
    filename: str
    url: str
    sha256: str
    size: int

    def __str__(self) -> str:
        return f"{self.name} {self.version} @ {self.url}"


Candidate: TypeAlias = WheelCandidate | DirectCandidate


class NoCompatibleTag(Struct, frozen=True):
    """None of the version's wheels is for this interpreter and platform."""

    tags: tuple[str, ...]
    """Some of the tags there are, for the explanation."""


class PythonMismatch(Struct, frozen=True):
    """``Requires-Python`` does not admit the target's interpreter."""

    requires_python: str


class SourceOnly(Struct, frozen=True):
    """The version has a source distribution and no wheel."""


class UploadedTooLate(Struct, frozen=True):
    """Uploaded at or after ``exclude-newer``."""

    uploaded: datetime


class UploadTimeUnknown(Struct, frozen=True):
    """``exclude-newer`` is set and the index does not say when this was uploaded: fails closed."""


class UnsupportedVariant(Struct, frozen=True):
    """Only variant wheels (PEP 825), which this release does not choose among yet."""

    labels: tuple[str, ...]


class UnusableMetadata(Struct, frozen=True):
    """The wheel's metadata cannot be read or contradicts its file name."""

    reason: str


Exclusion: TypeAlias = (
    NoCompatibleTag
    | PythonMismatch
    | SourceOnly
    | UploadedTooLate
    | UploadTimeUnknown
    | UnsupportedVariant
    | UnusableMetadata
)


class Excluded(Struct, frozen=True):
    """A version that exists and cannot be chosen."""

    version: Version
    reason: Exclusion


class Offer(Struct, frozen=True):
    """The answer to "what is there of this package?", newest version first.

    ``index`` is the one that answered, ``None`` where none has the name;
    ``asked`` lists the indexes that were asked and do not have it. Pre-releases
    and yanked versions are among ``candidates``: whether they may be chosen is
    the resolver's to say. Exclusions are kept because "no version found" is
    only half an answer: the explanation of a failed resolution quotes them.
    """

    name: PackageName
    index: IndexName | None
    candidates: tuple[WheelCandidate, ...]
    excluded: tuple[Excluded, ...] = ()
    asked: tuple[IndexName, ...] = ()
    reserved: bool = False
    """Whether ``packages`` globs sent the name to ``index``."""
    note: str | None = None
    """What the index says about the project itself (PEP 792): ``quarantined: malware``."""


class OfferSource(Protocol):
    """Where the resolver gets what it decides upon. Every call may block; answers never change."""

    def offer(self, name: PackageName) -> Offer:
        """Return what there is of a package. Raises IndexFailure, never an empty offer for it."""

    def metadata(self, candidate: Candidate) -> CoreMetadata | UnusableMetadata:
        """Return a candidate's own metadata, or why it has none.

        Raises IndexFailure, and IntegrityError where it is not what its hash promises.
        """

    def direct(self, requirement: Direct) -> DirectCandidate:
        """Return the wheel at a URL. Raises IndexFailure, IntegrityError, DefinitionError."""

    def prefetch(self, names: Iterable[PackageName]) -> None:
        """Begin to fetch offers, and the metadata of their best candidates; returns at once."""

    def prefetch_metadata(self, candidates: Iterable[Candidate]) -> None:
        """Begin to fetch the metadata of these candidates; returns at once."""


class Download(Struct, frozen=True):
    """One wheel to bring here: where from, and what it must be."""

    filename: str
    url: str
    index: IndexName | None
    """Whose credentials and client settings to use."""
    sha256: str
    size: int | None


FetchedCallback: TypeAlias = Callable[[Download, Path], None]
