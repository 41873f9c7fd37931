"""What other installers and root's programs did is noticed before anything is switched."""

import os
from pathlib import Path

import pytest

from envmgr.errors import IndexFailure
from envmgr.link.foreign import InstalledByOthers
from envmgr.link.prefix import current_generation
from envmgr.names import EnvironmentName
from envmgr.pipeline.environments import list_packages
from envmgr.pipeline.types import ByName
from tests.support.project import Project

NAMED = ByName(EnvironmentName("project"))


def site_packages(project: Project) -> Path:
    (site,) = current_generation(project.prefix).glob("lib/*/site-packages")
    return site


def put_by_pip(project: Project) -> Path:
    """Do as pip does for a package ``stray`` of one module."""
    site = site_packages(project)
    info = site / "stray-4.2.dist-info"
    info.mkdir()
    (info / "INSTALLER").write_text("pip\n")
    (info / "RECORD").write_text("stray.py,,\nstray-4.2.dist-info/INSTALLER,,\n")
    (site / "stray.py").write_text("")
    return site


def change_entry(project: Project, package: str) -> Path:
    """Do as root's uv does: replace a file, remove none, add one; returns the package."""
    place = (site_packages(project) / package).resolve()
    place.chmod(0o755)
    (place / "new").write_text("version = 'other'\n")
    (place / "new").replace(place / "__init__.py")
    (place / "extra.py").write_text("")
    place.chmod(0o555)
    return place


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_pip_put_there_stops_the_switch(project: Project, dry_run: bool) -> None:
    project.write("alpha ==1.0")
    project.create()
    site = put_by_pip(project)
    project.write("alpha ==2.0")

    with pytest.raises(InstalledByOthers, match=r"pip put into .*: stray 4\.2$") as caught:
        project.create(dry_run=dry_run)

    assert caught.value.exit_code == 9
    assert str(project.file) in caught.value.hint
    assert "--discard-installed" in caught.value.hint
    assert site_packages(project) == site
    assert project.python("import alpha, stray; print(alpha.__version__)") == "1.0"


def test_what_the_file_brings_now_is_not_left_behind(project: Project) -> None:
    """The first of the two ways on that the error names."""
    project.write("alpha ==1.0")
    project.create()
    site = put_by_pip(project)
    (site / "stray-4.2.dist-info").rename(site / "Beta-4.2.dist-info")
    (site / "Beta-4.2.dist-info" / "RECORD").write_text("stray.py,,\n")

    project.write("alpha ==1.0", "beta ==1.0")
    project.create()

    assert project.python("import beta; print(beta.__version__)") == "1.0"
    assert project.told() == ""


def test_it_may_be_left_behind(project: Project) -> None:
    project.write("alpha ==1.0")
    first = project.create()
    site = put_by_pip(project)
    project.write("alpha ==2.0")

    project.create(discard_installed=True)

    assert project.python("import alpha; print(alpha.__version__)") == "2.0"
    assert not (site_packages(project) / "stray.py").exists()
    assert (site / "stray.py").exists()
    (warning,) = project.told().splitlines()
    assert warning.startswith("stray 4.2 ")
    assert str(first.generation) in warning


def test_it_stops_nobody_who_changes_nothing(project: Project) -> None:
    project.write("alpha ==1.0")
    project.create()
    put_by_pip(project)

    assert project.create().made == "unchanged"
    assert project.told() == ""


def test_it_is_listed_with_who_put_it_there(project: Project) -> None:
    project.write("alpha ==1.0")
    project.create()
    put_by_pip(project)

    rows = list_packages(NAMED, project.settings)

    assert [(row.name, row.version, row.installer) for row in rows] == [
        ("alpha", "1.0", "envmgr"),
        ("stray", "4.2", "pip"),
    ]
    assert rows[1].entry is None


def test_an_entry_that_was_changed_is_fetched_again(project: Project) -> None:
    project.write("alpha ==1.0", "beta ==1.0")
    project.create()
    place = change_entry(project, "alpha")

    assert project.create().made == "updated"

    assert project.python("import alpha; print(alpha.__version__)") == "1.0"
    assert sorted(os.listdir(place)) == ["__init__.py"]
    (warning,) = project.told().splitlines()
    assert warning == (
        "a program changed alpha 1.0 in the store (new: site-packages/alpha/extra.py; "
        "changed: site-packages/alpha/__init__.py); it is fetched again"
    )
    project.events.clear()
    assert project.create().made == "unchanged"
    assert project.told() == ""
    assert len(project.entries()) == 2


def test_another_environment_with_it_notices_too(project: Project) -> None:
    project.write("alpha ==1.0")
    project.create()
    change_entry(project, "alpha")

    project.create(name="other")

    assert "a program changed alpha 1.0" in project.told()
    assert project.python("import alpha; print(alpha.__version__)") == "1.0"


def test_where_it_cannot_be_fetched_again_it_stays_as_it_was(
    project: Project,
) -> None:
    project.write("alpha ==1.0")
    project.create()
    change_entry(project, "alpha")
    project.variables = {"ENVMGR_OFFLINE": "yes"}

    with pytest.raises(IndexFailure):
        project.create()

    assert project.python("import alpha; print(alpha.version)") == "other"
    assert len(project.entries()) == 1


def test_a_list_of_packages_tells_of_it(project: Project) -> None:
    project.write("alpha ==1.0")
    project.create()
    change_entry(project, "alpha")

    list_packages(NAMED, project.settings, project.events.append)

    assert project.told().startswith("a program changed alpha 1.0 in the store")
    assert "`envmgr sync -n project`" in project.told()
