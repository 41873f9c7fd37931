"""A client of the Debug Adapter Protocol: as much of an editor as a debugger needs."""

import json
import socket
import time
from collections.abc import Callable
from typing import Any, Self


class DebugClient:
    """One session with an adapter that listens on this machine. Leave the context to end it."""

    def __init__(self, port: int, seconds: float = 60.0) -> None:
        """Connect; whatever takes longer than ``seconds`` afterwards raises TimeoutError."""
        self._socket = _connected(port, seconds)
        self._file = self._socket.makefile("rb")
        self._sent = 0
        self._waiting: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._file.close()
        self._socket.close()

    def send(self, command: str, **arguments: object) -> int:
        """Send a request whose answer comes late, or is not waited for; returns its number."""
        self._sent += 1
        message = {"seq": self._sent, "type": "request", "command": command}
        body = json.dumps({**message, "arguments": arguments}).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        return self._sent

    def ask(self, command: str, **arguments: object) -> dict[str, Any]:
        """Send a request and return the body of its answer."""
        number = self.send(command, **arguments)
        answer = self._until(
            lambda each: each["type"] == "response" and each["request_seq"] == number
        )
        assert answer["success"], answer
        return dict(answer.get("body") or {})

    def event(self, name: str) -> dict[str, Any]:
        """Wait for an event and return its body."""
        found = self._until(lambda each: each["type"] == "event" and each["event"] == name)
        return dict(found.get("body") or {})

    def _until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        for position, message in enumerate(self._waiting):
            if fits(message):
                return self._waiting.pop(position)
        while True:
            message = self._read()
            if fits(message):
                return message
            self._waiting.append(message)

    def _read(self) -> dict[str, Any]:
        length = 0
        while line := self._file.readline().strip():
            length = int(line.partition(b":")[2])
        assert length, "the adapter is gone"
        return dict(json.loads(self._file.read(length)))


def _connected(port: int, seconds: float) -> socket.socket:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=seconds)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def free_port() -> int:
    """Return a port of this machine that nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
