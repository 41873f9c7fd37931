"""The structure of what is written, as pyelftools reads it."""

import io
from typing import Any

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import Segment
from hypothesis import given
from hypothesis import strategies as st

from envmgr.runtime.forwarding.types import (
    Answer,
    Call,
    Division,
    FortranDot,
    Forward,
    ForwardingLibrary,
    Jump,
    Machine,
    Variable,
)
from envmgr.runtime.forwarding.writer import render_forwarding_library
from envmgr.wheel.elf import parse_elf
from envmgr.wheel.symbols import Export, Import, Symbols, parse_symbols

MACHINES: tuple[Machine, ...] = ("x86_64", "aarch64")
PAGE = {"x86_64": 0x1000, "aarch64": 0x10000}


def make(machine: Machine = "x86_64", **changes: Any) -> ForwardingLibrary:
    values: dict[str, Any] = {
        "machine": machine,
        "soname": "libvendored-1a2b.so",
        "needed": ("libgomp.so.1", "libmkl_rt.so.3"),
        "runpath": ("$ORIGIN", "/a/b"),
        "forwards": (
            Forward("scipy_zdotc_", FortranDot("cblas_zdotc_sub", 32, "double")),
            Forward("scipy_dgemm_", Jump("dgemm_")),
            Forward("scipy_dgemm_alias_", Jump("dgemm_")),
            Forward("scipy_zladiv_", Division("dladiv_", "double")),
            Forward("openblas_get_config", Answer("none")),
        ),
        "environment": (Variable("MKL_THREADING_LAYER", "GNU"),),
    }
    return ForwardingLibrary(**{**values, **changes})


def elf(library: ForwardingLibrary) -> ELFFile:
    return ELFFile(io.BytesIO(render_forwarding_library(library)))


def content(file: ELFFile) -> bytes:
    file.stream.seek(0)
    return file.stream.read()


def segments(file: ELFFile, kind: str) -> list[Segment]:
    return [segment for segment in file.iter_segments() if segment["p_type"] == kind]


def dynamic(file: ELFFile) -> DynamicSegment:
    return next(s for s in file.iter_segments() if isinstance(s, DynamicSegment))


def tags(file: ELFFile) -> dict[str, int]:
    return {tag.entry.d_tag: tag.entry.d_val for tag in dynamic(file).iter_tags()}


@pytest.mark.parametrize("machine", MACHINES)
def test_its_facts_are_those_it_was_given(machine: Machine) -> None:
    facts = parse_elf(render_forwarding_library(make(machine)), "x")
    assert facts is not None
    assert (facts.machine, facts.bits, facts.soname) == (machine, 64, "libvendored-1a2b.so")
    assert facts.needed == ("libgomp.so.1", "libmkl_rt.so.3", "libc.so.6")
    assert (facts.rpath, facts.runpath) == ((), ("$ORIGIN", "/a/b"))


def test_a_search_ahead_of_the_environment_is_an_rpath() -> None:
    facts = parse_elf(render_forwarding_library(make(rpath=("/s",), runpath=())), "x")
    assert facts is not None
    assert (facts.rpath, facts.runpath) == (("/s",), ())


@pytest.mark.parametrize("machine", MACHINES)
def test_it_offers_its_forwards_and_wants_each_target_once(machine: Machine) -> None:
    assert parse_symbols(render_forwarding_library(make(machine))) == Symbols(
        tuple(
            Export(name, "function", None, True)
            for name in (
                "openblas_get_config", "scipy_dgemm_", "scipy_dgemm_alias_", "scipy_zdotc_",
                "scipy_zladiv_",
            )
        ),
        tuple(
            Import(name, None, None, False)
            for name in ("cblas_zdotc_sub", "dgemm_", "dladiv_", "setenv")
        ),
    )  # fmt: skip


