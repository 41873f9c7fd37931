import ast
import shlex
import subprocess

import pytest

from envmgr.link.scripts import (
    SHEBANG_LIMIT,
    is_program_name,
    is_python_script,
    reinterpret,
    render_entry_point_script,
    render_pip_notice,
    render_wheel_script,
    shebang,
)
from envmgr.wheel.manifest import EntryPoint

SHORT = "/env/bin/python"


def point(value: str) -> EntryPoint:
    return EntryPoint("console_scripts", "tool", value)


def test_a_short_path_stands_in_the_first_line() -> None:
    assert shebang(SHORT) == b"#!/env/bin/python\n"


def test_a_first_line_is_as_long_as_old_kernels_allow_and_no_longer() -> None:
    longest = "/" + "x" * (SHEBANG_LIMIT - 3)

    assert shebang(longest) == f"#!{longest}\n".encode()
    assert shebang(longest + "x").startswith(b"#!/bin/sh\n")


@pytest.mark.parametrize("path", ["/my env/bin/python", "/a\tb/python", "/" + "y" * 200])
def test_the_shell_starts_what_a_first_line_cannot_name(path: str) -> None:
    first, second, rest = shebang(path).decode().split("\n")

    assert first == "#!/bin/sh"
    assert shlex.split(second)[:2] == ["exec", path]
    assert rest == ""


@pytest.mark.parametrize(
    "path", ["/it's/py", "/back\\slash x/py", "/$HOME `x`/py", '/say "hi"/py', "/Ünïcode ø/py"]
)
def test_odd_paths_mean_the_same_to_the_shell_and_nothing_to_python(path: str) -> None:
    text = shebang(path + "y" * 130).decode()

    assert shlex.split(text.split("\n")[1])[1] == path + "y" * 130
    tree = ast.parse(text + "x = 1\n")
    assert [type(node) for node in tree.body] == [ast.Expr, ast.Assign]


def test_an_argument_of_the_first_line_is_kept_either_way() -> None:
    script = b"#!python -E\nprint(1)\n"

    assert render_wheel_script(script, SHORT) == b"#!/env/bin/python -E\nprint(1)\n"
    assert b"python' '-E' \"$0\"" in render_wheel_script(script, "/my env/bin/python")


def test_only_the_first_line_of_a_script_changes() -> None:
    assert render_wheel_script(b"#!python\r\nimport x\n", SHORT) == b"#!/env/bin/python\nimport x\n"
    assert render_wheel_script(b"#!pythonw\nx\n", SHORT) == b"#!/env/bin/python\nx\n"


@pytest.mark.parametrize(
    ("head", "asks"),
    [
        (b"#!python\n", True),
        (b"#!pythonw\n", True),
        (b"#!python -E", True),
        (b"#!python", True),
        (b"#!python3\n", False),
        (b"#!/usr/bin", False),
        (b"\x7fELF", False),
    ],
)
def test_a_script_asks_for_the_interpreter_by_its_first_line(head: bytes, asks: bool) -> None:
    assert is_python_script(head) is asks


def test_an_entry_point_becomes_a_script_that_imports_only_when_run() -> None:
    script = render_entry_point_script(point("pkg.sub:Main.run [extra]"), SHORT)

    assert script is not None
    tree = ast.parse(script)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(node) for node in imports] == ["import sys"]
    assert b"from pkg.sub import Main" in script
    assert b"sys.exit(Main.run())" in script


@pytest.mark.parametrize("value", ["pkg", "pkg:", ":main", "pkg:main()", "a b:c", "os:system('x')"])
def test_what_names_no_callable_becomes_no_script(value: str) -> None:
    assert render_entry_point_script(point(value), SHORT) is None


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0b"])
def test_names_that_cannot_be_files_in_bin_are_told(name: str) -> None:
    assert not is_program_name(name)
    assert is_program_name("f2py-3.12")


def test_the_notice_in_the_place_of_pip_says_what_to_do_and_fails() -> None:
    done = subprocess.run(["sh"], input=render_pip_notice("climate"), capture_output=True)

    assert done.returncode == 2
    assert b"envmgr sync climate" in done.stderr
    assert done.stdout == b""


@pytest.mark.parametrize("arguments", ["", "-E", "-E -s"])
@pytest.mark.parametrize("old", ["/envs/a/bin/python", "/with blank/python", "/" + "x" * 140])
@pytest.mark.parametrize("new", ["/envs/b/bin/python", "/other blank/python", "/" + "y" * 140])
def test_a_script_is_handed_from_one_interpreter_to_another(
    old: str, new: str, arguments: str
) -> None:
    body = b"import sys\n"

    assert reinterpret(shebang(old, arguments) + body, old, new) == shebang(new, arguments) + body
    assert reinterpret(b"#!/bin/sh\nexit 0\n", old, new) == b"#!/bin/sh\nexit 0\n"
    longer = shebang(f"{old}-more", arguments) + body
    assert reinterpret(longer, old, new) == longer
