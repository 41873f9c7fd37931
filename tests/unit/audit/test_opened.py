"""Libraries that programs open by their path: what the audit takes for loaded before all else."""

import pytest

from envmgr.audit.loader import Loader, Rules
from envmgr.audit.opened import brought_libraries, loadable, opened_libraries
from envmgr.audit.static import audit_families
from envmgr.audit.types import FamilyAudit
from envmgr.runtime.recipes.catalog import read_catalog
from tests.support.runtimes import SITE, Disk, elf

CATALOG = read_catalog()
TWELVE, FORTY = f"{SITE}/m/MPI.mpich.abi3.so", f"{SITE}/m/MPI.openmpi.abi3.so"


@pytest.fixture
def disk() -> Disk:
    """mpi4py's two builds, on a machine that has Open MPI."""
    made = Disk()
    made.add(TWELVE, elf(TWELVE, "libmpi.so.12"), "m")
    made.add(FORTY, elf(FORTY, "libmpi.so.40"), "m")
    made.add("/usr/lib/libmpi.so.40", elf("mpi", soname="libmpi.so.40"))
    return made


def audited(disk: Disk) -> FamilyAudit:
    opened = opened_libraries(CATALOG, disk.lookup, "/env/lib")
    rules = Rules(system=("/usr/lib",), opened=opened)
    loader = Loader(disk.lookup, disk.real_directory, rules)
    roots = [each for each in disk.libraries() if each.package == "m"]
    loader.follow(root.path for root in loadable(roots, CATALOG, opened))
    requests = tuple(loader.requests.values())
    families = audit_families(CATALOG, disk.libraries(), requests, {}, disk.around)
    return next(each for each in families if each.family == "mpi")


def test_what_asks_for_its_name_gets_it_and_builds_for_another_abi_count_for_nothing(
    disk: Disk,
) -> None:
    disk.add("/env/lib/libmpi.so.12", elf("mpi", soname="libmpi.so.12"), "mpich")
    found = audited(disk)
    assert [(each.path, each.package) for each in found.files] == [
        ("/env/lib/libmpi.so.12", "mpich")
    ]
    assert (found.least, found.most, found.missing) == (1, 1, ())


def test_a_name_that_leads_to_the_machines_only_stands_before_it(disk: Disk) -> None:
    alias = elf("alias", "/usr/lib/libmpi.so.40", soname="libmpi.so.40")
    disk.add("/env/lib/libmpi.so.40", alias)
    found = audited(disk)
    assert {each.path: each.leads_to for each in found.files} == {
        "/env/lib/libmpi.so.40": ("/usr/lib/libmpi.so.40",),
        "/usr/lib/libmpi.so.40": (),
    }
    assert (found.least, found.most, found.missing) == (1, 1, ())


def test_without_any_each_build_finds_what_the_system_has(disk: Disk) -> None:
    found = audited(disk)
    assert [each.path for each in found.files] == ["/usr/lib/libmpi.so.40"]
    assert [each.name for each in found.missing] == ["libmpi.so.12"]


def test_what_nobody_else_has_is_what_a_package_has_in_a_file_of_another_name() -> None:
    """ngsolve opens the OpenBLAS of another package, whose file is called otherwise."""
    disk = Disk()
    module, blas = f"{SITE}/n/n.so", f"{SITE}/b/libopenblasp-r0.3.33.so"
    disk.add(module, elf(module, "libopenblas.so.0", "libgomp.so.1", "libiomp5.so"), "n")
    disk.add(blas, elf(blas, soname="libopenblas.so.0"), "b")
    disk.add(f"{SITE}/b/libgomp-1.so.1", elf("gomp", soname="libgomp.so.1"), "b")
    disk.add(f"{SITE}/b/libiomp5.so", elf("iomp", soname="libiomp5.so"), "b")
    disk.add("/usr/lib/libgomp.so.1", elf("gomp", soname="libgomp.so.1"))
    brought = brought_libraries(disk.libraries(), CATALOG)
    rules = Rules(system=("/usr/lib",), brought=brought)
    loader = Loader(disk.lookup, disk.real_directory, rules)
    loader.follow([module])
    assert {name: each.path for (_, name), each in loader.requests.items()} == {
        "libopenblas.so.0": blas,
        "libgomp.so.1": "/usr/lib/libgomp.so.1",
        "libiomp5.so": None,
    }
