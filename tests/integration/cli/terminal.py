"""What the tests of the command line share: processes, a terminal, a made-up environment."""

import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from envmgr.link.generation import GenerationRecord
from envmgr.link.prefix import RECORD
from envmgr.names import EnvironmentName, GenerationId

ROOT = Path(__file__).parents[3]


def bare_environ(home: Path, **more: str) -> dict[str, str]:
    """Variables of a person who has set nothing, at home in ``home``."""
    return {
        "HOME": str(home),
        "PATH": os.defpath,
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm",
        "XDG_CONFIG_DIRS": str(home / "no-site"),
        "ENVMGR_HOME": str(home / "root"),
        **more,
    }


def envmgr(
    *words: str, environ: Mapping[str, str], directory: Path, stdin: str | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run the command in a process of its own, away from any terminal."""
    return subprocess.run(
        [sys.executable, "-m", "envmgr", *words],
        env=dict(environ),
        cwd=directory,
        input=stdin or "",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def on_terminal(
    command: Sequence[str], environ: Mapping[str, str], directory: Path, typed: str = ""
) -> tuple[int, str]:
    """Run a command with all its streams on a pseudo-terminal; returns exit code and output."""
    master, slave = pty.openpty()
    termios.tcsetwinsize(slave, (40, 160))
    process = subprocess.Popen(
        command, env=dict(environ), cwd=directory, stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    if typed:
        os.write(master, typed.encode())
    shown = bytearray()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        ready, _, _ = select.select([master], [], [], 0.1)
        if ready:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            shown += piece
    code = process.wait(timeout=60)
    os.close(master)
    return code, shown.decode()


def make_environment(
    prefix: Path,
    programs: Mapping[str, str],
    variables: Mapping[str, str] | None = None,
    generation: str = "0a",
) -> Path:
    """Put a finished generation at ``prefix``; ``programs`` are shell scripts by name."""
    place = prefix / ".envmgr" / "generations" / generation
    (place / "bin").mkdir(parents=True)
    for name, text in programs.items():
        script = place / "bin" / name
        script.write_text(text)
        script.chmod(0o755)
    (place / RECORD).write_bytes(msgspec.json.encode(_record(prefix, generation, variables or {})))
    current = prefix / ".envmgr" / "current"
    current.unlink(missing_ok=True)
    current.symlink_to(f"generations/{generation}")
    return place


def _record(prefix: Path, generation: str, variables: Mapping[str, str]) -> GenerationRecord:
    name = os.fsencode(prefix.name).decode(errors="replace")
    return GenerationRecord(
        id=GenerationId(generation),
        created="2026-11-24T05:43:10+00:00",
        name=EnvironmentName(name),
        environment_file=str(prefix.parent / f"{name}.yaml"),
        lock_sha256="",
        resolution_digest="",
        view_digest="",
        activation_digest="",
        groups=(),
        packages=(),
        python="/usr/bin/python3",
        python_version="3.12.1",
        variables=variables,
        compiled=True,
        entries=10,
        envmgr_version="0.1.0",
    )
