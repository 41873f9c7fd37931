"""What ``doctor`` finds."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["problem", "note"]
"""A problem breaks something now, or will; a note is worth knowing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One finding, explained."""

    check: str
    """What was looked at, in one stable word: ``space``, ``purged``, ``interpreter``, ..."""
    severity: Severity
    subject: str
    """The path, variable or index it is about."""
    message: str
    """A sentence without a full stop."""
    advice: str | None = None
    """What to do, in the imperative."""
    details: tuple[str, ...] = ()
    """Further lines: everything that is gone, for example."""


def problem(
    check: str, subject: object, message: str, advice: str | None = None, *details: str
) -> Complaint:
    """Make a problem of it."""
    return Complaint(
        check=check,
        severity="problem",
        subject=str(subject),
        message=message,
        advice=advice,
        details=details,
    )


def note(
    check: str, subject: object, message: str, advice: str | None = None, *details: str
) -> Complaint:
    """Make a note of it."""
    return Complaint(
        check=check,
        severity="note",
        subject=str(subject),
        message=message,
        advice=advice,
        details=details,
    )
