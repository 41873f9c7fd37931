"""Recipes of shared runtimes: those that envmgr comes with, a site's, and bad ones."""

from pathlib import Path

import pytest

from envmgr.pipeline.settle import BINDING_FAMILY
from envmgr.runtime.recipes.catalog import parse_family, read_catalog
from envmgr.runtime.types import EQUAL, PRESENT, Family, Library, RuntimeCatalog
from envmgr.spec.problems import FileUnreadable, RecipeInvalid

FILE = Path("/site/runtimes/x.yaml")

COPIES: dict[str, tuple[str, ...]] = {
    "libgomp.so.1": ("libgomp-e985bcbb.so.1.0.0", "libgomp.so.1", "libgomp-24e2ab19.so.1"),
    "libiomp5.so": ("libiomp5.so", "libiomp5-1a2b3c4d.so"),
    "libomp.so": ("libomp.so", "libomp-f1025659.so.5"),
    "libgfortran.so.5": ("libgfortran-040039e1.so.5.0.0", "libgfortran.so.5"),
    "libgfortran.so.4": ("libgfortran-2e0d59d6.so.4.0.0", "libgfortran.so.4"),
    "libgfortran.so.3": ("libgfortran-ed201abd.so.3.0.0", "libgfortran.so.3"),
    "libquadmath.so.0": ("libquadmath-96973f99.so.0.0.0", "libquadmath.so.0"),
    "scipy-openblas64": ("libscipy_openblas64_-fdde5778.so",),
    "scipy-openblas32": ("libscipy_openblas-68440149.so", "libscipy_openblas.so"),
    "openblas64": ("libopenblas64_p-r0-0cf96a72.3.23.dev.so",),
    "openblas": (
        *("libopenblas-r0-f650aae0.3.3.so", "libopenblasp-r0-1a2b3c4d.3.15.so"),
        "libcasadi-tp-openblas.so.0.3",
    ),
    "netlib": (
        *("libblas-357956a1.so.3.4.2", "liblapack-744d86ac.so.3.4.2"),
        *("libsatlas-18756b23.so.3.10", "libtatlas-18756b23.so.3.10"),
    ),
    "libmpi.so.12": (
        *("libmpi.so.12", "libmpi.so.12.3.1", "libmpi-1a2b3c4d.so.12.3.1"),
        "libmpich.so.12.2.2",
    ),
    "libmpi.so.40": ("libmpi.so.40", "libmpi-1a2b3c4d.so.40.30.7"),
    "libmpi_abi.so.1": ("libmpi_abi.so.1", "libmpi_abi-1a2b3c4d.so.1"),
}
"""Names that packages on PyPI give, by the library they are copies of."""

STRANGERS = (
    "libgomp_extra.so.1", "libgompx-1a2b3c4d.so.1", "libiomp.so", "libomp_data.so",
    "libompd.so", "libgfortran.so", "libgfortran.so.2", "libquadmath.so.1", "libopenblas.py",
    "libmpicxx.so.12", "libmpi_cxx.so.40",
    "libmpi-extensions.so.12", "libmpifort.so.12", "gomp.so.1", "_openmp.cpython-312.so",
    "libtorch_cpu.so", "libblas.so.3",
)  # fmt: skip
"""Names that stand beside those, and are something else."""


@pytest.fixture(scope="module")
def shipped() -> RuntimeCatalog:
    return read_catalog()


def libraries(catalog: RuntimeCatalog) -> list[Library]:
    return [library for family in catalog.families for library in family.libraries]


def test_the_families_that_come_with_envmgr(shipped: RuntimeCatalog) -> None:
    assert [family.name for family in shipped.families] == [
        "blas", "gfortran", "mpi", "openmp", "quadmath",
    ]  # fmt: skip
    assert [family.name for family in shipped.chosen_by_files()] == ["blas", "mpi", "openmp"]
    automatic = {family.name: family.automatic for family in shipped.families}
    assert (automatic["blas"], automatic["mpi"]) == (EQUAL, PRESENT)
    assert {name for name, each in automatic.items() if each == "gnu"} == {
        "gfortran", "openmp", "quadmath",
    }  # fmt: skip


def test_every_library_has_an_example(shipped: RuntimeCatalog) -> None:
    assert {library.name for library in libraries(shipped)} == {*COPIES, "mkl"}


