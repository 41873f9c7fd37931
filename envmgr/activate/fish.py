"""Activation for fish. Old values wait in global variables that are not exported."""

from envmgr.activate.activation import (
    Activation,
    Modification,
    PrependPath,
    SetVariable,
    UnsetVariable,
)

_HEAD = """\
# Made by envmgr. Read it into your shell, then leave the environment with: deactivate
#     source PREFIX/bin/activate.fish

# Leave what this shell is in: first another tool's environment that was entered from ours.
if set -q _OLD_VIRTUAL_PATH; and test "$VIRTUAL_ENV" != "$_envmgr_active"
    functions -q deactivate; and deactivate
end
if set -q _envmgr_active; and functions -q _envmgr_deactivate
    _envmgr_deactivate
end

"""
_DEACTIVATE = """\
function deactivate -d "Leave the environment"
    _envmgr_deactivate
    functions -e deactivate _envmgr_deactivate _envmgr_status
end

function _envmgr_status
    return $argv[1]
end

"""
_SAVE = """\
set -e _envmgr_old_{name} _envmgr_exported_{name}
if set -qg {name}
    set -g _envmgr_old_{name} ${name}
    set -qgx {name}; and set -g _envmgr_exported_{name}
end
"""
_RESTORE = """\
    set -e -g {name}
    if set -q _envmgr_exported_{name}
        set -gx {name} $_envmgr_old_{name}
    else if set -q _envmgr_old_{name}
        set -gu {name} $_envmgr_old_{name}
    end
    set -e _envmgr_old_{name} _envmgr_exported_{name}
"""
_PREPEND = """\
set -g _OLD_VIRTUAL_PATH $PATH  # other tools' scripts restore it when they take over
set -gx PATH {directory} $PATH
"""
_REMOVE = """\
    if set -l place (contains -i -- {directory} $PATH)
        set -e PATH[$place[1]]
    end
    set -e _OLD_VIRTUAL_PATH
"""
_PROMPT = """\
if test -z "$VIRTUAL_ENV_DISABLE_PROMPT"; and functions -q fish_prompt
    functions -c fish_prompt _envmgr_old_fish_prompt
    function fish_prompt
        set -l last $status
        printf '%s' {prompt}
        _envmgr_status $last
        _envmgr_old_fish_prompt
    end
end
"""
_LEAVE_PROMPT = """\
    if functions -q _envmgr_old_fish_prompt
        functions -e fish_prompt
        functions -c _envmgr_old_fish_prompt fish_prompt
        functions -e _envmgr_old_fish_prompt
    end
"""


def quote_fish(text: str) -> str:
    """Write ``text`` as one word that fish takes as it is."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def render_fish(activation: Activation) -> str:
    """Write ``bin/activate.fish``."""
    return "".join(
        [
            _HEAD,
            "function _envmgr_deactivate\n",
            *(_restore(modification) for modification in activation.modifications),
            _LEAVE_PROMPT,
            "    set -e _envmgr_active\n",
            "end\n\n",
            _DEACTIVATE,
            *(_apply(modification) for modification in activation.modifications),
            _PROMPT.format(prompt=quote_fish(f"({activation.name}) ")),
            "set -g _envmgr_active $VIRTUAL_ENV\n",
        ]
    )


def _apply(modification: Modification) -> str:
    match modification:
        case SetVariable(name, value):
            return _SAVE.format(name=name) + f"set -gx {name} {quote_fish(value)}\n"
        case UnsetVariable(name):
            return _SAVE.format(name=name) + f"set -e -g {name}\n"
        case PrependPath(directory):
            return _PREPEND.format(directory=quote_fish(directory))


def _restore(modification: Modification) -> str:
    match modification:
        case SetVariable(name, _) | UnsetVariable(name):
            return _RESTORE.format(name=name)
        case PrependPath(directory):
            return _REMOVE.format(directory=quote_fish(directory))
