"""``envmgr store`` as a person types it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.cli.ages import parse_age
from envmgr.errors import UsageError
from envmgr.names import EnvironmentName
from envmgr.pipeline.environments import delete
from envmgr.pipeline.types import ByName
from tests.integration.cli.terminal import envmgr
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.upkeep import entry_of
from tests.support.wheels import make_wheel


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Project]:
    with IndexServer([make_wheel("alpha", "1.0"), make_wheel("beta", "1.0")]) as server:
        project = Project(tmp_path, server.url)
        project.write("alpha")
        project.create()
        project.write("beta")
        project.create(name="other")
        delete(ByName(EnvironmentName("other")), project.settings, project.events.append)
        yield project


@pytest.fixture
def environ(environ: dict[str, str], made: Project) -> dict[str, str]:
    return {**made.environ, "PYTHONPATH": environ["PYTHONPATH"]}


def test_gc_says_what_stays_unused_and_how_it_would_go(
    environ: dict[str, str], tmp_path: Path
) -> None:
    done = envmgr("store", "gc", environ=environ, directory=tmp_path)
    assert done.returncode == 0
    assert done.stdout == (
        "nothing to remove: 1 entry needed\n"
        "1 unused entry was linked less than 30 days ago; if no other host runs from them: "
        "envmgr store gc --older-than 0\n"
    )


def test_gc_removes_and_tells_a_program_what(environ: dict[str, str], tmp_path: Path) -> None:
    would = envmgr(
        "store", "gc", "--older-than", "0", "--dry-run", environ=environ, directory=tmp_path
    )
    assert "beta-1.0-py3-none-any.whl" in would.stdout
    assert "would remove 1 entry" in would.stdout

    done = envmgr("store", "gc", "--older-than=0", "--json", environ=environ, directory=tmp_path)
    result = json.loads(done.stdout)["result"]
    assert [entry["wheel"] for entry in result["entries"]] == ["beta-1.0-py3-none-any.whl"]
    assert result["bytes"] == result["entries"][0]["bytes"] > 0
    assert (result["needed"], result["dry_run"]) == (1, False)


def test_verify_ends_with_1_where_something_is_wrong_and_repair_with_0(
    environ: dict[str, str], made: Project, tmp_path: Path
) -> None:
    assert envmgr("store", "verify", environ=environ, directory=tmp_path).returncode == 0
    entry = entry_of(made, made.prefix, "alpha").path
    entry.chmod(0o755)

    found = envmgr("store", "verify", "-q", environ=environ, directory=tmp_path)
    assert found.returncode == 1
    assert f"alpha 1.0  {entry}" in found.stdout
    assert "  the entry has mode 0755 instead of 0555" in found.stdout
    assert f"  used by {made.prefix}" in found.stdout

    told = envmgr("store", "verify", "--json", environ=environ, directory=tmp_path)
    assert told.returncode == 1
    (damaged,) = json.loads(told.stdout)["result"]["damaged"]
    assert damaged["findings"] == [
        {"kind": "mode", "path": "", "detail": "has mode 0755 instead of 0555"}
    ]

    repaired = envmgr("store", "repair", environ=environ, directory=tmp_path)
    assert (repaired.returncode, repaired.stdout) == (0, "repaired alpha 1.0 (1 finding)\n")
    assert envmgr("store", "verify", "--fast", environ=environ, directory=tmp_path).returncode == 0


def test_repair_ends_with_1_where_something_is_left(
    environ: dict[str, str], made: Project, tmp_path: Path
) -> None:
    entry = entry_of(made, made.prefix, "alpha").path
    (entry / "site-packages/alpha/__init__.py").chmod(0o644)
    (entry / "site-packages/alpha/__init__.py").write_text("", "utf-8")
    made.lock_file.unlink()
    done = envmgr("store", "repair", environ=environ, directory=tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("could not repair alpha 1.0: no lock says any more")


def test_du_shows_environments_and_the_store(
    environ: dict[str, str], made: Project, tmp_path: Path
) -> None:
    done = envmgr("store", "du", "-n", "project", environ=environ, directory=tmp_path)
    head, row, total, unused = done.stdout.splitlines()
    assert head.split() == [
        "NAME", "OWN", "ENTRIES", "INODES", "SHARED", "ENTRIES", "VIEW", "PREFIX",
    ]  # fmt: skip
    assert row.startswith("project")
    assert row.endswith(str(made.prefix))
    assert total.startswith("the store: ")
    assert "2 entries" in total
    assert unused.startswith("unused: ")
    assert "1 entry" in unused

    told = envmgr("store", "du", "--json", environ=environ, directory=tmp_path)
    result = json.loads(told.stdout)["result"]
    assert result["environments"][0]["own"]["entries"] == 1
    assert result["unused"]["entries"] == 1


def test_compile_says_for_which_interpreter(environ: dict[str, str], tmp_path: Path) -> None:
    done = envmgr("store", "compile", environ=environ, directory=tmp_path)
    assert done.returncode == 0
    assert done.stdout.startswith("Python 3.")
    assert "compiled 1 module of 1 entry" in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verify", "--older-than", "1d"], "--older-than is for `envmgr store gc`"),
        (["gc", "--fast"], "--fast is for `envmgr store verify`"),
        (["gc", "-n", "x"], "-n is for `envmgr store du`"),
        (["gc", "--older-than", "1"], "'1' is no span of time"),
    ],
)
def test_an_option_of_another_action_is_refused(
    words: list[str], message: str, environ: dict[str, str], tmp_path: Path
) -> None:
    done = envmgr("store", *words, environ=environ, directory=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30d", 2592000), ("12h", 43200), ("90m", 5400), ("2w", 1209600), ("0", 0)],
)
def test_spans_of_time(text: str, seconds: float) -> None:
    assert parse_age(text) == seconds


@pytest.mark.parametrize("text", ["", "d", "-1d", "1y", "30", "1.5h"])
def test_what_is_no_span_of_time(text: str) -> None:
    with pytest.raises(UsageError):
        parse_age(text)
