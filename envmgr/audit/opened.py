"""Libraries that programs open by their path before anything asks for them by name.

MPI above all: a program is compiled for one ABI. A package may have a build for each, and takes
the one that fits the library it has opened; whoever asks for this one's name then gets it, as
glibc gives what is loaded already.
"""

from collections.abc import Iterable, Mapping

from envmgr.audit.loader import Lookup
from envmgr.audit.static import ViewLibrary, kin
from envmgr.runtime.types import RuntimeCatalog


def opened_libraries(catalog: RuntimeCatalog, lookup: Lookup, directory: str) -> Mapping[str, str]:
    """Map the names of such libraries to the paths where they stand in the prefix's ``lib``."""
    places = {name: f"{directory}/{name}" for name in _names(catalog)}
    return {name: path for name, path in places.items() if lookup(path) is not None}


def brought_libraries(
    libraries: Iterable[ViewLibrary], catalog: RuntimeCatalog
) -> Mapping[str, str]:
    """Map SONAMEs of the families' libraries whose files are called otherwise to paths.

    No search path leads to these, so that some program opens them, or nobody has them. The first
    of each SONAME counts.
    """
    found: dict[str, str] = {}
    for each in libraries:
        name = each.path.rpartition("/")[2]
        soname = each.found.facts.soname if each.found.facts else None
        if soname and soname != name and kin(catalog, each.found, name):
            found.setdefault(soname, each.path)
    return found


def loadable(
    roots: Iterable[ViewLibrary], catalog: RuntimeCatalog, opened: Mapping[str, str]
) -> tuple[ViewLibrary, ...]:
    """Leave out what was built for another ABI than that of the library that is opened."""
    others = _names(catalog) - opened.keys() if opened else frozenset()
    return tuple(
        root for root in roots if root.found.facts and others.isdisjoint(root.found.facts.needed)
    )


def _names(catalog: RuntimeCatalog) -> frozenset[str]:
    return frozenset(
        library.name
        for family in catalog.families
        if any(each.abi is not None for each in family.implementations)
        for library in family.libraries
    )
