"""Real wheels from PyPI whose vendored OpenBLAS is replaced by a library that forwards to MKL."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from envmgr.runtime.forwarding.match import Matched, match_symbols
from envmgr.runtime.forwarding.spelling import Spelling
from envmgr.runtime.forwarding.types import Call, Forward, ForwardingLibrary
from envmgr.runtime.forwarding.writer import render_forwarding_library
from envmgr.wheel.elf import parse_elf
from envmgr.wheel.symbols import Symbols, read_symbols

pytestmark = pytest.mark.slow

MKL_32 = Spelling(style="mkl")
MKL_64 = Spelling(suffix="_64", integers="ilp64", style="mkl")
OMP_PAUSE_HARD = 2
"""OpenMP 5.0, section 3.2.44: give up all threads until they are needed again."""
PARTS = ("intel_lp64", "gnu_thread", "core")
"""MKL without libmkl_rt, which would make all of it global to the process."""


@dataclass(frozen=True)
class Shared:
    """A directory with MKL and one libgomp, as a prefix's ``lib`` has them."""

    lib: Path
    needed: tuple[str, ...]
    mkl: frozenset[str]


def download(target: Path, *requirements: str) -> Path:
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
         "--dest", target / "wheels", *requirements],
        check=True,
    )  # fmt: skip
    for wheel in sorted((target / "wheels").glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(target)
        wheel.unlink()
    return target


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    place = tmp_path_factory.mktemp("shared")
    download(place, "mkl", "scikit-learn")
    lib = place / "lib"
    lib.mkdir()
    for library in place.glob("mkl-*.data/data/lib/*.so*"):
        (lib / library.name).symlink_to(library)
    (gomp,) = place.glob("scikit_learn.libs/libgomp-*")
    (lib / "libgomp.so.1").symlink_to(gomp)
    parts = [next(lib.glob(f"libmkl_{part}.so.*")) for part in PARTS]
    exported = {export.name for part in parts for export in symbols(part).exports}
    return Shared(lib, ("libgomp.so.1", *(part.name for part in parts)), frozenset(exported))


def symbols(path: Path) -> Symbols:
    found = read_symbols(path)
    assert found is not None
    return found


def spellings(exported: Iterable[str]) -> tuple[Spelling, Spelling]:
    """Return how a vendored OpenBLAS spells, and how MKL spells the same functions."""
    names = frozenset(exported)
    prefix = "scipy_" if names & {"scipy_dgemm_", "scipy_dgemm_64_"} else ""
    if f"{prefix}dgemm_64_" in names:
        return Spelling(prefix, "64_", "ilp64"), MKL_64
    return Spelling(prefix), MKL_32


def imported_by_consumers(site: Path, vendored: Path) -> set[str]:
    imported: set[str] = set()
    for path in site.rglob("*.so"):
        facts = parse_elf(path.read_bytes(), path.name)
        if facts is not None and vendored.name in facts.needed:
            imported.update(wanted.name for wanted in symbols(path).imports)
    return imported


def replace_blas(shared: Shared, *sites: Path) -> Matched:
    """Replace the OpenBLAS of each site by links to one library; nothing may be missing.

    Its name is that of libmkl_rt, so that threadpoolctl takes it for what it is.
    """
    forwards: list[Forward] = []
    unused: tuple[str, ...] = ()
    library = shared.lib / f"libmkl_rt-{len(list(shared.lib.iterdir()))}.so"
    for site in sites:
        (vendored,) = (path for path in site.glob("*.libs/*") if "openblas" in path.name)
        exported = [export.name for export in symbols(vendored).exports]
        imported = imported_by_consumers(site, vendored)
        matched = match_symbols(exported, imported, shared.mkl, *spellings(exported))
        assert imported & set(exported)
        assert matched.missing == ()
        forwards += matched.forwards
        unused += matched.unused
        vendored.unlink()
        vendored.symlink_to(library)
    data = render_forwarding_library(
        ForwardingLibrary(
            machine="x86_64",
            soname=library.name,
            needed=shared.needed,
            rpath=(str(shared.lib),),
            forwards=tuple({forward.symbol: forward for forward in forwards}.values()),
            before_fork=(Call("omp_pause_resource_all", (OMP_PAUSE_HARD,)),),
        )
    )
    library.write_bytes(data)
    return Matched(tuple(forwards), (), unused)


def run(script: str, *sites: Path) -> dict[str, object]:
    """Run a script that fills ``result``, with settings that would lead libmkl_rt astray."""
    environment = {**os.environ, "MKL_THREADING_LAYER": "TBB", "MKL_INTERFACE_LAYER": "ILP64"}
    whole = f"""
import json, re, sys
sys.path[:0] = {[str(site) for site in sites]!r}
result = {{}}
{script}
with open("/proc/self/maps") as maps:
    names = {{line.split()[-1] for line in maps if "/" in line}}
result["mapped"] = sorted(n for n in names if re.search("gomp|iomp|libmkl_|openblas", n))
print(json.dumps(result))
"""
    done = subprocess.run(
        [sys.executable, "-c", whole], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stderr}"
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def check_mapped(found: dict[str, object]) -> None:
    """One OpenMP and one BLAS, and MKL's threads are those of that OpenMP."""
    mapped = found["mapped"]
    assert isinstance(mapped, list)
    names = [Path(name).name for name in mapped]
    assert len([name for name in names if "gomp" in name or "iomp" in name]) == 1
    assert len([name for name in names if "openblas" in name]) == 0
    assert len([name for name in names if "libmkl_rt" in name]) == 1
    assert len([name for name in names if "thread" in name]) == 1
    assert len([name for name in names if "libmkl_gnu_thread" in name]) == 1
    assert "scikit_learn.libs/libgomp" in "".join(mapped)


NUMBERS = """
import ctypes
import numpy as np
import scipy.linalg
from scipy.linalg import blas, cython_lapack, lapack

generator = np.random.default_rng(7)
a = generator.standard_normal((200, 200))
z = a + 1j * generator.standard_normal((200, 200))
x, y = z[0], z[1]

def close(one, other, tolerance=1e-9):
    assert np.allclose(one, other, rtol=tolerance, atol=tolerance), (one, other)

close(a @ a, np.einsum("ij,jk->ik", a, a))
close(z @ z, np.einsum("ij,jk->ik", z, z))
u, s, vh = np.linalg.svd(z)
close((u * s) @ vh, z)
values, vectors = np.linalg.eig(a)
close(a @ vectors, vectors * values)
close(a @ np.linalg.inv(a), np.eye(200), 1e-8)
values, vectors = scipy.linalg.eigh(z + z.conj().T)
close((z + z.conj().T) @ vectors, vectors * values)
q, r = scipy.linalg.qr(z)
close(q @ r, z)
t, schur = scipy.linalg.schur(a, output="real")
close(schur @ t @ schur.T, a)
reordered, _, dimension = scipy.linalg.schur(a, sort=lambda re, im=0.0: re > 0)
result["positive"] = dimension

close(np.vdot(x, y), (x.conj() * y).sum())
for name, expected in [("dotc", (x.conj() * y).sum()), ("dotu", (x * y).sum())]:
    close(getattr(blas, "z" + name)(x, y), expected)
    close(getattr(blas, "c" + name)(x, y), expected, 1e-3)
    close(getattr(blas, "z" + name)(x, y, n=50, incx=-2, incy=3),
          (getattr(x[:99:2][::-1], "conj" if name == "dotc" else "copy")() * y[:148:3]).sum())
single = np.array([3, 4], np.float32)
assert (blas.snrm2(single), blas.sdot(single, single), blas.sasum(single)) == (5, 25, 7)
assert (blas.scnrm2(single * 1j), blas.scasum(single * 1j)) == (5, 7)

class Single(ctypes.Structure):
    _fields_ = [("real", ctypes.c_float), ("imaginary", ctypes.c_float)]
class Double(ctypes.Structure):
    _fields_ = [("real", ctypes.c_double), ("imaginary", ctypes.c_double)]

def pointer(name):
    capsule = cython_lapack.__pyx_capi__[name]
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))

for name, kind in [("cladiv", Single), ("zladiv", Double)]:
    divide = ctypes.CFUNCTYPE(kind, ctypes.c_void_p, ctypes.c_void_p)(pointer(name))
    above, below = kind(1, 2), kind(5, 6)
    quotient = divide(ctypes.addressof(above), ctypes.addressof(below))
    close(complex(quotient.real, quotient.imaginary), (1 + 2j) / (5 + 6j), 1e-6)

singular = np.ones((3, 3))
indefinite = np.diag([1.0, 1.0, -1.0, 1.0])
integer = lambda value: ctypes.byref(ctypes.c_int(value))
information = ctypes.c_int(99)
factor = ctypes.CFUNCTYPE(None, *6 * [ctypes.c_void_p])(pointer("dgetrf"))
space = (ctypes.c_double * 9)(*range(9))
pivots = (ctypes.c_int * 3)()
address = lambda thing: ctypes.cast(ctypes.byref(thing), ctypes.c_void_p)
minus, three = ctypes.c_int(-1), ctypes.c_int(3)
factor(address(minus), address(three), address(space), address(three), address(pivots),
       address(information))
result["information"] = [
    int(lapack.dgetrf(singular)[2]), int(lapack.zgetrf(singular)[2]),
    int(lapack.dpotrf(indefinite)[1]), int(lapack.zpotrf(indefinite)[1]),
    int(lapack.dsygv(np.eye(4), indefinite)[2]), int(lapack.dtrtrs(singular * 0, singular)[1]),
    int(lapack.dgesv(np.zeros((2, 2)), np.ones(2))[3]), information.value,
]
raised = []
for function, argument in [("inv", singular), ("cholesky", indefinite)]:
    try:
        getattr(np.linalg, function)(argument)
    except np.linalg.LinAlgError as error:
        raised.append(str(error))
result["raised"] = raised
"""


@pytest.fixture(scope="module")
def science(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    place = tmp_path_factory.mktemp("science")
    return download(place / "numpy", "numpy"), download(place / "scipy", "scipy")


def test_numpy_and_scipy_compute_as_before(
    science: tuple[Path, Path], shared: Shared, tmp_path: Path
) -> None:
    vendored = run(NUMBERS, *science)
    assert len(replace_blas(shared, *science).forwards) > 9700
    forwarded = run(NUMBERS, *science)
    check_mapped(forwarded)
    assert forwarded["information"] == vendored["information"]
    assert vendored["information"] == [2, 2, 3, 3, 7, 1, 1, -1]
    assert forwarded["raised"] == vendored["raised"]
    assert forwarded["positive"] == vendored["positive"]

    check_mapped(run(LONG, *science))
    check_mapped(run(FORK, *science))
    tools = download(tmp_path / "tools", "threadpoolctl")
    check_mapped(run(TOOLS, *science, tools))


FORK = """
import os, time
import numpy as np
a = np.random.default_rng(0).standard_normal((1000, 1000))
b = a @ a
child = os.fork()
if child == 0:
    os._exit(0 if np.allclose(a @ a, b) else 3)
for _ in range(600):  # libgomp's threads are not there in a child that waits for them for ever
    ended, status = os.waitpid(child, os.WNOHANG)
    if ended:
        break
    time.sleep(0.1)
else:
    os.kill(child, 9)
    raise SystemExit("the child hangs")
assert status == 0
assert np.allclose(a @ a, b)
"""

LONG = """
import numpy as np
long = np.zeros(2**31 + 8, np.float32)  # nothing but the last page is ever stored
long[-1] = 3
assert long @ long == 9
assert np.vdot(long, long) == 9
"""

TOOLS = """
import numpy as np
import scipy.linalg
import threadpoolctl
np.show_config()
scipy.show_config()
np.ones((100, 100)) @ np.ones((100, 100))
found = threadpoolctl.threadpool_info()
assert sorted(entry["internal_api"] for entry in found) == ["mkl", "openmp"]
with threadpoolctl.threadpool_limits(1):
    limited = threadpoolctl.threadpool_info()
    assert {entry["num_threads"] for entry in limited} == {1}
"""


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="scipy 1.13.1 has no wheels for it")
@pytest.mark.parametrize("keeps_its_own", [True, False])
def test_a_scipy_with_standard_names_gets_complex_results_the_way_it_expects_them(
    tmp_path: Path, shared: Shared, keeps_its_own: bool
) -> None:
    """Whether it is on MKL too or MKL is only beside it: nothing of MKL is global."""
    numpy = download(tmp_path / "numpy", "numpy==2.0.2")
    scipy = download(tmp_path / "scipy", "scipy==1.13.1")
    replace_blas(shared, *([numpy] if keeps_its_own else [numpy, scipy]))
    script = """
import numpy as np
np.ones((100, 100)) @ np.ones((100, 100))
from scipy.linalg import blas
x, y = np.array([1 + 2j, 3 + 4j]), np.array([5 + 6j, 7 + 8j])
result["dots"] = [[v.real, v.imag] for v in (
    blas.cdotc(x, y), blas.cdotu(x, y), blas.zdotc(x, y), blas.zdotu(x, y))]
"""
    found = run(script, numpy, scipy)
    assert found["dots"] == [[70.0, -8.0], [-18.0, 68.0]] * 2
    if not keeps_its_own:
        check_mapped(found)


CONSUMERS = {
    "faiss-cpu": """
import faiss
import numpy as np
points = np.random.default_rng(0).standard_normal((3000, 32)).astype("float32")
index = faiss.IndexFlatL2(32)
index.add(points)
assert (index.search(points, 1)[1][:, 0] == np.arange(3000)).all()
transform = faiss.PCAMatrix(32, 8)
transform.train(points)
""",
    "opencv-python-headless": """
import cv2
import numpy as np
a = np.random.default_rng(0).standard_normal((150, 150))
assert np.allclose(cv2.gemm(a, a, 1.0, None, 0.0), a @ a)
assert np.allclose(cv2.solve(a, a @ np.ones((150, 1)))[1], 1)
""",
    "cvxopt": """
from cvxopt import lapack, matrix, solvers
a = matrix([[2.0, 1.0], [1.0, 3.0]])
b = matrix([1.0, 2.0])
lapack.gesv(+a, b)
assert abs(b[0] - 0.2) < 1e-12
solvers.options["show_progress"] = False
assert solvers.qp(a, matrix([1.0, 1.0]))["status"] == "optimal"
z = matrix([1 + 2j, 3 + 4j])
from cvxopt import blas
assert blas.dot(z, z) == 30
assert blas.dotu(z, z) == -10 + 28j
""",
    "scs": """
import numpy as np
import scipy.sparse
import scs
a = scipy.sparse.csc_matrix(np.vstack([np.eye(3), -np.eye(3)]))
data = {"A": a, "b": np.ones(6), "c": np.array([1.0, -1.0, 0.5])}
found = scs.SCS(data, {"l": 6}, verbose=False).solve()
assert np.allclose(found["x"], [-1, 1, -1], atol=1e-3)
""",
}


@pytest.mark.parametrize("distribution", CONSUMERS)
def test_a_package_with_standard_names_finds_mkl_behind_the_library(
    tmp_path: Path, shared: Shared, science: tuple[Path, Path], distribution: str
) -> None:
    site = download(tmp_path / "site", distribution)
    assert len(replace_blas(shared, site).forwards) < 50
    found = run("import numpy, scipy.sparse\n" + CONSUMERS[distribution], site, *science)
    mapped = found["mapped"]
    assert isinstance(mapped, list)
    library = next(site.glob("*.libs/*openblas*")).resolve()
    assert str(library) in mapped
    assert len([name for name in mapped if "libmkl_gnu_thread" in name]) == 1


def test_an_openblas_of_another_package_serves_one_with_standard_names(
    tmp_path: Path, science: tuple[Path, Path]
) -> None:
    site = download(tmp_path / "site", "faiss-cpu")
    fresh = download(tmp_path / "scipy", "scipy")
    (vendored,) = (path for path in site.glob("*.libs/*") if "openblas" in path.name)
    (serving,) = (path for path in fresh.glob("*.libs/*") if "openblas" in path.name)
    matched = match_symbols(
        [export.name for export in symbols(vendored).exports],
        imported_by_consumers(site, vendored),
        {export.name for export in symbols(serving).exports},
        Spelling(),
        Spelling("scipy_"),
    )
    assert matched.missing == ()
    library = ForwardingLibrary(
        machine="x86_64",
        soname=vendored.name,
        needed=(serving.name,),
        rpath=(str(serving.parent),),
        forwards=matched.forwards,
    )
    vendored.unlink()
    vendored.write_bytes(render_forwarding_library(library))
    script = (
        CONSUMERS["faiss-cpu"]
        + """
with open("/proc/self/maps") as maps:
    names = {line.split()[-1] for line in maps if "/" in line}
result["openblas"] = sorted(name for name in names if re.search("openblas(?!64)[^/]*$", name))
"""
    )
    found = run(script, site, science[0])
    assert found["openblas"] == sorted([str(vendored), str(serving)])
