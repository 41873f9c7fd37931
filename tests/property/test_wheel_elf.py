"""Laws of ELF facts."""

from hypothesis import given, settings
from hypothesis import strategies as st

from envmgr.wheel.elf import parse_elf
from envmgr.wheel.manifest import ElfFacts
from envmgr.wheel.reach import reaching_directories
from tests.support.elves import Elf

NAMES = st.text("abc._-é0123456789", min_size=1, max_size=300)
PATHS = st.text("$ORIGIN/.x", min_size=1, max_size=20)


@given(
    bits=st.sampled_from([32, 64]),
    little=st.booleans(),
    soname=st.none() | NAMES,
    needed=st.lists(NAMES, max_size=4),
    rpath=st.lists(PATHS, max_size=3),
    runpath=st.lists(PATHS, max_size=3),
    versions=st.dictionaries(NAMES, st.lists(NAMES, min_size=1, max_size=3), max_size=3),
    defined=st.lists(NAMES, max_size=3),
)
def test_what_was_written_is_read(
    bits: int,
    little: bool,
    soname: str | None,
    needed: list[str],
    rpath: list[str],
    runpath: list[str],
    versions: dict[str, list[str]],
    defined: list[str],
) -> None:
    written = Elf(
        bits=bits,
        little=little,
        soname=soname,
        needed=needed,
        rpath=":".join(rpath),
        runpath=":".join(runpath),
        versions=versions,
        defined=defined,
    )
    assert parse_elf(bytes(written), "x") == ElfFacts(
        "x",
        "x86_64",
        bits,
        soname,
        tuple(needed),
        tuple(rpath),
        tuple(runpath),
        {library: tuple(wanted) for library, wanted in versions.items()},
        tuple(defined[1:]),
    )


WHOLE = bytes(Elf(soname="a", needed=["b"], versions={"b": ["V1", "V2"]}, defined=["a", "A_1"]))


@settings(max_examples=300)
@given(st.integers(4, len(WHOLE)), st.binary(max_size=16))
def test_damage_gives_facts_or_none(at: int, damage: bytes) -> None:
    facts = parse_elf(WHOLE[:at] + damage + WHOLE[at + len(damage) :], "x")
    assert facts is None or facts.path == "x"


@given(st.lists(PATHS, max_size=4))
def test_a_library_reaches_no_less_with_fewer_files_around_it(elements: list[str]) -> None:
    home = "site-packages/x/y.so"
    facts = ElfFacts(home, "x86_64", 64, None, (), (), tuple(elements), {}, ())
    alone = reaching_directories([facts], [home])
    among = reaching_directories([facts], [home, "site-packages/x/x/x/x", "site-packages/xx/x"])
    assert set(among) <= set(alone) <= {"site-packages/x"}
