"""What a composition of a package holds, and what a view makes of it."""

import pytest

from envmgr.link.compose import Exchange, compose, composed_at, real_directories
from envmgr.link.inputs import LaidEntry
from envmgr.spec.views import LinkWay
from envmgr.store.composed import Composition, is_composed
from envmgr.wheel.manifest import Manifest
from tests.support.manifests import SITE as VIEW
from tests.support.manifests import lay
from tests.support.packages import elf, laid_package, package, vendor
from tests.support.values import replace

ROOT = "/store/alpha"
COPY = "site-packages/alpha.libs/libgomp-alpha.so.1.0.0"
CORE = "site-packages/alpha/_core.so"
SHARED = "/store/beta/site-packages/beta.libs/libgomp.so.1"
EXCHANGE = Exchange(links={COPY: SHARED})

ALPHA = package(
    "alpha",
    *vendor("alpha").elf,
    elf("site-packages/alpha/far/_other.so"),
    files=[
        "site-packages/alpha/__init__.py",
        "site-packages/alpha/deep/er/data.txt",
        "site-packages/alpha.libs/README",
        "site-packages/single.py",
        "data/share/doc/alpha.txt",
    ],
)


def composition(manifest: Manifest = ALPHA, exchange: Exchange = EXCHANGE) -> Composition:
    return compose(laid_package(manifest), exchange)


def standing(manifest: Manifest, exchange: Exchange, **rest: object) -> LaidEntry:
    laid = laid_package(manifest)
    made = compose(laid, exchange)
    composed = composed_at("/store/made", made, exchange, laid)
    return replace(laid, composed=composed, **rest)


def test_directories_of_what_is_exchanged_and_of_who_looks_there_are_real() -> None:
    assert composition().directories == (
        "site-packages",
        "site-packages/alpha",
        "site-packages/alpha.libs",
    )


def test_a_library_that_looks_nowhere_near_stays_folded() -> None:
    found = composition()
    assert found.links["site-packages/alpha/far"] == f"{ROOT}/site-packages/alpha/far"
    assert not any(path.startswith("site-packages/alpha/far/") for path in found.paths)


def test_own_files_are_further_names_and_the_rest_leads_to_the_entry() -> None:
    found = composition()
    own = [CORE, "site-packages/alpha/__init__.py", "site-packages/alpha.libs/README"]
    own.append("site-packages/single.py")
    assert found.names == {path: f"{ROOT}/{path}" for path in sorted(own)}
    assert found.links == {
        COPY: SHARED,
        "site-packages/__pycache__": f"{ROOT}/site-packages/__pycache__",
        "site-packages/alpha-1.0.dist-info": f"{ROOT}/site-packages/alpha-1.0.dist-info",
        "site-packages/alpha/__pycache__": f"{ROOT}/site-packages/alpha/__pycache__",
        "site-packages/alpha/deep": f"{ROOT}/site-packages/alpha/deep",
        "site-packages/alpha/far": f"{ROOT}/site-packages/alpha/far",
    }


def test_nothing_of_the_other_parts_is_taken_over() -> None:
    assert not any(path.startswith("data") for path in composition().paths)


def test_written_libraries_are_told_by_their_digests() -> None:
    found = composition(exchange=Exchange(files={COPY: b"written"}))
    assert list(found.files) == [COPY]
    assert COPY not in found.names
    assert COPY not in found.links


def test_what_is_added_stands_beside_the_rest() -> None:
    added = "site-packages/alpha.libs/libgomp.so.1"
    found = composition(exchange=Exchange(links={added: SHARED}))
    assert found.links[added] == SHARED
    assert COPY in found.names


def test_a_key_depends_on_everything_that_is_in_it() -> None:
    keys = [
        composition().key,
        composition(exchange=Exchange(links={COPY: f"{SHARED}.2"})).key,
        composition(exchange=Exchange(files={COPY: b"1"})).key,
        composition(exchange=Exchange(files={COPY: b"2"})).key,
        composition(package("alpha", *ALPHA.elf)).key,
        composition(package("alpha", *ALPHA.elf, version="2.0")).key,
        compose(replace(laid_package(ALPHA), root="/elsewhere/alpha"), EXCHANGE).key,
    ]
    assert len(set(keys)) == len(keys)
    assert all(map(is_composed, keys))


