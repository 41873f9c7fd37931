"""What an index, a wheel or a crash can do to a ``create``, and what is left standing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from envmgr.errors import EnvmgrError
from envmgr.names import EnvironmentName
from envmgr.pipeline.environments import find_prefix, list_environments
from envmgr.pipeline.errors import NoSuchEnvironment
from envmgr.pipeline.generations import NoSuchGeneration, list_history, rollback
from envmgr.pipeline.types import ByName
from tests.support.index_server import (
    Corrupted,
    IndexServer,
    Reset,
    Slow,
    Status,
    Truncated,
    hosted,
)
from tests.support.project import Project
from tests.support.upkeep import collect
from tests.support.wheels import make_wheel
from tests.support.zips import ZipMember

PROJECT = ByName(EnvironmentName("project"))


def failure_of(action: Callable[[], object]) -> EnvmgrError:
    with pytest.raises(EnvmgrError) as caught:
        action()
    return caught.value


def version(project: Project) -> str:
    return project.python("import alpha; print(alpha.__version__)")


@pytest.mark.parametrize(
    "fault", [Slow(0.2), Truncated(40), Reset(), Status(500), Status(503, {"Retry-After": "0"})]
)
def test_a_passing_fault_is_outlived(project: Project, server: IndexServer, fault: object) -> None:
    project.write("alpha")
    server.fail("/files/*.whl", fault, times=2)  # type: ignore[arg-type]
    server.fail("/simple/beta/", fault, times=1)  # type: ignore[arg-type]
    project.create()
    assert version(project) == "2.0"


def test_a_server_without_ranges_or_metadata_is_served_all_the_same(project: Project) -> None:
    wheels = [make_wheel("alpha", "2.0", requires=["beta"]), make_wheel("beta", "1.0")]
    with IndexServer(wheels, ranges=False) as server:
        plain = Project(project.directory, server.url)
        plain.write("alpha")
        plain.create()
        assert version(plain) == "2.0"


@pytest.mark.parametrize("code", [401, 403, 500])
def test_an_index_that_refuses_is_never_taken_for_no_versions(
    project: Project, server: IndexServer, code: int
) -> None:
    project.write("alpha")
    server.fail("/simple/alpha/", Status(code))
    failure = failure_of(project.create)
    assert failure.exit_code == 5
    assert not project.prefix.exists()


def test_an_absent_name_is_unsatisfiable_and_says_who_was_asked(project: Project) -> None:
    project.write("alhpa")
    failure = failure_of(project.create)
    assert failure.exit_code == 6
    assert "loopback" in "\n".join(failure.details())


def test_a_wrong_hash_leaves_the_old_environment(project: Project, server: IndexServer) -> None:
    project.write("alpha ==1.0")
    project.create()
    entries = project.entries()
    server.fail("/files/alpha-2.0*.whl", Corrupted())
    project.write("alpha ==2.0")
    failure = failure_of(project.create)
    assert failure.exit_code == 8
    assert "alpha-2.0" in str(failure)
    assert version(project) == "1.0"
    assert project.entries() - entries <= {name for name in project.entries() if len(name) == 64}
    server.heal()
    project.create()
    assert version(project) == "2.0"


@pytest.mark.parametrize(
    "name", ["../escape.py", "/absolute.py", "alpha/../../escape.py", "alpha\\..\\x.py", "con"]
)
def test_a_hostile_wheel_is_refused_and_leaves_nothing(
    project: Project, server: IndexServer, name: str
) -> None:
    hostile = make_wheel(
        "alpha", "3.0", edit_members=lambda members: [*members, ZipMember(name=name, data=b"x")]
    )
    server.add(hosted(hostile))
    project.write("alpha ==3.0")
    failure = failure_of(project.create)
    assert failure.exit_code == 8
    assert project.entries() == set()
    assert not project.prefix.exists()
    assert not (project.directory / "escape.py").exists()


SCRIPT = """
import sys
from pathlib import Path
from tests.support.project import Project
project = Project(Path(sys.argv[1]), sys.argv[2])
print("ready", flush=True)
project.create()
"""


KILLED = """
import os, signal, sys
from pathlib import Path
import envmgr.pipeline.create as module
from tests.support.project import Project
module.switch_generation = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Project(Path(sys.argv[1]), sys.argv[2]).create()
"""
"""Ends when everything is written, and the switch would be next."""


def kill_before_switch(project: Project, script: str = KILLED) -> None:
    process = subprocess.run(
        [sys.executable, "-c", script, str(project.directory), project.index_url], check=False
    )
    assert process.returncode == -signal.SIGKILL


def test_a_generation_that_was_never_switched_to_is_no_part_of_the_history(
    project: Project,
) -> None:
    project.write("alpha ==1.0")
    project.create()
    project.write("alpha ==2.0")
    kill_before_switch(project)
    kill_before_switch(project)

    assert [each.number for each in list_history(PROJECT, project.settings)] == [1]
    assert version(project) == "1.0"
    with pytest.raises(NoSuchGeneration):
        rollback(PROJECT, 2, project.settings, project.events.append)

    project.create()
    assert version(project) == "2.0"
    history = list_history(PROJECT, project.settings)
    assert [(each.number, each.before) for each in history] == [(2, 1), (1, None)]
    assert len(os.listdir(project.prefix / ".envmgr" / "generations")) == 2
    assert not (project.prefix / ".envmgr" / "pending").exists()


KILLED_AFTER = """
import os, signal, sys
from pathlib import Path
import envmgr.link.generation as module
from tests.support.project import Project
module.remove_file = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Project(Path(sys.argv[1]), sys.argv[2]).create()
"""
"""Ends when the switch is made, and the note of what was to be switched to is still there."""


def test_one_that_was_switched_to_stays_though_its_create_was_killed_then(
    project: Project,
) -> None:
    project.write("alpha ==1.0")
    project.create()
    project.write("alpha ==2.0")
    kill_before_switch(project, KILLED_AFTER)
    assert version(project) == "2.0"

    rollback(PROJECT, 1, project.settings, project.events.append)

    assert [each.number for each in list_history(PROJECT, project.settings)] == [2, 1]
    assert rollback(PROJECT, 2, project.settings, project.events.append).number == 2


def test_it_goes_too_where_the_file_was_changed_back(project: Project) -> None:
    project.write("alpha ==1.0")
    project.create()
    project.write("alpha ==2.0")
    kill_before_switch(project)
    project.write("alpha ==1.0")

    assert project.create().made == "unchanged"
    assert len(os.listdir(project.prefix / ".envmgr" / "generations")) == 1


def test_a_first_create_that_was_killed_before_its_switch_made_no_environment(
    project: Project,
) -> None:
    project.write("alpha ==1.0")
    kill_before_switch(project)

    with pytest.raises(NoSuchEnvironment):
        find_prefix(PROJECT, project.settings)
    assert project.create().made == "created"
    assert [each.number for each in list_history(PROJECT, project.settings)] == [1]


DELETE = """
import os, signal, sys
from pathlib import Path
import envmgr.files as module
from envmgr.names import EnvironmentName
from envmgr.pipeline.environments import delete
from envmgr.pipeline.types import ByName
from tests.support.project import Project
module.remove_tree = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
project = Project(Path(sys.argv[1]), sys.argv[2])
delete(ByName(EnvironmentName("project")), project.settings, print)
"""


def test_what_a_killed_deletion_leaves_is_no_environment_and_is_swept(project: Project) -> None:
    project.write("alpha ==1.0")
    project.create()
    kill_before_switch(project, DELETE)

    assert list_environments(project.settings, project.events.append) == ()
    assert len(os.listdir(project.settings.environments)) == 1
    collect(project)
    assert os.listdir(project.settings.environments) == []


def start_create(project: Project) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(project.directory), project.index_url],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("delay", [0.0, 0.1, 0.25, 0.5, 0.8])
def test_a_killed_create_leaves_the_old_environment_and_the_next_one_completes(
    project: Project, server: IndexServer, delay: float
) -> None:
    project.write("alpha ==1.0")
    project.create()
    many = [make_wheel(f"part{n}", "1.0", files={f"part{n}/m{i}.py": "" for i in range(60)})
            for n in range(12)]  # fmt: skip
    for wheel in many:
        server.add(wheel)
    server.fail("/files/*", Slow(0.05))
    project.write("alpha ==2.0", *(f"part{n}" for n in range(12)))
    process = start_create(project)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert version(project) in {"1.0", "2.0"}
    server.heal()
    created = project.create()
    assert version(project) == "2.0"
    assert created.packages == 14
    assert project.python("import part11.m59") == ""
