import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.errors import ExitCode
from envmgr.files import remove_tree
from envmgr.lock.errors import LockMissing, LockNotWritable, LockUnreadable
from envmgr.lock.foreign import ForeignLock, adopt
from envmgr.lock.lockfile import read_lock, write_lock
from envmgr.lock.pylock import render_lock
from tests.support.locks import chosen, groups_of, lock_of, outcome, target_for
from tests.support.users import as_nobody

FOREIGN = f"""\
lock-version = "1.0"
created-by = "uv"

[[packages]]
name = "a"
version = "1.0"
wheels = [
    {{ path = "a-1.0-py3-none-any.whl", hashes = {{ sha256 = "{"a" * 64}" }} }},
]
"""
LOCK = lock_of(
    "numpy-2.4.6-cp312-cp312-manylinux_2_28_x86_64.whl",
    chosen("pytest-9.0.0-py3-none-any.whl", groups=["test"], extras=["x"]),
    markers=[outcome('os_name == "nt"', False), outcome("python_version >= '3.9'", True, "x")],
    groups=groups_of("test"),
    inputs=(("dependencies", ("numpy",)),),
)


def test_a_lock_that_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"

    assert write_lock(path, render_lock(LOCK)) is True
    assert read_lock(path) == LOCK


def test_a_lock_that_stands_already_is_not_written_again(tmp_path: Path) -> None:
    path = tmp_path / "pylock.toml"
    write_lock(path, render_lock(LOCK))
    before = path.stat()

    assert write_lock(path, render_lock(LOCK)) is False
    assert path.stat() == before


def test_what_is_remembered_is_equal_to_what_is_read(tmp_path: Path) -> None:
    path, cache = tmp_path / "pylock.toml", tmp_path / "cache"
    write_lock(path, render_lock(LOCK))

    first = read_lock(path, cache)
    (remembered,) = [file for file in cache.rglob("*") if file.is_file()]
    second = read_lock(path, cache)

    assert first == second == LOCK
    assert remembered.stat().st_size > 0


def test_a_lock_that_changed_is_never_taken_from_what_is_remembered(tmp_path: Path) -> None:
    path, cache = tmp_path / "pylock.toml", tmp_path / "cache"
    write_lock(path, render_lock(LOCK))
    read_lock(path, cache)
    changed = lock_of("numpy-2.5.0-py3-none-any.whl")

    write_lock(path, render_lock(changed))

    assert read_lock(path, cache) == changed
    assert len([file for file in cache.rglob("*") if file.is_file()]) == 1


@pytest.mark.parametrize("junk", [b"", b"\xc1", b"\x92\xa1a\xa1b", b"\x80"])
def test_a_damaged_memory_is_as_good_as_none(tmp_path: Path, junk: bytes) -> None:
    path, cache = tmp_path / "pylock.toml", tmp_path / "cache"
    write_lock(path, render_lock(LOCK))
    read_lock(path, cache)
    (remembered,) = [file for file in cache.rglob("*") if file.is_file()]

    remembered.write_bytes(junk)

    assert read_lock(path, cache) == LOCK


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    path, cache = tmp_path / "pylock.toml", tmp_path / "cache"
    write_lock(path, render_lock(LOCK))
    cache.write_text("a file where the directory should be")

    assert read_lock(path, cache) == LOCK


def test_a_lock_of_another_tool_is_decided_for_each_target(tmp_path: Path) -> None:
    path, cache = tmp_path / "pylock.toml", tmp_path / "cache"
    path.write_text(FOREIGN)

    once, again = read_lock(path, cache), read_lock(path, cache)

    assert isinstance(once, ForeignLock)
    assert isinstance(again, ForeignLock)
    assert adopt(once, target_for((3, 12, 0))).conditions.python == "3.12"
    assert adopt(again, target_for((3, 13, 0))).conditions.python == "3.13"


def test_a_lock_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(LockMissing) as caught:
        read_lock(tmp_path / "pylock.toml")

    assert caught.value.path == tmp_path / "pylock.toml"


def test_a_lock_that_is_a_directory_is_told(tmp_path: Path) -> None:
    with pytest.raises(LockUnreadable, match="is a directory"):
        read_lock(tmp_path)


@pytest.fixture
def open_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="envmgr-test-"))
    directory.chmod(0o777)
    yield directory
    remove_tree(directory)


def test_a_lock_that_may_not_be_written_is_told(open_directory: Path) -> None:
    closed = open_directory / "closed"
    closed.mkdir()
    closed.chmod(0o555)

    def attempt() -> str:
        with pytest.raises(LockNotWritable) as caught:
            write_lock(closed / "pylock.toml", "text")
        return str(caught.value)

    said = as_nobody(attempt)

    assert said == f"the lock {closed / 'pylock.toml'} cannot be written: permission denied"


@pytest.mark.parametrize("place", ["absent/pylock.toml", "file/pylock.toml", "."])
def test_a_lock_without_a_place_is_exit_7_with_a_way_out(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(LockNotWritable) as caught:
        write_lock(tmp_path / place, "text")

    assert caught.value.exit_code is ExitCode.LOCK
    assert caught.value.hint == "name another place with --lock PATH"
    assert os.listdir(tmp_path) == ["file"]
