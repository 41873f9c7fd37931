"""Stores filled with wheels made on the spot, and views of them that real programs run in."""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from envmgr.events import Reporter, silent
from envmgr.hardware.host import RealHost
from envmgr.link.entries import read_laid_entries
from envmgr.link.execution import without_absent_bytecode
from envmgr.link.generation import (
    GenerationRecord,
    generation_path,
    new_generation_id,
    switch_generation,
    write_generation,
)
from envmgr.link.layout import Layout, LayoutInputs, layout
from envmgr.link.prefix import ensure_prefix
from envmgr.names import EnvironmentName, GenerationId, PackageName
from envmgr.spec.views import LinkWay
from envmgr.store.entry import Entry
from envmgr.store.store import Store
from envmgr.target.probe import probe_interpreter
from envmgr.target.types import Interpreter
from tests.support.wheels import Wheel


@cache
def this_interpreter() -> Interpreter:
    """The interpreter below the one that runs the tests."""
    return probe_interpreter(sys.executable, RealHost({}), None)


def add(store: Store, wheel: Wheel, shelf: Path) -> Entry:
    """Unpack a wheel into a store, by way of a file in ``shelf``."""
    shelf.mkdir(parents=True, exist_ok=True)
    return store.add_wheel(wheel.write_to(shelf), wheel.filename, wheel.sha256)


def lay_out(
    prefix: Path,
    generation: GenerationId,
    entries: Iterable[Entry],
    *,
    interpreter: Interpreter | None = None,
    variables: Mapping[str, str] | None = None,
    requested: frozenset[PackageName] = frozenset(),
    direct_urls: Mapping[PackageName, str] | None = None,
    compiled: bool = False,
    way: LinkWay = LinkWay.FOLD,
) -> Layout:
    """Decide the view of some entries for a prefix."""
    return layout(
        LayoutInputs(
            interpreter=interpreter or this_interpreter(),
            entries=read_laid_entries(entries, requested, direct_urls, lambda name, version: way),
            name=EnvironmentName("trial"),
            generation=str(generation_path(prefix, generation)),
            variables=variables or {},
            compiled=compiled,
        )
    )


def record_of(
    generation: GenerationId, layout: Layout, interpreter: Interpreter
) -> GenerationRecord:
    """A record with nothing in it that a lock or a file would give."""
    return GenerationRecord(
        id=generation,
        created="2026-11-24T00:00:00+00:00",
        name=EnvironmentName("trial"),
        environment_file="/nowhere/environment.yaml",
        lock_sha256="",
        resolution_digest="",
        view_digest="",
        activation_digest="",
        groups=(),
        packages=(),
        python=interpreter.executable,
        python_version=interpreter.version_text,
        variables={},
        compiled=False,
        entries=layout.entries,
        envmgr_version="0",
    )


def make_view(
    prefix: Path,
    entries: Iterable[Entry],
    *,
    interpreter: Interpreter | None = None,
    variables: Mapping[str, str] | None = None,
    requested: frozenset[PackageName] = frozenset(),
    direct_urls: Mapping[PackageName, str] | None = None,
    compiled: bool = False,
    way: LinkWay = LinkWay.FOLD,
    report: Reporter = silent,
) -> GenerationId:
    """Make a generation of some entries, all linked in one way, and switch to it."""
    ensure_prefix(prefix)
    generation = new_generation_id(datetime.now(UTC))
    view = lay_out(
        prefix,
        generation,
        entries,
        interpreter=interpreter,
        variables=variables,
        requested=requested,
        direct_urls=direct_urls,
        compiled=compiled,
        way=way,
    )
    view = without_absent_bytecode(view)
    record = record_of(generation, view, interpreter or this_interpreter())
    write_generation(prefix, view, record, report)
    switch_generation(prefix, generation)
    return generation


def run(program: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
    """Run a program of a view and return what it says; its failure fails the test."""
    done = subprocess.run(
        [program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=os.sep,
        env={"PATH": os.defpath, **(environ or {})},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout.strip()