def test_of_the_libraries_of_mkl_in_a_process_one_is_counted(shipped: RuntimeCatalog) -> None:
    names = ("rt", "core", "intel_lp64", "gnu_thread", "intel_thread", "sequential", "avx2", "def")
    known = [shipped.classify(f"libmkl_{name}.so.2") for name in names]
    assert [each[1].name for each in known if each is not None] == ["mkl"]


@pytest.mark.parametrize(
    ("name", "filename"), [(name, each) for name, copies in COPIES.items() for each in copies]
)
def test_a_copy_is_known_by_its_name(shipped: RuntimeCatalog, name: str, filename: str) -> None:
    assert [each.name for each in libraries(shipped) if each.is_copy(filename)] == [name]
    known = shipped.classify(filename)
    assert known is not None
    assert known[1].name == name


@pytest.mark.parametrize("filename", STRANGERS)
def test_what_is_called_alike_is_no_copy(shipped: RuntimeCatalog, filename: str) -> None:
    assert shipped.classify(filename) is None


def test_every_glob_matches_a_name_that_packages_give(shipped: RuntimeCatalog) -> None:
    for library in libraries(shipped):
        for pattern in library.files if library.name in COPIES else ():
            alone = Library(name=library.name, files=(pattern,))
            assert any(map(alone.is_copy, COPIES[library.name])) or pattern in _RARE, pattern


_RARE = {"libopenblaso-*.so*", "libopenblas.so*"}
"""Names of distributions that wheels may bring along as they are."""


def test_what_serves_is_of_the_family_and_named_once(shipped: RuntimeCatalog) -> None:
    for family in shipped.families:
        names = {library.name for library in family.libraries}
        for implementation in family.implementations:
            assert implementation.licence
            for provided in implementation.provides:
                assert set(provided.stands_for) <= names
                assert bool(provided.copy_of) != bool(provided.file)
                assert implementation.wheel is not None or provided.copy_of


def test_what_is_needed_of_other_families_is_there(shipped: RuntimeCatalog) -> None:
    implementations = [each for family in shipped.families for each in family.implementations]
    conditions = [
        condition
        for each in implementations
        for when in (
            *(need.when for need in each.needs),
            *(variables.when for variables in each.variables),
            *(call.when for call in each.fork),
        )
        for condition in when.items()
    ]
    assert conditions
    for name, implementation in conditions:
        family = shipped.family(name)
        assert family is not None
        assert family.implementation(implementation) is not None
    known = {library.name for library in libraries(shipped)}
    assert {need.library for each in implementations for need in each.needs} <= known


HEAD = "schema: 1\nfamily: f\ndescription: d\n"
LIBRARIES = "libraries:\n  - {name: a.so, files: [liba.so]}\n"
NONE = "implementations: []\n"


def test_envmgrs_own_recipes_bind_packages_to_mpi_alone() -> None:
    families = read_catalog().families
    assert [each.name for each in families if each.bindings] == [BINDING_FAMILY]


def problems(text: str) -> list[tuple[int, int, str]]:
    with pytest.raises(RecipeInvalid) as refused:
        parse_family(text.encode(), FILE)
    assert all(each.file == FILE for each in refused.value.problems)
    return [(each.line, each.column, each.message) for each in refused.value.problems]


def implementation(rest: str) -> str:
    return HEAD + LIBRARIES + f"implementations:\n  - {{name: i, description: d, {rest}}}\n"


def bound(rest: str) -> str:
    with_abi = implementation("licence: MIT, abi: a.so")
    return f"{with_abi}works-with:\n  # a package\n  - {{{rest}, reason: r}}\n"


