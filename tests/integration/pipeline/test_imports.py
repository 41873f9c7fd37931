"""What a command imports: the stages that it skips cost it nothing."""

import subprocess
import sys
from pathlib import Path

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
