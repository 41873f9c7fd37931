"""A directory with an environment file, a root of its own, and the loopback index it asks."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from envmgr.events import Event, Noted, Warned
from envmgr.names import EnvironmentName, GroupName, PackageName
from envmgr.pipeline.create import create
from envmgr.pipeline.lock import lock
from envmgr.pipeline.types import (
    ByName,
    Created,
    CreateRequest,
    Locked,
    LockRequest,
    LockUse,
    Selector,
)
from envmgr.spec.settings import Settings, load_settings


@dataclass
class Project:
    """What a person has in front of them, without the command line."""

    directory: Path
    index_url: str
    variables: Mapping[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.directory / "environment.yaml"

    @property
    def lock_file(self) -> Path:
        return self.directory / "pylock.toml"

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables a command is given: nothing of the machine but PATH."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory / "nobody"),
            "ENVMGR_HOME": str(self.directory / "home"),
            "ENVMGR_CACHE": str(self.directory / "cache"),
            "ENVMGR_COMPILE": "no",
            "ENVMGR_PYTHONS": sys.executable,
            **self.variables,
        }

    @property
    def settings(self) -> Settings:
        return load_settings(self.environ, self.directory / "nobody")

    @property
    def prefix(self) -> Path:
        return self.settings.environments / "project"

    def write(self, *dependencies: str, more: str = "") -> None:
        """Write the environment file: these dependencies, and further keys."""
        lines = "".join(f"  - {dependency!r}\n" for dependency in dependencies)
        self.file.write_text(
            "schema: 1\nname: project\n"
            f"indexes:\n  - {{name: loopback, url: '{self.index_url}'}}\n"
            f"dependencies:\n{lines or '  []'}\n{more}",
            "utf-8",
        )

    def create(
        self,
        *,
        groups: tuple[str, ...] | None = None,
        use: LockUse = LockUse.UPDATE,
        dry_run: bool = False,
        refresh: bool = False,
        name: str | None = None,
        file: Path | None = None,
        lock: Path | None = None,
        python: str | None = None,
        discard_installed: bool = False,
    ) -> Created:
        """``envmgr create``."""
        request = CreateRequest(
            file=file or self.file,
            lock=lock,
            python=python,
            selector=None if name is None else ByName(EnvironmentName(name)),
            groups=None if groups is None else tuple(map(GroupName, groups)),
            lock_use=use,
            dry_run=dry_run,
            refresh=refresh,
            discard_installed=discard_installed,
        )
        return create(request, self.settings, self.environ, self.events.append)

    def sync(self, selector: Selector | None = None) -> Created:
        """``envmgr sync``, of the environment ``project`` if none is named."""
        named = selector or ByName(EnvironmentName("project"))
        request = CreateRequest(file=None, selector=named, groups=None)
        return create(request, self.settings, self.environ, self.events.append)

    def told(self) -> str:
        """What was noted and warned of so far, a line each."""
        return "\n".join(each.text for each in self.events if isinstance(each, Noted | Warned))

    def lock(
        self, *, check: bool = False, upgrade: tuple[str, ...] = (), refresh: bool = False
    ) -> Locked:
        """``envmgr lock``."""
        request = LockRequest(
            file=self.file,
            check=check,
            upgrade=frozenset(map(PackageName, upgrade)),
            refresh=refresh,
        )
        return lock(request, self.settings, self.environ, self.events.append)

    def python(self, code: str) -> str:
        """Run code with the environment's own interpreter; returns what it printed."""
        done = subprocess.run(
            [self.prefix / "bin" / "python", "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env=self.environ,
        )
        return done.stdout.strip()

    @contextmanager
    def waiting(self, code: str) -> Iterator[str]:
        """Run code that prints a line and then reads one; yields what it printed, without the end.

        It goes on when the block is left.
        """
        with subprocess.Popen(
            [self.prefix / "bin" / "python", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self.environ,
        ) as running:
            assert running.stdout is not None
            yield running.stdout.readline().rstrip("\n")
            running.communicate("\n")

    def entries(self) -> set[str]:
        """Names in the store's directory of entries: whole entries and nothing else."""
        place = self.directory / "home" / "store" / "v1" / "entries"
        return set(os.listdir(place)) if place.is_dir() else set()
