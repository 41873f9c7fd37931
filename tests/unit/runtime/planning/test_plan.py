"""What gives way to what: a plan is a pure function of manifests, recipes and choices."""

import itertools
from pathlib import Path

import pytest
from msgspec.structs import replace

from envmgr.names import PackageName
from envmgr.runtime.forwarding.types import Jump
from envmgr.runtime.planning.plan import plan_runtimes
from envmgr.runtime.planning.survey import FileOf
from envmgr.runtime.planning.types import APART, UNUSED, FamilyPlan, RuntimePlan, Written
from envmgr.runtime.recipes.catalog import parse_family, read_catalog
from envmgr.runtime.types import HOST, VENDORED, Choice, RuntimeCatalog, Variables
from envmgr.wheel.manifest import Manifest
from envmgr.wheel.symbols import Export, Import, Symbols
from tests.support.packages import elf, package, vendor

CATALOG = read_catalog()
BLAS = parse_family(
    b"""\
schema: 1
family: blas
description: d
automatic: equal
libraries:
  - {name: wide, files: ["libwide*"], spelling: {prefix: w_, suffix: "64_", integers: ilp64}}
  - {name: narrow, files: ["libnarrow*"], spelling: {prefix: n_}}
implementations:
  - {name: open, description: d, licence: L, provides: [{copy-of: wide}, {copy-of: narrow}]}
  - name: fast
    description: d
    licence: L
    wheel: fast
    provides:
      - file: data/lib/libfast.so.*
        stands-for: [narrow]
        spellings: [{}]
    variables:
      - {when: {openmp: gnu}, values: {FAST_THREADS: GNU}}
      - {when: {openmp: intel}, values: {FAST_THREADS: INTEL}}
    needs:
      - {when: {openmp: gnu}, library: libgomp.so.1}
""",
    Path("blas.yaml"),
)
WITH_BLAS = RuntimeCatalog(
    tuple(BLAS if family.name == "blas" else family for family in CATALOG.families)
)


def of(name: str, path: str) -> FileOf:
    return FileOf(PackageName(name), path if path.startswith("data/") else f"site-packages/{path}")


def gomp(name: str) -> FileOf:
    return of(name, f"{name}.libs/libgomp-{name}.so.1.0.0")


def no_symbols(file: FileOf) -> Symbols:
    raise AssertionError(f"nobody needs the symbols of {file}")


def plan(*manifests: Manifest, **choices: Choice) -> RuntimePlan:
    return plan_runtimes(CATALOG, choices, manifests, no_symbols)


def family(made: RuntimePlan, name: str = "openmp") -> FamilyPlan:
    (found,) = [each for each in made.families if each.family == name]
    return found


OLD = vendor("old", defines=["GOMP_1.0"], wants=["GOMP_1.0"])
NEW = vendor("new", defines=["GOMP_1.0", "GOMP_4.0"], wants=["GOMP_4.0"])
FAR = vendor("far", defines=["GOMP_1.0", "GOMP_9.0"], wants=["GOMP_9.0"])


def test_nothing_is_planned_where_nothing_is() -> None:
    made = plan(package("plain", files=["site-packages/plain.py"]))
    assert made == RuntimePlan()
    assert not made


def test_one_copy_stays_and_stands_for_itself() -> None:
    made = plan(OLD)
    assert made.replaced == {}
    assert made.standing == {"libgomp.so.1": gomp("old")}
    assert family(made).servers == (gomp("old"),)
    assert family(made).implementation == "gnu"
    assert not family(made).by_file


def test_an_older_copy_gives_way() -> None:
    made = plan(OLD, NEW)
    assert made.replaced == {gomp("old"): gomp("new")}
    assert made.led_to == {gomp("new")}
    assert made


def test_a_plan_is_the_same_whatever_the_order() -> None:
    plans = [plan(*order) for order in itertools.permutations((OLD, NEW, FAR))]
    assert all(each == plans[0] for each in plans)


def test_a_copy_whose_versions_the_server_lacks_stays_and_says_why() -> None:
    made = plan(OLD, NEW, FAR)
    (kept,) = family(made).kept
    lacking = {"new": "GOMP_9.0", "far": "GOMP_4.0"}
    (server,) = family(made).servers
    other = gomp("far") if server == gomp("new") else gomp("new")
    assert kept.file == other
    assert kept.reason == f"{server} lacks {lacking[server.package]}"
    assert made.replaced == {gomp("old"): server}


