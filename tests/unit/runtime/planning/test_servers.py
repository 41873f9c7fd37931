"""Which library of an implementation serves."""

import itertools
from pathlib import Path

from envmgr.names import PackageName
from envmgr.runtime.planning.servers import Server, choose_servers
from envmgr.runtime.planning.survey import FileOf, Survey
from envmgr.runtime.recipes.catalog import parse_family, read_catalog
from envmgr.runtime.types import RuntimeCatalog
from envmgr.wheel.manifest import Manifest
from tests.support.packages import elf, package, vendor

CATALOG = read_catalog()
CATALOG_OF_TWO = RuntimeCatalog(
    (
        parse_family(
            b"""\
schema: 1
family: blas
description: d
libraries: [{name: narrow, files: ["libnarrow*"]}]
implementations:
  - name: both
    description: d
    licence: L
    wheel: both
    provides:
      - file: data/lib/libboth.so.*
        stands-for: [narrow]
        spellings: [{style: mkl}, {style: mkl, suffix: "_64", integers: ilp64}]
""",
            Path("both.yaml"),
        ),
    )
)


def chosen(family: str, implementation: str, *manifests: Manifest) -> tuple[Server, ...]:
    found = CATALOG.family(family)
    assert found is not None
    means = found.implementation(implementation)
    assert means is not None
    survey = Survey(CATALOG, manifests)
    return choose_servers(means, survey.copies_of(found), survey)


def served_by(family: str, implementation: str, *manifests: Manifest) -> list[str]:
    return [each.file.package for each in chosen(family, implementation, *manifests)]


OLD = vendor("old", defines=["GOMP_1.0"], wants=["GOMP_1.0"])
MIDDLE = vendor("middle", defines=["GOMP_1.0", "GOMP_4.0", "GOMP_4.5"], wants=["GOMP_1.0"])
NEW = vendor("new", defines=["GOMP_1.0", "GOMP_4.0"], wants=["GOMP_4.0"])


def test_the_copy_that_covers_most_wishes_serves_whatever_the_order() -> None:
    for order in itertools.permutations((OLD, MIDDLE, NEW)):
        assert served_by("openmp", "gnu", *order) == ["middle"]


def test_of_those_that_cover_all_the_one_with_most_versions_serves() -> None:
    small = vendor("small", defines=["GOMP_1.0"], wants=["GOMP_1.0"])
    large = vendor("large", defines=["GOMP_1.0", "GOMP_2.0"], wants=["GOMP_1.0"])
    assert served_by("openmp", "gnu", small, large) == ["large"]


def test_covering_wishes_counts_more_than_having_versions() -> None:
    needy = vendor("needy", defines=["A"], wants=["A"])
    other = vendor("other", defines=["A"], wants=["A"])
    rich = vendor("rich", defines=["B", "C", "D"], wants=["B"])
    assert served_by("openmp", "gnu", rich, other, needy) == ["needy"]


def test_one_that_finds_all_it_needs_comes_before_one_that_does_not() -> None:
    lacking = vendor("a", needs=["libquadmath-00000000.so.0"])
    complete = vendor("b")
    assert served_by("openmp", "gnu", lacking, complete) == ["b"]


def test_of_equals_the_most_frequent_serves_then_the_first() -> None:
    lone = vendor("a", content="lone")
    many = [vendor(name, content="many") for name in "bcd"]
    for order in itertools.permutations((lone, *many)):
        assert served_by("openmp", "gnu", *order) == ["b"]
    assert served_by("openmp", "gnu", vendor("z"), vendor("y")) == ["y"]


def test_a_wheel_serves_with_the_file_that_its_recipe_names() -> None:
    wheel = package("intel-openmp", elf("data/lib/libiomp5.so"), elf("data/lib/libiompstubs5.so"))
    (server,) = chosen("openmp", "intel", wheel, OLD)
    assert server.file == FileOf(PackageName("intel-openmp"), "data/lib/libiomp5.so")
    assert "libgomp.so.1" in server.provided.stands_for


def test_a_wheel_may_have_that_name_as_a_link() -> None:
    wheel = package(
        "intel-openmp",
        elf("data/lib/libiomp5.so.5", soname="libiomp5.so"),
        links={"data/lib/libiomp5.so": "libiomp5.so.5"},
    )
    (server,) = chosen("openmp", "intel", wheel)
    assert server.file.path == "data/lib/libiomp5.so.5"


def test_a_wheel_that_is_not_there_serves_nothing() -> None:
    assert chosen("openmp", "intel", OLD) == ()


def test_a_file_of_that_name_in_another_package_serves_nothing() -> None:
    assert chosen("openmp", "intel", package("other", elf("data/lib/libiomp5.so"))) == ()


def test_each_width_of_integers_has_its_own_server_and_spelling() -> None:
    wide = vendor("numpy", "libscipy_openblas64_-aaaaaaaa.so")
    narrow = vendor("scipy", "libscipy_openblas-bbbbbbbb.so")
    servers = chosen("blas", "openblas", wide, narrow)
    assert [each.file.package for each in servers] == ["numpy", "scipy"]
    assert [[spelling.integers for spelling in each.spellings] for each in servers] == [
        ["ilp64"],
        ["lp64"],
    ]


def test_what_one_server_stands_for_needs_no_other() -> None:
    ours = vendor("numpy", "libscipy_openblas-aaaaaaaa.so")
    plain = vendor("faiss", "libopenblas-r0-bbbbbbbb.3.15.so")
    assert served_by("blas", "openblas", plain, ours) == ["numpy"]
    assert served_by("blas", "openblas", plain) == ["faiss"]


def test_one_wheel_serves_both_widths() -> None:
    (family,) = CATALOG_OF_TWO.families
    means = family.implementation("both")
    assert means is not None
    wheel = package("both", elf("data/lib/libboth.so.3", soname="libboth.so.3"))
    survey = Survey(CATALOG_OF_TWO, [wheel])
    (server,) = choose_servers(means, (), survey)
    assert [spelling.integers for spelling in server.spellings] == ["lp64", "ilp64"]
