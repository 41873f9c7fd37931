"""Which library of an implementation serves an environment."""

from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase

from msgspec import Struct

from envmgr.runtime.forwarding.spelling import Spelling
from envmgr.runtime.planning.survey import Copy, FileOf, Survey
from envmgr.runtime.types import Implementation, Provided


class Server(Struct, frozen=True):
    """A library that serves, and what it can stand for."""

    file: FileOf
    provided: Provided
    spellings: tuple[Spelling, ...]
    """For a BLAS, how it writes the names of functions."""


def choose_servers(
    implementation: Implementation, copies: tuple[Copy, ...], survey: Survey
) -> tuple[Server, ...]:
    """Choose a library for everything that an implementation provides and that is there."""
    return tuple(_servers(implementation, copies, survey))


def _servers(
    implementation: Implementation, copies: tuple[Copy, ...], survey: Survey
) -> Iterator[Server]:
    covered: set[str] = set()
    for provided in implementation.provides:
        if provided.copy_of in covered:
            continue
        server = _server(provided, implementation, copies, survey)
        if server is not None:
            yield server
            covered.update(provided.stands_for)


def _server(
    provided: Provided, implementation: Implementation, copies: tuple[Copy, ...], survey: Survey
) -> Server | None:
    if provided.copy_of:
        copy = _newest(provided, copies, survey)
        if copy is None:
            return None
        spelling = copy.library.spelling
        return Server(copy.file, provided, () if spelling is None else (spelling,))
    wheel = implementation.wheel
    for file in () if wheel is None else survey.libraries_of(wheel.name):
        if any(fnmatchcase(path, provided.file) for path in survey.paths_of(file)):
            return Server(file, provided, provided.spellings)
    return None


def _newest(provided: Provided, copies: tuple[Copy, ...], survey: Survey) -> Copy | None:
    """Choose the copy that can stand for most; of equals the first by package and path.

    By whether it finds all it needs by itself, without which it can stand for none; then by
    how many consumers' wishes it covers, how many versions it has, and how many copies are
    equal to it.
    """
    pool = [copy for copy in copies if copy.library.name == provided.copy_of]
    wishes = [
        survey.wanted_versions(copy) for copy in copies if copy.library.name in provided.stands_for
    ]
    alike = Counter(copy.sha256 for copy in pool)

    def rank(copy: Copy) -> tuple[bool, int, int, int]:
        versions = frozenset(copy.facts.defined_versions)
        covered = sum(wish <= versions for wish in wishes)
        alone = survey.is_self_sufficient(copy.file)
        return alone, covered, len(versions), alike[copy.sha256]

    return max(pool, key=rank) if pool else None
