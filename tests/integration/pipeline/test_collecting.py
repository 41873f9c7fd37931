"""``store gc``: what goes, what stays, and that nobody who is using something notices."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from envmgr.files import remove_tree
from envmgr.link.prefix import current_generation
from envmgr.link.root import ROOT, renew_root
from envmgr.names import EnvironmentName, StoreKey
from envmgr.pipeline.environments import delete
from envmgr.pipeline.types import ByName, ByPrefix
from envmgr.store.collect import collect as collect_entries
from envmgr.store.leases import COLLECTING, LEASES, announce_collection
from envmgr.store.roots import read_roots
from envmgr.store.staging import machine_token
from envmgr.store.store import open_store
from tests.support.index_server import IndexServer, Slow
from tests.support.project import Project
from tests.support.upkeep import (
    collect,
    create_at,
    entry_of,
    gc_process,
    let_pass,
    rewrite_root,
    wheels_of,
)

SAY = "import alpha; print(alpha.__version__)"


@pytest.fixture
def made(project: Project) -> Project:
    project.write("alpha ==1.0")
    project.create()
    return project


def delete_named(project: Project) -> None:
    delete(ByName(EnvironmentName("project")), project.settings, project.events.append)


def test_what_any_kept_generation_needs_stays(made: Project) -> None:
    made.write("alpha ==2.0")
    made.create()
    made.write("checks")
    made.create(name="other")

    collected = collect(made)

    assert collected.entries == ()
    assert collected.needed == len(made.entries()) == 4
    assert made.python(SAY) == "2.0"


def test_what_no_environment_needs_goes_and_the_rest_stays(made: Project) -> None:
    made.write("checks")
    made.create(name="other")
    kept = made.entries()
    made.write("alpha ==2.0", "beta ==1.0")
    made.create(name="third")
    delete(ByName(EnvironmentName("third")), made.settings, made.events.append)

    collected = collect(made)

    assert wheels_of(collected) == ["alpha-2.0", "beta-1.0"]
    assert collected.bytes == sum(entry.bytes for entry in collected.entries) > 0
    assert kept <= made.entries()
    assert made.python(SAY) == "1.0"


def test_a_dry_run_says_the_same_and_leaves_everything(made: Project) -> None:
    delete_named(made)
    before = made.entries()

    would = collect(made, dry_run=True)

    assert made.entries() == before
    assert would.dry_run
    assert [entry.key for entry in would.entries] == [entry.key for entry in collect(made).entries]
    assert made.entries() == set()


def test_what_was_linked_lately_stays_until_it_is_old_enough(made: Project) -> None:
    delete_named(made)
    let_pass(made, days=29)
    collected = collect(made, age=30 * 86400)
    assert (collected.entries, collected.young) == ((), 1)

    let_pass(made, days=2)
    assert wheels_of(collect(made, age=30 * 86400)) == ["alpha-1.0"]


def test_linking_an_entry_makes_it_young_again(made: Project) -> None:
    let_pass(made, days=100)
    made.create(name="other")
    delete(ByName(EnvironmentName("other")), made.settings, made.events.append)
    delete_named(made)

    assert collect(made, age=30 * 86400).young == 1


def test_a_prefix_that_was_removed_by_hand_counts_no_more(made: Project, tmp_path: Path) -> None:
    made.write("alpha ==2.0")
    create_at(made, tmp_path / "env")
    assert collect(made).entries == ()
    remove_tree(tmp_path / "env")

    collected = collect(made)

    assert wheels_of(collected) == ["alpha-2.0", "beta-1.1"]
    assert collected.gone == (tmp_path / "env",)
    assert collect(made).gone == ()


def test_deleting_an_environment_drops_its_root(made: Project, tmp_path: Path) -> None:
    create_at(made, tmp_path / "env")
    place = open_store(made.settings.stores).path
    assert tmp_path / "env" in {root.prefix for root in read_roots(place)}

    delete(ByPrefix(tmp_path / "env"), made.settings, made.events.append)

    assert tmp_path / "env" not in {root.prefix for root in read_roots(place)}


def test_a_prefix_on_a_file_system_that_is_not_there_counts(made: Project, tmp_path: Path) -> None:
    (tmp_path / "mount").mkdir()
    made.write("alpha ==2.0")
    prefix = create_at(made, tmp_path / "mount" / "env").prefix
    (tmp_path / "mount").rename(tmp_path / "elsewhere")

    collected = collect(made)

    assert collected.entries == ()
    assert collected.unseen == (prefix,)
    assert f"{prefix} cannot be looked into" in made.told()

    let_pass(made, days=31)
    assert wheels_of(collect(made)) == ["alpha-2.0", "beta-1.1"]


@pytest.mark.parametrize("facts", [{"device": 1}, {"host": "another"}])
def test_a_bare_mount_point_or_another_host_does_not_make_a_prefix_gone(
    made: Project, tmp_path: Path, facts: dict[str, object]
) -> None:
    made.write("alpha ==2.0")
    prefix = create_at(made, tmp_path / "env").prefix
    remove_tree(prefix)
    rewrite_root(made, prefix, **facts)

    assert collect(made).entries == ()
    assert collect(made).unseen == (prefix,)


def test_running_something_renews_the_root_of_an_unseen_prefix(
    made: Project, tmp_path: Path
) -> None:
    (tmp_path / "mount").mkdir()
    made.write("alpha ==2.0")
    prefix = create_at(made, tmp_path / "mount" / "env").prefix
    let_pass(made, days=31)
    subprocess.run(
        [sys.executable, "-m", "envmgr", "run", "-p", prefix, "python", "-c", ""],
        check=True,
        env={**made.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    (tmp_path / "mount").rename(tmp_path / "elsewhere")

    assert collect(made).entries == ()


def test_an_environment_that_was_moved_registers_again(made: Project, tmp_path: Path) -> None:
    prefix = create_at(made, tmp_path / "env").prefix
    moved = prefix.rename(tmp_path / "moved")
    made.sync(ByPrefix(moved))
    delete_named(made)

    assert collect(made).entries == ()
    assert (moved / "bin" / "python").exists()


def test_an_environment_the_store_does_not_know_registers_though_nothing_changed(
    made: Project, tmp_path: Path
) -> None:
    prefix = create_at(made, tmp_path / "env").prefix
    remove_tree(open_store(made.settings.stores).path / "roots")
    (prefix / ROOT).unlink()
    assert not renew_root(prefix)

    assert create_at(made, prefix).made == "unchanged"

    delete_named(made)
    assert collect(made).entries == ()


def test_links_speak_for_a_generation_whose_record_cannot_be_read(made: Project) -> None:
    (current_generation(made.prefix) / "generation.json").write_text("{")

    assert collect(made).entries == ()
    assert made.python(SAY) == "1.0"


def test_what_a_create_under_way_has_unpacked_stays(project: Project, server: IndexServer) -> None:
    project.write("alpha ==1.0", "beta ==1.0")
    project.lock()
    server.fail("/files/beta*.whl", Slow(0.6))
    with subprocess.Popen(
        [sys.executable, "-m", "envmgr", "-qq", "create", "-f", project.file],
        env={**project.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as creating:
        while not [name for name in project.entries() if not name.startswith(".")]:
            assert creating.poll() is None
            time.sleep(0.005)
        collected = collect(project)
        assert creating.poll() is None, "it ended before the collection did"
    assert creating.returncode == 0
    assert (collected.entries, collected.in_use) == ((), 1)
    assert project.python(SAY) == "1.0"


def test_a_create_waits_for_a_collection_that_is_deciding(project: Project) -> None:
    project.write("alpha ==1.0")
    project.create(name="first")
    place = open_store(project.settings.stores).path
    creating = threading.Thread(target=project.create)
    with announce_collection(place):
        creating.start()
        while "which is collecting the store" not in project.told():
            assert creating.is_alive()
            time.sleep(0.005)
        assert not (project.prefix / ".envmgr" / "current").exists()
    creating.join()
    assert project.python(SAY) == "1.0"
    assert f"waiting for process {os.getpid()}" in project.told()


def test_nobody_waits_for_a_collection_of_another_host_for_longer_than_a_minute(
    project: Project,
) -> None:
    project.write("alpha ==1.0")
    project.create(name="first")
    announced = open_store(project.settings.stores).path / COLLECTING / "0badcafe-1-0"
    announced.parent.mkdir()
    announced.write_text('{"host": "another", "pid": 1}')
    long_ago = announced.stat().st_mtime - 61
    os.utime(announced, (long_ago, long_ago))

    project.create(name="second")
    assert "waiting for" not in project.told()

    os.utime(announced)
    creating = threading.Thread(target=project.create)
    creating.start()
    while "waiting for process 1 on another" not in project.told():
        assert creating.is_alive()
        time.sleep(0.005)
    announced.unlink()
    creating.join()
    assert project.python(SAY) == "1.0"


def test_a_lease_that_is_written_while_a_collection_decides_is_seen(made: Project) -> None:
    delete_named(made)
    store = open_store(made.settings.stores)
    (key,) = made.entries()
    lease = store.path / LEASES / f"{machine_token()}-{os.getpid()}-0"

    def slowly(_now: float) -> tuple[frozenset[StoreKey], tuple[Path, ...]]:
        lease.write_text(json.dumps({"keys": [key]}))
        return frozenset(), ()

    done = collect_entries(store.path, slowly, 0.0)
    lease.unlink()

    assert (done.entries, done.in_use) == ((), 1)
    assert made.entries() == {key}


def test_creating_while_collections_go_on_and_on_never_breaks_an_environment(
    project: Project,
) -> None:
    project.write("checks", "beta ==1.1")
    project.lock()
    loop = (
        "import os, sys, threading\n"
        "from pathlib import Path\n"
        "from envmgr.pipeline.upkeep import collect_store\n"
        "from envmgr.spec.settings import load_settings\n"
        "settings = load_settings(dict(os.environ), Path('/'))\n"
        "removed = 0\n"
        "ended = threading.Event()\n"
        "threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()\n"
        "while not ended.is_set():\n"
        "    removed += len(collect_store(settings, lambda event: None, age=0.0).entries)\n"
        "print(removed)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", loop],
        env={**project.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as collecting:
        for _ in range(15):
            project.create()
            assert project.python("import alpha, beta, checks; print(alpha.__version__)") == "2.0"
            delete_named(project)
        removed, _ = collecting.communicate("")
    assert collecting.returncode == 0
    assert int(removed) > 0


KILL = """
import os, signal, sys
left = {count}
def hook(event, arguments):
    global left
    if event in ("os.rename", "os.remove", "os.rmdir") and "/entries/" in str(arguments[0]):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(hook)
