"""Several processes, shells and programs around one environment."""

import json
import subprocess
from pathlib import Path
from threading import Barrier, Thread

from envmgr.events import Warned
from envmgr.link.generation import list_generations
from envmgr.spec.types import KEPT
from tests.support.index_server import IndexServer, Slow
from tests.support.project import Project
from tests.support.wheels import make_wheel

PRINT = "import json, os, sys; print(json.dumps([sys.prefix, os.environ.get('VIRTUAL_ENV')]))"


def told(project: Project, *command: str) -> tuple[str, str]:
    environ = {**project.environ, "VIRTUAL_ENV": str(project.prefix)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    prefix, active = json.loads(done.stdout)
    return prefix, active


def test_a_program_of_an_activated_shell_is_told_its_own_generation(project: Project) -> None:
    project.write("alpha")
    project.create()
    python = str(project.prefix / "bin" / "python")
    prefix, active = told(project, python, "-c", PRINT)
    assert prefix == active
    assert "/.envmgr/generations/" in prefix
    script = Path(project.prefix, "script.py")
    script.write_text(PRINT, "utf-8")
    by_generation = told(project, f"{prefix}/bin/python", str(script))
    assert by_generation == (prefix, prefix)


def test_another_active_environment_is_left_as_it_is(project: Project) -> None:
    project.write("alpha")
    project.create()
    environ = {**project.environ, "VIRTUAL_ENV": "/somewhere/else"}
    python = str(project.prefix / "bin" / "python")
    done = subprocess.run([python, "-c", PRINT], env=environ, capture_output=True, check=True)
    assert json.loads(done.stdout)[1] == "/somewhere/else"


def test_an_interpreter_that_was_written_down_works_after_its_generation_went(
    project: Project,
) -> None:
    project.write("alpha ==1.0")
    project.create()
    written_down = project.python("import sys; print(sys.executable)")
    for number in range(KEPT + 1):
        project.write("alpha ==2.0", more=f"variables: {{N: '{number}'}}\n")
        project.create()
    assert len(list_generations(project.prefix)) == KEPT
    code = "import alpha; print(alpha.__version__)"
    done = subprocess.run([written_down, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2.0\n"


def test_two_stores_may_share_a_cache(tmp_path: Path, server: IndexServer) -> None:
    for number in range(8):
        server.add(make_wheel(f"part{number}", files={f"part{number}.py": "x = 1\n" * 4000}))
    server.fail("/files/*", Slow(0.02))
    cache = str(tmp_path / "cache")
    projects = []
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        project = Project(tmp_path / name, server.url, {"ENVMGR_CACHE": cache})
        project.write(*(f"part{number}" for number in range(8)))
        projects.append(project)
    start = Barrier(len(projects))
    failures: list[BaseException] = []

    def create(project: Project) -> None:
        start.wait()
        try:
            project.create()
        except BaseException as failure:  # noqa: BLE001 - told below, in the test's own thread
            failures.append(failure)

    threads = [Thread(target=create, args=(project,)) for project in projects]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert all(project.python("import part7; print(part7.x)") == "1" for project in projects)


def test_an_upgrade_of_what_is_not_there_is_told(project: Project) -> None:
    project.write("alpha")
    project.lock()
    project.lock(upgrade=("alhpa",))
    warnings = [event.text for event in project.events if isinstance(event, Warned)]
    assert warnings == ["alhpa was to be upgraded and is not in the lock"]
