"""What is told from manifests: copies, who asks for them, and what they need beside them."""

from envmgr.names import PackageName
from envmgr.runtime.planning.survey import Copy, FileOf, Survey
from envmgr.runtime.recipes.catalog import read_catalog
from envmgr.runtime.types import Library
from envmgr.wheel.manifest import Manifest
from tests.support.packages import elf, package, vendor

CATALOG = read_catalog()
GOMP = "libgomp-aaaaaaaa.so.1.0.0"


def at(name: str, path: str) -> FileOf:
    return FileOf(PackageName(name), f"site-packages/{path}")


def survey(*manifests: Manifest) -> Survey:
    return Survey(CATALOG, manifests)


def gomp() -> Library:
    family = CATALOG.family("openmp")
    assert family is not None
    return family.libraries[0]


def only(copies: tuple[Copy, ...]) -> Copy:
    (copy,) = copies
    return copy


def test_copies_are_found_by_their_names_and_sorted() -> None:
    found = survey(vendor("zeta"), vendor("alpha"), package("plain", files=["site-packages/p.py"]))
    assert [copy.file for copy in found.copies] == [
        at("alpha", "alpha.libs/libgomp-alpha.so.1.0.0"),
        at("zeta", "zeta.libs/libgomp-zeta.so.1.0.0"),
    ]
    assert {copy.library.name for copy in found.copies} == {"libgomp.so.1"}
    assert {copy.family.name for copy in found.copies} == {"openmp"}
    assert found.is_copy(at("zeta", "zeta.libs/libgomp-zeta.so.1.0.0"))
    assert not found.is_copy(at("zeta", "zeta/_core.so"))


def test_consumers_ask_by_the_files_name_or_by_the_soname() -> None:
    copy = elf("site-packages/a.libs/libgomp-bbbbbbbb.so.1.0.0", soname="libgomp-b.so.1")
    by_name = elf("site-packages/a/one.so", needed=["libgomp-bbbbbbbb.so.1.0.0"])
    by_soname = elf("site-packages/a/two.so", needed=["libgomp-b.so.1"])
    other = elf("site-packages/a/three.so", needed=["libgomp.so.1"])
    found = survey(package("a", copy, by_name, by_soname, other))
    assert found.consumers(only(found.copies)) == (at("a", "a/one.so"), at("a", "a/two.so"))


def test_consumers_may_ask_by_the_name_of_a_link() -> None:
    copy = elf("site-packages/a/libgomp.so.1.0.0", soname="")
    asker = elf("site-packages/a/one.so", wants={"libgomp.so.1": ["GOMP_4.0"]})
    links = {"site-packages/a/libgomp.so.1": "libgomp.so.1.0.0"}
    found = survey(package("a", copy, asker, links=links))
    assert found.consumers(only(found.copies)) == (at("a", "a/one.so"),)
    assert found.wanted_versions(only(found.copies)) == {"GOMP_4.0"}
    assert found.exposed(gomp()) == {}


def test_a_name_without_a_hash_may_be_asked_for_by_another_package() -> None:
    torch = package("torch", elf("site-packages/torch/lib/libgomp.so.1"))
    user = package("user", elf("site-packages/user/_c.so", wants={"libgomp.so.1": ["GOMP_5.0"]}))
    found = survey(torch, user)
    assert found.consumers(only(found.copies)) == (at("user", "user/_c.so"),)
    assert found.wanted_versions(only(found.copies)) == {"GOMP_5.0"}


def test_wanted_versions_are_those_of_this_library_alone() -> None:
    core = elf(
        "site-packages/a/_core.so",
        wants={GOMP: ["GOMP_1.0", "GOMP_4.0"], "libc.so.6": ["GLIBC_2.17"]},
    )
    found = survey(package("a", core, elf(f"site-packages/a.libs/{GOMP}")))
    assert found.wanted_versions(only(found.copies)) == {"GOMP_1.0", "GOMP_4.0"}


def test_exposed_is_who_asks_by_the_canonical_name_and_does_not_bring_it() -> None:
    asker = elf("site-packages/a/_c.so", needed=["libgomp.so.1", "libc.so.6"])
    bringing = package("b", elf("site-packages/b/_c.so", needed=["libgomp.so.1"]),
                       elf("site-packages/b/lib/libgomp.so.1"))  # fmt: skip
    found = survey(package("a", asker), bringing)
    assert found.exposed(gomp()) == {at("a", "a/_c.so"): ("libgomp.so.1",)}


def test_a_library_does_not_consume_itself() -> None:
    copy = elf(f"site-packages/a.libs/{GOMP}", needed=[GOMP])
    found = survey(package("a", copy))
    assert found.consumers(only(found.copies)) == ()


def test_needs_beside_tells_what_no_linux_has_and_where_it_is() -> None:
    fortran = "libgfortran-bbbbbbbb.so.5.0.0"
    library = elf(
        f"site-packages/a.libs/{fortran}",
        needed=["libquadmath-cccccccc.so.0.0.0", "libm.so.6", "libnowhere.so.1"],
        runpath=["$ORIGIN"],
    )
    quadmath = elf("site-packages/a.libs/libquadmath-cccccccc.so.0.0.0")
    found = survey(package("a", library, quadmath))
    file = at("a", f"a.libs/{fortran}")
    assert found.needs_beside(file) == (
        ("libquadmath-cccccccc.so.0.0.0", at("a", "a.libs/libquadmath-cccccccc.so.0.0.0")),
        ("libnowhere.so.1", None),
    )
    assert not found.is_self_sufficient(file)
    assert found.is_self_sufficient(at("a", "a.libs/libquadmath-cccccccc.so.0.0.0"))


def test_what_is_needed_beside_may_be_reached_by_a_link() -> None:
    library = elf("site-packages/a/libx.so", needed=["liby.so.1"], runpath=["$ORIGIN"])
    manifest = package(
        "a",
        library,
        elf("site-packages/a.libs/liby.so.1.2", soname="liby.so.1"),
        links={"site-packages/a/liby.so.1": "../a.libs/liby.so.1.2"},
    )
    found = survey(manifest)
    assert found.needs_beside(at("a", "a/libx.so")) == (
        ("liby.so.1", at("a", "a.libs/liby.so.1.2")),
    )
    assert found.has(at("a", "a/liby.so.1"))
    assert not found.has(at("a", "a/liby.so.2"))


def test_paths_of_a_library_are_its_own_and_its_links() -> None:
    manifest = package(
        "a",
        elf("site-packages/a/liby.so.1"),
        links={"site-packages/a/liby.so": "liby.so.1", "site-packages/a/z.so": "liby.so"},
    )
    paths = survey(manifest).paths_of(at("a", "a/liby.so.1"))
    assert sorted(paths) == [f"site-packages/a/{name}" for name in ("liby.so", "liby.so.1", "z.so")]
