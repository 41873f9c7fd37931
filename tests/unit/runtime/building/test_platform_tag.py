"""The platform tag of a library of the host."""

from collections.abc import Mapping, Sequence

import pytest

from envmgr.runtime.building.platform_tag import NoPlatformTag, platform_tag
from envmgr.wheel.elf import parse_elf
from envmgr.wheel.manifest import ElfFacts
from tests.support.elves import Elf


def library(
    versions: Mapping[str, Sequence[str]], needed: Sequence[str] = (), machine: int = 62
) -> ElfFacts:
    facts = parse_elf(bytes(Elf(machine=machine, versions=versions, needed=needed)), "libx.so")
    assert facts is not None
    return facts


@pytest.mark.parametrize(
    ("versions", "tag"),
    [
        ({}, "manylinux_2_5_x86_64"),
        ({"libc.so.6": ["GLIBC_2.2.5"]}, "manylinux_2_5_x86_64"),
        ({"libc.so.6": ["GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_2.14"]}, "manylinux_2_34_x86_64"),
        ({"libc.so.6": ["GLIBC_2.4", "GLIBC_ABI_DT_RELR"]}, "manylinux_2_36_x86_64"),
        ({"libstdc++.so.6": ["GLIBCXX_3.4.30", "CXXABI_1.3.9"]}, "manylinux_2_35_x86_64"),
        ({"libgomp.so.1": ["GOMP_4.0"]}, "manylinux_2_5_x86_64"),
    ],
)
def test_the_newest_symbol_decides(versions: dict[str, list[str]], tag: str) -> None:
    assert platform_tag([library(versions)]) == tag


def test_the_most_demanding_library_decides_and_the_architecture_has_a_floor() -> None:
    plain = library({}, machine=183)
    newer = library({"libc.so.6": ["GLIBC_2.28"]}, machine=183)

    assert platform_tag([plain]) == "manylinux_2_17_aarch64"
    assert platform_tag([plain, newer]) == "manylinux_2_28_aarch64"


@pytest.mark.parametrize(
    ("libraries", "reason"),
    [
        ([library({"libc.so.6": ["GLIBC_PRIVATE"]})], "private to libc.so.6"),
        ([library({}, needed=["libc.musl-x86_64.so.1"])], "it is built for musl"),
        ([library({"libstdc++.so.6": ["GLIBCXX_3.4.99"]})], "newer than any tag's"),
        ([library({}), library({}, machine=183)], "it is for aarch64, another for x86_64"),
        ([], "it holds no library"),
    ],
)
def test_where_no_tag_is_right_it_is_said_why(libraries: list[ElfFacts], reason: str) -> None:
    with pytest.raises(NoPlatformTag, match=reason):
        platform_tag(libraries)
