"""Overrides whose markers are false, and uv's answer to the same."""

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from envmgr.resolve.solve import resolve
from envmgr.resolve.types import Resolution
from tests.conformance.test_resolve_against_uv import uv
from tests.support.universe import make_problem, parse_universe
from tests.support.wheels import make_wheel

UNIVERSE = """
torch 2: nccl ==2.3 | numpy
numpy 1 2
nccl 2.3: driver
driver 1
"""
AWAY = "nccl ; sys_platform == 'none'"


@pytest.mark.parametrize(
    ("roots", "overrides"),
    [
        (["torch"], []),
        (["torch"], [AWAY]),
        (["torch", "nccl"], [AWAY]),
        (["nccl"], [AWAY]),
        (["torch"], [AWAY, "nccl >=2 ; sys_platform != 'none'"]),
        (["torch"], ["numpy <2", AWAY]),
    ],
)
def test_an_override_that_does_not_count_leaves_out_what_uv_leaves_out(
    roots: list[str], overrides: list[str], tmp_path: Path
) -> None:
    answer = resolve(make_problem(*roots, overrides=overrides), parse_universe(UNIVERSE))
    assert isinstance(answer, Resolution)
    ours = {f"{name}=={one.candidate.version}" for name, one in answer.chosen.items()}
    assert ours == chosen_by_uv(roots, overrides, tmp_path)


def chosen_by_uv(roots: Iterable[str], overrides: Iterable[str], directory: Path) -> set[str]:
    for name, version, requires in (
        ("torch", "2", ["nccl==2.3", "numpy"]),
        ("numpy", "1", []),
        ("numpy", "2", []),
        ("nccl", "2.3", ["driver"]),
        ("driver", "1", []),
    ):
        wheel = make_wheel(name, version, requires=requires)
        (directory / wheel.filename).write_bytes(wheel.data)
    (directory / "roots.in").write_text("\n".join(roots), "utf-8")
    (directory / "overrides.in").write_text("\n".join(overrides), "utf-8")
    command = [
        uv(), "pip", "compile", "--quiet", "--no-annotate", "--no-header", "--no-index",
        "--python", sys.executable, "--cache-dir", str(directory / "cache"),
        "--find-links", str(directory), "--override", str(directory / "overrides.in"),
        str(directory / "roots.in"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.split())
