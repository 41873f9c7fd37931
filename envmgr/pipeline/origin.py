"""Which file an environment is of: the one it was made from, by whatever path."""

from pathlib import Path

from envmgr.link.generation import GenerationRecord
from envmgr.link.place import is_same_place
from envmgr.link.prefix import read_identity
from envmgr.pipeline.environments import locate, record_of, selection_of
from envmgr.pipeline.errors import EnvironmentFileGone, EnvironmentOfAnotherFile
from envmgr.pipeline.types import Selector
from envmgr.spec.settings import Settings


def recorded_file(selector: Selector, settings: Settings) -> Path:
    """Return the file that an environment was made from.

    Where it was moved and the environment rolled back to before that, it is the one
    that the environment is of since.

    Raises NoSuchEnvironment, DamagedEnvironment, EnvironmentFileGone.
    """
    record = record_of(selector, settings)
    file = Path(record.environment_file)
    if not file.exists():
        _, prefix = locate(selector, record.name, settings)
        _, newer = read_identity(prefix)
        if newer is not None and newer.exists():
            return newer
        raise EnvironmentFileGone(prefix, file, selection_of(selector))
    return file


def moved_from(prefix: Path, before: GenerationRecord | None, source: Path) -> Path | None:
    """Return where the file stood when it was moved to ``source`` since, else ``None``.

    It was moved where the recorded one is no longer there. Raises
    EnvironmentOfAnotherFile where it is, and is another one.
    """
    if before is None:
        return None
    recorded = Path(before.environment_file)
    if recorded == source or is_same_place(recorded, source):
        return None
    if recorded.exists():
        raise EnvironmentOfAnotherFile(prefix, recorded, source)
    return recorded
