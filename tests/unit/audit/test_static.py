"""How many copies of a family one process would load."""

from envmgr.audit.loader import Loader, Rules
from envmgr.audit.static import audit_families, kin, roots_of
from envmgr.audit.types import FamilyAudit, StaticRuntime, Verdict
from envmgr.names import PackageName
from tests.support.runtimes import CATALOG, SITE, Disk, elf

GOMP = "libgomp-aaaaaaaa.so.1.0.0"


def add_package(disk: Disk, name: str, needed: str, *, soname: str | None = None) -> str:
    """A package with one extension module, and one library beside it that it needs."""
    module, library = f"{SITE}/{name}/x.so", f"{SITE}/{name}.libs/{needed}"
    disk.add(module, elf(module, needed, runpath=f"$ORIGIN/../{name}.libs"), name)
    disk.add(library, elf(library, soname=soname or needed), name)
    return library


def audited(
    disk: Disk, family: str = "openmp", static: dict[str, list[StaticRuntime]] | None = None
) -> FamilyAudit:
    libraries = disk.libraries()
    loader = Loader(disk.lookup, disk.real_directory, Rules(system=("/usr/lib",)))
    loader.follow(each.path for each in roots_of(libraries, CATALOG, "3.11"))
    requests = tuple(loader.requests.values())
    found = audit_families(CATALOG, libraries, requests, static or {}, disk.around)
    return next(each for each in found if each.family == family)


def test_a_family_that_nobody_needs_is_not_there() -> None:
    found = audited(Disk())
    assert (found.verdict, found.least, found.most, found.files) == (Verdict.NONE, 0, 0, ())


def test_two_copies_with_names_of_their_own_are_two() -> None:
    disk = Disk()
    add_package(disk, "a", GOMP)
    add_package(disk, "b", "libgomp-bbbbbbbb.so.1.0.0")
    found = audited(disk)
    assert (found.verdict, found.least, found.most) == (Verdict.SEVERAL, 2, 2)
    assert [each.package for each in found.files] == ["a", "b"]
    (needer,) = found.files[0].needed_by
    assert (needer.package, needer.file, needer.name) == (
        "a",
        "lib/python3.11/site-packages/a/x.so",
        GOMP,
    )


def test_copies_of_one_name_are_one_whoever_comes_first() -> None:
    disk = Disk()
    add_package(disk, "a", GOMP)
    add_package(disk, "b", GOMP)
    found = audited(disk)
    assert (found.verdict, found.least, found.most) == (Verdict.ONE, 1, 1)
    assert len(found.files) == 2


def test_a_copy_replaced_by_a_link_is_the_shared_one() -> None:
    disk = Disk()
    shared = add_package(disk, "a", "libgomp.so.1")
    replaced = add_package(disk, "b", GOMP)
    del disk.files[replaced]
    disk.links[replaced] = shared
    found = audited(disk)
    assert (found.verdict, found.most) == (Verdict.ONE, 1)
    (file,) = found.files
    assert (file.package, file.names) == ("a", (GOMP, "libgomp.so.1"))
    assert len(file.seen_as) == 2


def test_the_order_of_imports_can_bring_the_system_s_copy_beside_the_shared_one() -> None:
    disk = Disk()
    shared = add_package(disk, "a", "libgomp.so.1")
    replaced = add_package(disk, "b", GOMP)
    del disk.files[replaced]
    disk.links[replaced] = shared
    module = f"{SITE}/c/x.so"
    disk.add(module, elf(module, "libgomp.so.1"), "c")  # no search path
    disk.add("/usr/lib/libgomp.so.1", elf("/usr/lib/libgomp.so.1", soname="libgomp.so.1"))
    found = audited(disk)
    assert (found.verdict, found.least, found.most) == (Verdict.SEVERAL, 1, 2)
    assert [each.origin for each in found.files] == ["system", "package"]


def test_a_name_that_is_not_found_is_missing_and_no_copy() -> None:
    disk = Disk()
    module = f"{SITE}/c/x.so"
    disk.add(module, elf(module, "libgomp.so.1"), "c")
    found = audited(disk)
    assert found.verdict is Verdict.NONE
    (missing,) = found.missing
    assert (missing.name, missing.needed_by[0].package) == ("libgomp.so.1", "c")


