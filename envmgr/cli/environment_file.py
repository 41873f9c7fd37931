"""Which environment file a command line means."""

import os
from pathlib import Path

from envmgr.cli.selection import absolute

DEFAULT_FILES = ("environment.yaml", "environment.yml")
"""Looked for in this order."""


def find_file(given: str | None, directory: str | None) -> Path:
    """Return the file ``-f`` names; without it, or for a directory, the first default one.

    A file that was named is not looked at: reading it gives the better error.
    Raises NoEnvironmentFile, FileUnreadable, UsageError.
    """
    place = absolute("." if given is None else given, directory)
    if given is not None and not os.path.isdir(place):  # noqa: PTH112 - a text
        return Path(place)
    for name in DEFAULT_FILES:
        path = Path(place, name)
        if _is_file(path):
            return path
    from envmgr.pipeline.errors import NoEnvironmentFile

    raise NoEnvironmentFile(Path(place))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError as error:
        from envmgr.spec.problems import FileUnreadable

        raise FileUnreadable(path, (error.strerror or str(error)).lower()) from error
