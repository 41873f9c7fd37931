import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import envmgr
from envmgr.events import Event, StageAdvanced, StageFinished, StageStarted
from envmgr.files import remove_tree
from envmgr.hardware.host import RealHost
from envmgr.store.bytecode import CannotCompile, Compiler, is_compiled, needs_compiling
from envmgr.store.entry import Entry, read_manifest
from envmgr.store.store import Store, open_store
from envmgr.store.verify import check_entry
from envmgr.target.discover import discover_interpreters
from envmgr.target.probe import InterpreterUnusable, probe_interpreter
from tests.support.values import replace
from tests.support.views import add, this_interpreter
from tests.support.wheels import make_wheel

WHEEL = make_wheel(
    "demo",
    files={
        "demo/__init__.py": "answer = 42\n",
        "demo/deep/x.py": "import sys\n",
        "demo/old.py": "print 'python 2'\n",
        "demo/broken.py": b"\0\0",
        "demo/tests/test_x.py": "assert True\n",
        "single.py": "y = 1\n",
    },
    data={"scripts/tool.py": "#!python\n"},
)
TAG = this_interpreter().cache_tag


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    yield open_store((tmp_path / "home",))
    remove_tree(tmp_path / "home")


def compile_all(*entries: Entry) -> tuple[int, int, int]:
    with Compiler(this_interpreter()) as compiler:
        for entry in entries:
            compiler.submit(entry, read_manifest(entry))
        done = compiler.finish()
    return done.compiled, done.failed, done.denied


def bytecode(entry: Entry) -> set[str]:
    return {os.path.relpath(path, entry.path) for path in entry.path.rglob("*.pyc")}


def writable(entry: Entry) -> list[str]:
    paths = (entry.path, *entry.path.rglob("*"))
    return [str(path) for path in paths if stat.S_IMODE(path.lstat().st_mode) & 0o222]


