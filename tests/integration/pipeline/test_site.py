"""Entries of a site's store that may go: they are copied before a view links to them.

The site's owner is whoever runs the tests, its user another uid.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from envmgr.events import Event, StageAdvanced, StageFinished, StageStarted
from envmgr.files import remove_tree
from envmgr.link.generation import read_current
from envmgr.names import EnvironmentName
from envmgr.pipeline.copies import clone
from envmgr.pipeline.create import create
from envmgr.pipeline.generations import GenerationBroken, rollback
from envmgr.pipeline.types import ByName, ByPrefix, CreateRequest
from envmgr.pipeline.upkeep import disk_use
from envmgr.store.bytecode import Compiler, is_compiled
from envmgr.store.copy import NotCopied, copy_into
from envmgr.store.entry import MANIFEST, Entry, read_manifest
from envmgr.store.errors import StoreFull
from envmgr.store.facts import survey_entry
from envmgr.store.store import Store, open_store
from envmgr.store.verify import check_entry
from envmgr.wheel.manifest import FileFacts, decode_manifest, encode_manifest
from tests.support.index_server import IndexServer
from tests.support.project import Project
from tests.support.sites import as_user, make_site, make_user, shared_directory
from tests.support.upkeep import collect, create_at, entry_of
from tests.support.users import as_nobody
from tests.support.views import add, this_interpreter
from tests.support.wheels import make_wheel

ALPHA = make_wheel(
    "alpha",
    "1.0",
    files={
        "alpha/__init__.py": "__version__ = '1.0'\nfrom alpha.deep import VALUE\n",
        "alpha/deep/__init__.py": "VALUE = 7\n",
        "alpha/large.bin": b"x" * 3_000_000,
        "alpha-1.0.data/scripts/alpha": "#!python\nprint('alpha')\n",
    },
)
BETA = make_wheel("beta", "1.0")

_warm = (MANIFEST, survey_entry, StoreFull, Compiler)  # imported before a fork


@pytest.fixture
def shared() -> Iterator[Path]:
    with shared_directory() as directory:
        yield directory


@pytest.fixture
def server() -> Iterator[IndexServer]:
    with IndexServer([ALPHA, BETA]) as running:
        yield running


@pytest.fixture
def site(shared: Path, server: IndexServer) -> Project:
    return make_site(shared, server.url)


@pytest.fixture
def user(shared: Path, server: IndexServer, site: Project) -> Project:
    return make_user(shared, server.url, site, cached=False)


def site_store(site: Project) -> Store:
    return open_store(site.settings.stores)


def fill(site: Project, shelf: Path) -> tuple[Entry, Entry]:
    """Entries without any root: somebody unpacked them once."""
    store = site_store(site)
    return add(store, ALPHA, shelf), add(store, BETA, shelf)


def own(project: Project) -> Path:
    return project.settings.stores[0] / "v1" / "entries"


def store_of(project: Project, name: str) -> Path:
    """Where the current generation's entry of a package stands."""
    return entry_of(project, project.prefix, name).path.parent


def test_what_no_root_of_the_site_reaches_is_copied_and_outlives_it(
    site: Project, user: Project, tmp_path: Path
) -> None:
    theirs = fill(site, tmp_path)

    done = as_user(user, user.create)

    assert (done["copied"], done["unpacked"], done["fetched"]) == (2, 0, 0)
    assert store_of(user, "alpha") == own(user)
    for entry in theirs:
        copy = Entry(entry.key, own(user) / entry.key)
        assert check_entry(copy).findings == ()
        assert read_manifest(copy) == read_manifest(entry)
    assert len(collect(site).entries) == 2
    assert user.python("import alpha, beta; print(alpha.VALUE)") == "7"


def test_progress_of_copying_is_told(site: Project, user: Project, tmp_path: Path) -> None:
    fill(site, tmp_path)

    user.create()

    stages = [each for each in user.events if getattr(each, "stage", "") == "copy"]
    assert isinstance(stages[0], StageStarted)
    assert stages[0].total == 2
    advanced = {each.item for each in stages if isinstance(each, StageAdvanced)}
    assert advanced == {ALPHA.filename, BETA.filename}
    assert isinstance(stages[-1], StageFinished)
    assert stages[-1].items == 2


