"""The tags that fit an interpreter, made from the Interpreter value alone (PEP 425).

Order and contents are those of the reference implementation: most specific
first, and per tag every platform from the newest system library to the oldest.
"""

from collections.abc import Iterator

from envmgr.target.types import Glibc, Interpreter, MacOS, Musl

MANYLINUX_ARCHITECTURES = frozenset(
    {
        "x86_64",
        "i686",
        "aarch64",
        "armv7l",
        "ppc64",
        "ppc64le",
        "s390x",
        "loongarch64",
        "riscv64",
    }
)
"""Those manylinux is defined for (PEP 513, 599, 600 and the tool authors' later agreements)."""

_OLDEST_GLIBC_MINOR = {"x86_64": 5, "i686": 5}
_OLDEST_GLIBC_MINOR_ELSEWHERE = 17
"""PEP 600: manylinux1 reaches back to glibc 2.5 on x86, the others begin with manylinux2014."""

_LEGACY = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}
"""PEP 600, "Legacy manylinux tags"."""

_AS_32_BIT = {"x86_64": "i686", "aarch64": "armv8l"}
"""What a 32-bit interpreter is under a 64-bit kernel."""

_OLDEST_ABI3_MINOR = 2
"""The stable ABI begins with Python 3.2 (PEP 384)."""
_OLDEST_INTEL_MACOS_10 = 4
"""macOS 10.4, the first with Intel processors."""
_NEWEST_MACOS_10 = 16
"""macOS 11 also answers to 10.16."""


def compatible_tags(interpreter: Interpreter) -> tuple[str, ...]:
    """List every tag that fits, most preferred first, each once: ``cp312-abi3-linux_x86_64``.

    About 1,000 tags, in well under a millisecond.
    """
    platforms = fitting_platforms(interpreter)
    specific = _cpython_tags if interpreter.implementation == "cpython" else _pypy_tags
    return (*specific(interpreter, platforms), *_pure_tags(interpreter, platforms))


def fitting_platforms(interpreter: Interpreter) -> tuple[str, ...]:
    """List the platforms whose binaries run, most preferred first."""
    if interpreter.markers["sys_platform"] == "darwin":
        machine = interpreter.markers["platform_machine"]
        if not isinstance(interpreter.libc, MacOS):
            return (_normalized(interpreter.platform),)
        version = (interpreter.libc.major, interpreter.libc.minor)
        return tuple(_macos_platforms(version, _macos_architecture(machine, interpreter)))
    return tuple(_linux_platforms(interpreter))


def architectures(platform: str, pointer_bits: int) -> tuple[str, ...]:
    """Give the architectures a Linux interpreter can load, its own first.

    ``platform`` is ``sysconfig.get_platform()``, which names the kernel's
    architecture even in a 32-bit interpreter.
    """
    architecture = _normalized(platform).removeprefix("linux_")
    if pointer_bits == 32:
        architecture = _AS_32_BIT.get(architecture, architecture)
    return ("armv8l", "armv7l") if architecture == "armv8l" else (architecture,)


def _cpython_tags(interpreter: Interpreter, platforms: tuple[str, ...]) -> Iterator[str]:
    """PEP 425, 384; PEP 703 and 803: a free-threaded build has ``abi3t`` and never ``abi3``."""
    minor = interpreter.version[1]
    name = f"cp3{minor}"
    for abi in _cpython_abis(interpreter):
        yield from [f"{name}-{abi}-{platform}" for platform in platforms]
    stable = "abi3t" if interpreter.free_threaded else "abi3"
    yield from [f"{name}-{stable}-{platform}" for platform in platforms]
    yield from [f"{name}-none-{platform}" for platform in platforms]
    for older in range(minor - 1, _OLDEST_ABI3_MINOR - 1, -1):
        yield from [f"cp3{older}-{stable}-{platform}" for platform in platforms]


def _cpython_abis(interpreter: Interpreter) -> tuple[str, ...]:
    """Name the ABI; since 3.8 a debug build also loads what is built for release."""
    plain = f"cp3{interpreter.version[1]}{'t' if interpreter.free_threaded else ''}"
    return (f"{plain}d", plain) if interpreter.debug else (plain,)


