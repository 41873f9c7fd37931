"""Tiny shared libraries that glibc loads, and wheels that bring them along as real ones do.

``alpha`` holds ``alpha/_core.so``, which asks ``alpha.libs/libgomp-<hash>.so.1.0.0`` for a
number; the number tells which copy was loaded.
"""

import hashlib
import platform
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from envmgr.link.generation import GenerationRecord, read_current
from envmgr.runtime.forwarding.types import Answer, Forward, ForwardingLibrary, Jump, Machine
from envmgr.runtime.forwarding.writer import render_forwarding_library
from envmgr.store.entry import WHEEL_NAME
from tests.support.project import Project
from tests.support.wheels import Content, Wheel, make_wheel

HERE: Machine = "aarch64" if platform.machine() == "aarch64" else "x86_64"
GOMP = ("OMP_1.0", "GOMP_1.0", "GOMP_4.0", "GOMP_4.5", "GOMP_5.0")

LOADED = """
import os
def loaded(part):
    lines = [line.split() for line in open("/proc/self/maps") if part in line]
    return sorted({(line[4], line[5]) for line in lines})
def inodes(part):
    return len({inode for inode, path in loaded(part)})
"""
"""For programs that tell what they loaded."""


def make_library(
    soname: str,
    *,
    answers: Mapping[str, int] | None = None,
    calls: Mapping[str, str] | None = None,
    needed: Iterable[str] = ("libc.so.6",),
    rpath: Iterable[str] = (),
    runpath: Iterable[str] = (),
    versions: Iterable[str] = (),
) -> bytes:
    """A library whose functions answer a number or go on at another function.

    It defines ``versions``, each for a function of its own.
    """
    forwards = [Forward(name, Answer(number)) for name, number in (answers or {}).items()]
    forwards += [Forward(name, Jump(target)) for name, target in (calls or {}).items()]
    forwards += [
        Forward(f"of_{version.lower().replace('.', '_')}", Answer(1), version)
        for version in versions
    ]
    return render_forwarding_library(
        ForwardingLibrary(
            machine=HERE,
            soname=soname,
            needed=tuple(needed),
            rpath=tuple(rpath),
            runpath=tuple(runpath),
            forwards=tuple(forwards),
        )
    )


def copy_name(data: str, stem: str = "libgomp", end: str = ".so.1.0.0") -> str:
    """The name that auditwheel gives a copy."""
    return f"{stem}-{hashlib.sha256(data.encode()).hexdigest()[:8]}{end}"


def make_gomp(soname: str, number: int, versions: Iterable[str] = GOMP) -> bytes:
    """A copy of libgomp that answers its number."""
    return make_library(soname, answers={"gomp_number": number}, versions=versions)


def make_consumer(name: str, needed: str, *, runpath: str, target: str = "gomp_number") -> bytes:
    """What a package compiles: ``<name>_number`` goes on in the library it needs."""
    return make_library(
        f"_core_{name}.so",
        calls={f"{name}_number": target},
        needed=(needed, "libc.so.6"),
        runpath=(runpath,),
    )


def module_of(name: str, library: str = "_core.so") -> str:
    """The package's own module, which loads its library as soon as it is imported."""
    return (
        "import ctypes, os\n"
        f"_lib = ctypes.CDLL(os.path.join(os.path.dirname(__file__), {library!r}))\n"
        f"def number():\n    return _lib.{name}_number()\n"
    )


def vendoring(
    name: str,
    number: int,
    *,
    version: str = "1.0",
    versions: Iterable[str] = GOMP,
    requires: Iterable[str] = (),
    more: Mapping[str, Content] | None = None,
    links: str | None = None,
) -> Wheel:
    """A wheel that brings a copy of libgomp with this number along, as auditwheel leaves it."""
    copy = copy_name(f"{name} {version} {number}")
    files: dict[str, Content] = {
        f"{name}/__init__.py": module_of(name),
        f"{name}/plain.py": "VALUE = 1\n",
        f"{name}/deep/__init__.py": "",
        f"{name}/deep/data.txt": "much\n" * 100,
        f"{name}/_core.so": make_consumer(name, copy, runpath=f"$ORIGIN/../{name}.libs"),
        f"{name}.libs/{copy}": make_gomp(copy, number, versions),
        **(more or {}),
    }
    return make_wheel(
        name,
        version,
        files=files,
        requires=requires,
        purelib=False,
        dist_info_files=None if links is None else {"LINKS": links},
    )


def numbers(
    project: Project, *names: str, prefix: Path | None = None, part: str = "libgomp"
) -> str:
    """Import packages in this order; return their numbers, and how many libgomps are loaded."""
    calls = ", ".join(f"{name}.number()" for name in names)
    code = f"{LOADED}\nimport {', '.join(names)}\nprint({calls}, inodes({part!r}))"
    done = subprocess.run(
        [(prefix or project.prefix) / "bin/python", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=project.environ,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def record(prefix: Path) -> GenerationRecord:
    """The record of the current generation."""
    found = read_current(prefix)
    assert found is not None
    return found


def composed(project: Project, package: str = "") -> list[Path]:
    """The composed entries of a project's own store, of one package or of all."""
    place = project.directory / "home/store/v1/entries"
    found = sorted(place.glob("composed-*"))
    return [path for path in found if (path / WHEEL_NAME).read_text().startswith(package)]
