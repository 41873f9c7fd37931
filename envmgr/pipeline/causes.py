"""Which generation a new one is, and why it came to be: told from the records of both."""

from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from envmgr.events import Noted, Reporter
from envmgr.link.generation import GenerationRecord, next_number, numbers_of
from envmgr.link.rollback_mark import is_rolled_back
from envmgr.lock.check import compare
from envmgr.names import PackageName


def with_cause(
    prefix: Path, record: GenerationRecord, before: GenerationRecord | None, why: str | None = None
) -> GenerationRecord:
    """Complete the record of a generation that is to be made: its number, cause and changes.

    ``why`` is the cause where the records do not tell it.
    """
    numbers = numbers_of(prefix)
    number = numbers.get(before.id, 0) if before else 0
    cause = why or why_made(before, record)
    if why is None and before is not None and is_rolled_back(prefix, before.id):
        cause = f"went on after a rollback to {number}: {cause}"
    return replace(
        record,
        number=next_number(prefix),
        before=number,
        why=cause,
        changes=changes_between(before, record) if before else (),
    )


def changes_between(
    before: GenerationRecord, after: GenerationRecord
) -> tuple[tuple[PackageName, str | None, str | None], ...]:
    """Return the packages whose version differs: name, version before, version after."""
    return compare(_versions(before), _versions(after))


def _versions(record: GenerationRecord) -> dict[PackageName, str]:
    return {package.name: package.version for package in record.packages}


def why_made(before: GenerationRecord | None, after: GenerationRecord) -> str:
    """Say in a few words what caused a generation that ``create`` or ``sync`` made."""
    if before is None:
        return "created"
    return ", ".join(_causes(before, after)) or "repaired"


def _causes(before: GenerationRecord, after: GenerationRecord) -> Iterator[str]:
    file_changed = before.resolution_digest != after.resolution_digest
    if file_changed:
        yield "file changed"
    elif before.lock_sha256 != after.lock_sha256:
        yield "lock changed"
    if before.groups != after.groups:
        yield "other groups"
    if (before.python, before.python_version) != (after.python, after.python_version):
        yield "interpreter changed"
    if before.view_digest != after.view_digest:
        yield "other links"
    if before.activation_digest != after.activation_digest:
        yield "variables changed"
    if before.environment_file != after.environment_file:
        yield "file moved"
    if before.prefix and before.prefix != after.prefix:
        yield "environment moved"
    if before.envmgr_version != after.envmgr_version:
        yield f"envmgr {after.envmgr_version}"
    if before.compiled < after.compiled:
        yield "bytecode compiled"


def tell_of_rollback(prefix: Path, before: GenerationRecord | None, report: Reporter) -> None:
    """Say that an environment goes forward again where it was rolled back."""
    if before is None or not is_rolled_back(prefix, before.id):
        return
    number = numbers_of(prefix).get(before.id, before.number)
    report(Noted(f"{before.name} was rolled back to {number}; this brings it up to its file again"))
