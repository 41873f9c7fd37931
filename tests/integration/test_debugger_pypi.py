"""debugpy, as editors use it, in a program whose packages are links: `make slow`."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.integration.test_tools_pypi import Environment
from tests.support.debugging import DebugClient, free_port

pytestmark = pytest.mark.slow

FILE = """\
schema: 1
name: tools
python: "3.12"
exclude-newer: 2026-11-01
dependencies: [debugpy, packaging]
"""
PROGRAM = "from packaging.version import parse\n\nprint(parse('1.0'))\n"
LINE = 3


@pytest.fixture(scope="module")
def debugged() -> Iterator[Environment]:
    with TemporaryDirectory(prefix="envmgr-debugger-") as directory:
        made = Environment(Path(directory))
        (made.directory / "environment.yaml").write_text(FILE, "utf-8")
        made.envmgr("create", "--no-compile")
        yield made


@pytest.fixture
def program(debugged: Environment, tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A program that waits for a debugger on a port."""
    file = tmp_path / "program.py"
    file.write_text(PROGRAM, "utf-8")
    port = free_port()
    running = subprocess.Popen(
        [debugged.prefix / "bin" / "python", "-m", "debugpy", "--listen", f"127.0.0.1:{port}",
         "--wait-for-client", file],
        env=debugged.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield file, port
    finally:
        running.kill()
        running.wait()


def linked_module(environment: Environment, path: str) -> Path:
    """The module as the user, the running program, or the store names it."""
    (module,) = environment.prefix.glob("lib/python3*/site-packages/packaging/version.py")
    match path:
        case "prefix":
            return module
        case "generation":
            current = (environment.prefix / ".envmgr" / "current").resolve()
            return current / module.relative_to(environment.prefix)
    return module.resolve()


def stopped_at(client: DebugClient) -> tuple[int, dict[str, Any]]:
    thread = client.event("stopped")["threadId"]
    return thread, client.ask("stackTrace", threadId=thread)["stackFrames"][0]


def attach(client: DebugClient, program: Path, package: Path, *, just_my_code: bool) -> int:
    """Attach, stop at the program's call and at the package's function; returns the thread."""
    line = package.read_text("utf-8").split("return Version(version)")[0].count("\n") + 1
    client.ask("initialize", adapterID="envmgr", pathFormat="path")
    client.send("attach", justMyCode=just_my_code)
    client.event("initialized")
    for path, number in ((program, LINE), (package, line)):
        source = {"path": str(path)}
        client.ask("setBreakpoints", source=source, breakpoints=[{"line": number}])
    client.ask("configurationDone")
    thread, frame = stopped_at(client)
    assert (frame["source"]["path"], frame["line"]) == (str(program), LINE)
    return thread


@pytest.mark.parametrize("path", ["prefix", "generation", "store"])
def test_a_debugger_breaks_in_a_linked_package_and_steps_into_it(
    debugged: Environment, program: tuple[Path, int], path: str
) -> None:
    file, port = program
    with DebugClient(port) as client:
        thread = attach(client, file, linked_module(debugged, path), just_my_code=False)

        client.ask("continue", threadId=thread)
        thread, frame = stopped_at(client)
        scopes = client.ask("scopes", frameId=frame["id"])["scopes"]
        shown = client.ask("variables", variablesReference=scopes[0]["variablesReference"])
        client.ask("stepIn", threadId=thread)
        _, deeper = stopped_at(client)

    assert frame["name"] == "parse"
    assert Path(frame["source"]["path"]).samefile(linked_module(debugged, path))
    assert {each["name"]: each["value"] for each in shown["variables"]} == {"version": "'1.0'"}
    assert deeper["name"] == "__init__"


def test_a_linked_package_is_not_the_users_code(
    debugged: Environment, program: tuple[Path, int]
) -> None:
    """Stepping stays in the program: the call into the package is stepped over."""
    file, port = program
    with DebugClient(port) as client:
        package = linked_module(debugged, "prefix")
        thread = attach(client, file, package, just_my_code=True)
        client.ask("stepIn", threadId=thread)
        client.event("terminated")