def test_what_an_environment_of_the_owner_reaches_is_linked_and_stays(
    site: Project, user: Project
) -> None:
    site.create()

    done = as_user(user, user.create)

    assert (done["copied"], done["unpacked"]) == (0, 0)
    assert store_of(user, "alpha") == own(site)
    assert collect(site).entries == ()
    assert not own(user).exists() or not any(own(user).iterdir())
    assert as_user(user, user.sync)["made"] == "unchanged"


def test_what_stands_at_the_site_is_no_disk_use_of_ones_own(site: Project, user: Project) -> None:
    site.create()
    as_user(user, user.create)

    def attempt() -> str:
        (row,) = disk_use(None, user.settings, user.events.append).environments
        return json.dumps([row.own.entries, row.shared.entries])

    assert json.loads(as_nobody(attempt)) == [0, 2]


def test_an_environment_of_the_owner_that_was_deleted_publishes_nothing(
    site: Project, user: Project
) -> None:
    site.create()
    remove_tree(site.prefix)

    assert as_user(user, user.create)["copied"] == 2


def test_a_root_of_another_user_publishes_nothing(
    site: Project, user: Project, tmp_path: Path
) -> None:
    """It goes when that user likes, and nobody is told."""
    fill(site, tmp_path)
    (site_store(site).path / "roots").mkdir(mode=0o777)
    (site_store(site).path / "roots").chmod(0o1777)
    as_user(user, user.create)
    second = Project(user.directory, user.index_url, user.variables)

    done = as_user(second, lambda: create_at(second, user.directory / "second"))

    assert any((site_store(site).path / "roots").iterdir())
    assert done["copied"] == 0  # its own store has them
    assert entry_of(second, user.directory / "second", "alpha").path.parent == own(user)


def test_a_site_that_hears_of_everybody_is_linked_to(
    site: Project, user: Project, tmp_path: Path
) -> None:
    fill(site, tmp_path)
    for name in ("roots", "leases"):
        (site_store(site).path / name).mkdir(exist_ok=True)
        (site_store(site).path / name).chmod(0o1777)

    assert as_user(user, user.create)["copied"] == 0
    assert store_of(user, "alpha") == own(site)
    assert collect(site).entries == ()


def test_what_the_owner_lets_go_of_is_brought_by_the_next_sync(
    site: Project, user: Project
) -> None:
    site.create()
    as_user(user, user.create)
    remove_tree(site.prefix)

    done = as_user(user, user.sync)

    assert (done["made"], done["copied"]) == ("updated", 2)
    assert len(collect(site).entries) == 2
    assert user.python("import alpha; print(alpha.VALUE)") == "7"
    assert as_user(user, user.sync)["made"] == "unchanged"


def value_in(prefix: Path) -> str:
    python = str(prefix / "bin" / "python")
    code = "import alpha, beta; print(alpha.VALUE)"
    done = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_clone_has_copies_of_what_may_go(site: Project, user: Project) -> None:
    site.create()
    as_user(user, user.create)
    remove_tree(site.prefix)
    copy = ByName(EnvironmentName("copy"))

    def attempt() -> str:
        here = clone(ByPrefix(user.prefix), copy, user.settings, user.events.append)
        return str(here.prefix)

    prefix = Path(as_nobody(attempt))

    assert len(collect(site).entries) == 2
    assert value_in(prefix) == "7"
    record = read_current(prefix)
    assert record is not None
    assert record.stores == (str(own(user)),)


@pytest.mark.parametrize("gone", [False, True], ids=["may-go", "gone"])
def test_going_back_brings_what_the_owner_let_go_of(
    site: Project, user: Project, *, gone: bool
) -> None:
    site.create()
    as_user(user, user.create)
    user.write("alpha", "beta", more="variables: {A: b}\n")
    remove_tree(site.prefix)
    as_user(user, user.create)  # copies: our own store has what the first generation needs
    if gone:
        assert len(collect(site).entries) == 2
    else:
        remove_tree(user.settings.stores[0])

    def attempt() -> str:
        done = rollback(ByName(EnvironmentName("project")), 1, user.settings, user.events.append)
        return json.dumps([done.number, user.told()])

    number, told = json.loads(as_nobody(attempt))

    assert number == 3
    assert "generation 1 leads to entries that are gone or may go" in told
    assert store_of(user, "alpha") == own(user)
    collect(site)
    assert user.python("import alpha, beta; print(alpha.VALUE)") == "7"
    assert as_nobody(lambda: str(user.sync().made)) == "updated"  # forward again


