from pathlib import Path

import pytest

from envmgr.cli.summary import (
    SHOWN_CHANGES,
    render_changes,
    render_created,
    render_deleted,
    render_locked,
)
from envmgr.names import EnvironmentName, GenerationId, GroupName, PackageName
from envmgr.pipeline.types import (
    ByName,
    ByPrefix,
    Change,
    Created,
    Deleted,
    LibraryFile,
    Locked,
    ReplacedCopy,
    Selector,
    SharedRuntime,
)
from tests.support.values import replace

CLIMATE = EnvironmentName("climate")
PREFIX = Path("/home/somebody/.local/share/envmgr/environments/climate")


def change(name: str, before: str | None, after: str | None) -> Change:
    return Change(PackageName(name), before, after)


CREATED = Created(
    name=CLIMATE,
    prefix=PREFIX,
    generation=GenerationId("0a"),
    made="created",
    dry_run=False,
    python="3.12.1",
    groups=(),
    packages=2,
    changes=(change("numpy", None, "2.4.6"), change("xarray", None, "2026.10.0")),
    lock=Path("/home/somebody/pylock.toml"),
    lock_written=True,
    fetched=2,
    fetched_bytes=21_500_000,
    unpacked=2,
    copied=0,
    entries=1093,
    runtimes=(),
    new_store=Path("/home/somebody/.local/share/envmgr/store/v1"),
    seconds={"resolve": 0.8, "fetch": 2.25, "unpack": 0.001, "link": 0.05, "total": 3.4},
)


def summary(
    created: Created,
    selector: Selector | None = None,
    shell: str = "/bin/bash",
    verbose: int = 0,
) -> str:
    return render_created(
        created, selector or ByName(CLIMATE), shell=shell, verbose=verbose, coloured=False
    )


TORCH = LibraryFile(package="torch", path="site-packages/torch/lib/libgomp.so.1")
SKLEARN = LibraryFile(package="scikit-learn", path="site-packages/scikit_learn.libs/libgomp.so.1")


def openmp(*replaced: ReplacedCopy) -> SharedRuntime:
    return SharedRuntime(
        family="openmp",
        implementation="gnu",
        chosen_by="automatic",
        servers=(TORCH,),
        replaced=replaced,
        kept=(),
    )


def test_what_is_shared_is_told_in_a_line() -> None:
    shared = openmp(ReplacedCopy(copy=SKLEARN, by=TORCH, forwarded=False))
    lines = summary(replace(CREATED, runtimes=(shared,))).splitlines()
    assert "  shares openmp of torch (1): see `envmgr runtimes list -n climate`" in lines


def test_the_machines_library_is_told_by_its_path() -> None:
    host = replace(openmp(), family="mpi", implementation="host", servers=(), host="/opt/libmpi.so")
    lines = summary(replace(CREATED, runtimes=(host,))).splitlines()
    assert "  has mpi of the machine: /opt/libmpi.so" in lines
    assert "shares" not in summary(replace(CREATED, runtimes=(host,)))


def test_a_runtime_of_which_one_copy_is_there_is_not_told() -> None:
    assert "shares" not in summary(replace(CREATED, runtimes=(openmp(),)))


def test_a_new_environment_is_summed_up_with_the_next_command() -> None:
    assert summary(CREATED) == (
        "created climate: 2 packages, Python 3.12.1, 1,093 entries\n"
        "  in /home/somebody/.local/share/envmgr/environments/climate\n"
        "  + numpy   2.4.6\n"
        "  + xarray  2026.10.0\n"
        "wrote /home/somebody/pylock.toml\n"
        "the store is new: /home/somebody/.local/share/envmgr/store/v1\n"
        "resolve 0.80 s, fetch 2.2 s (21.5 MB), link 50 ms; 3.4 s in all\n"
        "next:  envmgr run -n climate python\n"
        '  or:  source "$(envmgr prefix climate)/bin/activate"\n'
    )


def test_an_update_shows_what_changed() -> None:
    updated = replace(
        CREATED,
        made="updated",
        groups=(GroupName("plots"), GroupName("test")),
        changes=(
            change("xarray", "2026.9.0", "2026.10.0"),
            change("dask", "2026.1", None),
            change("pytest", None, "9.2.0"),
        ),
        lock_written=False,
        new_store=None,
        fetched_bytes=0,
        seconds={"link": 0.05, "total": 0.2},
    )

    assert summary(updated).splitlines()[:6] == [
        "updated climate: 2 packages, Python 3.12.1, 1,093 entries",
        "  in /home/somebody/.local/share/envmgr/environments/climate",
        "  with groups plots, test",
        "  - dask    2026.1",
        "  + pytest  9.2.0",
        "  ~ xarray  2026.9.0 -> 2026.10.0",
    ]
    assert "wrote" not in summary(updated)