def _pypy_tags(interpreter: Interpreter, platforms: tuple[str, ...]) -> Iterator[str]:
    """``pp310-pypy310_pp73-*``; the ABI is the first two parts of ``SOABI``."""
    name = f"pp3{interpreter.version[1]}"
    if interpreter.soabi:
        abi = _normalized("-".join(interpreter.soabi.split("-")[:2]))
        yield from [f"{name}-{abi}-{platform}" for platform in platforms]
    yield from [f"{name}-none-{platform}" for platform in platforms]


def _pure_tags(interpreter: Interpreter, platforms: tuple[str, ...]) -> Iterator[str]:
    """List what needs no ABI: ``py312``, ``py3``, then every older ``py3x``."""
    minor = interpreter.version[1]
    pythons = (f"py3{minor}", "py3", *[f"py3{older}" for older in range(minor - 1, -1, -1)])
    for python in pythons:
        yield from [f"{python}-none-{platform}" for platform in platforms]
    yield f"cp3{minor}-none-any" if interpreter.implementation == "cpython" else "pp3-none-any"
    yield from [f"{python}-none-any" for python in pythons]


def _linux_platforms(interpreter: Interpreter) -> Iterator[str]:
    """``linux_*`` of this very machine first, then what is built for many."""
    known = architectures(interpreter.platform, interpreter.pointer_bits)
    yield from [f"linux_{architecture}" for architecture in known]
    match interpreter.libc:
        case Glibc(major, minor):
            refused = frozenset(interpreter.refused_platforms)
            for architecture in known:
                yield from _manylinux_platforms(major, minor, architecture, refused)
        case Musl(major, minor):
            for architecture in known:
                yield from [
                    f"musllinux_{major}_{older}_{architecture}" for older in range(minor, -1, -1)
                ]


def _manylinux_platforms(
    major: int, minor: int, architecture: str, refused: frozenset[str]
) -> Iterator[str]:
    """PEP 600: every glibc up to this one, each followed by its legacy alias."""
    if architecture not in MANYLINUX_ARCHITECTURES and architecture != "armv8l":
        return
    oldest = _OLDEST_GLIBC_MINOR.get(architecture, _OLDEST_GLIBC_MINOR_ELSEWHERE)
    for older in range(minor, oldest - 1, -1):
        platform = f"manylinux_{major}_{older}_{architecture}"
        if platform in refused:
            continue
        yield platform
        if legacy := _LEGACY.get((major, older)):
            yield f"{legacy}_{architecture}"


def _macos_architecture(machine: str, interpreter: Interpreter) -> str:
    """Name what the processor is to this interpreter, as Apple does."""
    if interpreter.pointer_bits == 64:
        return machine
    return "ppc" if machine.startswith("ppc") else "i386"


def _macos_platforms(version: tuple[int, int], architecture: str) -> Iterator[str]:
    """Every release from this one back; from 11 on only the major number counts.

    Intel binaries for 10.x still run on 11 and later. Apple silicon began with
    11, but a ``universal2`` file may name an older release for its Intel half.
    """
    if version[0] == 10:
        for minor in range(version[1], -1, -1):
            for form in _macos_formats((10, minor), architecture):
                yield f"macosx_10_{minor}_{form}"
        return
    for major in range(version[0], 10, -1):
        for form in _macos_formats((major, 0), architecture):
            yield f"macosx_{major}_0_{form}"
    for minor in range(_NEWEST_MACOS_10, _OLDEST_INTEL_MACOS_10 - 1, -1):
        older = _macos_formats((10, minor), "x86_64") if architecture == "x86_64" else ()
        for form in older or ("universal2",):
            yield f"macosx_10_{minor}_{form}"


def _macos_formats(version: tuple[int, int], architecture: str) -> tuple[str, ...]:
    """Name the binary formats of one release that hold code for an architecture."""
    intel = version >= (10, _OLDEST_INTEL_MACOS_10)
    match architecture:
        case "x86_64":
            formats = ("x86_64", "intel", "fat64", "fat3", "universal2", "universal")
            return formats if intel else ()
        case "i386":
            return ("i386", "intel", "fat3", "fat", "universal") if intel else ()
        case "ppc64":
            return ("ppc64", "fat64", "universal") if (10, 4) <= version <= (10, 5) else ()
        case "ppc":
            return ("ppc", "fat3", "fat", "universal") if version <= (10, 6) else ()
        case "arm64":
            return ("arm64", "universal2")
        case _:
            return (architecture,)


def _normalized(platform: str) -> str:
    """PEP 425: ``-`` and ``.`` (and spaces) become ``_``."""
    return platform.replace(".", "_").replace("-", "_").replace(" ", "_")
