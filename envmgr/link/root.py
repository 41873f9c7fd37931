"""The prefix's end of its root in the store. Light: ``run`` imports it."""

import os

ROOT = ".envmgr/root"
"""A link to the file by which the store knows of the prefix."""


def renew_root(prefix: str | os.PathLike[str]) -> bool:
    """Note at the store that a prefix is used now; False where the store has no root of it.

    One call of the system, through the link ``.envmgr/root``.
    """
    try:
        os.utime(os.path.join(prefix, ROOT))
    except PermissionError:
        return True  # somebody else's prefix: its root is theirs to renew
    except OSError:
        return False
    return True
