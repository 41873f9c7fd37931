"""Making a wheel of a part of another one, or of the host's library.

What goes in, under which names, and what the new wheel says of itself. Paths of files are
those of a store entry (``data/lib/libiomp5.so``) until the wheel is put together.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from packaging.version import Version

from envmgr.runtime.building.platform_tag import platform_tag
from envmgr.runtime.building.recipe import Build
from envmgr.spec.problems import Place
from envmgr.wheel.elf import ELF_MAGIC, parse_elf
from envmgr.wheel.elf_names import rename_libraries
from envmgr.wheel.headers import parse_headers
from envmgr.wheel.manifest import ElfFacts
from envmgr.wheel.reach import PLATFORM_LIBRARIES
from envmgr.wheel.writing import NewWheel, Part, PartLink, render_wheel_info

PROVENANCE = "envmgr-build.json"
"""In ``.dist-info``: what a wheel was made of."""

_LICENCE = re.compile(
    r"(licen[cs]e|copying|copyright|notice|authors|third[-_ ]?party|eula|redist)", re.IGNORECASE
)
_NO_LICENCE = (".py", ".so", ".a", ".h", ".pyc")
_TIED = re.compile(r"\.(cpython-|abi3\.|pypy)|\.py[cdi]?$")
"""Files that only some interpreters can use."""


class BuildMistake(ValueError):
    """A recipe that does not fit what it speaks of; ``at`` is its place to blame."""

    def __init__(self, at: Place, message: str, hint: str | None = None) -> None:
        super().__init__(at, message, hint)
        self.at = at
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files of a wheel go into the new one."""

    kept: tuple[str, ...]
    licences: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What the new wheel is made of."""

    file: str
    """A wheel's file name, or a library's path on the host."""
    sha256: str
    index: str | None
    version: Version
    metadata: bytes
    """METADATA of the wheel; empty for a library of the host."""
    tag: tuple[str, str, str] | None
    """Python, ABI and platform of the wheel, as in its name; ``None`` for the host's."""


@dataclass(frozen=True, slots=True)
class Repacked:
    """A wheel on its way; ``notes`` are sentences."""

    wheel: NewWheel
    notes: tuple[str, ...]


def select_files(build: Build, paths: Sequence[str], dist_info: str) -> Selection:
    """Choose among the files of an unpacked wheel. Raises BuildMistake."""
    kept: set[str] = set()
    for pattern in build.keep:
        matching = {path for path in paths if fnmatchcase(path, pattern.text)}
        if not matching:
            hint = "write it as envmgr unpacks wheels: data/lib/NAME, site-packages/PACKAGE/NAME"
            raise BuildMistake(pattern.at, f"no file of the wheel is `{pattern.text}`", hint)
        kept |= {path for path in matching if not _is_info(path, dist_info)}
    licences = {path for path in paths if _is_licence(path, dist_info)}
    for pattern in build.licences:
        matching = {path for path in paths if fnmatchcase(path, pattern.text)}
        if not matching:
            raise BuildMistake(pattern.at, f"no file of the wheel is `{pattern.text}`")
        licences |= matching
    return Selection(tuple(sorted(kept)), tuple(sorted(licences - kept)))


def _is_info(path: str, dist_info: str) -> bool:
    return path.startswith(f"site-packages/{dist_info}/")


def _is_licence(path: str, dist_info: str) -> bool:
    name = path.rpartition("/")[2]
    if path.startswith(f"site-packages/{dist_info}/licenses/"):
        return True
    return bool(_LICENCE.search(name)) and not name.endswith(_NO_LICENCE)


def repack(
    build: Build, origin: Origin, files: Sequence[Part], licences: Mapping[str, bytes]
) -> Repacked:
    """Put the new wheel together.

    ``files`` have paths of an entry; ``licences`` map paths below ``licenses/`` to texts.
    Raises BuildMistake, NameDoesNotFit, DamagedElf, NoPlatformTag.
    """
    version = build.version or origin.version
    stem = f"{build.name.replace('-', '_')}-{version}"
    renamed = _renamed(build, files)
    links = _links(build, renamed)
    tag = origin.tag or ("py3", "none", platform_tag(_facts(renamed).values()))
    if origin.tag and not any(_TIED.search(part.path) for part in renamed):
        tag = ("py3", "none", origin.tag[2])
    info = f"{stem}.dist-info"
    about = {
        "METADATA": _metadata(build, origin, version, sorted(licences)),
        "WHEEL": render_wheel_info(_single(tag), purelib=False),
        PROVENANCE: _provenance(origin),
        **{f"licenses/{path}": data for path, data in licences.items()},
    }
    parts = [Part(_archived(part.path, stem), part.data, part.executable) for part in renamed]
    parts += [Part(f"{info}/{name}", data) for name, data in about.items()]
    wheel = NewWheel(
        filename=f"{stem}-{'-'.join(tag)}.whl",
        dist_info=info,
        parts=tuple(parts),
        links=tuple(
            PartLink(_archived(path, stem), _archived(target, stem))
            for path, target in sorted(links.items())
        ),
    )
    return Repacked(wheel, tuple(_lacking(build, origin, renamed, links)))


