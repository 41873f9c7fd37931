from argparse import Namespace
from pathlib import Path
from types import ModuleType

import pytest

from envmgr.cli.commands import create, lock, sync
from envmgr.cli.menu import COMMANDS
from envmgr.cli.parser import CommandParser, HelpWanted
from envmgr.cli.requests import parse_create, parse_lock, parse_sync
from envmgr.errors import UsageError
from envmgr.names import EnvironmentName
from envmgr.pipeline.types import ByName, ByPrefix, CreateRequest, LockRequest, LockUse

HERE = "/home/somebody/project"
FILE = Path(HERE, "environment.yaml")


def read(name: str, module: ModuleType, line: str) -> Namespace:
    parser = CommandParser(name, COMMANDS[name].summary, module.USAGE, module.EXAMPLE)
    module.add_arguments(parser)
    parser.add_global_options()
    return parser.read(line.split())


def read_create(line: str) -> CreateRequest:
    return parse_create(read("create", create, line), FILE, HERE)


def read_sync(line: str) -> CreateRequest:
    return parse_sync(read("sync", sync, line), HERE)


def read_lock(line: str) -> LockRequest:
    return parse_lock(read("lock", lock, line), FILE, HERE)


def test_create_without_options_leaves_everything_to_the_file_and_the_settings() -> None:
    assert read_create("") == CreateRequest(file=FILE, selector=None, groups=None)


def test_every_option_of_create_arrives() -> None:
    request = read_create(
        "-n climate -g Test -g plots,docs --python >=3.12 --frozen --lock locks/py.toml "
        "--dry-run --no-compile --refresh --offline --discard-installed"
    )

    assert request == CreateRequest(
        file=FILE,
        selector=ByName(name="climate"),  # type: ignore[arg-type]
        groups=("test", "plots", "docs"),  # type: ignore[arg-type]
        python=">=3.12",
        lock_use=LockUse.FROZEN,
        lock=Path(HERE, "locks/py.toml"),
        dry_run=True,
        compile=False,
        refresh=True,
        discard_installed=True,
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("../env", "/home/somebody/env"),
        ("/scratch/env/", "/scratch/env"),
        (".", HERE),
    ],
)
def test_a_prefix_is_made_absolute(given: str, expected: str) -> None:
    assert read_create(f"-p {given}").selector == ByPrefix(Path(expected))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("3.12", "3.12"),
        ("python3.12", "python3.12"),
        ("./bin/python", f"{HERE}/bin/python"),
        ("/opt/python/bin/python3", "/opt/python/bin/python3"),
    ],
)
def test_python_is_a_specifier_unless_it_has_a_slash(given: str, expected: str) -> None:
    assert read_create(f"--python {given}").python == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [("", None), ("--compile", True), ("--no-compile", False)],
)
def test_compiling_is_said_or_left_to_the_settings(line: str, expected: bool | None) -> None:
    assert read_create(line).compile is expected


def test_no_groups_is_not_the_same_as_no_word_about_groups() -> None:
    assert read_create("--no-groups").groups == ()
    assert read_create("").groups is None


@pytest.mark.parametrize("line", ["science", "-n science"])
def test_sync_takes_its_environment_either_way(line: str) -> None:
    request = read_sync(f"{line} --locked")

    assert request.file is None
    assert request.selector == ByName("science")  # type: ignore[arg-type]
    assert request.lock_use is LockUse.LOCKED


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", frozenset()),
        ("--upgrade", "all"),
        ("--upgrade NumPy scikit_learn", frozenset({"numpy", "scikit-learn"})),
        ("--upgrade numpy --offline", frozenset({"numpy"})),
    ],
)
def test_upgrade_lets_go_of_nothing_everything_or_some(line: str, expected: object) -> None:
    assert read_lock(line).upgrade == expected


@pytest.mark.parametrize(
    ("command", "line", "sentence"),
    [
        ("create", "--locked --frozen", "not allowed with argument"),
        ("create", "-n a -p b", "one environment at a time"),
        ("create", "-n Climate", "'Climate' is not a valid environment name"),
        ("create", "-n ./env", "'./env' is not a valid environment name"),
        ("create", "-g", "expected one argument"),
        ("create", "-g two,,three", "'' is not a valid group name"),
        ("create", "-g x --no-groups", "not allowed with argument"),
        ("create", "--lokced", "has no option --lokced"),
        ("create", "environment.yaml", "does not take 'environment.yaml'"),
        ("create", "--progress loud", "invalid choice: 'loud'"),
        ("create", "--comp", "has no option --comp"),
        ("sync", "", "no environment was named"),
        ("sync", "a -n b", "one environment at a time"),
        ("lock", "--check --upgrade", "--check only looks"),
        ("lock", "--upgrade numpy>=2", "'numpy>=2' is not a valid package name"),
    ],
)
def test_a_line_that_cannot_be_is_refused_in_a_sentence(
    command: str, line: str, sentence: str
) -> None:
    reads = {"create": read_create, "sync": read_sync, "lock": read_lock}

    with pytest.raises(UsageError) as refusal:
        reads[command](line)

    assert sentence in str(refusal.value)


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("--lokced", "did you mean --locked?"),
        ("--zzz", "see `envmgr create --help`"),
        ("-n ./env", "for a directory: -p ./env"),
    ],
)
def test_a_refusal_says_what_to_do_instead(line: str, hint: str) -> None:
    with pytest.raises(UsageError) as refusal:
        read_create(line)

    assert refusal.value.hint == hint


def test_help_is_a_text_with_an_example() -> None:
    with pytest.raises(HelpWanted) as wanted:
        read_create("--help")

    assert "usage: envmgr create" in wanted.value.text
    assert "envmgr create -f environment.yaml" in wanted.value.text


def test_where_there_is_no_current_directory_only_what_is_relative_is_refused() -> None:
    sync_line, create_line = read("sync", sync, "climate"), read("create", create, "-p /env")
    assert parse_sync(sync_line, None).selector == ByName(EnvironmentName("climate"))
    assert parse_create(create_line, FILE, None).selector == ByPrefix(Path("/env"))
    with pytest.raises(UsageError, match="the current directory does not exist any more"):
        parse_sync(read("sync", sync, "-p env"), None)


@pytest.mark.parametrize("file", ["/dev/stdin", "/dev/fd/63", "/proc/self/fd/0"])
def test_a_pipe_needs_a_lock_that_is_named(file: str) -> None:
    with pytest.raises(UsageError, match=f"there is no place for a lock beside {file}"):
        parse_create(read("create", create, ""), Path(file), HERE)
    with pytest.raises(UsageError, match="there is no place for a lock"):
        parse_lock(read("lock", lock, ""), Path(file), HERE)

    named = parse_lock(read("lock", lock, "--lock pylock.toml"), Path(file), HERE)

    assert named.lock == Path(HERE, "pylock.toml")
