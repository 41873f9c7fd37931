"""Which lock ``create`` uses, and which one it makes anew."""

import sys

import pytest

from envmgr.lock.errors import LockStale, LockUnfit
from envmgr.pipeline.types import LockUse
from tests.support.project import Project

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"


def lock_for(project: Project, key: str, here: str, elsewhere: str) -> bytes:
    """Make the lock one that was made elsewhere; returns what it holds then."""
    text = project.lock_file.read_text("utf-8")
    assert text.count(f'{key} = "{here}"') == 1
    changed = text.replace(f'{key} = "{here}"', f'{key} = "{elsewhere}"')
    project.lock_file.write_text(changed, "utf-8")
    return changed.encode()


@pytest.fixture
def locked_for_another_python(project: Project) -> Project:
    project.write("alpha", more="python: '>=3.7'\n")
    project.lock()
    lock_for(project, "requires-python", f"=={MINOR}.*", "==3.7.*")
    return project


def test_a_lock_whose_python_the_file_left_behind_is_made_anew(
    locked_for_another_python: Project,
) -> None:
    project = locked_for_another_python
    project.write("alpha", more=f"python: '{MINOR}'\n")
    created = project.create()
    assert created.lock_written
    assert project.create(use=LockUse.LOCKED).made == "unchanged"


def test_locked_and_frozen_never_make_it_anew(locked_for_another_python: Project) -> None:
    project = locked_for_another_python
    project.write("alpha", more=f"python: '{MINOR}'\n")
    before = project.lock_file.read_bytes()
    with pytest.raises(LockStale):
        project.create(use=LockUse.LOCKED)
    with pytest.raises(LockUnfit) as failure:
        project.create(use=LockUse.FROZEN)
    assert "`envmgr lock`" in failure.value.hint
    assert project.lock_file.read_bytes() == before


def test_a_fresh_lock_for_another_python_is_left_to_those_who_have_it(project: Project) -> None:
    project.write("alpha", more="python: '>=3.7'\n")
    project.lock()
    before = lock_for(project, "requires-python", f"=={MINOR}.*", "==3.7.*")
    with pytest.raises(LockUnfit):
        project.create()
    assert project.lock_file.read_bytes() == before


def test_a_stale_lock_of_another_platform_is_never_rewritten(
    locked_for_another_python: Project,
) -> None:
    project = locked_for_another_python
    before = lock_for(project, "sys-platform", sys.platform, "win32")
    project.write("alpha", more=f"python: '{MINOR}'\n")
    with pytest.raises(LockUnfit):
        project.create()
    assert project.lock_file.read_bytes() == before


def test_a_lock_of_an_envmgr_for_which_a_false_override_counted_for_nothing_is_made_anew(
    project: Project,
) -> None:
    """Such a lock has the digest and the markers of the file, and the package all the same."""
    project.write("alpha")
    project.lock()
    text = project.lock_file.read_text("utf-8")
    beta = text[text.index('[[packages]]\nname = "beta"') : text.index("[tool.envmgr]")]
    project.write("alpha", more="overrides: [\"beta ; sys_platform == 'none'\"]\n")
    project.lock()
    text = project.lock_file.read_text("utf-8")
    assert beta not in text
    project.lock_file.write_text(text.replace("[tool.envmgr]", f"{beta}[tool.envmgr]"), "utf-8")

    with pytest.raises(LockStale, match=r"has beta, which the override .* leaves out"):
        project.create(use=LockUse.LOCKED)
    created = project.create()

    assert created.lock_written
    assert created.packages == 1
    assert project.create(use=LockUse.LOCKED).made == "unchanged"
