"""What runs side by side goes by the processors that a process may use, not by the machine's."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from envmgr.events import Event
from envmgr.files import remove_tree
from envmgr.store.processes import processors
from envmgr.store.store import open_store
from envmgr.store.verify import check_entries
from tests.support.views import add
from tests.support.wheels import make_wheel

ROOT = Path(__file__).parents[3]

CHECKERS = """
import sys
from pathlib import Path
from tests.integration.store.test_processors import bind_to_one, checkers
bind_to_one()
print(checkers(Path(sys.argv[1])))
"""

bound = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity here")


def bind_to_one() -> None:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def checkers(place: Path) -> int:
    """The most threads that were seen to check four entries."""
    store = open_store((place / "home",))
    entries = [add(store, make_wheel("demo", f"{n}.0"), place / "shelf") for n in range(1, 5)]
    seen: set[str] = set()

    def report(_event: Event) -> None:
        seen.update(each.name for each in threading.enumerate() if each.name.startswith("verify"))

    assert len(list(check_entries(entries, report))) == len(entries)
    remove_tree(place / "home")
    return len(seen)


@bound
def test_a_store_is_verified_by_no_more_threads_than_the_job_has_processors(
    tmp_path: Path,
) -> None:
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", CHECKERS, str(tmp_path)]
    said = subprocess.run(words, env=here, check=True, capture_output=True, text=True)
    assert said.stdout == "1\n"


@bound
def test_the_processors_are_those_that_this_process_may_use() -> None:
    assert processors() == len(os.sched_getaffinity(0))
