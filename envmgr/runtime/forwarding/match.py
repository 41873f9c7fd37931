"""Which function of an implementation answers for which export of a vendored library."""

from collections.abc import Collection, Iterable

from msgspec import Struct

from envmgr.runtime.forwarding.spelling import Spelling, is_own
from envmgr.runtime.forwarding.types import (
    Action,
    Answer,
    CDot,
    Division,
    FortranDot,
    Forward,
    Jump,
    Precision,
)

_DOTS = ("dotc", "dotu")
_PRECISIONS: dict[str, Precision] = {"c": "single", "z": "double"}
_REAL_OF_COMPLEX = {"c": "s", "z": "d"}
_COMPLEX_RESULTS = frozenset(
    [f"{kind}{name}_" for kind in "cz" for name in (*_DOTS, "ladiv", "larnd", "latm2", "latm3")]
    + ["xdotc_", "xdotu_", "qconjg_"]
)
"""The Fortran functions with a complex result in BLAS, LAPACK, its test matrices and OpenBLAS."""

_THROUGH_MKL: dict[str, Action] = {
    "openblas_set_num_threads": Jump("MKL_Set_Num_Threads"),
    "goto_set_num_threads": Jump("MKL_Set_Num_Threads"),
    "openblas_get_num_threads": Jump("MKL_Get_Max_Threads"),
    "openblas_get_num_threads_": Jump("MKL_Get_Max_Threads"),
    "openblas_get_num_procs": Jump("MKL_Get_Max_Threads"),
    "openblas_get_num_procs_": Jump("MKL_Get_Max_Threads"),
    "openblas_get_parallel": Answer(1),
    "openblas_get_parallel_": Answer(1),
    "openblas_get_config": Answer("forwarded to MKL"),
    "openblas_get_corename": Answer("MKL"),
}
"""OpenBLAS's own functions, as far as MKL has something to say."""


class Matched(Struct, frozen=True):
    """How far an implementation can stand in for a vendored library.

    ``forwards``: what the forwarding library has to export. ``missing``: what a consumer
    imports and nothing answers for; unless it is empty, the vendored library has to
    stay. ``unused``: exports that nothing answers for and no consumer imports.
    """

    forwards: tuple[Forward, ...]
    missing: tuple[str, ...]
    unused: tuple[str, ...]


def match_symbols(
    exported: Iterable[str],
    imported: Collection[str],
    implementation: Collection[str],
    from_spelling: Spelling,
    to_spelling: Spelling,
) -> Matched:
    """Say for each export of a vendored library which function of the implementation answers.

    ``exported`` are the vendored library's exports, ``imported`` all that its consumers
    import (of anyone), ``implementation`` the exports of the implementation. Names that
    are spelled and called alike on both sides need no forward: the consumer finds them
    in the implementation, which the forwarding library needs. OpenBLAS's own functions
    are answered for too, for programs that know a library by its file name and look
    such functions up (threadpoolctl). Everything comes back sorted.
    """
    wanted, there = frozenset(imported), frozenset(implementation)
    forwards: list[Forward] = []
    missing: list[str] = []
    unused: list[str] = []
    for symbol in sorted(set(exported)):
        plain = from_spelling.plain(symbol)
        action = None
        if plain is not None:
            action = find_action(plain, there, from_spelling, to_spelling)
        if action is None:
            (missing if symbol in wanted else unused).append(symbol)
        elif action != Jump(symbol):
            forwards.append(Forward(symbol, action))
    return Matched(tuple(forwards), tuple(missing), tuple(unused))


def find_action(
    plain: str, implementation: Collection[str], from_spelling: Spelling, to_spelling: Spelling
) -> Action | None:
    """Return what answers for the function with this plain name; ``None`` if nothing does."""
    if is_own(plain):
        action = _own_action(plain, to_spelling)
    elif from_spelling.integers != to_spelling.integers:
        return None
    elif from_spelling.style == to_spelling.style:
        action = Jump(to_spelling.spell(plain))
    else:
        action = _across_styles(plain, from_spelling, to_spelling)
    if action is None or isinstance(action, Answer):
        return action
    return action if action.target in implementation else None


def _own_action(plain: str, to_spelling: Spelling) -> Action | None:
    if to_spelling.style == "mkl":
        return _THROUGH_MKL.get(plain)
    return Jump(to_spelling.spell(plain))


def _across_styles(plain: str, from_spelling: Spelling, to_spelling: Spelling) -> Action | None:
    """Return how to reach a function whose complex result may have to go another way."""
    kind, name = plain[:1], plain[1:-1]
    if plain in _COMPLEX_RESULTS:
        if from_spelling.style != "openblas":
            return None
        if name in _DOTS and kind in _PRECISIONS:
            target = to_spelling.spell(f"cblas_{kind}{name}_sub")
            return FortranDot(target, from_spelling.integer_bits, _PRECISIONS[kind])
        if name == "ladiv":
            target = to_spelling.spell(f"{_REAL_OF_COMPLEX[kind]}ladiv_")
            return Division(target, _PRECISIONS[kind])
        return None
    name = plain.removeprefix("cblas_")
    if name != plain and name[1:] in _DOTS and name[0] in _PRECISIONS:
        return CDot(to_spelling.spell(f"{plain}_sub"), _PRECISIONS[name[0]])
    return Jump(to_spelling.spell(plain))
