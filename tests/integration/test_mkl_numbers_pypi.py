"""MKL in the place of the OpenBLAS of numpy and scipy: the numbers, and their own tests: slow."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent

import pytest

from tests.support.real_environments import RealEnvironments
from tests.support.runtime_process import MAPPED

pytestmark = pytest.mark.slow

TESTED = (
    "numpy.linalg",
    "numpy.fft",
    "scipy.linalg.tests.test_blas",
    "scipy.linalg.tests.test_lapack",
    "scipy.linalg.tests.test_cython_blas",
    "scipy.linalg.tests.test_cython_lapack",
    "sklearn.linear_model.tests.test_base",
    "sklearn.decomposition.tests.test_pca",
)
"""Tests that the packages bring along; docs/runtimes-packages.md tells of all of them."""

START = """
import ctypes
import numpy as np
from scipy import linalg
from scipy.linalg import blas, cython_blas, cython_lapack, lapack
rng = np.random.default_rng(3)


def of_cython(module, name, result):
    capsule = module.__pyx_capi__[name]
    api = ctypes.pythonapi
    api.PyCapsule_GetName.restype = ctypes.c_char_p
    api.PyCapsule_GetName.argtypes = [ctypes.py_object]
    api.PyCapsule_GetPointer.restype = ctypes.c_void_p
    api.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    pointer = api.PyCapsule_GetPointer(capsule, api.PyCapsule_GetName(capsule))
    return ctypes.CFUNCTYPE(result)(pointer)
