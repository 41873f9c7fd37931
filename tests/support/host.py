"""A machine made of mappings, and the interpreters that may be found on it."""

import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from envmgr.hardware.host import CommandFailed, FileStamp, Kernel, Ran
from envmgr.target.answer import MARK
from envmgr.target.types import Glibc, Interpreter, Libc, MacOS
from tests.support.values import replace

LINUX = Kernel("Linux", "6.1.0-18-amd64", "#1 SMP Debian", "x86_64")


@dataclass
class FakeHost:
    """A host that has what it is given. ``ran`` records every program that was started."""

    environ: Mapping[str, str] = field(default_factory=dict)
    home: str = "/home/user"
    kernel: Kernel = LINUX
    own_interpreter: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    programs: dict[str, dict[str, Ran | CommandFailed]] = field(default_factory=dict)
    """Path of an executable file to what it does, by its last argument."""
    ran: list[tuple[str, ...]] = field(default_factory=list)
    changed: dict[str, int] = field(default_factory=dict)
    """Path to the time its file was changed; 0 where nothing is said."""

    def real_path(self, path: str) -> str:
        resolved = "/"
        for part in path.split("/"):
            resolved = posixpath.normpath(posixpath.join(resolved, part))
            if resolved in self.links:
                target = posixpath.join(posixpath.dirname(resolved), self.links[resolved])
                resolved = self.real_path(target)
        return resolved

    def stamp(self, path: str) -> FileStamp | None:
        real = self.real_path(path)
        if real not in self.files:
            return None
        executable = real in self.programs
        return FileStamp(len(self.files[real]), self.changed.get(real, 0), executable)

    def list_directory(self, path: str) -> tuple[str, ...]:
        top = self.real_path(path).rstrip("/") + "/"
        below = [each for each in (*self.files, *self.links) if each.startswith(top)]
        return tuple({each.removeprefix(top).split("/")[0] for each in below})

    def read_bytes(self, path: str, limit: int) -> bytes | None:
        data = self.files.get(self.real_path(path))
        return None if data is None else data[:limit]

    def run(self, command: Sequence[str], timeout: float, changes: Mapping[str, str]) -> Ran:
        self.ran.append(tuple(command))
        known = self.programs[self.real_path(command[0])]
        done = known.get(command[-1], known.get(""))
        if done is None:
            raise CommandFailed(command, "it cannot be run: no such program")
        if isinstance(done, CommandFailed):
            raise done
        return done

    def add_program(self, path: str, does: Mapping[str, Ran | CommandFailed]) -> None:
        """Put an executable file; ``does`` is by last argument, ``""`` for any other."""
        self.files.setdefault(path, b"\x7fELF")
        self.programs[path] = dict(does)

    def add_python(self, path: str, version: str, **changes: object) -> None:
        """Put an interpreter of a version (``3.13.0rc1``); ``changes`` are to its answer."""
        answer = {**make_answer(version, executable=path), **changes}
        said = Ran(0, f"a start-up hook's noise\n{MARK}{json.dumps(answer)}\n", "")
        self.add_program(path, {"": said, "-V": Ran(0, f"Python {version}\n", "")})

    def add_broken(self, path: str, does: Ran | CommandFailed) -> None:
        """Put an executable that looks like an interpreter and is none."""
        self.add_program(path, {"": does})


def make_answer(version: str, executable: str = "/usr/bin/python3") -> dict[str, object]:
    """Give what a plain CPython for x86-64 Linux with glibc 2.36 says of itself."""
    final = version.split("rc")[0].split("a")[0].split("b")[0].rstrip("+")
    major, minor, micro = final.split(".")
    python = f"python{major}.{minor}"
    return {
        "executable": executable,
        "version": [int(major), int(minor), int(micro)],
        "implementation": "cpython",
        "free_threaded": False,
        "debug": False,
        "pointer_bits": 64,
        "platform": "linux-x86_64",
        "glibc": "2.36",
        "macos": "",
        "soabi": f"cpython-{major}{minor}-x86_64-linux-gnu",
        "cache_tag": f"cpython-{major}{minor}",
        "magic": "cb0d0d0a",
        "refused_platforms": [],
        "site_packages": f"lib/{python}/site-packages",
        "headers": f"include/{python}",
        "markers": make_markers(version),
    }


def make_markers(version: str = "3.12.1", kernel: Kernel = LINUX) -> dict[str, str]:
    """Give the marker variables of a CPython."""
    return {
        "implementation_name": "cpython",
        "implementation_version": version.rstrip("+"),
        "os_name": "posix",
        "platform_machine": kernel.machine,
        "platform_python_implementation": "CPython",
        "platform_release": kernel.release,
        "platform_system": kernel.system,
        "platform_version": kernel.version,
        "python_full_version": version,
        "python_version": ".".join(version.split(".")[:2]),
        "sys_platform": "darwin" if kernel.system == "Darwin" else "linux",
    }


def make_interpreter(
    version: tuple[int, int, int] = (3, 12, 1),
    *,
    libc: Libc | None = Glibc(2, 36),  # noqa: B008 - a frozen value
    platform: str = "linux-x86_64",
    implementation: Literal["cpython", "pypy"] = "cpython",
    free_threaded: bool = False,
    debug: bool = False,
    pointer_bits: int = 64,
    soabi: str | None = "cpython-312-x86_64-linux-gnu",
    refused_platforms: tuple[str, ...] = (),
) -> Interpreter:
    """Make an interpreter value; what is not given is a plain CPython's for x86-64 Linux."""
    text = ".".join(map(str, version))
    machine = platform.rpartition("-")[2]
    kernel = replace(LINUX, machine=machine)
    if isinstance(libc, MacOS):
        kernel = Kernel("Darwin", "23.1.0", "Darwin Kernel Version 23.1.0", machine)
    python = f"python{version[0]}.{version[1]}"
    return Interpreter(
        executable=f"/opt/python/bin/{python}",
        version=version,
        implementation=implementation,
        free_threaded=free_threaded,
        debug=debug,
        pointer_bits=pointer_bits,
        platform=platform,
        libc=libc,
        soabi=soabi,
        cache_tag=f"{implementation}-{version[0]}{version[1]}",
        magic="cb0d0d0a",
        markers=make_markers(text, kernel),
        site_packages=f"lib/{python}/site-packages",
        headers=f"include/{python}",
        refused_platforms=refused_platforms,
    )
