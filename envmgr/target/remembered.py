"""Interpreters that were probed before, kept so that choosing one starts no process.

One file for each interpreter and kernel, replaced by one rename. It holds what
it was true of: the interpreter's file and its loader's, which changes with the
C library. One that says anything else, or nothing readable, is as good as none.
"""

from contextlib import suppress
from pathlib import Path
from typing import Literal
from zlib import crc32

import msgspec
from msgspec import Struct

from envmgr.hardware.host import FileStamp, Host, Kernel
from envmgr.target.types import MARKER_VARIABLES, Glibc, Interpreter, Libc, MacOS, Musl

_FORMAT = 1
_LIMIT = 1024 * 1024
"""Bytes; a file has about a thousand."""
_LIBC_NAMES: dict[str, type[Glibc] | type[Musl] | type[MacOS]] = {
    "glibc": Glibc,
    "musl": Musl,
    "macos": MacOS,
}


class UnreadableInterpreter(ValueError):
    """Bytes that hold no interpreter of this format."""


class _Fields(msgspec.Struct, array_like=True, frozen=True):
    executable: str
    version: tuple[int, int, int]
    implementation: Literal["cpython", "pypy"]
    free_threaded: bool
    debug: bool
    pointer_bits: int
    platform: str
    libc: tuple[str, int, int] | None
    soabi: str | None
    cache_tag: str
    magic: str
    markers: tuple[str, ...]
    """In MARKER_VARIABLES' order."""
    site_packages: str
    headers: str
    refused_platforms: tuple[str, ...]


class _Stamp(msgspec.Struct, array_like=True, frozen=True):
    size: int
    mtime_ns: int


class _Remembered(msgspec.Struct, array_like=True, frozen=True):
    format: int
    path: str
    kernel: tuple[str, str, str, str]
    file: _Stamp
    loader: _Stamp | None
    loader_path: str | None
    interpreter: bytes


def encode_interpreter(interpreter: Interpreter) -> bytes:
    """Write an interpreter as msgpack."""
    libc = interpreter.libc
    name = next((name for name, kind in _LIBC_NAMES.items() if isinstance(libc, kind)), None)
    return msgspec.msgpack.encode(
        _Fields(
            executable=interpreter.executable,
            version=interpreter.version,
            implementation=interpreter.implementation,
            free_threaded=interpreter.free_threaded,
            debug=interpreter.debug,
            pointer_bits=interpreter.pointer_bits,
            platform=interpreter.platform,
            libc=None if libc is None or name is None else (name, libc.major, libc.minor),
            soabi=interpreter.soabi,
            cache_tag=interpreter.cache_tag,
            magic=interpreter.magic,
            markers=tuple(interpreter.markers[variable] for variable in MARKER_VARIABLES),
            site_packages=interpreter.site_packages,
            headers=interpreter.headers,
            refused_platforms=interpreter.refused_platforms,
        )
    )


def decode_interpreter(data: bytes) -> Interpreter:
    """Read what ``encode_interpreter`` wrote. Raises UnreadableInterpreter."""
    try:
        fields = msgspec.msgpack.decode(data, type=_Fields)
    except msgspec.DecodeError as error:
        raise UnreadableInterpreter(str(error)) from None
    if len(fields.markers) != len(MARKER_VARIABLES):
        raise UnreadableInterpreter(f"{len(fields.markers)} marker variables")
    return Interpreter(
        executable=fields.executable,
        version=fields.version,
        implementation=fields.implementation,
        free_threaded=fields.free_threaded,
        debug=fields.debug,
        pointer_bits=fields.pointer_bits,
        platform=fields.platform,
        libc=_libc(fields.libc),
        soabi=fields.soabi,
        cache_tag=fields.cache_tag,
        magic=fields.magic,
        markers=dict(zip(MARKER_VARIABLES, fields.markers, strict=True)),
        site_packages=fields.site_packages,
        headers=fields.headers,
        refused_platforms=fields.refused_platforms,
    )


def _libc(written: tuple[str, int, int] | None) -> Libc | None:
    if written is None:
        return None
    name, major, minor = written
    if name not in _LIBC_NAMES:
        raise UnreadableInterpreter(f"C library {name}")
    return _LIBC_NAMES[name](major, minor)


def read_remembered(cache: Path, path: str, stamp: FileStamp, host: Host) -> Interpreter | None:
    """Recall what was learnt by running ``path``, if nothing it depended on has changed since."""
    data = host.read_bytes(_place(cache, path, host.kernel), _LIMIT)
    if data is None:
        return None
    try:
        known = msgspec.msgpack.decode(data, type=_Remembered)
        if (known.format, known.path, known.kernel) != (_FORMAT, path, _kernel(host.kernel)):
            return None
        if known.file != _stamp(stamp):
            return None
        if known.loader_path and known.loader != _stamp(host.stamp(known.loader_path)):
            return None
        return decode_interpreter(known.interpreter)
    except (msgspec.DecodeError, UnreadableInterpreter):
        return None


class Learnt(Struct, frozen=True):
    """What running the file at ``path`` told; ``loader`` is its program interpreter, if any."""

    path: str
    stamp: FileStamp
    loader: str | None
    interpreter: Interpreter


def write_remembered(cache: Path, learnt: Learnt, host: Host) -> None:
    """Keep what was learnt. A cache that cannot be written is no failure: it is asked again."""
    from envmgr.files import write_atomically

    known = _Remembered(
        _FORMAT,
        learnt.path,
        _kernel(host.kernel),
        _Stamp(learnt.stamp.size, learnt.stamp.mtime_ns),
        _stamp(host.stamp(learnt.loader)) if learnt.loader else None,
        learnt.loader,
        encode_interpreter(learnt.interpreter),
    )
    place = Path(_place(cache, learnt.path, host.kernel))
    with suppress(OSError, UnicodeEncodeError):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, msgspec.msgpack.encode(known))


def _place(cache: Path, path: str, kernel: Kernel) -> str:
    """One file for each path and kernel: machines that share a home directory do not quarrel.

    Two that fall upon one name displace each other; the file says whose it is.
    """
    key = "\0".join((path, *_kernel(kernel))).encode("utf-8", "surrogateescape")
    return f"{cache}/{path.rpartition('/')[2]}-{crc32(key):08x}.msgpack"


def _kernel(kernel: Kernel) -> tuple[str, str, str, str]:
    return (kernel.system, kernel.release, kernel.version, kernel.machine)


def _stamp(stamp: FileStamp | None) -> _Stamp | None:
    return _Stamp(stamp.size, stamp.mtime_ns) if stamp else None
