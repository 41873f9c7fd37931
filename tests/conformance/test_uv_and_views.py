"""uv takes a view for the virtual environment it is, and does not lose it when it changes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.files import remove_tree
from envmgr.store.store import Store, open_store
from tests.support.views import add, make_view
from tests.support.wheels import make_wheel

UV = Path(sys.executable).parent / "uv"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield open_store((tmp_path / "home",))
    remove_tree(tmp_path / "home")


def uv(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    common = ["--offline", "--no-config", "--cache-dir", str(tmp_path / "uv-cache")]
    return subprocess.run(
        [UV, *arguments, *common], capture_output=True, text=True, check=False, cwd=tmp_path
    )


def listed(tmp_path: Path, prefix: Path) -> dict[str, str]:
    done = uv(tmp_path, "pip", "list", "--format", "json", "--python", str(prefix / "bin/python"))
    assert done.returncode == 0, done.stderr
    return {each["name"]: each["version"] for each in json.loads(done.stdout)}


def test_uv_lists_what_is_in_the_view_after_every_change(store: Store, tmp_path: Path) -> None:
    prefix = tmp_path / "env"
    one, two, other = (
        add(store, make_wheel(*each), tmp_path)
        for each in (("alpha", "1"), ("alpha", "2"), ("beta", "1"))
    )

    make_view(prefix, [one])
    assert listed(tmp_path, prefix) == {"alpha": "1"}

    make_view(prefix, [two, other])
    assert listed(tmp_path, prefix) == {"alpha": "2", "beta": "1"}


def test_uv_refuses_to_remove_what_envmgr_installed(store: Store, tmp_path: Path) -> None:
    prefix = tmp_path / "env"
    entry = add(store, make_wheel("alpha"), tmp_path)
    make_view(prefix, [entry])

    done = uv(tmp_path, "pip", "uninstall", "alpha", "--python", str(prefix / "bin/python"))

    assert done.returncode != 0
    assert "RECORD" in done.stderr
    assert (entry.path / "site-packages/alpha/__init__.py").exists()
    assert listed(tmp_path, prefix) == {"alpha": "1.0"}


def test_uv_finds_the_environment_by_its_prefix(store: Store, tmp_path: Path) -> None:
    prefix = tmp_path / "env"
    make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])

    done = uv(tmp_path, "python", "find", str(prefix))

    assert done.stdout.strip() == str(prefix / "bin/python")
