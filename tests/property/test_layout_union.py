"""A view is the union of its entries: every file is reached by its path, and no link dangles."""

import hashlib
import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from envmgr.link.generation import generation_path, switch_generation, write_generation
from envmgr.link.inputs import ENVMGR, Clash, LaidEntry, Layout, LayoutInputs
from envmgr.link.layout import LayoutClash, layout
from envmgr.link.prefix import RECORD as GENERATION_RECORD
from envmgr.link.prefix import current_generation, ensure_prefix
from envmgr.names import EnvironmentName, GenerationId, PackageName, StoreKey
from envmgr.spec.views import ConflictRule, LinkWay
from envmgr.store.sources import SOURCES, render_sources
from envmgr.wheel.manifest import FileFacts, Manifest, make_manifest
from tests.support.manifests import PYTHON, SITE
from tests.support.values import replace
from tests.support.views import record_of

NAMES = st.sampled_from(["a", "b", "ns", "ns-x", "ns.x", "lib", "share", "x.py", "__init__.py"])
PLACES = {
    "site-packages": SITE,
    "data": "",
    "scripts": "bin",
}
PARTS = st.sampled_from([*PLACES, "site-packages", "site-packages", "headers"])
PATHS = st.builds(
    lambda part, names: "/".join([part, *names]), PARTS, st.lists(NAMES, min_size=1, max_size=4)
)
TREES = st.dictionaries(PATHS, st.sampled_from([b"one", b"two"]), max_size=8)
Tree = dict[str, bytes]
Made = tuple[Tree, bool, LinkWay]


def is_possible(tree: Tree) -> bool:
    """Whether no file of a tree is also a directory of it."""
    return not any(other.startswith(f"{path}/") for path in tree for other in tree)


WHEELS = st.tuples(TREES.filter(is_possible), st.booleans(), st.sampled_from(LinkWay))


def manifest_of(name: str, tree: Tree, reaching: bool) -> Manifest:
    import msgspec

    full = {**tree, f"site-packages/{name}-1.dist-info/METADATA": name.encode()}
    manifest = make_manifest(
        name=PackageName(name),
        version="1",
        wheel=f"{name}-1-py3-none-any.whl",
        root_is_purelib=True,
        dist_info=f"{name}-1.dist-info",
        entry_points=(),
        files=[
            FileFacts(path, len(data), False, hashlib.sha256(data).hexdigest())
            for path, data in full.items()
        ],
        elf=(),
    )
    directories = sorted({path.rpartition("/")[0] for path in tree if path.startswith("site")})
    return msgspec.structs.replace(manifest, reaching=tuple(directories[:1]) if reaching else ())


def write_entry(root: Path, manifest: Manifest, tree: Tree, way: LinkWay) -> LaidEntry:
    for path, data in tree.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    info = root / "site-packages" / manifest.dist_info
    info.mkdir(parents=True)
    (info / "METADATA").write_text(manifest.name, "utf-8")
    (root / SOURCES).write_text(render_sources(manifest), "utf-8")
    return LaidEntry(key=StoreKey(manifest.name), root=str(root), manifest=manifest, way=way)


def expected(manifest: Manifest, tree: Tree) -> dict[str, bytes]:
    """Where the wheel's files must stand, by the rules of the binary distribution format."""
    files = {}
    for path, data in tree.items():
        part, _, rest = path.partition("/")
        place = f"include/python3.12/{manifest.name}" if part == "headers" else PLACES[part]
        files[f"{place}/{rest}".lstrip("/")] = data
    return files


def have_conflict(union: list[dict[str, bytes]]) -> bool:
    ours = ("bin/python", f"{SITE}/_envmgr.py", "etc/-", "share/-")
    seen = dict.fromkeys(ours, b"")  # what every view has, in directories that are there
    for files in union:
        for path, data in files.items():
            if seen.get(path, data) != data:
                return True
            seen[path] = data
    return not is_possible(seen)


@settings(max_examples=150, deadline=None)
@given(st.lists(WHEELS, min_size=1, max_size=4))
def test_a_view_made_of_any_wheels_in_any_way_holds_their_union(trees: list[Made]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch)
        manifests = [manifest_of(f"p{i}", *each[:2]) for i, each in enumerate(trees)]
        entries = tuple(
            write_entry(top / "store" / each.name, each, tree, way)
            for each, (tree, _, way) in zip(manifests, trees, strict=True)
        )
        union = [expected(each, tree) for each, (tree, *_) in zip(manifests, trees, strict=True)]
        inputs = LayoutInputs(
            interpreter=replace(PYTHON, executable=os.path.realpath("/bin/sh")),
            entries=entries,
            name=EnvironmentName("trial"),
            generation=str(generation_path(top / "env", GenerationId("one"))),
        )

        try:
            view = layout(inputs)
        except LayoutClash:
            assert have_conflict(union)
            return

        assert not have_conflict(union)
        prefix = top / "env"
        make(prefix, view)
        for files in union:
            for path, data in files.items():
                assert (prefix / path).read_bytes() == data
        assert dangling(current_generation(prefix)) == []
        assert count(current_generation(prefix)) == view.entries + len([GENERATION_RECORD])


@settings(max_examples=150, deadline=None)
@given(st.lists(WHEELS, min_size=2, max_size=4))
def test_a_rule_for_everything_decides_every_conflict_between_packages(trees: list[Made]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        top = Path(scratch)
        manifests = [manifest_of(f"p{i}", *each[:2]) for i, each in enumerate(trees)]
        entries = tuple(
            write_entry(top / "store" / each.name, each, tree, way)
            for each, (tree, _, way) in zip(manifests, trees, strict=True)
        )
        inputs = LayoutInputs(
            interpreter=replace(PYTHON, executable=os.path.realpath("/bin/sh")),
            entries=entries,
            name=EnvironmentName("trial"),
            generation=str(generation_path(top / "env", GenerationId("one"))),
            conflicts=tuple(
                ConflictRule(path, each.name) for each in manifests for path in ("**", "/**")
            ),
        )
        clashes, view = decided(inputs)
        assert all(
            each.first == each.second or ENVMGR in {each.first, each.second} for each in clashes
        )
        if view is None:
            return
        make(top / "env", view)
        for path, data in expected(manifests[0], trees[0][0]).items():
            assert (top / "env" / path).read_bytes() == data
        assert dangling(current_generation(top / "env")) == []


def make(prefix: Path, view: Layout) -> None:
    ensure_prefix(prefix)
    record = record_of(GenerationId("one"), view, PYTHON)
    switch_generation(prefix, write_generation(prefix, view, record))


def decided(inputs: LayoutInputs) -> tuple[tuple[Clash, ...], Layout | None]:
    try:
        return (), layout(inputs)
    except LayoutClash as clash:
        return clash.clashes, None


def count(generation: Path) -> int:
    return sum(len(directories) + len(names) for _, directories, names in os.walk(generation))


def dangling(generation: Path) -> list[str]:
    return [
        os.path.join(directory, name)
        for directory, directories, names in os.walk(generation)
        for name in (*directories, *names)
        if not Path(directory, name).exists()
    ]