def test_equal_copies_give_way_even_if_they_lack_what_is_asked() -> None:
    """They lack it either way."""
    one = vendor("one", content="same", defines=["A"], wants=["B"])
    two = vendor("two", content="same", defines=["A"], wants=["B"])
    assert plan(one, two).replaced == {gomp("two"): gomp("one")}


@pytest.mark.parametrize(("machine", "bits"), [("aarch64", 64), ("x86_64", 32)])
def test_a_copy_for_another_machine_stays(machine: str, bits: int) -> None:
    made = plan(NEW, vendor("other", machine=machine, bits=bits))
    assert made.replaced == {}
    (kept,) = family(made).kept
    assert kept.reason == f"{gomp('new')} is for x86_64 with 64 bits"


def test_a_package_left_apart_keeps_its_copy_and_serves_nobody() -> None:
    apart = Choice(apart=frozenset({PackageName("new")}))
    made = plan(OLD, NEW, vendor("third"), openmp=apart)
    assert made.replaced == {gomp("third"): gomp("old")}
    assert [(each.file, each.reason) for each in family(made).kept] == [(gomp("new"), APART)]


@pytest.mark.parametrize("word", [VENDORED, HOST])
def test_vendored_and_the_hosts_leave_everything(word: str) -> None:
    made = plan(OLD, NEW, openmp=Choice(word))
    assert not made
    assert family(made).implementation == word
    assert family(made).by_file


def test_a_copy_that_only_its_own_package_makes_work_serves_nobody_else() -> None:
    lacking = vendor("new", needs=["libsecret.so.1"], defines=["GOMP_1.0", "GOMP_4.0"])
    made = plan(lacking, OLD)
    assert family(made).servers == (gomp("old"),)
    assert made.replaced == {gomp("new"): gomp("old")}


INTEL = package("intel-openmp", elf("data/lib/libiomp5.so", defines=["GOMP_1.0", "GOMP_4.0"]))
IOMP = of("intel-openmp", "data/lib/libiomp5.so")


def test_a_chosen_wheel_serves_all_that_it_stands_for() -> None:
    made = plan(OLD, NEW, INTEL, openmp=Choice("intel"))
    assert made.replaced == {gomp("old"): IOMP, gomp("new"): IOMP}
    assert family(made).by_file
    assert made.standing == {}  # its wheel puts it there itself


def test_a_chosen_wheel_that_is_not_there_leaves_everything() -> None:
    made = plan(OLD, NEW, openmp=Choice("intel"))
    assert not made
    assert family(made).implementation == "intel"
    assert {each.reason for each in family(made).kept} == {"intel is in no package"}


def test_the_automatic_one_gives_way_to_one_that_is_there() -> None:
    made = plan(INTEL, package("torch", elf("site-packages/torch/lib/libiomp5.so")))
    assert family(made).implementation == "intel"
    assert not family(made).by_file


def test_a_copy_that_the_server_does_not_stand_for_stays_and_says_why() -> None:
    made = plan(OLD, package("torch", elf("site-packages/torch/lib/libiomp5.so")))
    (kept,) = family(made).kept
    assert kept.file == of("torch", "torch/lib/libiomp5.so")
    assert kept.reason == "gnu does not stand in for copies of libiomp5.so"


def test_present_takes_the_implementation_that_is_there() -> None:
    mpich = package("mpich", elf("data/lib/libmpi.so.12"))
    made = plan(mpich)
    assert family(made, "mpi").implementation == "mpich"
    assert made.variables == {"MPI4PY_LIBMPI": "{prefix}/lib/libmpi.so.12"}


def test_present_without_any_is_vendored() -> None:
    copy = elf("site-packages/a.libs/libmpi-1a2b3c4d.so.12.1.1")
    found = family(plan(package("a", copy)), "mpi")
    assert (found.implementation, found.kept) == (VENDORED, ())


def fortran(name: str, mark: str = "", **rest: str) -> Manifest:
    """A package with libgfortran, which needs libquadmath beside it."""
    mark = mark or name
    quadmath = f"libquadmath-{mark}.so.0.0.0"
    library = elf(
        f"site-packages/{name}.libs/libgfortran-{mark}.so.5.0.0",
        needed=[quadmath, "libm.so.6"],
        runpath=["$ORIGIN"],
        defines=["GFORTRAN_8"],
    )
    return package(
        name,
        library,
        elf(f"site-packages/{name}.libs/{quadmath}", defines=["QUADMATH_1.0"]),
        elf(
            f"site-packages/{name}/_core.so",
            soname="",
            wants={f"libgfortran-{mark}.so.5.0.0": ["GFORTRAN_8"]},
            runpath=[f"$ORIGIN/../{name}.libs"],
        ),
        contents=rest,
    )


