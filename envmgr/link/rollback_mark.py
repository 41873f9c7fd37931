"""A mark beside the generations: the current one was gone back to, and is older than what was."""

from pathlib import Path

from envmgr.files import remove_file, write_atomically
from envmgr.link.prefix import STATE, unusable
from envmgr.names import GenerationId

MARK = f"{STATE}/rolled-back"


def write_rollback_mark(prefix: Path, generation: GenerationId) -> None:
    """Mark a generation before it is switched to; it counts while that one is current.

    Raises PrefixUnusable.
    """
    try:
        write_atomically(prefix / MARK, generation.encode())
    except OSError as error:
        raise unusable(prefix, error) from error


def remove_rollback_mark(prefix: Path) -> None:
    """Forget the mark. Raises PrefixUnusable."""
    try:
        remove_file(prefix / MARK)
    except OSError as error:
        raise unusable(prefix, error) from error


def is_rolled_back(prefix: Path, current: GenerationId) -> bool:
    """Whether the environment was rolled back to this generation, which is current."""
    try:
        return (prefix / MARK).read_bytes() == current.encode()
    except OSError:
        return False
