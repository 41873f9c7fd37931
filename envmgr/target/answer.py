"""What an interpreter says of itself: the question, as a program, and the answer, as a type."""

import msgspec

MARK = "envmgr-answer:"
"""Begins the one line that counts; whatever else a start-up hook prints is passed over."""

QUESTION = (
    r'''
import json, os, sys, sysconfig

def implementation_version():
    info = sys.implementation.version
    text = "%d.%d.%d" % tuple(info[:3])
    return text if info[3] == "final" else "%s%s%d" % (text, info[3][0], info[4])

def full_version():
    text = sys.version.split()[0]
    return text if text.count(".") > 1 else text + ".0"

def glibc():
    try:
        name, _, number = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        if name == "glibc":
            return number
    except (AttributeError, OSError, ValueError):
        pass
    try:
        import ctypes
        function = ctypes.CDLL(None).gnu_get_libc_version
        function.restype = ctypes.c_char_p
        return function().decode("ascii")
    except (ImportError, OSError, AttributeError):
        return ""

def policy():
    import importlib.util, site
    from importlib.machinery import PathFinder
    if "_manylinux" in sys.builtin_module_names:
        return __import__("_manylinux")
    spec = PathFinder.find_spec("_manylinux", sys.path + site.getsitepackages())
    if spec is None or spec.loader is None:
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

def refuses(module, major, minor, architecture):
    if hasattr(module, "manylinux_compatible"):
        said = module.manylinux_compatible(major, minor, architecture)
    else:
        old = {(2, 5): "manylinux1", (2, 12): "manylinux2010", (2, 17): "manylinux2014"}
        said = getattr(module, old.get((major, minor), "") + "_compatible", None)
    return said is not None and not said

def architectures():
    name = sysconfig.get_platform().partition("-")[2].replace("-", "_")
    if sys.maxsize < 2 ** 32:
        name = {"x86_64": "i686", "aarch64": "armv8l"}.get(name, name)
    return (name, "armv7l") if name == "armv8l" else (name,)

def relative(name, scheme):
    top = "/envmgr-top"
    bases = dict.fromkeys(("base", "platbase", "installed_base", "installed_platbase"), top)
    path = sysconfig.get_path(name, scheme, bases)
    if not path.startswith(top + "/"):
        raise SystemExit("the %s path of %s is outside the prefix: %s" % (name, scheme, path))
    return path[len(top) + 1:]

def answer():
    if sys.version_info < (3, 8):
        return {"version": list(sys.version_info[:3])}
    import importlib.util
    system = os.uname()
    mac = ""
    if sys.platform == "darwin":
        import platform
        mac = platform.mac_ver()[0]
    library = glibc() if sys.platform == "linux" else ""
    schemes = sysconfig.get_scheme_names()
    soabi = sysconfig.get_config_var("SOABI")
    if not soabi:
        suffix = (sysconfig.get_config_var("EXT_SUFFIX") or "").split(".")
        soabi = suffix[1] if len(suffix) > 2 else None
    module = policy() if library else None
    refused = []
    if module is not None:
        major, minor = [int(part) for part in library.split("-")[0].split(".")[:2]]
        for architecture in architectures():
            for older in range(minor, -1, -1):
                if refuses(module, major, older, architecture):
                    refused.append("manylinux_%d_%d_%s" % (major, older, architecture))
    return {
        "executable": sys.executable,
        "version": list(sys.version_info[:3]),
        "implementation": sys.implementation.name,
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "debug": bool(sysconfig.get_config_var("Py_DEBUG")),
        "pointer_bits": sys.maxsize.bit_length() + 1,
        "platform": sysconfig.get_platform(),
        "glibc": library,
        "macos": mac,
        "soabi": soabi,
        "cache_tag": sys.implementation.cache_tag or "",
        "magic": "".join("%02x" % byte for byte in importlib.util.MAGIC_NUMBER),
        "refused_platforms": refused,
        "site_packages": relative("purelib", "venv" if "venv" in schemes else "posix_prefix"),
        "headers": relative("include", "posix_prefix"),
        "markers": {
            "implementation_name": sys.implementation.name,
            "implementation_version": implementation_version(),
            "os_name": os.name,
            "platform_machine": system.machine,
            "platform_python_implementation": "PyPy" if "PyPy" in sys.version else "CPython",
            "platform_release": system.release,
            "platform_system": system.sysname,
            "platform_version": system.version,
            "python_full_version": full_version(),
            "python_version": ".".join(full_version().split(".")[:2]),
            "sys_platform": sys.platform,
        },
    }

print("\n" + "'''
    + MARK
    + r"""" + json.dumps(answer()))
"""
)
"""Keeps to what Python 3.6 knows; one older than 3.8 answers with its version alone."""

OLDEST = (3, 8)
"""The oldest Python an environment can have."""


class _Version(msgspec.Struct):
    version: tuple[int, int, int]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An interpreter's own account. ``glibc`` and ``macos`` are versions, empty for neither."""

    executable: str
    version: tuple[int, int, int]
    implementation: str
    free_threaded: bool
    debug: bool
    pointer_bits: int
    platform: str
    glibc: str
    macos: str
    soabi: str | None
    cache_tag: str
    magic: str
    refused_platforms: tuple[str, ...]
    site_packages: str
    headers: str
    markers: dict[str, str]


class Unanswered(ValueError):
    """There is no answer, or not one that means anything."""


class TooOld(ValueError):
    """The interpreter answered, and is older than OLDEST; ``version`` is ``3.6.15``."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.version = version

    def __str__(self) -> str:
        return f"too old ({OLDEST[0]}.{OLDEST[1]} or newer is needed)"


def parse_answer(output: str) -> Answer:
    """Read an interpreter's output. Raises Unanswered, TooOld."""
    lines = [line for line in output.splitlines() if line.startswith(MARK)]
    if not lines:
        raise Unanswered("it gave no answer")
    text = lines[-1].removeprefix(MARK)
    try:
        version = msgspec.json.decode(text, type=_Version).version
        if version[:2] < OLDEST:
            raise TooOld(".".join(map(str, version)))
        return msgspec.json.decode(text, type=Answer)
    except msgspec.DecodeError as error:
        raise Unanswered(f"its answer makes no sense: {error}") from None
