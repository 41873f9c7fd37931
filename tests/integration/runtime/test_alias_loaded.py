"""The machine's own loader takes an alias library."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from envmgr.runtime.mpi.alias import can_alias, render_alias

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not can_alias(platform.machine()),
    reason="no alias library can be written for this machine",
)


def load(*code: str) -> "subprocess.CompletedProcess[str]":
    text = "\n".join(("import ctypes", *code))
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)


@pytest.fixture
def libm() -> str:
    """Where the library of mathematics really is."""
    code = (
        "ctypes.CDLL('libm.so.6')",
        "print(next(l.split()[-1] for l in open('/proc/self/maps') if '/libm' in l))",
    )
    return load(*code).stdout.strip()


@pytest.fixture
def alias(tmp_path: Path, libm: str) -> Path:
    path = tmp_path / "libother.so.7"
    path.write_bytes(render_alias("libother.so.7", libm, platform.machine()))
    return path


def test_functions_of_the_library_are_found_through_the_alias(alias: Path) -> None:
    done = load(
        f"lib = ctypes.CDLL({str(alias)!r}, 0)",
        "lib.cos.restype, lib.cos.argtypes = ctypes.c_double, [ctypes.c_double]",
        "print(lib.cos(0.0))",
    )

    assert done.stdout == "1.0\n", done.stderr


def test_who_asks_for_the_name_is_served_once_the_alias_is_loaded(
    tmp_path: Path, alias: Path
) -> None:
    user = tmp_path / "user.so"
    user.write_bytes(render_alias("user.so", "libother.so.7", platform.machine()))
    asks = f"ctypes.CDLL({str(user)!r}, 0).cos"

    assert "libother.so.7: cannot open" in load(asks).stderr
    assert load(f"first = ctypes.CDLL({str(alias)!r}, 0)", asks).returncode == 0


def test_no_process_gets_an_executable_stack(alias: Path) -> None:
    done = load(
        f"ctypes.CDLL({str(alias)!r})",
        "print([l.split()[1] for l in open('/proc/self/maps') if '[stack]' in l])",
    )

    assert done.stdout == "['rw-p']\n", done.stderr


def test_a_library_that_is_gone_is_named(alias: Path) -> None:
    alias.write_bytes(render_alias("libother.so.7", "/nowhere/libm.so", platform.machine()))

    assert "/nowhere/libm.so" in load(f"ctypes.CDLL({str(alias)!r})").stderr
