"""After an upgrade the facts of entries are computed anew, and told of."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.cli.tally import DOING
from envmgr.events import StageAdvanced, StageFinished, StageStarted
from envmgr.pipeline import create as create_module
from envmgr.store.entry import MANIFEST
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.wheels import make_wheel


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with IndexServer([make_wheel("alpha"), make_wheel("beta")]) as running:
        yield Project(tmp_path, running.url)


def age(project: Project, name: str) -> Path:
    """Leave an entry as an envmgr of another version of manifests would have it."""
    (manifest,) = (
        path
        for path in (project.directory / "home/store/v1/entries").glob(f"*/{MANIFEST}")
        if (path.parent / "site-packages" / name).exists()
    )
    manifest.parent.chmod(0o755)
    manifest.rename(manifest.with_name("manifest-0.msgpack"))
    manifest.parent.chmod(0o555)
    return manifest


def told(project: Project) -> list[StageStarted | StageAdvanced | StageFinished]:
    kinds = StageStarted | StageAdvanced | StageFinished
    return [each for each in project.events if isinstance(each, kinds) and each.stage == "survey"]


def test_old_entries_are_surveyed_with_progress_and_once(project: Project) -> None:
    project.write("alpha", "beta")
    project.create()
    assert told(project) == []
    manifest = age(project, "alpha")
    project.write("alpha", "beta", more="variables: {COLOUR: blue}\n")
    project.create()
    started, advanced, finished = told(project)
    assert started == StageStarted("survey", 1)
    assert advanced == StageAdvanced("survey", 1, "alpha-1.0-py3-none-any.whl")
    assert isinstance(finished, StageFinished)
    assert manifest.exists()
    assert "survey" in DOING

    project.events.clear()
    project.write("alpha", "beta", more="variables: {COLOUR: red}\n")
    project.create()
    assert told(project) == []


def test_a_damaged_old_entry_is_left_to_whoever_mends_it(project: Project) -> None:
    project.write("alpha")
    project.create()
    manifest = age(project, "alpha")
    for path in (manifest.parent, manifest.parent / "site-packages/alpha"):
        path.chmod(0o755)
    (manifest.parent / "site-packages/alpha/__init__.py").unlink()
    project.write("alpha", more="variables: {COLOUR: blue}\n")
    project.create()
    assert len(told(project)) == 3
    assert project.python("import alpha; print(alpha.__name__)") == "alpha"


def test_an_upgrade_is_noticed_where_nothing_else_changed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("alpha", "beta")
    with monkeypatch.context() as patch:
        patch.setattr(create_module, "__version__", "0.0.1")
        project.create()
    manifest = age(project, "alpha")
    assert project.create().made == "updated"
    assert [type(each) for each in told(project)] == [StageStarted, StageAdvanced, StageFinished]
    assert manifest.exists()


def test_an_environment_that_stands_is_not_surveyed(project: Project) -> None:
    """Entries of colleagues in a common store stay as they are until these upgrade."""
    project.write("alpha", "beta")
    project.create()
    manifest = age(project, "alpha")
    manifest.parent.chmod(0o755)
    (manifest.parent / "compiled-by-a-colleague").write_text("", "utf-8")
    manifest.parent.chmod(0o555)
    assert project.create().made == "unchanged"
    assert told(project) == []
    assert not manifest.exists()