def test_bytecode_that_does_not_fit_leaves_nothing(store: Store, tmp_path: Path) -> None:
    import resource

    large = "".join(f"def f{number}(x):\n    return x + {number}\n" for number in range(500))
    files = {"demo/__init__.py": "answer = 42\n", "demo/large.py": large}
    entry = add(store, make_wheel("demo", files=files), tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        assert compile_all(entry)[2] == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert list(entry.path.rglob("*.tmp")) == []
    assert check_entry(entry).findings == ()
    assert compile_all(entry) == (2, 0, 0)


EXPECTED = {
    f"site-packages/{path}.{TAG}.pyc"
    for path in (
        "demo/__pycache__/__init__",
        "demo/deep/__pycache__/x",
        "demo/tests/__pycache__/test_x",
        "__pycache__/single",
    )
}


def test_every_module_that_compiles_is_compiled_and_the_entry_is_read_only_again(
    store: Store, tmp_path: Path
) -> None:
    entry = add(store, WHEEL, tmp_path)
    assert needs_compiling(entry, store, this_interpreter())

    assert compile_all(entry) == (4, 2, 0)

    assert bytecode(entry) == EXPECTED
    assert writable(entry) == []
    assert not needs_compiling(entry, store, this_interpreter())


def test_the_interpreter_takes_the_bytecode_and_never_looks_at_the_source(
    store: Store, tmp_path: Path
) -> None:
    entry = add(store, WHEEL, tmp_path)
    compile_all(entry)
    source = entry.path / "site-packages/demo/__init__.py"
    source.chmod(0o644)
    source.write_text("answer = 'read from the source'\n")
    site = str(entry.path / "site-packages")
    program = f"import sys; sys.path[:0] = [{site!r}]; import demo; print(demo.answer)"

    said = subprocess.run(
        [this_interpreter().executable, "-I", "-c", program], capture_output=True, text=True
    )

    assert said.stdout == "42\n", said.stderr


def test_the_second_time_nothing_is_done(store: Store, tmp_path: Path) -> None:
    entry = add(store, WHEEL, tmp_path)
    compile_all(entry)

    assert compile_all(entry) == (0, 0, 0)


def test_an_entry_without_modules_is_stamped_too(store: Store, tmp_path: Path) -> None:
    entry = add(store, make_wheel("data", files={"data.txt": "x"}), tmp_path)

    assert compile_all(entry) == (0, 0, 0)

    assert is_compiled(entry, this_interpreter())


def test_modules_of_tests_come_last(store: Store, tmp_path: Path) -> None:
    entries = [
        add(
            store,
            make_wheel(name, files={f"{name}/a.py": "", f"{name}/tests/b.py": ""}),
            tmp_path,
        )
        for name in ("one", "two", "three")
    ]
    times = {}

    with Compiler(this_interpreter(), workers=1) as compiler:
        for entry in entries:
            compiler.submit(entry, read_manifest(entry))
    for entry in entries:
        for path in entry.path.rglob("*.pyc"):
            times[path] = path.stat().st_mtime_ns

    order = ["tests" in path.parts for path in sorted(times, key=times.__getitem__)]
    assert order.index(True) >= 2  # what a worker already knew of may come before
    assert order[-1]


def test_what_was_interrupted_is_completed_and_closed_again(store: Store, tmp_path: Path) -> None:
    entry = add(store, WHEEL, tmp_path)
    demo = entry.path / "site-packages/demo"
    compile_all(entry)
    for stamp in entry.path.glob("compiled-*"):
        entry.path.chmod(0o755)
        stamp.unlink()
    demo.chmod(0o755)
    (demo / "__pycache__").chmod(0o755)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (demo / f"__pycache__/x.{TAG}.pyc.{gone.pid}.tmp").write_bytes(b"half")
    (demo / f"__pycache__/__init__.{TAG}.pyc").unlink()

    assert compile_all(entry) == (4, 2, 0)

    assert bytecode(entry) == EXPECTED
    assert list(entry.path.rglob("*.tmp")) == []
    assert writable(entry) == []


def test_processes_that_compile_the_same_do_not_disturb_each_other(
    store: Store, tmp_path: Path
) -> None:
    wheel = make_wheel(
        "big", files={f"big/p{i}/m{j}.py": "x = 1\n" for i in range(20) for j in range(5)}
    )
    entry = add(store, wheel, tmp_path)
    executable = this_interpreter().executable
    program = (
        "from pathlib import Path\n"
        "from envmgr.store.bytecode import Compiler\n"
        "from envmgr.store.entry import Entry, read_manifest\n"
        "from tests.support.views import this_interpreter\n"
        f"entry = Entry({entry.key!r}, Path({str(entry.path)!r}))\n"
        "with Compiler(this_interpreter()) as compiler:\n"
        "    compiler.submit(entry, read_manifest(entry))\n"
        "    assert compiler.finish().denied == 0\n"
    )
    assert executable

    racers = [
        subprocess.Popen([sys.executable, "-c", program], cwd=Path(envmgr.__file__).parents[1])
        for _ in range(3)
    ]

    assert [racer.wait() for racer in racers] == [0, 0, 0]
    assert len(bytecode(entry)) == 100
    assert writable(entry) == []


def test_a_worker_that_dies_is_replaced_and_nothing_is_lost(store: Store, tmp_path: Path) -> None:
    killer = tmp_path / "python"
    victim = tmp_path / "first"
    killer.write_text(
        f'#!/bin/sh\nif mkdir "{victim}" 2>/dev/null; then echo ready; read line; kill -9 $$; fi\n'
        f'exec "{this_interpreter().executable}" "$@"\n'
    )
    killer.chmod(0o755)
    entry = add(store, WHEEL, tmp_path)

    with Compiler(replace(this_interpreter(), executable=str(killer)), workers=1) as compiler:
        compiler.submit(entry, read_manifest(entry))
        done = compiler.finish()

    assert victim.exists()
    assert (done.compiled, done.failed) == (4, 2)


@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 3\n", "#!/does/not/exist\n"])
def test_an_interpreter_that_does_not_run_is_told(store: Store, tmp_path: Path, text: str) -> None:
    useless = tmp_path / "python"
    useless.write_text(text)
    useless.chmod(0o755)
    entry = add(store, WHEEL, tmp_path)
    interpreter = replace(this_interpreter(), executable=str(useless))

    with pytest.raises(CannotCompile) as caught, Compiler(interpreter) as compiler:
        compiler.submit(entry, read_manifest(entry))

    assert "--no-compile" in caught.value.hint
    assert not is_compiled(entry, interpreter)


def test_an_entry_of_a_site_is_left_alone(tmp_path: Path) -> None:
    theirs = add(open_store((tmp_path / "site",)), WHEEL, tmp_path)
    store = open_store((tmp_path / "own", tmp_path / "site"))

    assert not needs_compiling(theirs, store, this_interpreter())
    remove_tree(tmp_path / "site")


def test_progress_is_told(store: Store, tmp_path: Path) -> None:
    entry = add(store, WHEEL, tmp_path)
    events: list[Event] = []

    with Compiler(this_interpreter(), events.append) as compiler:
        compiler.submit(entry, read_manifest(entry))
        compiler.finish()

    assert sum(isinstance(event, StageFinished) for event in events) == 1
    assert events[0] == StageStarted("compile")
    advanced = [event for event in events if isinstance(event, StageAdvanced)]
    assert sum(event.done for event in advanced) == 6
    assert {event.item for event in advanced} == {"demo"}
    assert isinstance(events[-1], StageFinished)
    assert events[-1].items == 4


def test_every_interpreter_of_this_machine_compiles_for_itself(
    store: Store, tmp_path: Path
) -> None:
    host = RealHost({"PATH": os.environ["PATH"]})
    entry = add(store, WHEEL, tmp_path)
    interpreters = {}
    for found in discover_interpreters(host, ()):
        with suppress(InterpreterUnusable):
            probed = probe_interpreter(found.path, host, None)
            if probed.version >= (3, 8):
                interpreters[probed.cache_tag] = probed
    assert interpreters, "no interpreter was found, not even that of these tests"

    for interpreter in interpreters.values():
        with Compiler(interpreter) as compiler:
            compiler.submit(entry, read_manifest(entry))
            assert compiler.finish().compiled == 4

    assert {path.split(".")[-2] for path in bytecode(entry)} == set(interpreters)
    assert writable(entry) == []


def test_an_interrupt_at_the_terminal_does_not_reach_the_workers(
    store: Store, tmp_path: Path
) -> None:
    python, group = this_interpreter().executable, tmp_path / "group"
    spy = tmp_path / "python"
    spy.write_text(
        f'#!/bin/sh\n"{python}" -c "import os; print(os.getpgrp())" > "{group}"\n'
        f'exec "{python}" "$@"\n'
    )
    spy.chmod(0o755)
    entry = add(store, WHEEL, tmp_path)

    with Compiler(replace(this_interpreter(), executable=str(spy)), workers=1) as compiler:
        compiler.submit(entry, read_manifest(entry))

    assert int(group.read_text()) != os.getpgrp()
