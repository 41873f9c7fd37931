"""What is kept of the symbols of libraries: found again, never wrong, never in the way."""

from pathlib import Path

from envmgr.pipeline.runtime_memory import MOST, RuntimeMemory, code_digest


def test_what_was_kept_is_found_by_another_process(tmp_path: Path) -> None:
    RuntimeMemory(tmp_path / "cache").keep("ab", b"content")
    assert RuntimeMemory(tmp_path / "cache").find("ab") == b"content"
    assert RuntimeMemory(tmp_path / "cache").find("cd") is None


def test_what_was_damaged_is_forgotten(tmp_path: Path) -> None:
    memory = RuntimeMemory(tmp_path)
    memory.keep("ab", b"content")
    (file,) = tmp_path.glob("runtimes-*/ab")
    for damaged in (file.read_bytes()[:-1], file.read_bytes() + b"x", b"", b"short"):
        file.write_bytes(damaged)
        assert memory.find("ab") is None


def test_other_code_asks_anew_and_leaves_nothing_of_the_old(tmp_path: Path) -> None:
    (tmp_path / "runtimes-of-other-code").mkdir()
    (tmp_path / "runtimes-of-other-code" / "ab").write_bytes(b"x")
    (tmp_path / "wheels").mkdir()
    RuntimeMemory(tmp_path).keep("ab", b"content")
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        f"runtimes-{code_digest()}",
        "wheels",
    ]


def test_the_oldest_make_room(tmp_path: Path) -> None:
    memory = RuntimeMemory(tmp_path)
    for number in range(MOST + 3):
        memory.keep(f"{number:04x}", b"x")
    there = {file.name for file in tmp_path.glob("runtimes-*/*")}
    assert len(there) == MOST
    assert f"{MOST + 2:04x}" in there


def test_a_cache_that_cannot_be_is_gone_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    memory = RuntimeMemory(tmp_path / "file")
    memory.keep("ab", b"content")
    assert memory.find("ab") is None