def test_what_a_shared_library_needs_stands_beside_each_link_by_its_own_name() -> None:
    made = plan(fortran("one"), fortran("two"))
    assert made.replaced == {
        of("two", "two.libs/libgfortran-two.so.5.0.0"): of(
            "one", "one.libs/libgfortran-one.so.5.0.0"
        ),
        of("two", "two.libs/libquadmath-two.so.0.0.0"): of(
            "one", "one.libs/libquadmath-one.so.0.0.0"
        ),
    }
    assert made.added == {
        of("two", "two.libs/libquadmath-one.so.0.0.0"): of(
            "one", "one.libs/libquadmath-one.so.0.0.0"
        )
    }
    assert made.standing == {}  # support is for libraries, nobody asks for it by that name


def test_what_stands_there_already_is_not_added() -> None:
    made = plan(fortran("one", mark="x"), fortran("two", mark="x"))
    assert made.added == {}


def test_what_is_added_leads_to_what_serves_in_the_end() -> None:
    """The quadmath beside the shared gfortran gave way itself."""
    newer = package(
        "zeta",
        elf("site-packages/zeta.libs/libquadmath-z.so.0.0.0", defines=["QUADMATH_1.0", "Q_2"]),
    )
    made = plan(fortran("one"), fortran("two"), newer)
    place = of("two", "two.libs/libquadmath-one.so.0.0.0")
    assert made.added[place] == of("zeta", "zeta.libs/libquadmath-z.so.0.0.0")


def asker(name: str, *needed: str, **rest: str) -> Manifest:
    return package(name, elf(f"site-packages/{name}/_core.so", soname="", needed=needed), **rest)  # type: ignore[arg-type]


def test_who_looks_in_the_system_gets_the_shared_one_first() -> None:
    made = plan(NEW, asker("user", "libgomp.so.1", "libc.so.6"))
    core = of("user", "user/_core.so")
    written = made.replaced[core]
    assert isinstance(written, Written)
    assert (written.needed, written.needed_as, written.names) == (core, None, ("libgomp.so.1",))
    assert written.soname == "_core.so"
    assert written.forwards == ()
    assert made.added == {of("user", "user/libgomp.so.1"): gomp("new")}


def test_nobody_is_sheltered_where_nothing_serves() -> None:
    assert plan(asker("user", "libgomp.so.1")).replaced == {}
    assert plan(NEW, asker("user", "libgomp.so.1"), openmp=Choice(VENDORED)).replaced == {}


def test_a_package_left_apart_is_not_sheltered() -> None:
    apart = Choice(apart=frozenset({PackageName("user")}))
    assert plan(NEW, asker("user", "libgomp.so.1"), openmp=apart).replaced == {}


def test_a_copy_that_gives_way_needs_no_shelter() -> None:
    copy = elf("site-packages/torch/lib/libiomp5.so", needed=["libgomp.so.1"])
    made = plan(INTEL, package("torch", copy), openmp=Choice("intel"))
    assert made.replaced == {of("torch", "torch/lib/libiomp5.so"): IOMP}


def test_a_library_for_a_machine_that_nothing_can_be_written_for_is_not_sheltered() -> None:
    core = elf("site-packages/user/_core.so", needed=["libgomp.so.1"], machine="ppc64le")
    assert plan(NEW, package("user", core)).replaced == {}


def test_who_looks_for_libraries_of_two_families_gets_both_first() -> None:
    made = plan(NEW, fortran("one"), asker("user", "libgomp.so.1", "libgfortran.so.5"))
    written = made.replaced[of("user", "user/_core.so")]
    assert isinstance(written, Written)
    assert sorted(written.names) == ["libgfortran.so.5", "libgomp.so.1"]
    assert made.added[of("user", "user/libgomp.so.1")] == gomp("new")
    assert made.added[of("user", "user/libgfortran.so.5")] == of(
        "one", "one.libs/libgfortran-one.so.5.0.0"
    )


def test_what_a_shared_library_needs_stands_beside_who_looks_in_the_system() -> None:
    made = plan(fortran("one"), asker("user", "libgfortran.so.5"))
    assert made.added == {
        of("user", "user/libgfortran.so.5"): of("one", "one.libs/libgfortran-one.so.5.0.0"),
        of("user", "user/libquadmath-one.so.0.0.0"): of("one", "one.libs/libquadmath-one.so.0.0.0"),
    }


