"""``wheel link``, from wheels and from trees, and what pip and envmgr make of the result."""

import io
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envmgr.errors import EnvmgrError, ExitCode, UsageError
from envmgr.events import Event, StageAdvanced, StageStarted, silent
from envmgr.files import remove_tree
from envmgr.pipeline.wheel_link import LinkedWheel, LinkRequest, NoUnpackedWheel, link_wheel
from envmgr.store.entry import read_manifest
from envmgr.store.store import Store, open_store
from envmgr.wheel.archive import BrokenWheel
from envmgr.wheel.writing import EARLIEST
from tests.integration.cli.terminal import bare_environ, envmgr
from tests.support.elves import Elf
from tests.support.wheels import Wheel, make_wheel

FOO = bytes(Elf(soname="libfoo.so.1"))
COPIES = make_wheel(
    "foo",
    files={
        "foo/__init__.py": "",
        "foo/lib/libfoo.so": FOO,
        "foo/lib/libfoo.so.1": FOO,
        "foo/lib/libfoo.so.1.2.3": FOO,
        "foo/tool": "#!/bin/sh\n",
    },
    data={"data/lib/libbar.so": FOO, "data/lib/libbar.so.1": FOO},
    executable=["foo/tool"],
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield open_store((tmp_path / "home",))
    remove_tree(tmp_path / "home")


def link(source: Path, output: Path, *, strict: bool = False) -> LinkedWheel:
    request = LinkRequest(source=source, output=output, timestamp=EARLIEST, strict=strict)
    return link_wheel(request, silent)


def unpack(wheel: Wheel, directory: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(wheel.data)) as archive:
        archive.extractall(directory)
    return directory


def names_in(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


def wheel_text(path: Path) -> str:
    with zipfile.ZipFile(path) as archive:
        return archive.read("foo-1.0.dist-info/WHEEL").decode()


def test_copies_become_links_and_the_entry_has_them_all(store: Store, tmp_path: Path) -> None:
    made = link(COPIES.write_to(tmp_path), tmp_path / "out")

    assert made.wheel.path == tmp_path / "out" / COPIES.filename
    assert made.wheel.unpacked < made.unpacked_before
    assert "Wheel-Version: 1.0\n" in wheel_text(made.wheel.path)
    entry = store.add_wheel(made.wheel.path, COPIES.filename, made.wheel.sha256)
    assert {link.path: link.text for link in read_manifest(entry).links} == {
        "data/lib/libbar.so": "libbar.so.1",
        "site-packages/foo/lib/libfoo.so": "libfoo.so.1",
        "site-packages/foo/lib/libfoo.so.1.2.3": "libfoo.so.1",
    }
    assert os.access(entry.path / "site-packages/foo/tool", os.X_OK)
    assert not os.access(entry.path / "site-packages/foo/lib/libfoo.so.1", os.X_OK)


def test_progress_is_told_file_by_file(tmp_path: Path) -> None:
    events: list[Event] = []
    request = LinkRequest(
        source=COPIES.write_to(tmp_path), output=tmp_path / "out", timestamp=EARLIEST
    )

    link_wheel(request, events.append)

    assert events[0] == StageStarted("pack", 8)
    advanced = [each.item for each in events if isinstance(each, StageAdvanced)]
    assert len(advanced) == 8
    assert "foo/lib/libfoo.so.1" in advanced
    assert "foo/lib/libfoo.so" not in advanced


def test_linking_what_is_linked_changes_nothing(tmp_path: Path) -> None:
    once = link(COPIES.write_to(tmp_path), tmp_path / "once")
    again = link(once.wheel.path, tmp_path / "again")

    assert once.wheel.path.read_bytes() == again.wheel.path.read_bytes()
    assert once.links == again.links


def test_a_tree_with_links_gives_the_wheel_that_copies_give(tmp_path: Path) -> None:
    tree = unpack(COPIES, tmp_path / "tree")
    (tree / "foo/tool").chmod(0o775)
    (tree / "foo/__pycache__").mkdir()
    (tree / "foo/__pycache__/x.pyc").write_bytes(b"x")
    for place, real, others in (
        ("foo/lib", "libfoo.so.1.2.3", ("libfoo.so", "libfoo.so.1")),
        ("foo-1.0.data/data/lib", "libbar.so.1", ("libbar.so",)),
    ):
        for other in others:
            (tree / place / other).unlink()
            (tree / place / other).symlink_to(real)

    from_tree = link(tree, tmp_path / "one")
    from_wheel = link(COPIES.write_to(tmp_path), tmp_path / "two")

    assert from_tree.wheel.path.name == COPIES.filename
    assert from_tree.wheel.path.read_bytes() == from_wheel.wheel.path.read_bytes()


def test_links_that_an_unpacked_wheel_only_speaks_of_are_kept(tmp_path: Path) -> None:
    made = link(COPIES.write_to(tmp_path), tmp_path / "one")
    tree = unpack(Wheel(made.wheel.path.name, made.wheel.path.read_bytes()), tmp_path / "tree")
    (tree / "foo/lib/libfoo.so").symlink_to("libfoo.so.1")

    again = link(tree, tmp_path / "two")

    assert {*again.links} == {*made.links}
    (tree / "foo-1.0.dist-info/LINKS").write_text("foo/lib/gone,foo/lib/link\n")
    with pytest.raises(BrokenWheel, match="LINKS: line 1: the wheel holds neither"):
        link(tree, tmp_path / "three")


def test_links_to_directories_and_texts_are_taken_as_they_are(store: Store, tmp_path: Path) -> None:
    tree = unpack(make_wheel("foo", files={"foo/v1/a.txt": "a"}), tmp_path / "tree")
    (tree / "foo/current").symlink_to("v1")
    (tree / "foo/a.txt").symlink_to("./v1/a.txt")
    (tree / "foo/b.txt").symlink_to("current/a.txt")

    made = link(tree, tmp_path / "out")

    entry = store.add_wheel(made.wheel.path, made.wheel.path.name, made.wheel.sha256)
    assert (entry.path / "site-packages/foo/current/a.txt").read_text() == "a"
    for name in ("a.txt", "b.txt"):
        assert os.fspath((entry.path / "site-packages/foo" / name).readlink()) == "v1/a.txt"


def test_strictly_it_says_the_version_that_the_standard_wants(store: Store, tmp_path: Path) -> None:
    made = link(COPIES.write_to(tmp_path), tmp_path / "out", strict=True)

    assert "Wheel-Version: 2.0\n" in wheel_text(made.wheel.path)
    entry = store.add_wheel(made.wheel.path, COPIES.filename, made.wheel.sha256)
    assert len(read_manifest(entry).links) == 3
    back = link(made.wheel.path, tmp_path / "back")
    assert "Wheel-Version: 1.0\n" in wheel_text(back.wheel.path)


def test_signatures_of_what_was_changed_go(tmp_path: Path) -> None:
    signed = make_wheel("foo", dist_info_files={"RECORD.jws": "{}"})

    made = link(signed.write_to(tmp_path), tmp_path / "out")

    assert "foo-1.0.dist-info/RECORD.jws" not in names_in(made.wheel.path)


def absolute(tree: Path) -> None:
    (tree / "foo/x").symlink_to("/etc/passwd")


def outside(tree: Path) -> None:
    (tree / "foo/x").symlink_to("../../secret")


def outside_by_another(tree: Path) -> None:
    (tree.parent / "secret").mkdir()
    (tree.parent / "secret/z").write_text("secret")
    (tree / "foo/y").symlink_to("../../secret")
    (tree / "foo/x").symlink_to("y/z")


def dangling(tree: Path) -> None:
    (tree / "foo/x").symlink_to("gone")


def loop(tree: Path) -> None:
    (tree / "foo/x").symlink_to("y")
    (tree / "foo/y").symlink_to("x")


def upwards(tree: Path) -> None:
    (tree / "foo/x").symlink_to("../foo")


def pipe(tree: Path) -> None:
    os.mkfifo(tree / "foo/x")


def second_project(tree: Path) -> None:
    (tree / "bar-1.0.dist-info").mkdir()


def no_wheel_file(tree: Path) -> None:
    (tree / "foo-1.0.dist-info/WHEEL").unlink()


def tags_of_no_name(tree: Path) -> None:
    text = "Wheel-Version: 1.0\nTag: py3-none-any\nTag: py2-none-linux_x86_64\n"
    (tree / "foo-1.0.dist-info/WHEEL").write_text(text)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (absolute, "it leads to the absolute path /etc/passwd"),
        (outside, "it leads out of"),
        (outside_by_another, "it leads out of"),
        (dangling, "it leads to nothing, by gone"),
        (loop, "it leads to nothing"),
        (upwards, "would lead to a directory that it stands in"),
        (pipe, "it is neither a file nor a directory nor a link"),
        (second_project, "it has 2 .dist-info directories"),
        (no_wheel_file, "it is missing"),
        (tags_of_no_name, "no file name stands for exactly its tags"),
    ],
)
def test_what_cannot_be_a_wheel_is_refused_and_leaves_nothing(
    tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    tree = unpack(make_wheel("foo"), tmp_path / "tree")
    spoil(tree)

    with pytest.raises(EnvmgrError, match=reason) as refusal:
        link(tree, tmp_path / "out")

    assert refusal.value.exit_code is ExitCode.INTEGRITY
    assert not (tmp_path / "out").exists() or not os.listdir(tmp_path / "out")


def test_a_damaged_wheel_is_refused(tmp_path: Path) -> None:
    broken = make_wheel("foo", edit_record=lambda rows: [[rows[0][0], rows[1][1], ""], *rows[1:]])

    with pytest.raises(BrokenWheel, match="its content is not what RECORD says"):
        link(broken.write_to(tmp_path), tmp_path / "out")


def test_another_file_in_its_place_is_left_alone(tmp_path: Path) -> None:
    source = COPIES.write_to(tmp_path)
    first = link(source, tmp_path / "out")
    link(source, tmp_path / "out")  # the same again

    with pytest.raises(UsageError, match="is there already"):
        link(source, tmp_path)
    with pytest.raises(UsageError, match="is no name for"):
        link(source, tmp_path / "other-1.0-py3-none-any.whl")

    assert source.read_bytes() == COPIES.data
    assert os.listdir(tmp_path / "out") == [first.wheel.path.name]
    built = link(source, tmp_path / "foo-1.0-7link-py3-none-any.whl")
    assert built.wheel.path.name == "foo-1.0-7link-py3-none-any.whl"


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoUnpackedWheel, match="no such file or directory"):
        link(tmp_path / "foo-1.0-py3-none-any.whl", tmp_path)


