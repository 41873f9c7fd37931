"""Wheels made on the spot: good ones by default, bad ones by naming what to spoil."""

import base64
import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.zips import EXECUTABLE_MODE, FILE_MODE, ZipMember, render_zip

Content = bytes | str
RecordRows = list[list[str]]


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel as an index would serve it."""

    filename: str
    data: bytes

    @property
    def sha256(self) -> str:
        """Of the whole file, in hex."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def metadata(self) -> bytes:
        """The METADATA inside, as PEP 658 serves it."""
        with zipfile.ZipFile(io.BytesIO(self.data)) as archive:
            names = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
            return archive.read(min(names, key=lambda name: name.count("/")))

    def write_to(self, directory: Path) -> Path:
        """Put it into ``directory`` under its own file name."""
        path = directory / self.filename
        path.write_bytes(self.data)
        return path


def make_wheel(
    name: str,
    version: str = "1.0",
    *,
    files: Mapping[str, Content] | None = None,
    requires: Iterable[str] = (),
    requires_python: str | None = None,
    extras: Iterable[str] = (),
    tag: str = "py3-none-any",
    entry_points: Mapping[str, Mapping[str, str]] | None = None,
    data: Mapping[str, Content] | None = None,
    build: str | None = None,
    label: str | None = None,
    purelib: bool = True,
    executable: Iterable[str] = (),
    dist_info_files: Mapping[str, Content] | None = None,
    metadata: Content | None = None,
    metadata_lines: Iterable[str] = (),
    wheel_text: Content | None = None,
    dist_info: str | None = None,
    filename: str | None = None,
    edit_record: Callable[[RecordRows], RecordRows] | None = None,
    edit_members: Callable[[list[ZipMember]], list[ZipMember]] | None = None,
    comment: bytes = b"",
    prefix: bytes = b"",
    zip64: bool = False,
) -> Wheel:
    """Make a wheel; the same arguments give the same bytes.

    Without ``files`` it holds one package, ``<name>/__init__.py``, that knows its
    ``__version__``. ``data`` is relative to the ``.data`` directory
    (``scripts/tool``, ``data/share/x``); ``executable`` names members as they are
    in the archive. To spoil it: ``dist_info`` and ``filename`` replace those
    names, ``metadata`` and ``wheel_text`` those files, ``edit_record`` changes
    RECORD's rows (``[path, hash, size]``) and ``edit_members`` the finished
    archive members, which RECORD knows nothing of.
    """
    stem = f"{_escaped(name)}-{version}"
    info = dist_info if dist_info is not None else f"{stem}.dist-info"
    members: dict[str, Content] = dict(
        {f"{_escaped(name)}/__init__.py": f'__version__ = "{version}"\n'}
        if files is None
        else files
    )
    members |= {f"{stem}.data/{path}": content for path, content in (data or {}).items()}
    members |= {f"{info}/{path}": content for path, content in (dist_info_files or {}).items()}
    if entry_points:
        members[f"{info}/entry_points.txt"] = _entry_points(entry_points)
    if metadata is None:
        lines = [*_metadata(name, version, requires, requires_python, extras), *metadata_lines]
        metadata = "\n".join(lines) + "\n\nMade for a test.\n"
    members[f"{info}/METADATA"] = metadata
    if wheel_text is None:
        wheel_text = _wheel_text(tag, build, purelib)
    members[f"{info}/WHEEL"] = wheel_text
    encoded = {path: _bytes(content) for path, content in members.items()}
    encoded[f"{info}/RECORD"] = _record(encoded, f"{info}/RECORD", edit_record)
    marked = set(executable)
    archive = [
        ZipMember(name=path, data=content, mode=EXECUTABLE_MODE if path in marked else FILE_MODE)
        for path, content in encoded.items()
    ]
    if edit_members is not None:
        archive = edit_members(archive)
    middle = f"-{build}" if build else ""
    end = f"-{label}" if label else ""
    return Wheel(
        filename if filename is not None else f"{stem}{middle}-{tag}{end}.whl",
        render_zip(archive, comment=comment, prefix=prefix, zip64=zip64),
    )


def record_hash(content: bytes, algorithm: str = "sha256") -> str:
    """Return a hash as RECORD spells it: ``sha256=<urlsafe base64 without padding>``."""
    digest = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    return f"{algorithm}={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _escaped(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def _bytes(content: Content) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _metadata(
    name: str,
    version: str,
    requires: Iterable[str],
    requires_python: str | None,
    extras: Iterable[str],
) -> Sequence[str]:
    python = [] if requires_python is None else [f"Requires-Python: {requires_python}"]
    return [
        "Metadata-Version: 2.4",
        f"Name: {name}",
        f"Version: {version}",
        *python,
        *(f"Provides-Extra: {extra}" for extra in extras),
        *(f"Requires-Dist: {requirement}" for requirement in requires),
    ]


def _wheel_text(tag: str, build: str | None, purelib: bool) -> str:
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    return "".join(
        [
            "Wheel-Version: 1.0\n",
            "Generator: envmgr-tests\n",
            f"Root-Is-Purelib: {'true' if purelib else 'false'}\n",
            *([f"Build: {build}\n"] if build else []),
            *(
                f"Tag: {python}-{abi}-{platform}\n"
                for python in pythons
                for abi in abis
                for platform in platforms
            ),
        ]
    )


def _entry_points(groups: Mapping[str, Mapping[str, str]]) -> str:
    return "\n".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in groups.items()
    )


def _record(
    members: Mapping[str, bytes], own: str, edit: Callable[[RecordRows], RecordRows] | None
) -> bytes:
    rows = [
        [path, record_hash(content), str(len(content))] for path, content in members.items()
    ] + [[own, "", ""]]
    if edit is not None:
        rows = edit(rows)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
