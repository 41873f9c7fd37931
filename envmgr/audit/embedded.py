"""Runtimes that were linked into other libraries: told by texts that only they hold.

Nothing links to them, so neither names nor dynamic symbols need tell: torch exports all of its
MKL, Open3D and scs none of theirs (*looked at*), but MKL's answer to ``mkl_get_version`` is in
each of them. Looking through a library of 430 MB takes 0.13 s.
"""

import mmap
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mark:
    """A text that gives a runtime away."""

    family: str
    what: str
    text: bytes
    smallest: int
    """Bytes of the smallest library that can hold it: smaller ones only speak of it."""
    own: tuple[str, ...]
    """Beginnings of the names of files that are the runtime itself."""


MARKS = (
    Mark(
        "blas",
        "Intel's MKL, linked in statically",
        b"Math Kernel Library Version",
        8_000_000,
        ("libmkl_",),
    ),
    Mark(
        "blas",
        "OpenBLAS, linked in statically",
        b"OPENBLAS_NUM_THREADS\0",
        2_000_000,
        ("libopenblas", "libscipy_openblas"),
    ),
    Mark(
        "openmp",
        "GNU's OpenMP, linked in statically",
        b"\nlibgomp: \0",
        100_000,
        ("libgomp",),
    ),
    Mark(
        "openmp",
        "LLVM's or Intel's OpenMP, linked in statically",
        b"OMP: Error #",
        400_000,
        ("libomp", "libiomp"),
    ),
)


def find_marks(path: str, families: Iterable[str]) -> tuple[Mark, ...]:
    """Return what a library holds of the runtimes of these families; nothing if unreadable."""
    wanted = set(families)
    name = path.rpartition("/")[2]
    possible = [each for each in MARKS if each.family in wanted and not name.startswith(each.own)]
    with suppress(OSError, ValueError), open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        possible = [each for each in possible if size >= each.smallest]
        if possible:
            with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as content:
                return tuple(each for each in possible if content.find(each.text) >= 0)
    return ()
