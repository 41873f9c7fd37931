"""Our ELF reader against pyelftools, on the libraries that are here and on some from PyPI."""

import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSegment, DynamicTag
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection
from msgspec.structs import replace

from envmgr.events import silent
from envmgr.files import remove_tree
from envmgr.index.fetch import fetch_wheels
from envmgr.index.types import Download
from envmgr.lock.locations import downloads
from envmgr.lock.lockfile import read_lock
from envmgr.lock.types import Lock
from envmgr.pipeline.lock import lock
from envmgr.pipeline.types import LockRequest
from envmgr.spec.environment import read_environment
from envmgr.spec.settings import choose_indexes, load_settings
from envmgr.store.entry import read_manifest
from envmgr.store.store import open_store
from envmgr.wheel.elf import ELF_MAGIC, parse_elf
from envmgr.wheel.manifest import ElfFacts
from tests.integration.popular import POPULAR, TORCH, Popular, environment_file
from tests.support.elves import Elf

MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "aarch64", "EM_386": "i686", "EM_S390": "s390x"}


def _elf_files(*roots: Path) -> Iterator[Path]:
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.is_symlink() and path.stat().st_size > 64:
                with path.open("rb") as file:
                    if file.read(4) == ELF_MAGIC:
                        yield path


def _expected(path: Path) -> ElfFacts | None:
    """What pyelftools says; its version tables need section headers."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        dynamic = next((s for s in elf.iter_segments() if isinstance(s, DynamicSegment)), None)
        if dynamic is None:
            return None
        tags = list(dynamic.iter_tags())
        soname = _named(tags, "DT_SONAME", "soname")
        wanted: dict[str, tuple[str, ...]] = {}
        defined: list[str] = []
        for section in elf.iter_sections():
            if isinstance(section, GNUVerNeedSection):
                for need, versions in section.iter_versions():
                    wanted[str(need.name)] = tuple(version.name for version in versions)
            elif isinstance(section, GNUVerDefSection):
                for definition, names in section.iter_versions():
                    if not definition["vd_flags"] & 1:
                        defined.append(next(iter(names)).name)
        return ElfFacts(
            str(path),
            MACHINES.get(elf["e_machine"], elf["e_machine"]),
            elf.elfclass,
            soname[0] if soname else None,
            tuple(_named(tags, "DT_NEEDED", "needed")),
            _paths(_named(tags, "DT_RPATH", "rpath")),
            _paths(_named(tags, "DT_RUNPATH", "runpath")),
            wanted,
            tuple(defined),
        )


def _named(tags: list[DynamicTag], kind: str, attribute: str) -> list[str]:
    return [getattr(tag, attribute) for tag in tags if tag.entry.d_tag == kind]


def _paths(written: list[str]) -> tuple[str, ...]:
    return tuple(part for text in written for part in text.split(":") if part)


def _check(paths: list[Path]) -> list[ElfFacts]:
    found = []
    for path in paths:
        facts = parse_elf(path.read_bytes(), str(path))
        assert facts == _expected(path)
        if facts is not None:
            found.append(facts)
    return found


def test_the_libraries_of_this_interpreter_have_the_facts_pyelftools_finds() -> None:
    installed = Path(sysconfig.get_path("platlib"))
    modules = Path(sysconfig.get_path("platstdlib", vars={"base": sys.base_prefix}))
    paths = [
        *_elf_files(installed / "msgspec", installed / "isal", installed / "yaml"),
        *_elf_files(modules / "lib-dynload"),
        Path(sys.executable).resolve(),
    ]
    found = _check(paths)
    assert any("msgspec" in facts.path for facts in found)
    assert any(facts.needed_versions for facts in found)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("little", [True, False])
@pytest.mark.parametrize("dynamic", [True, False])
def test_libraries_written_byte_by_byte_have_the_facts_pyelftools_finds(
    tmp_path: Path, bits: int, little: bool, dynamic: bool
) -> None:
    path = tmp_path / "x.so"
    path.write_bytes(
        bytes(
            Elf(
                bits=bits,
                little=little,
                machine=3,
                soname="libx.so",
                needed=["liby.so", "libc.so.6"],
                rpath="/a:$ORIGIN/b",
                runpath="$ORIGIN",
                dynamic=dynamic,
            )
        )
    )
    assert parse_elf(path.read_bytes(), str(path)) == _expected(path)


@pytest.fixture(scope="module")
def checked() -> set[str]:
    """The wheels that were looked at already, by sha256: most packages need numpy."""
    return set()


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.mark.slow
@pytest.mark.parametrize("package", [*POPULAR, TORCH], ids=lambda package: package.name)
def test_the_compiled_wheels_of_a_popular_package_have_the_facts_pyelftools_finds(
    tmp_path: Path, cache: Path, checked: set[str], package: Popular
) -> None:
    """One wheel at a time is here: all of them together would be several gigabytes."""
    wheels = _compiled_wheels(package, tmp_path, cache)
    assert wheels
    for wheel in wheels:
        if wheel.sha256 not in checked:
            _check_wheel(wheel, tmp_path)
            checked.add(wheel.sha256)


def _compiled_wheels(package: Popular, directory: Path, cache: Path) -> list[Download]:
    """Lock a package and name everything in the lock that is for this platform alone."""
    file = directory / "environment.yaml"
    file.write_text(environment_file(package), "utf-8")
    environ = {**os.environ, "ENVMGR_HOME": str(directory), "ENVMGR_CACHE": str(cache)}
    settings = load_settings(environ, directory)
    path = lock(LockRequest(file=file), settings, environ, silent).path
    locked = read_lock(path)
    assert isinstance(locked, Lock)
    indexes = choose_indexes(read_environment(file, {}).indexes, settings).indexes
    wheels = downloads(locked.packages, str(path.parent), indexes)
    return [wheel for wheel in wheels if not wheel.filename.endswith("-any.whl")]


def _check_wheel(wheel: Download, directory: Path) -> None:
    fetched = fetch_wheels(
        [wheel],
        directory / "wheels",
        environ=os.environ,
        offline=False,
        cache=directory / "nothing",
    )[wheel.sha256]
    entry = open_store((directory / "store",)).add_wheel(fetched, wheel.filename, wheel.sha256)
    manifest = read_manifest(entry)

    expected = {
        str(path.relative_to(entry.path)): _expected(path) for path in _elf_files(entry.path)
    }
    found = {
        facts.path: replace(facts, path=str(entry.path / facts.path)) for facts in manifest.elf
    }
    assert found == {path: facts for path, facts in expected.items() if facts is not None}
    assert found, f"{wheel.filename} is for this platform and has no library"
    remove_tree(directory / "store")
    remove_tree(directory / "wheels")
