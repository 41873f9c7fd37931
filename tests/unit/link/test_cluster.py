"""Parts of a view in which libraries reach into other packages', moved into compositions."""

from collections.abc import Iterable

import pytest

from envmgr.link.cluster import LEAST, Cluster, clusters_of, fold
from envmgr.link.compose import Exchange, compose, composed_at
from envmgr.link.inputs import LaidEntry, Layout
from envmgr.spec.views import LinkWay
from envmgr.wheel.manifest import Manifest
from tests.support.manifests import SITE as VIEW
from tests.support.manifests import lay
from tests.support.packages import elf, laid_package, package
from tests.support.values import replace

MANY = [f"site-packages/front/data{number}.txt" for number in range(LEAST)]
CORE = "site-packages/front/_core.so"
LIBRARY = "site-packages/space/back/lib/libback.so"
FRONT = package(
    "front",
    elf(CORE, runpath=("$ORIGIN/../space/back/lib",)),
    files=[*MANY, "site-packages/front/__init__.py", "site-packages/front/deep/x.txt"],
)
BACK = package("back", elf(LIBRARY), files=["site-packages/space/back/readme"])
SIDE = package("side", elf("site-packages/space/side/lib/libside.so"))


def laid(*manifests: Manifest, way: LinkWay = LinkWay.FOLD) -> tuple[LaidEntry, ...]:
    return tuple(replace(laid_package(each), way=way) for each in manifests)


def clusters(entries: tuple[LaidEntry, ...], **more: object) -> tuple[Cluster, ...]:
    return clusters_of(lay(*entries, **more), entries, VIEW)  # type: ignore[arg-type]


def folded(entries: tuple[LaidEntry, ...], **more: object) -> Layout:
    view = lay(*entries, **more)  # type: ignore[arg-type]
    found = clusters_of(view, entries, VIEW)
    return fold(view, found, {each.composition.key: "/store/made" for each in found})


def only(entries: tuple[LaidEntry, ...], **more: object) -> Cluster:
    (found,) = clusters(entries, **more)
    return found


def test_a_view_leads_into_the_composition_of_packages_that_reach_into_each_other() -> None:
    entries = laid(FRONT, BACK, SIDE)
    plain, view = lay(*entries), folded(entries)
    assert f"{VIEW}/front" in plain.directories
    assert view.links[f"{VIEW}/front"] == "/store/made/site-packages/front"
    assert not any(path.startswith(f"{VIEW}/front/") for path in (*view.links, *view.directories))
    assert view.entries == plain.entries - LEAST - 3
    assert {path for path in view.links if ".dist-info" in path} == {
        path for path in plain.links if ".dist-info" in path
    }


def test_the_composition_has_both_where_the_view_has_them() -> None:
    made = only(laid(FRONT, BACK, SIDE)).composition
    assert made.directories == ("site-packages", "site-packages/front", "site-packages/space")
    assert made.names[CORE] == f"/store/front/{CORE}"
    assert made.links == {
        "site-packages/front/__pycache__": "/store/front/site-packages/front/__pycache__",
        "site-packages/front/deep": "/store/front/site-packages/front/deep",
        "site-packages/space/back": "/store/back/site-packages/space/back",
    }
    assert made.package == "front 1.0"


def test_a_namespace_stays_open_to_other_packages() -> None:
    view = folded(laid(FRONT, BACK, SIDE))
    assert f"{VIEW}/space" in view.directories
    assert view.links[f"{VIEW}/space/back"] == "/store/back/site-packages/space/back"


def test_whom_nobody_reaches_has_no_part_in_it() -> None:
    other = package("other", files=["site-packages/other/x.py"])
    one = only(laid(FRONT, BACK, SIDE))
    assert only(laid(FRONT, BACK, SIDE, other)) == one
    assert only(laid(other, SIDE, BACK, FRONT)) == one


def test_what_several_packages_fill_is_in_it_with_its_winners() -> None:
    shared = "site-packages/space/back/lib"
    twin = package("twin", elf(f"{shared}/libtwin.so"), files=["site-packages/space/back/readme"])
    rules = (("space/back/readme", "twin"),)
    made = only(laid(FRONT, BACK, SIDE, twin), conflicts=rules).composition
    assert made.names["site-packages/space/back/readme"].startswith("/store/twin/")
    assert made.names[LIBRARY] == f"/store/back/{LIBRARY}"
    assert made.names[f"{shared}/libtwin.so"] == f"/store/twin/{shared}/libtwin.so"
    assert made.package == "front 1.0 and 2 more"


