"""Packages that bring runtimes along, beside the scientific ones, apart and unified: `make slow`.

``python -m tests.integration.test_runtime_packages_pypi [PACKAGE ...]`` prints the table of
docs/runtimes-packages.md, or these packages' lines of it.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.integration.runtime_packages import CARRIERS, Carrier
from tests.support.real_environments import RealEnvironments
from tests.support.runtime_process import MAPPED

pytestmark = pytest.mark.slow

FAMILIES = ("openmp", "blas", "gfortran", "quadmath")
WAYS = {"vendored": "vendored", "auto": "{}", "mkl": "{openmp: gnu, blas: mkl}"}
AFTER = """
import numpy, scipy.interpolate, scipy.linalg, sklearn.cluster
points = numpy.concatenate([numpy.zeros((50, 2)), numpy.ones((50, 2)) * 9])
labels = sklearn.cluster.KMeans(2, n_init=1, random_state=0).fit(points).labels_
assert len(set(labels[:50])) == len(set(labels[50:])) == 1 and labels[0] != labels[-1]
assert numpy.allclose(scipy.linalg.expm(numpy.zeros((3, 3))) @ numpy.eye(3), numpy.eye(3))
print(json.dumps(mapped()))
"""


@dataclass(frozen=True)
class Seen:
    """What a call printed, and how many libraries of each family were mapped after it."""

    printed: str
    version: str
    counts: dict[str, int]
    mapped: dict[str, list[str]]


def see(place: RealEnvironments, package: Carrier, way: str) -> Seen:
    """Make an environment of a package with numpy, scipy and scikit-learn, and call it."""
    place.create(
        f"schema: 1\nname: one\npython: '3.11'\nruntimes: {WAYS[way]}\n"
        f"dependencies: [numpy, scipy, scikit-learn, '{package.requirement}'{package.beside}]\n"
    )
    code = package.code + "\n" + MAPPED + AFTER
    *_, printed, mapped = place.run([place.python("one"), "-I", "-c", code]).splitlines()
    listed = json.loads(place.envmgr("list", "-n", "one", "--json"))["result"]["packages"]
    version = next(each["version"] for each in listed if each["name"] == package.name)
    found = json.loads(mapped)
    return Seen(printed, version, {name: len(found[name]) for name in FAMILIES}, found)


@pytest.fixture(scope="module")
def place() -> Iterator[RealEnvironments]:
    with TemporaryDirectory(prefix="envmgr-carriers-") as directory:
        yield RealEnvironments(Path(directory))


@pytest.mark.parametrize("package", CARRIERS, ids=lambda package: package.name)
def test_a_package_has_one_openmp_and_the_same_result(
    place: RealEnvironments, package: Carrier
) -> None:
    apart, unified = (see(place, package, way) for way in ("vendored", "auto"))
    assert unified.printed == apart.printed
    assert unified.counts["openmp"] == 1
    assert unified.counts["quadmath"] == 1
    assert unified.counts["blas"] <= apart.counts["blas"]


@pytest.mark.parametrize(
    "package", [each for each in CARRIERS if each.blas], ids=lambda package: package.name
)
def test_a_package_has_the_same_result_with_mkl(place: RealEnvironments, package: Carrier) -> None:
    apart, unified = (see(place, package, way) for way in ("vendored", "mkl"))
    assert unified.printed == apart.printed
    assert unified.counts["openmp"] == 1
    assert unified.counts["blas"] < apart.counts["blas"]
    assert any("libmkl_core" in path for path in unified.mapped["blas"])


def row(place: RealEnvironments, package: Carrier) -> str:
    """Make a line of the table."""
    ways = ("vendored", "auto", "mkl") if package.blas else ("vendored", "auto")
    seen = {way: see(place, package, way) for way in ways}
    first = seen["vendored"]
    same = all(each.printed == first.printed for each in seen.values())
    counted = [" / ".join(str(each.counts[name]) for each in seen.values()) for name in FAMILIES]
    cells = (package.name, first.version, package.does, *counted)
    told = {way: each.printed for way, each in seen.items()}
    for way, each in seen.items():
        sys.stderr.write(f"{package.name} {way} {each.printed} {json.dumps(each.mapped)}\n")
    return "| " + " | ".join((*cells, "yes" if same else f"no: {told}")) + " |"


def main() -> None:
    """Print the table."""
    write = sys.stdout.write
    write(f"| package | version | the call | {' | '.join(FAMILIES)} | same result |\n")
    write("|---|---|---|---|---|---|---|---|\n")
    chosen = [each for each in CARRIERS if each.name in (sys.argv[1:] or [each.name])]
    with TemporaryDirectory(prefix="envmgr-carriers-") as directory:
        for package in chosen:
            try:
                write(f"{row(RealEnvironments(Path(directory)), package)}\n")
            except AssertionError as error:
                write(f"| {package.name} | failed: {str(error)[-200:]!r} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
