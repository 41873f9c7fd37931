"""How a library writes the names of BLAS and LAPACK functions.

A function has a *plain* name, as a library without prefix or suffix exports it:
``dgemm_`` (Fortran), ``cblas_dgemm``, ``LAPACKE_dgetrf``, ``openblas_get_config``.
"""

from typing import Literal, TypeAlias

from msgspec import Struct

IntegerBits: TypeAlias = Literal[32, 64]
Style: TypeAlias = Literal["openblas", "mkl"]
Integers: TypeAlias = Literal["lp64", "ilp64"]


class Spelling(Struct, frozen=True):
    """How one library spells, and how wide its integers are.

    ``style`` says where the suffix goes and what Fortran functions do with a complex
    result. ``openblas``: behind the plain name (``dgemm_64_`` and ``cblas_dgemm64_`` with
    ``64_``); returned in registers, as gfortran has it. ``mkl``: before Fortran's underscore
    (``dgemm_64_`` and ``cblas_dgemm_64`` with ``_64``); stored where a hidden first
    argument points to.
    """

    prefix: str = ""
    suffix: str = ""
    integers: Integers = "lp64"
    style: Style = "openblas"

    @property
    def integer_bits(self) -> IntegerBits:
        """Return the width of an integer argument."""
        return 64 if self.integers == "ilp64" else 32

    def spell(self, plain: str) -> str:
        """Return how this library writes a plain name."""
        if self.style == "mkl" and plain.endswith("_"):
            return f"{self.prefix}{plain[:-1]}{self.suffix}_"
        return f"{self.prefix}{plain}{self.suffix}"

    def plain(self, written: str) -> str | None:
        """Return the plain name of what this library exports; ``None`` for its internals."""
        tail = f"{self.suffix}_"
        if self.style == "mkl" and self.suffix and written.endswith(tail):
            written = f"{written.removesuffix(tail)}_{self.suffix}"
        if len(written) <= len(self.prefix) + len(self.suffix):
            return None
        if not (written.startswith(self.prefix) and written.endswith(self.suffix)):
            return None
        name = written[len(self.prefix) : len(written) - len(self.suffix)]
        return name if _is_public(name) else None


def is_own(plain: str) -> bool:
    """Whether a plain name is OpenBLAS's own, not one of BLAS, CBLAS, LAPACK or LAPACKE."""
    return plain.startswith(("openblas_", "goto_"))


def _is_public(name: str) -> bool:
    return name.startswith(("cblas_", "LAPACKE_")) or is_own(name) or _is_fortran(name)


def _is_fortran(name: str) -> bool:
    stem = name[:-1]
    return name.endswith("_") and stem.islower() and stem.replace("_", "").isalnum()