def test_a_clone_of_somebody_elses_environment_does_not_need_their_store(
    site: Project, shared: Path
) -> None:
    """Their store is no site's; what they delete is gone."""
    site.create()
    (shared / "lone").mkdir()
    lone = Project(shared / "lone", site.index_url)
    copy = ByName(EnvironmentName("copy"))

    prefix = clone(ByPrefix(site.prefix), copy, lone.settings, lone.events.append).prefix

    remove_tree(site.directory)

    assert value_in(prefix) == "7"


def test_a_clone_whose_interpreter_may_not_be_read_is_refused(site: Project, user: Project) -> None:
    site.create()
    closed = user.directory / "closed"
    closed.mkdir()
    python = site.prefix / "bin" / "python"
    base = python.readlink()
    (closed / "python").symlink_to(base)
    (site.prefix.resolve() / "bin" / "python").unlink()
    (site.prefix.resolve() / "bin" / "python").symlink_to(closed / "python")
    closed.chmod(0o000)
    copy = ByName(EnvironmentName("copy"))

    def attempt() -> str:
        try:
            clone(ByPrefix(site.prefix), copy, user.settings, user.events.append)
        except GenerationBroken as error:
            return str(error)
        return "cloned"

    assert f"{closed / 'python'}" in as_nobody(attempt)


def test_a_clone_that_cannot_copy_is_told_and_leaves_nothing(site: Project, user: Project) -> None:
    site.create()
    as_user(user, user.create)
    remove_tree(site.prefix)
    alpha = next(each for each in site_store(site).own_entries() if each.key == ALPHA.sha256)
    spoil(alpha, "alpha/deep/__init__.py", b"VALUE = 8\n")
    copy = ByName(EnvironmentName("copy"))

    def attempt() -> str:
        try:
            clone(ByPrefix(user.prefix), copy, user.settings, user.events.append)
        except NotCopied as error:
            return str(error)
        return "cloned"

    said = as_nobody(attempt)

    assert said.endswith("alpha/deep/__init__.py has other contents than its manifest says")
    assert not (user.settings.environments / "copy" / ".envmgr" / "current").exists()


def spoil(entry: Entry, path: str, data: bytes) -> None:
    """Write other contents into a file of an entry, which keeps its mode."""
    file = entry.path / "site-packages" / path
    mode = file.stat().st_mode
    file.chmod(0o644)
    file.write_bytes(data)
    file.chmod(mode)


def test_bytecode_that_fits_comes_along(site: Project, tmp_path: Path) -> None:
    entry, _ = fill(site, tmp_path)
    interpreter = this_interpreter()
    with Compiler(interpreter) as compiler:
        compiler.submit(entry, read_manifest(entry))

    copy = open_store((tmp_path / "own",)).add_copy(entry)

    assert is_compiled(copy, interpreter)
    assert list(copy.path.rglob("*.pyc"))
    assert bytecode_of(copy) == bytecode_of(entry)
    assert check_entry(copy).findings == ()


def bytecode_of(entry: Entry) -> dict[str, bytes]:
    files = entry.path.rglob("*.pyc")
    return {str(path.relative_to(entry.path)): path.read_bytes() for path in files}


@pytest.mark.parametrize("fault", ["of another source", "by a program", "unreadable", "other"])
def test_bytecode_that_does_not_fit_stays_behind(
    site: Project, user: Project, tmp_path: Path, fault: str
) -> None:
    entry, _ = fill(site, tmp_path)
    interpreter = this_interpreter()
    with Compiler(interpreter) as compiler:
        compiler.submit(entry, read_manifest(entry))
    (file,) = (entry.path / "site-packages/alpha/deep/__pycache__").glob("*.pyc")
    data = file.read_bytes()
    changes = {
        "of another source": data[:8] + b"\0" * 8 + data[16:],
        "by a program": data[:4] + b"\0" * 4 + data[8:],
        "other": b"\0" * 4 + data[4:],
        "unreadable": data,
    }
    file.chmod(0o644)
    file.write_bytes(changes[fault])
    file.chmod(0o000 if fault == "unreadable" else 0o444)

    as_user(user, user.create)

    copy = Entry(entry.key, own(user) / entry.key)
    assert not is_compiled(copy, interpreter)
    assert not list((copy.path / "site-packages/alpha/deep").rglob("*.pyc"))
    assert list((copy.path / "site-packages/alpha/__pycache__").glob("*.pyc"))
    assert check_entry(copy).findings == ()


