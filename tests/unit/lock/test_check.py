from pathlib import Path

import pytest

from envmgr.errors import ExitCode
from envmgr.lock.check import compare, select, versions, why_stale, why_unfit
from envmgr.lock.errors import (
    LockForeign,
    LockMissing,
    LockStale,
    LockUnfit,
    UnknownGroup,
)
from envmgr.target.types import Glibc, MacOS, Musl, Target
from tests.support.locks import (
    chosen,
    groups_of,
    lock_of,
    outcome,
    target_for,
    wheel_candidate,
)
from tests.support.values import replace

PURE = "pytest-9.0.0-py3-none-any.whl"
NUMPY = "numpy-2.4.6-cp312-cp312-manylinux_2_28_x86_64.whl"
STABLE = "stable-1.0-cp39-abi3-manylinux_2_17_x86_64.whl"
DIGEST = f"sha256:{'0' * 64}"
INPUTS = (
    ("python", (">=3.12",)),
    ("dependencies", ("numpy >=2", "scipy")),
    ("groups.test", ("pytest",)),
)


def test_an_equal_digest_is_fresh_whatever_the_words_say() -> None:
    assert why_stale(lock_of(inputs=INPUTS), DIGEST, (("python", ("other",)),)) == ()


@pytest.mark.parametrize(
    ("now", "clauses"),
    [
        (
            (("python", (">=3.13",)), *INPUTS[1:]),
            ("python was >=3.12 and is >=3.13",),
        ),
        (
            (INPUTS[0], ("dependencies", ("numpy >=2.1", "pandas")), INPUTS[2]),
            (
                "dependencies: numpy >=2 became numpy >=2.1",
                "dependencies: added pandas",
                "dependencies: removed scipy",
            ),
        ),
        ((*INPUTS, ("groups.docs", ("sphinx",))), ("groups.docs: added sphinx",)),
        (INPUTS[:2], ("groups.test: removed pytest",)),
        (
            (*INPUTS, ("exclude-newer", ("2026-11-02T00:00:00+00:00",))),
            ("exclude-newer was absent and is 2026-11-02T00:00:00+00:00",),
        ),
        (INPUTS, ("the environment file changed",)),
        ((), ("python was >=3.12 and is absent", "dependencies: removed numpy >=2, scipy",
              "groups.test: removed pytest")),
    ],
)  # fmt: skip
def test_a_stale_lock_says_what_changed(
    now: tuple[tuple[str, tuple[str, ...]], ...], clauses: tuple[str, ...]
) -> None:
    assert why_stale(lock_of(inputs=INPUTS), "sha256:other", now) == clauses


def test_another_order_of_the_indexes_is_a_change() -> None:
    before = (("indexes", ("a https://example.org/a/", "b https://example.org/b/")),)
    after = (("indexes", ("b https://example.org/b/", "a https://example.org/a/")),)

    assert why_stale(lock_of(inputs=before), "sha256:other", after) == ("indexes: another order",)


def test_a_lock_of_another_tool_was_made_from_no_file() -> None:
    lock = replace(lock_of(), created_by="uv", resolution_digest="")

    assert why_stale(lock, DIGEST) == ("was made by uv, not from an environment file",)


@pytest.mark.parametrize(
    ("wheels", "target", "clauses"),
    [
        ([PURE], target_for((3, 13, 0)), ("needs Python 3.12, this is 3.13.0",)),
        ([NUMPY], target_for(libc=Glibc(2, 17)), ("needs glibc 2.28, this machine has 2.17",)),
        ([NUMPY], target_for(libc=Musl(1, 2)), ("needs glibc 2.28, this machine has musl 1.2",)),
        ([NUMPY], target_for(libc=None), ("needs glibc 2.28, which this machine does not tell",)),
        (
            [NUMPY],
            target_for(machine="aarch64"),
            ("needs a machine of x86_64, this is aarch64",),
        ),
        (
            [PURE],
            target_for(libc=MacOS(14, 0), machine="arm64", system="darwin"),
            ("was made where `sys_platform == 'linux'`, here it is 'darwin'",),
        ),
        (
            [NUMPY],
            target_for((3, 12, 3), free_threaded=True),
            ("needs the ABI cp312, this interpreter has cp312t",),
        ),
        (
            [NUMPY],
            target_for((3, 11, 9), libc=Glibc(2, 17)),
            (
                "needs Python 3.12, this is 3.11.9",
                "needs glibc 2.28, this machine has 2.17",
                "needs the ABI cp312, this interpreter has cp311",
            ),
        ),
        (
            [PURE],
            target_for(markers={"implementation_name": "pypy"}),
            ("needs cpython, this is pypy",),
        ),
        (
            [STABLE],
            target_for((3, 12, 3), free_threaded=True),
            (f"{STABLE} is not for this interpreter and platform",),
        ),
        ([NUMPY, PURE, STABLE], target_for((3, 12, 9)), ()),
        ([PURE], target_for(machine="aarch64", libc=Musl(1, 2)), ()),
    ],
)  # fmt: skip
def test_a_lock_says_what_it_needs_and_the_target_has_not(
    wheels: list[str], target: Target, clauses: tuple[str, ...]
) -> None:
    assert why_unfit(lock_of(*wheels), target) == clauses


