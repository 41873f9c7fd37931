"""A generation made again for another place: the same links, and files that name the new one.

Nothing is decided anew: neither the store nor the interpreter is asked, so that
what was changed in the file since, or by a newer envmgr, has no part in it.
"""

import os
import re
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from envmgr.files import remove_tree, write_new
from envmgr.link.carry import REWRITTEN_BELOW
from envmgr.link.generation import GenerationRecord, finish_generation, generation_path
from envmgr.link.prefix import CACHES, RECORD, unusable
from envmgr.link.scripts import PIP_NAMES, reinterpret, render_pip_notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """What is to be made of which generation."""

    source: Path
    """The directory of the generation it is made from."""
    old: GenerationRecord
    record: GenerationRecord
    """Of the new one; ``prefix`` is where its files say it stands."""
    texts: Mapping[str, str]
    """Files that are written anew, path in the generation -> text."""
    moved: Mapping[str, str] = field(default_factory=dict)
    """Entries that links are to lead to instead, by the path they lead to now."""


@dataclass(frozen=True, slots=True)
class _Names:
    """The old generation and its prefix by every path they had, and what they are called now."""

    generations: tuple[str, ...]
    generation: str
    prefixes: tuple[str, ...]
    prefix: str

    def apply(self, data: bytes) -> bytes:
        for old in self.generations:
            rewritten = reinterpret(data, f"{old}/bin/python", f"{self.generation}/bin/python")
            data = _renamed(rewritten, old, self.generation)
        for old in self.prefixes:
            data = _renamed(data, old, self.prefix)
        return data


@dataclass(slots=True)
class _Copying:
    names: _Names
    texts: Mapping[str, str]
    moved: Mapping[str, str]
    twins: dict[tuple[int, int], str] = field(default_factory=dict)


def write_duplicate(directory: Path, duplicate: Duplicate) -> None:
    """Write a generation into the prefix that stands at ``directory`` now; nothing is switched.

    Everything is taken along but caches, what programs and other installers wrote too.
    Whatever fails leaves no trace. Raises PrefixUnusable.
    """
    target = os.fspath(generation_path(directory, duplicate.record.id))
    try:
        copying = _Copying(_names(duplicate), _texts(duplicate), duplicate.moved)
        _copy_directory(os.fspath(duplicate.source), target, "", copying)
        finish_generation(directory, duplicate.record)
    except OSError as error:
        remove_tree(target)
        raise unusable(directory, error) from error
    except BaseException:
        remove_tree(target)
        raise


def _names(duplicate: Duplicate) -> _Names:
    stands = duplicate.source.parents[2]
    prefixes = {stands, Path(duplicate.old.prefix or stands)}
    old = sorted((str(prefix) for prefix in prefixes), key=len, reverse=True)
    new = Path(duplicate.record.prefix)
    return _Names(
        generations=tuple(str(generation_path(Path(each), duplicate.old.id)) for each in old),
        generation=str(generation_path(new, duplicate.record.id)),
        prefixes=tuple(each for each in old if each != str(new)),
        prefix=str(new),
    )


def _texts(duplicate: Duplicate) -> Mapping[str, str]:
    """Add the files that tell the environment's name, where they are as envmgr wrote them."""
    texts = dict(duplicate.texts)
    config = duplicate.source / "pyvenv.cfg"
    old, new = f"prompt = {duplicate.old.name}\n", f"prompt = {duplicate.record.name}\n"
    texts["pyvenv.cfg"] = config.read_text("utf-8", "surrogateescape").replace(old, new)
    for name in PIP_NAMES:
        pip = duplicate.source / "bin" / name
        if pip.is_file() and pip.read_bytes() == render_pip_notice(duplicate.old.name):
            texts[f"bin/{name}"] = render_pip_notice(duplicate.record.name).decode()
    return texts


def _copy_directory(source: str, target: str, below: str, copying: _Copying) -> None:
    os.mkdir(target)  # noqa: PTH102 - on strings, as there are many
    with os.scandir(source) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        path = f"{below}{entry.name}"
        if path in (RECORD, CACHES):
            continue
        if entry.is_symlink():
            _copy_link(entry.path, f"{target}/{entry.name}", copying.moved)
        elif entry.is_dir():
            _copy_directory(entry.path, f"{target}/{entry.name}", f"{path}/", copying)
        elif entry.is_file():
            _copy_file(entry.path, f"{target}/{entry.name}", path, copying)
    mode = stat.S_IMODE(Path(source).stat().st_mode)
    if stat.S_IMODE(Path(target).stat().st_mode) != mode:
        Path(target).chmod(mode)


def _copy_link(source: str, target: str, moved: Mapping[str, str]) -> None:
    """Make a further name of the same link where that is possible: it costs no inode."""
    new = _moved(Path(source).readlink(), moved) if moved else None
    if new is not None:
        Path(target).symlink_to(new)
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        Path(target).symlink_to(Path(source).readlink())


def _moved(link: Path, moved: Mapping[str, str]) -> Path | None:
    """Return where a link is to lead that leads into an entry which was moved."""
    for above in (link, *link.parents):
        if str(above) in moved:
            return Path(moved[str(above)], link.relative_to(above))
    return None


def _copy_file(source: str, target: str, path: str, copying: _Copying) -> None:
    facts = Path(source).stat()
    mode = stat.S_IMODE(facts.st_mode)
    if path in copying.texts:
        write_new(target, copying.texts[path].encode("utf-8", "surrogateescape"), mode)
        return
    twin = copying.twins.setdefault((facts.st_dev, facts.st_ino), target)
    if twin != target:
        os.link(twin, target)
        return
    if facts.st_size < REWRITTEN_BELOW:
        data = Path(source).read_bytes()
        renamed = data if b"\0" in data else copying.names.apply(data)
        if renamed != data:
            write_new(target, renamed, mode)
            return
    shutil.copy2(source, target)


def _renamed(data: bytes, old: str, new: str) -> bytes:
    """Replace a path where it ends, and not where it only begins another one's name."""
    pattern = re.escape(os.fsencode(old)) + rb"(?![\w.-])"
    return re.sub(pattern, lambda _: os.fsencode(new), data)
