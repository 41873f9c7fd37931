"""The activation scripts of an environment, one for each kind of shell."""

from collections.abc import Mapping

from envmgr.activate.activation import plan_activation
from envmgr.activate.csh import render_csh
from envmgr.activate.fish import render_fish
from envmgr.activate.posix import render_posix


def render_activation(prefix: str, name: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the scripts' paths, relative to a generation, with their texts.

    ``bin/activate`` is for bash, zsh, dash and other POSIX shells. Raises UnusablePrefix.
    """
    activation = plan_activation(prefix, name, variables)
    return {
        "bin/activate": render_posix(activation),
        "bin/activate.fish": render_fish(activation),
        "bin/activate.csh": render_csh(activation),
    }
