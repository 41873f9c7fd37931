"""CPU features and micro-architecture levels, from what Linux tells about the first processor."""

_ALIASES = {"pni": "sse3", "abm": "lzcnt"}
"""Linux's name of a feature to the one the x86-64 psABI and archspec use."""

_LEVELS = (
    (
        "x86_64_v4",
        frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
    ),
    (
        "x86_64_v3",
        frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "lzcnt", "movbe"}),
    ),
    (
        "x86_64_v2",
        frozenset({"cx16", "lahf_lm", "popcnt", "sse3", "ssse3", "sse4_1", "sse4_2"}),
    ),
)
"""Highest first; each with what it adds to the next (x86-64 psABI, "Micro-Architecture Levels")."""


def wheel_architecture(machine: str) -> str:
    """Spell ``uname -m`` as wheel tags do: any 32-bit x86 is ``i686``."""
    return "i686" if machine in {"i386", "i486", "i586"} else machine


def parse_cpu_features(cpuinfo: bytes) -> frozenset[str]:
    """Read the first processor's features out of the beginning of ``/proc/cpuinfo``.

    The line is called ``flags`` on x86, ``Features`` on Arm and IBM Z. Empty where
    there is none. The kernel lists AVX and AVX-512 only if it saves their registers.
    """
    for line in cpuinfo.decode("ascii", "replace").splitlines():
        key, colon, value = line.partition(":")
        if colon and key.strip().lower() in {"flags", "features"}:
            return frozenset(_ALIASES.get(flag, flag) for flag in value.split())
    return frozenset()


def x86_64_level(features: frozenset[str]) -> str:
    """Name the highest level whose features, and those of all levels below it, are all there."""
    for place, (name, _) in enumerate(_LEVELS):
        if all(wanted <= features for _, wanted in _LEVELS[place:]):
            return name
    return "x86_64"