def test_what_the_same_packages_fill_beside_it_comes_along() -> None:
    """As cmeel.prefix does: programs, headers and libraries of the same wheels."""
    names = [f"{each}{number}" for number in range(LEAST) for each in ("one", "two")]
    lib = "site-packages/prefix/lib"
    plug = elf("site-packages/prefix/plug/_plug.so", runpath=("$ORIGIN/../lib",), needed=["lone2"])
    packages = [
        package(
            each,
            *([plug] if each == "one" else []),
            elf(f"{lib}/lib{each}.so"),
            files=[f"site-packages/prefix/include/{name}.h" for name in names if each in name],
        )
        for each in ("one", "two")
    ]
    found = only(laid(*packages))
    assert {*found.units} == {f"{VIEW}/prefix/{each}" for each in ("include", "lib", "plug")}
    assert f"{VIEW}/prefix" in folded(laid(*packages)).directories


def test_where_little_is_saved_the_view_has_it_itself() -> None:
    small = package("front", elf(CORE, runpath=("$ORIGIN/../space/back/lib",)), files=MANY[:-3])
    entries = laid(small, BACK, SIDE)
    assert clusters(entries) == ()
    assert folded(entries) == lay(*entries)


@pytest.mark.parametrize("way", [LinkWay.FILE, LinkWay.COPY, LinkWay.HARDLINK])
def test_who_is_linked_in_another_way_stays_in_the_view(way: LinkWay) -> None:
    (front,) = laid(FRONT, way=way)
    assert clusters((front, *laid(BACK, SIDE))) == ()


def composable(way: LinkWay = LinkWay.HARDLINK) -> tuple[LaidEntry, ...]:
    more = package("more", files=["site-packages/front/more.py"])
    front, *rest = laid(FRONT, BACK, SIDE, more)
    return (replace(front, way=way, composable=True), *rest)


def test_hard_links_in_a_composition_do_where_they_are_known_to() -> None:
    entries = composable()
    view = folded(entries, compiled=True)
    assert len(lay(*entries).taken) > LEAST
    assert not view.taken
    assert not view.taken_bytecode
    made = only(entries, compiled=True).composition
    own = [each.path for each in FRONT.files if "/front/" in each.path]
    assert {*own} == {*made.solid}
    assert (
        made.names["site-packages/front/deep/x.txt"]
        == "/store/front/site-packages/front/deep/x.txt"
    )
    assert made.names["site-packages/front/more.py"] == "/store/more/site-packages/front/more.py"
    cache = "site-packages/front/__pycache__"
    assert made.links[f"{cache}/__init__.cpython-312.pyc"].startswith(f"/store/front/{cache}/")
    assert made.links[f"{cache}/more.cpython-312.pyc"].startswith(f"/store/more/{cache}/")


def test_links_to_each_file_do_with_further_names_where_they_are_known_to() -> None:
    made = only(composable(LinkWay.FILE)).composition
    assert made.names["site-packages/front/deep/x.txt"].startswith("/store/front/")
    assert made.solid == ()


def test_bytecode_of_hard_links_of_one_package_is_led_to_at_once() -> None:
    made = only((*composable()[:1], *laid(BACK, SIDE)), compiled=True).composition
    cache = "site-packages/front/__pycache__"
    assert made.links[cache] == f"/store/front/{cache}"
    assert cache not in made.directories


def test_who_finds_libraries_in_the_views_lib_stays_in_the_view() -> None:
    """A composition has no such directory."""
    climb = "/".join([".."] * 4)
    looking = elf(CORE, runpath=("$ORIGIN/../space/back/lib", f"$ORIGIN/{climb}/lib"))
    front = package("front", looking, files=MANY)
    data = package("data", elf("data/lib/libdata.so"))
    assert len(clusters(laid(front, BACK, SIDE))) == 1
    assert clusters(laid(front, BACK, SIDE, data)) == ()


def test_who_looks_into_the_namespace_itself_stays_in_the_view() -> None:
    """Though it finds its own there, and is real only since others bring some to its directory."""
    space = "site-packages/prefix"
    one = package(
        "one",
        elf(f"{space}/libone.so"),
        elf(f"{space}/lib/_one.so", needed=["libone.so"], runpath=["$ORIGIN/.."]),
        files=[f"{space}/lib/data{number}.txt" for number in range(LEAST)],
    )
    two = package(
        "two",
        elf(f"{space}/lib/libtwo.so"),
        elf(f"{space}/plug/_two.so", runpath=["$ORIGIN/../lib", "$ORIGIN/../absent"]),
        files=[f"{space}/plug/two.txt"],
    )
    view = lay(*laid(one, two))
    assert f"{VIEW}/prefix/plug" in view.reaching
    assert len(view.links) > LEAST
    assert clusters(laid(one, two)) == ()


