"""``which``: whose a library, module, program or file of an environment is."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from envmgr.audit.types import Found
from envmgr.audit.view import ViewFiles
from envmgr.audit.which import Holdings, Kind, Match, is_called
from envmgr.events import Reporter, silent
from envmgr.link.generation import generation_path
from envmgr.names import EnvironmentName, PackageName
from envmgr.pipeline.audit import viewed_entries
from envmgr.pipeline.environments import find_prefix, record_of
from envmgr.pipeline.types import Selector
from envmgr.spec.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """Something that goes by the name that was asked for, and whose it is."""

    kind: Kind
    package: PackageName | None
    """``None`` for what no package brings."""
    version: str | None
    path: str
    """In the view, relative to the prefix; absolute for what is not in it."""
    entry: Path | None
    """The package's own, in the store; ``None`` for what envmgr writes, and what is missing."""
    leads_to: Path | None
    """Where the view's path really leads; ``None`` where nothing stands there."""
    replaced: bool
    """Whether that is not the package's own: a shared copy, or another package's file."""
    serves: PackageName | None
    """Whose file stands there instead, where it is a package's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """What ``which`` found."""

    name: EnvironmentName
    prefix: Path
    asked: str
    found: tuple[Owned, ...]
    near: tuple[str, ...]
    """Names that may have been meant, where nothing was found."""


def find_owners(
    asked: str, selector: Selector, settings: Settings, report: Reporter = silent
) -> Owners:
    """Tell whose something is in an environment.

    ``asked`` is the name of a package, library, module or program, a path with or without
    ``*``, or an absolute path in the prefix or in the store. Raises NoSuchEnvironment,
    DamagedEnvironment, EntryDamaged.
    """
    prefix, record = find_prefix(selector, settings), record_of(selector, settings)
    entries = viewed_entries(selector, settings, record, report)
    files = ViewFiles(generation_path(prefix, record.id), entries, settings.stores)
    search = _Search(
        files, Holdings((each.manifest for each in entries), files.place_of, files.site)
    )
    found = tuple(search.absolute(asked) if asked.startswith("/") else search.by_name(asked))
    return Owners(
        name=record.name,
        prefix=prefix,
        asked=asked,
        found=found,
        near=() if found else search.holdings.near(asked),
    )


@dataclass(frozen=True, slots=True)
class _Search:
    files: ViewFiles
    holdings: Holdings

    def by_name(self, asked: str) -> Iterator[Owned]:
        yield from map(self._owned, self.holdings.search(asked))
        for name in self.files.shared_names():
            place = f"lib/{name}"
            found = self.files.lookup(self.files.whole(place))
            if found and found.facts and _goes_by(name, found.facts.soname, asked):
                owned = self._unclaimed(place, found, "library")
                if not self.holdings.at(place):
                    yield owned

    def absolute(self, asked: str) -> Iterator[Owned]:
        path = os.path.normpath(asked)
        place = self.files.shown(path)
        matches = self.holdings.at(place) if not place.startswith("/") else ()
        found = self.files.lookup(path)
        if not matches and place.startswith("/"):
            matches = self._in_the_store(os.path.realpath(path))
        yield from map(self._owned, matches)
        if not matches and found is not None:
            yield self._unclaimed(place, found, "file")

    def _in_the_store(self, real: str) -> tuple[Match, ...]:
        for entry in self.files.entries:
            root = os.path.realpath(entry.root)
            if real.startswith(f"{root}/"):
                source = real.removeprefix(f"{root}/")
                place = self.files.place_of(source)
                mine = (each for each in self.holdings.at(place or "") if each.source == source)
                return tuple(each for each in mine if each.package == entry.manifest.name)
        return ()

    def _owned(self, match: Match) -> Owned:
        root = next(e.root for e in self.files.entries if e.manifest.name == match.package)
        own = None if match.source is None else f"{root}/{match.source}"
        path = self.files.whole(match.place)
        is_file = match.kind not in ("package", "directory") and own is not None
        mine = self.files.lookup(own) if is_file and own else None
        there = self.files.lookup(path) if is_file else None
        replaced = bool(mine and there and mine.identity != there.identity) and not (
            there is not None and there.real.startswith(f"{self.files.generation}/")
        )
        serves = self.files.owner_of(there).package if there and replaced else None
        return Owned(
            kind=match.kind,
            package=match.package,
            version=match.version,
            path=match.place,
            entry=Path(own) if own and os.path.lexists(own) else None,
            leads_to=Path(os.path.realpath(path)) if os.path.lexists(path) else None,
            replaced=replaced,
            serves=serves,
        )

    def _unclaimed(self, place: str, found: Found, kind: Kind) -> Owned:
        """Tell of a file that stands where no package claims one: a shared library, say."""
        package = self.files.owner_of(found).package
        version = next(
            (e.manifest.version for e in self.files.entries if e.manifest.name == package), None
        )
        return Owned(
            kind=kind,
            package=package,
            version=version,
            path=place,
            entry=Path(found.real) if package else None,
            leads_to=Path(found.real),
            replaced=False,
            serves=None,
        )


def _goes_by(name: str, soname: str | None, asked: str) -> bool:
    if "/" in asked:
        return asked == f"lib/{name}"
    return asked.startswith("lib") and is_called(name, soname, asked)
