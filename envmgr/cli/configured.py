"""The settings one invocation works with. Light at import."""

from typing import TYPE_CHECKING

from envmgr.cli.session import Session

if TYPE_CHECKING:
    from envmgr.spec.settings import Settings


def settings_of(session: Session, *, offline: bool = False) -> "Settings":
    """Return the person's settings; ``--offline`` wins over all of them. Raises DefinitionError."""
    from dataclasses import replace
    from pathlib import Path

    from envmgr.spec.settings import load_settings

    settings = load_settings(session.environ, Path(session.home))
    if not offline:
        return settings
    return replace(settings, offline=True, origins={**settings.origins, "offline": "--offline"})
