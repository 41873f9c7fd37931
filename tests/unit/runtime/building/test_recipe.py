"""``build:`` of a recipe: what is read, and where what is wrong stands."""

from pathlib import Path

import pytest

from envmgr.names import PackageName
from envmgr.runtime.building.recipe import Build, parse_builds
from envmgr.spec.problems import RecipeInvalid

FILE = Path("/srv/recipes/openmp.yaml")

GOOD = """\
schema: 1
family: openmp
build:
  Shared_Intel.OpenMP:
    wheel: intel-openmp >=2025
    keep: [data/lib/libiomp5.so]
    sonames: {libiomp5.so: libiomp5.so.5}
    links: {libomp.so: libiomp5.so.5}
    requires: ["tcmlib>=1"]
  shared-gomp:
    host: libgomp.so.1
    version: 12.2
    licences: [/usr/share/doc/libgomp1/copyright]
    summary: GNU's runtime
"""


def builds(text: str) -> tuple[Build, ...]:
    return parse_builds(text.encode(), FILE)


def problems(text: str) -> list[str]:
    with pytest.raises(RecipeInvalid) as refusal:
        builds(text)
    return [str(problem).removeprefix(f"{FILE}:") for problem in refusal.value.problems]


def test_a_wheel_and_a_library_of_the_host_are_read() -> None:
    intel, gomp = builds(GOOD)

    assert (intel.name, str(intel.wheel), intel.host) == (
        PackageName("shared-intel-openmp"),
        "intel-openmp >=2025",
        "",
    )
    assert [each.text for each in intel.keep] == ["data/lib/libiomp5.so"]
    assert intel.sonames["libiomp5.so"].text == "libiomp5.so.5"
    assert intel.links["libomp.so"].at.line == 8
    assert intel.requires == ("tcmlib >=1",)
    assert intel.version is None
    assert (gomp.host, str(gomp.version), gomp.wheel) == ("libgomp.so.1", "12.2", None)
    assert gomp.licences[0].text == "/usr/share/doc/libgomp1/copyright"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("schema: 1\n", "1:1: the recipe builds no wheel (add `build:`)"),
        ("- a\n", "1:1: a recipe must be a mapping (write `build:`)"),
        ("build: [a]\n", "1:8: `build` must be a mapping, not a list"),
        ("build: {x: {keep: [a]}}\n", "1:12: `x` in `build` needs one of the keys `wheel`, `host`"),
        ("build: {x: {wheel: a, keeep: [b]}}\n", "1:23: the key `keeep` is not known in `x` in"),
        ("build: {x: {wheel: a}}\n", "1:9: `x` keeps nothing of its wheel (add `keep: [GLOB]`"),
        ("build: {x: {host: libx.so}}\n", "1:9: a library of the host needs a version"),
        (
            "build: {x: {host: libx.so, version: 1, keep: [a]}}\n",
            "1:46: `keep` is for wheels (remove it)",
        ),
        (
            "build: {x: {host: lib/libx.so, version: 1}}\n",
            "1:19: the path of a library of the host is absolute",
        ),
        (
            "build: {x: {host: libx.so, version: one}}\n",
            "1:37: `one` is not a version (write one as PEP 440 has it: 2025.1)",
        ),
        (
            "build: {x: {wheel: a, host: libx.so, version: 1, keep: [a]}}\n",
            "1:29: a wheel is made of `wheel` or of `host` (keep one)",
        ),
        ("build: {x: {wheel: '>=1', keep: [a]}}\n", "1:20: "),
        (
            "build: {x: {wheel: 'a @ https://example.org/a-1-py3-none-any.whl', keep: [a]}}\n",
            "1:20: a wheel is named, not given by its address",
        ),
        ("build: {x: {wheel: a, keep: [a], requires: ['!']}}\n", "1:45: "),
        (
            "build: {x: {wheel: a, keep: [a], links: {l: d/libx.so}}}\n",
            "1:45: `d/libx.so` is not the name of a file",
        ),
        (
            "build: {x: {wheel: a, keep: [a], links: {../l: libx.so}}}\n",
            "1:42: `../l` in `links` of `x` in `build` is not the name of a file",
        ),
        ("build: {-x: {wheel: a, keep: [a]}}\n", "1:9: `-x` in `build` is not the name of a"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(text: str, expected: str) -> None:
    found = problems(text)

    assert found[0].startswith(expected), found


def test_everything_is_told_at_once() -> None:
    text = "build:\n  a: {host: libx.so}\n  b: {wheel: '>', keep: [x]}\n"

    assert [line.partition(":")[0] for line in problems(text)] == ["2", "3"]
