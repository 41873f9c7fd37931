"""The target of one command: an interpreter, and the machine it runs on."""

from collections.abc import Sequence
from contextlib import suppress

from packaging.specifiers import SpecifierSet

from envmgr.hardware.host import RealHost, detect_hardware
from envmgr.pipeline.errors import PythonNotUnderstood
from envmgr.pipeline.world import World
from envmgr.spec.types import EnvironmentSpec, PythonRange, PythonSpec
from envmgr.spec.values import PythonSpecInvalid, parse_python_text
from envmgr.target.discover import (
    FoundInterpreter,
    NoInterpreter,
    Probe,
    choose_interpreter,
    discover_interpreters,
)
from envmgr.target.probe import probe_interpreter
from envmgr.target.target import make_target
from envmgr.target.types import Interpreter, Target


def wanted_python(spec: EnvironmentSpec, python: str | None) -> PythonSpec:
    """Return the file's ``python``, or what stands in for it. Raises PythonNotUnderstood."""
    if python is None:
        return spec.python
    try:
        return parse_python_text(python, spec.source.parent)
    except PythonSpecInvalid as error:
        raise PythonNotUnderstood(str(error), error.hint) from None


def target_for(wanted: PythonSpec, locked: str | None, world: World) -> Target:
    """Choose the interpreter and describe the target.

    ``locked``, a lock's minor version, narrows a wider range, so that a newer
    interpreter on the machine makes nobody's lock unfit; where the machine has
    none of that version the range alone decides. Raises NoInterpreter.
    """
    host = RealHost(world.environ)
    found = discover_interpreters(host, world.settings.interpreters)
    cache = world.settings.cache / "interpreters"

    def probe(path: str) -> Interpreter:
        return probe_interpreter(path, host, cache)

    return make_target(_choose(wanted, locked, found, probe), detect_hardware(host))


def _choose(
    wanted: PythonSpec, locked: str | None, found: Sequence[FoundInterpreter], probe: Probe
) -> Interpreter:
    if locked is not None and isinstance(wanted, PythonRange):
        narrowed = PythonRange(wanted.specifier & SpecifierSet(f"=={locked}.*"))
        with suppress(NoInterpreter):
            return choose_interpreter(narrowed, found, probe)
    return choose_interpreter(wanted, found, probe)
