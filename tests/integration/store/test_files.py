import os
import resource
import stat
from pathlib import Path

import pytest

from envmgr.files import (
    remove_file,
    remove_tree,
    replace_link,
    write_all,
    write_atomically,
    write_new,
)


def test_a_file_is_replaced_whole_with_exactly_the_mode_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    before = os.umask(0o077)
    try:
        write_atomically(path, b"new", 0o664)
    finally:
        os.umask(before)

    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o664
    assert os.listdir(tmp_path) == ["x"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.mkdir()

    with pytest.raises(OSError, match="x"):
        write_atomically(path, b"new")

    assert path.is_dir()
    assert os.listdir(tmp_path) == ["x"]


def test_a_new_file_replaces_nothing(tmp_path: Path) -> None:
    write_new(tmp_path / "x", b"one")

    with pytest.raises(FileExistsError):
        write_new(tmp_path / "x", b"two")

    assert (tmp_path / "x").read_bytes() == b"one"


def test_what_the_kernel_takes_only_in_part_is_not_taken_for_written(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with (tmp_path / "x").open("wb") as file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
        try:
            with pytest.raises(OSError, match="too large"):
                write_all(file.fileno(), b"x" * 3000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert (tmp_path / "x").stat().st_size == 1000


def test_a_link_is_replaced_by_a_link(tmp_path: Path) -> None:
    replace_link(tmp_path / "current", "one")
    replace_link(tmp_path / "current", "two")

    assert (tmp_path / "current").readlink() == Path("two")
    assert os.listdir(tmp_path) == ["current"]


def test_a_read_only_tree_is_removed_and_links_are_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "x").write_text("x")
    tree = tmp_path / "tree"
    (tree / "a/b").mkdir(parents=True)
    (tree / "a/b/file").write_text("x")
    (tree / "a/link").symlink_to(precious)
    (tree / "a/dangling").symlink_to("nowhere")
    for directory in (tree / "a/b", tree / "a", tree):
        directory.chmod(0o555)

    remove_tree(tree)

    assert not tree.exists()
    assert (precious / "x").read_text() == "x"


@pytest.mark.parametrize("kind", ["file", "link", "absent"])
def test_what_is_no_directory_is_removed_too(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "file":
        path.write_text("x")
    elif kind == "link":
        path.symlink_to(tmp_path)

    remove_tree(path)
    remove_file(path)

    assert not os.path.lexists(path)
    assert tmp_path.is_dir()
