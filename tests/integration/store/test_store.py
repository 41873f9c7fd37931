import errno
import os
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import envmgr
from envmgr.errors import ExitCode
from envmgr.files import remove_tree
from envmgr.helper import Helper, HelperDied
from envmgr.names import StoreKey
from envmgr.store.entry import MANIFEST, Entry, EntryDamaged, read_manifest
from envmgr.store.errors import StoreFull, StoreNotWritable, store_failure
from envmgr.store.staging import machine_token
from envmgr.store.store import Store, open_store
from envmgr.wheel.archive import BrokenWheel, UnsafeWheel
from envmgr.wheel.manifest import encode_manifest
from tests.support.users import as_nobody
from tests.support.views import add
from tests.support.wheels import Wheel, make_wheel
from tests.support.zips import ZipMember


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield open_store((tmp_path / "home",))
    remove_tree(tmp_path / "home")


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user can reach, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp(prefix="envmgr-test-"))
    directory.chmod(0o777)
    yield directory
    remove_tree(directory)


def leftovers(store: Store) -> list[str]:
    return sorted(os.listdir(store.path / "entries"))


RICH = make_wheel(
    "demo",
    files={"demo/__init__.py": "x = 1\n", "demo/deep/er/data.bin": b"\0" * 100_000},
    data={"data/share/demo.txt": "hi", "scripts/tool": "#!python\n", "headers/demo.h": "//\n"},
    entry_points={"console_scripts": {"run-demo": "demo:main"}},
    executable=("demo/deep/er/data.bin",),
)