"""

NUMBERS = {
    "complex dot products of numpy": """
        for kind, close in ((np.complex64, 1e-4), (np.complex128, 1e-12)):
            for step in (1, 2, -3):
                x, y = (rng.standard_normal(300) + 1j * rng.standard_normal(300) for _ in "xy")
                x, y = x.astype(kind)[::step], y.astype(kind)[::step]
                assert np.isclose(np.vdot(x, y), (x.conj() * y).sum(), rtol=close), (kind, step)
                assert np.isclose(np.dot(x, y), (x * y).sum(), rtol=close), (kind, step)
                assert np.vdot(x, y).dtype == kind
        """,
    "complex dot products of scipy.linalg.blas": """
        for letter, kind, close in (("c", np.complex64, 1e-4), ("z", np.complex128, 1e-12)):
            x, y = (rng.standard_normal(40) + 1j * rng.standard_normal(40) for _ in "xy")
            x, y = x.astype(kind), y.astype(kind)
            for name, left in (("dotc", x.conj()), ("dotu", x)):
                dot = getattr(blas, letter + name)
                assert np.isclose(dot(x, y), (left * y).sum(), rtol=close)
                got = dot(x, y, n=7, offx=2, incx=3, offy=1, incy=2)
                assert np.isclose(got, (left[2::3][:7] * y[1::2][:7]).sum(), rtol=close)
        """,
    "complex dot products of who cimports scipy.linalg.cython_blas": """
        for letter, kind, part, close in (
            ("c", np.complex64, ctypes.c_float, 1e-4), ("z", np.complex128, ctypes.c_double, 1e-12)
        ):
            class Complex(ctypes.Structure):  # is returned in the registers of a complex number
                _fields_ = [("real", part), ("imag", part)]
            x, y = (rng.standard_normal(40) + 1j * rng.standard_normal(40) for _ in "xy")
            x, y = x.astype(kind), y.astype(kind)
            for name, left in (("dotc", x.conj()), ("dotu", x)):
                dot = of_cython(cython_blas, letter + name, Complex)
                n, one = ctypes.c_int(40), ctypes.c_int(1)
                got = dot(
                    ctypes.byref(n), ctypes.c_void_p(x.ctypes.data), ctypes.byref(one),
                    ctypes.c_void_p(y.ctypes.data), ctypes.byref(one),
                )
                assert np.isclose(got.real + 1j * got.imag, (left * y).sum(), rtol=close)
        """,
    "compiled code of scipy that uses complex numbers": """
        a, u, v = (rng.standard_normal(s) + 1j * rng.standard_normal(s) for s in ((9, 6), 9, 6))
        q, r = linalg.qr_update(*linalg.qr(a), u, v)
        assert np.allclose(q @ r, a + np.outer(u, v.conj()))
        """,
    "real functions that return single precision": """
        x = rng.standard_normal(50).astype(np.float32)
        assert np.isclose(blas.sdot(x, x), (x * x).sum())
        assert np.isclose(blas.sasum(x), abs(x).sum())
        assert np.isclose(blas.snrm2(x), np.sqrt((x * x).sum()))
        assert np.isclose(blas.scnrm2(x + 1j * x), np.sqrt(2 * (x * x).sum()))
        assert np.isclose(lapack.slange("f", x.reshape(5, 10)), np.sqrt((x * x).sum()))
        """,
    "LAPACK tells of singular matrices": """
        singular = np.ones((4, 4))
        lu, pivots, info = lapack.dgetrf(singular)
        assert info == 2, info
        assert lapack.dgesv(singular, np.ones(4))[-1] == 2
        assert lapack.dtrtrs(np.diag([1.0, 0.0, 1.0]), np.ones(3))[-1] == 2
        for solve in (np.linalg.solve, linalg.solve):
            try:
                solve(singular, np.ones(4))
            except np.linalg.LinAlgError as error:
                assert "ingular" in str(error), error
            else:
                raise AssertionError(solve)
        try:
            np.linalg.inv(singular.astype(complex))
        except np.linalg.LinAlgError:
            pass
        else:
            raise AssertionError("inv")
        """,
    "LAPACK tells of matrices that are not positive definite": """
        indefinite = np.diag([4.0, 1.0, -1.0, 2.0])
        assert lapack.dpotrf(indefinite)[1] == 3
        assert lapack.zpotrf(indefinite.astype(complex))[1] == 3
        for cholesky in (np.linalg.cholesky, linalg.cholesky):
            try:
                cholesky(indefinite)
            except np.linalg.LinAlgError as error:
                assert "definite" in str(error), error
            else:
                raise AssertionError(cholesky)
        """,
    "LAPACK tells of an argument that is out of range and lets the process live": """
        potrf = of_cython(cython_lapack, "dpotrf", None)
        n, lda, info = map(ctypes.c_int, (-1, 1, 0))
        a = (ctypes.c_double * 1)(1)
        potrf(b"U", ctypes.byref(n), a, ctypes.byref(lda), ctypes.byref(info))
        assert info.value == -2, info.value
        """,
}

LARGE = """
    # Memory that was never written to is one page of zeros, however large it is.
    n = 2**31 + 40
    x = np.zeros(n, np.float32)
    x[0], x[2**31 + 1], x[-1] = 1, 2, 3
    assert np.dot(x, x) == 14, np.dot(x, x)
    assert np.isclose(np.linalg.norm(x), 14**0.5)
    a = x[: 3 * 2**29 // 3 * 4].reshape(4, 2**29)
    a[3, -1] = 5
    assert (a @ a[3]).tolist() == [0, 0, 0, 25]
    """
ROOM = 12 << 30
"""Bytes that may be asked for; nearly all of them are never used."""


@pytest.fixture(scope="module")
def place() -> Iterator[RealEnvironments]:
    with TemporaryDirectory(prefix="envmgr-mkl-") as directory:
        made = RealEnvironments(Path(directory))
        made.create(
            "schema: 1\nname: numbers\npython: '3.11'\n"
            "dependencies: [numpy, scipy, scikit-learn, pytest, hypothesis]\n"
            "runtimes: {openmp: gnu, blas: mkl}\n"
        )
        yield made


def check(place: RealEnvironments, code: str) -> None:
    """Run code that fails where a number is wrong, and see that it was MKL's."""
    end = "\n(path,) = mapped()['blas']\nassert 'libmkl_core' in path, path\n"
    place.run([place.python("numbers"), "-I", "-c", START + dedent(code) + MAPPED + end])


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers(place: RealEnvironments, name: str) -> None:
    check(place, NUMBERS[name])


def test_arrays_of_more_than_two_to_the_31_elements(place: RealEnvironments) -> None:
    available = _available()
    if available < ROOM:
        pytest.skip(f"needs {ROOM >> 30} GiB of memory, {available >> 30} are available")
    check(place, LARGE)


@pytest.mark.parametrize("module", TESTED)
def test_tests_that_packages_bring_along(place: RealEnvironments, module: str) -> None:
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "--pyargs", module]
    passive = {"OMP_WAIT_POLICY": "PASSIVE"}
    try:
        told = place.run([place.python("numbers"), *words], passive)
    except subprocess.TimeoutExpired as error:
        pytest.fail(f"{module} did not end: {error}")
    assert " passed" in told.splitlines()[-1]


def _available() -> int:
    """Bytes of memory that processes may still take."""
    lines = Path("/proc/meminfo").read_text("ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))
