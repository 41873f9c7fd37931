"""From a page to an offer: of each version the best wheel for a target, or why there is none.

A page has thousands of files and few that matter, so that everything that
repeats (names, tags, ``Requires-Python``, versions) is decided once per text,
and a wheel is looked at closely only when it is chosen.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeAlias

from msgspec import Struct
from packaging.version import Version

from envmgr.index.addresses import absolute, is_file
from envmgr.index.pages import Page, PageFile
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
from envmgr.names import IndexName, PackageName, normalized
from envmgr.target.types import Target
from envmgr.wheel.filename import InvalidWheelFilename, parse_wheel_filename, split_wheel_filename

SDIST_SUFFIXES = (".tar.gz", ".zip", ".tar.bz2")
TAGS_SHOWN = 16
"""How many of a version's tags are kept to explain why none fits: one of each interpreter."""
_Preference: TypeAlias = tuple[int, int, str]
"""Of a version's wheels the one with the greatest is chosen."""


class _Ending(Struct, frozen=True):
    """What follows name and version in a wheel's file name: ``1-cp312-cp312-linux_x86_64.whl``."""

    tags: str
    """As written."""
    label: str | None
    matches: bool
    """Whether one of the tags is the target's."""
    near: bool
    """Whether the platform is the target's."""
    preference: _Preference | None
    """``None`` for what may never be chosen."""


class _Files:
    """One version's files in the order of the page.

    ``fitting`` are those of ``wheels`` that may be chosen as far as their endings tell.
    """

    __slots__ = ("fitting", "sources", "wheels")

    def __init__(self) -> None:
        self.wheels: list[PageFile] = []
        self.fitting: list[tuple[PageFile, _Preference]] = []
        self.sources: list[PageFile] = []

    def join(self, more: "_Files") -> None:
        """Take what another spelling of the same version has."""
        self.wheels += more.wheels
        self.fitting += more.fitting
        self.sources += more.sources


class Choice(Struct, frozen=True):
    """What a page offers a target. Fields as in Offer."""

    candidates: tuple[WheelCandidate, ...]
    excluded: tuple[Excluded, ...]
    note: str | None = None


class Chooser:
    """Chooses for one target. Safe to use from several threads; remembers what it decided."""

    def __init__(self, target: Target, exclude_newer: datetime | None = None) -> None:
        self._target = target
        self._ranks = target.tag_ranks
        self._platforms = {tag.rpartition("-")[2] for tag in self._ranks}
        self._exclude_newer = exclude_newer
        self._endings: dict[str, _Ending | None] = {}
        self._pythons: dict[str | None, bool] = {None: True}

    def choose(self, page: Page, name: PackageName, index: IndexName) -> Choice:
        """Return what may be chosen and what not, each newest first.

        Files that are neither wheel nor source, that belong to another project
        or whose version is not PEP 440's are passed over.
        """
        candidates: list[WheelCandidate] = []
        excluded: list[Excluded] = []
        for version, files in self._by_version(page.files, name):
            best = self._best(files)
            if best is None:
                excluded.append(Excluded(version, self._reason(files)))
                continue
            url = _usable_url(page.url, best.url)
            if isinstance(url, UnusableMetadata):
                excluded.append(Excluded(version, url))
            else:
                candidates.append(_candidate(name, version, index, url, best))
        return Choice(tuple(candidates), tuple(excluded), project_note(page))

    def _by_version(
        self, files: Iterable[PageFile], name: PackageName
    ) -> list[tuple[Version, _Files]]:
        by_text: dict[str, _Files] = {}
        endings = self._endings
        for file in files:
            filename = file.filename
            if filename.endswith(".whl"):
                written, _, rest = filename.partition("-")
                if normalized(written) != name:
                    continue
                version, _, ending_text = rest.partition("-")
                if ending_text not in endings:
                    endings[ending_text] = self._ending(filename)
                ending = endings[ending_text]
                if ending is None:
                    continue
                found = by_text.get(version)
                if found is None:
                    found = by_text[version] = _Files()
                found.wheels.append(file)
                if ending.preference is not None:
                    found.fitting.append((file, ending.preference))
            elif filename.endswith(SDIST_SUFFIXES):
                source_version = sdist_version(filename, name)
                if source_version is not None:
                    by_text.setdefault(source_version, _Files()).sources.append(file)
        return _parsed(by_text)

    def _ending(self, filename: str) -> _Ending | None:
        split = split_wheel_filename(filename)
        if split is None:
            return None
        _, _, _, python, abi, platform, label = split
        try:
            # the version is of no interest here, and need not be one
            parsed = parse_wheel_filename(f"x-0-{filename.split('-', 2)[2]}")
        except InvalidWheelFilename:
            return None
        ranks = [rank for tag in parsed.tags if (rank := self._ranks.get(tag)) is not None]
        number, text = parsed.build or (-1, "")
        preference = (-min(ranks), number, text) if ranks and label is None else None
        near = not self._platforms.isdisjoint(platform.split("."))
        return _Ending(f"{python}-{abi}-{platform}", label, bool(ranks), near, preference)

    def _best(self, files: _Files) -> PageFile | None:
        best: tuple[tuple[bool, _Preference], str, PageFile] | None = None
        for file, preference in files.fitting:
            if not self._admits(file):
                continue
            key = (file.yanked is False or file.yank_reason is None, preference)
            if best is None or key > best[0] or (key == best[0] and file.filename < best[1]):
                best = (key, file.filename, file)
        return None if best is None else best[2]

    def _admits(self, file: PageFile) -> bool:
        return self._admits_python(file.requires_python) and self._in_time(file)

    def _admits_python(self, requires_python: str | None) -> bool:
        known = self._pythons.get(requires_python)
        if known is None:
            known = self._target.accepts_python(requires_python)
            self._pythons[requires_python] = known
        return known

    def _in_time(self, file: PageFile) -> bool:
        if self._exclude_newer is None:
            return True
        uploaded = parse_time(file.upload_time)
        return uploaded is not None and uploaded < self._exclude_newer

    def _reason(self, files: _Files) -> Exclusion:
        """Say why none of a version's wheels will do: the reason that changing least would lift."""
        everything = [*files.wheels, *files.sources]
        in_time = everything
        if self._exclude_newer is not None:
            in_time = [file for file in everything if self._in_time(file)]
        if not in_time:
            times = [time for file in everything if (time := parse_time(file.upload_time))]
            return UploadedTooLate(min(times)) if times else UploadTimeUnknown()
        if not any(self._admits_python(file.requires_python) for file in in_time):
            return PythonMismatch(in_time[0].requires_python or "")
        endings = dict.fromkeys(_ending_text(file) for file in files.wheels if self._admits(file))
        wheels = [found for text in endings if (found := self._endings[text]) is not None]
        if not wheels:
            return SourceOnly()
        labels = {ending.label for ending in wheels if ending.label and ending.matches}
        if labels:
            return UnsupportedVariant(tuple(sorted(labels)))
        return NoCompatibleTag(_telling_tags(wheels))


