import pytest

from envmgr.runtime.forwarding.match import (
    Matched,
    match_symbols,
)
from envmgr.runtime.forwarding.spelling import Spelling
from envmgr.runtime.forwarding.types import (
    Answer,
    CDot,
    Division,
    FortranDot,
    Forward,
    Jump,
)

NUMPY = Spelling(prefix="scipy_", suffix="64_", integers="ilp64")
SCIPY = Spelling(prefix="scipy_")
STANDARD = Spelling()
MKL_64 = Spelling(suffix="_64", integers="ilp64", style="mkl")
MKL_32 = Spelling(style="mkl")


def test_renamed_functions_are_reached_by_a_jump() -> None:
    matched = match_symbols(
        ["scipy_dgemm_64_", "scipy_cblas_dgemm64_", "scipy_LAPACKE_dgesv64_"],
        ["scipy_dgemm_64_"],
        ["dgemm_64_", "cblas_dgemm_64", "LAPACKE_dgesv_64"],
        NUMPY,
        MKL_64,
    )
    assert matched == Matched(
        (
            Forward("scipy_LAPACKE_dgesv64_", Jump("LAPACKE_dgesv_64")),
            Forward("scipy_cblas_dgemm64_", Jump("cblas_dgemm_64")),
            Forward("scipy_dgemm_64_", Jump("dgemm_64_")),
        ),
        (),
        (),
    )


def test_what_the_implementation_lacks_is_missing_only_if_it_is_imported() -> None:
    exported = ["scipy_dgeadd_", "scipy_dsum_", "scipy_blas_internal", "blas_cpu_number"]
    imported = ["scipy_dsum_", "blas_cpu_number", "malloc"]
    matched = match_symbols(exported, imported, ["dgemm_"], SCIPY, MKL_32)
    assert matched == Matched(
        (), ("blas_cpu_number", "scipy_dsum_"), ("scipy_blas_internal", "scipy_dgeadd_")
    )


def test_complex_results_go_through_functions_that_every_compiler_calls_alike() -> None:
    exported = [
        "scipy_cdotc_", "scipy_zdotu_", "scipy_cladiv_", "scipy_zladiv_", "scipy_cblas_zdotc",
        "scipy_cblas_zdotc_sub",
    ]  # fmt: skip
    there = ["cblas_cdotc_sub", "cblas_zdotu_sub", "cblas_zdotc_sub", "sladiv_", "dladiv_",
             "cdotc_", "zdotu_", "cladiv_", "zladiv_"]  # fmt: skip
    matched = match_symbols(exported, exported, there, SCIPY, MKL_32)
    assert matched.forwards == (
        Forward("scipy_cblas_zdotc", CDot("cblas_zdotc_sub", "double")),
        Forward("scipy_cblas_zdotc_sub", Jump("cblas_zdotc_sub")),
        Forward("scipy_cdotc_", FortranDot("cblas_cdotc_sub", 32, "single")),
        Forward("scipy_cladiv_", Division("sladiv_", "single")),
        Forward("scipy_zdotu_", FortranDot("cblas_zdotu_sub", 32, "double")),
        Forward("scipy_zladiv_", Division("dladiv_", "double")),
    )
    assert matched.missing == ()


def test_wide_integers_go_to_wide_sub_forms() -> None:
    matched = match_symbols(["scipy_zdotc_64_"], [], ["cblas_zdotc_sub_64"], NUMPY, MKL_64)
    assert matched.forwards == (
        Forward("scipy_zdotc_64_", FortranDot("cblas_zdotc_sub_64", 64, "double")),
    )


@pytest.mark.parametrize("name", ["clarnd_", "zlatm2_", "clatm3_"])
def test_other_functions_with_a_complex_result_are_missing(name: str) -> None:
    assert match_symbols([name], [name], [name], STANDARD, MKL_32).missing == (name,)


def test_between_builds_of_one_style_complex_results_need_no_care() -> None:
    matched = match_symbols(["zdotc_"], ["zdotc_"], ["scipy_zdotc_"], STANDARD, SCIPY)
    assert matched.forwards == (Forward("zdotc_", Jump("scipy_zdotc_")),)


def test_from_the_mkl_style_complex_results_are_missing() -> None:
    matched = match_symbols(["zdotc_"], ["zdotc_"], ["zdotc_"], MKL_32, STANDARD)
    assert matched.missing == ("zdotc_",)


def test_names_that_both_sides_spell_alike_need_no_forward() -> None:
    matched = match_symbols(
        ["dgemm_", "cblas_dgemm", "zdotc_"],
        ["dgemm_", "zdotc_"],
        ["dgemm_", "cblas_dgemm", "zdotc_", "cblas_zdotc_sub"],
        STANDARD,
        MKL_32,
    )
    assert matched == Matched(
        (Forward("zdotc_", FortranDot("cblas_zdotc_sub", 32, "double")),), (), ()
    )


def test_integers_of_another_width_match_nothing() -> None:
    matched = match_symbols(
        ["scipy_dgemm_64_"], ["scipy_dgemm_64_"], ["dgemm_", "dgemm_64_"], NUMPY, MKL_32
    )
    assert matched == Matched((), ("scipy_dgemm_64_",), ())


def test_openblas_own_functions_are_answered_by_mkl_or_at_once() -> None:
    exported = [
        "scipy_openblas_get_config", "scipy_openblas_get_num_threads",
        "scipy_openblas_set_num_threads", "scipy_openblas_set_num_threads_",
    ]  # fmt: skip
    there = ["MKL_Get_Max_Threads", "MKL_Set_Num_Threads"]
    matched = match_symbols(exported, [], there, SCIPY, MKL_32)
    assert matched.forwards == (
        Forward("scipy_openblas_get_config", Answer("forwarded to MKL")),
        Forward("scipy_openblas_get_num_threads", Jump("MKL_Get_Max_Threads")),
        Forward("scipy_openblas_set_num_threads", Jump("MKL_Set_Num_Threads")),
    )
    assert matched.unused == ("scipy_openblas_set_num_threads_",)


def test_openblas_own_functions_of_another_build_are_jumped_to_whatever_its_integers() -> None:
    matched = match_symbols(
        ["openblas_get_config"], [], ["scipy_openblas_get_config64_"], STANDARD, NUMPY
    )
    assert matched.forwards == (
        Forward("openblas_get_config", Jump("scipy_openblas_get_config64_")),
    )
