"""What a generation remembers of its shared runtimes."""

from envmgr.link.generation import RuntimeRecord
from envmgr.runtime.plan_types import FamilyPlan, Replaced, RuntimePlan, Written
from envmgr.runtime.survey import FileOf


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
