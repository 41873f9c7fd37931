import os
import sys
from pathlib import Path

import pytest

from envmgr.hardware.host import CommandFailed, RealHost

HOST = RealHost({"PATH": "/nowhere", "HOME": "/home/somebody", "KEPT": "yes"})


def test_a_stamp_changes_with_the_file_and_follows_links(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    (tmp_path / "link").symlink_to(file)
    before = HOST.stamp(str(tmp_path / "link"))
    assert before is not None
    assert (before.size, before.executable) == (5, False)
    file.chmod(0o755)
    os.utime(file, ns=(1, 1))
    after = HOST.stamp(str(file))
    assert after is not None
    assert (after.mtime_ns, after.executable) == (1, True)


def test_what_is_no_regular_file_has_no_stamp(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to("gone")
    for path in (tmp_path, tmp_path / "gone", tmp_path / "dangling"):
        assert HOST.stamp(str(path)) is None
    assert HOST.stamp("nul\0byte") is None


def test_a_directory_is_listed_and_what_is_none_has_no_names(tmp_path: Path) -> None:
    (tmp_path / "b").touch()
    (tmp_path / "a").touch()
    assert sorted(HOST.list_directory(str(tmp_path))) == ["a", "b"]
    assert HOST.list_directory(str(tmp_path / "a")) == ()
    assert HOST.list_directory(str(tmp_path / "gone")) == ()


def test_only_the_beginning_of_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abcdef")
    assert HOST.read_bytes(str(tmp_path / "file"), 3) == b"abc"
    assert HOST.read_bytes(str(tmp_path / "gone"), 3) is None
    assert HOST.read_bytes(str(tmp_path), 3) is None


def test_a_program_runs_with_the_hosts_variables_and_the_changes() -> None:
    show = "import os, sys; print(os.environ['KEPT'], os.environ['NEW']); sys.exit(3)"
    ran = HOST.run((sys.executable, "-c", show), 30, {"NEW": "too"})
    assert (ran.status, ran.output, ran.errors) == (3, "yes too\n", "")


def test_a_program_has_nothing_on_its_input_and_may_print_anything() -> None:
    show = "import sys; sys.stdout.buffer.write(b'\\xff' + sys.stdin.buffer.read() + b'.')"
    assert HOST.run((sys.executable, "-c", show), 30, {}).output == "\\xff."


def test_a_program_that_does_not_start_or_end_says_why(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("no program")
    text.chmod(0o755)
    for command, reason in (
        ((str(tmp_path / "gone"),), "it cannot be run: No such file or directory"),
        ((str(text),), "it cannot be run: Exec format error"),
        (
            (sys.executable, "-c", "import time; time.sleep(60)"),
            "it did not end within 0.3 seconds",
        ),
    ):
        with pytest.raises(CommandFailed) as caught:
            HOST.run(command, 0.3, {})
        assert caught.value.reason == reason
        assert str(caught.value) == f"{command[0]}: {reason}"


def test_home_is_the_variable_or_what_the_system_knows() -> None:
    assert HOST.home == "/home/somebody"
    assert Path(RealHost({}).home).is_absolute()


def test_the_own_interpreter_is_outside_any_virtual_environment() -> None:
    own = Path(HOST.real_path(HOST.own_interpreter))
    assert own.is_file()
    assert not (own.parent.parent / "pyvenv.cfg").exists()