@pytest.mark.parametrize("fault", ["unreadable", "changed", "longer", "gone", "link", "closed"])
def test_an_entry_that_cannot_be_copied_is_told_and_fetched(
    site: Project, user: Project, tmp_path: Path, fault: str
) -> None:
    entry, _ = fill(site, tmp_path)
    file = entry.path / "site-packages/alpha/deep/__init__.py"
    match fault:
        case "unreadable":
            file.chmod(0o000)
        case "changed":
            spoil(entry, "alpha/deep/__init__.py", b"VALUE = 8\n")
        case "longer":
            spoil(entry, "alpha/deep/__init__.py", b"VALUE = 7\n\n")
        case "closed":
            (entry.path / "site-packages").chmod(0o700)
        case _:
            file.parent.chmod(0o755)
            file.unlink()
            if fault == "link":
                file.symlink_to("/etc/passwd")
            file.parent.chmod(0o555)

    done = as_user(user, user.create)

    assert (done["copied"], done["unpacked"]) == (1, 1)
    assert f"{entry.path}" in str(done["told"])
    assert "its wheel is fetched" in str(done["told"])
    assert check_entry(Entry(entry.key, own(user) / entry.key)).findings == ()
    assert user.python("import alpha; print(alpha.VALUE)") == "7"


def rewrite_manifest(entry: Entry, path: str) -> None:
    """Let the manifest of an entry name one more file."""
    from msgspec.structs import replace

    file = entry.path / MANIFEST
    manifest = decode_manifest(file.read_bytes())
    facts = FileFacts(path, 4, False, "0" * 64)
    entry.path.chmod(0o755)
    file.chmod(0o644)
    file.write_bytes(encode_manifest(replace(manifest, files=(facts, *manifest.files))))
    entry.path.chmod(0o555)


@pytest.mark.parametrize("path", ["site-packages/../../evil", "/evil", "../evil", "evil", "data/"])
def test_a_manifest_that_leads_out_of_the_entry_is_refused(
    site: Project, tmp_path: Path, path: str
) -> None:
    entry, _ = fill(site, tmp_path)
    rewrite_manifest(entry, path)
    target = tmp_path / "a" / "b"
    target.mkdir(parents=True)

    with pytest.raises(NotCopied, match="the manifest has"):
        copy_into(entry, str(target))

    assert not list(tmp_path.rglob("evil"))


def test_a_manifest_that_agrees_with_changed_files_is_found_out_by_the_record(
    site: Project, tmp_path: Path
) -> None:
    entry, _ = fill(site, tmp_path)
    spoil(entry, "alpha/deep/__init__.py", b"VALUE = 8\n")
    entry.path.chmod(0o755)
    (entry.path / MANIFEST).unlink()  # computed again from what is there
    (tmp_path / "copy").mkdir()

    with pytest.raises(NotCopied, match="is not what the wheel's RECORD says"):
        copy_into(entry, str(tmp_path / "copy"))


def test_an_entry_that_goes_before_it_is_copied_is_fetched_without_a_word(
    site: Project, user: Project, tmp_path: Path
) -> None:
    fill(site, tmp_path)

    def report(event: Event) -> None:
        user.events.append(event)
        if isinstance(event, StageStarted) and event.stage == "copy":
            assert len(collect(site).entries) == 2

    request = CreateRequest(file=user.file, selector=None, groups=None)
    made = create(request, user.settings, user.environ, report)

    assert (made.copied, made.unpacked) == (0, 2)
    assert "cannot be copied" not in user.told()
    assert user.python("import alpha; print(alpha.VALUE)") == "7"


def test_a_collection_by_the_owner_while_it_is_copied_leaves_a_whole_copy_or_none(
    site: Project, tmp_path: Path
) -> None:
    """Its files go one by one under the copying process; what stands then is whole."""
    wheel = make_wheel("many", files={f"many/m{n}.py": f"x = {n}\n" for n in range(2000)})
    outcomes = set()
    for attempt in range(6):
        entry = add(site_store(site), wheel, tmp_path / "shelf")
        copying = process(site, tmp_path / f"own-{attempt}", entry)
        time.sleep(0.05 * attempt)
        collect(site)
        assert copying.wait() in (0, 1)
        place = tmp_path / f"own-{attempt}" / "v1" / "entries"
        left = sorted(os.listdir(place)) if place.is_dir() else []
        outcomes.add(tuple(left))
        for name in left:
            assert name == entry.key
            assert check_entry(Entry(entry.key, place / name)).findings == ()
    assert outcomes <= {(), (wheel.sha256,)}


