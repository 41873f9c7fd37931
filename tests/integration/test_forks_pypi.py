"""Children that are forked after their parent used OpenMP, with real packages: `make slow`."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.support.real_environments import RealEnvironments

pytestmark = pytest.mark.slow

PROCESS = """
import os, signal, sys
import numpy as np

def svd():
    np.linalg.svd(np.random.rand(400, 400))

def kmeans():  # takes a lock in its parallel loop
    from sklearn.cluster import KMeans
    KMeans(2, n_init=1).fit(np.random.rand(400, 4))

def trees():
    from sklearn.ensemble import HistGradientBoostingRegressor
    HistGradientBoostingRegressor(max_iter=3).fit(np.random.rand(400, 4), np.random.rand(400))

before, after = (globals()[name] for name in sys.argv[1:])
before()
child = os.fork()
if child == 0:
    signal.alarm(60)
    try:
        after()
    except BaseException:
        os._exit(1)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


class Forks:
    """Starts the process in environments that are made when they are first asked for."""

    def __init__(self, place: RealEnvironments) -> None:
        self.place = place
        (place.directory / "process.py").write_text(PROCESS, "utf-8")
        self.python_of = cache(self._made)

    def _made(self, runtimes: str) -> str:
        name = "fork-" + "".join(filter(str.isalnum, runtimes))
        self.place.create(
            f"schema: 1\nname: {name}\npython: '3.11'\n"
            f"dependencies: [numpy, scipy, scikit-learn]\nruntimes: {runtimes}\n"
        )
        return self.place.python(name)

    def end_of_child(self, runtimes: str, before: str, after: str) -> int:
        """How a child ended: 0, 1 for an exception, minus a signal (14: it waited for ever)."""
        command = [self.python_of(runtimes), "process.py", before, after]
        return int(self.place.run(command).split()[-1])


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    with TemporaryDirectory(prefix="envmgr-forks-") as directory:
        yield Forks(RealEnvironments(Path(directory)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("kmeans", "kmeans"),
        ("trees", "trees"),
        ("trees", "kmeans"),
        ("svd", "kmeans"),
        ("kmeans", "svd"),
        ("svd", "svd"),
    ],
)
@pytest.mark.parametrize(
    "runtimes", ["{openmp: gnu, blas: mkl}", "{openmp: intel, blas: mkl}", "{openmp: intel}"]
)
def test_a_child_computes_after_its_parent_did(
    forks: Forks, runtimes: str, before: str, after: str
) -> None:
    assert forks.end_of_child(runtimes, before, after) == 0
