"""Whose a library, module, program or file is, from the manifests of a view's entries. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeAlias

from envmgr.names import PackageName, normalized
from envmgr.wheel.manifest import Manifest

Kind: TypeAlias = Literal["package", "module", "library", "program", "file", "directory"]

SITE = "site-packages/"
_ORDER: tuple[Kind, ...] = ("package", "module", "library", "program", "file", "directory")
_DIGEST = re.compile(r"-[0-9a-f]{6,16}(?=[-.])")
"""What auditwheel puts into the names of libraries that it copies."""
_MODULE = re.compile(r"(\.cpython-[\w-]+|\.abi3|\.pypy[\w-]+)?\.so|\.py")
_PROGRAM_GROUPS = ("console_scripts", "gui_scripts")
_NEAR = 3


@dataclass(frozen=True, slots=True)
class Match:
    """Something of a package that goes by the name that was asked for."""

    kind: Kind
    package: PackageName
    version: str
    source: str | None
    """Path in the entry; ``None`` for what envmgr writes for it (a program)."""
    place: str
    """Path in the view, relative to the prefix."""


@dataclass(frozen=True, slots=True)
class _File:
    manifest: Manifest
    source: str | None
    place: str

    def match(self, kind: Kind) -> Match:
        manifest = self.manifest
        return Match(kind, manifest.name, manifest.version, self.source, self.place)


class Holdings:
    """Everything that the packages of a view bring along."""

    def __init__(
        self, manifests: Iterable[Manifest], place_of: Callable[[str], str | None], site: str
    ) -> None:
        """Look through the manifests; ``site`` is where ``site-packages`` is in the view."""
        self.manifests = tuple(manifests)
        self._place_of = place_of
        self._site = site

    def search(self, name: str) -> tuple[Match, ...]:
        """Return all that goes by a name: packages first, then modules, libraries, the rest."""
        found = [
            *self._packages(name),
            *self._modules(name),
            *self._libraries(name),
            *self._programs(name),
            *self._files(name),
        ]
        if not found:
            found = list(self._directories(name))
        unique: dict[tuple[str, str], Match] = {}
        for match in found:
            unique.setdefault((match.package, match.place), match)
        return tuple(
            sorted(unique.values(), key=lambda m: (_ORDER.index(m.kind), m.package, m.place))
        )

    def at(self, place: str) -> tuple[Match, ...]:
        """Return what stands at exactly this path of the view, or below it."""
        exact = [file.match("file") for file in self._all() if file.place == place]
        return tuple(exact) or tuple(self._below(f"{place.rstrip('/')}/", place.rstrip("/")))

    def near(self, name: str) -> tuple[str, ...]:
        """Return names that somebody may have meant who asked for one that is not there."""
        parent, dot, last = name.rpartition(".")
        if dot and parent.replace(".", "").isidentifier():
            close = get_close_matches(last, self._names_in(parent), n=_NEAR)
            if close:
                return tuple(f"{parent}.{each}" for each in close)
        base = name.rstrip("/").rpartition("/")[2]
        known = {_plain(facts.path) for each in self.manifests for facts in each.elf}
        known |= {file.place.rpartition("/")[2] for file in self._made_programs()}
        for manifest in self.manifests:
            known |= {str(manifest.name), *map(_module_name, manifest.top_level)}
        return tuple(get_close_matches(base, sorted(known), n=_NEAR))

    def _names_in(self, parent: str) -> list[str]:
        start = f"{SITE}{parent.replace('.', '/')}/"
        below = (
            file.path.removeprefix(start).partition("/")[0]
            for manifest in self.manifests
            for file in manifest.files
            if file.path.startswith(start)
        )
        return sorted({name for name in map(_module_name, below) if name.isidentifier()})

    def _all(self) -> Iterator[_File]:
        for manifest in self.manifests:
            for file in manifest.files:
                place = self._place_of(file.path)
                if place is not None:
                    yield _File(manifest, file.path, place)
        yield from self._made_programs()

    def _made_programs(self) -> Iterator[_File]:
        for manifest in self.manifests:
            for point in manifest.entry_points:
                if point.group in _PROGRAM_GROUPS:
                    yield _File(manifest, None, f"bin/{point.name}")

    def _of_entry(self, manifest: Manifest, source: str, kind: Kind) -> Iterator[Match]:
        place = self._place_of(source)
        if place is not None:
            yield _File(manifest, source, place).match(kind)

    def _packages(self, name: str) -> Iterator[Match]:
        for manifest in self.manifests:
            if "/" not in name and normalized(name) == manifest.name:
                source = f"{SITE}{manifest.dist_info}"
                place = f"{self._site}/{manifest.dist_info}"
                yield _File(manifest, source, place).match("package")

    def _modules(self, name: str) -> Iterator[Match]:
        if not all(part.isidentifier() for part in name.split(".")):
            return
        base = f"{SITE}{name.replace('.', '/')}"
        for manifest in self.manifests:
            found = False
            below = False
            for file in manifest.files:
                if not file.path.startswith(base):
                    continue
                rest = file.path.removeprefix(base)
                below = below or rest.startswith("/")
                if rest == "/__init__.py" or _MODULE.fullmatch(rest):
                    found = True
                    yield from self._of_entry(manifest, file.path, "module")
            if below and not found:  # a namespace package, or a part of one
                yield from self._of_entry(manifest, base, "module")

    def _libraries(self, name: str) -> Iterator[Match]:
        if "/" in name or not (name.startswith("lib") or ".so" in name):
            return
        for manifest in self.manifests:
            for facts in manifest.elf:
                if is_called(facts.path, facts.soname, name):
                    yield from self._of_entry(manifest, facts.path, "library")

    def _programs(self, name: str) -> Iterator[Match]:
        if "/" in name:
            return
        for file in self._made_programs():
            if file.place == f"bin/{name}":
                yield file.match("program")
        for manifest in self.manifests:
            for path in (f"scripts/{name}", f"data/bin/{name}"):
                if any(file.path == path for file in manifest.files):
                    yield from self._of_entry(manifest, path, "program")

    def _files(self, name: str) -> Iterator[Match]:
        pattern = _pattern(name)
        for file in self._all():
            if pattern.search(file.place):
                yield file.match("program" if file.place.startswith("bin/") else "file")

    def _directories(self, name: str) -> Iterator[Match]:
        if "/" in name:
            yield from self._below(f"/{name.strip('/')}/", name.strip("/"))

    def _below(self, part: str, name: str) -> Iterator[Match]:
        """Yield for each package that has files below a directory the shortest path to one."""
        shortest: dict[PackageName, tuple[str, _File]] = {}
        for file in self._all():
            at = f"/{file.place}".find(f"/{part.lstrip('/')}")
            if at < 0 or (part[:1] != "/" and at > 0):
                continue
            place = file.place[: at + len(name)]
            package = file.manifest.name
            if package not in shortest or len(place) < len(shortest[package][0]):
                shortest[package] = place, file
        for place, file in shortest.values():
            source = None if file.source is None else _cut(file.source, file.place, place)
            yield _File(file.manifest, source, place).match("directory")


def _cut(source: str, place: str, directory: str) -> str | None:
    """Return the directory of an entry for one of the view, from a file that is below both."""
    rest = place.removeprefix(directory)
    return source.removesuffix(rest) if source.endswith(rest) else None


def is_called(path: str, soname: str | None, name: str) -> bool:
    """Tell whether a library goes by a name.

    ``libgomp-e985bcbb.so.1.0.0`` goes by ``libgomp`` and ``libgomp.so.1``: its digest does
    not count.
    """
    own = path.rpartition("/")[2]
    plain = _plain(own)
    if name in (own, soname, plain):
        return True
    return plain.startswith(f"{name}." if ".so" in name else (f"{name}.so", f"{name}-"))


def _plain(path: str) -> str:
    return _DIGEST.sub("", path.rpartition("/")[2])


def _module_name(name: str) -> str:
    return _MODULE.sub("", name)


def _pattern(name: str) -> re.Pattern[str]:
    """Translate a name with ``*``, ``?`` and ``[]``, which do not stand for ``/``; any parents."""
    out = []
    for piece in re.split(r"(\*+|\?|\[[^]]+\])", name.strip("/")):
        if piece[:1] == "*":
            out.append("[^/]*")
        elif piece == "?":
            out.append("[^/]")
        elif piece[:1] == "[" and piece[-1:] == "]":
            out.append(f"[{'^' + piece[2:-1] if piece[1] == '!' else piece[1:-1]}]")
        else:
            out.append(re.escape(piece))
    return re.compile(f"(?:^|/){''.join(out)}$")
