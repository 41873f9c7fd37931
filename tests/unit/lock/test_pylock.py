import tomllib
from pathlib import Path

import pytest
from packaging.pylock import Pylock

from envmgr.lock.errors import LockUnreadable
from envmgr.lock.pylock import parse_lock, render_lock
from envmgr.lock.types import Lock
from tests.support.locks import (
    INDEX,
    LOCK,
    chosen,
    direct_candidate,
    groups_of,
    lock_of,
    outcome,
    wheel_candidate,
)
from tests.support.values import replace

NUMPY = "numpy-2.4.6-cp312-cp312-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"
TWO_GROUPS = lock_of(
    chosen(NUMPY),
    chosen("pandas-3.0.0-cp312-cp312-manylinux_2_28_x86_64.whl", requires=["numpy"]),
    chosen("pytest-9.0.0-py3-none-any.whl", groups=["test"], requires=["pluggy", "iniconfig"]),
    chosen("pluggy-1.6.0-py3-none-any.whl", groups=["test", "plots"]),
    chosen("iniconfig-2.0-py3-none-any.whl", groups=["test", None]),
    markers=[
        outcome('sys_platform == "win32"', False),
        outcome('python_version >= "3.11" and extra == "io"', True, "io"),
    ],
    groups=groups_of("test", "plots", "empty"),
    inputs=(("dependencies", ("numpy >=2", "pandas[io]")), ("groups.test", ("pytest",))),
)


def spoiled(old: str, new: str, lock: Lock = TWO_GROUPS) -> LockUnreadable:
    """Return what is said of a lock in which one thing is replaced."""
    text = render_lock(lock)
    assert text.count(old) >= 1, old
    with pytest.raises(LockUnreadable) as caught:
        parse_lock(text.replace(old, new, 1), LOCK)
    return caught.value


def test_a_lock_reads_as_it_was_written() -> None:
    assert parse_lock(render_lock(TWO_GROUPS), LOCK) == TWO_GROUPS


def test_a_lock_is_written_for_people_to_compare() -> None:
    lock = lock_of(
        chosen(NUMPY, groups=["test"], requires=["b", "a"], extras=["io"]),
        markers=[outcome('os_name == "nt"', False)],
        groups=groups_of("test"),
        inputs=(("groups.test", ("numpy",)),),
    )

    assert (
        render_lock(lock)
        == f"""\
# Made by `envmgr lock`. Change the environment file, not this one.
lock-version = "1.0"
environments = ["implementation_name == 'cpython' and sys_platform == 'linux' and \
platform_machine == 'x86_64'"]
requires-python = "==3.12.*"
extras = []
dependency-groups = ["test"]
default-groups = []
created-by = "envmgr"

[[packages]]
name = "numpy"
version = "2.4.6"
marker = '"test" in dependency_groups'
dependencies = [
    {{name = "a"}},
    {{name = "b"}},
]
index = "https://index.example.org/simple/"
wheels = [
    {{url = "https://files.example.org/{NUMPY}", upload-time = 2026-03-04T05:06:07.890000Z, \
size = 1234, hashes = {{sha256 = "{lock.packages[0].wheel.sha256}"}}}},
]
tool.envmgr = {{index = "pypi", reason = "first with the name", extras = ["io"]}}

[tool.envmgr]
schema = 1
digest = "sha256:{"0" * 64}"
indexes = [
    {{name = "pypi", url = "https://index.example.org/simple/"}},
]

[tool.envmgr.inputs]
"groups.test" = [
    "numpy",
]

[tool.envmgr.conditions]
implementation = "cpython"
sys-platform = "linux"
machine = "x86_64"
platform = "manylinux_2_27_x86_64"
abi = "cp312"
markers-false = [
    {{marker = 'os_name == "nt"'}},
]
"""
    )


def test_another_tool_reads_a_lock_by_the_standard() -> None:
    document = tomllib.loads(render_lock(TWO_GROUPS))

    pylock = Pylock.from_dict(document)

    assert str(pylock.requires_python) == "==3.12.*"
    assert pylock.dependency_groups == ["empty", "plots", "test"]
    assert {package.name: str(package.marker) for package in pylock.packages} == {
        "iniconfig": "None",
        "numpy": "None",
        "pandas": "None",
        "pluggy": '"plots" in dependency_groups or "test" in dependency_groups',
        "pytest": '"test" in dependency_groups',
    }


