"""A site and its user: two projects, of which one reads the other's store under another uid."""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from envmgr.files import remove_tree
from envmgr.pipeline.types import Created
from tests.support.interpreters import need_python_for_others
from tests.support.project import Project
from tests.support.users import NOBODY, as_nobody


@contextmanager
def shared_directory() -> Iterator[Path]:
    """A directory that everybody may write in, and that nobody else's modes stand around."""
    directory = Path(tempfile.mkdtemp(prefix="envmgr-test-"))
    directory.chmod(0o777)
    yield directory
    remove_tree(directory)


def make_site(shared: Path, index_url: str) -> Project:
    """The site: what its owner makes, in a store that others only read."""
    project = Project(shared / "site", index_url)
    project.directory.mkdir()
    project.write("alpha", "beta")
    return project


def make_user(shared: Path, index_url: str, site: Project, *, cached: bool) -> Project:
    """Somebody whose second store is the site's; everything is locked, and perhaps cached."""
    need_python_for_others()
    store = str(site.settings.stores[0])
    project = Project(shared / "user", index_url, {"ENVMGR_STORES": store})
    project.directory.mkdir()
    project.write("alpha", "beta")
    project.lock()
    if not cached:
        remove_tree(project.settings.cache)
    for path in (project.directory, *project.directory.rglob("*")):
        if os.geteuid() == 0:
            os.chown(path, NOBODY, NOBODY)
    return project


def as_user(project: Project, action: Callable[[], Created]) -> dict[str, object]:
    """What a command did as the user, and what it told."""

    def attempt() -> str:
        made = action()
        facts = {"made": made.made, "copied": made.copied, "unpacked": made.unpacked}
        return json.dumps({**facts, "told": project.told(), "fetched": made.fetched})

    return dict(json.loads(as_nobody(attempt)))
