"""Locks of other tools. The texts are shaped as theirs are."""

import pytest

from envmgr.lock.errors import LockUnfit, LockUnreadable
from envmgr.lock.foreign import ForeignLock, adopt
from envmgr.lock.pylock import parse_lock, render_lock
from envmgr.lock.types import Lock
from envmgr.target.types import Musl, Target
from tests.support.locks import LOCK, target_for

A, B, C = ("a" * 64, "b" * 64, "c" * 64)
HEAD = """\
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.9"
"""
NUMPY = f"""
[[packages]]
name = "numpy"
version = "2.0.0"
index = "https://index.example.org/simple"
sdist = {{ url = "https://files.example.org/numpy-2.0.0.tar.gz", hashes = {{ sha256 = "{C}" }} }}
wheels = [
    {{ url = "https://files.example.org/numpy-2.0.0-cp311-cp311-manylinux_2_17_x86_64.whl", \
hashes = {{ sha256 = "{C}" }} }},
    {{ url = "https://files.example.org/numpy-2.0.0-cp312-cp312-manylinux_2_17_x86_64.whl", \
upload-time = 2024-06-16T00:00:00Z, size = 5, hashes = {{ sha256 = "{A}" }} }},
    {{ url = "https://files.example.org/numpy-2.0.0-cp312-cp312-musllinux_1_1_x86_64.whl", \
hashes = {{ sha256 = "{B}" }} }},
]
"""


def entry(name: str, *lines: str, tag: str = "py3-none-any") -> str:
    """One package with one wheel and these lines."""
    own = "\n".join(lines)
    return f"""
[[packages]]
name = "{name}"
version = "1.0"
{own}
wheels = [{{ url = "https://files.example.org/{name}-1.0-{tag}.whl", \
hashes = {{ sha256 = "{A}" }} }}]
"""


def adopted(text: str, target: Target | None = None) -> Lock:
    foreign = parse_lock(text, LOCK)
    assert isinstance(foreign, ForeignLock)
    return adopt(foreign, target or target_for())


def unfit(text: str, target: Target | None = None) -> tuple[str, ...]:
    with pytest.raises(LockUnfit) as caught:
        adopted(text, target)
    return caught.value.reasons


def unreadable(text: str) -> str:
    with pytest.raises(LockUnreadable) as caught:
        adopted(text)
    return str(caught.value).removeprefix(f"{LOCK} cannot be used: ")


def test_the_wheel_is_the_one_that_fits_the_target() -> None:
    glibc = adopted(HEAD + NUMPY)
    musl = adopted(HEAD + NUMPY, target_for(libc=Musl(1, 2)))

    assert glibc.packages[0].wheel.sha256 == A
    assert glibc.packages[0].wheel.size == 5
    assert musl.packages[0].wheel.sha256 == B


def test_nothing_is_invented_about_a_lock_of_another_tool() -> None:
    lock = adopted(HEAD + NUMPY)

    assert (lock.created_by, lock.resolution_digest, lock.inputs) == ("uv", "", ())
    (numpy,) = lock.packages
    assert numpy.index == numpy.index_url == "https://index.example.org/simple"
    assert numpy.index_reason == "locked by another tool"
    assert lock.conditions.platform_floor == "manylinux_2_17_x86_64"


def test_what_was_adopted_can_be_written_and_read() -> None:
    lock = adopted(HEAD + NUMPY + entry("pure") + entry("b", "marker = \"os_name == 'posix'\""))

    assert parse_lock(render_lock(lock), LOCK) == lock


def test_of_two_builds_the_higher_number_is_taken() -> None:
    text = (
        HEAD
        + f"""
[[packages]]
name = "a"
wheels = [
    {{ url = "https://e.org/a-1.0-2-py3-none-any.whl", hashes = {{ sha256 = "{A}" }} }},
    {{ url = "https://e.org/a-1.0-10-py3-none-any.whl", hashes = {{ sha256 = "{B}" }} }},
    {{ url = "https://e.org/a-1.0-py3-none-any.whl", hashes = {{ sha256 = "{C}" }} }},
]
"""
    )

    lock = adopted(text)

    assert lock.packages[0].wheel.sha256 == B
    assert lock.packages[0].version == "1.0"


def test_packages_of_other_machines_are_left_out() -> None:
    text = HEAD + entry("win", "marker = \"sys_platform == 'win32'\"") + entry("all")

    assert [package.name for package in adopted(text).packages] == ["all"]


def test_markers_are_those_of_the_target_and_never_of_this_machine() -> None:
    text = HEAD + entry("a", "marker = \"platform_machine == 'sparc64'\"")

    target = target_for(markers={"platform_machine": "sparc64"})

    assert [package.name for package in adopted(text, target).packages] == ["a"]


