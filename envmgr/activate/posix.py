"""Activation for bash, zsh, dash and any other POSIX shell.

Holds under ``set -eu``, starts no process, and keeps old values in shell
variables that are not exported: a shell started from this one has none of them.
"""

from envmgr.activate.activation import (
    Activation,
    Modification,
    PrependPath,
    SetVariable,
    UnsetVariable,
)

_HEAD = """\
# Made by envmgr. Read it into your shell, then leave the environment with: deactivate
#     . PREFIX/bin/activate

# Leave what this shell is in: first another tool's environment that was entered from ours.
if [ -n "${_OLD_VIRTUAL_PATH-}" ] && [ "${VIRTUAL_ENV-}" != "${_ENVMGR_ACTIVE-}" ]; then
    if command -v deactivate >/dev/null 2>&1; then
        deactivate
    fi
fi
if [ -n "${_ENVMGR_ACTIVE-}" ] && command -v _envmgr_deactivate >/dev/null 2>&1; then
    _envmgr_deactivate
fi

"""
_PROMPT = """\
if [ -n "${{PS1+x}}" ] && [ -z "${{VIRTUAL_ENV_DISABLE_PROMPT-}}" ]; then
    _ENVMGR_PROMPT=x
    _OLD_VIRTUAL_PS1=$PS1
    PS1={prompt}$PS1
fi
"""
_LEAVE_PROMPT = """\
    if [ -n "${{_ENVMGR_PROMPT-}}" ] && [ -n "${{PS1+x}}" ]; then
        PS1=${{PS1#{prompt}}}
    fi
    unset _ENVMGR_PROMPT _OLD_VIRTUAL_PS1
"""
_SAVE = """\
if [ -n "${{{name}+x}}" ]; then
    _ENVMGR_OLD_{name}=${name}
else
    unset _ENVMGR_OLD_{name}
fi
"""
_RESTORE = """\
    if [ -n "${{_ENVMGR_OLD_{name}+x}}" ]; then
        export {name}="$_ENVMGR_OLD_{name}"
        unset _ENVMGR_OLD_{name}
    else
        unset {name}
    fi
"""
_PREPEND = """\
if [ -n "${{PATH+x}}" ]; then
    _OLD_VIRTUAL_PATH=$PATH  # other tools' scripts restore it when they take over
    _ENVMGR_HAD_PATH=x
else
    _ENVMGR_HAD_PATH=
fi
export PATH={directory}"${{PATH+:$PATH}}"
"""
_REMOVE = """\
    _ENVMGR_PATH=:${{PATH-}}:
    case $_ENVMGR_PATH in
    *:{directory}:*)
        _ENVMGR_PATH=${{_ENVMGR_PATH%%:{directory}:*}}:${{_ENVMGR_PATH#*:{directory}:}}
        _ENVMGR_PATH=${{_ENVMGR_PATH#:}}
        export PATH="${{_ENVMGR_PATH%:}}"
        if [ -z "$PATH" ] && [ -z "$_ENVMGR_HAD_PATH" ]; then
            unset PATH
        fi
        ;;
    esac
    unset _ENVMGR_PATH _ENVMGR_HAD_PATH _OLD_VIRTUAL_PATH
"""
_REHASH = "hash -r 2>/dev/null || :\n"


def quote_posix(text: str) -> str:
    """Write ``text`` as one word that the shell takes as it is."""
    return "'" + text.replace("'", "'\\''") + "'"


def render_posix(activation: Activation) -> str:
    """Write ``bin/activate``."""
    prompt = quote_posix(f"({activation.name}) ")
    leaving = [_restore(modification) for modification in activation.modifications]
    entering = [_apply(modification) for modification in activation.modifications]
    return "".join(
        [
            _HEAD,
            "_envmgr_deactivate() {\n",
            *leaving,
            _LEAVE_PROMPT.format(prompt=prompt),
            "    unset _ENVMGR_ACTIVE\n",
            f"    {_REHASH}",
            "}\n\n",
            "deactivate() {\n",
            "    _envmgr_deactivate\n",
            "    unset -f deactivate _envmgr_deactivate\n",
            "}\n\n",
            *entering,
            _PROMPT.format(prompt=prompt),
            "_ENVMGR_ACTIVE=$VIRTUAL_ENV\n",
            _REHASH,
        ]
    )


def _apply(modification: Modification) -> str:
    match modification:
        case SetVariable(name, value):
            return _SAVE.format(name=name) + f"export {name}={quote_posix(value)}\n"
        case UnsetVariable(name):
            return _SAVE.format(name=name) + f"unset {name}\n"
        case PrependPath(directory):
            return _PREPEND.format(directory=quote_posix(directory))


def _restore(modification: Modification) -> str:
    match modification:
        case SetVariable(name, _) | UnsetVariable(name):
            return _RESTORE.format(name=name)
        case PrependPath(directory):
            return _REMOVE.format(directory=quote_posix(directory))
