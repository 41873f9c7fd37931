"""Wheel file names (binary distribution format, PEP 427; labels, PEP 825)."""

import re
from collections.abc import Iterator
from typing import TypeAlias

from msgspec import Struct
from packaging.version import InvalidVersion, Version

from envmgr.names import InvalidName, PackageName, package_name

SplitName: TypeAlias = tuple[str, str, str | None, str, str, str, str | None]
"""Name, version, build, python, abi, platform, label; all as written."""

_SUFFIX = ".whl"
_DIGITS = frozenset("0123456789")
_BUILD = re.compile(r"([0-9]{1,18})(.*)", re.ASCII)
_TAG = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)*", re.ASCII)
_LABEL = re.compile(r"[0-9a-z_.]+", re.ASCII)


class InvalidWheelFilename(ValueError):
    """A text that is not a wheel's file name; ``reason`` is one clause."""

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text, reason)
        self.text = text
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.text!r} is not the name of a wheel: {self.reason}"


class WheelFilename(Struct, frozen=True):
    """The parts of a wheel's file name; each tag is split at its dots.

    ``label`` is ``None`` for a plain wheel (PEP 825: a label makes it a variant).
    """

    name: PackageName
    version: Version
    build: tuple[int, str] | None
    python: tuple[str, ...]
    abi: tuple[str, ...]
    platform: tuple[str, ...]
    label: str | None
    text: str

    @property
    def tags(self) -> Iterator[str]:
        """Every tag the compressed sets stand for, as ``cp312-abi3-linux_x86_64`` (PEP 425)."""
        for python in self.python:
            for abi in self.abi:
                for platform in self.platform:
                    yield f"{python}-{abi}-{platform}"

    def __str__(self) -> str:
        return self.text


def split_wheel_filename(text: str) -> SplitName | None:
    """Cut a wheel's file name into its parts, as they are written.

    ``None`` where it cannot be one. What the parts hold is not looked at beyond
    what the cut needs: an index page has thousands of names, few of which matter.
    The third of six parts is a build tag if it begins with a digit, since a
    Python tag never does (PEP 825, variant label).
    """
    if not text.endswith(_SUFFIX):
        return None
    parts = text[:-4].split("-")
    if "" in parts:
        return None
    count = len(parts)
    build: str | None = None
    label: str | None = None
    if count == 5:
        name, version, python, abi, platform = parts
    elif count == 6:
        if parts[2][0] in _DIGITS:
            name, version, build, python, abi, platform = parts
        else:
            name, version, python, abi, platform, label = parts
    elif count == 7 and parts[2][0] in _DIGITS:
        name, version, build, python, abi, platform, label = parts
    else:
        return None
    if python[0] in _DIGITS:
        return None
    return name, version, build, python, abi, platform, label


def parse_wheel_filename(text: str) -> WheelFilename:
    """Read a wheel's file name: ``name-version(-build)?-python-abi-platform(-label)?.whl``.

    Names and versions are normalised, tags lower-cased. Raises InvalidWheelFilename.
    """
    split = split_wheel_filename(text)
    if split is None:
        raise InvalidWheelFilename(text, _shape_problem(text))
    name, version, build, python, abi, platform, label = split
    if label is not None and not _LABEL.fullmatch(label):
        raise InvalidWheelFilename(
            text, f"{label!r} is not a variant label (use 0-9, a-z, _ and .)"
        )
    return WheelFilename(
        _name(text, name),
        _version(text, version),
        None if build is None else _build(text, build),
        _tag_set(text, "a Python", python),
        _tag_set(text, "an ABI", abi),
        _tag_set(text, "a platform", platform),
        label,
        text,
    )


def _shape_problem(text: str) -> str:
    if not text.endswith(_SUFFIX):
        return "it does not end in .whl"
    parts = text[:-4].split("-")
    if "" in parts:
        return "one of its parts is empty"
    if not 5 <= len(parts) <= 7:
        return f"it has {len(parts)} parts between hyphens, not 5 to 7"
    if len(parts) == 7 and parts[2][0] not in _DIGITS:
        return f"its build tag {parts[2]!r} does not begin with a digit"
    return "its Python tag begins with a digit"


def _name(text: str, name: str) -> PackageName:
    try:
        return package_name(name)
    except InvalidName as error:
        raise InvalidWheelFilename(text, str(error)) from None


def _version(text: str, version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion:
        raise InvalidWheelFilename(text, f"{version!r} is not a version") from None
    except ValueError:  # more digits than int() takes
        raise InvalidWheelFilename(text, "its version has too many digits") from None


def _build(text: str, build: str) -> tuple[int, str]:
    match = _BUILD.fullmatch(build)
    if match is None or match[2][:1] in _DIGITS:
        raise InvalidWheelFilename(text, f"{build!r} is not a build tag")
    return int(match[1]), match[2]


def _tag_set(text: str, kind: str, written: str) -> tuple[str, ...]:
    lowered = written.lower()
    tags = tuple(lowered.split("."))
    if not _TAG.fullmatch(lowered) or (kind == "a Python" and any(t[0] in _DIGITS for t in tags)):
        raise InvalidWheelFilename(text, f"{written!r} is not {kind} tag")
    return tags
