"""What a composed entry says it is made of, and what of that is believed."""

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from envmgr.store.composed import Composition, write_composed
from envmgr.store.entry import Entry
from envmgr.store.recompose import NotRecomposed, remains_of

SITE = "site-packages"
FILE = f"{SITE}/a.libs/libx.so"
WRITTEN = b"written by envmgr"


def composition(**rest: object) -> Composition:
    facts: dict[str, object] = {
        "package": "a 1.0",
        "directories": (SITE, f"{SITE}/a.libs"),
        "names": {},
        "links": {f"{SITE}/a": "/store/v1/entries/a/site-packages/a"},
        "files": {FILE: hashlib.sha256(WRITTEN).hexdigest()},
        **rest,
    }
    return Composition(**facts)  # type: ignore[arg-type]


def made(directory: Path, told: Composition, write: Composition | None = None) -> Entry:
    """A composed entry that says ``told``, and holds what ``write`` says."""
    root = directory / told.key
    root.mkdir()
    write_composed(write or told, {FILE: WRITTEN}, str(root))
    if write is not None:
        file = root / "composition.json"
        root.chmod(0o755)
        file.chmod(0o644)
        file.write_bytes(msgspec.json.encode(told, order="sorted"))
    return Entry(told.key, root)


def test_what_is_there_is_told_with_what_envmgr_wrote(tmp_path: Path) -> None:
    told = composition()
    assert remains_of(made(tmp_path, told)) == (told, {FILE: WRITTEN})


def test_a_written_file_that_is_gone_or_changed_is_not_told(tmp_path: Path) -> None:
    entry = made(tmp_path, composition())
    (entry.path / FILE).chmod(0o644)
    (entry.path / FILE).write_bytes(b"other")
    with pytest.raises(NotRecomposed, match="was changed"):
        remains_of(entry)
    (entry.path / FILE).parent.chmod(0o755)
    (entry.path / FILE).unlink()
    with pytest.raises(NotRecomposed, match="cannot be read"):
        remains_of(entry)
    os.mkfifo(entry.path / FILE)  # nobody writes to it
    with pytest.raises(NotRecomposed, match="cannot be read"):
        remains_of(entry)


def test_one_that_is_not_what_its_key_says_tells_nothing(tmp_path: Path) -> None:
    entry = made(tmp_path, composition())
    with pytest.raises(NotRecomposed, match="cannot tell"):
        remains_of(Entry(composition(package="b 1.0").key, entry.path))


EVIL: dict[str, dict[str, object]] = {
    "a link above": {"links": {f"{SITE}/../../evil": "/x"}},
    "a name above": {"names": {"../evil": "/etc/passwd"}},
    "a file at a root": {"files": {"/evil": "0"}},
    "a directory above": {"directories": (SITE, f"{SITE}/a.libs", "../evil")},
    "no part of an entry": {"links": {"composition.json": "/x"}},
    "below a link": {"links": {f"{SITE}/a": "/x", f"{SITE}/a/evil": "/y"}},
}


@pytest.mark.parametrize("evil", EVIL)
def test_paths_that_lead_out_of_an_entry_are_refused(tmp_path: Path, evil: str) -> None:
    entry = made(tmp_path, composition(**EVIL[evil]), composition())
    with pytest.raises(NotRecomposed, match="its composition has"):
        remains_of(entry)
