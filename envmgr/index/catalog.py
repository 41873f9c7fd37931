"""The indexes of a run in their order: what the resolver asks.

Everything is fetched once per run, by whoever asks first; threads run ahead of
the resolver as soon as anything has to come over the network.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec.structs import replace

from envmgr.events import Reporter, silent
from envmgr.helper import Helper
from envmgr.index.access import access_from
from envmgr.index.addresses import file_path, is_file
from envmgr.index.afar import Asked, PagesAfar
from envmgr.index.ahead import Ahead
from envmgr.index.cache import FORMAT, IndexCache, short_digest
from envmgr.index.choosing import Choice, Chooser
from envmgr.index.clock import SYSTEM_CLOCK, Clock
from envmgr.index.direct import DirectReader
from envmgr.index.directory import DirectoryIndex
from envmgr.index.download import Got, Wanted, hash_file
from envmgr.index.logins import Logins
from envmgr.index.network import Network
from envmgr.index.remote import RemoteIndex, Rules, cache_address
from envmgr.index.routing import route
from envmgr.index.types import (
    Candidate,
    DirectCandidate,
    Offer,
    OfferSource,
    UnusableMetadata,
    WheelCandidate,
)
from envmgr.index.wheel_metadata import Described, MetadataReader
from envmgr.index.workers import Backlog, Once
from envmgr.names import IndexName, PackageName
from envmgr.spec.types import IndexSpec
from envmgr.target.types import Target
from envmgr.wheel.metadata import CoreMetadata
from envmgr.wheel.requirement import Direct, Named


class Catalog(OfferSource):
    """Answers for a run. Thread-safe; a context manager that finishes writing its cache."""

    def __init__(
        self,
        indexes: tuple[IndexSpec, ...],
        answering: Mapping[IndexName, RemoteIndex | DirectoryIndex],
        reader: MetadataReader,
        direct: DirectReader,
        unnamed: IndexCache,
        target: Target,
        backlog: Backlog,
        afar: PagesAfar | None,
    ) -> None:
        """``unnamed`` caches for direct URLs. Use open_catalog."""
        self._indexes = indexes
        self._answering = answering
        self._reader = reader
        self._direct_reader = direct
        self._unnamed = unnamed
        self._backlog = backlog
        self._afar = afar
        self._ahead = Ahead(target, self._offer_ahead, self._metadata_ahead, reader.network.close)
        self._offers: dict[PackageName, Once[Offer]] = {}
        self._metadata: dict[str, Once[CoreMetadata | UnusableMetadata]] = {}
        self._directs: dict[str, Once[DirectCandidate]] = {}

    def offer(self, name: PackageName) -> Offer:
        """Return what there is of a package. Raises IndexFailure, never an empty offer for it."""
        return self._offer_once(name).get()

    def metadata(self, candidate: Candidate) -> CoreMetadata | UnusableMetadata:
        """Return a candidate's metadata, or why it has none. Raises IndexFailure, HashMismatch."""
        return self._metadata_once(candidate).get()

    def direct(self, requirement: Direct) -> DirectCandidate:
        """Return the wheel at a URL. Raises IndexFailure, IntegrityError, DirectUnusable."""
        once = self._directs.get(requirement.url)
        if once is None:
            make: Once[DirectCandidate] = Once(partial(self._direct_reader.read, requirement))
            once = self._directs.setdefault(requirement.url, make)
        return once.get()

    def prefetch(self, names: Iterable[PackageName]) -> None:
        """Begin to fetch what the resolver will ask about these packages; returns at once."""
        for name in names:
            self._ahead.expect(name)
            self._wake_for(name)

    def prefetch_metadata(self, candidates: Iterable[Candidate]) -> None:
        """Begin to fetch metadata that the resolver will ask for if it backtracks."""
        for candidate in candidates:
            if isinstance(candidate, WheelCandidate):
                self._ahead.expect_metadata(candidate)

    def expect(self, requirements: Iterable[Named | Direct]) -> None:
        """Like prefetch, with extras and specifiers, so that guesses are better."""
        for requirement in requirements:
            if isinstance(requirement, Named):
                self._ahead.expect_requirement(requirement)
                self._wake_for(requirement.name)

    def fetch_sha256(self, candidate: WheelCandidate) -> Got:
        """Fetch a wheel for which the index has no hash, and compute it.

        The wheel is kept where fetch_wheels finds it; one in a directory stays there.
        Raises IndexFailure, HashMismatch.
        """
        if is_file(candidate.url):
            path = Path(file_path(candidate.url))
            return Got(path, hash_file(path), path.stat().st_size)
        return self._reader.whole(_wanted(candidate))

    def close(self) -> None:
        """Begin nothing more and finish writing the cache. Does not wait for the network."""
        self._ahead.close()
        self._backlog.close()
        if self._afar is not None:
            self._afar.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _offer_once(self, name: PackageName) -> Once[Offer]:
        once = self._offers.get(name)
        if once is None:
            once = self._offers.setdefault(name, Once(partial(self._make_offer, name)))
        return once

    def _make_offer(self, name: PackageName) -> Offer:
        way = route(self._indexes, name)
        asked: list[IndexName] = []
        for index in way.indexes:
            answering = self._answering[index.name]
            if isinstance(answering, RemoteIndex) and answering.known(name) is None:
                self._ahead.wake()
            choice = answering.choose(name)
            if choice is not None:
                return _offer(name, index.name, choice, tuple(asked), way.reserved_by is not None)
            asked.append(index.name)
        return Offer(name, None, (), asked=tuple(asked), reserved=way.reserved_by is not None)

    def _metadata_once(self, candidate: Candidate) -> Once[CoreMetadata | UnusableMetadata]:
        once = self._metadata.get(candidate.url)
        if once is None:
            make = Once(partial(self._make_metadata, candidate))
            once = self._metadata.setdefault(candidate.url, make)
        return once

    def _make_metadata(self, candidate: Candidate) -> CoreMetadata | UnusableMetadata:
        wheel = Described(wanted=_wanted(candidate), name=candidate.name, version=candidate.version)
        cache = self._unnamed
        if isinstance(candidate, WheelCandidate):
            wheel = replace(
                wheel,
                has_metadata=candidate.has_metadata,
                metadata_sha256=candidate.metadata_sha256,
            )
            index = self._answering[candidate.index]
            cache = index.cache if isinstance(index, RemoteIndex) else self._unnamed
        if not is_file(candidate.url) and not self._ahead.awake:
            known = self._reader.cached(wheel, cache)
            if known is not None:
                return known
            self._ahead.wake()
        return self._reader.read(wheel, cache)

    def _wake_for(self, name: PackageName) -> None:
        """Let threads run if a page has to come over the network."""
        if self._ahead.awake:
            return
        for index in route(self._indexes, name).indexes:
            answering = self._answering[index.name]
            has = answering.known(name) if isinstance(answering, RemoteIndex) else True
            if has is None:
                self._ahead.wake()
            if has is not False:
                return

    def _offer_ahead(self, name: PackageName) -> Offer | None:
        once = self._offer_once(name)
        return None if once.running else once.get()

    def _metadata_ahead(self, candidate: WheelCandidate) -> CoreMetadata | UnusableMetadata | None:
        once = self._metadata_once(candidate)
        return None if once.running else once.get()


