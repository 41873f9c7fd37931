"""A process keeps the generation that it started with."""

import json
import subprocess
from pathlib import Path

import pytest

from envmgr.link.generation import generation_path, switch_generation
from envmgr.link.prefix import current_generation
from envmgr.store.store import Store
from tests.support.views import add, make_view, run, this_interpreter
from tests.support.wheels import make_wheel

SEEN = (
    "import sys, json, site; print(json.dumps({'prefix': sys.prefix, 'exec_prefix': "
    "sys.exec_prefix, 'executable': sys.executable, 'path': sys.path, 'sites': "
    "site.getsitepackages(), 'finders': [type(f).__name__ for f in sys.meta_path]}))"
)


@pytest.mark.parametrize("options", [(), ("-I",), ("-E",), ("-s",)])
def test_a_program_started_through_the_prefix_runs_in_its_generation(
    store: Store, tmp_path: Path, prefix: Path, options: tuple[str, ...]
) -> None:
    make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])
    program = tmp_path / "program.py"
    program.write_text(SEEN)

    seen = json.loads(run(prefix / "bin/python", *options, str(program)))

    generation = str(current_generation(prefix))
    site = f"{generation}/{this_interpreter().site_packages}"
    assert seen["prefix"] == seen["exec_prefix"] == generation
    assert seen["executable"] == f"{generation}/bin/python"
    assert seen["sites"][-1] == site
    assert seen["path"].count(site) == 1
    within = [path for path in seen["path"] if path.startswith(str(prefix))]
    assert [path for path in within if not path.startswith(generation)] == []
    assert "_Last" not in seen["finders"]


def test_a_probe_is_told_the_prefix_which_stays(store: Store, tmp_path: Path, prefix: Path) -> None:
    make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])

    seen = json.loads(run(prefix / "bin/python", "-I", "-c", SEEN))

    assert seen["prefix"] == str(prefix)
    assert seen["executable"] == str(prefix / "bin/python")
    assert seen["path"][-1] == str(prefix / this_interpreter().site_packages)


def test_the_prefix_may_be_reached_by_any_way_through_it(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])
    link = tmp_path / "link"
    link.symlink_to(prefix)
    say = "import sys, alpha; print(sys.prefix)"
    generation = current_generation(prefix)

    assert run(prefix / ".envmgr/current/bin/python", "-c", say) == str(generation)
    assert run(generation / "bin/python3", "-c", say) == str(generation)
    through = run(link / "bin/python", "-c", say)
    assert Path(through) == current_generation(link)


