"""Activation for csh and tcsh.

These shells have no functions, and an alias cannot branch over variables that
may not exist. So the script looks at what there is and writes, for each thing
that it changes, an alias that undoes it; ``deactivate`` calls them all.
"""

import re

from envmgr.activate.activation import (
    Activation,
    Modification,
    PrependPath,
    SetVariable,
    UnsetVariable,
)

_PLAIN = re.compile(r"[A-Za-z0-9_./:,+-]", re.ASCII)

_HEAD = """\
# Made by envmgr. Read it into your shell, then leave the environment with: deactivate
#     source PREFIX/bin/activate.csh

# Leave what this shell is in: first another tool's environment that was entered from ours.
set _envmgr_here = ""
if ($?VIRTUAL_ENV) then
    set _envmgr_here = "$VIRTUAL_ENV:q"
endif
if ($?_OLD_VIRTUAL_PATH && ! $?_envmgr_active) then
    deactivate
else if ($?_OLD_VIRTUAL_PATH && $?_envmgr_active) then
    if ("x$_envmgr_here:q" != "x$_envmgr_active:q") then
        deactivate
    endif
endif
if ($?_envmgr_active) then
    _envmgr_deactivate
endif

"""
_SAVE = """\
if ($?{name}) then
    set _envmgr_old_{name} = "${name}:q"
    alias _envmgr_undo_{name} 'setenv {name} "$_envmgr_old_{name}:q"'
else
    alias _envmgr_undo_{name} 'unsetenv {name}'
endif
"""
_PREPEND = """\
set _envmgr_bin = {directory}
if ($?PATH) then
    set _envmgr_old_PATH = "$PATH:q"
    set _OLD_VIRTUAL_PATH = "$PATH:q"  # other tools' scripts restore it when they take over
    setenv PATH "$_envmgr_bin:q"":$PATH:q"
    alias _envmgr_undo_PATH '_envmgr_restore_path'
else
    setenv PATH "$_envmgr_bin:q"
    alias _envmgr_undo_PATH 'unsetenv PATH'
endif
set _envmgr_path = "$PATH:q"
# A PATH that nobody changed since is put back as it was; from another one our directory goes.
alias _envmgr_restore_path 'set _envmgr_hit = 0; \
if ("x$PATH:q" == "x$_envmgr_path:q") set _envmgr_hit = 3; \
if ($_envmgr_hit == 3) setenv PATH "$_envmgr_old_PATH:q"; \
if ($_envmgr_hit == 0) eval _envmgr_filter_path'
alias _envmgr_filter_path 'set _envmgr_kept = (); set _envmgr_rest = ($path:q); \
repeat $#path eval _envmgr_sift; set path = ($_envmgr_kept:q)'
alias _envmgr_sift 'if ($_envmgr_hit == 0 && "x$_envmgr_rest[1]:q" == "x$_envmgr_bin:q") \
set _envmgr_hit = 2; \
if ($_envmgr_hit != 2) set _envmgr_kept = ($_envmgr_kept:q $_envmgr_rest[1]:q); \
if ($_envmgr_hit == 2) set _envmgr_hit = 1; shift _envmgr_rest'
"""
_PROMPT = """\
set _envmgr_quiet = ""
if ($?VIRTUAL_ENV_DISABLE_PROMPT) then
    set _envmgr_quiet = "$VIRTUAL_ENV_DISABLE_PROMPT:q"
endif
alias _envmgr_undo_prompt ':'
if ($?prompt && "x$_envmgr_quiet:q" == "x") then
    set _envmgr_prompt = "$prompt:q"
    set prompt = {prompt}"$prompt:q"
    set _envmgr_prompted = "$prompt:q"
    alias _envmgr_undo_prompt \
'if ("x$prompt:q" == "x$_envmgr_prompted:q") set prompt = "$_envmgr_prompt:q"'
endif
"""
_LEAVE = """\
alias _envmgr_deactivate '{undo}; unset _envmgr_* _OLD_VIRTUAL_PATH; unalias _envmgr_*; rehash'
alias deactivate '_envmgr_deactivate; unalias deactivate'
set _envmgr_active = "$VIRTUAL_ENV:q"
rehash
"""


def quote_csh(text: str) -> str:
    """Write ``text`` as one word that the shell takes as it is.

    Character by character: no quotes of csh keep ``!`` and a newline apart from
    their meaning, and what a backslash does inside quotes is the user's setting.
    """
    return "".join(map(_quote_character, text)) or '""'


def _quote_character(character: str) -> str:
    if character == "\n":
        return '"\\\n"'
    return character if _PLAIN.match(character) or not character.isascii() else f"\\{character}"


def render_csh(activation: Activation) -> str:
    """Write ``bin/activate.csh``."""
    undo = [f"_envmgr_undo_{_subject(change)}" for change in activation.modifications]
    return "".join(
        [
            _HEAD,
            *(_apply(modification) for modification in activation.modifications),
            _PROMPT.format(prompt=quote_csh(f"({activation.name}) ")),
            _LEAVE.format(undo="; ".join([*undo, "_envmgr_undo_prompt"])),
        ]
    )


def _subject(modification: Modification) -> str:
    return "PATH" if isinstance(modification, PrependPath) else modification.name


def _apply(modification: Modification) -> str:
    match modification:
        case SetVariable(name, value):
            return _SAVE.format(name=name) + f"setenv {name} {quote_csh(value)}\n"
        case UnsetVariable(name):
            return _SAVE.format(name=name) + f"unsetenv {name}\n"
        case PrependPath(directory):
            return _PREPEND.format(directory=quote_csh(directory))
