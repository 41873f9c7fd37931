"""What the packages of an environment bring along of shared runtimes, told from their manifests."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from envmgr.names import PackageName
from envmgr.runtime.types import Family, Library, RuntimeCatalog
from envmgr.wheel.manifest import ElfFacts, FileFacts, Manifest, link_ends
from envmgr.wheel.reach import is_of_the_platform, search_places


class FileOf(Struct, frozen=True, order=True):
    """A file in the entry of a package; ``path`` is relative to the entry."""

    package: PackageName
    path: str

    @property
    def filename(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def directory(self) -> str:
        """The path without its last part."""
        return self.path.rpartition("/")[0]

    def __str__(self) -> str:
        return f"{self.path.removeprefix('site-packages/')} of {self.package}"


class Copy(Struct, frozen=True):
    """A library of a family as one package brings it along."""

    file: FileOf
    family: Family
    library: Library
    facts: ElfFacts
    sha256: str


class Survey:
    """The libraries of an environment, and who asks for what."""

    def __init__(self, catalog: RuntimeCatalog, manifests: Iterable[Manifest]) -> None:
        self._manifests = {manifest.name: manifest for manifest in manifests if manifest.elf}
        self._files: dict[PackageName, dict[str, FileFacts]] = {}
        self._ends = {name: link_ends(each.links) for name, each in self._manifests.items()}
        self._facts: dict[FileOf, ElfFacts] = {}
        self._askers: dict[str, list[FileOf]] = {}
        copies = []
        for manifest in self._manifests.values():
            for facts in manifest.elf:
                file = FileOf(manifest.name, facts.path)
                self._facts[file] = facts
                for name in facts.needed:
                    self._askers.setdefault(name, []).append(file)
        for file, facts in self._facts.items():
            known = catalog.classify(file.filename)
            if known is not None:
                copies.append(Copy(file, *known, facts, self.sha256(file)))
        self.copies = tuple(sorted(copies, key=lambda copy: copy.file))

    def facts(self, file: FileOf) -> ElfFacts:
        """Return the facts of a library."""
        return self._facts[file]

    def libraries_of(self, package: PackageName) -> tuple[FileOf, ...]:
        """Return the ELF files of a package, in the order of its manifest."""
        return tuple(file for file in self._facts if file.package == package)

    def sha256(self, file: FileOf) -> str:
        """Return the digest (hex) of a file."""
        return self._files_of(file.package)[file.path].sha256

    def has(self, file: FileOf) -> bool:
        """Tell whether the entry of a package that holds libraries has this file, or link."""
        return file.path in self._files_of(file.package) or file.path in self._ends[file.package]

    def paths_of(self, file: FileOf) -> tuple[str, ...]:
        """Return the path of a file, and those of the links of its package that lead to it."""
        ends = self._ends[file.package]
        return (file.path, *(path for path, end in ends.items() if end == file.path))

    def _files_of(self, package: PackageName) -> Mapping[str, FileFacts]:
        if package not in self._files:
            files = self._manifests[package].files
            self._files[package] = {file.path: file for file in files}
        return self._files[package]

    def copies_of(self, family: Family) -> tuple[Copy, ...]:
        """Return the copies of a family's libraries, sorted by package and path."""
        return tuple(copy for copy in self.copies if copy.family.name == family.name)

    def is_copy(self, file: FileOf) -> bool:
        """Tell whether a file is one of the copies."""
        return any(copy.file == file for copy in self.copies)

    def copy(self, file: FileOf) -> Copy:
        """Return the copy that a file is."""
        return next(copy for copy in self.copies if copy.file == file)

    def needs_beside(self, file: FileOf) -> tuple[tuple[str, FileOf | None], ...]:
        """Return what a library asks for that no Linux has, and where its own package has it.

        ``None`` for what is not where the library itself looks.
        """
        facts = self._facts[file]
        places = ["/".join(place) for place in search_places(facts)]
        return tuple(
            (name, self._found(file.package, places, name))
            for name in facts.needed
            if not is_of_the_platform(name)
        )

    def _found(self, package: PackageName, places: Iterable[str], name: str) -> FileOf | None:
        ends, files = self._ends[package], self._files_of(package)
        paths = (f"{place}/{name}" for place in places)
        found = (ends.get(path, path) for path in paths)
        return next((FileOf(package, path) for path in found if path in files), None)

    def is_self_sufficient(self, file: FileOf) -> bool:
        """Tell whether a library itself finds all it asks for, whoever loads it."""
        return all(found is not None for _, found in self.needs_beside(file))

    def exposed(self, library: Library) -> Mapping[FileOf, tuple[str, ...]]:
        """Return who asks for a library that it does not bring along, and by which names.

        Such a file finds what the system has, or what was loaded before it.
        """
        found: dict[FileOf, list[str]] = {}
        for name, askers in self._askers.items():
            if library.is_copy(name):
                for file in askers:
                    if name not in self._libraries_in(file.package):
                        found.setdefault(file, []).append(name)
        return {file: tuple(found[file]) for file in sorted(found)}

    def _libraries_in(self, package: PackageName) -> frozenset[str]:
        """Return the names of a package's libraries, wherever they are in it; of links too."""
        return frozenset(
            path.rpartition("/")[2]
            for facts in self._manifests[package].elf
            for path in self.paths_of(FileOf(package, facts.path))
        )

    def _names_of(self, copy: Copy) -> frozenset[str]:
        names = {path.rpartition("/")[2] for path in self.paths_of(copy.file)}
        return frozenset(names | {copy.facts.soname or copy.file.filename})

    def consumers(self, copy: Copy) -> tuple[FileOf, ...]:
        """Return who asks for a copy by its file's name or its SONAME, itself left out.

        A name without a hash, ``libgomp.so.1``, may be asked for by anyone.
        """
        askers = {file for name in self._names_of(copy) for file in self._askers.get(name, ())}
        return tuple(sorted(askers - {copy.file}))

    def wanted_versions(self, copy: Copy) -> frozenset[str]:
        """Return the symbol versions that its consumers want of a copy."""
        names = self._names_of(copy)
        return frozenset(
            version
            for file in self.consumers(copy)
            for name, versions in self._facts[file].needed_versions.items()
            if name in names
            for version in versions
        )
