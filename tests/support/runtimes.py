"""A catalog and libraries of thought: enough for an audit that loads nothing."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

from envmgr.audit.static import Surroundings, ViewLibrary
from envmgr.audit.types import Found, Identity, Owner
from envmgr.names import PackageName
from envmgr.runtime.types import Family, Library, RuntimeCatalog
from envmgr.wheel.manifest import ElfFacts

SITE = "/env/lib/python3.11/site-packages"


def family(name: str, **libraries: tuple[str, ...]) -> Family:
    """A family whose libraries are called as the keywords, with ``_`` for ``.``."""
    return Family(
        name=name,
        description=name,
        libraries=tuple(
            Library(name=each.replace("_", "."), files=files) for each, files in libraries.items()
        ),
        implementations=(),
    )


CATALOG = RuntimeCatalog(
    (
        family("blas", openblas=("libopenblas*.so*",), mkl=("libmkl_rt.so*",)),
        family(
            "openmp", libgomp_so_1=("libgomp-*.so*", "libgomp.so*"), libiomp5_so=("libiomp5.so*",)
        ),
    )
)


def elf(
    path: str,
    *needed: str,
    soname: str | None = None,
    runpath: str = "",
    rpath: str = "",
    machine: str = "x86_64",
) -> ElfFacts:
    """Facts of a library; search paths are written with colons, as in a file."""
    return ElfFacts(
        path,
        machine,
        64,
        soname,
        needed,
        tuple(filter(None, rpath.split(":"))),
        tuple(filter(None, runpath.split(":"))),
        {},
        (),
    )


@dataclass
class Disk:
    """Files by path, and links that lead to them; ``..`` is resolved by text."""

    files: dict[str, ElfFacts] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)

    def add(self, path: str, facts: ElfFacts, package: str | None = None) -> None:
        self.files[path] = facts
        if package is not None:
            self.owners[path] = package

    def lookup(self, path: str) -> Found | None:
        plain = posixpath.normpath(path)
        real = self.links.get(plain, plain)
        facts = self.files.get(real)
        if facts is None:
            return None
        return Found(Identity(1, sorted(self.files).index(real)), real, facts)

    def real_directory(self, path: str) -> str | None:
        plain = posixpath.normpath(path)
        there = any(each.startswith(f"{plain}/") for each in (*self.files, *self.links))
        return plain if there else None

    def owner_of(self, found: Found) -> Owner:
        package = self.owners.get(found.real)
        return Owner("system") if package is None else Owner("package", PackageName(package))

    @property
    def around(self) -> Surroundings:
        return Surroundings(
            lookup=self.lookup,
            owner_of=self.owner_of,
            shown=lambda path: posixpath.normpath(path).removeprefix("/env/"),
            whole=lambda path: path if path.startswith("/") else f"/env/{path}",
        )

    def libraries(self) -> tuple[ViewLibrary, ...]:
        """What packages have in the view, links included."""
        targets: Mapping[str, str] = {path: path for path in self.files} | self.links
        found = []
        for path, real in targets.items():
            package = self.owners.get(path) or self.owners.get(real)
            there = self.lookup(path)
            if package is not None and there is not None:
                found.append(ViewLibrary(PackageName(package), path, there))
        return tuple(found)
