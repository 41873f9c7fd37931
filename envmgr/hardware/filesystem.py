"""What a file system can do and has left, as far as it tells without being written to."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NETWORK = frozenset(
    {
        *("nfs", "nfs4", "lustre", "gpfs", "beegfs", "ceph", "cifs", "smb3", "smbfs", "afs", "9p"),
        *("panfs", "wekafs", "orangefs", "pvfs2", "gfs2", "ocfs2", "afpfs", "fuse.sshfs"),
        *("fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.juicefs"),
    }
)
"""As the kernel names them."""
_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystem:
    """The file system that a directory lies on."""

    kind: str
    """``ext4``, ``nfs4``, ...; empty where the system does not tell."""
    device: int
    free_bytes: int
    """For this user, as far as quotas are seen there."""
    free_inodes: int | None
    """``None`` where there is no limit."""
    read_only: bool
    no_programs: bool
    """Mounted ``noexec``: neither programs nor shared libraries can be used."""
    case_insensitive: bool

    @property
    def is_network(self) -> bool:
        """Whether other machines may use it at the same time."""
        return self.kind in NETWORK


def read_filesystem(directory: Path) -> FileSystem:
    """Look at the file system of a directory that is there. Raises OSError."""
    facts = os.statvfs(directory)
    return FileSystem(
        kind=_kind(directory),
        device=directory.stat().st_dev,
        free_bytes=facts.f_bavail * facts.f_frsize,
        free_inodes=facts.f_favail if facts.f_files else None,
        read_only=bool(facts.f_flag & os.ST_RDONLY),
        no_programs=bool(facts.f_flag & getattr(os, "ST_NOEXEC", 0)),
        case_insensitive=_ignores_case(directory),
    )


def _kind(directory: Path) -> str:
    try:
        lines = _MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return ""
    return kind_of(os.path.realpath(directory), lines)


def kind_of(path: str, mounts: Iterable[str]) -> str:
    """Return the kind of file system at a real path, given the lines of ``mountinfo`` (proc(5))."""
    kind, longest = "", -1
    for line in mounts:
        fields = line.split(" ")
        if "-" not in fields[6:]:
            continue
        point = _ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields[4])
        inside = path == point or path.startswith(f"{point.rstrip('/')}/")
        if inside and len(point) >= longest:
            kind, longest = fields[fields.index("-", 6) + 1], len(point)
    return kind


def _ignores_case(directory: Path) -> bool:
    """Whether a name in the directory, or its own, is found in the other case too."""
    try:
        names = [directory / name for name in os.listdir(directory)[:50]]
    except OSError:
        names = []
    for path in (*names, directory):
        other = path.with_name(path.name.swapcase()) if path.name else path
        if other == path:
            continue
        try:
            return os.path.samestat(path.lstat(), other.lstat())
        except OSError:
            return False
    return False