def test_a_key_depends_on_nothing_else() -> None:
    laid = replace(laid_package(ALPHA), requested=True, way=LinkWay.COPY, direct_url="{}")
    links = {COPY: SHARED, CORE: "/store/other"}
    turned = dict(reversed(links.items()))
    assert compose(laid, EXCHANGE).key == composition().key
    assert (
        composition(exchange=Exchange(links=links)).key
        == composition(exchange=Exchange(links=turned)).key
    )


def linked(**links: str) -> Manifest:
    """ALPHA with links below ``site-packages/alpha``; ``_`` in a name stands for ``/``."""
    told = {f"site-packages/alpha/{path.replace('_', '/')}": text for path, text in links.items()}
    return package("alpha", *ALPHA.elf, links=told)


def test_a_link_to_what_is_exchanged_leads_to_what_stands_in() -> None:
    manifest = linked(short="../alpha.libs/libgomp-alpha.so.1.0.0")
    assert composition(manifest).links["site-packages/alpha/short"] == (
        "../alpha.libs/libgomp-alpha.so.1.0.0"
    )


def test_a_directory_with_a_link_to_what_is_exchanged_is_real() -> None:
    manifest = linked(plug_short="../../alpha.libs/libgomp-alpha.so.1.0.0")
    found = composition(manifest)
    assert "site-packages/alpha/plug" in found.directories
    assert found.links["site-packages/alpha/plug/short"].startswith("../../alpha.libs/")


def test_a_directory_with_a_link_to_a_directory_that_is_real_is_real() -> None:
    manifest = linked(plug_libs="../../alpha.libs", more_plug="../plug")
    found = composition(manifest)
    assert found.links["site-packages/alpha/plug/libs"] == "../../alpha.libs"
    assert found.links["site-packages/alpha/more/plug"] == "../plug"


def test_a_link_to_what_stands_in_the_entry_leads_there() -> None:
    manifest = package(
        "alpha", *ALPHA.elf, files=["site-packages/alpha/deep/data.txt"],
        links={"site-packages/alpha/data.txt": "deep/data.txt"},
    )  # fmt: skip
    found = composition(manifest)
    assert found.links["site-packages/alpha/data.txt"] == f"{ROOT}/site-packages/alpha/data.txt"


def test_who_looks_through_a_link_to_a_directory_looks_into_what_is_real() -> None:
    core = elf("site-packages/alpha/in/_core.so", runpath=("$ORIGIN/../libs",))
    copy = elf(COPY)
    manifest = package("alpha", core, copy, links={"site-packages/alpha/libs": "../alpha.libs"})
    assert "site-packages/alpha/in" in real_directories(manifest, EXCHANGE)


def test_who_looks_where_a_link_leads_to_what_is_exchanged_stands_beside_it() -> None:
    core = elf("site-packages/alpha/plug/_plug.so", runpath=("$ORIGIN/../other",))
    manifest = package(
        "alpha",
        core,
        elf(COPY),
        links={"site-packages/alpha/other/libgomp.so.1": f"../../{COPY.partition('/')[2]}"},
    )
    assert {"site-packages/alpha/plug", "site-packages/alpha/other"} <= real_directories(
        manifest, EXCHANGE
    )


def test_a_view_folds_into_the_composition() -> None:
    view = lay(standing(ALPHA, EXCHANGE))
    made = "/store/made/site-packages"
    assert view.links[f"{VIEW}/alpha"] == f"{made}/alpha"
    assert view.links[f"{VIEW}/alpha.libs"] == f"{made}/alpha.libs"
    assert view.links[f"{VIEW}/single.py"] == f"{made}/single.py"
    assert view.links["share/doc/alpha.txt"] == f"{ROOT}/data/share/doc/alpha.txt"
    assert view.links[f"{VIEW}/alpha-1.0.dist-info/METADATA"].startswith(f"{ROOT}/")


