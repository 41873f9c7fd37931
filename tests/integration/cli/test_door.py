"""The door itself: exit codes, streams, and what is said when things go wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from envmgr import __version__
from envmgr.cli import menu
from envmgr.cli.main import main
from envmgr.cli.menu import Command
from tests.integration.cli.terminal import envmgr


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