def test_different_libraries_of_a_family_are_several() -> None:
    disk = Disk()
    add_package(disk, "a", GOMP)
    add_package(disk, "b", "libiomp5.so")
    assert audited(disk).verdict is Verdict.SEVERAL


def test_what_needs_another_of_its_family_stands_before_it_and_is_not_counted() -> None:
    disk = Disk()
    forwarding = add_package(disk, "a", "libopenblas-aaaaaaaa.so")
    disk.add(forwarding, elf(forwarding, "libmkl_rt.so.3", runpath="/env/lib"), "a")
    disk.add("/env/lib/libmkl_rt.so.3", elf("m", soname="libmkl_rt.so.3"), "mkl")
    found = audited(disk, "blas")
    assert (found.verdict, found.most) == (Verdict.ONE, 1)
    assert {each.path: each.leads_to for each in found.files} == {
        forwarding: ("libmkl_rt.so.3",),
        "/env/lib/libmkl_rt.so.3": (),
    }


def test_what_nobody_asks_for_is_a_candidate() -> None:
    disk = Disk()
    disk.add("/env/lib/libiomp5.so", elf("i"), "intel-openmp")
    found = audited(disk)
    assert (found.verdict, found.files) == (Verdict.NONE, ())
    assert [each.package for each in found.candidates] == ["intel-openmp"]


def test_static_copies_are_named_and_do_not_count() -> None:
    static = StaticRuntime(package=PackageName("torch"), file="x", what="MKL", known="recipe")
    found = audited(Disk(), "blas", {"blas": [static]})
    assert (found.static, found.verdict) == ((static,), Verdict.NONE)


def test_programs_versioned_libraries_and_modules_of_another_python_are_no_roots() -> None:
    disk = Disk()
    for name in ("x.cpython-311-x86_64-linux-gnu.so", "y.abi3.so", "libz.so"):
        disk.add(f"{SITE}/a/{name}", elf(name), "a")
    for name in ("x.cpython-312-x86_64-linux-gnu.so", "liby.so.1", "program", GOMP, "libiomp5.so"):
        disk.add(f"{SITE}/b/{name}", elf(name), "b")
    roots = roots_of(disk.libraries(), CATALOG, "3.11")
    assert {each.package for each in roots} == {"a"}
    assert len(roots) == 3


def test_libraries_of_the_prefix_are_loaded_by_those_who_need_them_alone() -> None:
    disk = Disk()
    disk.add("/p/lib/libtarget.so", elf("libtarget.so"), "intel")
    disk.add(f"{SITE}/a/libown.so", elf("libown.so"), "a")
    roots = roots_of(disk.libraries(), CATALOG, "3.11")
    assert [each.package for each in roots] == ["a"]


def test_a_file_is_known_by_its_own_name_before_what_it_is_asked_for_as() -> None:
    disk = Disk()
    disk.add("/s/libiomp5.so", elf("i", soname="libiomp5.so"))
    disk.add("/s/odd", elf("o", soname="libgomp.so.1"))
    disk.add("/s/plain", elf("p"))
    found = {path: disk.lookup(f"/s/{path}") for path in ("libiomp5.so", "odd", "plain")}
    names = {}
    for path, file in found.items():
        assert file is not None
        known = kin(CATALOG, file, "libopenblas.so.0")
        names[path] = known and known[1].name
    assert names == {"libiomp5.so": "libiomp5.so", "odd": "libgomp.so.1", "plain": "openblas"}


def test_what_envmgr_made_in_place_of_a_library_asks_for_its_package() -> None:
    disk = Disk()
    add_package(disk, "a", GOMP)
    disk.owners[f"{SITE}/a/x.so"] = "a"
    made = "/store/composed/x.so"
    disk.add(made, elf(made, GOMP, runpath="$ORIGIN/../a.libs"))
    del disk.files[f"{SITE}/a/x.so"]
    disk.links[f"{SITE}/a/x.so"] = made
    (file,) = audited(disk).files
    assert [each.package for each in file.needed_by] == ["a"]
