"""The program that imports packages inside an environment and says what got mapped.

It runs under the environment's own interpreter, Python 3.8 or newer, and knows nothing of
envmgr. What it finds goes to a descriptor of its own, a line of JSON for each step, so
that nothing an import prints gets in between and a crash tells where it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

PROBE = '''\
import json
import os
import sys

CHANNEL = int(sys.argv[1])
sys.path[:] = [path for path in sys.path if path not in ("", os.getcwd())]


def tell(step, **facts):
    line = (json.dumps(dict(facts, step=step)) + "\\n").encode()
    while line:
        line = line[os.write(CHANNEL, line):]


def mapped():
    found = set()
    with open("/proc/self/maps", "rb") as maps:
        for line in maps:
            parts = line.split(None, 5)
            if len(parts) == 6 and b"x" in parts[1] and parts[5].startswith(b"/"):
                path = os.fsdecode(parts[5].rstrip(b"\\n"))
                found.add((path, parts[3].decode(), int(parts[4])))
    return found


def try_import(name):
    import importlib

    try:
        importlib.import_module(name)
    except BaseException as error:
        text = " ".join(str(error).split())
        return [[name, (type(error).__name__ + ": " + text)[:500]]]
    return []


def loaded_as():
    """Every loaded library as the loader knows it, links not followed."""
    try:
        import ctypes
    except ImportError:
        return []

    class Info(ctypes.Structure):
        _fields_ = [("address", ctypes.c_void_p), ("name", ctypes.c_char_p)]

    names = []

    def note(info, size, data):
        names.append(os.fsdecode(info.contents.name or b""))
        return 0

    kind = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.POINTER(Info), ctypes.c_size_t, ctypes.c_void_p
    )
    try:
        ctypes.CDLL(None).dl_iterate_phdr(kind(note), None)
    except (AttributeError, OSError):
        return []
    return [name for name in names if name.startswith("/")]


def thread_pools():
    try:
        import threadpoolctl

        return [
            {
                "path": str(each.get("filepath") or ""),
                "api": str(each.get("internal_api") or ""),
                "version": str(each.get("version") or ""),
                "threads": int(each.get("num_threads") or 0),
                "layer": str(each.get("threading_layer") or ""),
            }
            for each in threadpoolctl.threadpool_info()
        ]
    except BaseException:
        return []


def main():
    os.set_inheritable(CHANNEL, False)
    task = json.loads(sys.stdin.read())
    seen = mapped()
    for package, modules, further in task:
        tell("importing", package=package)
        failed = []
        for module in modules:
            failed += try_import(module)
        for module, files in further:
            if not {os.path.basename(path) for path, _, _ in mapped()}.issuperset(files):
                failed += try_import(module)
        now = mapped()
        tell("imported", package=package, failed=failed, mapped=sorted(now - seen))
        seen |= now
    names = loaded_as()
    tell("done", names=names, pools=thread_pools())
    os._exit(0)


main()
'''
"""Called with a descriptor's number; reads from its input, for each package, its name, modules,
and further modules with the names of files without which they are imported.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageImports:
    """What to import of a package, in order."""

    package: str
    modules: tuple[str, ...]
    further: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Modules, and names of files: they are imported unless such files are mapped by then.

    A file of the same name would be taken for the one they ask for anyway.
    """


@dataclass(frozen=True, slots=True)
class MappedFile:
    """A file that is mapped so that it can be executed, as ``/proc/self/maps`` has it."""

    path: str
    device: str
    inode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadPool:
    """What ``threadpoolctl`` says of one library."""

    path: str
    api: str
    """``openblas``, ``mkl``, ``openmp``, ..."""
    version: str
    """Empty where it cannot be told."""
    threads: int
    layer: str
    """What makes a BLAS's threads; empty where it cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedImport:
    """A module that did not come in, or a package whose import ended the process."""

    package: str
    module: str
    """Empty for the latter."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What one process saw. ``mapped`` holds, for each package in turn, what came with it."""

    mapped: Mapping[str, tuple[MappedFile, ...]]
    failed: tuple[FailedImport, ...]
    names: tuple[str, ...]
    """Loaded libraries as the loader knows them."""
    pools: tuple[ThreadPool, ...]
    at: str | None
    """The package at which the process ended; ``None`` where it got through."""


class _Line(msgspec.Struct):
    step: str
    package: str = ""
    failed: tuple[tuple[str, str], ...] = ()
    mapped: tuple[tuple[str, str, int], ...] = ()
    names: tuple[str, ...] = ()
    pools: tuple[dict[str, Any], ...] = ()


def parse_observed(data: bytes) -> Observed:
    """Read what the probe wrote, however far it got; a line cut short by its end does not count."""
    mapped: dict[str, tuple[MappedFile, ...]] = {}
    failed: list[FailedImport] = []
    at: str | None = ""
    last = _Line("")
    for line in _lines(data):
        last = line
        if line.step == "importing":
            at = line.package
        elif line.step == "imported":
            mapped[line.package] = tuple(MappedFile(*each) for each in line.mapped)
            failed += [
                FailedImport(package=line.package, module=module, reason=reason)
                for module, reason in line.failed
            ]
            at = ""
        elif line.step == "done":
            at = None
    return Observed(
        mapped=mapped,
        failed=tuple(failed),
        names=last.names,
        pools=tuple(ThreadPool(**each) for each in last.pools),
        at=at,
    )


def _lines(data: bytes) -> Sequence[_Line]:
    found = []
    for line in data.splitlines():
        try:
            found.append(msgspec.json.decode(line, type=_Line))
        except (msgspec.DecodeError, UnicodeDecodeError):
            break
    return found