def test_a_direct_reference_is_an_archive() -> None:
    lock = lock_of(chosen(direct_candidate("https://example.org/w/mine-1.0-py3-none-any.whl")))

    (package,) = tomllib.loads(render_lock(lock))["packages"]

    assert package["archive"]["url"] == "https://example.org/w/mine-1.0-py3-none-any.whl"
    assert "wheels" not in package
    assert "index" not in package
    assert parse_lock(render_lock(lock), LOCK) == lock


def test_a_direct_reference_whose_url_hides_the_file_name_keeps_it() -> None:
    url = "https://example.org/download/17"
    candidate = direct_candidate("https://example.org/mine-1.0-py3-none-any.whl")
    lock = lock_of(chosen(replace(candidate, url=url)))

    assert parse_lock(render_lock(lock), LOCK) == lock
    assert lock.packages[0].wheel.filename == "mine-1.0-py3-none-any.whl"


def test_a_file_name_that_its_url_encodes_is_written_out() -> None:
    name = "torch-2.5.1+cpu-cp312-cp312-linux_x86_64.whl"
    url = "https://files.example.org/torch-2.5.1%2Bcpu-cp312-cp312-linux_x86_64.whl"
    lock = lock_of(chosen(wheel_candidate(name, url=url)))

    (package,) = tomllib.loads(render_lock(lock))["packages"]

    assert package["wheels"][0]["name"] == name
    assert parse_lock(render_lock(lock), LOCK) == lock


def test_local_files_are_paths() -> None:
    index = replace(INDEX, url="file:///project/wheels", shown_url="./wheels")
    wheel = wheel_candidate(NUMPY, index, url=f"file:///project/wheels/{NUMPY}")
    lock = lock_of(chosen(wheel), indexes=(index,))

    (package,) = tomllib.loads(render_lock(lock))["packages"]

    assert package["wheels"][0]["path"] == f"wheels/{NUMPY}"
    assert "index" not in package  # PEP 751 means a URL
    assert parse_lock(render_lock(lock), LOCK) == lock


def test_a_lock_of_nothing_is_a_lock() -> None:
    lock = lock_of()

    assert parse_lock(render_lock(lock), LOCK) == lock
    Pylock.from_dict(tomllib.loads(render_lock(lock)))


def test_a_minor_version_of_the_format_that_is_newer_is_read() -> None:
    text = render_lock(TWO_GROUPS).replace('lock-version = "1.0"', 'lock-version = "1.7"')

    assert parse_lock(text, LOCK) == TWO_GROUPS


