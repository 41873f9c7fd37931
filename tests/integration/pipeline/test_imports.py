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
place, offline, what = sys.argv[1:]
environ = {
    "ENVMGR_CACHE": f"{place}/cache", "ENVMGR_HOME": f"{place}/home", "ENVMGR_OFFLINE": offline
}
thread = read_ahead(load_settings(environ, Path("/nonexistent")), solving=what == "solving")
if thread is not None:
    thread.join()
print(*sys.modules)
"""


def read_ahead_in(place: Path, what: str, *, offline: bool) -> set[str]:
    """Return the modules there are once those that will be needed were read ahead."""
    done = subprocess.run(
        [sys.executable, "-c", READING, str(place), str(offline).lower(), what],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("fetched_before", "offline", "fetching"),
    [(False, False, True), (True, False, False), (False, True, False)],
)
def test_what_resolves_is_read_ahead_and_what_asks_where_it_is_sure_to(
    tmp_path: Path, fetched_before: bool, offline: bool, fetching: bool
) -> None:
    if fetched_before:
        (tmp_path / "cache" / FORMAT).mkdir(parents=True)
    modules = read_ahead_in(tmp_path, "solving", offline=offline)
    assert "resolvelib" in modules
    assert ("urllib3" in modules) is fetching


@pytest.mark.parametrize(
    ("unpacked_before", "offline", "fetching", "asking"),
    [(False, False, True, True), (True, False, False, False), (False, True, True, False)],
)
def test_what_fetches_is_read_ahead_where_nothing_was_ever_unpacked(
    tmp_path: Path, unpacked_before: bool, offline: bool, fetching: bool, asking: bool
) -> None:
    if unpacked_before:
        (tmp_path / "home" / "store").mkdir(parents=True)
    modules = read_ahead_in(tmp_path, "making", offline=offline)
    assert "resolvelib" not in modules
    assert ("envmgr.index.fetch" in modules) is fetching
    assert ("urllib3" in modules) is asking
