"""What a forwarding library is: a small shared object that answers for another one.

It bears the file name and SONAME of the library it stands in for, exports what that one
exports, and passes each call on to the chosen implementation.
"""

from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from envmgr.runtime.forwarding.spelling import IntegerBits

Machine: TypeAlias = Literal["x86_64", "aarch64"]

Precision: TypeAlias = Literal["single", "double"]
"""Of the two parts of a complex number: 4 or 8 bytes each."""


class Jump(msgspec.Struct, frozen=True, tag=True):
    """Go on at ``target`` with everything as it is: the two functions are called alike."""

    target: str


class FortranDot(msgspec.Struct, frozen=True, tag=True):
    """A Fortran dot product that returns a complex value, by way of ``target``.

    ``f(*n, x, *incx, y, *incy)`` becomes ``target(n, x, incx, y, incy, result)``, a CBLAS
    ``_sub`` form, which is the same for every compiler; what Fortran functions do
    with a complex result is not.
    """

    target: str
    integers: IntegerBits
    precision: Precision


class CDot(msgspec.Struct, frozen=True, tag=True):
    """OpenBLAS's ``cblas_zdotc(n, x, incx, y, incy)``, by way of the ``_sub`` form ``target``."""

    target: str
    precision: Precision


class Division(msgspec.Struct, frozen=True, tag=True):
    """LAPACK's complex function ``ladiv(x, y)``, by way of the real subroutine ``target``.

    That one, ``dladiv(a, b, c, d, p, q)``, returns nothing, so compilers agree on it.
    """

    target: str
    precision: Precision


class Answer(msgspec.Struct, frozen=True, tag=True):
    """Return a number below 2**31, or the address of a text, and call nobody."""

    value: int | str


Action: TypeAlias = Jump | FortranDot | CDot | Division | Answer


class Forward(Struct, frozen=True):
    """A function of a forwarding library: its name, what calling it does, its symbol version."""

    symbol: str
    action: Action
    version: str | None = None


class Variable(Struct, frozen=True):
    """An environment variable that a library sets when it is loaded.

    ``overwrite`` says whether it does so where the variable is set already.
    """

    name: str
    value: str
    overwrite: bool = False


Routine: TypeAlias = Literal["initialiser", "before_fork", "in_child"]


class AddressOf(Struct, frozen=True):
    """The address of a routine of the library itself, as an argument."""

    routine: Routine


class Call(Struct, frozen=True):
    """A call that a routine of a library makes.

    At most four arguments: numbers below 2**16, addresses of texts, or of routines.
    """

    target: str
    arguments: tuple[int | str | AddressOf, ...] = ()


class ForwardingLibrary(Struct, frozen=True, kw_only=True):
    """Everything that decides about the bytes of one; the same value gives the same bytes.

    ``needed`` is the DT_NEEDED list in its order; it is searched in ``rpath`` before
    LD_LIBRARY_PATH, or in ``runpath`` after it (the loader heeds no DT_RPATH beside a
    DT_RUNPATH). ``forwards`` may be empty: the consumers' standard names then find the
    implementation among what this library needs. ``environment`` is set after the needed
    libraries have been initialised. ``before_fork`` is called in a process that is about
    to fork, by the thread that does, and ``in_child`` in its child. For these
    ``libc.so.6`` is needed too, and is added.
    """

    machine: Machine
    soname: str
    needed: tuple[str, ...]
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] = ()
    forwards: tuple[Forward, ...] = ()
    environment: tuple[Variable, ...] = ()
    before_fork: tuple[Call, ...] = ()
    in_child: tuple[Call, ...] = ()
