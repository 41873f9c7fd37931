import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import envmgr
from envmgr.link.generation import (
    generation_path,
    list_generations,
    new_generation_id,
    prune_generations,
    read_current,
    remove_generation,
    switch_generation,
    write_generation,
    write_identity,
)
from envmgr.link.prefix import (
    NameTaken,
    NoEnvironment,
    PrefixTaken,
    PrefixUnusable,
    current_generation,
    ensure_prefix,
    read_generation,
)
from envmgr.names import EnvironmentName, GenerationId
from envmgr.store.store import Store
from tests.support.views import add, lay_out, make_view, record_of, run, this_interpreter
from tests.support.wheels import make_wheel


def write(prefix: Path, *entries: object, generation: str) -> GenerationId:
    name = GenerationId(generation)
    view = lay_out(prefix, name, entries)  # type: ignore[arg-type]
    return write_generation(prefix, view, record_of(name, view, this_interpreter()))


def write_and_switch(prefix: Path, *entries: object, generation: str) -> GenerationId:
    written = write(prefix, *entries, generation=generation)
    switch_generation(prefix, written)
    return written


def test_ids_sort_by_time_and_are_short() -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    ids = [new_generation_id(now + timedelta(milliseconds=step)) for step in range(50)]

    assert ids == sorted(ids)
    assert {len(each) for each in ids} == {15}
    assert len({new_generation_id(now) for _ in range(20)}) > 1


def test_a_generation_is_nothing_to_anybody_until_it_is_switched_to(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    first = make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])

    write(prefix, add(store, make_wheel("beta"), tmp_path), generation="zz")

    assert current_generation(prefix).name == first
    assert [record.id for record in list_generations(prefix)] == [first]
    switch_generation(prefix, GenerationId("zz"))
    assert [record.id for record in list_generations(prefix)] == [first, "zz"]


def test_the_record_is_read_back_as_it_was_written(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    generation = make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])

    record = read_current(prefix)

    assert record is not None
    assert record.id == generation
    assert record.python_version == this_interpreter().version_text
    assert read_generation(current_generation(prefix))["variables"] == {}
    written = sum(
        len(directories) + len(names)
        for _, directories, names in os.walk(current_generation(prefix))
    )
    assert record.entries == written - 1  # all but the record itself


def test_every_name_of_a_generation_is_reached_through_the_prefix(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    odd = make_wheel("odd", data={"data/odd-place/x.txt": "x", "data/etc/odd.conf": "y"})
    make_view(prefix, [add(store, odd, tmp_path)])

    assert (prefix / "odd-place").readlink() == Path(".envmgr/current/odd-place")
    assert (prefix / "odd-place/x.txt").read_text() == "x"

    make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])

    assert sorted(os.listdir(prefix)) == [
        ".envmgr",
        ".gitignore",
        "bin",
        "etc",
        "lib",
        *(["lib64"] if (current_generation(prefix) / "lib64").exists() else []),
        "pyvenv.cfg",
        "share",
    ]


def test_a_file_of_the_user_in_the_way_is_not_overwritten(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    first = make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])
    (prefix / "man").write_text("mine")
    entry = add(store, make_wheel("beta", data={"data/man/b.txt": "b"}), tmp_path)

    with pytest.raises(PrefixTaken):
        make_view(prefix, [entry])

    assert (prefix / "man").read_text() == "mine"
    assert current_generation(prefix).name == first


def test_what_is_in_the_way_is_met_before_a_generation_is_written(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    first = make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])
    (prefix / "man").mkdir()
    entry = add(store, make_wheel("beta", data={"data/man/b.txt": "b"}), tmp_path)

    with pytest.raises(NameTaken) as caught:
        write(prefix, entry, generation="zz")

    assert caught.value.prefix == prefix / "man"
    assert os.listdir(prefix / ".envmgr/generations") == [first]


def test_a_switch_that_fails_takes_its_links_back(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    first = make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])
    files = {"data/a/x.txt": "x", "data/man/b.txt": "b"}
    second = write(prefix, add(store, make_wheel("beta", data=files), tmp_path), generation="zz")
    before = sorted(os.listdir(prefix))
    (prefix / "man").mkdir()

    with pytest.raises(NameTaken):
        switch_generation(prefix, second)

    assert sorted(os.listdir(prefix)) == sorted([*before, "man"])
    assert current_generation(prefix).name == first


