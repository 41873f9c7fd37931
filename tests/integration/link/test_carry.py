import os
import shutil
from pathlib import Path

from msgspec.structs import replace

from envmgr.link.carry import REWRITTEN_BELOW, Carried, carry_back, carry_written
from envmgr.link.generation import generation_path, switch_generation, write_generation
from envmgr.link.prefix import current_generation, ensure_prefix
from envmgr.names import GenerationId
from envmgr.store.entry import Entry
from envmgr.store.store import Store
from envmgr.store.verify import check_entry
from tests.support.views import add, lay_out, make_view, record_of, run, this_interpreter
from tests.support.wheels import make_wheel

KERNELS = {"data/share/jupyter/kernels/python3/kernel.json": "{}"}


def next_generation(prefix: Path, *entries: object) -> GenerationId:
    name = GenerationId("zz")
    view = lay_out(prefix, name, entries)  # type: ignore[arg-type]
    return write_generation(prefix, view, record_of(name, view, this_interpreter()))


def test_what_programs_wrote_is_in_the_next_generation(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    entry = add(store, make_wheel("kernel", data=KERNELS), tmp_path)
    make_view(prefix, [entry])
    mine = prefix / "share/jupyter/kernels/mine"
    mine.mkdir()
    (mine / "kernel.json").write_text("mine")
    (mine / "link").symlink_to("kernel.json")

    generation = next_generation(prefix, entry)
    carried = carry_written(prefix, generation)
    switch_generation(prefix, generation)

    assert carried == Carried(
        ("share/jupyter/kernels/mine/kernel.json", "share/jupyter/kernels/mine/link"), ()
    )
    assert (mine / "link").read_text() == "mine"
    assert (prefix / "share/jupyter/kernels/python3/kernel.json").read_text() == "{}"


def test_it_is_carried_where_the_next_generation_has_no_such_directory(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    make_view(prefix, [add(store, make_wheel("kernel", data=KERNELS), tmp_path)])
    (prefix / "share/jupyter/mine.json").write_text("mine")

    generation = next_generation(prefix, add(store, make_wheel("alpha"), tmp_path))
    carry_written(prefix, generation)
    switch_generation(prefix, generation)

    assert (prefix / "share/jupyter/mine.json").read_text() == "mine"


def test_there_is_a_place_to_write_whatever_packages_bring(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    """Data in ``share``, settings in ``etc``: a program looks for them in its generation."""
    entry = add(store, make_wheel("alpha"), tmp_path)
    make_view(prefix, [entry])
    (prefix / "share/data").mkdir()
    (prefix / "share/data/a.txt").write_text("mine")
    (prefix / "etc/a.conf").write_text("mine too")
    code = "import sys; print(open(sys.prefix + '/share/data/a.txt').read())"
    assert run(prefix / "bin/python", "-c", code) == "mine"

    generation = next_generation(prefix, entry)
    carry_written(prefix, generation)
    switch_generation(prefix, generation)

    assert run(prefix / "bin/python", "-c", code) == "mine"
    assert (prefix / "etc/a.conf").read_text() == "mine too"


SERVER = "data/etc/jupyter/jupyter_server_config.d/demo.json"
ENABLED = SERVER.removeprefix("data/")


def change(prefix: Path, *entries: Entry) -> Carried:
    """Make the next generation and switch to it."""
    generation = GenerationId(f"g{len(os.listdir(prefix / '.envmgr/generations'))}")
    view = lay_out(prefix, generation, entries)
    record = replace(
        record_of(generation, view, this_interpreter()),
        prefix=str(prefix),
        settings=view.settings,
    )
    write_generation(prefix, view, record)
    carried = carry_written(prefix, generation)
    switch_generation(prefix, generation)
    return carried


def test_a_setting_of_a_package_can_be_written_over_and_stays_so(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    """``jupyter server extension disable --sys-prefix`` opens the package's own file."""
    ensure_prefix(prefix)
    first = add(store, make_wheel("demo", "1", data={SERVER: "on"}), tmp_path)
    second = add(store, make_wheel("demo", "2", data={SERVER: "on, and more"}), tmp_path)
    change(prefix, first)
    (prefix / ENABLED).write_text("off")

    carried = change(prefix, second)

    assert carried == Carried((ENABLED,), ())
    assert (prefix / ENABLED).read_text() == "off"
    assert check_entry(first).findings == ()
    assert change(prefix, second).taken == (ENABLED,)
    assert change(prefix, add(store, make_wheel("alpha"), tmp_path)).taken == (ENABLED,)
    assert (prefix / ENABLED).read_text() == "off"


def test_a_setting_that_nobody_wrote_over_is_the_packages(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    ensure_prefix(prefix)
    change(prefix, add(store, make_wheel("demo", "1", data={SERVER: "on"}), tmp_path))

    carried = change(prefix, add(store, make_wheel("demo", "2", data={SERVER: "more"}), tmp_path))

    assert carried == Carried((), ())
    assert (prefix / ENABLED).read_text() == "more"
    assert change(prefix, add(store, make_wheel("alpha"), tmp_path)) == Carried((), ())
    assert not (prefix / ENABLED).exists()


def test_going_back_leaves_settings_as_they_are_and_takes_changed_ones_along(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    ensure_prefix(prefix)
    both = {SERVER: "1", "data/etc/other": "1"}
    change(prefix, add(store, make_wheel("demo", "1", data=both), tmp_path))
    back = current_generation(prefix).name
    both = {SERVER: "2", "data/etc/other": "2"}
    change(prefix, add(store, make_wheel("demo", "2", data=both), tmp_path))
    (prefix / ENABLED).write_text("mine")

    kept = carry_back(prefix, GenerationId(back))
    switch_generation(prefix, GenerationId(back))

    assert kept == (ENABLED,)
    assert (prefix / ENABLED).read_text() == "mine"
    assert (prefix / "etc/other").read_text() == "1"


def test_going_back_does_not_write_over_a_setting_of_a_package(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    ensure_prefix(prefix)
    change(prefix, add(store, make_wheel("demo", "1", data={SERVER: "1"}), tmp_path))
    back = current_generation(prefix).name
    change(prefix, add(store, make_wheel("alpha"), tmp_path))
    (prefix / ENABLED).parent.mkdir(parents=True)
    (prefix / ENABLED).write_text("mine")

    assert carry_back(prefix, GenerationId(back)) == ()
    assert (generation_path(prefix, GenerationId(back)) / ENABLED).read_text() == "1"


def test_a_kernel_can_be_installed_again_over_a_packages(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    """``ipykernel install --sys-prefix`` removes the directory first, which may be no link."""
    entry = add(store, make_wheel("kernel", data=KERNELS), tmp_path)
    make_view(prefix, [entry])
    directory = prefix / "share/jupyter/kernels/python3"

    shutil.rmtree(directory)
    directory.mkdir()
    (directory / "kernel.json").write_text("mine")

    assert check_entry(entry).findings == ()


def test_what_a_package_brings_now_is_not_overwritten(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    make_view(prefix, [add(store, make_wheel("kernel", data=KERNELS), tmp_path)])
    mine = prefix / "share/jupyter/kernels/late/kernel.json"
    mine.parent.mkdir()
    mine.write_text("mine")
    (prefix / "share/taken.txt").write_text("mine")
    late = {"data/share/jupyter/kernels/late/kernel.json": "late", "data/share/taken.txt": "late"}

    generation = next_generation(prefix, add(store, make_wheel("late", data=late), tmp_path))
    carried = carry_written(prefix, generation)

    assert carried == Carried((), ("share/jupyter/kernels/late/kernel.json", "share/taken.txt"))
    assert (generation_path(prefix, generation) / "share/taken.txt").read_text() == "late"


def test_there_is_nothing_to_carry_into_the_first(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    from envmgr.link.prefix import ensure_prefix

    ensure_prefix(prefix)
    generation = next_generation(prefix, add(store, make_wheel("alpha"), tmp_path))

    assert carry_written(prefix, generation) == Carried((), ())


def test_what_names_the_generation_before_names_the_next_one_then(
    store: Store, tmp_path: Path, prefix: Path
) -> None:
    entry = add(store, make_wheel("kernel", data=KERNELS), tmp_path)
    old = generation_path(prefix, make_view(prefix, [entry]))
    mine = prefix / "share/jupyter/kernels/mine"
    mine.mkdir()
    (mine / "kernel.json").write_text(f'["{old}/bin/python", "{prefix}/other"]')
    (mine / "kernel.json").chmod(0o750)
    (mine / "large").write_bytes(os.fsencode(old) + bytes(REWRITTEN_BELOW))

    generation = next_generation(prefix, entry)
    carry_written(prefix, generation)
    switch_generation(prefix, generation)

    new = generation_path(prefix, generation)
    assert (mine / "kernel.json").read_text() == f'["{new}/bin/python", "{prefix}/other"]'
    assert (mine / "kernel.json").stat().st_mode & 0o777 == 0o750
    assert (mine / "large").read_bytes().startswith(os.fsencode(old))
    assert str(old) in (old / "share/jupyter/kernels/mine/kernel.json").read_text()