BAD = {
    "no mapping": ("- x\n", 1, 1, "mapping"),
    "not YAML": ("a: [\n", 2, 1, ""),
    "an unknown key": (HEAD + LIBRARIES + NONE + "librariez: []\n", 7, 1, "librariez"),
    "a key that is missing": (HEAD + LIBRARIES, 1, 1, "implementations"),
    "another schema": (("schema: 2\n" + HEAD[10:] + LIBRARIES + NONE), 1, 9, "2"),
    "a library without files": (
        HEAD + "libraries:\n  - {name: a.so}\n" + NONE, 5, 5, "files"
    ),
    "a library twice": (
        HEAD + LIBRARIES + "  - {name: a.so, files: [x]}\n" + NONE, 6, 5, "a.so twice"
    ),
    "an implementation twice": (
        implementation("licence: MIT") + "  - {name: i, description: d, licence: MIT}\n",
        8, 5, "i twice",
    ),
    "an unknown way of being automatic": (
        HEAD + LIBRARIES + NONE + "automatic: j\n", 7, 12, "no implementation `j`"
    ),
    **{
        f"an implementation called {word}": (
            implementation("licence: MIT").replace("name: i", f"name: {word}"),
            7, 12, f"called `{word}`",
        )
        for word in ("vendored", "host", "equal", "present")
    },
    "an implementation without a name": (
        implementation("licence: MIT").replace("name: i", "name: ''"), 7, 12, "``"
    ),
    "a family that no file can name": (
        HEAD.replace("family: f", "family: Our MPI") + LIBRARIES + NONE, 2, 9, "`Our MPI`"
    ),
    "a file of no wheel": (
        implementation("licence: MIT, provides: [{file: x, stands-for: [a.so]}]"),
        7, 56, "the implementation names none",
    ),
    "a copy of what is no library": (
        implementation("licence: MIT, provides: [{copy-of: b.so}]"), 7, 56, "no library `b.so`"
    ),
    "a stand-in for what is no library": (
        implementation("licence: MIT, provides: [{file: x, stands-for: [b.so]}], wheel: w"),
        7, 56, "no library `b.so`",
    ),
    "neither a copy nor a file": (
        implementation("licence: MIT, provides: [{stands-for: [a.so]}]"),
        7, 56, "one of `copy-of` and `file`",
    ),
    "a copy and a file": (
        implementation("licence: MIT, provides: [{copy-of: a.so, file: x}]"),
        7, 56, "one of `copy-of` and `file`",
    ),
    "a wheel that is no requirement": (
        implementation("licence: MIT, wheel: 'a >>1'"), 7, 52, "a >>1"
    ),
    "a wheel by its address": (
        implementation("licence: MIT, wheel: 'a @ https://example.org/a-1-py3-none-any.whl'"),
        7, 52, "named, not given by its address",
    ),
    "a variable that has no name": (
        implementation("licence: MIT, variables: [{values: {1A: x}}]"), 7, 67, "1A"
    ),
    "an argument too large": (
        implementation(
            "licence: MIT, fork: [{call: f, arguments: [65536], place: before}]"
        ),
        7, 52, "larger than 65535",
    ),
    "another place around a fork": (
        implementation("licence: MIT, fork: [{call: f, arguments: [], place: parent}]"),
        7, 84, "parent",
    ),
    "a package bound to nothing": (bound("package: p"), 10, 5, "one of `abis`"),
    "a package bound by both": (
        bound("package: p, abis: [a.so], implementations: [i]"), 10, 5, "one of `abis`"
    ),
    "a package bound to what is not there": (
        bound("package: p, implementations: [j]"), 10, 5, "no implementation `j`"
    ),
    "a package bound to an unknown ABI": (
        bound("package: p, abis: [b.so]"), 10, 5, "has the ABI `b.so`"
    ),
    "a bound package without a name": (
        bound("package: '?', abis: [a.so]"), 10, 15, "not the name of a package"
    ),
    "a bound package with bad versions": (
        bound("package: p, abis: [a.so], versions: '>>1'"), 10, 42, "no specifier"
    ),
    "a package bound where links decide": (
        bound("package: p, abis: [a.so]").replace(", abi: a.so", ""), 10, 5, "tells an ABI"
    ),
    "a spelling of no known style": (
        HEAD + "libraries:\n  - {name: a.so, files: [x], spelling: {style: atlas}}\n" + NONE,
        5, 48, "atlas",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_a_mistake_is_told_with_its_place(what: str) -> None:
    text, line, column, said = BAD[what]
    found = problems(text)
    assert len(found) == 1, found
    assert said in found[0][2]
    assert found[0][:2] == (line, column), found


def test_several_mistakes_are_told_at_once() -> None:
    text = implementation("licence: MIT, provides: [{copy-of: b.so}, {copy-of: c.so}]")
    assert len(problems(text)) == 2


def put(directory: Path, name: str, text: str) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(text, "utf-8")
    return directory


def openmp(catalog: RuntimeCatalog) -> Family:
    family = catalog.family("openmp")
    assert family is not None
    return family


SITE = """\
schema: 1
family: openmp
description: ours
libraries:
  - {name: libcraymp.so.1, files: ["libcraymp*"]}
  - {name: libomp.so, files: ["libomp_ours*"]}
implementations:
  - {name: cray, description: d, licence: L, provides: [{copy-of: libcraymp.so.1}]}
  - {name: gnu, description: ours, licence: L, provides: [{copy-of: libgomp.so.1}]}
""".replace("{copy-of: libgomp.so.1}", "{copy-of: libcraymp.so.1}")


def test_a_site_adds_to_a_family_and_replaces_what_has_the_same_name(tmp_path: Path) -> None:
    family = openmp(read_catalog([put(tmp_path / "r", "ours.yaml", SITE)]))
    assert family.description == "ours"
    assert family.automatic == "gnu"
    assert [each.name for each in family.libraries] == [
        "libgomp.so.1", "libiomp5.so", "libomp.so", "libcraymp.so.1",
    ]  # fmt: skip
    assert [each.name for each in family.implementations] == ["gnu", "intel", "llvm", "cray"]
    assert family.library_of("libomp-1a2b3c4d.so") is None
    ours = family.implementation("gnu")
    assert ours is not None
    assert ours.description == "ours"


def test_a_sites_implementation_may_name_a_library_of_envmgrs_own_recipe(tmp_path: Path) -> None:
    text = """\
schema: 1
family: openmp
description: ours
libraries: []
implementations:
  - {name: ours, description: d, licence: L, wheel: ours, provides:
      [{file: data/lib/libours.so, stands-for: [libgomp.so.1]}]}
"""
    family = openmp(read_catalog([put(tmp_path / "r", "ours.yaml", text)]))
    ours = family.implementation("ours")
    assert ours is not None
    assert ours.provides[0].stands_for == ("libgomp.so.1",)


def test_a_library_of_another_family_is_refused(tmp_path: Path) -> None:
    text = HEAD + "libraries:\n  - {name: libgomp.so.1, files: [libgomp*]}\n" + NONE
    with pytest.raises(RecipeInvalid) as refused:
        read_catalog([put(tmp_path / "r", "ours.yaml", text)])
    (problem,) = refused.value.problems
    assert (problem.line, problem.message) == (5, "libgomp.so.1 is a library of openmp")


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        ("needs: [{library: libgopm.so.1}]", "no family has a library `libgopm.so.1`"),
        ("variables: [{when: {opnmp: gnu}, values: {A: b}}]", "no recipe has the family `opnmp`"),
        (
            "variables: [{when: {openmp: gun}, values: {A: b}}]",
            "openmp has no implementation `gun`",
        ),
        (
            "wheel: w, provides: [{file: x, parts: [{file: y, when: {blas: mlk}}]}]",
            "blas has no implementation `mlk`",
        ),
        (
            "fork: [{call: f, arguments: [], place: before, when: {g: vendored}}]",
            "no recipe has the family `g`",
        ),
    ],
)
def test_what_no_recipe_knows_is_told_once_all_are_read(
    tmp_path: Path, rest: str, said: str
) -> None:
    text = implementation(f"licence: MIT, {rest}")
    with pytest.raises(RecipeInvalid) as refused:
        read_catalog([put(tmp_path / "r", "ours.yaml", text)])
    (problem,) = refused.value.problems
    assert (problem.file.name, problem.line, problem.message) == ("ours.yaml", 7, said)


