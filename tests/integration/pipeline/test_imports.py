"""What a command imports: the stages that it skips cost it nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from envmgr.index.cache import FORMAT
from tests.support.project import Project

SCRIPT = """
import sys
from pathlib import Path
from envmgr.pipeline.create import create
from envmgr.pipeline.types import CreateRequest
from envmgr.spec.settings import load_settings
import json
environ = json.loads(sys.argv[2])
settings = load_settings(environ, Path("/nonexistent"))
request = CreateRequest(file=Path(sys.argv[1]), selector=None, groups=None)
created = create(request, settings, environ, lambda event: None)
print(created.made, *sorted(sys.modules))
"""


def modules_of_a_create(project: Project) -> tuple[str, set[str]]:
    import json

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(project.file), json.dumps(project.environ)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    made, *modules = done.stdout.split()
    return made, set(modules)


def test_a_create_from_a_lock_imports_neither_resolver_nor_network(project: Project) -> None:
    project.write("alpha")
    project.create(name="other")
    made, modules = modules_of_a_create(project)
    assert made == "created"
    assert {"envmgr.link.layout", "envmgr.lock.lockfile"} <= modules
    assert not modules & {"resolvelib", "urllib3", "rich", "archspec", "email.parser", "tomli_w"}


def test_the_first_create_imports_both(project: Project) -> None:
    project.write("alpha")
    made, modules = modules_of_a_create(project)
    assert made == "created"
    assert {"resolvelib", "urllib3"} <= modules


READING = """
import sys
from pathlib import Path
from envmgr.pipeline.reading_ahead import read_ahead
from envmgr.spec.settings import load_settings
environ = {"ENVMGR_CACHE": sys.argv[1], "ENVMGR_OFFLINE": sys.argv[2]}
read_ahead(load_settings(environ, Path("/nonexistent"))).join()
print(*sys.modules)
"""


@pytest.mark.parametrize(
    ("fetched_before", "offline", "fetching"),
    [(False, False, True), (True, False, False), (False, True, False)],
)
def test_what_resolves_is_read_ahead_and_what_fetches_where_it_is_sure_to(
    tmp_path: Path, fetched_before: bool, offline: bool, fetching: bool
) -> None:
    if fetched_before:
        (tmp_path / FORMAT).mkdir()
    done = subprocess.run(
        [sys.executable, "-c", READING, str(tmp_path), str(offline).lower()],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    modules = set(done.stdout.split())
    assert "resolvelib" in modules
    assert ("urllib3" in modules) is fetching
