"""What purges of scratch file systems do: files go, and nobody is asked."""

import os
from pathlib import Path
from random import Random


def purge(root: Path, share: float, seed: int) -> int:
    """Delete a share of the regular files below ``root``; returns how many went.

    Directories get back the modes they had. Links stay, as with most purges.
    """
    chance = Random(seed)  # noqa: S311 - nothing is secret here
    went = 0
    for walked, _, names in os.walk(root):
        directory = Path(walked)
        mode = directory.stat().st_mode
        directory.chmod(0o755)
        for path in sorted(directory / name for name in names):
            if not path.is_symlink() and chance.random() < share:
                path.unlink()
                went += 1
        directory.chmod(mode)
    return went
