"""The files of a lock, checked: ``wheels`` and ``archive`` of PEP 751."""

import re

from packaging.markers import InvalidMarker, Marker

from envmgr.lock.document import Table
from envmgr.lock.locations import basename
from envmgr.lock.types import LockedWheel
from envmgr.names import PackageName, normalized
from envmgr.wheel.filename import split_wheel_filename

_SHA256 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_NOT_IN_A_FILENAME = re.compile(r"[/\\\x00-\x1f\x7f]")


def parse_marker(text: str) -> Marker:
    """Read a marker (PEP 508). Raises ValueError."""
    try:
        return Marker(text)
    except InvalidMarker as error:
        raise ValueError(text) from error


def parse_wheel(file: Table, name: PackageName, filename: str | None) -> LockedWheel:
    """Read where a wheel of ``name`` is and what it must be; ``filename`` if it was told.

    Raises LockUnreadable, for a file that is no wheel of this package too.
    """
    key = "path" if file.has("path") else "url"
    location = file.text(key) if file.has(key) else file.fail("", "has neither url nor path")
    if key == "url" and "://" not in location:
        file.fail(key, f"{location!r} is not a URL")
    if key == "path":
        location = location.replace("\\", "/")
    told = filename is not None
    filename = basename(location) if filename is None else filename
    split = None if _NOT_IN_A_FILENAME.search(filename) else split_wheel_filename(filename)
    if split is None:
        file.fail("name" if told else key, f"{filename!r} is not the name of a wheel")
    if normalized(split[0]) != name:
        file.fail("name" if told else key, f"{filename} is not a wheel of {name}")
    return LockedWheel(
        filename=filename,
        location=location,
        sha256=parse_sha256(file),
        size=file.size("size"),
        upload_time=file.time("upload-time"),
    )


def parse_sha256(file: Table) -> str:
    """Return the sha256 among ``hashes``, in lower case. Raises LockUnreadable."""
    hashes = file.table("hashes")
    sha256 = hashes.text("sha256")
    if not _SHA256.fullmatch(sha256):
        hashes.fail("sha256", "is not 64 hexadecimal digits")
    return sha256.lower()


def check_version(row: Table, version: str, wheel: LockedWheel) -> None:
    """See that ``version`` is that of the wheel's file name. Raises LockUnreadable."""
    split = split_wheel_filename(wheel.filename)
    if split is not None and split[1] == version:
        return
    from packaging.version import Version

    stated = row.checked("version", version, Version, "a version")
    of_file = row.checked("version", split[1] if split else "", Version, "a version")
    if stated != of_file:
        row.fail("version", f"is {version}, but the wheel is {wheel.filename}")
