"""An interrupt while requirements are resolved: the command ends at once and leaves nothing odd."""

import json
import signal
import subprocess
import sys

from envmgr.errors import ExitCode
from tests.support.index_server import IndexServer, Slow
from tests.support.project import Project

LONGER_THAN_ANYBODY_WAITS = 300.0
SOON = 60.0
"""Seconds; less than the server takes."""


def test_an_interrupt_does_not_wait_for_the_index(project: Project, server: IndexServer) -> None:
    project.write("alpha", "beta")
    server.fail("/files/*", Slow(LONGER_THAN_ANYBODY_WAITS))
    command = [
        sys.executable,
        "-m",
        "envmgr",
        "lock",
        "-f",
        str(project.file),
        "--progress",
        "json",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=project.environ
    ) as running:
        assert running.stderr is not None
        for line in running.stderr:
            event = json.loads(line)
            if event["event"] == "stage-advanced" and event["item"] == "beta":
                break
        running.send_signal(signal.SIGINT)
        _, errors = running.communicate(timeout=SOON)
    assert running.returncode == ExitCode.INTERRUPTED
    assert "Traceback" not in errors
    assert not project.lock_file.exists()