def test_nothing_to_do_is_one_line() -> None:
    same = replace(
        CREATED, made="unchanged", changes=(), lock_written=False, seconds={"total": 0.1}
    )

    assert summary(same) == "climate is up to date: 2 packages, Python 3.12.1 (0.10 s)\n"


def test_a_lock_that_was_written_is_told_even_if_nothing_else_changed() -> None:
    same = replace(CREATED, made="unchanged", changes=(), seconds={"total": 0.1})

    assert summary(same).splitlines()[0] == "wrote /home/somebody/pylock.toml"


def test_a_dry_run_speaks_of_what_would_be() -> None:
    dry = replace(CREATED, dry_run=True, generation=None, entries=0, new_store=None)

    text = summary(dry)

    assert text.startswith("would create climate: 2 packages, Python 3.12.1\n")
    assert "would write /home/somebody/pylock.toml" in text
    assert "next:" not in text


@pytest.mark.parametrize(
    ("selector", "shell", "command"),
    [
        (ByName(CLIMATE), "/usr/bin/fish", "source (envmgr prefix climate)/bin/activate.fish"),
        (ByName(CLIMATE), "/bin/tcsh", 'source "`envmgr prefix climate`/bin/activate.csh"'),
        (ByName(CLIMATE), "", 'source "$(envmgr prefix climate)/bin/activate"'),
        (ByPrefix(Path("/scratch/my env")), "/bin/zsh", "source '/scratch/my env/bin/activate'"),
        (ByPrefix(Path("/scratch/my env")), "/bin/zsh", "envmgr run -p '/scratch/my env' python"),
    ],
)
def test_the_next_command_fits_the_shell_and_the_place(
    selector: Selector, shell: str, command: str
) -> None:
    prefix = selector.prefix if isinstance(selector, ByPrefix) else PREFIX

    lines = summary(replace(CREATED, prefix=prefix), selector, shell).splitlines()

    assert command in [line.removeprefix("next:  ").removeprefix("  or:  ") for line in lines]


def many(count: int) -> tuple[Change, ...]:
    return tuple(change(f"package-{number:03}", None, "1.0") for number in range(count))


def test_a_long_list_of_changes_is_cut_and_counted() -> None:
    changes = (*many(146), change("zarr", "1", None))

    lines = render_changes(changes, verbose=0, coloured=False)

    assert len(lines) == SHOWN_CHANGES + 1
    assert lines[-1] == "  and 127 more (146 added, 1 removed in all; -v shows all)"


def test_verbose_shows_every_change() -> None:
    assert len(render_changes(many(147), verbose=1, coloured=False)) == 147


def test_one_line_too_many_is_shown_rather_than_counted() -> None:
    assert len(render_changes(many(SHOWN_CHANGES + 1), verbose=0, coloured=False)) == 21


def test_colours_are_used_only_when_asked_for() -> None:
    changes = (change("numpy", None, "2"), change("dask", "1", None), change("h5py", "1", "2"))

    plain = render_changes(changes, verbose=0, coloured=False)
    painted = render_changes(changes, verbose=0, coloured=True)

    assert not any("\x1b" in line for line in plain)
    assert all("\x1b[0m" in line for line in painted)


LOCKED = Locked(
    path=Path("/home/somebody/pylock.toml"),
    written=True,
    dry_run=False,
    python="3.12.1",
    packages=1,
    changes=(change("numpy", "2.4.5", "2.4.6"),),
    seconds={"resolve": 0.8, "total": 1.0},
)


def test_a_lock_that_was_written_is_summed_up() -> None:
    assert render_locked(LOCKED, verbose=0, coloured=False) == (
        "wrote /home/somebody/pylock.toml: 1 package, Python 3.12.1 (1.0 s)\n"
        "  ~ numpy  2.4.5 -> 2.4.6\n"
    )


def test_a_lock_that_is_right_is_one_line() -> None:
    right = replace(LOCKED, written=False, changes=())

    assert render_locked(right, verbose=0, coloured=False) == (
        "/home/somebody/pylock.toml is up to date: 1 package, Python 3.12.1 (1.0 s)\n"
    )


def test_a_dry_run_of_lock_speaks_of_what_would_be() -> None:
    dry = replace(LOCKED, written=False, dry_run=True)

    assert render_locked(dry, verbose=0, coloured=False).startswith("would write /home/somebody/")


def test_a_deletion_names_what_is_gone() -> None:
    assert render_deleted(Deleted(name=CLIMATE, prefix=PREFIX)) == f"deleted climate ({PREFIX})\n"


def test_the_deletion_of_a_prefix_does_not_sound_like_that_of_a_named_environment() -> None:
    deleted = Deleted(name=CLIMATE, prefix=Path("/data/local"))
    assert render_deleted(deleted) == "deleted /data/local, which was called climate\n"
