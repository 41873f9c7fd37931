"""Which MPI ABIs the packages of an environment were compiled for, by their manifests."""

import re
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from envmgr.names import PackageName
from envmgr.runtime.mpi.abi import MpiAbi, abi_of_soname
from envmgr.wheel.manifest import ElfFacts, Manifest

_BY_NAME = (("libmkl_blacs_intelmpi_", MpiAbi.MPICH), ("libmkl_blacs_openmpi_", MpiAbi.OPENMPI))
"""Libraries that name no MPI as needed and take its symbols from whoever loaded one."""

_EXTENSION = re.compile(r"/(?!lib)[^/]+\.so$")
"""A file that ``import`` may load: ``core.abi3.so``, and no ``libcore.so`` or ``plugin.so.3``."""


class MpiNeed(Struct, frozen=True):
    """What one package asks for. Paths are those of its manifest, sorted."""

    files: Mapping[MpiAbi, tuple[str, ...]]
    """The files built for each ABI."""
    optional: frozenset[str] = frozenset()
    """Those of the files that no extension module is or needs: programs, and plug-ins that are
    loaded if somebody asks for MPI."""
    vendored: tuple[str, ...] = ()
    """Copies of an MPI library under names of their own, which a host's MPI cannot replace."""

    @property
    def required(self) -> MpiAbi | None:
        """The ABI it cannot do without; ``None`` where it has a build for each of several."""
        return next(iter(self.files)) if len(self.files) == 1 else None

    @property
    def is_optional(self) -> bool:
        """Tell whether the package can be imported without any MPI."""
        return all(file in self.optional for files in self.files.values() for file in files)

    def served_by(self, abis: Collection[MpiAbi]) -> bool:
        """Tell whether an MPI that offers these ABIs can serve it."""
        return not self.files or any(abi in abis for abi in self.files)


def mpi_abis_needed(manifests: Iterable[Manifest]) -> dict[PackageName, MpiNeed]:
    """Return what each package needs that needs an MPI or brings a copy of its own.

    An implementation's own programs, which find its library in their own wheel, need nothing.
    """
    needs = ((manifest.name, _need(manifest)) for manifest in manifests)
    return {name: need for name, need in needs if need.files or need.vendored}


def unserved(
    needs: Mapping[PackageName, MpiNeed], abis: Collection[MpiAbi]
) -> dict[PackageName, MpiNeed]:
    """Return the packages for which an MPI that offers ``abis`` will not do."""
    return {name: need for name, need in needs.items() if not need.served_by(abis)}


def _need(manifest: Manifest) -> MpiNeed:
    own = {facts.soname or facts.path.rpartition("/")[2] for facts in manifest.elf}
    files: dict[MpiAbi, list[str]] = {}
    vendored = []
    for facts in manifest.elf:
        abi = _abi(facts, own)
        if abi is not None:
            files.setdefault(abi, []).append(facts.path)
        if _is_grafted(facts):
            vendored.append(facts.path)
    ordered = {abi: tuple(sorted(files[abi])) for abi in sorted(files)}
    told = frozenset(file for paths in ordered.values() for file in paths)
    return MpiNeed(ordered, told - _reached_by_import(manifest.elf), tuple(sorted(vendored)))


def _reached_by_import(files: Collection[ElfFacts]) -> frozenset[str]:
    """Return the paths of extension modules and of all that these need in their own package."""
    by_name: dict[str, list[ElfFacts]] = {}
    for facts in files:
        for name in {facts.soname or "", facts.path.rpartition("/")[2]}:
            by_name.setdefault(name, []).append(facts)
    reached: dict[str, None] = {}
    waiting = [facts for facts in files if _EXTENSION.search(facts.path)]
    while waiting:
        facts = waiting.pop()
        if facts.path not in reached:
            reached[facts.path] = None
            waiting += (found for name in facts.needed for found in by_name.get(name, ()))
    return frozenset(reached)


def _abi(facts: ElfFacts, own: Collection[str]) -> MpiAbi | None:
    asked = (abi_of_soname(soname) for soname in facts.needed if soname not in own)
    filename = facts.path.rpartition("/")[2]
    told = (abi for start, abi in _BY_NAME if filename.startswith(start))
    return next((abi for abi in (*asked, *told) if abi is not None), None)


def _is_grafted(facts: ElfFacts) -> bool:
    """Tell ``libmpi-d26c8c51.so.12.3.1``: auditwheel's name for a copy of an MPI."""
    stem, mark, number = (facts.soname or "").partition(".so.")
    base, dash, _ = stem.rpartition("-")
    return (
        bool(mark and dash) and abi_of_soname(f"{base}.so.{number.partition('.')[0]}") is not None
    )
