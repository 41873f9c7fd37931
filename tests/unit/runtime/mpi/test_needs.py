from envmgr.names import PackageName
from envmgr.runtime.mpi.abi import MpiAbi
from envmgr.runtime.mpi.needs import MpiNeed, mpi_abis_needed, unserved
from envmgr.wheel.manifest import ElfFacts
from tests.support.packages import SITE, package


def elf(path: str, *needed: str, soname: str | None = None) -> ElfFacts:
    return ElfFacts(path, "x86_64", 64, soname, needed, (), (), {}, ())


def need(*files: ElfFacts) -> MpiNeed | None:
    return mpi_abis_needed([package("it", *files)]).get(PackageName("it"))


def test_a_package_built_for_one_abi_requires_it() -> None:
    found = need(elf(f"{SITE}/p/b.so", "libmpi.so.40"), elf(f"{SITE}/p/a.so", "libmpi.so.40"))

    assert found is not None
    assert found.files == {MpiAbi.OPENMPI: (f"{SITE}/p/a.so", f"{SITE}/p/b.so")}
    assert found.required is MpiAbi.OPENMPI
    assert not found.served_by([MpiAbi.MPICH, MpiAbi.FORUM])


def test_a_package_with_a_build_for_each_abi_is_served_by_any_of_them() -> None:
    found = need(
        elf(f"{SITE}/mpi4py/MPI.mpich.so", "libmpi.so.12"),
        elf(f"{SITE}/mpi4py/MPI.openmpi.so", "libmpi.so.40"),
    )

    assert found is not None
    assert found.required is None
    assert found.served_by([MpiAbi.MPICH])
    assert found.served_by([MpiAbi.OPENMPI])
    assert not found.served_by([MpiAbi.FORUM])


def test_what_an_implementation_brings_for_itself_is_no_need() -> None:
    found = need(
        elf("data/lib/libmpi.so.12", "libfabric.so.1", soname="libmpi.so.12"),
        elf("data/lib/libmpifort.so.12", "libmpi.so.12", soname="libmpifort.so.12"),
    )

    assert found is None


def test_libraries_that_take_the_symbols_of_a_loaded_mpi_are_told_by_name() -> None:
    found = need(
        elf("data/lib/libmkl_blacs_intelmpi_lp64.so.2"),
        elf("data/lib/libmkl_blacs_openmpi_lp64.so.2"),
    )

    assert found is not None
    assert set(found.files) == {MpiAbi.MPICH, MpiAbi.OPENMPI}
    assert found.required is None


def test_a_copy_under_a_name_of_its_own_is_reported_and_needs_nothing() -> None:
    copy = "libmpi-d26c8c51.so.12.3.1"
    found = need(elf(f"{SITE}/mpi4py/MPI.so", copy), elf(f"{SITE}/mpi4py.libs/{copy}", soname=copy))

    assert found is not None
    assert found.vendored == (f"{SITE}/mpi4py.libs/{copy}",)
    assert (dict(found.files), found.required) == ({}, None)
    assert found.served_by([])


def test_a_package_without_mpi_is_not_named() -> None:
    assert need(elf(f"{SITE}/p/x.so", "libc.so.6", "libmpich-like.so.12")) is None


def test_whoever_an_implementation_cannot_serve_is_named() -> None:
    needs = mpi_abis_needed(
        [
            package("old", elf(f"{SITE}/o.so", "libmpi.so.40")),
            package("new", elf(f"{SITE}/n.so", "libmpi.so.12")),
        ]
    )

    assert list(unserved(needs, {MpiAbi.MPICH, MpiAbi.FORUM})) == ["old"]
    assert list(unserved(needs, {MpiAbi.OPENMPI})) == ["new"]


def test_a_plug_in_and_a_program_are_optional_and_what_an_extension_needs_is_not() -> None:
    plain = need(
        elf(f"{SITE}/p/core.abi3.so", "libc.so.6"),
        elf(f"{SITE}/p/bootstrap.so.3", "libmpi.so.40", soname="bootstrap.so.3"),
        elf("scripts/solve", "libmpi.so.40"),
    )
    assert plain is not None
    assert plain.is_optional

    reached = need(
        elf(f"{SITE}/p/core.abi3.so", "libp.so.1"),
        elf(f"{SITE}/p.libs/libp.so.1.2", "libdeep.so", soname="libp.so.1"),
        elf(f"{SITE}/p.libs/libdeep.so", "libmpi.so.40"),
    )
    assert reached is not None
    assert not reached.is_optional
