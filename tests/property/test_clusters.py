"""Laws of views with compositions: they show what the plain view shows, and libraries are found."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from posixpath import normpath

from hypothesis import given
from hypothesis import strategies as st

from envmgr.link.cluster import Cluster, clusters_of, fold
from envmgr.link.inputs import LaidEntry, Layout
from envmgr.wheel.manifest import ElfFacts, Manifest
from tests.support.manifests import SITE as VIEW
from tests.support.manifests import lay
from tests.support.packages import elf, laid_package, package

HOMES = ["a", "a/lib", "a/plug/in", "b", "b/lib", "n/one", "n/one/lib", "n/two/lib", "c/d"]
RUNPATHS = [
    "$ORIGIN",
    "$ORIGIN/..",
    "$ORIGIN/../lib",
    "$ORIGIN/../../lib",
    "$ORIGIN/../../b/lib",
    "$ORIGIN/../n/one/lib",
    "$ORIGIN/../../two/lib",
    "$ORIGIN/../../../a/lib",
    "$ORIGIN/../../../../../lib",
    "$ORIGIN/../../../../lib",
]


@st.composite
def manifests(draw: st.DrawFn) -> list[Manifest]:
    """Some packages, with libraries that look here and there."""
    found = []
    for name in draw(st.sampled_from([["one"], ["one", "two"], ["one", "two", "three"]])):
        homes = draw(st.lists(st.sampled_from(HOMES), min_size=1, max_size=4, unique=True))
        places = [f"site-packages/{home}" for home in homes]
        if draw(st.booleans()):
            places.append("data/lib")
        elves = [
            elf(
                f"{place}/lib{name}.so",
                needed=draw(st.lists(st.sampled_from(["libone.so", "libtwo.so"]), unique=True)),
                runpath=draw(st.lists(st.sampled_from(RUNPATHS), max_size=2, unique=True)),
            )
            for place in places
        ]
        files = [f"{place}/{name}.py" for place in places if draw(st.booleans())]
        found.append(package(name, *elves, files=files))
    return found


class Disk:
    """Entries, compositions and a view, as the kernel would see them."""

    def __init__(
        self, view: Layout, entries: tuple[LaidEntry, ...], clusters: tuple[Cluster, ...]
    ) -> None:
        self.links: dict[str, str] = {f"/view/{path}": to for path, to in view.links.items()}
        self.files: dict[str, str] = {f"/view/{p}": f.source for p, f in view.taken.items()}
        self.directories = {f"/view/{path}" for path in view.directories}
        for laid in entries:
            for file in laid.manifest.files:
                self.files[f"{laid.root}/{file.path}"] = f"{laid.root}/{file.path}"
        for number, cluster in enumerate(clusters):
            root = f"/made/{number}"
            made = cluster.composition
            self.files |= {f"{root}/{path}": source for path, source in made.names.items()}
            self.links |= {f"{root}/{path}": target for path, target in made.links.items()}
            self.directories |= {f"{root}/{path}" for path in made.directories}
        self.directories |= {
            str(above)
            for path in (*self.files, *self.links, *self.directories)
            for above in PurePosixPath(path).parents
        }

    def real(self, path: str) -> str | None:
        """Where a path ends; ``None`` for nowhere."""
        at = "/"
        for segment in path.split("/")[1:]:
            if segment == "..":
                at = str(PurePosixPath(at).parent)
                continue
            at = f"{at.rstrip('/')}/{segment}"
            if at in self.links:
                target = self.real(self.links[at])
                if target is None:
                    return None
                at = target
            elif at not in self.directories and at not in self.files:
                return None
        return at

    def file(self, path: str) -> str | None:
        """The file of an entry that stands there, by any of its names."""
        end = self.real(path)
        return None if end is None else self.files.get(end)


def disk_of(found: list[Manifest]) -> tuple[tuple[LaidEntry, ...], Disk]:
    entries = tuple(map(laid_package, found))
    plain = lay(*entries)
    clusters = clusters_of(plain, entries, VIEW, 1)
    roots = {each.composition.key: f"/made/{at}" for at, each in enumerate(clusters)}
    return entries, Disk(fold(plain, clusters, roots), entries, clusters)


def view_path(path: str) -> str:
    part, _, below = path.partition("/")
    return f"{VIEW}/{below}" if part == "site-packages" else below


@given(manifests())
def test_every_file_is_where_it_was_without_compositions(found: list[Manifest]) -> None:
    entries, disk = disk_of(found)
    for laid in entries:
        for file in laid.manifest.files:
            if ".dist-info/" not in file.path:
                own = f"{laid.root}/{file.path}"
                assert disk.file(f"/view/{view_path(file.path)}") == own


@given(manifests())
def test_libraries_find_what_they_need_as_where_everything_is_copied(
    found: list[Manifest],
) -> None:
    entries, disk = disk_of(found)
    merged = {
        view_path(facts.path): f"{laid.root}/{facts.path}"
        for laid in entries
        for facts in laid.manifest.elf
    }
    for laid in entries:
        for facts in laid.manifest.elf:
            asked = [*asked_of(facts)]
            for name in facts.needed:
                copied = [merged.get(f"{normpath(place)}/{name}") for place in asked]
                linked = [disk.file(f"/view/{place}/{name}") for place in asked]
                assert first(linked) == first(copied), (facts.path, name)


def asked_of(facts: ElfFacts) -> Iterator[str]:
    """The paths by which a library asks for others, below the view; none that leave it."""
    home = view_path(facts.path).rpartition("/")[0]
    for element in facts.runpath:
        rest = element.removeprefix("$ORIGIN")
        if rest.count("..") <= home.count("/") + 1:
            yield f"{home}{rest}"


def first(found: list[str | None]) -> str | None:
    return next((each for each in found if each is not None), None)


@given(manifests())
def test_compositions_do_not_depend_on_the_order_of_packages(found: list[Manifest]) -> None:
    entries = tuple(map(laid_package, found))
    turned = tuple(reversed(entries))
    assert clusters_of(lay(*entries), entries, VIEW, 1) == clusters_of(
        lay(*turned), turned, VIEW, 1
    )
