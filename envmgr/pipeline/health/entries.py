"""Whether the store is whole, and what is left in it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from envmgr.errors import EnvmgrError
from envmgr.events import Reporter
from envmgr.link.prefix import GENERATIONS
from envmgr.locks import lock_trouble, may_be_running, read_holder
from envmgr.pipeline.health.complaints import Complaint, note, problem
from envmgr.pipeline.health.views import DELETED
from envmgr.store.entry import MANIFEST, Entry
from envmgr.store.leases import read_leases
from envmgr.store.roots import read_roots, standing_of
from envmgr.store.store import Store
from envmgr.store.verify import Checked, check_entries, check_entry

_REPAIR = "run `envmgr store repair`"
_ELSEWHERE = "put the store where nothing is purged: ENVMGR_HOME, or `root` in config.yaml"


def check_store_state(store: Store) -> Iterator[Complaint]:
    """Look at roots, leftovers and locks of the store that new entries go to."""
    try:
        roots = read_roots(store.path)
    except OSError as error:
        message = f"the roots of {store.path} cannot be read: {(error.strerror or '').lower()}"
        yield problem("store", store.path, message, "make them readable for you")
        roots = ()
    standings = {root.prefix: standing_of(root, GENERATIONS) for root in roots}
    gone = [str(prefix) for prefix, standing in standings.items() if standing == "gone"]
    if gone:
        yield note(
            "roots",
            store.path,
            "environments that the store knows of are gone: deleted, moved, or purged",
            "run `envmgr sync -p PREFIX` where one was moved; `envmgr store gc` forgets the others",
            *gone,
        )
    unseen = [str(prefix) for prefix, standing in standings.items() if standing == "unseen"]
    if unseen:
        yield note(
            "roots",
            store.path,
            "environments cannot be looked into from here; what they need stays for 30 days "
            "after their last use",
            None,
            *unseen,
        )
    leftovers = store.leftovers()
    if leftovers:
        yield note(
            "leftovers",
            store.path,
            f"killed processes left unfinished or half-removed entries ({leftovers}); the next "
            "command that adds one removes them",
        )
    yield from _check_locks(store.path / "locks")


def _check_locks(directory: Path) -> Iterator[Complaint]:
    locks = sorted(directory.glob("*.lock")) if directory.is_dir() else []
    if locks:
        trouble = lock_trouble(locks[0])
        if trouble is not None:
            yield note(
                "lock",
                directory,
                f"the file system of {directory} has no locks ({trouble}): two commands may do "
                "the same work at once, and nothing worse",
            )
    stale = [
        f"{path}.holder, of {holder}"
        for path in locks
        if (holder := read_holder(path)) is not None and not may_be_running(holder)
    ]
    if stale:
        yield note(
            "lock", directory, "killed processes left their names beside locks", None, *stale
        )


def check_files(entries: Iterable[Entry], store: Store, report: Reporter) -> Iterator[Complaint]:
    """Compare names, sizes and modes of all files of entries with their manifests."""
    busy = read_leases(store.path, remove=False)
    purged: dict[bool, list[str]] = {True: [], False: []}
    damaged: dict[bool, list[str]] = {True: [], False: []}
    for first in check_entries(entries, report, fast=True):
        if not first.findings or first.entry.key in busy or not first.entry.path.is_dir():
            continue
        checked = check_entry(first.entry, fast=True)  # it may have been worked on
        if not checked.findings:
            continue
        kinds = purged if _is_purged(checked) else damaged
        kinds[store.owns(checked.entry)].append(_described(checked))
    for own, lines in purged.items():
        if lines:
            yield problem(
                "purged",
                store.path,
                f"files of {_count(lines)} in {_which(own)} are gone: {DELETED}",
                f"{_REPAIR}; then {_ELSEWHERE}" if own else _owner(),
                *lines,
            )
    for own, lines in damaged.items():
        if lines:
            yield problem(
                "damaged",
                store.path,
                f"{_count(lines)} in {_which(own)} "
                f"{'is not as it was' if len(lines) == 1 else 'are not as they were'} made: "
                "a program changed that",
                f"{_REPAIR} (`envmgr store verify` shows what is wrong)" if own else _owner(),
                *lines,
            )


def _is_purged(checked: Checked) -> bool:
    if checked.manifest is None:
        return not (checked.entry.path / MANIFEST).exists()
    return any(finding.kind in {"missing", "facts"} for finding in checked.findings)


def _described(checked: Checked) -> str:
    manifest = checked.manifest
    if manifest is None:
        finding = checked.findings[0]
        return f"{checked.entry.path}: {finding.path or 'its manifest'} {finding.detail}"
    missing = sum(finding.kind == "missing" for finding in checked.findings)
    named = f"{manifest.name} {manifest.version} ({checked.entry.path})"
    if missing:
        return f"{named}: {missing} of {len(manifest.files)} files are gone"
    first, more = checked.findings[0], len(checked.findings) - 1
    rest = f", and {more} more" if more else ""
    return f"{named}: {first.path or 'the entry'} {first.detail}{rest}"


def _count(lines: list[str]) -> str:
    return "1 package" if len(lines) == 1 else f"{len(lines)} packages"


def _which(own: bool) -> str:
    return "the store" if own else "a site's store"


def _owner() -> str:
    return "tell the store's owner, who can run `envmgr store repair`"


def explain(error: EnvmgrError, check: str, subject: object) -> Complaint:
    """Make a problem of an error that kept something from being looked at."""
    return problem(check, subject, str(error), error.hint, *error.details())
