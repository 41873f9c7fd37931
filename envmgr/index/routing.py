"""Which indexes may answer for a name, in which order."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from envmgr.names import PackageName
from envmgr.spec.types import IndexSpec


class Route(Struct, frozen=True):
    """The indexes to ask for a name, one after the other until one has it."""

    indexes: tuple[IndexSpec, ...]
    reserved_by: str | None = None
    """The glob that sends the name to the one index of the route."""


def route(indexes: Sequence[IndexSpec], name: PackageName) -> Route:
    """Decide who may answer for ``name``.

    Where a ``packages`` glob of any index matches, the first such index alone
    may, even if it lacks the name: nothing else can slip in. An index with
    globs answers for nothing they do not match.
    """
    for index in indexes:
        glob = reserving_glob(index, name)
        if glob is not None:
            return Route((index,), glob)
    return Route(tuple(index for index in indexes if not index.packages))


def reserving_glob(index: IndexSpec, name: PackageName) -> str | None:
    """Return the first of an index's ``packages`` globs that matches a normalised name."""
    return next((glob for glob in index.packages if fnmatchcase(name, glob)), None)
