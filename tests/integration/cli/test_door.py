"""The door itself: exit codes, streams, and what is said when things go wrong."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr import __version__
from envmgr.cli import menu
from envmgr.cli.environment_file import find_file
from envmgr.cli.main import main, own_packages_first
from envmgr.cli.menu import Command
from envmgr.files import remove_tree
from envmgr.spec.problems import FileUnreadable
from tests.integration.cli.terminal import ROOT, envmgr, make_environment
from tests.support.users import as_nobody

START = "import sys; from envmgr.cli.main import program; sys.exit(program())"
"""What the installed command does."""


@pytest.fixture
def open_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="envmgr-test-"))
    directory.chmod(0o777)
    yield directory
    remove_tree(directory)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"envmgr {__version__}\n"


def test_version_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "schema": 1,
        "command": "version",
        "result": {"version": __version__},
    }


def test_help_goes_to_stdout_and_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert capsys.readouterr().out.startswith("usage: envmgr")


@pytest.mark.parametrize("words", [["create", "-h"], ["-h", "create"], ["create", "-q", "--help"]])
def test_help_of_a_command_wherever_it_stands(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("usage: envmgr create")


@pytest.mark.parametrize(
    ("words", "command"),
    [(["--json", "--help"], "help"), (["create", "-h", "--json"], "create"),
     (["--json", "run", "--help"], "run")],
)  # fmt: skip
def test_help_in_json_is_one_document(
    words: list[str], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["schema"], document["command"]) == (1, command)
    assert document["result"]["help"].startswith("usage: envmgr")


@pytest.mark.parametrize("words", [["--json=1"], ["list", "--json=1"], ["--json=1", "list"]])
def test_json_with_a_value_is_refused_in_json(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["error"]["exit"] == 2
    assert captured.err == ""


def test_json_of_a_program_is_the_programs_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "-n", "a b", "tool", "--json=1"]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err[:7]) == ("", "error: ")


def test_without_a_command_help_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("usage: envmgr")


@pytest.mark.parametrize(
    "words",
    [
        ["craete"],
        ["--json"],
        ["create", "--lokced"],
        ["create", "--locked", "--frozen"],
        ["delete"],
        ["config", "hide"],
        ["run"],
        ["--progress", "loud", "list"],
    ],
)
def test_a_usage_error_is_exit_2_with_one_document_in_json(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    plain = [word for word in words if word != "--json"]
    if plain:
        assert main(plain) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.startswith("error: ")

    assert main(["--json", *plain]) == 2
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert captured.err == ""
    assert list(document) == ["schema", "error"]
    assert list(document["error"]) == ["code", "exit", "message", "hint", "details"]
    assert document["error"]["exit"] == 2


def test_create_without_a_file_says_how_to_name_one(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    done = envmgr("create", environ=environ, directory=tmp_path)

    assert done.returncode == 2
    assert done.stderr == (
        f"error: there is no environment.yaml in {tmp_path}\nhint: name the file: -f FILE\n"
    )


def test_a_directory_that_may_not_be_looked_into_is_named(open_directory: Path) -> None:
    closed = open_directory / "closed"
    closed.mkdir()
    closed.chmod(0o644)

    def attempt() -> str:
        with pytest.raises(FileUnreadable) as caught:
            find_file(None, str(closed))
        return str(caught.value)

    said = as_nobody(attempt)

    assert said == f"{closed / 'environment.yaml'} cannot be read: permission denied"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["list"], 0),
        (["prefix", "climate"], 0),
        (["run", "-n", "climate", "hello"], 0),
        (["list", "-p", "climate"], 2),
        (["create"], 2),
    ],
)
def test_a_removed_current_directory_matters_only_to_what_is_relative_to_it(
    words: list[str], code: int, tmp_path: Path, environ: dict[str, str]
) -> None:
    make_environment(tmp_path / "root/environments/climate", {"hello": "#!/bin/sh\necho hello\n"})
    gone = tmp_path / "gone"
    gone.mkdir()

    done = subprocess.run(
        ["/bin/sh", "-c", 'rmdir "$PWD"; exec "$@"', "sh", sys.executable, "-c", START, *words],
        env=environ, cwd=gone, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == code, done.stderr
    if code:
        assert done.stderr.startswith("error: the current directory does not exist any more\n")


def test_packages_of_pythonpath_hide_none_of_ours(tmp_path: Path, environ: dict[str, str]) -> None:
    other = tmp_path / "module"
    other.mkdir()
    for name in ("packaging", "msgspec", "yaml", "urllib3"):
        (other / f"{name}.py").write_text("raise RuntimeError('not the one that was wanted')\n")
    (tmp_path / "environment.yaml").write_text("dependencies: [numpy ==]\n")

    done = subprocess.run(
        [sys.executable, "-c", START, "create"],
        env={**environ, "PYTHONPATH": f"{other}:{environ['PYTHONPATH']}"},
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 3, done.stderr


def test_what_pythonpath_alone_holds_is_still_found_last() -> None:
    root = str(ROOT)
    path = ["/bin", "/module/a", root, "/usr/lib/python3", "/usr/lib/site-packages"]
    assert own_packages_first(path, f"/module/a:{root}:/nowhere") == [
        "/bin", root, "/usr/lib/python3", "/usr/lib/site-packages", "/module/a",
    ]  # fmt: skip


def test_the_full_disk_of_a_reader_is_told(tmp_path: Path, environ: dict[str, str]) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("w") as out:
        done = subprocess.run(
            [sys.executable, "-m", "envmgr", "--help"],
            env=environ, stdout=out, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip

    assert done.returncode == 2
    assert done.stderr == "error: the output cannot be written: No space left on device\n"


def test_a_reader_that_left_is_no_failure(tmp_path: Path, environ: dict[str, str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "envmgr", "--help"],
        env=environ, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
    )  # fmt: skip
    os.close(writing)

    assert (done.returncode, done.stderr) == (0, "")


def test_closed_streams_are_no_failure(tmp_path: Path, environ: dict[str, str]) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$1" -m envmgr --help >&- 2>&-', "sh", sys.executable],
        env=environ, timeout=60, check=False,
    )  # fmt: skip

    assert done.returncode == 0


PROBE = """
from envmgr.errors import IntegrityError

