"""The prefix of an environment that exists. Light: the pipeline is imported to explain alone."""

import os
from typing import TYPE_CHECKING

from envmgr.cli.configured import settings_of
from envmgr.cli.session import Session

if TYPE_CHECKING:
    from envmgr.pipeline.selectors import Selector


def existing_prefix(selector: "Selector", session: Session) -> str:
    """Return the absolute prefix of what a command line selects.

    Raises NoSuchEnvironment, and DefinitionError for settings that cannot be read.
    """
    from envmgr.link.prefix import CURRENT
    from envmgr.pipeline.selectors import ByPrefix

    if isinstance(selector, ByPrefix):
        prefix = selector.prefix
        if os.path.lexists(prefix / CURRENT):
            return os.fspath(prefix)
    settings = settings_of(session)
    if not isinstance(selector, ByPrefix):
        prefix = settings.environments / selector.name
        if os.path.lexists(prefix / CURRENT):
            return os.fspath(prefix)
    from envmgr.pipeline.environments import find_prefix

    return os.fspath(find_prefix(selector, settings))