def test_pip_installs_it_without_the_further_names_and_removes_it_whole(tmp_path: Path) -> None:
    made = link(COPIES.write_to(tmp_path), tmp_path / "out")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    pip = [str(tmp_path / "venv/bin/python"), "-m", "pip", "--disable-pip-version-check"]
    install = [*pip, "install", "--quiet", "--no-index", "--no-deps"]

    subprocess.run([*install, str(made.wheel.path)], check=True)

    (package,) = tmp_path.glob("venv/lib/python*/site-packages/foo")
    assert sorted(os.listdir(package / "lib")) == ["libfoo.so.1"]
    assert (package / "lib/libfoo.so.1").read_bytes() == FOO
    assert (tmp_path / "venv/lib/libbar.so.1").exists()
    subprocess.run([*pip, "check"], check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*pip, "uninstall", "--quiet", "--yes", "foo"], check=True)
    assert not package.exists()
    assert not (tmp_path / "venv/lib/libbar.so.1").exists()
    strict = link(COPIES.write_to(tmp_path), tmp_path / "strict", strict=True)
    refused = subprocess.run(
        [*install, str(strict.wheel.path)], check=False, capture_output=True, text=True
    )
    assert refused.returncode != 0
    assert "2.0" in refused.stderr


def test_the_command_tells_a_person_and_a_program(tmp_path: Path) -> None:
    COPIES.write_to(tmp_path)
    environ = bare_environ(tmp_path)

    done = envmgr(
        "wheel", "link", COPIES.filename, "-o", "out", environ=environ, directory=tmp_path
    )
    told = envmgr(
        "wheel", "link", COPIES.filename, "-o", "dated", "--json",
        environ={**environ, "SOURCE_DATE_EPOCH": "1700000000"}, directory=tmp_path,
    )  # fmt: skip

    assert done.returncode == 0
    assert "  foo/lib/libfoo.so -> foo/lib/libfoo.so.1\n" in done.stdout
    assert f"wrote out/{COPIES.filename}, " in done.stdout
    result = json.loads(told.stdout)["result"]
    assert result["wheel"]["path"] == f"dated/{COPIES.filename}"
    assert result["links"][0] == {
        "path": "foo-1.0.data/data/lib/libbar.so",
        "target": "foo-1.0.data/data/lib/libbar.so.1",
    }
    with zipfile.ZipFile(tmp_path / "dated" / COPIES.filename) as archive:
        assert archive.infolist()[0].date_time == (2023, 11, 14, 22, 13, 20)


def test_the_command_refuses_a_time_that_is_none(tmp_path: Path) -> None:
    COPIES.write_to(tmp_path)
    environ = {**bare_environ(tmp_path), "SOURCE_DATE_EPOCH": "yesterday"}

    done = envmgr("wheel", "link", COPIES.filename, environ=environ, directory=tmp_path)

    assert done.returncode == ExitCode.USAGE
    assert "SOURCE_DATE_EPOCH is no number of seconds: 'yesterday'" in done.stderr
