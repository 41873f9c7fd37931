"""What the tests of the store's upkeep share: environments by prefix, and time that passed."""

import json
import os
import subprocess
import sys
from pathlib import Path

from envmgr.events import Event
from envmgr.link.generation import read_current
from envmgr.pipeline.create import create
from envmgr.pipeline.types import ByPrefix, Created, CreateRequest
from envmgr.pipeline.upkeep import Collected, collect_store
from envmgr.store.entry import WHEEL_NAME, Entry
from envmgr.store.roots import root_file
from envmgr.store.store import open_store
from tests.support.project import Project

DAY = 24 * 3600.0


def create_at(project: Project, prefix: Path) -> Created:
    """``envmgr create -p PREFIX``."""
    request = CreateRequest(file=project.file, selector=ByPrefix(prefix), groups=None)
    return create(request, project.settings, project.environ, project.events.append)


def collect(project: Project, *, age: float = 0.0, dry_run: bool = False) -> Collected:
    """``envmgr store gc``, of everything unless an ``age`` is given."""
    events: list[Event] = project.events
    return collect_store(project.settings, events.append, age=age, dry_run=dry_run)


def wheels_of(collected: Collected) -> list[str]:
    """Names and versions of what went, sorted."""
    return sorted("-".join(entry.wheel.split("-")[:2]) for entry in collected.entries)


def entry_of(project: Project, prefix: Path, name: str) -> Entry:
    """The entry of a package of the current generation."""
    record = read_current(prefix)
    assert record is not None
    (package,) = [package for package in record.packages if package.name == name]
    entry = open_store(project.settings.stores).find(package.key)
    assert entry is not None
    return entry


def let_pass(project: Project, days: float) -> None:
    """Make every entry and every root look as if this much time had passed."""
    place = open_store(project.settings.stores).path
    for path in (*place.glob(f"entries/*/{WHEEL_NAME}"), *place.glob("roots/*")):
        status = path.stat()
        os.utime(path, (status.st_atime, status.st_mtime - days * DAY))


def rewrite_root(project: Project, prefix: Path, **facts: object) -> None:
    """Change what a root says."""
    file = root_file(open_store(project.settings.stores).path, prefix)
    file.write_text(json.dumps({**json.loads(file.read_bytes()), **facts}), "utf-8")


def gc_process(project: Project, code: str = "") -> "subprocess.Popen[str]":
    """Start a process that runs ``code``, then collects everything and prints the keys."""
    program = (
        f"{code}\n"
        "import sys\n"
        "from pathlib import Path\n"
        "from envmgr.pipeline.upkeep import collect_store\n"
        "from envmgr.spec.settings import load_settings\n"
        "import os\n"
        "settings = load_settings(dict(os.environ), Path('/'))\n"
        "done = collect_store(settings, lambda event: None, age=0.0)\n"
        "print(' '.join(entry.key for entry in done.entries))\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env={**project.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
    )
