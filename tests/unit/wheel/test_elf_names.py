"""Libraries that are given other names, in files written for it and in the interpreter's own."""

import sysconfig
from pathlib import Path

import pytest

from envmgr.wheel.elf import parse_elf
from envmgr.wheel.elf_names import DamagedElf, NameDoesNotFit, rename_libraries
from envmgr.wheel.manifest import ElfFacts
from tests.support.elves import Elf

OLD = "libgomp-a34b3233.so.1.0.0"
NEW = "libgomp.so.1"


def facts(data: bytes) -> ElfFacts:
    found = parse_elf(data, "x")
    assert found is not None
    return found


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("little", [True, False])
def test_a_shorter_name_is_written_over_the_old_one(bits: int, little: bool) -> None:
    before = bytes(Elf(bits=bits, little=little, soname=OLD, needed=["libc.so.6"]))

    after = rename_libraries(before, {OLD: NEW})

    assert len(after) == len(before)
    assert facts(after).soname == NEW
    assert facts(after).needed == ("libc.so.6",)
    assert OLD.encode() not in after


def test_a_name_that_is_there_already_is_used_however_long() -> None:
    longer = "libgomp-of-someone-else.so.1"
    before = bytes(Elf(soname=NEW, runpath=f"/opt/{longer}"))

    after = rename_libraries(before, {NEW: longer})

    assert facts(after).soname == longer
    assert facts(after).runpath == (f"/opt/{longer}",)


def test_who_needs_it_needs_it_by_its_new_name() -> None:
    before = bytes(
        Elf(
            soname="libuser.so.1",
            needed=[OLD, "libc.so.6"],
            versions={OLD: ["GOMP_4.0"], "libc.so.6": ["GLIBC_2.17"]},
        )
    )

    after = facts(rename_libraries(before, {OLD: NEW}))

    assert after.soname == "libuser.so.1"
    assert after.needed == (NEW, "libc.so.6")
    assert after.needed_versions == {NEW: ("GOMP_4.0",), "libc.so.6": ("GLIBC_2.17",)}


def test_its_own_name_among_its_versions_goes_with_it() -> None:
    name, known_hash = "GLIBC_2.2.5", (0x09691A75).to_bytes(4, "little")
    before = bytes(Elf(soname=OLD, defined=[OLD, "GOMP_1.0"]))

    after = rename_libraries(before, {OLD: name})

    assert facts(after).soname == name
    assert facts(after).defined_versions == ("GOMP_1.0",)
    assert (before.count(known_hash), after.count(known_hash)) == (0, 1)


def test_a_longer_name_is_refused() -> None:
    with pytest.raises(NameDoesNotFit) as refusal:
        rename_libraries(bytes(Elf(soname=NEW)), {NEW: OLD})

    assert str(refusal.value) == (
        f"{NEW} cannot become {OLD}: it is longer by 13 bytes, and the file has no room for it"
    )


@pytest.mark.parametrize("inside", [4, len(OLD)])
def test_bytes_that_another_name_shares_are_left_alone(inside: int) -> None:
    shared = bytes(Elf(soname=OLD, extra_entries=[(1, 1 + inside)]))

    with pytest.raises(NameDoesNotFit, match="other names of the file share"):
        rename_libraries(shared, {OLD: NEW})


def test_an_old_name_that_ends_another_is_not_written_over() -> None:
    whole = f"not-{OLD}"
    before = bytes(Elf(needed=[whole], extra_entries=[(14, 1 + 4)]))
    assert facts(before).soname == OLD

    with pytest.raises(NameDoesNotFit, match="other names of the file share"):
        rename_libraries(before, {OLD: NEW})


def test_names_that_are_not_there_change_nothing() -> None:
    before = bytes(Elf(soname=OLD))

    assert rename_libraries(before, {"libother.so": "libx.so", OLD: OLD}) == before


@pytest.mark.parametrize(
    "data",
    [b"\x7fELF" + bytes(60), b"\x7fELF\2\1" + bytes(2), bytes(Elf(soname=OLD))[:200], b"text" * 99],
)
def test_what_is_damaged_is_said_to_be(data: bytes) -> None:
    with pytest.raises(DamagedElf):
        rename_libraries(data, {OLD: NEW})


def test_a_real_library_keeps_everything_but_the_name() -> None:
    directory = Path(sysconfig.get_config_var("DESTSHARED"))
    for path in sorted(directory.glob("*.so")):
        before = path.read_bytes()
        known = facts(before)
        if "libc.so.6" in known.needed_versions:
            break
    else:
        pytest.skip("this interpreter has no modules in files of their own")

    after = rename_libraries(before, {"libc.so.6": "libd.so.6"})

    changed = facts(after)
    assert set(changed.needed) == {*known.needed} - {"libc.so.6"} | {"libd.so.6"}
    assert changed.needed_versions["libd.so.6"] == known.needed_versions["libc.so.6"]
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1