def open_catalog(
    indexes: tuple[IndexSpec, ...],
    target: Target,
    *,
    cache: Path,
    offline: bool,
    refresh: bool,
    exclude_newer: datetime | None,
    environ: Mapping[str, str],
    report: Reporter = silent,
    clock: Clock = SYSTEM_CLOCK,
    helper: Helper | None = None,
) -> Catalog:
    """Make a catalog of ``indexes``, highest priority first, for a target.

    Nothing is read or fetched yet. ``offline`` takes from the cache whatever is
    there, however old; ``refresh`` asks for everything anew; ``exclude_newer`` is
    aware, and files uploaded at it or later do not exist. ``helper``, of ASKING_AT_ONCE threads,
    asks for pages in place of this process, which reads netrc at once; the system's clock counts.
    """
    access = access_from(environ, indexes)
    network = Network(access, offline=offline, clock=clock, report=report)
    chooser = Chooser(target, exclude_newer)
    backlog = Backlog("index-cache")
    rules = Rules(
        refresh=refresh and not offline,
        clock=clock,
        target_key=target_key(target, exclude_newer),
        later=backlog.submit,
    )
    asked = Asked(
        indexes=tuple(spec for spec in indexes if not is_file(spec.url)),
        access=access,
        target=target,
        target_key=rules.target_key,
        exclude_newer=exclude_newer,
        cache=cache,
        refresh=rules.refresh,
    )
    afar = _pages_afar(helper, asked, network.logins)
    unnamed = IndexCache(cache, "direct")
    answering: dict[IndexName, RemoteIndex | DirectoryIndex] = {}
    for spec in indexes:
        if is_file(spec.url):
            answering[spec.name] = DirectoryIndex(spec, chooser)
        else:
            kept = IndexCache(cache, cache_address(spec))
            asking = None if afar is None else afar.ask
            answering[spec.name] = RemoteIndex(spec, kept, network, chooser, rules, asking)
    reader = MetadataReader(network=network, wheels=cache / "wheels", later=backlog.submit)
    direct = DirectReader(target, unnamed, reader, rules)
    return Catalog(indexes, answering, reader, direct, unnamed, target, backlog, afar)


def _pages_afar(helper: Helper | None, asked: Asked, logins: Logins) -> PagesAfar | None:
    """Let a helper ask, if there is one and anything to ask it."""
    if helper is None or not asked.indexes:
        return None
    for spec in asked.indexes:
        logins.of(spec.url)  # or nobody would be told of a netrc that cannot be read
    return PagesAfar(helper, asked)


def target_key(target: Target, exclude_newer: datetime | None) -> str:
    """Return what stands for everything a choice depends on but the page."""
    cutoff = "" if exclude_newer is None else exclude_newer.isoformat()
    return short_digest(FORMAT, str(target.python_version), cutoff, *target.tags)


def _offer(
    name: PackageName,
    index: IndexName,
    choice: Choice,
    asked: tuple[IndexName, ...],
    reserved: bool,
) -> Offer:
    return Offer(
        name, index, choice.candidates, choice.excluded, asked, reserved=reserved, note=choice.note
    )


def _wanted(candidate: Candidate) -> Wanted:
    return Wanted(
        filename=candidate.filename,
        url=candidate.url,
        index=candidate.index if isinstance(candidate, WheelCandidate) else None,
        sha256=candidate.sha256,
        size=candidate.size,
    )
