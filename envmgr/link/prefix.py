"""A prefix: the real directory an environment lives in. Light: ``run`` needs nothing else.

::

    PREFIX/
      .envmgr/current -> generations/<id>      one rename of it switches everything
      .envmgr/generations/<id>/                bin lib share ... generation.json
      .envmgr/environment.json                 name and file
      .envmgr/lock                             one command at a time
      .gitignore                               everything
      bin -> .envmgr/current/bin               and so for every name of a generation
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from envmgr.errors import PrefixError
from envmgr.events import Noted, Reporter, silent

if TYPE_CHECKING:
    from filelock import BaseFileLock

STATE = ".envmgr"
GENERATIONS = f"{STATE}/generations"
CURRENT = f"{STATE}/current"
RECORD = "generation.json"

PrefixKind: TypeAlias = Literal[
    "absent", "empty", "environment", "conda", "venv", "directory", "file"
]

_WORDS: dict[PrefixKind, str] = {
    "conda": "a conda environment",
    "venv": "a virtual environment of another tool",
    "directory": "a directory with other things in it",
    "file": "not a directory",
}


class PrefixTaken(PrefixError):
    """Something that is not an environment of envmgr stands at a prefix."""

    def __init__(self, prefix: Path, kind: PrefixKind) -> None:
        super().__init__(prefix, kind)
        self.prefix = prefix
        self.kind = kind

    def __str__(self) -> str:
        return f"{self.prefix} is {_WORDS.get(self.kind, 'in the way')}"

    @property
    def hint(self) -> str:
        """Envmgr never writes over it."""
        return "choose another prefix with -p, or move that one away"


class PrefixUnusable(PrefixError):
    """A path at which no environment can be made; ``reason`` is one clause."""

    def __init__(self, prefix: Path, reason: str, advice: str | None = None) -> None:
        super().__init__(prefix, reason)
        self.prefix = prefix
        self.reason = reason
        self._advice = advice

    def __str__(self) -> str:
        return f"no environment can be made at {self.prefix}: {self.reason}"

    @property
    def hint(self) -> str | None:
        """Where to go instead."""
        return self._advice or "choose another prefix with -p"


class NoEnvironment(PrefixError):
    """A prefix that holds no environment, or none that was ever finished."""

    def __init__(self, prefix: Path) -> None:
        super().__init__(prefix)
        self.prefix = prefix

    def __str__(self) -> str:
        return f"there is no environment at {self.prefix}"

    @property
    def hint(self) -> str:
        """Make one."""
        return f"make it: `envmgr create -f FILE -p {self.prefix}`"


def prefix_kind(prefix: str | Path) -> PrefixKind:
    """Tell what stands at a path."""
    try:
        names = set(os.listdir(prefix))
    except FileNotFoundError:
        return "file" if Path(prefix).is_symlink() else "absent"
    except NotADirectoryError:
        return "file"
    except PermissionError:
        return "directory"
    if STATE in names and Path(prefix, GENERATIONS).is_dir():
        return "environment"
    if names <= {STATE, ".gitignore"}:
        return "empty"
    if "conda-meta" in names:
        return "conda"
    return "venv" if "pyvenv.cfg" in names else "directory"


def check_prefix(prefix: Path) -> PrefixKind:
    """Tell what stands at a path where an environment is to be; nothing is made.

    Raises PrefixTaken, PrefixUnusable.
    """
    text = os.fspath(prefix)
    if any(character in text for character in "\n\r\0:"):
        raise PrefixUnusable(prefix, "programs cannot be found below a path with ':' or a line end")
    if not _is_utf8(text):
        raise PrefixUnusable(prefix, "its path is not UTF-8")
    kind = prefix_kind(prefix)
    if kind not in ("absent", "empty", "environment"):
        raise PrefixTaken(prefix, kind)
    return kind


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def ensure_prefix(prefix: Path) -> None:
    """Make a prefix where nothing or an environment of ours stands.

    Raises PrefixTaken, PrefixUnusable.
    """
    if check_prefix(prefix) == "environment":
        return
    try:
        (prefix / GENERATIONS).mkdir(parents=True, exist_ok=True)
        (prefix / ".gitignore").write_text("*\n", "utf-8")
    except OSError as error:
        raise unusable(prefix, error) from error


def unusable(prefix: Path, error: OSError) -> PrefixUnusable:
    """Say in words why a prefix could not be written."""
    import errno

    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return PrefixUnusable(prefix, "there is no space left", "free space or inodes there")
    return PrefixUnusable(prefix, error.strerror or str(error))


def current_generation(prefix: str | Path) -> Path:
    """Return the path of the generation that stands now. Raises NoEnvironment."""
    try:
        target = Path(prefix, CURRENT).readlink()
    except OSError:
        raise NoEnvironment(Path(prefix)) from None
    return Path(prefix, STATE, target)


def read_generation(generation: str | Path) -> dict[str, object]:
    """Read what ``generation.json`` says, undecoded. Raises NoEnvironment for a damaged one."""
    try:
        with open(os.path.join(generation, RECORD), "rb") as file:
            record = json.load(file)
    except (OSError, ValueError):
        record = None
    if not isinstance(record, dict):
        raise NoEnvironment(Path(generation))
    return record


def environments_under(root: Path) -> tuple[Path, ...]:
    """List the prefixes that stand directly in ``root``, sorted; none where it is absent."""
    try:
        names = sorted(os.listdir(root))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    return tuple(root / name for name in names if (root / name / CURRENT).is_symlink())


@contextmanager
def lock_prefix(prefix: Path, report: Reporter = silent) -> Iterator[None]:
    """Hold a prefix alone, made if it is absent; whoever comes second waits, and is told for whom.

    A prefix in which nothing was finished is removed again on leaving, so that a
    failed first ``create`` leaves nothing. Raises PrefixTaken, PrefixUnusable.
    """
    from filelock import FileLock

    state = prefix / STATE
    path = state / "lock"
    lock = FileLock(path)
    try:
        _acquire(lock, prefix, report)
        mine = path.stat().st_ino
    except OSError as error:
        raise unusable(prefix, error) from error
    _note_holder(state)
    try:
        yield
    finally:
        with suppress(OSError):
            if path.stat().st_ino == mine:
                (state / "holder").unlink(missing_ok=True)
                _forget_unfinished(prefix)
        lock.release()


def _acquire(lock: "BaseFileLock", prefix: Path, report: Reporter) -> None:
    from filelock import Timeout

    patience = 0.0
    while True:
        ensure_prefix(prefix)
        try:
            lock.acquire(timeout=patience)
        except FileNotFoundError:  # who held it has just removed the whole prefix
            continue
        except Timeout:
            if not patience:
                holder = _holder(prefix / STATE)
                report(Noted(f"waiting for {holder}, which is changing {prefix}"))
            patience = 1.0
        else:
            return


def _holder(state: Path) -> str:
    try:
        return f"process {int((state / 'holder').read_text('ascii'))}"
    except (OSError, ValueError):
        return "another envmgr"


def _note_holder(state: Path) -> None:
    with suppress(OSError):
        (state / "holder").write_text(str(os.getpid()), "ascii")


def _forget_unfinished(prefix: Path) -> None:
    """Remove what ``ensure_prefix`` made, if nothing else has been made there."""
    if (prefix / CURRENT).is_symlink():
        return
    (prefix / GENERATIONS).rmdir()
    for name in (f"{STATE}/environment.json", f"{STATE}/lock", ".gitignore"):
        (prefix / name).unlink(missing_ok=True)
    (prefix / STATE).rmdir()
    prefix.rmdir()


def delete_prefix(prefix: Path) -> None:
    """Remove an environment with everything in it; links are not followed.

    It is renamed aside first, so that nobody meets half an environment.
    Raises PrefixTaken for what is not ours, NoEnvironment, PrefixUnusable.
    """
    from envmgr.files import remove_tree

    kind = prefix_kind(prefix)
    if kind == "absent":
        raise NoEnvironment(prefix)
    if kind != "environment" or prefix.is_symlink():
        raise PrefixTaken(prefix, "directory" if kind == "environment" else kind)
    doomed = prefix.with_name(f".{prefix.name}.{os.getpid()}.deleted")
    try:
        prefix.rename(doomed)
    except OSError:
        doomed = prefix
    try:
        remove_tree(doomed)
    except OSError as error:
        raise unusable(doomed, error) from error