def blas(name: str, library: str, *, content: str = "", needed: tuple[str, ...] = ()) -> Manifest:
    path = f"site-packages/{name}.libs/{library}"
    core = elf(
        f"site-packages/{name}/_core.so", soname="", needed=[library],
        runpath=[f"$ORIGIN/../{name}.libs"],
    )  # fmt: skip
    copy = elf(path, needed=needed, runpath=["$ORIGIN"])
    return package(name, core, copy, contents={path: content} if content else {})


def symbols(exports: list[str], imports: list[str]) -> Symbols:
    return Symbols(
        tuple(Export(name, "function", None, True) for name in exports),
        tuple(Import(name, None, None, False) for name in imports),
    )


SPOKEN = {
    "libnarrow-a.so": symbols(["n_dgemm_", "n_secret_"], []),
    "libwide-a.so": symbols(["w_dgemm_64_"], []),
    "libfast.so.1": symbols(["dgemm_", "daxpy_"], []),
    "_core.so": symbols([], ["n_dgemm_"]),
    "libgomp-new.so.1.0.0": symbols([], []),
}


def plan_blas(*manifests: Manifest, **choices: Choice) -> RuntimePlan:
    return plan_runtimes(WITH_BLAS, choices, manifests, lambda file: SPOKEN[file.filename])


FAST = package("fast", elf("data/lib/libfast.so.1", needed=["libc.so.6"]))


def test_equal_copies_of_a_blas_are_one_without_a_word() -> None:
    made = plan_blas(
        blas("one", "libnarrow-a.so", content="same"),
        blas("two", "libnarrow-a.so", content="same"),
        blas("three", "libnarrow-a.so", content="other"),
    )
    assert made.replaced == {
        of("two", "two.libs/libnarrow-a.so"): of("one", "one.libs/libnarrow-a.so")
    }
    assert family(made, "blas").implementation == "equal"
    assert family(made, "blas").servers == (of("one", "one.libs/libnarrow-a.so"),)
    assert family(plan_blas(blas("one", "libnarrow-a.so")), "blas").servers == ()


def test_a_library_is_written_where_names_differ() -> None:
    made = plan_blas(blas("one", "libnarrow-a.so"), FAST, blas=Choice("fast"))
    written = made.replaced[of("one", "one.libs/libnarrow-a.so")]
    assert isinstance(written, Written)
    assert written.soname == "libnarrow-a.so"
    assert written.needed == of("fast", "data/lib/libfast.so.1")
    forwards = {each.symbol: each.action for each in written.forwards}
    assert forwards == {"n_dgemm_": Jump("dgemm_")}
    assert made.led_to == {written.needed}


def test_a_copy_that_asks_for_more_than_there_is_stays() -> None:
    spoken = {**SPOKEN, "_core.so": symbols([], ["n_secret_"])}
    made = plan_runtimes(
        WITH_BLAS, {"blas": Choice("fast")}, [blas("one", "libnarrow-a.so"), FAST],
        lambda file: spoken[file.filename],
    )  # fmt: skip
    (kept,) = family(made, "blas").kept
    assert kept.reason == "data/lib/libfast.so.1 of fast lacks n_secret_"


def test_what_is_needed_by_what_a_shared_library_needs_stands_there_too() -> None:
    """Two links on: from a BLAS to libgfortran, and from that to libquadmath."""
    served = package(
        "one",
        elf("site-packages/one/narrow/libnarrow-a.so", needed=["libgfortran-one.so.5.0.0"],
            runpath=["$ORIGIN/../../one.libs"]),
        elf("site-packages/one/_core.so", soname="", needed=["libnarrow-a.so"],
            runpath=["$ORIGIN/narrow"]),
        *fortran("one").elf,
        contents={"site-packages/one/narrow/libnarrow-a.so": "same"},
    )  # fmt: skip
    made = plan_blas(served, blas("two", "libnarrow-b.so", content="same"))
    assert made.replaced == {
        of("two", "two.libs/libnarrow-b.so"): of("one", "one/narrow/libnarrow-a.so")
    }
    assert made.added == {
        of("two", f"two.libs/{name}"): of("one", f"one.libs/{name}")
        for name in ("libgfortran-one.so.5.0.0", "libquadmath-one.so.0.0.0")
    }


