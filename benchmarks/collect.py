"""``store gc`` and many environments: how long it takes to learn that nearly all is needed.

    python -m benchmarks.collect DIRECTORY

Writes 100 environments of 5 generations and 147 packages each below DIRECTORY,
and 2,000 small entries of which 100 are unused; then collects twice.
"""

import argparse
from pathlib import Path
from time import perf_counter

import msgspec

from envmgr.events import silent
from envmgr.link.generation import GenerationRecord, PackageRecord
from envmgr.link.prefix import GENERATIONS
from envmgr.names import EnvironmentName, GenerationId, PackageName, StoreKey
from envmgr.pipeline.upkeep import collect_store
from envmgr.spec.settings import load_settings
from envmgr.store.entry import WHEEL_NAME
from envmgr.store.roots import register_root

ENVIRONMENTS, KEPT, PACKAGES, ENTRIES, UNUSED = 100, 5, 147, 2000, 100
KEYS = [StoreKey(f"{number:064x}") for number in range(ENTRIES)]


def main(directory: Path) -> None:
    """Make the environments, collect twice, and print how long each time took."""
    for key in KEYS:
        entry = directory / "store/v1/entries" / key
        (entry / "site-packages").mkdir(parents=True)
        (entry / WHEEL_NAME).write_text("package-1.0-py3-none-any.whl\n", "utf-8")
    for number in range(ENVIRONMENTS):
        make_environment(directory, number)
    settings = load_settings({"ENVMGR_HOME": str(directory)}, directory)
    for _ in range(2):
        began = perf_counter()
        collected = collect_store(settings, silent, age=0.0)
        seconds = perf_counter() - began
        print(f"{len(collected.entries)} removed, {collected.needed} needed: {seconds:.2f} s")


def make_environment(directory: Path, number: int) -> None:
    """Write what a collection reads of an environment."""
    prefix = directory / f"environments/e{number}"
    for generation in range(KEPT):
        first = (number * 17 + generation) % (ENTRIES - UNUSED)
        keys = [KEYS[(first + 3 * each) % (ENTRIES - UNUSED)] for each in range(PACKAGES)]
        record = record_of(number, GenerationId(f"{generation:015x}"), keys)
        path = prefix / GENERATIONS / record.id
        path.mkdir(parents=True)
        (path / "generation.json").write_bytes(msgspec.json.format(msgspec.json.encode(record)))
        register_root(directory / "store/v1", prefix, keys)


def record_of(number: int, generation: GenerationId, keys: list[StoreKey]) -> GenerationRecord:
    """Return the record of a generation with these entries."""
    return GenerationRecord(
        id=generation,
        created="2026-11-24T00:00:00+00:00",
        name=EnvironmentName(f"e{number}"),
        environment_file="/environment.yaml",
        lock_sha256="",
        resolution_digest="",
        view_digest="",
        activation_digest="",
        groups=(),
        packages=tuple(
            PackageRecord(PackageName(f"package-{position}"), "1.0", key)
            for position, key in enumerate(keys)
        ),
        python="/usr/bin/python3",
        python_version="3.12.1",
        variables={},
        compiled=True,
        entries=1000,
        envmgr_version="0",
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.collect", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="DIRECTORY", help="where to work")
    main(parser.parse_args().directory.absolute())
