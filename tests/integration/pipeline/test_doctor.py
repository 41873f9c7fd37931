"""``doctor`` on environments and stores to which everything happened."""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from envmgr.events import silent
from envmgr.files import remove_tree
from envmgr.link.generation import generation_path, read_current
from envmgr.locks import Holder, encode_holder, held_lock, holder_path
from envmgr.names import EnvironmentName
from envmgr.pipeline.errors import NoSuchEnvironment
from envmgr.pipeline.health.doctor import Diagnosis, Scope, diagnose
from envmgr.pipeline.types import ByName, ByPrefix
from envmgr.store.store import open_store
from tests.support.index_faults import Status
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.purge import purge
from tests.support.sites import shared_directory
from tests.support.upkeep import create_at, entry_of
from tests.support.users import as_nobody
from tests.support.wheels import make_wheel

PROJECT = ByName(EnvironmentName("project"))
FINDINGS = {"network", "memory", "space", "inodes", "noexec"}
"""Of the machine that the tests run on, whatever it is."""


def look(project: Project, scope: Scope = "all", **variables: str) -> Diagnosis:
    environ = {**project.environ, **variables}
    return diagnose(scope, project.settings, environ, silent)


def told(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    return [
        (each.check, each.severity) for each in diagnosis.complaints if each.check not in FINDINGS
    ]


def text(diagnosis: Diagnosis) -> str:
    return "\n".join(
        f"{each.message} / {each.advice} / {' '.join(each.details)}"
        for each in diagnosis.complaints
    )


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    wheels = [
        make_wheel("deep", files={"deep/__init__.py": "", "deep/a/b/last.py": "x = 1\n"}),
        make_wheel("flat"),
    ]
    with IndexServer(wheels) as server:
        project = Project(tmp_path, server.url)
        project.write("deep", "flat")
        project.create()
        yield project


def snapshot(directory: Path) -> dict[str, tuple[int, int, int]]:
    found = {}
    for path in (directory, *directory.rglob("*")):
        status = path.lstat()
        found[str(path)] = (status.st_mode, status.st_mtime_ns, status.st_ctime_ns)
    return found


@pytest.mark.parametrize("scope", [None, "all", PROJECT], ids=["quick", "all", "one"])
def test_a_healthy_machine_is_no_complaint_and_nothing_is_changed(
    scope: Scope, project: Project
) -> None:
    (project.directory / "home/store/v1/leases").mkdir(exist_ok=True)
    lease = project.directory / "home/store/v1/leases/00000000-1-dead"
    lease.write_text('{"keys": []}')
    os.utime(lease, (0, 0))
    before = snapshot(project.directory)

    diagnosis = look(project, scope)

    assert told(diagnosis) == []
    assert diagnosis.environments == (project.prefix,)
    assert scope is None or diagnosis.entries == 2
    assert snapshot(project.directory) == before


def test_nothing_made_yet_is_well_too(tmp_path: Path) -> None:
    project = Project(tmp_path, "https://wheels.example.org/simple/")
    assert told(look(project)) == []
    assert os.listdir(tmp_path) == []


@dataclass(frozen=True)
class Harm:
    """What is done, what is found by it, and words of what is said."""

    do: Callable[[Project], object]
    found: set[tuple[str, str]]
    words: tuple[str, ...]
    scope: Scope = "all"


def generation(project: Project) -> Path:
    record = read_current(project.prefix)
    assert record is not None
    return generation_path(project.prefix, record.id)


def store_of(project: Project) -> Path:
    return open_store(project.settings.stores).path


def purge_deeply(project: Project) -> None:
    path = entry_of(project, project.prefix, "deep").path / "site-packages/deep/a/b/last.py"
    path.parent.chmod(0o755)
    path.unlink()
    path.parent.chmod(0o555)


def change(project: Project) -> None:
    path = entry_of(project, project.prefix, "deep").path / "site-packages/deep"
    path.chmod(0o755)
    (path / "more.py").write_text("")
    path.chmod(0o555)


def lose_an_entry(project: Project) -> None:
    remove_tree(entry_of(project, project.prefix, "flat").path)


def lose_links(project: Project) -> None:
    next(generation(project).glob("lib/*/site-packages/deep")).unlink()


def lose_the_interpreter(project: Project, version: str = "", python: str = "") -> None:
    record = generation(project) / "generation.json"
    facts = json.loads(record.read_bytes())
    facts["python"] = python or facts["python"]
    facts["python_version"] = version or facts["python_version"]
    record.write_text(json.dumps(facts))


def older_generation_broken(project: Project) -> None:
    lost = entry_of(project, project.prefix, "flat").path
    project.write("deep")
    project.create()
    remove_tree(lost)


def leave_things(project: Project) -> None:
    (store_of(project) / "entries/.staging-00000000-1-x").mkdir()
    os.utime(store_of(project) / "entries/.staging-00000000-1-x", (0, 0))
    (project.prefix / ".envmgr/generations/half").mkdir()
    dead = Holder(host=os.uname().nodename, pid=2**22 + 1, command="envmgr create", since="then")
    for lock in (project.prefix / ".envmgr/lock", store_of(project) / "locks/ab.lock"):
        lock.touch()
        holder_path(lock).write_bytes(encode_holder(dead))


HARMS = {
    "purged": Harm(
        lambda project: purge(store_of(project) / "entries", 0.9, 1),
        {("links", "problem"), ("purged", "problem")},
        ("as purges of unused files on scratch do", "envmgr store repair", "ENVMGR_HOME"),
    ),
    "purged, deeply": Harm(
        purge_deeply, {("purged", "problem")}, ("deep 1.0", "1 of 5 files are gone")
    ),
    "purged, quickly seen": Harm(
        lambda project: purge(store_of(project) / "entries", 1.1, 1),
        {("links", "problem"), ("purged", "problem")},
        ("files of 2 packages in the store are gone",),
        None,
    ),
    "changed": Harm(
        change, {("damaged", "problem")}, ("a program changed", "more.py is no file of the wheel")
    ),
    "an entry gone": Harm(
        lose_an_entry,
        {("entries", "problem"), ("links", "problem")},
        ("cannot be found in the store", "flat 1.0", "envmgr sync -n project"),
    ),
    "the store gone": Harm(
        lambda project: remove_tree(project.directory / "home/store"),
        {("store-gone", "problem")},
        ("is gone", "mounted", "envmgr sync -n project"),
    ),
    "links gone": Harm(
        lose_links, {("purged", "problem")}, ("deep 1.0: 2 of 5 files", "envmgr sync -n project")
    ),
    "current gone": Harm(
        lambda project: (project.prefix / ".envmgr/current").unlink(),
        {("environment", "problem")},
        (".envmgr/current is gone", "envmgr create -f", "-n project"),
    ),
    "a link of the prefix gone": Harm(
        lambda project: (project.prefix / "bin").unlink(),
        {("links", "problem")},
        ("do not lead into its generation",),
    ),
    "interpreter gone": Harm(
        lambda project: lose_the_interpreter(project, python="/no/python3"),
        {("interpreter", "problem")},
        ("/no/python3", "is gone", "install it again"),
    ),
    "interpreter of another version": Harm(
        lambda project: lose_the_interpreter(project, version="3.1.0"),
        {("interpreter", "problem")},
        ("was Python 3.1.0 and is 3.", "it finds no package"),
    ),
    "interpreter of another patch": Harm(
        lambda project: lose_the_interpreter(
            project, version=f"{sys.version_info[0]}.{sys.version_info[1]}.99"
        ),
        {("interpreter", "note")},
        (".99 and is 3.",),
    ),
    "older generation broken": Harm(
        older_generation_broken,
        {("generation", "note")},
        ("generation 1 of project cannot be used", "flat 1.0"),
    ),
    "moved": Harm(
        lambda project: project.prefix.rename(project.prefix.with_name("elsewhere")),
        {("moved", "problem"), ("roots", "note")},
        ("was made at", "envmgr sync -n elsewhere"),
    ),
    "deleted": Harm(
        lambda project: shutil.rmtree(project.prefix),
        {("roots", "note")},
        ("deleted, moved, or purged",),
    ),
    "file gone": Harm(lambda project: project.file.unlink(), {("file", "note")}, ("is gone",)),
    "lock gone": Harm(lambda project: project.lock_file.unlink(), {("lock", "note")}, ("anew",)),
    "leftovers": Harm(
        leave_things,
        {("leftovers", "note"), ("lock", "note")},
        ("killed processes left", "never finished", "envmgr create"),
    ),
}


@pytest.mark.parametrize("name", HARMS)
def test_what_happened_is_found_and_explained(name: str, project: Project) -> None:
    harm = HARMS[name]
    harm.do(project)
    before = snapshot(project.directory)

    diagnosis = look(project, harm.scope)

    assert {*told(diagnosis)} == harm.found
    for word in harm.words:
        assert word in text(diagnosis)
    assert diagnosis.healthy == all(severity == "note" for _, severity in harm.found)
    assert snapshot(project.directory) == before


def test_what_it_says_to_do_helps(project: Project) -> None:
    purge(store_of(project) / "entries", 0.7, 3)
    lose_links(project)
    assert not look(project).healthy

    project.sync()

    assert told(look(project)) == []


def test_an_environment_at_a_prefix_that_the_store_forgot_is_a_problem(project: Project) -> None:
    prefix = project.directory / "env"
    create_at(project, prefix)
    assert {*look(project).environments} == {project.prefix, prefix}
    for root in (store_of(project) / "roots").iterdir():
        root.unlink()

    assert told(look(project)) == []  # nobody knows of it, and named ones need no root
    diagnosis = look(project, ByPrefix(prefix))
    assert told(diagnosis) == [("root", "problem")]
    assert f"envmgr sync -p {prefix}" in text(diagnosis)


def test_one_that_is_being_changed_is_left_in_peace(project: Project) -> None:
    (project.prefix / ".envmgr/generations/half").mkdir()
    with held_lock(project.prefix / ".envmgr/lock", "testing"):
        diagnosis = look(project)
    assert told(diagnosis) == [("lock", "note")]
    assert f"is being changed by process {os.getpid()} on " in text(diagnosis)


def test_who_is_not_there_is_an_error(project: Project) -> None:
    with pytest.raises(NoSuchEnvironment):
        look(project, ByName(EnvironmentName("nobody")))


def test_a_site_store_that_is_gone_or_closed_to_others_is_told(project: Project) -> None:
    there = Project(
        project.directory, project.index_url, {"ENVMGR_STORES": str(project.directory / "site")}
    )
    diagnosis = look(there)
    assert told(diagnosis) == [("place", "problem")]
    assert "which `stores` names, is not there" in text(diagnosis)

    store = store_of(project)
    (store / "roots").chmod(0o1777)
    project.directory.chmod(0o700)
    (store / "entries").chmod(0o750)
    found = [each for each in look(project).complaints if each.check == "sharing"]
    assert len(found) == 1
    assert {str(store / "entries"), str(project.directory)} <= {*found[0].details}


def test_what_may_not_be_looked_at_is_told_and_the_rest_looked_at() -> None:
    with shared_directory() as shared:
        project = Project(shared, "https://wheels.example.org/simple/")
        for name in ("home/store/v1/roots", "home/environments"):
            (shared / name).mkdir(parents=True)
            (shared / name).chmod(0o700)

        answer = as_nobody(lambda: json.dumps([*told(look(project)), text(look(project))]))

    *found, said = json.loads(answer)
    assert ["place", "problem"] in found
    assert "cannot be written" in said
    assert ["store", "problem"] in found
    assert "make them readable for you" in said
    assert "the environments in" in said


@pytest.mark.parametrize(
    ("faulty", "words"),
    [(False, ""), (True, "answers with HTTP status 403")],
)
def test_indexes_are_asked_where_that_is_wanted(
    faulty: bool, words: str, project: Project, tmp_path: Path
) -> None:
    with IndexServer([make_wheel("alpha")]) as server:
        if faulty:
            server.fail("*packaging*", Status(403))
        there = Project(tmp_path, server.url, {"ENVMGR_INDEX_URL": server.url})
        diagnosis = diagnose(PROJECT, there.settings, there.environ, silent, online=True)
        assert server.count("*packaging*") == 1
    found = [each for each in diagnosis.complaints if each.check == "index"]
    assert len(found) == faulty
    assert diagnosis.online
    assert words in text(diagnosis)


def test_an_index_that_nobody_answers_for_is_told(project: Project) -> None:
    closed = IndexServer([])
    with closed:
        url = closed.url
    there = Project(project.directory, url, {"ENVMGR_INDEX_URL": url})
    diagnosis = diagnose(PROJECT, there.settings, there.environ, silent, online=True)
    assert ("index", "problem") in told(diagnosis)


def test_a_colleagues_environment_is_known_to_the_colleagues_store(
    project: Project, tmp_path: Path
) -> None:
    prefix = tmp_path / "env"
    create_at(project, prefix)
    (tmp_path / "colleague").mkdir()
    colleague = Project(tmp_path / "colleague", project.index_url)

    assert told(look(colleague, ByPrefix(prefix))) == []
    for root in (store_of(project) / "roots").iterdir():
        root.unlink()
    assert told(look(colleague, ByPrefix(prefix))) == [("root", "problem")]