def test_groups_are_those_that_bring_a_package_in() -> None:
    head = HEAD + 'dependency-groups = ["test", "docs"]\ndefault-groups = ["main"]\n'
    text = (
        head
        + entry("base", "marker = \"'main' in dependency_groups\"")
        + entry("t", "marker = \"'test' in dependency_groups and os_name == 'posix'\"")
        + entry("td", "marker = \"'test' in dependency_groups or 'docs' in dependency_groups\"")
        + entry("x", "marker = \"'some' in extras\"")
        + entry("n", "marker = \"'test' in dependency_groups and os_name == 'nt'\"")
    )

    lock = adopted(text)

    assert lock.groups == ("docs", "test")
    assert {package.name: package.groups for package in lock.packages} == {
        "base": frozenset({None}),
        "t": frozenset({"test"}),
        "td": frozenset({"docs", "test"}),
    }


def test_a_package_that_a_group_takes_away_cannot_be_said() -> None:
    text = (
        HEAD
        + 'dependency-groups = ["test"]\n'
        + entry("a", "marker = \"'test' not in dependency_groups\"")
    )

    assert unreadable(text) == (
        "packages[0].marker: a is left out where a group is chosen, which envmgr cannot do"
    )


def test_two_entries_for_one_package_are_ambiguous() -> None:
    assert unreadable(HEAD + entry("a") + entry("a")) == (
        "packages[1]: a is chosen by two entries at once"
    )


def test_a_package_for_each_platform_is_no_ambiguity() -> None:
    text = (
        HEAD
        + entry("a", "marker = \"sys_platform == 'win32'\"")
        + entry("a", "marker = \"sys_platform != 'win32'\"")
    )

    assert len(adopted(text).packages) == 1


def test_a_direct_wheel_is_taken_and_a_direct_source_is_not() -> None:
    wheel = f"""
[[packages]]
name = "mine"
archive = {{ path = "w\\\\mine-1.0-py3-none-any.whl", hashes = {{ sha256 = "{A}" }} }}
"""
    source = wheel.replace("-py3-none-any.whl", ".tar.gz")

    (mine,) = adopted(HEAD + wheel).packages

    assert (mine.index, mine.index_reason, mine.version) == (None, "direct", "1.0")
    assert mine.wheel.location == "w/mine-1.0-py3-none-any.whl"
    assert unfit(HEAD + source) == ("mine is a source distribution, and envmgr installs wheels",)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('directory = { path = ".", editable = true }', "a directory"),
        ('vcs = { type = "git", url = "https://e.org/a", commit-id = "1" }', "a repository"),
        ("", "nothing"),
    ],
)
def test_what_is_no_wheel_is_named(line: str, words: str) -> None:
    text = f'{HEAD}[[packages]]\nname = "a"\n{line}\n'

    assert unfit(text) == (f"a is {words}, and envmgr installs wheels",)


def test_everything_that_does_not_fit_is_told_at_once() -> None:
    text = (
        HEAD
        + NUMPY
        + entry("b", tag="cp312-cp312-manylinux_2_17_aarch64")
        + entry("c", 'requires-python = ">=3.14"')
    )

    assert unfit(text, target_for((3, 13, 1))) == (
        "numpy 2.0.0 has no wheel for here, only a source distribution",
        "b 1.0 has no wheel for here",
        "c needs Python >=3.14, this is 3.13.1",
    )


def test_a_lock_for_another_python_or_platform_is_not_looked_into() -> None:
    text = HEAD + "environments = [\"sys_platform == 'win32'\", \"os_name == 'nt'\"]\n" + entry("a")

    assert unfit(text, target_for((3, 8, 1))) == (
        "needs Python >=3.9, this is 3.8.1",
        'is for `sys_platform == "win32"` or `os_name == "nt"`',
    )


def test_one_of_several_environments_is_enough() -> None:
    text = HEAD + "environments = [\"os_name == 'nt'\", \"os_name == 'posix'\"]\n" + entry("a")

    assert len(adopted(text).packages) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sha256 = ", "sha512 = ", "packages[0].wheels[0].hashes.sha256: is missing"),
        ("a-1.0-py3", "b-1.0-py3", "packages[0].wheels[0].url: b-1.0-py3-none-any.whl is not a"),
        ("a-1.0-py3", "a-2.0-py3", "packages[0].version: is 1.0, but the wheel is a-2.0-"),
        ('name = "a"', "", "packages[0].name: is missing"),
        ('created-by = "uv"\n', "", "created-by: is missing"),
        ("wheels = [", 'marker = "x"\nwheels = [', "packages[0].marker: 'x' is not a marker"),
    ],
)
def test_a_lock_that_breaks_the_standard_is_refused(old: str, new: str, message: str) -> None:
    assert unreadable((HEAD + entry("a")).replace(old, new)).startswith(message)
