"""Whether a generation still has all that was written, as far as counting tells."""

import os

from envmgr.link.generation import GenerationRecord
from envmgr.link.prefix import CACHES, RECORD


def is_complete(generation: str | os.PathLike[str], record: GenerationRecord) -> bool:
    """Whether there are at least as many directory entries as the view had.

    What programs added hides what something else deleted, as many entries at most.
    """
    return count_entries(os.fspath(generation)) >= record.entries


def count_entries(generation: str) -> int:
    """Count the directory entries of a view; links are not followed."""
    found, waiting = 0, [generation]
    while waiting:
        directory = waiting.pop()
        try:
            with os.scandir(directory) as listing:
                for each in listing:
                    if directory == generation and each.name in (RECORD, CACHES):
                        continue
                    found += 1
                    if each.is_dir(follow_symlinks=False):
                        waiting.append(each.path)
        except OSError:
            continue
    return found