def test_packages_that_are_joined_by_a_third_are_one() -> None:
    other = package(
        "other",
        elf("site-packages/other/_core.so", runpath=("$ORIGIN/../space/side/lib",)),
        files=[each.replace("front", "other") for each in MANY],
    )
    assert len(clusters(laid(FRONT, BACK, SIDE, other))) == 2
    side = package(
        "side", *SIDE.elf, elf("site-packages/space/side/_s.so", runpath=("$ORIGIN/../back/lib",))
    )
    (found,) = clusters(laid(FRONT, BACK, side, other))
    assert {*found.units} >= {f"{VIEW}/front", f"{VIEW}/other"}


def with_exchange(manifest: Manifest, exchange: Exchange) -> LaidEntry:
    entry = laid_package(manifest)
    composed = composed_at("/store/single", compose(entry, exchange), exchange, entry)
    return replace(entry, composed=composed)


def test_what_gives_way_to_a_shared_library_is_led_on() -> None:
    copy = "site-packages/front/libgomp-1.so"
    front = package("front", *FRONT.elf, elf(copy), files=MANY)
    exchange = Exchange(
        links={copy: "/store/beta/libgomp.so", "site-packages/front/added.so": "/x"}
    )
    made = only((with_exchange(front, exchange), *laid(BACK, SIDE))).composition
    assert made.links[copy] == f"/store/single/{copy}"
    assert (
        made.links["site-packages/front/added.so"] == "/store/single/site-packages/front/added.so"
    )
    assert made.names[CORE] == f"/store/front/{CORE}"


def test_a_directory_that_was_composed_for_one_package_is_led_to() -> None:
    copy = "site-packages/front/deep/libgomp-1.so"
    front = package("front", *FRONT.elf, elf(copy), files=MANY)
    entry = with_exchange(front, Exchange(links={copy: "/store/beta/libgomp.so"}))
    made = only((entry, *laid(BACK, SIDE))).composition
    assert made.links["site-packages/front/deep"] == "/store/single/site-packages/front/deep"


def test_programs_are_no_symbolic_links() -> None:
    tool = "site-packages/front/tool"
    front = package("front", *FRONT.elf, elf(tool), files=MANY)

    files = tuple(
        replace(each, executable=True) if each.path == tool else each for each in front.files
    )
    (entry,) = laid(replace(front, files=files))
    made = only((entry, *laid(BACK, SIDE))).composition
    assert made.solid == (tool,)
    assert made.names[tool] == f"/store/front/{tool}"


def mixed() -> tuple[LaidEntry, ...]:
    more = package("more", files=["site-packages/front/more.py"])
    return laid(FRONT, BACK, SIDE, more)


def caches(paths: Iterable[str]) -> set[str]:
    return {path for path in paths if "__pycache__" in path}


def test_bytecode_of_modules_of_several_packages_is_led_to_one_by_one() -> None:
    made = only(mixed(), compiled=True).composition
    cache = "site-packages/front/__pycache__"
    assert cache in made.directories
    assert {path: made.links[path] for path in caches(made.links)} == {
        f"{cache}/__init__.cpython-312.pyc": f"/store/front/{cache}/__init__.cpython-312.pyc",
        f"{cache}/more.cpython-312.pyc": f"/store/more/{cache}/more.cpython-312.pyc",
    }
    assert not caches(folded(mixed(), compiled=True).bytecode)


def test_without_bytecode_only_modules_of_one_package_have_a_place_for_it() -> None:
    made = only(mixed()).composition
    assert not caches((*made.links, *made.directories))


def test_links_of_wheels_lead_to_their_own() -> None:
    front = package(
        "front", *FRONT.elf, files=MANY, links={"site-packages/front/first.txt": "data0.txt"}
    )
    made = only(laid(front, BACK, SIDE)).composition
    assert made.links["site-packages/front/first.txt"] == (
        "/store/front/site-packages/front/first.txt"
    )


def test_views_without_such_libraries_are_left_as_they_are() -> None:
    entries = laid(BACK, SIDE)
    view = lay(*entries)
    assert clusters_of(view, entries, VIEW) == ()
    assert fold(view, (), {}) is view
