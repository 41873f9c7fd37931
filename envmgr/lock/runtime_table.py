"""``tool.envmgr.runtimes`` of a lock: which implementation serves each shared runtime."""

from collections.abc import Mapping

from envmgr.lock.document import Table
from envmgr.lock.toml import Value
from envmgr.lock.types import LockedPackage, LockedRuntime
from envmgr.names import PackageName, package_name


def runtime_values(runtimes: tuple[LockedRuntime, ...]) -> Mapping[str, Value]:
    """Return the table ``tool.envmgr.runtimes``: a line for each family."""
    return {runtime.family: _value(runtime) for runtime in runtimes}


def _value(runtime: LockedRuntime) -> Value:
    told: dict[str, Value] = {"implementation": runtime.implementation}
    if runtime.wheel is not None and runtime.version is not None:
        told |= {"wheel": runtime.wheel, "version": runtime.version}
    return {**told, "reason": runtime.reason}


def parse_runtimes(table: Table, packages: tuple[LockedPackage, ...]) -> tuple[LockedRuntime, ...]:
    """Read ``tool.envmgr.runtimes``; a wheel must be one of ``packages``. Raises LockUnreadable."""
    versions = {package.name: package.version for package in packages}
    return tuple(_parse(family, table.table(family), versions) for family in sorted(table.values))


def _parse(family: str, row: Table, versions: Mapping[PackageName, str]) -> LockedRuntime:
    text = row.optional_text("wheel")
    wheel = (
        None if text is None else row.checked("wheel", text, package_name, "the name of a package")
    )
    version = None if wheel is None else row.text("version")
    if wheel is not None and versions.get(wheel) != version:
        row.fail("wheel", f"is {wheel} {version}, which is no package of this lock")
    return LockedRuntime(
        family=family,
        implementation=row.text("implementation"),
        wheel=wheel,
        version=version,
        reason=row.text("reason"),
    )
