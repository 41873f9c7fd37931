import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import envmgr
from envmgr.errors import ExitCode
from envmgr.events import Event, Noted
from envmgr.files import remove_tree
from envmgr.link.prefix import (
    EnvironmentsHidden,
    NoEnvironment,
    PrefixKind,
    PrefixTaken,
    PrefixUnusable,
    current_generation,
    delete_prefix,
    ensure_prefix,
    environments_under,
    lock_prefix,
    prefix_kind,
)
from envmgr.store.store import Store
from tests.support.users import as_nobody
from tests.support.views import add, make_view
from tests.support.wheels import make_wheel

REPOSITORY = Path(envmgr.__file__).parents[1]


@pytest.fixture
def open_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="envmgr-test-"))
    directory.chmod(0o777)
    yield directory
    remove_tree(directory)


def test_a_prefix_is_made_where_nothing_or_an_empty_directory_is(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    for prefix in (tmp_path / "new" / "deep", tmp_path / "empty"):
        ensure_prefix(prefix)
        ensure_prefix(prefix)

        assert prefix_kind(prefix) == "environment"
        assert (prefix / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize(
    ("inside", "kind", "words"),
    [
        ("conda-meta/history", "conda", "is a conda environment"),
        ("pyvenv.cfg", "venv", "is a virtual environment of another tool"),
        ("thesis.tex", "directory", "is a directory with other things in it"),
    ],
)
def test_what_is_somebody_elses_is_left_alone(
    tmp_path: Path, inside: str, kind: PrefixKind, words: str
) -> None:
    (tmp_path / inside).parent.mkdir(exist_ok=True)
    (tmp_path / inside).write_text("precious")

    for action in (ensure_prefix, delete_prefix):
        with pytest.raises(PrefixTaken, match=words) as caught:
            action(tmp_path)
        assert caught.value.exit_code is ExitCode.PREFIX

    assert prefix_kind(tmp_path) == kind
    assert (tmp_path / inside).read_text() == "precious"


def test_a_file_or_a_dangling_link_is_not_a_prefix(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("nowhere")

    for name in ("file", "link"):
        with pytest.raises(PrefixTaken, match="is not a directory"):
            ensure_prefix(tmp_path / name)


@pytest.mark.parametrize("name", ["a:b", "a\nb"])
def test_a_path_that_programs_cannot_use_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(PrefixUnusable):
        ensure_prefix(tmp_path / name)

    assert os.listdir(tmp_path) == []


def test_a_prefix_that_may_not_be_made_is_told(open_directory: Path) -> None:
    (open_directory / "closed").mkdir(mode=0o755)
    (open_directory / "closed").chmod(0o555)

    def attempt() -> str:
        with pytest.raises(PrefixUnusable) as caught:
            ensure_prefix(open_directory / "closed/env")
        return str(caught.value)

    assert as_nobody(attempt).endswith("closed/env: Permission denied")


def test_a_path_at_which_nothing_can_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")

    for name, words in (("loop", "symbolic links"), ("x" * 300, "name too long")):
        with pytest.raises(PrefixUnusable, match=words) as caught:
            ensure_prefix(tmp_path / name)
        assert caught.value.exit_code is ExitCode.PREFIX


@pytest.mark.parametrize("mode", [0o000, 0o444])
def test_environments_that_nobody_may_see_are_not_taken_for_none(
    open_directory: Path, mode: int
) -> None:
    root = open_directory / "environments"
    (root / "one").mkdir(parents=True)
    root.chmod(mode)

    def attempt() -> str:
        with pytest.raises(EnvironmentsHidden) as caught:
            environments_under(root)
        return str(caught.value)

    said = as_nobody(attempt)
    root.chmod(0o755)

    assert said == f"the environments in {root} cannot be listed: permission denied"


def test_there_is_no_current_generation_before_the_first(tmp_path: Path) -> None:
    ensure_prefix(tmp_path / "env")

    with pytest.raises(NoEnvironment) as caught:
        current_generation(tmp_path / "env")

    assert str(tmp_path / "env") in str(caught.value.hint)


def test_environments_are_listed_and_nothing_else(store: Store, tmp_path: Path) -> None:
    root = tmp_path / "environments"
    entry = add(store, make_wheel("alpha"), tmp_path)
    for name in ("b", "a"):
        make_view(root / name, [entry])
    ensure_prefix(root / "unfinished")
    (root / "other").mkdir()

    assert environments_under(root) == (root / "a", root / "b")
    assert environments_under(tmp_path / "absent") == ()


def test_a_failed_first_create_leaves_nothing(tmp_path: Path) -> None:
    prefix = tmp_path / "env"

    with pytest.raises(KeyError), lock_prefix(prefix):
        raise KeyError

    assert not prefix.exists()


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    import resource

    prefix = tmp_path / "env"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, limits[1]))
    try:
        with pytest.raises(PrefixUnusable), lock_prefix(prefix):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert not prefix.exists()


def test_a_lock_keeps_what_was_made(store: Store, tmp_path: Path, prefix: Path) -> None:
    entry = add(store, make_wheel("alpha"), tmp_path)

    with lock_prefix(prefix):
        make_view(prefix, [entry])

    assert current_generation(prefix).is_dir()


def test_the_second_waits_and_is_told_for_whom(tmp_path: Path) -> None:
    prefix = tmp_path / "env"
    program = (
        "from pathlib import Path\nfrom envmgr.link.prefix import lock_prefix\n"
        f"with lock_prefix(Path({str(prefix)!r})):\n    print('held', flush=True)\n    input()\n"
    )
    told: list[Event] = []
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"

        def release(event: Event) -> None:
            told.append(event)
            assert holder.stdin is not None
            holder.stdin.write("\n")
            holder.stdin.flush()

        with lock_prefix(prefix, release):
            assert prefix_kind(prefix) == "environment"  # though the first one removed it

    assert holder.returncode == 0
    (note,) = told
    assert isinstance(note, Noted)
    assert re.fullmatch(
        rf"waiting for process {holder.pid} on {re.escape(platform.node())} "
        rf"\(`-c`, since 2\S+ \S+ UTC\), which is changing {re.escape(str(prefix))}",
        note.text,
    )


def test_deleting_an_environment_leaves_the_store_and_what_links_point_at(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    entry = add(store, make_wheel("alpha"), tmp_path)
    make_view(prefix, [entry])
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "x").write_text("x")
    (prefix / "link").symlink_to(precious)
    (prefix / "closed").mkdir()
    (prefix / "closed/x").write_text("x")
    (prefix / "closed").chmod(0o555)

    delete_prefix(prefix)

    assert not prefix.exists()
    assert (precious / "x").read_text() == "x"
    assert (entry.path / "site-packages/alpha/__init__.py").exists()
    assert [name for name in os.listdir(tmp_path) if name.startswith(".")] == []
    with pytest.raises(NoEnvironment):
        delete_prefix(prefix)


def test_a_link_to_an_environment_is_not_an_environment_to_delete(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])
    (tmp_path / "link").symlink_to(prefix)

    with pytest.raises(PrefixTaken):
        delete_prefix(tmp_path / "link")

    assert current_generation(prefix).is_dir()


def test_the_module_that_run_needs_is_light() -> None:
    program = "import sys, envmgr.link.prefix; print(' '.join(sys.modules))"

    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY, check=True
    ).stdout.split()

    heavy = {
        "dataclasses",
        "msgspec",
        "filelock",
        "packaging",
        "urllib3",
        "rich",
        "yaml",
        "subprocess",
    }
    assert heavy & {*loaded} == set()
    ours = {name for name in loaded if name.startswith("envmgr.")}
    light = {"envmgr.errors", "envmgr.link"}
    assert ours == light | {"envmgr.link.prefix", "envmgr.link.root"}