@pytest.mark.parametrize(
    ("asked", "brought"),
    [("libnarrow.so.0", {"libnarrow.so.0"}), ("libwide.so.0", set())],
)
def test_who_looks_in_the_system_gets_a_blas_that_spells_as_the_library_does(
    asked: str, brought: set[str]
) -> None:
    provided = "{copy-of: narrow, stands-for: [wide]}"
    recipe = f"""\
schema: 1
family: blas
description: d
libraries:
  - {{name: wide, files: ["libwide*"], spelling: {{prefix: w_}}}}
  - {{name: narrow, files: ["libnarrow*"], spelling: {{prefix: n_}}}}
implementations: [{{name: open, description: d, licence: L, provides: [{provided}]}}]
"""
    catalog = RuntimeCatalog((parse_family(recipe.encode(), Path("blas.yaml")),))
    packages = (blas("one", "libnarrow-a.so"), asker("user", asked))
    made = plan_runtimes(catalog, {"blas": Choice("open")}, packages, no_symbols)
    assert {file.filename for file in made.added} == brought


def test_integers_of_another_width_stay() -> None:
    made = plan_blas(blas("one", "libwide-a.so"), FAST, blas=Choice("fast"))
    assert made.replaced == {}


def test_needs_and_variables_go_by_what_serves_the_other_family() -> None:
    packages = (NEW, blas("one", "libnarrow-a.so"), FAST)
    made = plan_blas(*packages, blas=Choice("fast"))
    written = made.replaced[of("one", "one.libs/libnarrow-a.so")]
    assert isinstance(written, Written)
    assert written.names == ("libgomp.so.1",)
    assert made.variables == {"FAST_THREADS": "GNU"}
    assert made.added[of("one", "one.libs/libgomp.so.1")] == gomp("new")

    alone = plan_blas(*packages, blas=Choice("fast"), openmp=Choice(VENDORED))
    written = alone.replaced[of("one", "one.libs/libnarrow-a.so")]
    assert isinstance(written, Written)
    assert written.names == ()
    assert alone.variables == {}


def reasons(made: RuntimePlan) -> set[str]:
    return {each.reason for each in family(made).kept}


def test_an_implementation_that_is_there_for_one_that_asks_for_another_is_unused() -> None:
    """MKL's wheel asks for Intel's OpenMP, and MKL for the one that serves."""
    packages = (NEW, INTEL, blas("one", "libnarrow-a.so"), FAST)
    other = "gnu does not stand in for copies of libiomp5.so"
    assert reasons(plan_blas(*packages, blas=Choice("fast"))) == {UNUSED}
    assert reasons(plan_blas(*packages)) == {other}
    user = asker("user", "libiomp5.so")
    assert reasons(plan_blas(*packages, user, blas=Choice("fast"))) == {other}


def test_what_the_wheel_that_serves_has_beside_it_is_no_copy_that_stays() -> None:
    fast = package("fast", *FAST.elf, elf("data/lib/libwide-b.so"))
    other = elf("site-packages/other.libs/libwide-c.so")
    made = plan_blas(
        blas("one", "libnarrow-a.so"), fast, package("other", other), blas=Choice("fast")
    )
    (kept,) = family(made, "blas").kept
    assert kept.file.package == "other"


def test_a_family_with_variables_of_its_own_is_settled_before_those_that_ask_for_it() -> None:
    told, openmp = Variables({"THREADS": "1"}), CATALOG.family("openmp")
    assert openmp is not None
    telling = replace(
        openmp,
        implementations=tuple(replace(each, variables=(told,)) for each in openmp.implementations),
    )
    packages = (NEW, blas("one", "libnarrow-a.so"), FAST)
    for families in ((BLAS, telling), (telling, BLAS)):
        catalog, wish = RuntimeCatalog(families), {"blas": Choice("fast")}
        made = plan_runtimes(catalog, wish, packages, lambda file: SPOKEN[file.filename])
        assert made.variables == {"FAST_THREADS": "GNU", "THREADS": "1"}


def test_who_gives_way_to_a_sheltered_library_is_sheltered_too() -> None:
    """The server asks for libgomp by its canonical name; so does whoever is led to it."""
    one = blas("one", "libnarrow-a.so", content="same", needed=("libgomp.so.1",))
    two = blas("two", "libnarrow-b.so", content="same", needed=("libgomp.so.1",))
    made = plan_blas(NEW, one, two)
    server = of("one", "one.libs/libnarrow-a.so")
    target = made.replaced[of("two", "two.libs/libnarrow-b.so")]
    assert isinstance(target, Written)
    assert target.needed == server
    assert target.soname == "libnarrow-b.so"
    assert target.names == ("libgomp.so.1",)
    assert made.added[of("two", "two.libs/libgomp.so.1")] == gomp("new")
    assert target.needed_as is not None
    assert made.added[of("two", f"two.libs/{target.needed_as}")] == server