def test_families_of_a_site_may_speak_of_each_other(tmp_path: Path) -> None:
    text = implementation("licence: MIT, variables: [{when: {f: i}, values: {A: b}}]")
    early = text.replace("family: f", "family: e").replace("a.so", "b.so")
    catalog = read_catalog([put(put(tmp_path / "r", "a.yaml", early), "b.yaml", text)])
    assert catalog.family("e") is not None


def test_a_site_adds_a_family_of_its_own(tmp_path: Path) -> None:
    text = HEAD + LIBRARIES + NONE
    catalog = read_catalog([put(tmp_path / "r", "f.yml", text)])
    assert catalog.family("f") is not None
    assert [each.name for each in catalog.families] == sorted(e.name for e in catalog.families)


def test_the_last_directory_has_the_last_word(tmp_path: Path) -> None:
    first = put(tmp_path / "1", "x.yaml", SITE)
    second = put(tmp_path / "2", "x.yaml", SITE.replace("ours", "theirs"))
    assert openmp(read_catalog([first, second])).description == "theirs"


def test_a_directory_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(FileUnreadable):
        read_catalog([tmp_path / "nowhere"])


def test_other_files_beside_recipes_are_passed_over(tmp_path: Path) -> None:
    assert read_catalog([put(tmp_path / "r", "README.md", "no recipe")]) == read_catalog()
