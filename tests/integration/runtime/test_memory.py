"""What is kept of the symbols of libraries: found again, never wrong, never in the way."""

from pathlib import Path

import pytest

from envmgr.index.trim import read_cached
from envmgr.pipeline import runtime_memory
from envmgr.pipeline.runtime_memory import RuntimeMemory


def test_what_was_kept_is_found_by_another_process(tmp_path: Path) -> None:
    RuntimeMemory(tmp_path / "cache").keep("ab", b"content")
    assert RuntimeMemory(tmp_path / "cache").find("ab") == b"content"
    assert RuntimeMemory(tmp_path / "cache").find("cd") is None


def test_what_was_damaged_is_forgotten(tmp_path: Path) -> None:
    memory = RuntimeMemory(tmp_path)
    memory.keep("ab", b"content")
    (file,) = tmp_path.glob("runtimes/*")
    for damaged in (file.read_bytes()[:-1], file.read_bytes() + b"x", b"", b"short"):
        file.write_bytes(damaged)
        assert memory.find("ab") is None


def test_other_code_asks_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = RuntimeMemory(tmp_path)
    memory.keep("ab", b"content")
    monkeypatch.setattr(runtime_memory, "code_digest", lambda: "of other code")
    assert memory.find("ab") is None


def test_a_cache_that_cannot_be_is_gone_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    memory = RuntimeMemory(tmp_path / "file")
    memory.keep("ab", b"content")
    assert memory.find("ab") is None


def test_it_is_trimmed_with_the_other_caches(tmp_path: Path) -> None:
    RuntimeMemory(tmp_path).keep("ab", b"content")
    assert [each.kind for each in read_cached(tmp_path)] == ["runtimes"]