def test_a_wheel_becomes_an_entry_with_its_facts(store: Store, tmp_path: Path) -> None:
    entry = add(store, RICH, tmp_path)

    assert (entry.path / "site-packages/demo/__init__.py").read_text() == "x = 1\n"
    assert (entry.path / "data/share/demo.txt").read_text() == "hi"
    assert (entry.path / "scripts/tool").read_text() == "#!python\n"
    assert (entry.path / "headers/demo.h").read_text() == "//\n"
    manifest = read_manifest(entry)
    assert (manifest.name, manifest.version, manifest.wheel) == ("demo", "1.0", RICH.filename)
    assert manifest.data == ("data", "headers", "scripts")
    assert store.find(entry.key) == entry
    assert store.made == store.path


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_an_entry_is_read_only_throughout_whatever_the_umask(
    store: Store, tmp_path: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        entry = add(store, RICH, tmp_path)
    finally:
        os.umask(before)

    modes = {
        os.path.relpath(path, entry.path): stat.S_IMODE(os.lstat(path).st_mode)
        for directory, directories, names in os.walk(entry.path)
        for path in (directory, *(os.path.join(directory, name) for name in names))
    }
    assert modes.pop("scripts/tool") == 0o555
    assert modes.pop("site-packages/demo/deep/er/data.bin") == 0o555
    directories = {path for path in modes if (entry.path / path).is_dir()}
    assert {modes[path] for path in directories} == {0o555}
    assert {mode for path, mode in modes.items() if path not in directories} == {0o444}


def test_an_entry_that_is_there_is_not_made_again(store: Store, tmp_path: Path) -> None:
    first = add(store, RICH, tmp_path)
    made = (first.path / MANIFEST).stat().st_ino

    assert add(store, RICH, tmp_path) == first
    assert (first.path / MANIFEST).stat().st_ino == made


def test_many_threads_make_one_entry(store: Store, tmp_path: Path) -> None:
    wheel = RICH.write_to(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        entries = set(
            pool.map(lambda _: store.add_wheel(wheel, RICH.filename, RICH.sha256), range(16))
        )

    assert len(entries) == 1
    assert leftovers(store) == [RICH.sha256]


def test_processes_that_do_not_wait_for_each_other_end_with_one_whole_entry(
    store: Store, tmp_path: Path
) -> None:
    wheel = RICH.write_to(tmp_path)
    add(store, make_wheel("other"), tmp_path)
    remove_tree(store.path / "locks")  # whoever opens the store now makes entries without a lock
    (store.path / "locks").write_text("no directory", "ascii")
    program = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        from envmgr.store.store import open_store, Store
        store = Store((Path({str(tmp_path / "home")!r}),))
        store._prepare = lambda: None
        sys.stdin.readline()
        store.add_wheel(Path({str(wheel)!r}), {RICH.filename!r}, {RICH.sha256!r})
        """
    )
    root = Path(envmgr.__file__).parents[1]
    racers = [
        subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, cwd=root)
        for _ in range(4)
    ]

    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write(b"go\n")
        racer.stdin.close()

    assert [racer.wait() for racer in racers] == [0, 0, 0, 0]
    entry = store.find(StoreKey(RICH.sha256))
    assert entry is not None
    assert read_manifest(entry).name == "demo"
    assert [name for name in leftovers(store) if name.startswith(".")] == []


def spoil(member: str) -> Wheel:
    def edit(members: list[ZipMember]) -> list[ZipMember]:
        return [
            ZipMember(name=each.name, data=b"evil", mode=each.mode) if each.name == member else each
            for each in members
        ]

    return make_wheel("bad", files={"bad/a.py": "good", "bad/b.py": "good"}, edit_members=edit)


@pytest.mark.parametrize(
    ("wheel", "refusal"),
    [
        (spoil("bad/b.py"), BrokenWheel),
        (make_wheel("bad", files={"../evil.py": "x"}), UnsafeWheel),
        (make_wheel("bad", files={"/etc/evil": "x"}), UnsafeWheel),
        (make_wheel("bad", files={"bad.py": "x"}, dist_info="good-1.0.dist-info"), BrokenWheel),
    ],
)
def test_a_bad_wheel_is_exit_8_and_leaves_nothing(
    store: Store, tmp_path: Path, wheel: Wheel, refusal: type[Exception]
) -> None:
    add(store, make_wheel("good"), tmp_path)
    before = leftovers(store)

    with pytest.raises(refusal) as caught:
        add(store, wheel, tmp_path)

    assert getattr(caught.value, "exit_code", None) is ExitCode.INTEGRITY
    assert leftovers(store) == before


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_makes_is_not(
    store: Store, tmp_path: Path
) -> None:
    entries = store.path / "entries"
    entries.mkdir(parents=True)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    dead = entries / f".staging-{machine_token()}-{gone.pid}-aa"
    alive = entries / f".staging-{machine_token()}-{os.getpid()}-bb"
    elsewhere = entries / ".staging-0badcafe-1-cc"
    old = entries / ".staging-0badcafe-1-dd"
    for directory in (dead, alive, elsewhere, old):
        (directory / "site-packages").mkdir(parents=True)
        (directory / "site-packages").chmod(0o555)
    os.utime(old, (0, 0))

    add(store, RICH, tmp_path)

    assert [each.exists() for each in (dead, alive, elsewhere, old)] == [False, True, True, False]


def test_a_process_killed_while_it_unpacks_leaves_a_store_that_works(
    store: Store, tmp_path: Path
) -> None:
    wheel = make_wheel("big", files={f"big/m{i}.py": f"x = {i}\n" * 50 for i in range(3000)})
    path = wheel.write_to(tmp_path)
    program = (
        "import sys; from pathlib import Path; from envmgr.store.store import open_store; "
        f"open_store((Path({str(tmp_path / 'home')!r}),))"
        f".add_wheel(Path({str(path)!r}), {wheel.filename!r}, {wheel.sha256!r})"
    )
    unpacking = subprocess.Popen(
        [sys.executable, "-c", program], cwd=Path(envmgr.__file__).parents[1]
    )
    while not list(store.path.glob("entries/.staging-*/site-packages/big/m1.py")):
        assert unpacking.poll() is None, "it ended before it could be killed"
    unpacking.kill()
    unpacking.wait()
    assert store.find(StoreKey(wheel.sha256)) is None

    entry = add(store, wheel, tmp_path)

    assert len(list((entry.path / "site-packages/big").iterdir())) == 3000
    assert leftovers(store) == [wheel.sha256]


@pytest.mark.parametrize("written", ["own", "job/../own", "./own", "own/"])
def test_an_entry_is_ours_however_the_root_is_written(tmp_path: Path, written: str) -> None:
    (tmp_path / "job").mkdir()
    store = open_store((Path(f"{tmp_path}/{written}"),))
    entry = add(store, RICH, tmp_path)
    assert store.owns(entry)
    assert store.find(entry.key) == entry
    remove_tree(tmp_path)


def test_a_site_store_is_searched_and_never_written(tmp_path: Path) -> None:
    site, own = tmp_path / "site", tmp_path / "own"
    theirs = add(open_store((site,)), RICH, tmp_path)
    both = open_store((own, site))

    assert add(both, RICH, tmp_path) == theirs
    ours = add(both, make_wheel("other"), tmp_path)

    assert not both.owns(theirs)
    assert both.owns(ours)
    assert ours.path.is_relative_to(own)
    remove_tree(tmp_path)


def test_a_store_that_cannot_be_written_is_exit_9_and_names_the_way_out(
    open_directory: Path,
) -> None:
    wheel = RICH.write_to(open_directory)
    locked = open_directory / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    store = open_store((locked,))

    def attempt() -> str:
        with pytest.raises(StoreNotWritable) as caught:
            store.add_wheel(wheel, RICH.filename, RICH.sha256)
        return f"{caught.value} | {caught.value.hint} | {caught.value.exit_code}"

    said = as_nobody(attempt)

    assert said.startswith(f"the store {store.path} cannot be written: permission denied | ")
    assert "ENVMGR_HOME" in said
    assert said.endswith("| 9")


def test_somebody_without_privileges_fills_a_store_and_cannot_change_an_entry(
    open_directory: Path,
) -> None:
    wheel = RICH.write_to(open_directory)
    store = open_store((open_directory / "home",))

    def attempt() -> str:
        entry = store.add_wheel(wheel, RICH.filename, RICH.sha256)
        outcomes = []
        for path in ("site-packages/demo/new.py", "site-packages/demo/__init__.py", "new"):
            try:
                (entry.path / path).write_text("evil")
                outcomes.append("written")
            except PermissionError:
                outcomes.append("denied")
        return " ".join([entry.key, *outcomes])

    assert as_nobody(attempt) == f"{RICH.sha256} denied denied denied"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_file_system_is_told_as_such(number: int) -> None:
    failure = store_failure(Path("/store"), "x.whl", OSError(number, os.strerror(number)))

    assert isinstance(failure, StoreFull)
    assert str(failure) == "there is no space left in the store /store to unpack x.whl"


def test_a_wheel_that_does_not_fit_leaves_nothing(store: Store, tmp_path: Path) -> None:
    import resource

    wheel = make_wheel("big", files={"big/data.bin": os.urandom(300_000)})
    path = wheel.write_to(tmp_path)
    add(store, RICH, tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(StoreNotWritable, match="file too large"):
            store.add_wheel(path, wheel.filename, wheel.sha256)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert leftovers(store) == [RICH.sha256]


def test_a_wheel_that_is_not_there_is_not_the_stores_fault(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.add_wheel(tmp_path / "gone.whl", RICH.filename, RICH.sha256)


@pytest.mark.parametrize("damage", [b"", b"\x81\xb0manifest_version\x00"])
def test_an_unreadable_or_older_manifest_is_computed_again(
    store: Store, tmp_path: Path, damage: bytes
) -> None:
    entry = add(store, RICH, tmp_path)
    true = (entry.path / MANIFEST).read_bytes()
    (entry.path / "site-packages/demo").chmod(0o755)
    (entry.path / "site-packages/demo/__pycache__").mkdir()
    (entry.path / "site-packages/demo/__pycache__/x.cpython-312.pyc").write_bytes(b"")
    (entry.path / MANIFEST).chmod(0o644)
    (entry.path / MANIFEST).write_bytes(damage)

    again = read_manifest(entry)

    assert encode_manifest(again) == true
    assert (entry.path / MANIFEST).read_bytes() == true
    assert stat.S_IMODE(entry.path.stat().st_mode) == 0o555


def test_an_entry_without_its_files_is_told_as_damaged(tmp_path: Path) -> None:
    entry = Entry(StoreKey("0" * 64), tmp_path / "entry")
    (tmp_path / "entry").mkdir()

    with pytest.raises(EntryDamaged) as caught:
        read_manifest(entry)

    assert caught.value.exit_code is ExitCode.INTEGRITY


def test_a_helper_adds_what_this_process_would(store: Store, tmp_path: Path) -> None:
    wheel = RICH.write_to(tmp_path)
    alone = open_store((tmp_path / "alone",))
    with Helper() as helper:
        theirs = store.add_wheel(wheel, RICH.filename, RICH.sha256, helper)
        again = store.add_wheel(wheel, RICH.filename, RICH.sha256, helper)
    own = alone.add_wheel(wheel, RICH.filename, RICH.sha256)
    assert theirs == again
    assert store.made == store.path
    assert tree(theirs.path) == tree(own.path)
    remove_tree(tmp_path / "alone")


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(root)): (
            path.stat().st_mode,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in root.rglob("*")
    }


def test_a_helper_refuses_as_this_process_would(store: Store, tmp_path: Path) -> None:
    broken = make_wheel("demo", edit_record=lambda rows: rows[1:])
    wheel = broken.write_to(tmp_path)
    with Helper() as helper, pytest.raises(BrokenWheel, match="RECORD does not list it"):
        store.add_wheel(wheel, broken.filename, broken.sha256, helper)
    assert leftovers(store) == []


def test_what_an_ended_helper_leaves_is_swept(store: Store, tmp_path: Path) -> None:
    files = {f"demo/m{number}.py": f"x = {number}\n" for number in range(20_000)}
    large = make_wheel("demo", files=files)
    wheel = large.write_to(tmp_path)
    with Helper() as helper, ThreadPoolExecutor(1) as pool:
        adding = pool.submit(store.add_wheel, wheel, large.filename, large.sha256, helper)
        while not (store.path / "entries").is_dir() or not leftovers(store):
            assert not adding.done()
        helper.end()
        with pytest.raises(HelperDied):
            adding.result()
    assert leftovers(store) != []
    store.sweep()
    assert leftovers(store) == []
