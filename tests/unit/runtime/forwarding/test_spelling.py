import pytest

from envmgr.runtime.forwarding.spelling import Spelling, is_own

NUMPY = Spelling(prefix="scipy_", suffix="64_", integers="ilp64")
SCIPY = Spelling(prefix="scipy_")
OLD_NUMPY = Spelling(suffix="64_", integers="ilp64")
STANDARD = Spelling()
MKL_64 = Spelling(suffix="_64", integers="ilp64", style="mkl")
MKL_32 = Spelling(style="mkl")


@pytest.mark.parametrize(
    ("spelling", "plain", "written"),
    [
        (NUMPY, "dgemm_", "scipy_dgemm_64_"),
        (NUMPY, "cblas_dgemm", "scipy_cblas_dgemm64_"),
        (NUMPY, "LAPACKE_dgetrf", "scipy_LAPACKE_dgetrf64_"),
        (NUMPY, "openblas_get_config", "scipy_openblas_get_config64_"),
        (SCIPY, "dgemm_", "scipy_dgemm_"),
        (SCIPY, "cblas_dgemm", "scipy_cblas_dgemm"),
        (OLD_NUMPY, "dgemm_", "dgemm_64_"),
        (OLD_NUMPY, "cblas_dgemm", "cblas_dgemm64_"),
        (STANDARD, "dgemm_", "dgemm_"),
        (MKL_64, "dgemm_", "dgemm_64_"),
        (MKL_64, "cblas_dgemm", "cblas_dgemm_64"),
        (MKL_64, "LAPACKE_dgetrf_work", "LAPACKE_dgetrf_work_64"),
        (MKL_32, "cblas_dgemm", "cblas_dgemm"),
    ],
)
def test_a_plain_name_is_written_and_read_back(
    spelling: Spelling, plain: str, written: str
) -> None:
    assert spelling.spell(plain) == written
    assert spelling.plain(written) == plain


@pytest.mark.parametrize(
    ("spelling", "internal"),
    [
        (STANDARD, "dgemm_nn"),
        (STANDARD, "dgemm_kernel_HASWELL"),
        (STANDARD, "_init"),
        (STANDARD, "_"),
        (STANDARD, "gotoblas"),
        (SCIPY, "dgemm_"),
        (SCIPY, "scipy_"),
        (SCIPY, "_scipy_x_"),
        (NUMPY, "scipy_dgemm_"),
        (NUMPY, "scipy_64_"),
        (NUMPY, "dgemm_64_"),
        (MKL_64, "dgemm_"),
        (MKL_64, "DGEMM_64_"),
    ],
)
def test_what_is_no_function_of_the_spelling_has_no_plain_name(
    spelling: Spelling, internal: str
) -> None:
    assert spelling.plain(internal) is None


def test_integers_are_as_wide_as_the_spelling_says() -> None:
    assert (SCIPY.integer_bits, NUMPY.integer_bits) == (32, 64)


@pytest.mark.parametrize("name", ["openblas_set_num_threads", "goto_set_num_threads"])
def test_openblas_has_functions_of_its_own(name: str) -> None:
    assert is_own(name)
    assert not is_own("cblas_dgemm")
