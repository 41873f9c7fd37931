"""The lock as text: PEP 751, with what only envmgr knows under ``tool.envmgr``.

A lock that another tool made is read too, as what it is: see ``foreign``.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

from envmgr.lock.document import Table, parse_document
from envmgr.lock.errors import LockUnreadable
from envmgr.lock.foreign import ForeignLock, parse_foreign
from envmgr.lock.inputs import Inputs
from envmgr.lock.locations import basename
from envmgr.lock.runtime_table import parse_runtimes, runtime_values
from envmgr.lock.toml import Value, render_key, render_lines, render_text, render_value
from envmgr.lock.types import Lock, LockConditions, LockedPackage, LockedWheel
from envmgr.lock.wheels import check_version, parse_marker, parse_wheel
from envmgr.names import (
    ExtraName,
    GroupName,
    IndexName,
    PackageName,
    extra_name,
    group_name,
    package_name,
)
from envmgr.resolve.types import MarkerOutcome

LOCK_VERSION = "1.0"
"""PEP 751, ``lock-version``."""
SCHEMA = 1
"""Of ``tool.envmgr``. Raised when an older envmgr would misread what a newer one writes."""
TOOL = "envmgr"

_HEADER = "# Made by `envmgr lock`. Change the environment file, not this one.\n"
_MINOR = re.compile(r"==([0-9]+\.[0-9]+)\.\*", re.ASCII)
_IN_GROUP = re.compile(r'"([^"]+)" in dependency_groups')


def render_lock(lock: Lock) -> str:
    """Write a lock; equal locks give equal text, and small changes small differences."""
    head = [
        _HEADER,
        f"lock-version = {render_text(LOCK_VERSION)}\n",
        *_line(
            "environments", (lock.conditions.environment,) if lock.conditions.environment else ()
        ),
        f"requires-python = {render_text(f'=={lock.conditions.python}.*')}\n",
        "extras = []\n",
        f"dependency-groups = {render_value(lock.groups)}\n",
        "default-groups = []\n",
        f"created-by = {render_text(lock.created_by)}\n",
    ]
    packages = [f"\n[[packages]]\n{''.join(_package_lines(package))}" for package in lock.packages]
    if not packages:
        head.append("packages = []\n")
    return "".join([*head, *packages, *_tool_lines(lock)])


def _line(key: str, value: "Value | None") -> list[str]:
    """Write ``key = value``, or nothing where there is nothing to say."""
    return [] if value is None or value == () else [f"{key} = {render_value(value)}\n"]


def _lines(key: str, values: tuple[Value, ...]) -> list[str]:
    return [f"{render_key(key)} = {render_lines(values)}\n"] if values else []


def _package_lines(package: LockedPackage) -> Iterator[str]:
    yield from _line("name", package.name)
    yield from _line("version", package.version)
    yield from _line("marker", _group_marker(package.groups))
    yield from _line("requires-python", package.requires_python)
    yield from _lines("dependencies", tuple({"name": name} for name in package.requires))
    told: dict[str, Value] = {}
    if package.index is None:
        yield from _line("archive", _file(package.wheel))
        if basename(package.wheel.location) != package.wheel.filename:
            told["filename"] = package.wheel.filename
    else:
        if package.index_url is not None and "://" in package.index_url:
            yield from _line("index", package.index_url)
        yield from _lines("wheels", ({**_wheel_name(package.wheel), **_file(package.wheel)},))
        told["index"] = package.index
    told["reason"] = package.index_reason
    if package.extras:
        told["extras"] = package.extras
    yield from _line("tool.envmgr", told)


def _group_marker(groups: frozenset[GroupName | None]) -> str | None:
    names = sorted(name for name in groups if name is not None)
    if None in groups or not names:
        return None
    return " or ".join(f'"{name}" in dependency_groups' for name in names)


def _wheel_name(wheel: LockedWheel) -> dict[str, Value]:
    """Name the file where its location does not, or does so only once it is decoded."""
    written = wheel.location.rpartition("/")[2]
    return {} if written == wheel.filename else {"name": wheel.filename}


def _file(wheel: LockedWheel) -> dict[str, Value]:
    told: dict[str, Value] = {"path" if wheel.is_path else "url": wheel.location}
    if wheel.upload_time is not None:
        told["upload-time"] = wheel.upload_time
    if wheel.size is not None:
        told["size"] = wheel.size
    return {**told, "hashes": {"sha256": wheel.sha256}}


def _tool_lines(lock: Lock) -> Iterator[str]:
    conditions = lock.conditions
    yield "\n[tool.envmgr]\n"
    yield from _line("schema", SCHEMA)
    yield from _line("digest", lock.resolution_digest or None)
    yield from _lines("indexes", tuple({"name": name, "url": url} for name, url in lock.indexes))
    if lock.inputs:
        yield "\n[tool.envmgr.inputs]\n"
        for key, values in lock.inputs:
            yield from _lines(key, values)
    if lock.runtimes:
        yield "\n[tool.envmgr.runtimes]\n"
        for key, value in runtime_values(lock.runtimes).items():
            yield f"{render_key(key)} = {render_value(value)}\n"
    yield "\n[tool.envmgr.conditions]\n"
    yield from _line("implementation", conditions.implementation)
    yield from _line("sys-platform", conditions.sys_platform)
    yield from _line("machine", conditions.machine)
    yield from _line("platform", conditions.platform_floor)
    yield from _line("abi", conditions.abi)
    for key, holds in (("true", True), ("false", False)):
        outcomes = [outcome for outcome in conditions.markers if outcome.holds is holds]
        yield from _lines(f"markers-{key}", tuple(map(_outcome, outcomes)))


def _outcome(outcome: MarkerOutcome) -> Mapping[str, Value]:
    extras: dict[str, Value] = {"extras": outcome.extras} if outcome.extras else {}
    return {"marker": outcome.marker, **extras}


def parse_lock(text: str | bytes, path: Path) -> Lock | ForeignLock:
    """Read a lock; ``path`` is for messages. Raises LockUnreadable."""
    try:
        document = parse_document(text.encode() if isinstance(text, str) else text, path)
        _check_version(document)
        tool = document.optional_table("tool").optional_table(TOOL)
        if tool.values:
            _check_schema(tool)
            return _own(document, tool)
    except LockUnreadable as error:
        hint = error.hint or "delete it and run `envmgr lock`"
        raise LockUnreadable(path, error.where, error.reason, hint) from None
    return parse_foreign(document)


def _check_schema(tool: Table) -> None:
    schema = tool.size("schema")
    if schema is None:
        tool.fail("schema", "is missing")
    if schema != SCHEMA:
        tool.fail(
            "schema",
            f"is {schema}, and this envmgr knows {SCHEMA}",
            "update envmgr, or make the lock anew with `envmgr lock`",
        )


def _check_version(document: Table) -> None:
    """PEP 751, ``lock-version``: an unknown major version must not be read."""
    version = document.text("lock-version")
    major, dot, minor = version.partition(".")
    if not (dot and major.isdigit() and minor.isdigit()):
        document.fail("lock-version", f"{version!r} is not a version of the lock format")
    if major != LOCK_VERSION.partition(".")[0]:
        document.fail(
            "lock-version", f"is {version}, and this envmgr reads {LOCK_VERSION}", "update envmgr"
        )


def _own(document: Table, tool: Table) -> Lock:
    indexes = tuple(
        (IndexName(row.text("name")), row.text("url")) for row in tool.tables("indexes")
    )
    groups = tuple(sorted(_group(document, text) for text in document.texts("dependency-groups")))
    packages = [_own_package(row, dict(indexes), groups) for row in document.tables("packages")]
    packages.sort(key=lambda package: package.name)
    for one, other in pairwise(packages):
        if one.name == other.name:
            document.fail("packages", f"{one.name} is there twice")
    return Lock(
        created_by=document.text("created-by"),
        resolution_digest=tool.optional_text("digest") or "",
        groups=groups,
        indexes=indexes,
        conditions=_own_conditions(document, tool.table("conditions")),
        packages=tuple(packages),
        inputs=_own_inputs(tool.optional_table("inputs")),
        runtimes=parse_runtimes(tool.optional_table("runtimes"), tuple(packages)),
    )


def _group(table: Table, text: str) -> GroupName:
    return table.checked("dependency-groups", text, group_name, "the name of a group")


def _own_inputs(table: Table) -> Inputs:
    return tuple((key, table.texts(key)) for key in table.values)


def _own_conditions(document: Table, table: Table) -> LockConditions:
    python = _MINOR.fullmatch(document.text("requires-python"))
    if python is None:
        document.fail("requires-python", "must be one minor version of Python, such as ==3.12.*")
    environments = document.texts("environments")
    if len(environments) > 1:
        document.fail("environments", "must be one marker in a lock of envmgr")
    for environment in environments:
        document.checked("environments[0]", environment, parse_marker, "a marker")
    markers = [
        *_outcomes(table, "markers-true", holds=True),
        *_outcomes(table, "markers-false", holds=False),
    ]
    return LockConditions(
        python=python[1],
        implementation=table.text("implementation"),
        sys_platform=table.text("sys-platform"),
        machine=table.optional_text("machine"),
        platform_floor=table.optional_text("platform"),
        abi=table.optional_text("abi"),
        markers=tuple(sorted(markers)),
        environment=environments[0] if environments else "",
    )


def _outcomes(table: Table, key: str, *, holds: bool) -> Iterator[MarkerOutcome]:
    for row in table.tables(key):
        marker = row.text("marker")
        row.checked("marker", marker, parse_marker, "a marker")
        yield MarkerOutcome(marker, _extras(row), holds)


def _extras(table: Table) -> tuple[ExtraName, ...]:
    return tuple(
        table.checked("extras", text, extra_name, "the name of an extra")
        for text in table.texts("extras")
    )


def _own_package(
    row: Table, indexes: Mapping[IndexName, str], groups: tuple[GroupName, ...]
) -> LockedPackage:
    name = row.checked("name", row.text("name"), package_name, "the name of a package")
    told = row.table("tool").table(TOOL)
    version = row.text("version")
    if row.has("archive"):
        index = None
        wheel = parse_wheel(row.table("archive"), name, told.optional_text("filename"))
    else:
        index = IndexName(told.text("index"))
        wheel = _only_wheel(row, name)
    check_version(row, version, wheel)
    return LockedPackage(
        name=name,
        version=version,
        wheel=wheel,
        index=index,
        index_url=row.optional_text("index") or (indexes.get(index) if index else None),
        index_reason=told.text("reason"),
        extras=_extras(told),
        groups=_groups_of(row, groups),
        requires=tuple(_dependency(entry) for entry in row.tables("dependencies")),
        requires_python=row.optional_text("requires-python"),
    )


def _dependency(entry: Table) -> PackageName:
    return entry.checked("name", entry.text("name"), package_name, "the name of a package")


def _only_wheel(row: Table, name: PackageName) -> LockedWheel:
    wheels = row.tables("wheels")
    if len(wheels) != 1:
        row.fail("wheels", f"must hold one wheel in a lock of envmgr, not {len(wheels)}")
    return parse_wheel(wheels[0], name, wheels[0].optional_text("name"))


def _groups_of(row: Table, known: tuple[GroupName, ...]) -> frozenset[GroupName | None]:
    marker = row.optional_text("marker")
    if marker is None:
        return frozenset({None})
    groups: set[GroupName | None] = set()
    for clause in marker.split(" or "):
        match = _IN_GROUP.fullmatch(clause)
        if match is None or match[1] not in known:
            row.fail("marker", f"{marker!r} does not name groups of this lock")
        groups.add(GroupName(match[1]))
    return frozenset(groups)
