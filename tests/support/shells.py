"""Real shells: a script of ours is read into one, and its environment is looked at."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class Shell:
    """How one shell says what every test needs; variables and never text are put into it."""

    name: str
    argv: tuple[str, ...]
    """Runs the script whose path follows, without any user's start-up files."""
    activate: str
    """File name of the activation script."""
    read: str
    """Reads the script that variable ``{0}`` names into this shell."""
    dump: str
    """Writes the environment to the file that variable ``{0}`` names."""
    prepend: str
    """Puts the value of ``{0}`` before ``PATH``."""
    append: str
    package: str | None = None
    """Of Debian; ``None`` where the shell is part of every system."""

    def run(
        self, tmp_path: Path, script: str, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a script with exactly this environment."""
        file = tmp_path / f"script.{self.name}"
        file.write_text(script)
        argv = [self.program, *self.argv[1:], str(file)]
        return subprocess.run(
            argv, env=dict(environment), capture_output=True, check=False, timeout=60
        )

    @property
    def program(self) -> str:
        """The shell's own path."""
        found = shutil.which(self.argv[0])
        assert found is not None, f"{self.argv[0]} is not installed"
        return found


def _posix(name: str, argv: tuple[str, ...], package: str | None) -> Shell:
    return Shell(
        name=name,
        argv=argv,
        activate="activate",
        read='. "${0}"',
        dump='/usr/bin/env -0 > "${0}"',
        prepend='PATH="${0}:$PATH"',
        append='PATH="$PATH:${0}"',
        package=package,
    )


BASH = _posix("bash", ("bash", "--norc", "--noprofile"), None)
SH = _posix("sh", ("sh",), None)
ZSH = _posix("zsh", ("zsh", "-f"), "zsh")
FISH = Shell(
    name="fish",
    argv=("fish", "--no-config"),
    activate="activate.fish",
    read="source ${0}",
    dump="/usr/bin/env -0 > ${0}",
    prepend="set -gx PATH ${0} $PATH",
    append="set -gx PATH $PATH ${0}",
    package="fish",
)
TCSH = Shell(
    name="tcsh",
    argv=("tcsh", "-f"),
    activate="activate.csh",
    read='source "${0}:q"',
    dump='/usr/bin/env -0 >! "${0}:q"',
    prepend='setenv PATH "${0}:q":"$PATH:q"',
    append='setenv PATH "$PATH:q":"${0}:q"',
    package="tcsh",
)
POSIX_SHELLS = (BASH, SH, ZSH)
SHELLS = (*POSIX_SHELLS, FISH, TCSH)


def parameters(shells: tuple[Shell, ...]) -> list[object]:
    """Return these shells as test parameters: one that is not installed makes its tests slow."""
    return [
        pytest.param(
            shell,
            id=shell.name,
            marks=[pytest.mark.slow] if shutil.which(shell.argv[0]) is None else [],
        )
        for shell in shells
    ]


def ensure_installed(shell: Shell) -> None:
    """Install the shell from Debian's packages where it is missing; fail where that fails."""
    if shutil.which(shell.argv[0]) is not None:
        return
    apt = shutil.which("apt-get")
    if shell.package is None or apt is None or os.getuid() != 0:
        pytest.fail(f"install {shell.package or shell.name} to run this test")
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", shell.package]):
        subprocess.run([apt, "-qq", *arguments], check=True, capture_output=True, timeout=600)


def read_dump(path: Path) -> dict[str, str]:
    """Read what a shell dumped, without what shells change by themselves."""
    pairs = (item.partition(b"=") for item in path.read_bytes().split(b"\0") if item)
    own = {"_", "SHLVL", "PWD", "OLDPWD", "HOSTTYPE", "VENDOR", "OSTYPE", "MACHTYPE", "HOST"}
    own |= {"GROUP", "LOGNAME", "USER", "TERM"}
    return {
        name.decode(): value.decode("utf-8", "surrogateescape")
        for name, _, value in pairs
        if name.decode() not in own
    }
