from importlib import import_module
from pathlib import Path

import pytest

from envmgr.cli import commands
from envmgr.cli.main import refused_platform, unknown_command, wants_json
from envmgr.cli.menu import COMMANDS, INSTEAD, render_help
from envmgr.cli.parser import CommandParser, HelpWanted


def test_every_command_module_is_in_the_table_and_every_command_has_one() -> None:
    there = {path.stem for path in Path(*commands.__path__).glob("*.py")} - {"__init__"}

    assert {command.module for command in COMMANDS.values()} == there


def test_help_lists_every_command_with_its_summary() -> None:
    lines = render_help().splitlines()

    for name, command in COMMANDS.items():
        assert f"  {name:<10}{command.summary}" in lines


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_its_examples(name: str) -> None:
    module = import_module(f"envmgr.cli.commands.{COMMANDS[name].module}")
    parser = CommandParser(name, COMMANDS[name].summary, module.USAGE, module.EXAMPLE)
    module.add_arguments(parser)
    parser.add_global_options()

    with pytest.raises(HelpWanted) as wanted:
        parser.read(["--help"])

    for line in module.EXAMPLE.splitlines():
        assert f"  {line}" in wanted.value.text.splitlines()
    assert "--json" in wanted.value.text


def test_no_command_of_ours_is_answered_with_another() -> None:
    assert not set(INSTEAD) & set(COMMANDS)


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("craete", "did you mean `envmgr create`?"),
        ("activate", 'run: source "$(envmgr prefix NAME)/bin/activate"'),
        ("xyzzy", "see `envmgr --help`"),
    ],
)
def test_an_unknown_command_is_answered_with_the_nearest(name: str, hint: str) -> None:
    error = unknown_command(name)

    assert str(error) == f"there is no command {name!r}"
    assert error.hint == hint


@pytest.mark.parametrize(
    ("line", "ours"),
    [
        ("--json list", True),
        ("list --json", True),
        ("list --jsno", False),
        ("run -n x prog --json", False),
        ("run -n x --json prog", True),
        ("--json run -n x prog", True),
    ],
)
def test_json_of_a_program_is_not_ours(line: str, ours: bool) -> None:
    assert wants_json(line.split()) is ours


def test_windows_is_refused_with_one_sentence() -> None:
    refusal = refused_platform("win32")

    assert refusal is not None
    assert str(refusal) == "envmgr does not run on Windows; use it inside WSL 2"
    assert refusal.exit_code == 2
    assert refused_platform("linux") is None
    assert refused_platform("darwin") is None