@pytest.mark.parametrize("machine", MACHINES)
def test_every_symbol_is_found_through_the_hash_table(machine: Machine) -> None:
    file = elf(make(machine))
    table = dynamic(file)
    names = [symbol.name for symbol in table.iter_symbols()]
    assert table.num_symbols() == len(names) == 10
    start = next(iter(file.address_offsets(tags(file)["DT_HASH"])))
    data = content(file)[start:]
    words = [int.from_bytes(data[at : at + 4], "little") for at in range(0, 4 * 64, 4)]
    buckets, chains = words[2 : 2 + words[0]], words[2 + words[0] : 2 + words[0] + words[1]]
    for index, name in enumerate(names[1:], 1):
        at = buckets[_hash(name) % len(buckets)]
        while at != index:
            assert at, f"{name} is in no chain"
            at = chains[at]


def _hash(name: str) -> int:
    """gABI, figure 5-13."""
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        top = value & 0xF0000000
        if top:
            value ^= top >> 24
        value &= ~top
    return value


@pytest.mark.parametrize("machine", MACHINES)
def test_no_memory_is_both_writable_and_executable(machine: Machine) -> None:
    file = elf(make(machine))
    assert [segment["p_flags"] for segment in segments(file, "PT_LOAD")] == [4, 5, 6]
    assert [segment["p_flags"] for segment in segments(file, "PT_GNU_STACK")] == [6]
    assert "DT_TEXTREL" not in tags(file)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("count", [0, 1, 700])
def test_segments_share_no_page_and_lie_as_the_loader_needs_it(
    machine: Machine, count: int
) -> None:
    forwards = tuple(Forward(f"f{index}", Jump(f"t{index}")) for index in range(count))
    file = elf(make(machine, forwards=forwards))
    page, end = PAGE[machine], -1
    for segment in segments(file, "PT_LOAD"):
        assert segment["p_align"] == page
        assert (segment["p_vaddr"] - segment["p_offset"]) % page == 0
        assert segment["p_vaddr"] // page > end // page
        assert segment["p_offset"] + segment["p_filesz"] <= len(content(file))
        end = segment["p_vaddr"] + segment["p_memsz"] - 1


@pytest.mark.parametrize("machine", MACHINES)
def test_all_that_the_loader_fills_in_is_closed_afterwards(machine: Machine) -> None:
    file = elf(make(machine))
    (closed,) = segments(file, "PT_GNU_RELRO")
    written = segments(file, "PT_LOAD")[2]
    assert (closed["p_vaddr"], closed["p_memsz"]) == (written["p_vaddr"], written["p_memsz"])
    assert (closed["p_vaddr"] + closed["p_memsz"]) % PAGE[machine] == 0
    assert tags(file)["DT_FLAGS"] == 8  # DF_BIND_NOW
    assert tags(file)["DT_FLAGS_1"] == 1 | 8  # DF_1_NOW, DF_1_NODELETE


@pytest.mark.parametrize(
    ("machine", "bind", "relative"), [("x86_64", 6, 8), ("aarch64", 1025, 1027)]
)
def test_each_slot_is_bound_to_its_target(machine: Machine, bind: int, relative: int) -> None:
    file = elf(make(machine))
    table = dynamic(file)
    names = [symbol.name for symbol in table.iter_symbols()]
    relocations = list(table.get_relocation_tables()["RELA"].iter_relocations())
    bound = [(r["r_info_type"], names[r["r_info_sym"]]) for r in relocations]
    assert bound == [
        (bind, "cblas_zdotc_sub"), (bind, "dgemm_"), (bind, "dladiv_"), (bind, "setenv"),
        (relative, ""),
    ]  # fmt: skip
    slots = [r["r_offset"] for r in relocations]
    assert slots == list(range(slots[0], slots[0] + 40, 8))
    assert slots[0] % 8 == 0
    assert tags(file)["DT_INIT_ARRAY"] == slots[-1]
    code = segments(file, "PT_LOAD")[1]
    assert code["p_vaddr"] <= relocations[-1]["r_addend"] < code["p_vaddr"] + code["p_memsz"]


@pytest.mark.parametrize("machine", MACHINES)
def test_functions_lie_in_the_code_one_behind_the_other(machine: Machine) -> None:
    file = elf(make(machine))
    code = segments(file, "PT_LOAD")[1]
    offered = [s for s in dynamic(file).iter_symbols() if s["st_shndx"] != "SHN_UNDEF"]
    at = code["p_vaddr"]
    for symbol in offered:
        assert symbol["st_info"] == {"bind": "STB_GLOBAL", "type": "STT_FUNC"}
        assert symbol["st_other"]["visibility"] == "STV_DEFAULT"
        assert at <= symbol["st_value"] < at + 8
        at = symbol["st_value"] + symbol["st_size"]
    assert at <= code["p_vaddr"] + code["p_memsz"]