def project_note(page: Page) -> str | None:
    """Say what is special about the project (PEP 792), or ``None``."""
    if page.status == "active":
        return None
    return f"{page.status}: {page.status_reason}" if page.status_reason else page.status


def sdist_version(filename: str, name: PackageName) -> str | None:
    """Return the version's text of a source distribution of project ``name``.

    Old names have hyphens in the name or in the version, so that the project
    decides where one ends and the other begins (PEP 625 forbids both).
    """
    stem = filename.removesuffix(next(filter(filename.endswith, SDIST_SUFFIXES)))
    head, _, version = stem.rpartition("-")
    while head:
        if normalized(head) == name:
            return version
        head, _, tail = head.rpartition("-")
        version = f"{tail}-{version}"
    return None


def parse_time(text: str | None) -> datetime | None:
    """Read an ``upload-time`` (PEP 700) in UTC, which one without a zone is in already."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _usable_url(base: str, url: str) -> str | UnusableMetadata:
    try:
        found = absolute(base, url)
    except ValueError:
        return UnusableMetadata("the index gives no usable URL for it")
    if is_file(found) and not is_file(base):
        return UnusableMetadata("the index names a local file")
    return found


def _telling_tags(endings: Iterable[_Ending]) -> tuple[str, ...]:
    """Return one tag of each interpreter on the target's platform, or else of each platform."""
    near: dict[str, str] = {}
    far: dict[str, str] = {}
    for ending in endings:
        interpreter, _, platform = ending.tags.rpartition("-")
        if ending.near:
            near.setdefault(interpreter, ending.tags)
        else:
            far.setdefault(platform, ending.tags)
    return tuple((near or far).values())[:TAGS_SHOWN]


def _ending_text(file: PageFile) -> str:
    return file.filename.split("-", 2)[2]


def _parsed(by_text: Mapping[str, _Files]) -> list[tuple[Version, _Files]]:
    """Parse versions and join those that are the same (``1.0`` and ``1.0.0``); newest first."""
    versions: dict[Version, _Files] = {}
    for text, files in by_text.items():
        try:
            version = Version(text)
        except ValueError:  # InvalidVersion, or more digits than int() takes
            continue
        known = versions.setdefault(version, files)
        if known is not files:
            known.join(files)
    return sorted(versions.items(), key=lambda item: item[0], reverse=True)


def _candidate(
    name: PackageName, version: Version, index: IndexName, url: str, file: PageFile
) -> WheelCandidate:
    has_metadata, metadata_sha256 = file.metadata
    return WheelCandidate(
        name=name,
        version=version,
        index=index,
        filename=file.filename,
        url=url,
        sha256=file.sha256,
        size=file.size,
        upload_time=parse_time(file.upload_time),
        requires_python=file.requires_python,
        yanked=file.yank_reason,
        has_metadata=has_metadata,
        metadata_sha256=metadata_sha256,
    )