def test_a_marker_that_answers_otherwise_is_named() -> None:
    lock = lock_of(
        PURE,
        markers=[
            outcome('python_full_version < "3.12.5"', True),
            outcome('python_full_version >= "3.12.5" and extra == "io"', False, "io"),
        ],
    )

    assert why_unfit(lock, target_for((3, 12, 6))) == (
        '`python_full_version < "3.12.5"` was true for it and is false here',
        '`python_full_version >= "3.12.5" and extra == "io"` was false for it and is true here',
    )


def test_only_an_environment_that_was_written_by_hand_is_named_whole() -> None:
    lock = lock_of(PURE)
    edited = replace(
        lock, conditions=replace(lock.conditions, environment="platform_release == '5'")
    )

    assert why_unfit(edited, target_for()) == ('was made where `platform_release == "5"`',)


def test_a_package_that_needs_a_newer_patch_release_is_named() -> None:
    candidate = replace(wheel_candidate(PURE), requires_python=">=3.12.4")

    clauses = why_unfit(lock_of(chosen(candidate)), target_for((3, 12, 3)))

    assert clauses == ("pytest needs Python >=3.12.4, this is 3.12.3",)


def test_groups_add_to_what_dependencies_need() -> None:
    lock = lock_of(
        NUMPY,
        chosen(PURE, groups=["test"]),
        chosen("mpl-1.0-py3-none-any.whl", groups=["plots", "test"]),
        groups=groups_of("test", "plots", "empty"),
    )

    def names(*groups: str) -> list[str]:
        return [package.name for package in select(lock, frozenset(groups_of(*groups)))]

    assert names() == ["numpy"]
    assert names("empty") == ["numpy"]
    assert names("plots") == ["mpl", "numpy"]
    assert names("test", "plots") == ["mpl", "numpy", "pytest"]


def test_a_group_that_the_lock_has_not_is_refused() -> None:
    lock = lock_of(groups=groups_of("test"))

    with pytest.raises(UnknownGroup, match=r"the lock has no group docs; it has test$"):
        select(lock, frozenset(groups_of("docs")))
    with pytest.raises(UnknownGroup, match=r"no group docs; it has none$"):
        select(lock_of(), frozenset(groups_of("docs")))


def test_two_locks_differ_by_the_versions_in_them() -> None:
    old = lock_of(NUMPY, PURE)
    new = lock_of("numpy-2.5.0-py3-none-any.whl", STABLE)

    assert compare(versions(old.packages), versions(new.packages)) == (
        ("numpy", "2.4.6", "2.5.0"),
        ("pytest", "9.0.0", None),
        ("stable", None, "1.0"),
    )


PATH = Path("pylock.toml")


@pytest.mark.parametrize(
    ("error", "sentence", "hint"),
    [
        (LockMissing(PATH), "there is no lock at pylock.toml", "run `envmgr lock`, or leave out"),
        (LockStale(PATH, ("a", "b")), "pylock.toml is stale: a; b", "run `envmgr lock`, or use"),
        (
            LockStale(PATH, tuple("abcde")),
            "pylock.toml is stale: a; b; c; and 2 more",
            "run `envmgr lock`",
        ),
        (LockUnfit(PATH, ("x",)), "pylock.toml is not for this machine: x", "choose a fitting"),
        (
            LockForeign(PATH, "uv"),
            "pylock.toml was made by uv and is not overwritten",
            "use it as it is with --frozen",
        ),
    ],
)
def test_a_failure_is_one_sentence_and_says_how_to_go_on(
    error: LockMissing | LockStale | LockUnfit | LockForeign, sentence: str, hint: str
) -> None:
    assert str(error) == sentence
    assert error.hint.startswith(hint)
    assert error.exit_code is ExitCode.LOCK


def test_reasons_that_found_no_room_are_details() -> None:
    assert LockStale(PATH, tuple("abcde")).details() == tuple("abcde")
    assert LockUnfit(PATH, tuple("abc")).details() == ()
