"""A prefix: the real directory an environment lives in. Light: ``run`` needs nothing else.

::

    PREFIX/
      .envmgr/current -> generations/<id>      one rename of it switches everything
      .envmgr/generations/<id>/                bin lib share ... generation.json
      .envmgr/environment.json                 name and file
      .envmgr/pending                          a generation that is not switched to yet
      .envmgr/lock, lock.holder                one command at a time, and whose it is
      .envmgr/root -> STORE/v1/roots/<name>    by which the store knows of the prefix
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
from envmgr.link.root import ROOT

if TYPE_CHECKING:
    from envmgr.events import Reporter

STATE = ".envmgr"
GENERATIONS = f"{STATE}/generations"
CURRENT = f"{STATE}/current"
PENDING = f"{STATE}/pending"
RECORD = "generation.json"
CACHES = ".cache"
"""In a generation: what its programs cache, and nobody else may take (``numba``)."""

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


class EnvironmentsHidden(PrefixError):
    """The directory of the named environments may not be looked into; ``reason`` is one clause."""

    def __init__(self, root: Path, reason: str) -> None:
        super().__init__(root, reason)
        self.root = root
        self.reason = reason

    def __str__(self) -> str:
        return f"the environments in {self.root} cannot be listed: {self.reason}"


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


class NameTaken(PrefixTaken):
    """Something of the user stands where an environment needs a link: ``PREFIX/share``."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "directory" if path.is_dir() else "file")

    def __str__(self) -> str:
        return f"{self.prefix} is in the way: the environment needs that name for a link"

    @property
    def hint(self) -> str:
        """It is not ours to move."""
        return "move it away, or choose another prefix with -p"


class DamagedEnvironment(PrefixError):
    """An environment of ours of which a part is gone; ``damage`` is one clause.

    ``file`` is what it was made from, where that is known; ``selection`` is how
    the command line names it, ``-n NAME`` or ``-p PREFIX``.
    """

    def __init__(
        self, prefix: Path, damage: str, file: Path | None, selection: str | None = None
    ) -> None:
        super().__init__(prefix, damage, file, selection)
        self.prefix = prefix
        self.damage = damage
        self.file = file
        self._selection = selection

    def __str__(self) -> str:
        return f"the environment at {self.prefix} is damaged: {self.damage}"

    @property
    def hint(self) -> str:
        """Generations are cheap: make another one."""
        from shlex import quote

        file = quote(str(self.file)) if self.file else "FILE"
        selection = self._selection or f"-p {quote(str(self.prefix))}"
        return (
            f"rebuild it with `envmgr create -f {file} {selection}`, "
            f"or remove it with `envmgr delete {selection}`"
        )


def prefix_kind(prefix: str | Path) -> PrefixKind:
    """Tell what stands at a path. Raises PrefixUnusable where there can be nothing."""
    try:
        names = set(os.listdir(prefix))
    except FileNotFoundError:
        return "file" if Path(prefix).is_symlink() else "absent"
    except NotADirectoryError:
        return "file"
    except PermissionError:
        return "directory"
    except OSError as error:  # a name that is too long, a link to itself
        raise unusable(Path(prefix), error) from error
    if STATE in names and os.path.isdir(os.path.join(prefix, GENERATIONS)):  # noqa: PTH112
        return "environment"
    if all(name in (STATE, ".gitignore") or _is_left_over(prefix, name) for name in names):
        return "empty"
    if "conda-meta" in names:
        return "conda"
    return "venv" if "pyvenv.cfg" in names else "directory"


def _is_left_over(prefix: str | Path, name: str) -> bool:
    """Whether a name is a link of ours whose generation something else deleted."""
    path = os.path.join(prefix, name)
    try:
        return os.readlink(path) == f"{CURRENT}/{name}" and not os.path.exists(path)  # noqa: PTH110, PTH115
    except OSError:
        return False


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
        with suppress(OSError):
            _forget_unfinished(prefix)
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
    """Read what ``generation.json`` says, undecoded. Raises DamagedEnvironment."""
    try:
        with open(os.path.join(generation, RECORD), "rb") as file:
            record = json.load(file)
    except (OSError, ValueError):
        record = None
    if not isinstance(record, dict):
        path = Path(generation)
        prefix = path.parents[2]
        raise DamagedEnvironment(prefix, damage_of(path), read_identity(prefix)[1])
    return record


