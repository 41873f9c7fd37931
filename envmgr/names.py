"""The names everything is called by, each a type of its own.

A plain ``str`` that became one of these was checked by the function of the
same name in lower case; nobody checks it again.
"""

import re
from functools import lru_cache
from typing import NewType

PackageName = NewType("PackageName", str)
"""A project's name, normalised (PEP 503)."""
ExtraName = NewType("ExtraName", str)
"""An extra's name, normalised (PEP 685)."""
GroupName = NewType("GroupName", str)
"""A dependency group's name, normalised (PEP 735)."""
IndexName = NewType("IndexName", str)
"""What the environment file calls an index."""
EnvironmentName = NewType("EnvironmentName", str)
"""A named environment: ``[a-z0-9_-]+``."""
StoreKey = NewType("StoreKey", str)
"""Opaque; names one entry of a store. A wheel's sha256 (hex) today."""
GenerationId = NewType("GenerationId", str)
"""Opaque; names one generation inside a prefix."""

_PROJECT = re.compile(r"[A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9]", re.IGNORECASE | re.ASCII)
_SEPARATORS = re.compile(r"[-_.]+")
_ENVIRONMENT = re.compile(r"[a-z0-9_-]+")


class InvalidName(ValueError):
    """A text that cannot be the name it was given as."""

    def __init__(self, text: str, kind: str) -> None:
        super().__init__(text, kind)
        self.text = text
        self.kind = kind

    def __str__(self) -> str:
        return f"{self.text!r} is not a valid {self.kind}"


@lru_cache(maxsize=4096)  # pages repeat their project's name for each of thousands of files
def normalized(text: str) -> str:
    """Return the PEP 503 spelling of ``text``, which is not checked."""
    return _SEPARATORS.sub("-", text).lower()


def _project_like(text: str, kind: str) -> str:
    if not _PROJECT.fullmatch(text):
        raise InvalidName(text, kind)
    return normalized(text)


def package_name(text: str) -> PackageName:
    """Check and normalise a project's name (PEP 508 grammar, PEP 503 spelling).

    Raises InvalidName.
    """
    return PackageName(_project_like(text, "package name"))


def extra_name(text: str) -> ExtraName:
    """Check and normalise an extra's name (PEP 685). Raises InvalidName."""
    return ExtraName(_project_like(text, "extra name"))


def group_name(text: str) -> GroupName:
    """Check and normalise a group's name (PEP 735). Raises InvalidName."""
    return GroupName(_project_like(text, "group name"))


def environment_name(text: str) -> EnvironmentName:
    """Check an environment's name; it becomes part of file names. Raises InvalidName."""
    if not _ENVIRONMENT.fullmatch(text):
        raise InvalidName(text, "environment name (use a-z, 0-9, _ and -)")
    return EnvironmentName(text)