def _renamed(build: Build, files: Sequence[Part]) -> list[Part]:
    """Call every library by its SONAME, the one it shall have, and all who need it with it."""
    facts = _facts(files)
    names: dict[str, str] = {}
    places: dict[str, str] = {}
    unused = dict(build.sonames)
    for part in files:
        directory, _, name = part.path.rpartition("/")
        dynamic = facts.get(part.path)
        if dynamic is None:
            continue
        fitting = [glob for glob in build.sonames if fnmatchcase(name, glob)]
        wanted = build.sonames[fitting[0]] if fitting else None
        for glob in fitting:
            unused.pop(glob, None)
        if wanted is not None and dynamic.soname is None:
            raise BuildMistake(wanted.at, f"{name} has no SONAME that could be another")
        soname = wanted.text if wanted is not None else dynamic.soname
        if soname is not None and "/" not in soname:
            places[part.path] = f"{directory}/{soname}"
            names |= {old: soname for old in (dynamic.soname, name) if old and old != soname}
    for name, wanted in unused.items():
        raise BuildMistake(wanted.at, f"no library that is kept is called `{name}`")
    _check_once(build, files, places)
    return [
        Part(
            places.get(part.path, part.path),
            rename_libraries(part.data, names) if part.path in facts else part.data,
            part.executable,
        )
        for part in files
    ]


def _check_once(build: Build, files: Iterable[Part], places: Mapping[str, str]) -> None:
    taken: dict[str, str] = {}
    for part in files:
        place = places.get(part.path, part.path)
        other = taken.setdefault(place, part.path)
        if other != part.path:
            message = f"both {other} and {part.path} would be {place}"
            raise BuildMistake(build.at, message, "keep one of them, or give SONAMEs that differ")


def _links(build: Build, files: Sequence[Part]) -> dict[str, str]:
    """Map further names to libraries: those of the recipe, and ``libfoo.so`` for linkers."""
    by_name = {part.path.rpartition("/")[2]: part.path for part in files}
    taken = {part.path for part in files}
    links: dict[str, str] = {}
    for name, wanted in build.links.items():
        target = by_name.get(wanted.text)
        if target is None:
            hint = f"write one of {', '.join(sorted(by_name))}"
            raise BuildMistake(
                wanted.at, f"no file of the new wheel is called `{wanted.text}`", hint
            )
        path = f"{target.rpartition('/')[0]}/{name}"
        if path in taken:
            raise BuildMistake(wanted.at, f"`{name}` is a file of the new wheel already")
        links[path] = target
    for path, facts in _facts(files).items():
        stem, mark, rest = path.partition(".so.")
        linker = f"{stem}.so"
        if facts.soname and mark and rest and linker not in taken:
            links.setdefault(linker, path)
    return links


def _lacking(
    build: Build, origin: Origin, files: Sequence[Part], links: Mapping[str, str]
) -> Iterable[str]:
    """Tell of libraries that the new wheel needs and has not; for the host's that is a mistake."""
    there = {path.rpartition("/")[2] for path in (*(part.path for part in files), *links)}
    for path, facts in _facts(files).items():
        for name in facts.needed:
            if name in there or name.partition(".so")[0] in PLATFORM_LIBRARIES:
                continue
            if name.startswith("ld-"):
                continue
            sentence = f"{path} needs {name}, which neither the wheel nor every system has"
            if not build.requires and origin.tag is None:
                raise BuildMistake(build.at, sentence, "name what brings it under `requires`")
            if not build.requires:
                yield sentence


def _facts(files: Iterable[Part]) -> dict[str, ElfFacts]:
    found = {}
    for part in files:
        facts = parse_elf(part.data, part.path) if part.data.startswith(ELF_MAGIC) else None
        if facts is not None:
            found[part.path] = facts
    return found


def _archived(path: str, stem: str) -> str:
    part, _, rest = path.partition("/")
    return rest if part == "site-packages" else f"{stem}.data/{path}"


def _single(tag: tuple[str, str, str]) -> list[str]:
    pythons, abis, platforms = (each.split(".") for each in tag)
    return [
        f"{python}-{abi}-{platform}" for python in pythons for abi in abis for platform in platforms
    ]


def _metadata(build: Build, origin: Origin, version: Version, licences: Iterable[str]) -> bytes:
    before = parse_headers(origin.metadata)
    first = dict(reversed(before))
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {build.name}",
        f"Version: {version}",
        f"Summary: {' '.join(build.summary.split()) or first.get('summary') or 'A shared runtime'}",
    ]
    if "license-expression" in first:
        lines.append(f"License-Expression: {first['license-expression']}")
    else:
        lines += [f"License: {first['license']}"] if first.get("license") else []
        lines += [
            f"Classifier: {value}"
            for name, value in before
            if name == "classifier" and value.startswith("License ::")
        ]
    lines += [f"License-File: {path}" for path in licences]
    lines += [f"Requires-Dist: {requirement}" for requirement in build.requires]
    lines += ["", f"Made by envmgr of {origin.file} (sha256 {origin.sha256})."]
    return "".join(f"{line}\n" for line in lines).encode()


def _provenance(origin: Origin) -> bytes:
    facts = {"file": origin.file, "sha256": origin.sha256, "version": str(origin.version)}
    if origin.index is not None:
        facts["index"] = origin.index
    return json.dumps(facts, indent=2, sort_keys=True).encode() + b"\n"
