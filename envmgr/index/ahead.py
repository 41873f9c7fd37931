"""Running ahead of the resolver: pages, and the metadata of what it will most likely choose."""

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TypeAlias

from packaging.specifiers import SpecifierSet

from envmgr.index.types import Offer, UnusableMetadata, WheelCandidate
from envmgr.index.workers import THREADS, Workers
from envmgr.names import ExtraName, PackageName
from envmgr.target.types import Target, UndefinedMarker
from envmgr.wheel.metadata import CoreMetadata
from envmgr.wheel.requirement import Named, RequirementSyntaxError, parse_requirement

DEPTH = 8
"""How many requirements deep guesses lead away from what the resolver named."""

_ANY = SpecifierSet()
_Guess: TypeAlias = tuple[PackageName, frozenset[ExtraName]]


class Ahead:
    """Guesses what the resolver will ask, and asks first. Wrong guesses cost requests, no answers.

    What the resolver named goes before guesses, and those nearer to it before those further away.

    Sleeps until ``wake``: where everything is in the cache, threads would only
    be in the way.
    """

    def __init__(
        self,
        target: Target,
        offer: Callable[[PackageName], Offer | None],
        metadata: Callable[[WheelCandidate], CoreMetadata | UnusableMetadata | None],
        at_end: Callable[[], None],
    ) -> None:
        """``offer`` and ``metadata`` answer ``None`` where somebody else is asking already."""
        self._target = target
        self._offer = offer
        self._metadata = metadata
        self._workers = Workers("index", THREADS, at_end)
        self._lock = threading.Lock()
        self._awake = False
        self._guessed: set[_Guess] = set()
        self._begun: set[_Guess] = set()
        self._waiting: list[tuple[Callable[[], object], int]] = []

    @property
    def awake(self) -> bool:
        """Whether threads may run."""
        return self._awake

    def wake(self) -> None:
        """Begin: something has to come over the network."""
        with self._lock:
            if self._awake:
                return
            self._awake = True
            waiting, self._waiting = self._waiting, []
        for task, turn in waiting:
            self._workers.submit(task, turn)

    def expect(self, name: PackageName) -> None:
        """Prepare for questions about this package."""
        self._guess(Named(name, None, _ANY), DEPTH)

    def expect_requirement(self, requirement: Named) -> None:
        """Prepare for questions about this package, with these extras and this specifier."""
        self._guess(requirement, DEPTH)

    def expect_metadata(self, candidate: WheelCandidate) -> None:
        """Prepare for a question about this candidate's metadata alone."""
        self._submit(partial(self._metadata, candidate), 0)

    def close(self) -> None:
        """Begin nothing more."""
        self._workers.close()

    def _guess(self, requirement: Named, depth: int) -> None:
        """Look at a package once; at one that was only guessed and now is named, sooner."""
        key = (requirement.name, requirement.extras or frozenset())
        with self._lock:
            if key in self._begun or (key in self._guessed and depth < DEPTH):
                return
            self._guessed.add(key)
        self._submit(partial(self._look, key, requirement, depth), DEPTH - depth)

    def _submit(self, task: Callable[[], object], turn: int) -> None:
        with self._lock:
            if not self._awake:
                self._waiting.append((task, turn))
                return
        self._workers.submit(task, turn)

    def _look(self, key: _Guess, requirement: Named, depth: int) -> None:
        with self._lock:
            if key in self._begun:
                return
            self._begun.add(key)
        offer = self._offer(requirement.name)
        candidate = None if offer is None else likely(offer, requirement.specifier)
        if candidate is None:
            return
        metadata = self._metadata(candidate)
        if depth == 0 or metadata is None or isinstance(metadata, UnusableMetadata):
            return
        for wanted in active(metadata.requires_dist, self._target, requirement.extras):
            self._guess(wanted, depth - 1)


def likely(offer: Offer, specifier: SpecifierSet) -> WheelCandidate | None:
    """Return what a resolver takes first: the newest that fits, not yanked, no pre-release."""
    fallback = None
    for candidate in offer.candidates:
        if not specifier.contains(candidate.version, prereleases=True):
            continue
        if candidate.yanked is None and not candidate.version.is_prerelease:
            return candidate
        fallback = fallback or candidate
    return fallback


def active(
    requires_dist: Iterable[str], target: Target, extras: frozenset[ExtraName] | None
) -> Iterator[Named]:
    """Yield what a target needs of a package with ``extras``; the unreadable is skipped."""
    for text in requires_dist:
        if not extras and "extra" in text.partition(";")[2]:
            continue
        try:
            wanted = parse_requirement(text)
        except RequirementSyntaxError:
            continue
        if isinstance(wanted, Named) and _holds(wanted, target, extras or frozenset()):
            yield wanted


def _holds(wanted: Named, target: Target, extras: frozenset[ExtraName]) -> bool:
    try:
        return target.satisfies(wanted.marker, extras)
    except UndefinedMarker:
        return False
