import pytest

from envmgr.runtime.mpi.alias import can_alias, render_alias
from envmgr.wheel.elf import parse_elf


@pytest.mark.parametrize("machine", ["x86_64", "aarch64", "ppc64le", "s390x", "riscv64"])
def test_an_alias_has_a_name_and_needs_one_library_by_its_path(machine: str) -> None:
    facts = parse_elf(render_alias("libmpi.so.12", "/opt/été/libmpich.so.12", machine), "alias")

    assert can_alias(machine)
    assert facts is not None
    assert (facts.machine, facts.bits) == (machine, 64)
    assert (facts.soname, facts.needed) == ("libmpi.so.12", ("/opt/été/libmpich.so.12",))
    assert not facts.rpath + facts.runpath


def test_an_alias_is_small_and_the_same_every_time() -> None:
    first = render_alias("libmpi.so.12", "/opt/libmpich.so.12", "x86_64")

    assert first == render_alias("libmpi.so.12", "/opt/libmpich.so.12", "x86_64")
    assert len(first) < 1000


def test_there_is_none_for_other_machines() -> None:
    assert not can_alias("i686")
    with pytest.raises(KeyError):
        render_alias("libmpi.so.12", "/opt/libmpich.so.12", "i686")
