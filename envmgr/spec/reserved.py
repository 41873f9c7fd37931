"""Variables that an environment file must not set."""

_BASH = "BASHOPTS BASH_VERSINFO EUID PPID SHELLOPTS UID"
_ZSH = """
    ARGC EPOCHREALTIME EPOCHSECONDS HISTCMD LINENO PPID TTYIDLE UID ZSH_EVAL_CONTEXT ZSH_SUBSHELL
    aliases argv builtins cdpath commands dirstack dis_aliases dis_builtins dis_functions
    dis_functions_source dis_galiases dis_patchars dis_reswords dis_saliases epochtime errnos
    fignore fpath funcfiletrace funcsourcetrace funcstack functions functions_source functrace
    galiases history historywords jobdirs jobstates jobtexts keymaps mailpath manpath mapfile
    module_path modules nameddirs options parameters patchars path pipestatus psvar reswords
    saliases signals status sysparams termcap terminfo userdirs usergroups watch widgets
    zle_bracketed_paste zsh_eval_context zsh_scheduled_events
"""
"""Read-only, or an array, or tied to another one; some appear with a module of zsh."""
_FISH = """
    FISH_VERSION PWD SHLVL _ fish_kill_signal fish_killring fish_pid history hostname pipestatus
    status status_generation umask version
"""

RESERVED_VARIABLES = {
    "PATH": "activation itself puts the environment first on it",
    "VIRTUAL_ENV": "activation itself sets it",
    "VIRTUAL_ENV_PROMPT": "activation itself sets it",
    "PYTHONHOME": "it would break the environment's interpreter",
    "PYTHONPATH": "it would put other packages before the environment's own",
    "LD_LIBRARY_PATH": "it would put other libraries before the environment's own",
    "DYLD_LIBRARY_PATH": "it would put other libraries before the environment's own",
    **dict.fromkeys(
        f"{_BASH} {_ZSH} {_FISH}".split(),
        "shells keep it for themselves and would stop in the middle of an activation",
    ),
}
"""Why not, by name; upper and lower case are different names."""


def why_reserved(name: str) -> str | None:
    """Return why a variable is reserved, one clause, or ``None`` where it may be set."""
    if name.startswith("ENVMGR_"):
        return "names that begin with ENVMGR_ are envmgr's own settings"
    return RESERVED_VARIABLES.get(name)