def process(site: Project, store: Path, entry: Entry) -> "subprocess.Popen[str]":
    """Copy an entry in a process of its own; exit 1 where it could not be."""
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from envmgr.store.copy import NotCopied\n"
        "from envmgr.store.entry import Entry\n"
        "from envmgr.store.store import open_store\n"
        "try:\n"
        f"    open_store((Path({str(store)!r}),)).add_copy("
        f"Entry({entry.key!r}, Path({str(entry.path)!r})))\n"
        "except NotCopied:\n    sys.exit(1)\n"
    )
    environ = {**site.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, "-c", program], env=environ, text=True)


def test_processes_that_copy_the_same_entry_end_with_one(site: Project, tmp_path: Path) -> None:
    entry, _ = fill(site, tmp_path)

    running = [process(site, tmp_path / "own", entry) for _ in range(4)]

    assert [each.wait() for each in running] == [0, 0, 0, 0]
    assert os.listdir(tmp_path / "own" / "v1" / "entries") == [entry.key]
    copy = Entry(entry.key, tmp_path / "own" / "v1" / "entries" / entry.key)
    assert check_entry(copy).findings == ()


def test_a_process_killed_while_it_copies_leaves_what_is_swept(
    site: Project, tmp_path: Path
) -> None:
    wheel = make_wheel("many", files={f"many/m{n}.py": f"x = {n}\n" for n in range(3000)})
    entry = add(site_store(site), wheel, tmp_path / "shelf")
    copying = process(site, tmp_path / "own", entry)
    place = tmp_path / "own" / "v1" / "entries"
    while not list(place.glob(".staging-*/site-packages/many/m1.py")):
        assert copying.poll() is None, "it ended before it could be killed"
    copying.kill()
    copying.wait()

    open_store((tmp_path / "own",)).add_copy(entry)

    assert os.listdir(place) == [entry.key]


def test_a_full_disk_of_ones_own_is_told_and_leaves_nothing(
    site: Project, user: Project, tmp_path: Path
) -> None:
    """A file system of 1 MiB, in a mount namespace of its own."""
    fill(site, tmp_path)
    (user.directory / "home").mkdir(exist_ok=True)
    script = (
        f"mount -t tmpfs -o size=1m none {user.directory}/home && "
        f"{sys.executable} -m envmgr create -f {user.file}; "
        f"echo $?; ls -A {own(user)}"
    )
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "--user", "sh", "-c", script],
        env={**user.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )

    code, *left = done.stdout.split()
    assert code == "9", done.stderr
    assert "there is no space left in the store" in done.stderr
    assert ALPHA.filename in done.stderr
    assert ALPHA.sha256 not in left
    assert not [name for name in left if name.startswith(".")]


def test_what_the_kernel_does_not_copy_is_copied_by_hand(site: Project, tmp_path: Path) -> None:
    """Between file systems of two kinds."""
    elsewhere = Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        entry = add(open_store((elsewhere,)), ALPHA, tmp_path)
        copy = open_store((tmp_path / "own",)).add_copy(entry)
        assert check_entry(copy).findings == ()
    finally:
        remove_tree(elsewhere)


def test_a_store_of_ones_own_alone_asks_no_site(user: Project) -> None:
    """Nothing of this is paid for by whoever has one store."""
    lone = Project(user.directory, user.index_url)
    made = lone.create()
    assert (made.copied, made.unpacked) == (0, 2)
    assert "copy" not in made.seconds


def test_the_command_line_says_what_it_copied(site: Project, tmp_path: Path) -> None:
    fill(site, tmp_path)
    store = str(site.settings.stores[0])
    project = Project(tmp_path, site.index_url, {"ENVMGR_STORES": store})
    project.write("alpha", "beta")
    done = subprocess.run(
        [sys.executable, "-m", "envmgr", "create", "-f", project.file, "--json"],
        env={**project.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["result"]["copied"] == 2
    assert "copied 2 entries of the site" in done.stderr