"""


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8])
def test_a_collection_that_is_killed_leaves_whole_entries_and_the_next_one_ends_it(
    made: Project, count: int
) -> None:
    made.write("checks", "beta ==1.1")
    made.create(name="other")
    delete(ByName(EnvironmentName("other")), made.settings, made.events.append)

    with gc_process(made, KILL.format(count=count)) as killed:
        pass
    assert killed.returncode == -signal.SIGKILL

    for name in made.entries():
        if not name.startswith("."):
            assert (made.settings.home / "store/v1/entries" / name / "wheel-name").exists()
    collect(made)
    assert len(made.entries()) == 1
    assert made.python(SAY) == "1.0"
    place = open_store(made.settings.stores).path
    made.create(name="again")
    assert not os.listdir(place / COLLECTING)
    assert not os.listdir(place / LEASES)


def test_two_collections_at_once_share_the_work(made: Project) -> None:
    made.write("checks", "beta ==1.1")
    made.create(name="other")
    delete(ByName(EnvironmentName("other")), made.settings, made.events.append)
    unneeded = len(made.entries()) - 1

    with gc_process(made) as one, gc_process(made) as two:
        removed = [*one.communicate()[0].split(), *two.communicate()[0].split()]

    assert (one.returncode, two.returncode) == (0, 0)
    assert len(removed) == len(set(removed)) == unneeded
    assert len(made.entries()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="what others have open is known on Linux")
@pytest.mark.parametrize("holding", ["cwd", "map", "file"])
def test_what_a_program_of_a_deleted_environment_has_open_stays(
    made: Project, holding: str
) -> None:
    entry = entry_of(made, made.prefix, "alpha").path
    file = next(entry.glob("site-packages/alpha/__init__.py"))
    code = {
        "cwd": f"import os; os.chdir({str(entry)!r})",
        "map": f"import mmap; f = open({str(file)!r}, 'rb'); "
        "m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ); f.close()",
        "file": f"f = open({str(file)!r})",
    }[holding]
    with subprocess.Popen(
        [sys.executable, "-c", f"{code}; print('ready', flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        delete_named(made)
        collected = collect(made)
        program.communicate("\n")
    assert (collected.entries, collected.in_use) == ((), 1)
    assert wheels_of(collect(made)) == ["alpha-1.0"]


HOLD = """
from pathlib import Path
from envmgr.store.collect import collect as collect_entries
from envmgr.store.leases import hold_lease
with hold_lease(Path({place!r}), [{key!r}]):
    print('ready', flush=True)
    input()
"""


def test_the_lease_of_a_dead_process_holds_nothing(made: Project) -> None:
    delete_named(made)
    place = open_store(made.settings.stores).path
    (key,) = made.entries()
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            HOLD.format(place=str(place), key=key),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        assert collect(made).in_use == 1
        holder.kill()
    assert len(os.listdir(place / LEASES)) == 1
    assert wheels_of(collect(made)) == ["alpha-1.0"]
    assert os.listdir(place / LEASES) == []


def test_a_root_says_what_its_prefix_needs(made: Project) -> None:
    place = open_store(made.settings.stores).path
    (root,) = read_roots(place)
    assert root.prefix == made.prefix
    assert root.keys == made.entries()
    assert json.loads(root.file.read_bytes())["uid"] == os.getuid()
    assert (made.prefix / ROOT).resolve() == root.file.resolve()
