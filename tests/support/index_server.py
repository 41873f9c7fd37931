"""A real index on the loopback interface that can be told to misbehave.

    with IndexServer([make_wheel("a"), make_wheel("b")]) as server:
        server.url                                     # http://127.0.0.1:.../simple/
        server.fail("/simple/a/", Status(500), times=2)
        server.count("/simple/a/")

Pages are at ``/simple/<name>/``, files at ``/files/<filename>``, their metadata at
``/files/<filename>.metadata``. Faults may be added while it runs; a path in ``fail`` is
an fnmatch pattern. Everything else is a keyword of ``IndexServer``.
"""

import base64
import hashlib
import html
import json
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import formatdate
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote, unquote, urlsplit

from envmgr.names import normalized
from tests.support.index_faults import (
    Corrupted,
    Fault,
    HasWheel,
    Hosted,
    NoRanges,
    Redirect,
    Reset,
    Slow,
    Status,
    Truncated,
    WrongRange,
    hosted,
    metadata_of,
)

__all__ = [
    "CERTIFICATE",
    "Corrupted",
    "Fault",
    "HasWheel",
    "Hosted",
    "IndexServer",
    "NoRanges",
    "Redirect",
    "Reset",
    "Seen",
    "Slow",
    "Status",
    "Truncated",
    "WrongRange",
    "hosted",
]

CERTIFICATE = Path(__file__).with_name("loopback.pem")
"""For 127.0.0.1, signed by itself: trusted only by who is told to."""


@dataclass(slots=True)
class _Armed:
    pattern: str
    fault: Fault
    left: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that arrived. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    headers: dict[str, str]


