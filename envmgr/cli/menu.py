"""The commands, and the page that lists them. Importing this imports none of them."""

from typing import NamedTuple


class Command(NamedTuple):
    """Where a command lives and what it is for."""

    module: str
    summary: str
    section: str


ENVIRONMENTS = "environments"
FILES = "files and settings"
STORE = "the machine and the store"
WHEELS = "wheels"

COMMANDS = {
    "create": Command("create", "make or update the environment of a file", ENVIRONMENTS),
    "sync": Command("sync", "bring an environment up to its file", ENVIRONMENTS),
    "run": Command("run", "run a program in an environment", ENVIRONMENTS),
    "list": Command("list", "list environments, or the packages of one", ENVIRONMENTS),
    "prefix": Command("prefix", "print the directory of an environment", ENVIRONMENTS),
    "history": Command("history", "list the generations of an environment", ENVIRONMENTS),
    "rollback": Command("rollback", "go back to an earlier generation", ENVIRONMENTS),
    "diff": Command("diff", "compare environments, generations and locks", ENVIRONMENTS),
    "clone": Command("clone", "make another environment with the same packages", ENVIRONMENTS),
    "rename": Command("rename", "give an environment another name", ENVIRONMENTS),
    "delete": Command("delete", "delete an environment", ENVIRONMENTS),
    "which": Command("which", "tell whose a library, module, program or file is", ENVIRONMENTS),
    "runtimes": Command(
        "runtimes", "tell what serves OpenMP, BLAS, MPI; what loads twice", ENVIRONMENTS
    ),
    "lock": Command("lock", "resolve a file and write its lock", FILES),
    "schema": Command("schema", "print the JSON Schema of environment files", FILES),
    "config": Command("config", "show the settings and where each comes from", FILES),
    "doctor": Command("doctor", "look for what is wrong, and say what to do", STORE),
    "store": Command("store", "collect, verify, repair, measure or compile the store", STORE),
    "wheel": Command("wheel", "make a wheel in which each library stands once", WHEELS),
    "recipe": Command("recipe", "make the wheels of shared runtimes of a recipe", WHEELS),
}
"""Name to module (below ``envmgr.cli.commands``), summary and section of the help page."""

INSTEAD = {
    "activate": 'run: source "$(envmgr prefix NAME)/bin/activate"',
    "deactivate": "type `deactivate` in the shell that was activated",
    "add": "add the package to the environment file, then: envmgr sync NAME",
    "install": "add the package to the environment file, then: envmgr sync NAME",
    "remove": "remove the package from the environment file, then: envmgr sync NAME",
    "uninstall": "remove the package from the environment file, then: envmgr sync NAME",
    "update": "run: envmgr lock --upgrade, then: envmgr sync NAME",
    "upgrade": "run: envmgr lock --upgrade, then: envmgr sync NAME",
    "env": "there is one level of commands: envmgr create, envmgr list, envmgr delete",
    "exec": "run: envmgr run -n NAME PROGRAM",
    "shell": 'run: source "$(envmgr prefix NAME)/bin/activate"',
    "info": "run: envmgr config show",
    "revisions": "run: envmgr history NAME",
    "generations": "run: envmgr history NAME",
    "log": "run: envmgr history NAME",
    "undo": "run: envmgr rollback NAME",
    "revert": "run: envmgr rollback NAME",
    "copy": "run: envmgr clone NAME -n NEW",
    "mv": "run: envmgr rename OLD NEW",
    "check": "run: envmgr doctor NAME",
    "clean": "run: envmgr store gc --cache, or: envmgr store gc",
    "gc": "run: envmgr store gc",
    "rm": "run: envmgr delete NAME",
    "help": "run: envmgr --help, or: envmgr COMMAND --help",
    "version": "run: envmgr --version",
}
"""Commands that other tools have, and what to do here."""

GLOBAL_OPTIONS = """\
options, before or after the command:
  -h, --help            this page, or the command's own
  --json                print one JSON document instead of text
  --progress {auto,plain,json,none}
                        how to show progress on stderr
  -q, --quiet           no progress and no summary; -qq: no warnings either
  -v, --verbose         say more
  --version             print the version
"""


def render_help() -> str:
    """Return the page of ``envmgr --help``."""
    lines = [
        "usage: envmgr [OPTION ...] COMMAND ...",
        "",
        "Environments from a file, as views into a shared store of wheels.",
    ]
    for section in (ENVIRONMENTS, FILES, STORE, WHEELS):
        lines += ["", f"{section}:"]
        lines += [
            f"  {name:<10}{command.summary}"
            for name, command in COMMANDS.items()
            if command.section == section
        ]
    return "\n".join([*lines, "", GLOBAL_OPTIONS, _EXAMPLE])


_EXAMPLE = """\
example:
  envmgr create -f environment.yaml
  envmgr run -n science python
"""
