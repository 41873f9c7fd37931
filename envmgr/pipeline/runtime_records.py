"""What a generation remembers of its shared runtimes, and what is told of it."""

from collections.abc import Iterator

from envmgr.link.generation import GenerationRecord, RuntimeRecord
from envmgr.pipeline.environments import record_of
from envmgr.pipeline.host_mpi import library_of
from envmgr.pipeline.types import KeptCopy, LibraryFile, ReplacedCopy, Selector, SharedRuntime
from envmgr.runtime.planning.survey import FileOf
from envmgr.runtime.planning.types import APART, UNUSED, FamilyPlan, Replaced, RuntimePlan, Written
from envmgr.runtime.types import HOST, VENDORED
from envmgr.spec.settings import Settings


def runtime_records(plan: RuntimePlan) -> tuple[RuntimeRecord, ...]:
    """Write a plan down."""
    return tuple(map(_record, plan.families))


def _record(family: FamilyPlan) -> RuntimeRecord:
    return RuntimeRecord(
        family=family.family,
        implementation=family.implementation,
        by_file=family.by_file,
        servers=tuple(map(_name, family.servers)),
        replaced=tuple(map(_replaced, family.replaced)),
        kept=tuple((_name(kept.file), kept.reason) for kept in family.kept),
    )


def _replaced(replaced: Replaced) -> tuple[str, str, bool]:
    target = replaced.target
    if isinstance(target, Written):
        return _name(replaced.file), _name(target.needed), True
    return _name(replaced.file), _name(target), False


def _name(file: FileOf) -> str:
    return f"{file.package}:{file.path}"


def list_runtimes(selector: Selector, settings: Settings) -> tuple[SharedRuntime, ...]:
    """Tell what became of the runtimes of an environment, by family.

    Raises NoSuchEnvironment, DamagedEnvironment.
    """
    return shared_runtimes(record_of(selector, settings))


def shared_runtimes(record: GenerationRecord) -> tuple[SharedRuntime, ...]:
    """Read what a generation remembers."""
    return tuple(
        SharedRuntime(
            family=each.family,
            implementation=each.implementation,
            chosen_by="file" if each.by_file else "automatic",
            servers=tuple(map(_file, each.servers)),
            host=library_of(record.host) if each.implementation == HOST else None,
            replaced=tuple(
                ReplacedCopy(copy=_file(copy), by=_file(by), forwarded=forwarded)
                for copy, by, forwarded in each.replaced
            ),
            kept=tuple(KeptCopy(copy=_file(copy), reason=reason) for copy, reason in each.kept),
        )
        for each in record.runtimes
    )


def _file(name: str) -> LibraryFile:
    package, _, path = name.partition(":")
    return LibraryFile(package=package, path=path)


def told_of_runtimes(note: str | None, record: GenerationRecord) -> Iterator[str]:
    """Yield what somebody should know who chose a runtime: that it is not there, and what stays."""
    if note is not None:
        yield note
    for runtime in record.runtimes:
        named = runtime.by_file and runtime.implementation not in (VENDORED, HOST)
        if named and not runtime.servers:
            chosen = f"{runtime.family}: {runtime.implementation}"
            yield f"no package brings `{chosen}`: what can use it goes without, or has its own"
        for copy, reason in runtime.kept if runtime.by_file else ():
            if reason not in (APART, UNUSED):
                file = _file(copy)
                yield f"{file.package} keeps its own {runtime.family} ({file.path}): {reason}"
