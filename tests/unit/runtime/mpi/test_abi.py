import pytest

from envmgr.runtime.mpi.abi import MpiAbi, abi_of_soname


@pytest.mark.parametrize(
    ("soname", "abi"),
    [
        ("libmpi.so.12", MpiAbi.MPICH),
        ("libmpich.so.12", MpiAbi.MPICH),
        ("libmpi_gnu_123.so.12", MpiAbi.MPICH),
        ("libmpi_cray.so.12", MpiAbi.MPICH),
        ("libmpi.so.40", MpiAbi.OPENMPI),
        ("libmpi_abi.so.1", MpiAbi.FORUM),
        ("libmpi.so.20", None),
        ("libmpi.so", None),
        ("libmpi_abi.so.0", None),
        ("libmpi_cxx.so.12", None),
        ("libmpi_ilp64.so.12", None),
        ("libmpifort.so.12", None),
        ("libmpichcxx.so.12", None),
        ("libmpi_mpifh.so.40", None),
        ("libmpi-d26c8c51.so.12", None),
        ("libc.so.6", None),
    ],
)
def test_the_soname_tells_the_abi(soname: str, abi: MpiAbi | None) -> None:
    assert abi_of_soname(soname) is abi


def test_every_abi_has_the_soname_that_programs_ask_for() -> None:
    assert [abi_of_soname(abi.soname) for abi in MpiAbi] == list(MpiAbi)
