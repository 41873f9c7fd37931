"""Parts of a view in which libraries reach into other wheels', made once for all environments.

Such libraries must really stand where those that they look for do. So the part of the view
that holds both (a *cluster*: torch and what it finds in ``nvidia``) becomes a composition
of several wheels, with the same directories, and the view leads into it. What it holds was
decided by the layout, conflicts included; here it only moves.

A cluster is made of *units*: what stands directly in ``site-packages``, or in a directory
there that several wheels share and other installers may enter too (a namespace).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from envmgr.link.claims import with_parents
from envmgr.link.inputs import LaidEntry, Layout, TakenFile
from envmgr.names import StoreKey
from envmgr.spec.views import LinkWay
from envmgr.store.composed import Composition

LEAST = 24
"""Entries of a view that a composition must save, which takes some in the store itself."""

CACHE = "__pycache__"


class Cluster(Struct, frozen=True):
    """A composition, and the places of the view that lead into it."""

    composition: Composition
    units: Mapping[str, str]
    """Place of the view -> path of the composition."""


class _Unit(Struct):
    """What a view has at and below one place."""

    directories: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    taken: dict[str, TakenFile] = field(default_factory=dict)
    bytecode: dict[str, str] = field(default_factory=dict)
    owners: set[int] = field(default_factory=set)
    movable: bool = True

    @property
    def entries(self) -> int:
        return sum(map(len, (self.directories, self.links, self.taken, self.bytecode)))


def clusters_of(
    view: Layout, entries: tuple[LaidEntry, ...], site: str, least: int = LEAST
) -> tuple[Cluster, ...]:
    """Decide which parts of a view move into compositions; a pure function.

    ``site`` is the view's ``site-packages``; each must save ``least`` entries of the view.
    Absent bytecode is left out already.
    """
    if not any(_is_below(home, site) for home in view.reaching):
        return ()
    return tuple(_Clustering(view, entries, site).run(least))


def fold(view: Layout, clusters: Iterable[Cluster], roots: Mapping[StoreKey, str]) -> Layout:
    """Return the view with links into compositions; ``roots`` are where these stand."""
    units = {
        unit: f"{roots[cluster.composition.key]}/{path}"
        for cluster in clusters
        for unit, path in cluster.units.items()
    }
    if not units:
        return view

    def stays(path: str) -> bool:
        return not any(above in units for above in with_parents([path]))

    return replace(
        view,
        directories=tuple(filter(stays, view.directories)),
        links={path: view.links[path] for path in filter(stays, view.links)} | units,
        bytecode={path: view.bytecode[path] for path in filter(stays, view.bytecode)},
        taken={path: view.taken[path] for path in filter(stays, view.taken)},
        taken_bytecode={
            path: view.taken_bytecode[path] for path in filter(stays, view.taken_bytecode)
        },
    )


class _Clustering:
    def __init__(self, view: Layout, entries: tuple[LaidEntry, ...], site: str) -> None:
        self._view = view
        self._entries = entries
        self._site = site
        self._owners = _Owners(entries)
        self._spaces = self._shared_by_several()
        self._units: dict[str, _Unit] = {}
        self._groups: dict[str, set[str]] = {}
        self._lost: set[str] = set()
        self._gather()

    def run(self, least: int) -> Iterator[Cluster]:
        for names in self._joined():
            real = [name for name in names if name in self._units]
            units = {name: self._units[name] for name in (*real, *self._siblings(real))}
            mirrored = {name: self._view.links.get(name) for name in names if name not in units}
            movable = all(unit.movable for unit in units.values()) and None not in mirrored.values()
            saved = sum(unit.entries for unit in units.values()) - len(units)
            if movable and saved >= least:
                links = {name: link for name, link in mirrored.items() if link is not None}
                yield self._cluster(units, links)

    def _shared_by_several(self) -> frozenset[str]:
        """Return the directories in ``site-packages`` in which units stand, and not beside them."""
        tops = {each for each in self._view.directories if each.rpartition("/")[0] == self._site}
        wheels: dict[str, set[int]] = {top: set() for top in tops - self._view.reaching}
        for path, target in self._view.links.items():
            top = self._top(path)
            if top in wheels:
                wheels[top].update(self._owners.of(target))
        return frozenset(top for top, found in wheels.items() if len(found) > 1)

    def _top(self, path: str) -> str:
        return f"{self._site}/{path[len(self._site) + 1 :].partition('/')[0]}"

    def _unit(self, path: str) -> str | None:
        """Return the unit that a path is in; ``None`` for what is in none."""
        if not _is_below(path, self._site):
            return None
        top = self._top(path)
        if top not in self._spaces:
            return top
        below = path[len(top) + 1 :].partition("/")[0]
        return f"{top}/{below}" if below else None

    def _gather(self) -> None:
        """Sort everything in real units into these."""
        view = self._view
        real = {*view.directories}
        tops = {self._top(each) for each in view.sought if _is_below(each, self._site)}
        tops = {*tops, *self._spaces}

        def unit_at(path: str) -> _Unit | None:
            name = self._unit(path)
            if name is None or name not in real or self._top(name) not in tops:
                return None
            return self._units.setdefault(name, _Unit())

        for path in view.directories:
            unit = unit_at(path)
            if unit is not None:
                unit.directories.append(path)
        for path, target in view.links.items():
            unit = unit_at(path)
            if unit is not None:
                unit.links[path] = target
                unit.owners.update(self._owners.of(target))
                unit.movable &= target.startswith("/") or self._stays_within(path, target)
        for path, file in view.taken.items():
            unit = unit_at(path)
            if unit is not None:
                unit.taken[path] = file
                unit.owners.update(self._owners.of(file.source))
        for path, target in view.bytecode.items():
            unit = unit_at(path)
            if unit is not None:
                unit.bytecode[path] = target
        for path, file in view.taken_bytecode.items():
            unit = unit_at(path)
            if unit is not None:
                unit.bytecode[path] = file.source
        for path in view.files:
            unit = unit_at(path)
            if unit is not None:
                unit.movable = False
        for unit in self._units.values():
            owners = [self._entries[owner] for owner in unit.owners]
            unit.movable &= all(each.way is LinkWay.FOLD or each.composable for each in owners)

    def _stays_within(self, path: str, text: str) -> bool:
        """Whether a relative link leads to what is in its own unit."""
        place = path.split("/")[:-1]
        for segment in text.split("/"):
            if segment == "..":
                place = place[:-1]
            else:
                place.append(segment)
        return self._unit("/".join(place)) == self._unit(path)

    def _joined(self) -> list[list[str]]:
        """Return the units that reach into each other, sorted; none that reach elsewhere."""
        groups, lost = self._groups, self._lost
        reaching = {self._unit(home) for home in self._view.reaching}
        for home, places in self._view.sought.items():
            unit = self._unit(home)
            if unit is None:
                continue
            together = {unit}
            for place in places:
                other = self._unit(place)
                if other is None:
                    lost.add(unit)  # it looks into what no composition holds
                else:
                    together.add(other)
            merged = together.union(*(groups.get(each, ()) for each in together))
            groups.update(dict.fromkeys(merged, merged))
        found = {
            min(group): group for group in groups.values() if group & reaching and not group & lost
        }
        return [sorted(found[first]) for first in sorted(found)]

    def _siblings(self, names: Collection[str]) -> Iterator[str]:
        """Yield what the same wheels fill in the same namespaces, and looks at nothing else."""
        spaces = {self._top(name) for name in names} & self._spaces
        owners = set().union(*(self._units[name].owners for name in names))
        for name, unit in self._units.items():
            alone = self._groups.get(name, {name}) == {name} and name not in self._lost
            if alone and name not in names and self._top(name) in spaces and unit.owners & owners:
                yield name

    def _cluster(self, units: Mapping[str, _Unit], mirrored: Mapping[str, str]) -> Cluster:
        moved = _Moved(self._owners, self._site)
        for name in sorted(units):
            moved.add(units[name])
        for name, target in mirrored.items():
            moved.links[moved.path(name)] = target
        parents = (moved.path(name).rpartition("/")[0] for name in (*units, *mirrored))
        directories = {*moved.directories, *with_parents(parents)}
        composition = Composition(
            package=self._title(moved.names.values()),
            directories=tuple(sorted(directories)),
            names=dict(sorted(moved.names.items())),
            links=dict(sorted(moved.links.items())),
            files={},
            solid=tuple(sorted(moved.solid)),
        )
        return Cluster(composition, {name: moved.path(name) for name in sorted(units)})

    def _title(self, files: Iterable[str]) -> str:
        """Name the wheel that most files are of, and say how many more there are."""
        counted = Counter(owner for file in files for owner in self._owners.of(file))
        named = sorted(
            (-count, f"{manifest.name} {manifest.version}")
            for owner, count in counted.items()
            for manifest in [self._entries[owner].manifest]
        )
        more = f" and {len(named) - 1} more" if len(named) > 1 else ""
        return f"{named[0][1]}{more}"


class _Moved:
    """What stands in units, as a composition has it."""

    def __init__(self, owners: "_Owners", site: str) -> None:
        self._owners = owners
        self._site = site
        self.directories: set[str] = set()
        self.names: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.solid: set[str] = set()

    def path(self, path: str) -> str:
        """Return where in a composition something of the view stands."""
        return f"site-packages{path.removeprefix(self._site)}"

    def add(self, unit: _Unit) -> None:
        """Take everything of a unit over, with bytecode that was there or may come."""
        for path, target in unit.links.items():
            self._add_link(path, target)
        for path, file in unit.taken.items():
            self.names[self.path(path)] = self._owners.own_file(file.source) or file.source
            self.solid.add(self.path(path))
        caches = self._caches(unit)
        for home, cache in caches.items():
            self.links[f"{self.path(home)}/{CACHE}"] = cache
        for path, target in unit.bytecode.items():
            if _home(path, CACHE) not in caches:
                self.links[self.path(path)] = target
        for path in unit.directories:
            if _home(path, CACHE) not in caches:
                self.directories.add(self.path(path))

    def _add_link(self, path: str, target: str) -> None:
        own = self._owners.own_file(target)
        if own is None:
            self.links[self.path(path)] = target
        else:
            self.names[self.path(path)] = own

    def _caches(self, unit: _Unit) -> Mapping[str, str]:
        """Map directories whose modules one wheel brings to where their bytecode is."""
        found: dict[str, set[str]] = {}
        taken = {path: file.source for path, file in unit.taken.items()}
        for path, target in (unit.links | taken).items():
            if path.endswith(".py"):
                own = self._owners.own_file(target) or target
                home = path.rpartition("/")[0]
                found.setdefault(home, set()).add(f"{own.rpartition('/')[0]}/{CACHE}")
        return {home: next(iter(caches)) for home, caches in found.items() if len(caches) == 1}


class _Owners:
    """Whose the targets of a view's links are."""

    def __init__(self, entries: tuple[LaidEntry, ...]) -> None:
        self._entries = entries
        self._roots: dict[str, int] = {}
        for number, laid in enumerate(entries):
            self._roots[laid.root] = number
            if laid.composed is not None:
                self._roots[laid.composed.root] = number
        self._parents = {root.rpartition("/")[0] for root in self._roots}
        self._files: dict[int, frozenset[str]] = {}

    def of(self, target: str) -> tuple[int, ...]:
        """Return the entry that a path belongs to, or none."""
        found = self._found(target)
        return () if found is None else found[:1]

    def own_file(self, target: str) -> str | None:
        """Return the file of an entry that a link leads to, if it is one and not exchanged."""
        found = self._found(target)
        if found is None:
            return None
        number, source = found
        laid = self._entries[number]
        if laid.composed is not None and source in laid.composed.exchanged:
            return None
        files = self._files.get(number)
        if files is None:
            files = frozenset(file.path for file in laid.manifest.files)
            self._files[number] = files
        return f"{laid.root}/{source}" if source in files else None

    def _found(self, target: str) -> tuple[int, str] | None:
        for parent in self._parents:
            if target.startswith(f"{parent}/"):
                name, _, source = target[len(parent) + 1 :].partition("/")
                number = self._roots.get(f"{parent}/{name}")
                if number is not None:
                    return number, source
        return None


def _is_below(path: str, directory: str) -> bool:
    return path.startswith(f"{directory}/")


def _home(path: str, name: str) -> str:
    """Return the directory in which the nearest ``name`` on a path stands; empty for none."""
    before, found, _ = f"{path}/".rpartition(f"/{name}/")
    return before if found else ""
