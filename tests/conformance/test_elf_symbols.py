"""Our reader of dynamic symbols against pyelftools."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection, GNUVerSymSection
from elftools.elf.sections import SymbolTableSection

from envmgr.wheel.elf import ELF_MAGIC
from envmgr.wheel.symbols import Export, Import, Symbols, read_symbols

KINDS = {
    "STT_NOTYPE": "untyped", "STT_OBJECT": "object", "STT_FUNC": "function",
    "STT_COMMON": "common", "STT_TLS": "thread", "STT_LOOS": "indirect",
    "STT_GNU_IFUNC": "indirect",
}  # fmt: skip


def _expected(path: Path) -> Symbols | None:
    """What pyelftools says by the section headers, which we do not read."""
    with path.open("rb") as file:
        elf = ELFFile(file)
        table = elf.get_section_by_name(".dynsym")
        if not isinstance(table, SymbolTableSection):
            return None
        names: dict[int, tuple[str, str | None]] = {}
        indices = None
        for section in elf.iter_sections():
            if isinstance(section, GNUVerSymSection):
                indices = [symbol.entry["ndx"] for symbol in section.iter_symbols()]
            elif isinstance(section, GNUVerNeedSection):
                for library, wanted in section.iter_versions():
                    names.update((v["vna_other"], (v.name, str(library.name))) for v in wanted)
            elif isinstance(section, GNUVerDefSection):
                for definition, texts in section.iter_versions():
                    if not definition["vd_flags"] & 1:
                        names[definition["vd_ndx"]] = (next(iter(texts)).name, None)
        exports: list[Export] = []
        imports: list[Import] = []
        for number, symbol in enumerate(table.iter_symbols()):
            index = indices[number] if indices else 1
            index = index if isinstance(index, int) else 1
            version, file_name = names.get(index & 0x7FFF, (None, None))
            binding, kind = symbol["st_info"]["bind"], symbol["st_info"]["type"]
            if binding == "STB_LOCAL" or not symbol.name:
                continue
            if symbol["st_shndx"] == "SHN_UNDEF":
                imports.append(Import(symbol.name, version, file_name, binding == "STB_WEAK"))
            elif symbol["st_other"]["visibility"] in {"STV_DEFAULT", "STV_PROTECTED"} and not (
                symbol["st_shndx"] == "SHN_ABS" and symbol.name == version
            ):
                default = not index & 0x8000
                exports.append(Export(symbol.name, KINDS[kind], version, default))  # type: ignore[arg-type]
        return Symbols(tuple(exports), tuple(imports))


def _elf_files(root: Path) -> list[Path]:
    paths = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    return [path for path in paths if _magic(path) == ELF_MAGIC]


def _magic(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def test_the_libraries_of_this_interpreter_have_the_symbols_pyelftools_finds() -> None:
    modules = Path(sysconfig.get_path("platstdlib", vars={"base": sys.base_prefix}))
    installed = Path(sysconfig.get_path("platlib"))
    with Path("/proc/self/maps").open() as maps:
        mapped = {line.split()[-1] for line in maps if "/libc.so" in line or "/libm.so" in line}
    paths = [
        *_elf_files(modules / "lib-dynload"), *_elf_files(installed / "msgspec"),
        *_elf_files(installed / "isal"), *_elf_files(installed / "yaml"),
        *map(Path, sorted(mapped)),
    ]  # fmt: skip
    found = 0
    for path in paths:
        symbols = read_symbols(path)
        assert symbols == _expected(path), path
        found += symbols is not None
    assert mapped
    assert found > 4


@pytest.mark.slow
@pytest.mark.parametrize(
    "distribution", ["numpy", "scipy", "scikit-learn", "faiss-cpu", "pyarrow", "scs", "torch"]
)
def test_the_libraries_of_a_wheel_have_the_symbols_pyelftools_finds(
    tmp_path: Path, distribution: str
) -> None:
    subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:",
         "--dest", tmp_path, distribution],
        check=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    paths = _elf_files(tmp_path / "unpacked")
    assert paths
    for path in paths:
        assert read_symbols(path) == _expected(path), path
