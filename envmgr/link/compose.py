"""One package with some of its files exchanged, as a store entry that environments share.

A library looks for others beside itself, ``$ORIGIN/../PACKAGE.libs``, and the kernel
takes ``..`` from where a directory really stands. So whoever looks into a directory in
which something is exchanged must really stand beside it. That would mean many real
directories in each view; a composition holds them once, and views fold into it.

It holds the directories in question alone. Everything in them is the package's own
file by a further name, or leads to what stands in for it; so it costs no copies.
"""

import hashlib
from collections.abc import Mapping

from msgspec import Struct, field

from envmgr.link.claims import with_parents
from envmgr.link.inputs import Composed, LaidEntry
from envmgr.store.composed import Composition
from envmgr.wheel.manifest import FileFacts, LinkFacts, Manifest, link_ends
from envmgr.wheel.reach import search_places


class Exchange(Struct, frozen=True, kw_only=True):
    """What stands in for files of one package; paths are relative to its entry."""

    links: Mapping[str, str] = field(default_factory=dict)
    """Path -> absolute target, in the place of a file or beside the others."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Path -> content of a library that envmgr wrote."""

    @property
    def paths(self) -> frozenset[str]:
        """Every path that is not the package's own."""
        return frozenset((*self.links, *self.files))


def compose(laid: LaidEntry, exchange: Exchange) -> Composition:
    """Decide the composition of a package whose files are exchanged; a pure function."""
    return _Composing(laid, exchange).run()


class _Composing:
    def __init__(self, laid: LaidEntry, exchange: Exchange) -> None:
        self._laid = laid
        self._exchange = exchange
        self._real = real_directories(laid.manifest, exchange)
        self._names: dict[str, str] = {}
        self._links: dict[str, str] = {}

    def run(self) -> Composition:
        for directory, names in _listed(self._laid.manifest, self._real).items():
            self._fill(directory, names)
        exchange = self._exchange
        digests = {path: hashlib.sha256(data).hexdigest() for path, data in exchange.files.items()}
        self._links |= exchange.links
        manifest = self._laid.manifest
        return Composition(
            package=f"{manifest.name} {manifest.version}",
            directories=tuple(sorted(self._real)),
            names={path: self._names[path] for path in sorted(self._names.keys() - exchange.paths)},
            links=dict(sorted(self._links.items())),
            files=dict(sorted(digests.items())),
        )

    def _fill(self, directory: str, names: Mapping[str, FileFacts | LinkFacts | None]) -> None:
        """Bring everything that stands in a real directory, its bytecode too."""
        root = self._laid.root
        for name, file in names.items():
            path = f"{directory}/{name}"
            if path in self._real:
                continue
            if isinstance(file, LinkFacts) and self._holds(file.target):
                self._links[path] = file.text
            elif isinstance(file, FileFacts):
                self._names[path] = f"{root}/{path}"
            else:
                self._links[path] = f"{root}/{path}"
        if any(name.endswith(".py") for name in names):
            self._links[f"{directory}/__pycache__"] = f"{root}/{directory}/__pycache__"

    def _holds(self, path: str) -> bool:
        """Whether something of the package stands in the composition itself."""
        return path in self._real or path.rpartition("/")[0] in self._real


def real_directories(manifest: Manifest, exchange: Exchange) -> frozenset[str]:
    """Return the directories that must be real, with their parents.

    Those in which something is exchanged, those of libraries that look into them, and
    those of the package's own links that lead into such directories or to such libraries.
    """
    ends = link_ends(manifest.links)
    changed = {path.rpartition("/")[0] for path in exchange.paths}
    places: dict[str, set[str]] = {}
    for facts in manifest.elf:
        sought = places.setdefault(facts.path.rpartition("/")[0], set())
        sought.update(_followed("/".join(place), ends) for place in search_places(facts))
    while True:
        homes = changed | {home for home in places if places[home] & changed}
        real = frozenset(with_parents(homes))
        leading = {
            path.rpartition("/")[0]
            for path, end in ends.items()
            if end in real or end.rpartition("/")[0] in homes
        }
        if leading <= changed:
            return real
        changed |= leading


def _followed(directory: str, ends: Mapping[str, str]) -> str:
    """Return where a directory really stands, if links of the package are on the way."""
    found = ""
    for segment in directory.split("/"):
        found = f"{found}/{segment}".removeprefix("/")
        found = ends.get(found, found)
    return found


def _listed(
    manifest: Manifest, real: frozenset[str]
) -> Mapping[str, Mapping[str, FileFacts | LinkFacts | None]]:
    """List what stands directly in each of the real directories; ``None`` for a directory."""
    found: dict[str, dict[str, FileFacts | LinkFacts | None]] = {
        directory: {} for directory in sorted(real)
    }
    tops = {directory for directory in real if "/" not in directory}
    for file in manifest.files_and_links:
        directory, _, name = file.path.rpartition("/")
        if directory in found:
            found[directory][name] = file
            continue
        while directory and directory.partition("/")[0] in tops:
            parent, _, name = directory.rpartition("/")
            if parent in found:
                found[parent].setdefault(name, None)
                break
            directory = parent
    return found


def composed_at(
    root: str, composition: Composition, exchange: Exchange, laid: LaidEntry
) -> Composed:
    """Say what a view finds in a composition that stands at ``root``."""
    own = {each.path for each in laid.manifest.files_and_links}
    exchanged = exchange.paths
    return Composed(
        key=composition.key,
        root=root,
        paths=composition.paths,
        added=tuple(sorted(exchanged - own)),
        exchanged=exchanged,
    )
