"""An entry that a program changed is noticed by a few stats, and one that nobody changed is not."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envmgr.files import remove_tree
from envmgr.store.bytecode import Compiler
from envmgr.store.entry import MANIFEST, Entry, read_manifest
from envmgr.store.store import Store, open_store
from envmgr.store.tamper import find_tampering
from tests.support.views import add, this_interpreter
from tests.support.wheels import make_wheel

FILES = {"pack/__init__.py": "x = 1\n", "pack/deep/__init__.py": "", "pack/deep/more.py": "y = 2\n"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield open_store((tmp_path / "home",))
    remove_tree(tmp_path / "home")


@pytest.fixture
def entry(store: Store, tmp_path: Path) -> Entry:
    return add(store, make_wheel("pack", files=FILES), tmp_path)


def compiled(entry: Entry) -> None:
    with Compiler(this_interpreter()) as compiler:
        compiler.submit(entry, read_manifest(entry))


def write(entry: Entry, path: str, text: str) -> None:
    """Write as root does, whatever the modes; a file that is there is replaced."""
    place = entry.path / "site-packages" / path
    place.parent.chmod(0o755)
    place.unlink(missing_ok=True)
    place.write_text(text)


def test_nobody_is_accused_for_what_envmgr_did(entry: Entry) -> None:
    assert find_tampering(entry) is None

    compiled(entry)

    assert find_tampering(entry) is None


def test_new_changed_and_missing_files_are_told(entry: Entry) -> None:
    compiled(entry)
    write(entry, "pack/other.py", "")
    write(entry, "pack/__init__.py", "x = 2\n")
    package = entry.path / "site-packages/pack"
    (package / "deep").chmod(0o755)
    (package / "deep/more.py").unlink()

    found = find_tampering(entry)

    assert found is not None
    assert found.package == "pack 1.0"
    assert found.added == ("site-packages/pack/other.py",)
    assert found.changed == ("site-packages/pack/__init__.py",)
    assert found.removed == ("site-packages/pack/deep/more.py",)
    assert str(found) == (
        "new: site-packages/pack/other.py; changed: site-packages/pack/__init__.py; "
        "gone: site-packages/pack/deep/more.py"
    )


def test_a_file_that_was_replaced_by_the_same_and_may_be_written_is_told(entry: Entry) -> None:
    """What root's ``pip install --ignore-installed`` of the same version does."""
    write(entry, "pack/__init__.py", FILES["pack/__init__.py"])

    found = find_tampering(entry)

    assert found is not None
    assert found.changed == ("site-packages/pack/__init__.py",)


def test_a_package_that_is_gone_is_told_with_all_in_it(entry: Entry) -> None:
    (entry.path / "site-packages").chmod(0o755)
    remove_tree(entry.path / "site-packages/pack")

    found = find_tampering(entry)

    assert found is not None
    assert found.removed == tuple(f"site-packages/{path}" for path in sorted(FILES))


def test_a_cache_beside_bytecode_is_no_bytecode(entry: Entry) -> None:
    compiled(entry)
    write(entry, "pack/__pycache__/__init__.f-1.py312.nbi", "")

    found = find_tampering(entry)

    assert found is not None
    assert found.added == ("site-packages/pack/__pycache__/__init__.f-1.py312.nbi",)


def test_new_directories_are_told_with_what_is_in_them(entry: Entry) -> None:
    new = entry.path / "site-packages/pack/new/er"
    new.parent.parent.chmod(0o755)
    new.mkdir(parents=True)
    (new / "file.py").write_text("")

    found = find_tampering(entry)

    assert found is not None
    assert found.added == ("site-packages/pack/new/er/file.py",)


def test_a_further_member_of_a_namespace_is_told(store: Store, tmp_path: Path) -> None:
    """uv, as root, installs ``google-cloud-core`` beside what one package brings of ``google``."""
    files = {"google/cloud/location/__init__.py": "", "google/cloud/deep/er/__init__.py": ""}
    entry = add(store, make_wheel("pack", files=files), tmp_path)
    compiled(entry)
    assert find_tampering(entry) is None
    write(entry, "google/cloud/location/more.py", "")
    found = find_tampering(entry)

    assert found is not None
    assert found.added == ("site-packages/google/cloud/location/more.py",)


def bytecode_of_python(entry: Entry) -> None:
    site = entry.path / "site-packages"
    (site / "pack").chmod(0o755)
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-c", "import pack"], cwd=site, env=environ, check=True)
    assert list((site / "pack/__pycache__").iterdir())


def bytecode_of_pytest(entry: Entry) -> None:
    compiled(entry)
    write(entry, "pack/__pycache__/__init__.cpython-312-pytest-9.0.0.pyc", "")


@pytest.mark.parametrize("leave", [bytecode_of_python, bytecode_of_pytest])
def test_bytecode_is_no_damage_and_is_looked_at_once(
    entry: Entry, leave: Callable[[Entry], None]
) -> None:
    before = (entry.path / MANIFEST).stat().st_mtime_ns
    leave(entry)

    assert find_tampering(entry) is None

    assert (entry.path / MANIFEST).stat().st_mtime_ns > before


def test_an_entry_that_somebody_takes_away_was_not_changed(entry: Entry) -> None:
    entry.path.rename(entry.path.with_name("elsewhere"))

    assert find_tampering(entry) is None
