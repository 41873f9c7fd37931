"""A copy that finds what it needs only from within its own package serves nobody else."""

from envmgr.names import PackageName
from envmgr.runtime.plan import plan_runtimes
from envmgr.runtime.recipes import read_catalog
from envmgr.runtime.survey import FileOf
from envmgr.wheel.manifest import ElfFacts, FileFacts, Manifest, make_manifest
from envmgr.wheel.symbols import Symbols


def elf(
    path: str,
    needed: tuple[str, ...],
    runpath: tuple[str, ...],
    wanted: dict[str, tuple[str, ...]],
    defined: tuple[str, ...],
) -> ElfFacts:
    name = path.rpartition("/")[2]
    return ElfFacts(path, "x86_64", 64, name, needed, (), runpath, wanted, defined)


def fortran(name: str, versions: tuple[str, ...], runpath: tuple[str, ...]) -> Manifest:
    """A package with a libgfortran and the libquadmath that this one asks for."""
    gfortran, quadmath = f"libgfortran-{name}.so.5.0.0", f"libquadmath-{name}.so.0.0.0"
    root = f"site-packages/{name}.libs"
    libraries = (
        elf(f"{root}/{gfortran}", (quadmath,), runpath, {}, versions),
        elf(f"{root}/{quadmath}", (), (), {}, ("QUADMATH_1.0",)),
        elf(
            f"site-packages/{name}/use.so",
            (gfortran,),
            (f"$ORIGIN/../{name}.libs",),
            {gfortran: versions},
            (),
        ),
    )
    return make_manifest(
        name=PackageName(name),
        version="1.0",
        wheel=f"{name}-1.0-py3-none-any.whl",
        root_is_purelib=False,
        dist_info=f"{name}-1.0.dist-info",
        entry_points=(),
        files=[FileFacts(facts.path, 1, False, facts.path) for facts in libraries],
        elf=libraries,
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
