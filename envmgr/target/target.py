"""Make the value an environment is built for."""

from envmgr.hardware.profile import HardwareProfile
from envmgr.target.tags import compatible_tags
from envmgr.target.types import MARKER_VARIABLES, Interpreter, Target


def make_target(interpreter: Interpreter, hardware: HardwareProfile) -> Target:
    """Bring an interpreter and its hardware together; total, whatever the interpreter told."""
    markers = {name: interpreter.markers.get(name, "") for name in MARKER_VARIABLES}
    return Target(interpreter, markers, compatible_tags(interpreter), hardware)