def test_an_unfinished_generation_cannot_become_current(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    first = make_view(prefix, [add(store, make_wheel("alpha"), tmp_path)])
    generation_path(prefix, GenerationId("half")).mkdir()

    with pytest.raises(NoEnvironment):
        switch_generation(prefix, GenerationId("half"))

    assert current_generation(prefix).name == first


def test_a_layout_that_cannot_be_written_leaves_no_trace(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    ensure_prefix(prefix)
    name = GenerationId("one")
    view = lay_out(prefix, name, [add(store, make_wheel("alpha"), tmp_path)])
    record = record_of(name, view, this_interpreter())
    switch_generation(prefix, write_generation(prefix, view, record))

    with pytest.raises(PrefixUnusable):
        write_generation(prefix, view, record)

    assert list_generations(prefix) == (record,)


def test_generations_share_what_is_the_same_in_both(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    alpha, beta = (add(store, make_wheel(name), tmp_path) for name in ("alpha", "beta"))
    first = make_view(prefix, [alpha])
    second = make_view(prefix, [alpha, beta])

    below = f"{this_interpreter().site_packages}/alpha"
    inodes = [(generation_path(prefix, each) / below).lstat().st_ino for each in (first, second)]

    assert inodes[0] == inodes[1]
    remove_generation(prefix, first)
    assert run(prefix / "bin/python", "-c", "import alpha, beta; print(1)") == "1"


def test_the_newest_generations_stay_and_the_current_one_whatever_its_age(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    ensure_prefix(prefix)
    entry = add(store, make_wheel("alpha"), tmp_path)
    ids = [write_and_switch(prefix, entry, generation=f"g{number}") for number in range(7)]
    generation_path(prefix, GenerationId("half")).mkdir()
    switch_generation(prefix, ids[1])

    gone = prune_generations(prefix, keep=3)

    assert gone == ("g0", "g2", "g3", "g4", "half")
    there = sorted((prefix / ".envmgr/generations").iterdir())
    assert [path.name for path in there if not path.is_symlink()] == ["g1", "g5", "g6"]
    leading_on = {path.name: str(path.readlink()) for path in there if path.is_symlink()}
    assert leading_on == dict.fromkeys(["g0", "g2", "g3", "g4"], "../current")
    with pytest.raises(ValueError, match="current"):
        remove_generation(prefix, ids[1])


@pytest.mark.parametrize("moment", ["os.symlink", "os.mkdir", "os.link", "os.rename"])
def test_whoever_is_killed_leaves_the_old_environment_and_the_next_completes(
    store: Store, tmp_path: Path, prefix: Path, moment: str
) -> None:
    old, new, extra = (
        add(store, make_wheel("alpha", "1"), tmp_path),
        add(store, make_wheel("alpha", "2"), tmp_path),
        add(store, make_wheel("extra", data={"data/share/x.txt": "x"}), tmp_path),
    )
    say = "import alpha; print(alpha.__version__)"
    make_view(prefix, [old])
    program = f"""
import os, sys
from pathlib import Path
from envmgr.store.entry import Entry
from tests.support.views import make_view
count = [0]
def watch(event, arguments):
    if event == {moment!r} and {str(prefix)!r} in str(arguments):
        count[0] += 1
        if count[0] == int(sys.argv[1]):
            os.kill(os.getpid(), 9)
entries = [Entry(p.name, p) for p in map(Path, sys.argv[2:])]
sys.addaudithook(watch)
make_view(Path({str(prefix)!r}), entries)
"""
    paths = [str(entry.path) for entry in (new, extra)]
    killed = 0
    for step in range(1, 200, 1 if moment != "os.symlink" else 7):
        done = subprocess.run(
            [sys.executable, "-c", program, str(step), *paths],
            cwd=Path(envmgr.__file__).parents[1],
            check=False,
        )
        if done.returncode == 0:
            break
        assert done.returncode == -9
        killed += 1
        assert run(prefix / "bin/python", "-c", say) in {"1", "2"}
        if run(prefix / "bin/python", "-c", say) == "2":
            make_view(prefix, [old])

    assert killed, f"{moment} never happened"
    make_view(prefix, [new, extra])
    prune_generations(prefix)
    assert run(prefix / "bin/python", "-c", say) == "2"
    assert (prefix / "share/x.txt").read_text() == "x"
    assert [name for name in os.listdir(prefix / ".envmgr") if name.endswith(".tmp")] == []
    records = {record.id for record in list_generations(prefix)}
    assert records == {*os.listdir(prefix / ".envmgr/generations")}


def test_the_identity_is_there_before_any_generation(prefix: Path) -> None:
    ensure_prefix(prefix)

    write_identity(prefix, EnvironmentName("trial"), Path("/x/environment.yaml"))

    text = (prefix / ".envmgr/environment.json").read_text()
    assert text == '{"name":"trial","file":"/x/environment.yaml"}\n'