def test_a_library_may_hold_nothing_but_what_it_needs() -> None:
    file = elf(make(forwards=(), environment=()))
    assert "DT_RELA" not in tags(file)
    assert "DT_INIT_ARRAY" not in tags(file)
    facts = parse_elf(content(file), "x")
    assert facts is not None
    assert facts.needed == ("libgomp.so.1", "libmkl_rt.so.3")
    assert parse_symbols(content(file)) == Symbols((), ())


def test_versions_are_defined_and_given_to_their_symbols() -> None:
    forwards = (
        Forward("f", Jump("t"), "V_1.0"),
        Forward("g", Jump("u"), "V_2.0"),
        Forward("h", Jump("t")),
    )
    data = render_forwarding_library(make(forwards=forwards, environment=()))
    facts = parse_elf(data, "x")
    assert facts is not None
    assert facts.defined_versions == ("V_1.0", "V_2.0")
    found = parse_symbols(data)
    assert found is not None
    assert found.exports == (
        Export("f", "function", "V_1.0", True),
        Export("g", "function", "V_2.0", True),
        Export("h", "function", None, True),
    )


def test_what_is_needed_anyway_is_not_needed_twice() -> None:
    facts = parse_elf(render_forwarding_library(make(needed=("libc.so.6", "x.so"))), "x")
    assert facts is not None
    assert facts.needed == ("libc.so.6", "x.so")


@pytest.mark.parametrize(
    "changes",
    [
        {"soname": ""},
        {"soname": "a\0b"},
        {"needed": ("",)},
        {"needed": ("a\0",)},
        {"runpath": ("/a:/b",)},
        {"rpath": ("/a:/b",)},
        {"forwards": (Forward("", Jump("t")),)},
        {"forwards": (Forward("f", Jump("")),)},
        {"forwards": (Forward("f", Jump("t")), Forward("f", Jump("u")))},
        {"forwards": (Forward("f", Answer("a\0b")),)},
        {"forwards": (Forward("f", Answer(1 << 31)),)},
        {"environment": (Variable("", "x"),)},
        {"environment": (Variable("A=B", "x"),)},
        {"environment": (Variable("A", "x\0"),)},
        {"before_fork": (Call(""),)},
        {"in_child": (Call("f", (1 << 16,)),)},
        {"in_child": (Call("f", (1, 2, 3, 4, 5)),)},
        {"in_child": (Call("f", ("a\0",)),)},
    ],
    ids=str,
)
def test_what_cannot_be_written_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        render_forwarding_library(make(**changes))


NAMES = st.text("abcz_0189é", min_size=1, max_size=12)
ACTIONS = st.one_of(
    st.builds(Jump, NAMES),
    st.builds(FortranDot, NAMES, st.sampled_from([32, 64]), st.sampled_from(["single", "double"])),
    st.builds(Division, NAMES, st.sampled_from(["single", "double"])),
    st.builds(Answer, st.integers(0, 2**31 - 1) | NAMES),
)


@given(
    machine=st.sampled_from(MACHINES),
    forwards=st.dictionaries(NAMES, ACTIONS, max_size=30),
)
def test_whatever_is_written_is_read_back(machine: Machine, forwards: dict[str, Any]) -> None:
    library = make(
        machine,
        forwards=tuple(Forward(name, action) for name, action in forwards.items()),
    )
    data = render_forwarding_library(library)
    found = parse_symbols(data)
    assert found is not None
    assert [export.name for export in found.exports] == sorted(forwards)
    targets = {a.target for a in forwards.values() if not isinstance(a, Answer)} | {"setenv"}
    assert [wanted.name for wanted in found.imports] == sorted(targets)
    shuffled = make(machine, forwards=library.forwards[::-1])
    assert render_forwarding_library(shuffled) == data