@pytest.mark.parametrize("way", [LinkWay.FILE, LinkWay.COPY, LinkWay.HARDLINK])
def test_what_is_exchanged_is_a_link_however_the_rest_gets_in(way: LinkWay) -> None:
    view = lay(standing(ALPHA, EXCHANGE, way=way))
    place = f"{VIEW}/alpha.libs/libgomp-alpha.so.1.0.0"
    assert view.links[place] == f"/store/made/{COPY}"
    assert place not in view.taken
    assert (f"{VIEW}/alpha/_core.so" in view.taken) is (way is not LinkWay.FILE)


@pytest.mark.parametrize("way", [LinkWay.COPY, LinkWay.HARDLINK])
def test_what_serves_others_is_a_link_however_the_rest_gets_in(way: LinkWay) -> None:
    """A copy would be a library of its own, loaded beside the one that others are led to."""
    view = lay(replace(laid_package(ALPHA), way=way, serving=frozenset({COPY})))
    place = f"{VIEW}/alpha.libs/libgomp-alpha.so.1.0.0"
    assert view.links[place] == f"{ROOT}/{COPY}"
    assert f"{VIEW}/alpha/_core.so" in view.taken


def test_added_names_stand_in_a_directory_that_several_share() -> None:
    added = "site-packages/alpha/libgomp.so.1"
    other = package("other", files=["site-packages/alpha/extra.py"])
    view = lay(standing(ALPHA, Exchange(links={added: SHARED})), laid_package(other))
    assert f"{VIEW}/alpha" in view.directories
    assert view.links[f"{VIEW}/alpha/libgomp.so.1"] == f"/store/made/{added}"
    assert view.links[f"{VIEW}/alpha/extra.py"] == "/store/other/site-packages/alpha/extra.py"
    assert view.links[f"{VIEW}/alpha/deep"] == "/store/made/site-packages/alpha/deep"


def test_an_added_name_gives_way_to_a_package_that_brings_it() -> None:
    """Several packages fill one directory; what one of them brings is the shared one too."""
    name = "site-packages/alpha/libgomp.so.1"
    bringing = standing(package("other", elf(name)), Exchange(links={name: SHARED}))
    adding = standing(ALPHA, Exchange(links={name: SHARED}))
    for order in ((adding, bringing), (bringing, adding)):
        assert lay(*order).links[f"{VIEW}/alpha/libgomp.so.1"] == f"/store/made/{name}"


def test_two_that_add_one_name_are_no_clash() -> None:
    name = "site-packages/alpha/libgomp.so.1"
    other = package("other", files=["site-packages/alpha/extra.py"])
    exchange = Exchange(links={name: SHARED})
    view = lay(standing(ALPHA, exchange), standing(other, exchange))
    assert view.links[f"{VIEW}/alpha/libgomp.so.1"] == f"/store/made/{name}"


def test_packages_of_one_namespace_keep_their_own_compositions() -> None:
    def part(name: str) -> tuple[Manifest, Exchange]:
        copy = f"site-packages/space/{name}/lib/libgomp-alpha.so.1.0.0"
        core = elf(f"site-packages/space/{name}/_core.so", runpath=("$ORIGIN/lib",))
        return package(name, core, elf(copy)), Exchange(links={copy: SHARED})

    view = lay(standing(*part("one")), standing(*part("two")))
    assert f"{VIEW}/space" in view.directories
    for name in ("one", "two"):
        assert view.links[f"{VIEW}/space/{name}"] == f"/store/made/site-packages/space/{name}"


def test_bytecode_comes_with_what_is_composed() -> None:
    view = lay(standing(ALPHA, EXCHANGE, way=LinkWay.FILE), compiled=True)
    cached = "alpha/__pycache__/__init__.cpython-312.pyc"
    assert view.bytecode[f"{VIEW}/{cached}"] == f"/store/made/site-packages/{cached}"