class IndexServer:
    """A simple index (PEP 503, 691) over files in memory. A context manager."""

    def __init__(
        self,
        wheels: Iterable[HasWheel | Hosted] = (),
        *,
        style: Literal["json", "html", "both"] = "both",
        pep658: bool = False,
        ranges: bool = True,
        etag: bool = False,
        cache_control: str | None = None,
        sizes: bool = True,
        credentials: tuple[str, str] | None = None,
        protocol: Literal["HTTP/1.0", "HTTP/1.1"] = "HTTP/1.1",
        tls: bool = False,
    ) -> None:
        """``pep658`` offers ``.metadata``; ``credentials`` are demanded everywhere."""
        self.style = style
        self.pep658 = pep658
        self.ranges = ranges
        self.etag = etag
        self.cache_control = cache_control
        self.sizes = sizes
        self.credentials = credentials
        self.seen: list[Seen] = []
        self.pages: dict[str, tuple[str, bytes]] = {}
        """Path to content type and body, for pages no index would make by itself."""
        self._files: dict[str, Hosted] = {}
        self._projects: dict[str, list[Hosted]] = {}
        self._faults: list[_Armed] = []
        self._lock = threading.Lock()
        self.tls = tls
        self._server = _Server(self, protocol, tls=tls)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        for wheel in wheels:
            self.add(wheel)

    @property
    def root(self) -> str:
        """``http://127.0.0.1:PORT``, or https."""
        scheme = "https" if self.tls else "http"
        return f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """The index's address, with the last slash."""
        return f"{self.root}/simple/"

    def file_url(self, filename: str) -> str:
        """Where a file is."""
        return f"{self.root}/files/{quote(filename)}"

    def add(self, wheel: HasWheel | Hosted) -> None:
        """Host one more file; its project is the name's part of the file name."""
        file = wheel if isinstance(wheel, Hosted) else hosted(wheel)
        stem = file.filename.removesuffix(".tar.gz").removesuffix(".zip")
        name = file.filename.split("-")[0] if stem == file.filename else stem.rpartition("-")[0]
        with self._lock:
            self._files[file.filename] = file
            self._projects.setdefault(normalized(name), []).append(file)

    def add_project(self, name: str) -> None:
        """Have a project without files."""
        self._projects.setdefault(normalized(name), [])

    def remove(self, filename: str) -> None:
        """Delete a file, from its page too; the project stays."""
        with self._lock:
            del self._files[filename]
            for files in self._projects.values():
                files[:] = [file for file in files if file.filename != filename]

    def fail(self, pattern: str, fault: Fault, times: int | None = None) -> None:
        """Let requests for paths like ``pattern`` fail, the next ``times`` of them or all."""
        with self._lock:
            self._faults.append(_Armed(pattern, fault, times))

    def heal(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def count(self, pattern: str = "*", method: str = "*") -> int:
        """How many requests for paths like ``pattern`` arrived."""
        with self._lock:
            return sum(
                fnmatchcase(seen.path, pattern) and fnmatchcase(seen.method, method)
                for seen in self.seen
            )

    def counts(self) -> Counter[str]:
        """Requests by path."""
        with self._lock:
            return Counter(seen.path for seen in self.seen)

    @property
    def connections(self) -> int:
        """How many connections were opened."""
        return self._server.opened

    def forget(self) -> None:
        """Begin counting anew."""
        with self._lock:
            self.seen.clear()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.hang_up()
        self._server.server_close()
        self._thread.join()

    def _note(self, seen: Seen) -> list[Fault]:
        with self._lock:
            self.seen.append(seen)
            found = []
            for armed in self._faults:
                if armed.left != 0 and fnmatchcase(seen.path, armed.pattern):
                    armed.left = None if armed.left is None else armed.left - 1
                    found.append(armed.fault)
            return found

    def _answer(self, seen: Seen) -> _Answer:
        if self.credentials is not None and not self._authorized(seen):
            return _Answer(401, b"who are you?", {"WWW-Authenticate": 'Basic realm="index"'})
        path = unquote(seen.path)
        if seen.path in self.pages:
            kind, body = self.pages[seen.path]
            return self._page(kind, body)
        if path.startswith("/simple/") and path.count("/") == 3 and path.endswith("/"):
            files = self._projects.get(path.split("/")[2])
            if files is not None:
                return self._project(path.split("/")[2], files, seen)
        if path.startswith("/files/"):
            return self._file(path.removeprefix("/files/"))
        return _Answer(404, b"there is nothing here", {})

    def _authorized(self, seen: Seen) -> bool:
        assert self.credentials is not None
        wanted = base64.b64encode(":".join(self.credentials).encode()).decode()
        return seen.headers.get("authorization") == f"Basic {wanted}"

    def _project(self, name: str, files: list[Hosted], seen: Seen) -> _Answer:
        accepts_json = "application/vnd.pypi.simple.v1+json" in seen.headers.get("accept", "")
        if self.style == "json" or (self.style == "both" and accepts_json):
            body = json.dumps(self._json(name, files)).encode()
            return self._page("application/vnd.pypi.simple.v1+json", body)
        return self._page("text/html; charset=utf-8", self._html(name, files).encode())

    def _page(self, kind: str, body: bytes) -> _Answer:
        headers = {"Content-Type": kind}
        if self.cache_control is not None:
            headers["Cache-Control"] = self.cache_control
        if self.etag:
            headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        return _Answer(200, body, headers)

    def _json(self, name: str, files: list[Hosted]) -> dict[str, object]:
        return {
            "meta": {"api-version": "1.1"},
            "name": name,
            "files": [self._json_file(file) for file in files],
        }

    def _json_file(self, file: Hosted) -> dict[str, object]:
        found: dict[str, object] = {
            "filename": file.filename,
            "url": f"../../files/{quote(file.filename)}",
            "hashes": {"sha256": file.claimed} if file.claimed else {},
            "requires-python": file.requires_python,
            "yanked": file.yanked,
        }
        if file.upload_time is not None:
            found["upload-time"] = file.upload_time
        if self.sizes:
            found["size"] = len(file.data)
        if self.pep658 and file.filename.endswith(".whl"):
            found["core-metadata"] = {"sha256": self._metadata_sha256(file)}
        return found

    def _html(self, name: str, files: list[Hosted]) -> str:
        lines = [f"<!DOCTYPE html><html><head><title>Links for {name}</title></head><body>"]
        for file in files:
            fragment = f"#sha256={file.claimed}" if file.claimed else ""
            attributes = [f'href="../../files/{quote(file.filename)}{fragment}"']
            if file.requires_python is not None:
                attributes.append(f'data-requires-python="{html.escape(file.requires_python)}"')
            if file.yanked is not False:
                reason = file.yanked if isinstance(file.yanked, str) else ""
                attributes.append(f'data-yanked="{html.escape(reason)}"')
            if self.pep658 and file.filename.endswith(".whl"):
                attributes.append(f'data-core-metadata="sha256={self._metadata_sha256(file)}"')
            lines.append(f"<a {' '.join(attributes)}>{html.escape(file.filename)}</a><br/>")
        return "\n".join([*lines, "</body></html>"])

    def _file(self, filename: str) -> _Answer:
        file = self._files.get(filename)
        if file is not None:
            digest = hashlib.sha256(file.data).hexdigest()[:16]
            return _Answer(
                200,
                file.data,
                {"Content-Type": "application/octet-stream", "ETag": f'"{digest}"'},
            )
        owner = self._files.get(filename.removesuffix(".metadata"))
        if owner is not None and filename.endswith(".metadata") and self.pep658:
            return _Answer(200, metadata_of(owner), {"Content-Type": "application/octet-stream"})
        return _Answer(404, b"there is nothing here", {})

    def _metadata_sha256(self, file: Hosted) -> str:
        if file.metadata_sha256 is not None:
            return file.metadata_sha256
        return hashlib.sha256(metadata_of(file)).hexdigest()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, index: IndexServer, protocol: str, *, tls: bool) -> None:
        handler = type("Handler", (_Handler,), {"index": index, "protocol_version": protocol})
        super().__init__(("127.0.0.1", 0), handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        self._connections: set[socket.socket] = set()
        self._handlers: list[threading.Thread] = []
        self.opened = 0

    def process_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        assert isinstance(request, socket.socket)
        self._connections.add(request)
        self.opened += 1
        thread = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self._handlers.append(thread)
        thread.start()

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        connection.settimeout(30)
        return connection, address

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are no news."""

    def hang_up(self) -> None:
        """End keep-alive connections, so that their threads end."""
        for connection in list(self._connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._handlers:
            thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    index: IndexServer
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""

    def do_GET(self) -> None:
        self._serve(body=True)

    def do_HEAD(self) -> None:
        self._serve(body=False)

    def _serve(self, *, body: bool) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.command, urlsplit(self.path).path, headers)
        faults = self.index._note(seen)
        ranges = self.index.ranges and not any(isinstance(fault, NoRanges) for fault in faults)
        for fault in faults:
            if isinstance(fault, Slow):
                time.sleep(fault.seconds)
            elif isinstance(fault, Reset):
                return self._reset()
        answer = self._faulty(self.index._answer(seen), faults)
        known = headers.get("if-none-match")
        if answer.status == 200 and known is not None and known == answer.headers.get("ETag"):
            answer = _Answer(304, b"", answer.headers)
        elif answer.status == 200 and ranges and "range" in headers:
            wrong = any(isinstance(fault, WrongRange) for fault in faults)
            answer = _ranged(answer, headers, wrong=wrong)
        self._send(answer, faults, body=body)
        return None

    def _faulty(self, answer: _Answer, faults: list[Fault]) -> _Answer:
        for fault in faults:
            if isinstance(fault, Status):
                answer = _Answer(fault.code, b"out of order", dict(fault.headers))
            elif isinstance(fault, Redirect):
                answer = _Answer(fault.code, b"", {"Location": fault.location})
            elif isinstance(fault, Corrupted):
                body = answer.body[:-1] + bytes([answer.body[-1] ^ 0xFF])
                answer = _Answer(answer.status, body, answer.headers)
        return answer

    def _send(self, answer: _Answer, faults: list[Fault], *, body: bool) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if not body:
            return
        cut = next((fault.sent for fault in faults if isinstance(fault, Truncated)), None)
        self.wfile.write(answer.body if cut is None else answer.body[:cut])
        if cut is not None:
            self.wfile.flush()
            self.close_connection = True

    def _reset(self) -> None:
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(timestamp, usegmt=True)


def _ranged(answer: _Answer, headers: Mapping[str, str], *, wrong: bool) -> _Answer:
    """Apply a Range header with one range (RFC 9110 section 14)."""
    if headers.get("if-range", answer.headers.get("ETag")) != answer.headers.get("ETag"):
        return answer
    size = len(answer.body)
    first, _, last = headers["range"].removeprefix("bytes=").partition("-")
    if first:
        start, end = int(first), min(int(last) if last else size - 1, size - 1)
    else:
        start, end = max(size - int(last), 0), size - 1
    if start > end:
        return _Answer(416, b"", {"Content-Range": f"bytes */{size}"})
    if wrong:
        start, end = 0, end - start
    sent = dict(answer.headers) | {"Content-Range": f"bytes {start}-{end}/{size}"}
    return _Answer(206, answer.body[start : end + 1], sent)
