"""Which directories of a view must be real, so that libraries find those of other wheels.

A manifest tells which directories hold a library that looks out of its wheel. Whether
anything is to be found there is only known once all wheels of a view are: what was left
over from a build machine, or waits for a package that is not there, makes nothing real.
Whoever looks into a directory that must be real stands beside it, and must be real too.

All paths are of the view unless they are said to be an entry's.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Set

from msgspec import Struct, field

from envmgr.link.inputs import LaidEntry, LayoutInputs
from envmgr.target.types import Interpreter
from envmgr.wheel.manifest import ElfFacts, LinkFacts, Manifest, link_ends
from envmgr.wheel.reach import relative_to_origin

_MODULE = re.compile(r"\.(abi3|(cpython|pypy)[^.]*)\.so\Z")
"""How names of modules end, for which hardly a library asks."""
OUTSIDE = "/"
"""No place of a view."""
_NOBODY = -1
"""The number of no entry: what envmgr itself puts into a view."""


class Reaching(Struct, frozen=True):
    """What must be real on behalf of libraries, and where these look."""

    homes: tuple[frozenset[str], ...]
    """Of each entry, in order: the directories, as paths of the entry."""
    places: frozenset[str] = frozenset()
    """The same, of all entries, as paths of the view."""
    sought: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Each directory of libraries -> the others that these look into, and where some are."""


def reach_of(inputs: LayoutInputs) -> Reaching:
    """Tell what must be real in a view of these entries; a pure function."""
    if not any(laid.manifest.reaching for laid in inputs.entries):
        return Reaching(tuple(frozenset() for _ in inputs.entries))
    return _Reach(inputs).run()


class _Reach:
    def __init__(self, inputs: LayoutInputs) -> None:
        self._entries = inputs.entries
        self._places = [_Places(laid, inputs.interpreter) for laid in inputs.entries]
        self._looks: list[dict[str, set[str]]] = []
        self._bringing: dict[str, set[tuple[int, str]]] = {}
        elves = (facts for laid in inputs.entries for facts in laid.manifest.elf)
        needed = frozenset(name for facts in elves for name in facts.needed)
        for number, laid in enumerate(inputs.entries):
            self._looks.append(self._looks_of(number, laid.manifest.elf))
            for path in _libraries(laid.manifest, needed):
                home = path.rpartition("/")[0]
                self._bring(self._places[number].of(home), number, home)
        for path in (*(f"lib/{name}" for name in inputs.standing), *inputs.host):
            self._bring(path.rpartition("/")[0], _NOBODY, "")

    def _bring(self, place: str, number: int, home: str) -> None:
        """Note that an entry has libraries for a directory of the view, and in which part."""
        self._bringing.setdefault(place, set()).add((number, home.partition("/")[0]))

    def _looks_of(self, number: int, elf: Iterable[ElfFacts]) -> dict[str, set[str]]:
        """Map directories of an entry to where its libraries there look."""
        found: dict[str, set[str]] = {}
        for facts in elf:
            home = facts.path.rpartition("/")[0]
            looked = found.setdefault(home, set())
            for element in facts.runpath or facts.rpath:
                rest = relative_to_origin(element)
                if rest is not None:
                    looked.add(self._places[number].followed(home, rest))
        return found

    def run(self) -> Reaching:
        homes = [
            {home for home in laid.manifest.reaching if self._finds_others(number, home)}
            for number, laid in enumerate(self._entries)
        ]
        while self._widen(homes):
            pass
        sought: dict[str, frozenset[str]] = {}
        for number, looks in enumerate(self._looks):
            for home, looked in looks.items():
                place = self._places[number].of(home)
                there = frozenset(each for each in looked - {place} if each in self._bringing)
                if there or place in sought:
                    sought[place] = sought.get(place, frozenset()) | there
        places = (self._places[at].of(home) for at, found in enumerate(homes) for home in found)
        return Reaching(tuple(map(frozenset, homes)), frozenset(places), sought)

    def _finds_others(self, number: int, home: str) -> bool:
        """Whether a directory's libraries find any of others; one that tells nothing counts.

        So does another part of the entry, which stands elsewhere in the view than in the entry.
        """
        looked = self._looks[number].get(home)
        if not looked:
            return True
        own = (number, home.partition("/")[0])
        return any(self._bringing.get(place, set()) - {own} for place in looked)

    def _widen(self, homes: list[set[str]]) -> bool:
        """Add who looks into what is real, and links that lead there; tells whether any."""
        real = {self._places[at].of(home) for at, found in enumerate(homes) for home in found}
        widened = False
        for number, laid in enumerate(self._entries):
            place = self._places[number].of
            more = {
                home
                for home, looked in self._looks[number].items()
                if (looked - {place(home)}) & real
            }
            if laid.manifest.links:
                more.update(_leading(laid.manifest.links, homes[number] | more))
            widened |= not more <= homes[number]
            homes[number] |= more
        return widened


class _Places:
    """Where an entry's parts are spread out in a view."""

    def __init__(self, laid: LaidEntry, interpreter: Interpreter) -> None:
        self._bases = {
            "site-packages": interpreter.site_packages,
            "data": "",
            "scripts": "bin",
            "headers": f"{interpreter.headers}/{laid.manifest.name}",
        }

    def of(self, path: str) -> str:
        """Return where a directory of the entry is in the view."""
        part, _, below = path.partition("/")
        return _merged("/".join(filter(None, (self._bases[part], below))))

    def followed(self, home: str, rest: str) -> str:
        """Follow ``rest`` from a directory of the entry; ``OUTSIDE`` where it leaves the view."""
        place = self.of(home).split("/")
        for segment in rest.split("/"):
            if segment == "..":
                if not place:
                    return OUTSIDE
                place.pop()
            elif segment not in {"", "."}:
                place.append(segment)
        return _merged("/".join(place))


def _merged(path: str) -> str:
    """Take ``lib64`` for ``lib``, which it leads to in an environment."""
    top, slash, rest = path.partition("/")
    return f"lib{slash}{rest}" if top == "lib64" else path


def _libraries(manifest: Manifest, needed: Set[str]) -> Iterator[str]:
    paths = (*(facts.path for facts in manifest.elf), *(link.path for link in manifest.links))
    for path in paths:
        name = path.rpartition("/")[2]
        if name in needed or (".so" in name and not _MODULE.search(name)):
            yield path


def _leading(links: Iterable[LinkFacts], homes: Set[str]) -> Iterator[str]:
    """Yield the homes of links to directories that are real, or that hold some that are."""
    for path, end in link_ends(links).items():
        if any(f"{home}/".startswith(f"{end}/") for home in homes):
            yield path.rpartition("/")[0]
