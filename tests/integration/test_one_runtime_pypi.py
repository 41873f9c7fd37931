"""One process with nine packages that bring OpenMP and BLAS along, unified: `make slow`.

Each process imports them, calls each, checks the numbers, and tells what it has mapped, by
device and inode.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import pytest

from tests.support.real_environments import RealEnvironments, torch_index
from tests.support.runtime_process import MODULES, PROCESS

pytestmark = pytest.mark.slow

Mapped: TypeAlias = dict[str, list[str]]

DEPENDENCIES = """\
dependencies: [numpy, scipy, scikit-learn, torch, xgboost, lightgbm, faiss-cpu,
  opencv-python-headless, numba]
"""
MKL = "{openmp: gnu, blas: mkl}"
ORDERS = (
    MODULES,
    tuple(reversed(MODULES)),
    ("torch", *MODULES),
    ("lightgbm", "numba", "cv2", *MODULES),
    ("numba", "faiss", "sklearn.cluster", *MODULES),
    ("cv2", "xgboost", "torch", *MODULES),
)


class Processes:
    """Starts the process in environments that are made when they are first asked for."""

    def __init__(self, place: RealEnvironments) -> None:
        self.place = place
        (place.directory / "process.py").write_text(PROCESS, "utf-8")
        self.python_of = cache(self._made)

    def _made(self, runtimes: str | None) -> str:
        """Make the environment of a line of ``runtimes``; returns its interpreter."""
        name = "one" if runtimes is None else "one-" + "".join(filter(str.isalnum, runtimes))
        line = "" if runtimes is None else f"runtimes: {runtimes}\n"
        self.place.create(
            f"schema: 1\nname: {name}\npython: '3.11'\n{torch_index()}{DEPENDENCIES}{line}"
        )
        return self.place.python(name)

    def mapped(
        self,
        runtimes: str | None,
        *,
        order: tuple[str, ...] = MODULES,
        way: str = "plain",
        options: tuple[str, ...] = (),
        more: Mapping[str, str] | None = None,
    ) -> list[Mapped]:
        """What each process has mapped that a start makes."""
        python = self.python_of(runtimes)
        words = [python, *options, "process.py", ",".join(order), way]
        return list(self.place.last_line(words, more))


@pytest.fixture(scope="module")
def processes() -> Iterator[Processes]:
    with TemporaryDirectory(prefix="envmgr-one-runtime-") as directory:
        place = RealEnvironments(Path(directory))
        yield Processes(place)
        place.envmgr("store", "gc", "--help")


def counts(mapped: Mapped) -> dict[str, int]:
    return {family: len(paths) for family, paths in mapped.items()}


ONE = {"openmp": 1, "blas": 1, "gfortran": 1, "quadmath": 1}


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order[0])
def test_mkl_and_one_libgomp_in_any_order_of_imports(
    processes: Processes, order: tuple[str, ...]
) -> None:
    (mapped,) = processes.mapped(MKL, order=order)
    assert counts(mapped) == ONE
    assert "libmkl_core" in mapped["blas"][0]
    assert "libgomp" in mapped["openmp"][0]
    assert "/entries/" in mapped["openmp"][0]  # none of the machine's


@pytest.mark.parametrize("way", ["threads", "spawn", "fork", "fork-first"])
def test_mkl_and_one_libgomp_in_threads_and_children(processes: Processes, way: str) -> None:
    everywhere = processes.mapped(MKL, way=way, options=("-I",))
    assert [counts(mapped) for mapped in everywhere] == [ONE] * len(everywhere)
    assert len(everywhere) == (1 if way == "threads" else 3)


@pytest.mark.parametrize("options", [("-I",), ("-E", "-s"), ("-S", "-c", "pass")][:2])
def test_isolated_interpreters_have_one_runtime(
    processes: Processes, options: tuple[str, ...]
) -> None:
    (mapped,) = processes.mapped(MKL, options=options)
    assert counts(mapped) == ONE


def test_run_starts_a_process_with_one_runtime(processes: Processes) -> None:
    prefix = str(Path(processes.python_of(MKL)).parent.parent)
    words = ["run", "-p", prefix, "python", "process.py", ",".join(MODULES), "plain"]
    (line,) = processes.place.envmgr(*words).splitlines()[-1:]
    (mapped,) = _read(line)
    assert counts(mapped) == ONE


def test_what_somebody_else_asked_of_mkl_does_not_break_it(processes: Processes) -> None:
    """The width of integers is the callers', so it is no wish."""
    asked = {"MKL_INTERFACE_LAYER": "ILP64", "MKL_THREADING_LAYER": "GNU"}
    (mapped,) = processes.mapped(MKL, more=asked)
    assert counts(mapped) == ONE


@pytest.mark.parametrize("order", ORDERS[:4], ids=lambda order: order[0])
def test_nothing_in_the_file_means_one_libgomp(
    processes: Processes, order: tuple[str, ...]
) -> None:
    (mapped,) = processes.mapped(None, order=order)
    assert counts(mapped) == {**ONE, "blas": 4}
    assert "/entries/" in mapped["openmp"][0]


@pytest.mark.parametrize("way", ["threads", "spawn", "fork-first"])
def test_nothing_in_the_file_means_one_libgomp_in_children(processes: Processes, way: str) -> None:
    everywhere = processes.mapped(None, way=way)
    assert {counts(mapped)["openmp"] for mapped in everywhere} == {1}


@pytest.mark.parametrize(
    ("runtimes", "expected"),
    [
        ("{blas: openblas}", {**ONE, "blas": 2}),
        ("{openmp: intel}", {**ONE, "blas": 4}),
        ("{openmp: intel, blas: mkl}", ONE),
        ("{openmp: {unify: {torch: false}}}", {**ONE, "openmp": 2, "blas": 4}),
        ("{blas: {implementation: mkl, unify: {scipy: false}}}", {**ONE, "blas": 2}),
    ],
)
def test_choices_of_a_file(
    processes: Processes, runtimes: str, expected: Mapping[str, int]
) -> None:
    (mapped,) = processes.mapped(runtimes)
    assert counts(mapped) == expected


def test_openblas_is_one_copy_for_each_width_of_integers(processes: Processes) -> None:
    (mapped,) = processes.mapped("{blas: openblas}")
    widths = sorted("64_" in Path(path).name for path in mapped["blas"])
    assert widths == [False, True]


def test_intel_is_the_only_openmp(processes: Processes) -> None:
    (mapped,) = processes.mapped("{openmp: intel}")
    assert [Path(path).name for path in mapped["openmp"]] == ["libiomp5.so"]


def test_vendored_leaves_every_package_its_own(processes: Processes) -> None:
    """What all this is about: else the tests above show nothing."""
    (mapped,) = processes.mapped("vendored")
    assert counts(mapped)["openmp"] >= 2
    assert counts(mapped)["blas"] == 4


def _read(line: str) -> Any:
    import json

    return json.loads(line)