USAGE = "HOW"
EXAMPLE = "envmgr probe interrupt"


class Torn(IntegrityError):
    def __str__(self):
        return "a wheel is torn"


def add_arguments(parser):
    parser.add_argument("how")


def execute(arguments, session):
    if arguments.how == "interrupt":
        raise KeyboardInterrupt
    if arguments.how == "fail":
        raise Torn()
    if arguments.how == "pipe":
        raise BrokenPipeError(32, "a worker went away")
    raise RuntimeError("unthinkable")
"""


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that ends badly on request, reached like any other."""
    (tmp_path / "probe.py").write_text(PROBE)
    from envmgr.cli import commands

    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    monkeypatch.setitem(menu.COMMANDS, "probe", Command("probe", "end badly", "tests"))


@pytest.mark.usefixtures("probe")
def test_an_interruption_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "interrupt"]) == 130

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


@pytest.mark.usefixtures("probe")
def test_a_failure_has_the_exit_code_of_its_class(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["probe", "fail"]) == 8
    assert capsys.readouterr().err == "error: a wheel is torn\n"


@pytest.mark.usefixtures("probe")
@pytest.mark.parametrize("how", ["bug", "pipe"])
def test_anything_else_is_a_bug_with_its_traceback(
    how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", how]) == 70

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback (most recent call last)" in captured.err
    assert captured.err.splitlines()[-1].startswith(f"this is a bug in envmgr {__version__}")


@pytest.mark.usefixtures("probe")
@pytest.mark.parametrize(
    ("how", "code", "exit_code"),
    [("interrupt", "Interrupted", 130), ("fail", "Torn", 8), ("bug", "RuntimeError", 70)],
)
def test_json_has_one_document_however_it_ends(
    how: str, code: str, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", how, "--json"]) == exit_code

    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["code"], error["exit"]) == (code, exit_code)
