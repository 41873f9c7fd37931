"""Where paths lead."""

from pathlib import Path


def is_same_place(one: str | Path, other: str | Path) -> bool:
    """Whether two paths lead to the same file or directory; not where either is absent."""
    try:
        return Path(one).samefile(other)
    except (OSError, ValueError):
        return False