def test_imports_after_a_switch_still_find_what_was_there(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    old, new = (add(store, make_wheel("alpha", version), tmp_path) for version in ("1", "2"))
    make_view(prefix, [old])
    program = "input('ready\\n'); import alpha; print(alpha.__version__)"
    running = subprocess.Popen(
        [prefix / "bin/python", "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"

    make_view(prefix, [new])
    said, _ = running.communicate("\n")

    assert said == "1\n"
    assert run(prefix / "bin/python", "-c", "import alpha; print(alpha.__version__)") == "2"


def test_a_rollback_is_a_switch(store: Store, tmp_path: Path, prefix: Path) -> None:
    old, new = (add(store, make_wheel("alpha", version), tmp_path) for version in ("1", "2"))
    first = make_view(prefix, [old])
    make_view(prefix, [new])

    switch_generation(prefix, first)

    assert run(prefix / "bin/python", "-c", "import alpha; print(alpha.__version__)") == "1"


def test_paths_that_other_pth_files_add_are_moved_too(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    files = {"AAA.pth": "first\n", "zzz.pth": "last\n", "first/f.py": "", "last/l.py": ""}
    make_view(prefix, [add(store, make_wheel("paths", files=files), tmp_path)])

    seen = json.loads(run(prefix / "bin/python", "-c", SEEN))

    site = f"{current_generation(prefix)}/{this_interpreter().site_packages}"
    ours = [path for path in seen["path"] if str(prefix) in path]
    assert sorted(ours) == [site, f"{site}/first", f"{site}/last"]


def test_only_the_start_up_module_is_loaded_in_addition(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])
    bare = tmp_path / "bare"
    subprocess.run([this_interpreter().executable, "-m", "venv", "--without-pip", bare], check=True)
    (bare / this_interpreter().site_packages / "any.pth").write_text("# 3.13 decodes these\n")
    say = "import sys; print(' '.join(sorted(sys.modules)))"

    with_us = set(run(prefix / "bin/python", "-I", "-c", say).split())
    without = set(run(bare / "bin/python", "-I", "-c", say).split())

    assert with_us - without == {"_envmgr"}


def test_variables_are_set_unless_the_user_has_set_them(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    entry = add(store, make_wheel("alpha"), tmp_path)
    make_view(prefix, [entry], variables={"OURS": "it's ours", "BOTH": "ours"})
    say = "import os; print(os.environ['OURS'], os.environ['BOTH'])"

    assert run(prefix / "bin/python", "-c", say, environ={"BOTH": "theirs"}) == "it's ours theirs"


@pytest.mark.parametrize("options", [(), ("-I",)])
def test_a_variable_may_name_a_place_of_the_generation(
    store: Store, tmp_path: Path, prefix: Path, options: tuple[str, ...]
) -> None:
    entry = add(store, make_wheel("alpha"), tmp_path)
    make_view(prefix, [entry], variables={"MPI4PY_LIBMPI": "{prefix}/lib/libmpi.so.12"})
    say = "import os; print(os.environ['MPI4PY_LIBMPI'])"

    told = f"{current_generation(prefix)}/lib/libmpi.so.12"
    assert run(prefix / "bin/python", *options, "-c", say) == told
    mine = {"MPI4PY_LIBMPI": "/opt/mine.so"}
    assert run(prefix / "bin/python", *options, "-c", say, environ=mine) == "/opt/mine.so"


@pytest.mark.parametrize("other", ["{prefix}/lib/libmpi.so.40", None])
def test_a_place_of_one_environment_is_not_handed_to_programs_of_another(
    store: Store, tmp_path: Path, prefix: Path, other: str | None
) -> None:
    entry = add(store, make_wheel("alpha"), tmp_path)
    make_view(prefix, [entry], variables={"MPI4PY_LIBMPI": "{prefix}/lib/libmpi.so.12"})
    second = tmp_path / "second"
    make_view(second, [entry], variables={} if other is None else {"MPI4PY_LIBMPI": other})
    say = "import os; print(os.environ.get('MPI4PY_LIBMPI'))"
    start = f"import subprocess; subprocess.run([{str(second / 'bin/python')!r}, '-c', {say!r}])"

    told = f"{current_generation(second)}/lib/libmpi.so.40" if other else "None"
    assert run(prefix / "bin/python", "-c", start) == told


def test_without_site_nothing_of_ours_runs(store: Store, tmp_path: Path, prefix: Path) -> None:
    make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])

    said = run(prefix / "bin/python", "-S", "-c", "import sys; print('_envmgr' in sys.modules)")

    assert said == "False"


def test_every_interpreter_of_this_machine_is_pinned(store: Store, tmp_path: Path) -> None:
    import os
    from contextlib import suppress

    from envmgr.hardware.host import RealHost
    from envmgr.target.discover import discover_interpreters
    from envmgr.target.probe import InterpreterUnusable, probe_interpreter

    entry = add(store, make_wheel("alpha", files={"alpha.py": "", "zz.pth": "x\n"}), tmp_path)
    host = RealHost({"PATH": os.environ["PATH"]})
    tried = 0
    for number, found in enumerate(discover_interpreters(host, ())):
        with suppress(InterpreterUnusable):
            interpreter = probe_interpreter(found.path, host, None)
            if interpreter.version < (3, 8):
                continue
            prefix = tmp_path / str(number)
            generation = make_view(prefix, [entry], interpreter=interpreter)

            seen = json.loads(run(prefix / "bin/python", "-c", SEEN))

            assert seen["prefix"] == str(generation_path(prefix, generation)), found.path
            outside = [path for path in seen["path"] if path.startswith(f"{prefix}/lib")]
            assert outside == [], found.path
            tried += 1
    assert tried
