"""The disputes of ``recipes/disputes.yaml`` between real wheels from PyPI: `make slow`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from envmgr.files import remove_tree
from envmgr.spec.disputes import read_known_disputes

pytestmark = pytest.mark.slow

CASES = {
    ("mkl", "mkl-include"): ("mkl ==2024.2.2", "mkl-include ==2026.2.0"),
    ("mkl-include", "onemkl-license"): ("mkl-include ==2026.2.0", "onemkl-license ==2026.1.0"),
}
"""The packages, first the one whose file stands -> versions that differ."""


def test_every_package_of_the_list_is_tried_here() -> None:
    listed = {name for each in read_known_disputes() for name in each.packages}
    assert listed == {name for names in CASES for name in names}


@pytest.mark.parametrize("names", CASES)
def test_they_differ_and_live_together(tmp_path: Path, names: tuple[str, str]) -> None:
    file, home = tmp_path / "makers.yaml", tmp_path / "home"
    file.write_text(f"schema: 1\npython: '>=3.11'\ndependencies: {list(CASES[names])}\n", "utf-8")
    words = ["create", "-f", str(file), "-p", str(tmp_path / "made"), "--no-compile"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", "envmgr", *words],
            check=True,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "ENVMGR_HOME": str(home)},
        )
        links = [each for each in (tmp_path / "made/share/doc").rglob("*") if each.is_symlink()]
    finally:
        remove_tree(home)

    assert f"third-party-programs.txt is that of {names[0]}; others differ" in done.stderr
    assert any(each.name == "third-party-programs.txt" for each in links)
