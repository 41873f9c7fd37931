"""What ``runtimes list`` prints."""

import pytest

from envmgr.cli.shared_page import render_runtimes
from envmgr.pipeline.types import KeptCopy, LibraryFile, ReplacedCopy, SharedRuntime


def of(package: str, path: str) -> LibraryFile:
    return LibraryFile(package=package, path=path)


MKL = of("mkl", "data/lib/libmkl_intel_lp64.so.3")
NUMPY = of("numpy", "site-packages/numpy.libs/libblas-1.so")
SCIPY = of("scipy", "site-packages/scipy.libs/libblas-2.so")
GOMP = of("torch", "site-packages/torch/lib/libgomp.so.1")
LIGHT = of("lightgbm", "site-packages/lightgbm/lib_lightgbm.so")
BLAS = SharedRuntime(
    family="blas",
    implementation="mkl",
    chosen_by="file",
    servers=(MKL,),
    replaced=(ReplacedCopy(copy=NUMPY, by=MKL, forwarded=True),),
    kept=(KeptCopy(copy=SCIPY, reason="it lacks dgemm_"),),
)
OPENMP = SharedRuntime(
    family="openmp",
    implementation="gnu",
    chosen_by="automatic",
    servers=(GOMP,),
    replaced=(ReplacedCopy(copy=LIGHT, by=LIGHT, forwarded=True),),
    kept=(),
)


def equal(*replaced: ReplacedCopy) -> SharedRuntime:
    return SharedRuntime(
        family="blas",
        implementation="equal",
        chosen_by="automatic",
        servers=(NUMPY,) if replaced else (),
        replaced=replaced,
        kept=(),
    )


def test_a_family_has_what_serves_whom_and_what_stays_and_why() -> None:
    assert render_runtimes((BLAS, OPENMP), verbose=0) == (
        "blas: mkl, as the environment file says\n"
        "  lib/libmkl_intel_lp64.so.3 of mkl, for numpy\n"
        "  scipy keeps scipy.libs/libblas-2.so: it lacks dgemm_\n"
        "\n"
        "openmp: gnu, automatically\n"
        "  torch/lib/libgomp.so.1 of torch\n"
        "  lightgbm/lib_lightgbm.so of lightgbm finds it, and not the system's\n"
    )


@pytest.mark.parametrize(
    ("forwarded", "line"),
    [
        (True, "    numpy.libs/libblas-1.so of numpy passes its calls on to "),
        (False, "    numpy.libs/libblas-1.so of numpy is "),
    ],
)
def test_with_v_each_copy_is_told(forwarded: bool, line: str) -> None:
    replaced = (ReplacedCopy(copy=NUMPY, by=MKL, forwarded=forwarded),)
    shared = SharedRuntime(
        family="blas",
        implementation="mkl",
        chosen_by="file",
        servers=(MKL,),
        replaced=replaced,
        kept=(),
    )
    assert f"{line}lib/libmkl_intel_lp64.so.3 of mkl" in render_runtimes((shared,), verbose=1)


def test_equal_copies_are_said_to_be_one_only_where_some_are_equal() -> None:
    gave_way = ReplacedCopy(copy=SCIPY, by=NUMPY, forwarded=False)
    assert render_runtimes((equal(gave_way),), verbose=0) == (
        "blas: equal copies are one, automatically\n  numpy.libs/libblas-1.so of numpy, for scipy\n"
    )
    assert render_runtimes((equal(),), verbose=0) == (
        "blas: packages have their own copies, of which none are equal, automatically\n"
    )


def test_the_machines_library_is_named() -> None:
    shared = SharedRuntime(
        family="mpi",
        implementation="host",
        chosen_by="file",
        servers=(),
        host="/opt/mpi/lib/libmpi.so.40",
        replaced=(),
        kept=(),
    )
    assert render_runtimes((shared,), verbose=0) == (
        "mpi: a library of the machine, as the environment file says\n  /opt/mpi/lib/libmpi.so.40\n"
    )


def test_where_no_package_brings_a_runtime_it_says_so() -> None:
    assert render_runtimes((), verbose=0) == (
        "no package of this environment brings a shared runtime\n"
    )
