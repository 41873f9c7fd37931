"""What may be wrong with a host's MPI: the file's fault is exit 3, the machine's exit 4."""

from collections.abc import Sequence

from envmgr.errors import DefinitionError, MachineError
from envmgr.runtime.mpi.host import HostMpi


class UnusableHostMpi(DefinitionError):
    """The environment file names a host library that cannot serve; ``reason`` is a clause."""

    def __init__(self, path: str, reason: str, hint: str | None = None) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason
        self._hint = hint

    def __str__(self) -> str:
        return f"{self.path} cannot be this environment's MPI: {self.reason}"

    @property
    def hint(self) -> str | None:
        """What to name instead."""
        return self._hint


class NoHostMpi(MachineError):
    """Nothing on this machine is an MPI for ``machine``."""

    def __init__(self, machine: str, unsuitable: Sequence[UnusableHostMpi] = ()) -> None:
        super().__init__(machine, tuple(unsuitable))
        self.machine = machine
        self.unsuitable = tuple(unsuitable)

    def __str__(self) -> str:
        return f"this machine has no MPI for {self.machine} that envmgr can find"

    @property
    def hint(self) -> str:
        """Where it looks, and how to name one."""
        return (
            "load the site's MPI module, or name the library in the file: "
            "`runtimes: {mpi: {host: /path/to/libmpi.so.12}}`"
        )

    def details(self) -> tuple[str, ...]:
        """List what was found and cannot serve."""
        return tuple(map(str, self.unsuitable))


class SeveralHostMpis(MachineError):
    """The machine has several, and nothing says which is meant."""

    def __init__(self, found: Sequence[HostMpi]) -> None:
        super().__init__(tuple(found))
        self.found = tuple(found)

    def __str__(self) -> str:
        return f"this machine has {len(self.found)} MPIs, and nothing says which is meant"

    @property
    def hint(self) -> str:
        """How to choose."""
        library = self.found[0].library
        return f"load one module, or choose in the file: `runtimes: {{mpi: {{host: {library}}}}}`"

    def details(self) -> tuple[str, ...]:
        """Each with what told of it."""
        return tuple(f"{each.title}, from {each.origin}" for each in self.found)