def damage_of(generation: Path) -> str:
    """Say of a current generation without a readable record what is wrong with it."""
    what = f"generation {generation.name}"
    return f"{RECORD} of {what} cannot be read" if generation.is_dir() else f"{what} is gone"


def read_identity(prefix: Path) -> tuple[str | None, Path | None]:
    """Read which environment lives at a prefix: its name and file, where they can be told."""
    try:
        facts = json.loads((prefix / STATE / "environment.json").read_bytes())
    except (OSError, ValueError):
        return None, None
    if not isinstance(facts, dict):
        return None, None
    name, file = facts.get("name"), facts.get("file")
    return (
        name if isinstance(name, str) else None,
        Path(file) if isinstance(file, str) else None,
    )


def pending_generation(prefix: Path) -> str | None:
    """Name the generation that was written and never switched to: one under way, or of the dead."""
    try:
        name = (prefix / PENDING).read_text("utf-8")
        return None if current_generation(prefix).name == name else name
    except (OSError, ValueError):
        return None
    except NoEnvironment:
        return name


def has_generation(prefix: Path) -> bool:
    """Whether any generation was ever current at a prefix, as far as that can be told."""
    try:
        names = set(os.listdir(prefix / GENERATIONS)) - {pending_generation(prefix)}
    except OSError:
        return False
    return any(
        os.path.isfile(os.path.join(prefix, GENERATIONS, name, RECORD))  # noqa: PTH113 - closed: no
        for name in names
    )


def environments_under(root: Path) -> tuple[Path, ...]:
    """List the prefixes that stand directly in ``root``, sorted; none where it is absent.

    Damaged environments are among them, those that were never finished are not, nor is
    what is left of deleted ones. One that may not be looked into is left out. Raises
    EnvironmentsHidden.
    """
    try:
        names = sorted(os.listdir(os.path.join(root, ".")))
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except OSError as error:
        raise EnvironmentsHidden(root, (error.strerror or str(error)).lower()) from error
    prefixes = (root / name for name in names if not name.startswith("."))
    return tuple(
        prefix
        for prefix in prefixes
        if os.path.islink(prefix / CURRENT)  # noqa: PTH114 - closed: no
        or has_generation(prefix)
    )


@contextmanager
def lock_prefix(prefix: Path, report: "Reporter | None" = None) -> Iterator[None]:
    """Hold a prefix alone, made if it is absent; whoever comes second waits, and is told for whom.

    A prefix in which nothing was finished is removed again on leaving, so that a
    failed first ``create`` leaves nothing. Raises PrefixTaken, PrefixUnusable.
    """
    from envmgr.events import silent
    from envmgr.locks import PoliteLock, holder_path

    lock = PoliteLock(prefix / STATE / "lock")
    try:
        lock.acquire(f"changing {prefix}", report or silent, lambda: ensure_prefix(prefix))
    except OSError as error:
        raise unusable(prefix, error) from error
    try:
        yield
    finally:
        with suppress(OSError):
            if lock.stands():
                holder_path(lock.path).unlink(missing_ok=True)
                _forget_unfinished(prefix)
        lock.release()


def _forget_unfinished(prefix: Path) -> None:
    """Remove what ``ensure_prefix`` made, if nothing else has been made there."""
    if (prefix / CURRENT).is_symlink():
        return
    with suppress(FileNotFoundError):
        (prefix / GENERATIONS).rmdir()
    for name in (f"{STATE}/environment.json", PENDING, f"{STATE}/lock", ROOT, ".gitignore"):
        (prefix / name).unlink(missing_ok=True)
    (prefix / STATE).rmdir()
    prefix.rmdir()


def delete_prefix(prefix: Path) -> None:
    """Remove an environment with everything in it; links are not followed.

    It is renamed aside first, so that nobody meets half an environment; what a killed
    process leaves of it is swept like what is staged in a store.
    Raises PrefixTaken for what is not ours, NoEnvironment, PrefixUnusable.
    """
    from envmgr.files import remove_tree
    from envmgr.store.staging import staging_name

    kind = prefix_kind(prefix)
    if kind == "absent":
        raise NoEnvironment(prefix)
    if kind != "environment" or prefix.is_symlink():
        raise PrefixTaken(prefix, "directory" if kind == "environment" else kind)
    doomed = prefix.with_name(f"{staging_name()}.{prefix.name}")
    try:
        prefix.rename(doomed)
    except OSError:
        doomed = prefix
    try:
        remove_tree(doomed)
    except OSError as error:
        raise unusable(doomed, error) from error