@pytest.mark.parametrize(
    ("old", "new", "where", "reason"),
    [
        ('lock-version = "1.0"', 'lock-version = "2.0"', "lock-version", "is 2.0, and this envmgr"),
        ('lock-version = "1.0"', 'lock-version = "x"', "lock-version", "not a version of the lock"),
        ('lock-version = "1.0"', "lock-version = 1.0", "lock-version", "a string, not a float"),
        ('lock-version = "1.0"\n', "", "lock-version", "is missing"),
        ('"==3.12.*"', '">=3.12"', "requires-python", "must be one minor version"),
        ('created-by = "envmgr"\n', "", "created-by", "is missing"),
        ("environments = [", 'environments = ["", ', "environments", "must be one marker"),
        ("platform_machine == ", "platform_machines == ", "environments[0]", "is not a marker"),
        ("[tool.envmgr]\nschema = 1\n", "[tool.envmgr]\n", "tool.envmgr.schema", "is missing"),
        ("schema = 1", "schema = 99", "tool.envmgr.schema", "is 99, and this envmgr knows 1"),
        ('name = "numpy"', 'name = "num py"', "packages[1].name", "is not the name of a package"),
        ('name = "numpy"', "name = 1", "packages[1].name", "a string, not an integer"),
        ('version = "2.4.6"', 'version = "2.4.7"', "packages[1].version", "the wheel is numpy"),
        ('version = "2.4.6"', 'version = "?"', "packages[1].version", "is not a version"),
        ('version = "2.4.6"\n', "", "packages[1].version", "is missing"),
        ("size = 1234", "size = true", "packages[0].wheels[0].size", "integer, not a boolean"),
        ("size = 1234", "size = -1", "packages[0].wheels[0].size", "is negative"),
        ("hashes = ", "hash = ", "packages[0].wheels[0].hashes", "is missing"),
        ("hashes = {sha256", "hashes = {md5", "packages[0].wheels[0].hashes.sha256", "is missing"),
        ('sha256 = "', 'sha256 = "0', "packages[0].wheels[0].hashes.sha256", "64 hexadecimal"),
        ('{url = "https', '{urn = "https', "packages[0].wheels[0]", "neither url nor path"),
        ('{url = "https://', '{url = "', "packages[0].wheels[0].url", "is not a URL"),
        ("iniconfig-2.0-py3", "other-2.0-py3", "packages[0].wheels[0].url", "not a wheel of ini"),
        ("any.whl", "any.zip", "packages[0].wheels[0].url", "is not the name of a wheel"),
        ("{url = ", '{name = "../iniconfig-2.0-py3-none-any.whl", url = ',
         "packages[0].wheels[0].name", "is not the name of a wheel"),
        ("upload-time = 2026-03-04T05:06:07.890000Z", 'upload-time = "2026"',
         "packages[0].wheels[0].upload-time", "must be a date and time, not a string"),
        ("upload-time = 2026-03-04T05:06:07.890000Z", "upload-time = 2026-03-04",
         "packages[0].wheels[0].upload-time", "must be a date and time, not a date or a time"),
        ('\'"test" in dep', '\'"tests" in dep', "packages[4].marker", "does not name groups"),
        ("marker = '\"test\" in dependency_groups'", "marker = 'os_name == \"nt\"'",
         "packages[4].marker", "does not name groups"),
        ('{name = "numpy"}', '{name = ""}', "packages[2].dependencies[0].name", "is empty"),
        ('{name = "numpy"}', '"numpy"', "packages[2].dependencies[0]", "a table, not a string"),
        ('{index = "pypi", ', "{", "packages[0].tool.envmgr.index", "is missing"),
        ("wheels = [", "wheel = [", "packages[0].wheels", "must hold one wheel"),
        ("[tool.envmgr.conditions]", "[tool.envmgr.x]", "tool.envmgr.conditions", "is missing"),
        ("sys_platform == \"win32\"'", "sys_platform = \"win32\"'",
         "tool.envmgr.conditions.markers-false[0].marker", "is not a marker"),
        ('groups = ["empty"', 'groups = ["."', "dependency-groups", "is not the name of a group"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(old: str, new: str, where: str, reason: str) -> None:
    error = spoiled(old, new)

    assert error.where == where
    assert reason in error.reason
    assert str(error).startswith(f"{LOCK} cannot be used: {where}: ")


def test_a_package_that_is_there_twice_is_refused() -> None:
    lock = replace(TWO_GROUPS, packages=TWO_GROUPS.packages * 2)

    with pytest.raises(LockUnreadable, match="iniconfig is there twice"):
        parse_lock(render_lock(lock), LOCK)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"lock-version = ", "it is not TOML: invalid value (at end of document)"),
        (b"\xff", "it is not UTF-8 (byte 0)"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"", "it is empty"),
        (b"packages = []\n", "lock-version: is missing"),
        (b"<<<<<<< HEAD\nlock-version = 1\n=======\n", "the marks of an unfinished merge"),
    ],
)
def test_what_is_no_lock_at_all_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(LockUnreadable) as caught:
        parse_lock(data, Path("some/pylock.toml"))

    assert str(caught.value).startswith("some/pylock.toml cannot be used: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"lock-version = ", b"packages = []\n"])
def test_what_is_left_of_a_lock_has_a_way_out(data: bytes) -> None:
    with pytest.raises(LockUnreadable) as caught:
        parse_lock(data, LOCK)

    assert caught.value.hint == "delete it and run `envmgr lock`"


def test_a_lock_of_ours_that_was_edited_wrongly_has_a_way_out() -> None:
    text = render_lock(lock_of("numpy-2.4.6-py3-none-any.whl")).replace('sha256 = "', 'sha256 = "x')
    with pytest.raises(LockUnreadable) as caught:
        parse_lock(text, LOCK)

    assert caught.value.hint == "delete it and run `envmgr lock`"


def test_an_unfinished_merge_has_a_way_out() -> None:
    with pytest.raises(LockUnreadable) as caught:
        parse_lock(b"<<<<<<< HEAD\n", LOCK)

    assert caught.value.hint == "take either side of the merge, then run `envmgr lock`"
