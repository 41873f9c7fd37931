"""Writing a wheel: the same parts give the same bytes, on any day and any machine.

What decides the bytes besides the parts is zlib's version.
"""

import base64
import csv
import hashlib
import io
import re
import stat
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from envmgr.wheel.links import LINKS, render_links

EARLIEST = 315_532_800
"""1980-01-01, in seconds since the epoch: ZIP knows no time before it."""
LATEST = 4_354_819_198
"""The end of 2107, after which it knows none."""
UNRECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s", LINKS)
"""Files of ``.dist-info`` that are made anew, or are true no longer."""

_FILE, _PROGRAM = stat.S_IFREG | 0o644, stat.S_IFREG | 0o755
_VERSION_LINE = re.compile(rb"^Wheel-Version:[^\r\n]*", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a wheel; ``path`` is that in the archive."""

    path: str
    data: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class PartLink:
    """A link of a wheel, and what it leads to: paths in the archive."""

    path: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWheel:
    """Everything a wheel is made of; RECORD and LINKS follow from it."""

    filename: str
    dist_info: str
    parts: tuple[Part, ...]
    links: tuple[PartLink, ...] = ()

    @property
    def size(self) -> int:
        """Bytes of its files, unpacked."""
        return sum(len(part.data) for part in self.parts)


def render_wheel(
    wheel: NewWheel,
    timestamp: int = EARLIEST,
    on_part: Callable[[Part], None] = lambda part: None,
) -> bytes:
    """Return the archive; ``timestamp``, in seconds since the epoch, is every file's time.

    ``on_part`` is called with each file that is in it.
    """
    parts = sorted(wheel.parts, key=lambda part: (_is_info(part.path, wheel), part.path))
    if wheel.links:
        parts.append(Part(f"{wheel.dist_info}/{LINKS}", _render_links(wheel)))
    record = f"{wheel.dist_info}/RECORD"
    parts.append(Part(record, _render_record(parts, record)))
    moment = datetime.fromtimestamp(min(max(timestamp, EARLIEST), LATEST), UTC)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as writer:
        for part in parts:
            member = zipfile.ZipInfo(part.path, moment.timetuple()[:6])
            member.create_system = 3  # Unix, whatever this is, so that modes count
            member.external_attr = (_PROGRAM if part.executable else _FILE) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            writer.writestr(member, part.data)
            on_part(part)
    return archive.getvalue()


def with_wheel_version(data: bytes, version: str) -> bytes:
    """Return the file WHEEL with another Wheel-Version."""
    return _VERSION_LINE.sub(f"Wheel-Version: {version}".encode(), data, count=1)


def render_wheel_info(tags: Iterable[str], *, purelib: bool, build: str = "") -> bytes:
    """Return the file WHEEL of a new wheel; ``tags`` are single ones, ``py3-none-any``."""
    lines = [
        "Wheel-Version: 1.0",
        "Generator: envmgr",
        f"Root-Is-Purelib: {'true' if purelib else 'false'}",
        *([f"Build: {build}"] if build else []),
        *(f"Tag: {tag}" for tag in tags),
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def _is_info(path: str, wheel: NewWheel) -> bool:
    return path.startswith(f"{wheel.dist_info}/")


def _render_links(wheel: NewWheel) -> bytes:
    ordered = sorted(wheel.links, key=lambda link: (link.target, link.path))
    return render_links((link.target, link.path) for link in ordered).encode()


def _render_record(parts: Iterable[Part], own: str) -> bytes:
    """List the files with their hashes; links are none, and in LINKS alone."""
    rows = [(part.path, _hash(part.data), str(len(part.data))) for part in parts]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*rows, (own, "", "")])
    return text.getvalue().encode()


def _hash(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"
