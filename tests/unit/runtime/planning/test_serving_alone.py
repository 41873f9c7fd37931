"""A copy that finds what it needs only from within its own package serves nobody else."""

from envmgr.names import PackageName
from envmgr.runtime.planning.plan import plan_runtimes
from envmgr.runtime.planning.survey import FileOf
from envmgr.runtime.recipes.catalog import read_catalog
from envmgr.wheel.manifest import Manifest
from envmgr.wheel.symbols import Symbols
from tests.support.packages import SITE, elf, package


def fortran(name: str, versions: tuple[str, ...], runpath: tuple[str, ...]) -> Manifest:
    """A package with a libgfortran and the libquadmath that this one asks for."""
    gfortran, quadmath = f"libgfortran-{name}.so.5.0.0", f"libquadmath-{name}.so.0.0.0"
    root = f"{SITE}/{name}.libs"
    return package(
        name,
        elf(f"{root}/{gfortran}", needed=(quadmath,), runpath=runpath, defines=versions),
        elf(f"{root}/{quadmath}", defines=("QUADMATH_1.0",)),
        elf(
            f"{SITE}/{name}/use.so",
            runpath=(f"$ORIGIN/../{name}.libs",),
            wants={gfortran: versions},
        ),
    )


def test_the_newest_copy_gives_way_where_others_could_not_use_it() -> None:
    newest = fortran("newest", ("GFORTRAN_8", "GFORTRAN_12"), ())
    others = [fortran(name, ("GFORTRAN_8",), ("$ORIGIN",)) for name in ("one", "two")]
    plan = plan_runtimes(read_catalog(), {}, (newest, *others), lambda _: Symbols((), ()))
    (family,) = (each for each in plan.families if each.family == "gfortran")
    server = FileOf(PackageName("one"), "site-packages/one.libs/libgfortran-one.so.5.0.0")
    assert family.servers == (server,)
    assert [each.file.package for each in family.replaced] == ["two"]
    assert [(each.file.package, each.reason) for each in family.kept] == [
        ("newest", f"{server} lacks GFORTRAN_12")
    ]
