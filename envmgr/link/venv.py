"""What an interpreter finds in an environment of its own: its names, and ``pyvenv.cfg``."""

from envmgr.target.types import Interpreter


def has_lib64(interpreter: Interpreter) -> bool:
    """Tell whether this interpreter wants ``lib64`` -> ``lib`` in an environment, as venv does."""
    return interpreter.pointer_bits == 64 and not interpreter.platform.startswith("macosx")


def render_pyvenv(interpreter: Interpreter, name: str) -> str:
    """Render ``pyvenv.cfg`` (PEP 405)."""
    pairs = {
        "home": interpreter.executable.rpartition("/")[0],
        "include-system-site-packages": "false",
        "version": interpreter.version_text,
        "executable": interpreter.executable,
        "prompt": name,
    }
    return "".join(f"{key} = {value}\n" for key, value in pairs.items())


def python_names(interpreter: Interpreter) -> tuple[str, ...]:
    """Return what the interpreter is called in ``bin``, ``python`` first."""
    major, minor, _ = interpreter.version
    names = ["python", f"python{major}", f"python{major}.{minor}"]
    if interpreter.free_threaded:
        names.append(f"python{major}.{minor}t")
    if interpreter.implementation == "pypy":
        names += ["pypy", f"pypy{major}", f"pypy{major}.{minor}"]
    return tuple(names)
