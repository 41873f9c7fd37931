"""Environment variables that change what programs find in an environment. Pure."""

from collections.abc import Iterator, Mapping

from envmgr.pipeline.health.complaints import Complaint, note, problem

_UNSET = "unset it before you work in an environment; what a module sets, `module unload` unsets"

_BREAKING = {
    "PYTHONPATH": "modules in it are found before the packages of every environment",
    "PYTHONHOME": "an interpreter started from an environment looks for its own library there "
    "(`envmgr run` takes it away, an activated shell does not)",
    "PIP_TARGET": "pip installs there, where no environment looks",
    "PIP_USER": "pip installs into your home directory, where no environment looks",
    "PIP_PREFIX": "pip installs there, where no environment looks",
    "LD_PRELOAD": "its libraries are loaded into every program, before those of packages",
}
_NOTED = {
    "LD_LIBRARY_PATH": "libraries in it are found before those that packages bring",
    "PYTHONUSERBASE": "environments do not look there: what `pip install --user` puts there is "
    "not in them",
    "PYTHONDONTWRITEBYTECODE": "envmgr compiles packages ahead all the same; Python keeps no "
    "bytecode of your own modules",
    "PYTHONPYCACHEPREFIX": "Python looks for bytecode there and not in the store, so that "
    "first imports are slow",
    "PYTHONOPTIMIZE": "Python looks for bytecode of another kind than envmgr compiles, so that "
    "imports are slow",
}
_OFF = {"", "0", "false", "no", "off"}


def check_variables(environ: Mapping[str, str]) -> Iterator[Complaint]:
    """Go through the variables that are set."""
    for name, effect in _BREAKING.items():
        if environ.get(name) and not (name == "PIP_USER" and environ[name].lower() in _OFF):
            yield problem("variable", name, f"{name} is set: {effect}", _UNSET)
    for name, effect in _NOTED.items():
        if environ.get(name):
            yield note("variable", name, f"{name} is set: {effect}")


def check_shadowed(
    environ: Mapping[str, str], listed: Mapping[str, frozenset[str]], brought: Mapping[str, str]
) -> Iterator[Complaint]:
    """Find libraries that LD_LIBRARY_PATH puts before those of packages.

    ``listed`` has the file names in each of its directories; ``brought`` the package that
    brings each SONAME.
    """
    for directory in environ.get("LD_LIBRARY_PATH", "").split(":"):
        shadowed = sorted(listed.get(directory, frozenset()) & set(brought))
        if shadowed:
            yield problem(
                "variable",
                "LD_LIBRARY_PATH",
                f"LD_LIBRARY_PATH has {directory}, whose libraries are loaded instead of those "
                "that packages bring",
                _UNSET,
                *(f"{name} (of {brought[name]})" for name in shadowed),
            )
