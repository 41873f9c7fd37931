"""The order of the packages, and the named doors to the world."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import envmgr

ROOT = Path(envmgr.__file__).parent

RANK = {
    **dict.fromkeys(("names", "errors", "events", "files", "helper", "locks", "threads"), 0),
    "wheel": 1,
    "spec": 2,
    "hardware": 3,
    "target": 4,
    "runtime": 5,
    "index": 6,
    "resolve": 7,
    "lock": 8,
    "store": 9,
    "link": 10,
    "audit": 11,
    "activate": 12,
    "pipeline": 13,
    "cli": 14,
    "__main__": 15,
}
"""Left to right; a module imports only what stands to its left, and its own package."""

RUNTIME = {
    "forwarding": "",
    "types": "forwarding",
    "wheels": "",
    "building": "",
    "recipes": "forwarding types building",
    "choice": "types",
    "families": "types wheels",
    "planning": "forwarding types",
    "mpi": "",
}
"""Within ``runtime``: which parts each part imports, no more and no less."""

KINDS = {
    "disk": {"os", "mmap", "shutil", "tempfile", "glob", "filelock"},
    "network": {"urllib3", "socket", "truststore", "httpx", "requests"},
    "processes": {"subprocess", "multiprocessing", "signal"},
    "threads": {"threading", "concurrent", "asyncio"},
    "time": {"time"},
    "chance": {"random", "secrets", "uuid"},
    "terminal": {"rich", "curses", "termios"},
}
"""What a module can touch of the world, and the imports that give it away."""

DISK_CALLS = {
    "open", "read_bytes", "read_text", "write_bytes", "write_text", "exists", "is_file", "is_dir",
    "iterdir", "mkdir", "unlink", "rename", "symlink_to", "rmdir", "touch", "lstat", "chmod",
}  # fmt: skip
"""Called on a path these need no import."""

DOORS = {
    "files": "disk",
    "helper": "disk processes threads",
    "locks": "disk time",
    "threads": "threads",
    "wheel/archive": "disk",
    "wheel/elf": "disk",
    "wheel/symbols": "disk",
    "wheel/unpack": "disk",
    "spec/recipes": "disk",
    "spec/settings": "disk",
    "spec/source": "disk",
    "hardware/filesystem": "disk",
    "hardware/host": "disk processes",
    "target/remembered": "disk",
    "runtime/recipes/catalog": "disk",
    "index/afar": "threads",
    "index/ahead": "threads",
    "index/cache": "disk",
    "index/client": "network",
    "index/connections": "network",
    "index/clock": "time chance",
    "index/directory": "disk",
    "index/download": "disk",
    "index/trim": "disk",
    "index/wheel_metadata": "disk threads",
    "index/workers": "threads",
    "lock/lockfile": "disk",
    "store/bytecode": "disk processes threads time",
    "store/collect": "disk time",
    "store/composed": "disk",
    "store/composed_check": "disk",
    "store/recompose": "disk",
    "store/condemned": "disk",
    "store/copy": "disk",
    "store/entry": "disk",
    "store/facts": "disk",
    "store/heal": "disk",
    "store/leases": "disk time",
    "store/processes": "disk",
    "store/published": "disk",
    "store/pyc": "disk",
    "store/roots": "disk time",
    "store/staging": "disk time",
    "store/store": "disk threads",
    "store/tamper": "disk",
    "store/tree": "disk",
    "store/unpack": "disk",
    "store/verify": "disk threads time",
    "link/carry": "disk",
    "link/complete": "disk",
    "link/duplicate": "disk",
    "link/entries": "disk",
    "link/execution": "disk",
    "link/foreign": "disk",
    "link/generation": "disk",
    "link/prefix": "disk",
    "link/rollback_mark": "disk",
    "audit/embedded": "disk",
    "audit/live": "disk processes",
    "audit/view": "disk",
    "pipeline/asking_ahead": "disk",
    "pipeline/audit": "time",
    "pipeline/caches": "disk time",
    "pipeline/health/doctor": "disk time",
    "pipeline/health/entries": "disk",
    "pipeline/health/online": "disk",
    "pipeline/health/places": "disk",
    "pipeline/health/views": "disk",
    "pipeline/composed_copies": "disk",
    "pipeline/copies": "disk",
    "pipeline/generations": "disk",
    "link/reached": "disk",
    "link/root": "disk",
    "pipeline/origin": "disk",
    "pipeline/recipe_build": "disk",
    "pipeline/reading_ahead": "disk threads",
    "pipeline/repair": "disk",
    "pipeline/roots": "disk",
    "pipeline/runtime_catalog": "disk",
    "pipeline/runtime_memory": "disk",
    "pipeline/settle": "disk",
    "pipeline/site": "disk threads time",
    "pipeline/solve": "time",
    "pipeline/stock": "disk threads time",
    "pipeline/surveying": "disk",
    "pipeline/upkeep": "time",
    "pipeline/wheel_link": "disk",
    "pipeline/wheel_output": "disk time",
    "pipeline/which": "disk",
    "pipeline/world": "time",
    "cli": "disk processes threads time terminal",
}
"""The named doors: who may touch what. Everything else is a function from values to values."""


def modules() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


def dotted(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").as_posix()


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import hides the order"
            yield node.lineno, node.module or ""


def touches_disk(called: ast.expr) -> bool:
    """Whether a call is one of DISK_CALLS; the Host is a door itself, whoever holds it."""
    match called:
        case ast.Attribute(ast.Name("host"), _):
            return False
        case ast.Attribute(_, name):
            return name in DISK_CALLS
        case ast.Name("open"):
            return True
    return False


def touched_by(path: Path) -> set[str]:
    imported = {name.split(".")[0] for _, name in imports_of(path)}
    kinds = {kind for kind, names in KINDS.items() if imported & names}
    calls = (
        node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
    )
    if any(touches_disk(call.func) for call in calls):
        kinds.add("disk")
    if any(name == "envmgr.files" for _, name in imports_of(path)):
        kinds.add("disk")
    return kinds


def allowed_to(module: str) -> set[str]:
    return set(DOORS.get(module, DOORS.get(module.split("/")[0], "")).split())


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_a_module_imports_only_from_its_left(path: Path) -> None:
    own = dotted(path).split("/")[0]
    assert own in RANK, f"{own} has no place in the order"
    for line, name in imports_of(path):
        parts = name.split(".")
        if parts[0] != "envmgr" or len(parts) == 1:
            continue
        other = parts[1]
        allowed = other == own or RANK[other] < RANK[own] or RANK[own] == RANK[other] == 0
        assert allowed, f"{dotted(path)}:{line} imports {name}, which stands to its right"


def test_the_parts_of_runtime_import_what_is_said_of_them() -> None:
    found: dict[str, set[str]] = {}
    for path in modules():
        top, part, *_ = *dotted(path).split("/"), ""
        if top == "runtime" and part != "__init__":
            names = (name.partition("envmgr.runtime") for _, name in imports_of(path))
            others = {rest[1:].split(".")[0] for _, mark, rest in names if mark}
            found.setdefault(part, set()).update(others - {part})
    assert found == {part: set(others.split()) for part, others in RUNTIME.items()}


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_only_named_doors_touch_the_world(path: Path) -> None:
    forbidden = touched_by(path) - allowed_to(dotted(path))
    assert not forbidden, f"{dotted(path)} is no door to {sorted(forbidden)}"


def test_no_door_is_wider_than_what_goes_through_it() -> None:
    for door, kinds in DOORS.items():
        behind = [path for path in modules() if f"{dotted(path)}/".startswith(f"{door}/")]
        assert behind, f"there is no {door}"
        used = set().union(*map(touched_by, behind))
        assert set(kinds.split()) <= used, f"{door} does not need {set(kinds.split()) - used}"


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_environment_variables_are_read_in_cli_alone(path: Path) -> None:
    if dotted(path).startswith("cli/"):
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Attribute(ast.Name("os"), "environ" | "getenv" as name):
                pytest.fail(f"{dotted(path)}:{node.lineno} reads os.{name}")


def test_the_default_address_of_pypi_is_written_once() -> None:
    host = "pypi" + ".org"
    holders = [dotted(path) for path in modules() if host in path.read_text("utf-8")]
    assert holders == ["spec/settings"]
