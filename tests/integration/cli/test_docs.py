"""docs/commands.md says what the code does."""

import re
from importlib import import_module
from typing import get_args

import pytest

from envmgr.audit.mapped import LoadedFamily, LoadedRuntime
from envmgr.audit.probe import FailedImport, ThreadPool
from envmgr.audit.types import FamilyAudit, Missing, Needer, RuntimeFile, StaticRuntime
from envmgr.cli.document import field_names
from envmgr.cli.menu import COMMANDS
from envmgr.cli.parser import CommandParser
from envmgr.cli.progress import event_document
from envmgr.cli.settings_page import SettingRow
from envmgr.errors import ExitCode
from envmgr.events import Event, Noted, Stage, StageAdvanced, StageFinished, StageStarted, Warned
from envmgr.pipeline.audit import Audited, LiveAudited, LiveRun
from envmgr.pipeline.caches import Trimmed, TrimmedKind
from envmgr.pipeline.compiling import CompiledFor, CompiledStore
from envmgr.pipeline.copies import Cloned, Renamed
from envmgr.pipeline.differences import Difference, FactDifference, PackageDifference
from envmgr.pipeline.generations import GenerationSummary, RolledBack
from envmgr.pipeline.health.complaints import Complaint
from envmgr.pipeline.health.doctor import Diagnosis
from envmgr.pipeline.recipe_build import BuiltWheel, BuiltWheels
from envmgr.pipeline.repair import Repaired, RepairedEntry
from envmgr.pipeline.types import (
    Change,
    Created,
    Deleted,
    EnvironmentSummary,
    KeptCopy,
    LibraryFile,
    Locked,
    PackageRow,
    ReplacedCopy,
    SharedRuntime,
)
from envmgr.pipeline.upkeep import (
    Collected,
    DamagedEntry,
    DiskUse,
    EnvironmentUsage,
    Usage,
    Verified,
)
from envmgr.pipeline.wheel_link import LinkedWheel
from envmgr.pipeline.wheel_output import Written
from envmgr.pipeline.which import Owned, Owners
from envmgr.store.collect import CollectedEntry
from envmgr.store.findings import Finding
from envmgr.wheel.writing import PartLink
from tests.integration.cli.terminal import ROOT

PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")


def section(title: str) -> str:
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def rows(text: str) -> list[str]:
    """First cells of the tables of a section, without quotes."""
    return [
        cell.strip() for cell in re.findall(r"^\| (.*?) \|", text.replace("\\|", "/"), re.MULTILINE)
    ]


@pytest.mark.parametrize(
    ("title", "results"),
    [
        ("create", [Created]),
        ("lock", [Locked]),
        ("list", [EnvironmentSummary, PackageRow]),
        ("history", [GenerationSummary]),
        ("rollback", [RolledBack]),
        ("diff", [Difference, PackageDifference, FactDifference]),
        ("clone", [Cloned]),
        ("rename", [Renamed]),
        ("delete", [Deleted]),
        ("config show", [SettingRow]),
        ("doctor", [Diagnosis, Complaint]),
        (
            "store",
            [
                *(Collected, CollectedEntry, Trimmed, TrimmedKind),
                *(Verified, DamagedEntry, Finding),
                *(Repaired, RepairedEntry, DiskUse, EnvironmentUsage, Usage),
                *(CompiledStore, CompiledFor),
            ],
        ),
        ("wheel", [LinkedWheel, Written, PartLink]),
        ("recipe", [BuiltWheels, BuiltWheel]),
        ("which", [Owners, Owned]),
        (
            "runtimes",
            [
                *(SharedRuntime, LibraryFile, ReplacedCopy, KeptCopy),
                *(Audited, FamilyAudit, RuntimeFile, Needer, Missing, StaticRuntime),
                *(LiveAudited, LiveRun, FailedImport, LoadedFamily, LoadedRuntime, ThreadPool),
            ],
        ),
    ],
)
def test_every_field_of_a_result_is_described_and_no_other(title: str, results: list[type]) -> None:
    described = re.findall(r"^\| `([a-z0-9_]+)` \|", section(title), re.MULTILINE)

    assert described == [name for result in results for name in field_names(result)]


def test_a_change_has_the_fields_that_are_described() -> None:
    names = ", ".join(field_names(Change))

    assert f"`{{{names}}}`" in section("create")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_described(name: str) -> None:
    module = import_module(f"envmgr.cli.commands.{COMMANDS[name].module}")
    parser = CommandParser(name, COMMANDS[name].summary, module.USAGE, module.EXAMPLE)
    module.add_arguments(parser)
    parser.add_global_options()
    title = "config show" if name == "config" else name
    text = section("Options of every command") + section(title)
    if name in {"sync", "lock"}:
        text += section("create")

    for action in parser._actions:
        for option in action.option_strings:
            assert re.search(rf"`{option}[` ]", text), f"{name} {option}"


@pytest.mark.parametrize(
    "event",
    [
        StageStarted("fetch"),
        StageAdvanced("fetch", 1),
        StageFinished("fetch", 1, 1.0),
        Noted("x"),
        Warned("x"),
    ],
    ids=lambda event: type(event).__name__,
)
def test_every_event_is_described_with_its_fields(event: Event) -> None:
    document = event_document(event)
    row = next(
        line
        for line in section("Progress").splitlines()
        if line.startswith(f"| `{document['event']}` |")
    )

    for field in document:
        assert field == "event" or f"`{field}`" in row


def test_every_stage_is_named() -> None:
    for stage in get_args(Stage):
        assert f"`{stage}`" in section("Progress")


def test_every_exit_code_is_described_and_no_other() -> None:
    described = [int(cell) for cell in rows(section("Exit codes")) if cell.isdecimal()]

    assert described == sorted(ExitCode)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_usage_of_every_command_is_what_the_page_says(name: str) -> None:
    module = import_module(f"envmgr.cli.commands.{COMMANDS[name].module}")
    title = "config show" if name == "config" else name

    assert f"    envmgr {name} {module.USAGE}".rstrip() in section(title)
