"""Where shared runtimes are not unified: told from the environment's interpreter."""

from envmgr.wheel.elf import ELF_MAGIC
from envmgr.wheel.manifest import ElfFacts

_MACH_O = {
    bytes.fromhex(text)
    for text in ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe", "cafebabf")
}


def not_unified(head: bytes, facts: ElfFacts | None) -> str | None:
    """Say why an environment's runtimes are left alone; ``None`` where they are unified.

    ``head`` is the beginning of its interpreter, ``facts`` what is told of it if it is an
    ELF file.
    """
    if head[:4] in _MACH_O:
        return "runtimes are not unified on macOS: every package loads the copies it brings along"
    musl = facts is not None and any(name.startswith("libc.musl-") for name in facts.needed)
    if musl or (facts is None and head[:4] == ELF_MAGIC):
        return "runtimes are not unified on musl: every package loads the copies it brings along"
    return None
