"""What programs wrote into a generation, taken along into the next one.

``etc`` and ``share`` are where programs write below a prefix (``jupyter server
extension enable --sys-prefix``, ``ipykernel install --sys-prefix``). Of ours
there are only absolute links in them, so everything else is somebody's.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from envmgr.link.generation import generation_path
from envmgr.link.prefix import NoEnvironment, current_generation, unusable
from envmgr.names import GenerationId

WRITTEN_BY_PROGRAMS = ("etc", "share")


@dataclass(frozen=True, slots=True)
class Carried:
    """Paths relative to the prefix, sorted. ``left`` are those whose place is taken now."""

    taken: tuple[str, ...]
    left: tuple[str, ...]


def carry_written(prefix: Path, generation: GenerationId) -> Carried:
    """Copy what programs wrote from the current generation into one that was just written.

    To be called before the switch. Raises PrefixUnusable.
    """
    try:
        before = current_generation(prefix)
    except NoEnvironment:
        return Carried((), ())
    after = generation_path(prefix, generation)
    taken: list[str] = []
    left: list[str] = []
    try:
        for path in sorted(_written(before)):
            (taken if _carry(before, after, path) else left).append(path)
    except OSError as error:
        raise unusable(prefix, error) from error
    return Carried(tuple(taken), tuple(left))


def _written(generation: Path) -> Iterator[str]:
    for top in WRITTEN_BY_PROGRAMS:
        if (generation / top).is_symlink():
            continue
        for directory, directories, names in os.walk(generation / top):
            for name in (*directories, *names):
                path = Path(directory, name)
                if path.is_symlink():
                    if not path.readlink().is_absolute():
                        yield str(path.relative_to(generation))
                elif not path.is_dir():
                    yield str(path.relative_to(generation))


def _carry(before: Path, after: Path, path: str) -> bool:
    """Copy one file; False where the new view has something of its own there or above."""
    target = after / path
    for parent in target.relative_to(after).parents:
        if (after / parent).is_symlink() or (after / parent).is_file():
            return False
    if os.path.lexists(target):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(before / path, target, follow_symlinks=False)
    return True
