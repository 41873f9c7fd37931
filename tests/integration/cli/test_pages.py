"""The pages in README.md and docs/ lead where they say, and name nothing that is not there."""

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import envmgr
from envmgr.cli.menu import COMMANDS
from envmgr.cli.parser import CommandParser
from envmgr.spec.configuration import CONFIGURATION
from envmgr.spec.keys import KEYS
from tests.integration.cli.terminal import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
CODE = Path(envmgr.__file__).parent
PUBLIC = {"peps.python.org", "json-schema.org", "python.org"}
"""Hosts that may be named; of all others only example.org, and those of no network."""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The names of a page's headings, as forges make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """What a page links to within the project: a file, and an anchor or nothing."""
    for target in re.findall(r"\]\(([^()\s]+)\)", page.read_text("utf-8")):
        if "://" not in target:
            path, _, anchor = target.partition("#")
            yield (page.parent / path).resolve() if path else page, anchor


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target, anchor in links(page):
        assert target.exists(), f"{target} is not there"
        if anchor:
            assert anchor in anchors(target), f"{target} has no heading {anchor}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    while waiting:
        page = waiting.pop()
        if page.suffix == ".md" and page not in reached:
            reached.add(page)
            waiting += [target for target, _ in links(page)]

    assert {name_of(page) for page in reached} >= {name_of(page) for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_names_neither_hosts_nor_places_of_one_machine(page: Path) -> None:
    text = page.read_text("utf-8")

    hosts = set(re.findall(r"\b(?:[a-z0-9-]+\.)+(?:org|com|net|io|dev)\b", text))
    assert {host for host in hosts if not f".{host}".endswith(".example.org")} <= PUBLIC
    assert not re.findall(r"/(?:root|work|tmp)/\S*|/home/(?!me/)\S+", text)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_modules_that_a_page_names_are_there(page: Path) -> None:
    for name in re.findall(r"`((?:[a-z_0-9]+/)+[a-z_0-9]+\.py)`", page.read_text("utf-8")):
        assert (CODE / name).exists() or (ROOT / name).exists(), f"{name} is not there"


def test_every_package_of_the_code_has_a_line() -> None:
    described = (ROOT / "docs" / "code.md").read_text("utf-8")

    for path in CODE.iterdir():
        name = path.stem
        if (path.is_dir() or path.suffix == ".py") and not name.startswith("__"):
            assert re.search(rf"^\|.*`{name}`.*\|", described, re.MULTILINE), name


def test_every_decision_is_listed() -> None:
    directory = ROOT / "docs" / "adr"
    listed = {target.name for target, _ in links(directory / "README.md")}

    assert listed >= {page.name for page in directory.glob("0*.md")}


def test_the_keys_of_an_environment_file_are_listed_and_no_other() -> None:
    page = (ROOT / "docs" / "environment-file.md").read_text("utf-8")
    keys = page.partition("## Keys")[2].partition("### ")[0]

    rows = re.findall(r"^\| `([a-z-]+)` \|.*\|(.*)\|$", keys, re.MULTILINE)

    assert [(name, later.strip() == "not yet") for name, later in rows] == [
        (key.name, not key.supported) for key in KEYS
    ]


def test_every_setting_of_a_configuration_is_listed_and_no_other() -> None:
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")

    listed = re.findall(r"^\| [^|]*\| `([a-z]+)` \|", page, re.MULTILINE)

    assert sorted([*listed, "locked"]) == sorted(field.name for field in CONFIGURATION.fields)


def options_of(name: str) -> set[str]:
    module = import_module(f"envmgr.cli.commands.{COMMANDS[name].module}")
    parser = CommandParser(name, COMMANDS[name].summary, module.USAGE, module.EXAMPLE)
    module.add_arguments(parser)
    parser.add_global_options()
    return {option for action in parser._actions for option in action.option_strings}


def test_every_option_of_the_commands_page_exists() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    for title, text in re.findall(
        r"^## (\S+).*?\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL
    ):
        if title not in COMMANDS:
            continue
        described = re.findall(r"^\| (`-.*?`) \|", text, re.MULTILINE)
        for option in re.findall(r"`(--?[a-z][a-z0-9-]*)", "\n".join(described)):
            assert option in options_of(title), f"{title} has no {option}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_that_a_page_shows_exist_with_these_options(page: Path) -> None:
    for name, words in re.findall(r"\benvmgr ([a-z]+)\b([^`\n#)|]*)", commands_in(page)):
        assert name in COMMANDS, f"there is no `envmgr {name}`"
        own = words.split(" python ")[0].split(" mpiexec ")[0] if name == "run" else words
        for option in re.findall(r"(?<=\s)(--?[a-z][a-z0-9-]*)", own):
            assert option in options_of(name), f"envmgr {name} has no {option}"


def commands_in(page: Path) -> str:
    """Everything in a page that is code, a line each."""
    text = page.read_text("utf-8")
    blocks = re.findall(r"^ {4,}(?:\$ )?(envmgr .*)$", text, re.MULTILINE)
    return "\n".join([*blocks, *re.findall(r"`(envmgr [^`]*)`", text)])
