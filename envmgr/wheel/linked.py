"""Which names of a library stay a file and which become links, so that it is there once.

The name that the loader looks for stays the file, so that whoever does not know LINKS
lacks only what compilers look for.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from envmgr.wheel.elf import ELF_MAGIC, parse_elf
from envmgr.wheel.manifest import ElfFacts
from envmgr.wheel.writing import Part, PartLink

_LIBRARY = re.compile(r"(lib.+?)\.so(?:\.[0-9]+)*")
_MENTIONED_IN = (".py", ".pyi", ".pth")


@dataclass(frozen=True, slots=True)
class Linked:
    """Files and links of a wheel, each library once; ``notes`` are sentences."""

    parts: tuple[Part, ...]
    links: tuple[PartLink, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Library:
    """One library in one directory under its names; ``files`` are those that are no links."""

    directory: str
    part: Part
    facts: ElfFacts
    files: tuple[str, ...]
    names: tuple[str, ...]


def link_libraries(parts: Sequence[Part], links: Sequence[PartLink]) -> Linked:
    """Decide for a wheel's files, and the links that it has already.

    Only names of one library count as such: ``libfoo.so``, ``libfoo.so.1`` and
    ``libfoo.so.1.2``, side by side, with the same bytes. Other links are left as they are.
    """
    facts = _facts_of(parts)
    needed = {name for each in facts.values() for name in each.needed}
    kept = {part.path: part for part in parts}
    made = {link.path: link for link in links}
    notes: list[str] = []
    for library in _libraries(parts, links, facts):
        if len(library.names) > 1:
            _settle(library, needed, kept, made, notes)
    dropped = made.keys() - {link.path for link in links}
    notes += _mentions(kept.values(), dropped)
    return Linked(tuple(kept.values()), tuple(made.values()), tuple(notes))


def _settle(
    library: _Library,
    needed: set[str],
    kept: dict[str, Part],
    made: dict[str, PartLink],
    notes: list[str],
) -> None:
    real = _real_names(library, needed)
    if len(real) > 1:
        notes.append(
            f"{library.directory}/{real[0]} stays there {len(real)} times: the wheel asks for it "
            f"as {', '.join(real)}"
        )
    for name in library.names:
        path = f"{library.directory}/{name}"
        if name in real:
            made.pop(path, None)
            kept[path] = Part(path, library.part.data, library.part.executable)
        else:
            kept.pop(path, None)
            made[path] = PartLink(path, f"{library.directory}/{real[0]}")


def _real_names(library: _Library, needed: set[str]) -> list[str]:
    """Return the names that must be files: the SONAME, and what others of the wheel ask for."""
    soname = library.facts.soname
    wanted = [name for name in library.names if name == soname or name in needed]
    if wanted:
        return sorted(wanted, key=lambda name: (name != soname, name))
    return [max(library.files, key=lambda name: (len(name), name))]


def _libraries(
    parts: Sequence[Part], links: Iterable[PartLink], facts: Mapping[str, ElfFacts]
) -> list[_Library]:
    targets = {link.path: link.target for link in links}
    groups: dict[tuple[str, str, str], list[Part]] = defaultdict(list)
    owners: dict[str, tuple[str, str, str]] = {}
    for part in parts:
        directory, _, name = part.path.rpartition("/")
        stem = _stem(name)
        if stem and directory and part.path in facts:
            key = (directory, stem, hashlib.sha256(part.data).hexdigest())
            groups[key].append(part)
            owners[part.path] = key
    aliases: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for path in targets:
        directory, _, name = path.rpartition("/")
        found = owners.get(_end(path, targets))
        if found is not None and found[:2] == (directory, _stem(name)):
            aliases[found].append(name)
    return [
        _library(key[0], members, aliases[key], facts) for key, members in sorted(groups.items())
    ]


def _library(
    directory: str,
    members: list[Part],
    aliases: Iterable[str],
    facts: Mapping[str, ElfFacts],
) -> _Library:
    files = tuple(sorted(part.path.rpartition("/")[2] for part in members))
    part = next((each for each in members if each.executable), members[0])
    names = tuple(sorted({*files, *aliases}))
    return _Library(directory, part, facts[part.path], files, names)


def _end(path: str, targets: Mapping[str, str]) -> str:
    seen: set[str] = set()
    while path in targets and path not in seen:
        seen.add(path)
        path = targets[path]
    return path


def _stem(name: str) -> str:
    found = _LIBRARY.fullmatch(name)
    return found[1] if found else ""


def _facts_of(parts: Iterable[Part]) -> dict[str, ElfFacts]:
    found = {}
    for part in parts:
        dynamic = parse_elf(part.data, part.path) if part.data.startswith(ELF_MAGIC) else None
        if dynamic is not None:
            found[part.path] = dynamic
    return found


def _mentions(parts: Iterable[Part], dropped: Iterable[str]) -> list[str]:
    """Note where Python code names a library as it is no file any more."""
    names = sorted({path.rpartition("/")[2] for path in dropped})
    return [
        f"{part.path} speaks of {name}, which is a link now"
        for part in parts
        if part.path.endswith(_MENTIONED_IN)
        for name in names
        if re.search(rb"(?<![\w.])" + re.escape(name.encode()) + rb"(?![\w.])", part.data)
    ]
