"""The programs of a view: console scripts, wheels' own scripts, and first lines of any length."""

from collections.abc import Iterable

from envmgr.wheel.manifest import EntryPoint

SHEBANG_LIMIT = 127
"""Bytes of a first line, ``#!`` included, that every kernel honours (Linux before 5.1)."""

SCRIPT_GROUPS = ("console_scripts", "gui_scripts")
PIP_NAMES = ("pip", "pip3")


def shebang(python: str, arguments: str = "") -> bytes:
    """Render the first line, or lines, that start a script under ``python``.

    Where the kernel cannot name the interpreter (a long path, a blank in it),
    ``/bin/sh`` does: the second line replaces the shell for sh, and is a row of
    string literals without effect for Python.
    """
    path = python.encode("utf-8", "surrogateescape")
    rest = arguments.strip().encode()
    line = b"#!" + path + (b" " + rest if rest else b"")
    if len(line) <= SHEBANG_LIMIT and not set(b" \t") & set(path):
        return line + b"\n"
    options = b"".join(b" " + _quoted(word) for word in rest.split())
    return b'#!/bin/sh\n"exec" ' + _quoted(path) + options + b' "$0" "$@"\n'


def _quoted(word: bytes) -> bytes:
    """Quote for sh and for Python at once: literals side by side are one word in both."""
    pieces: list[bytes] = []
    for character in word.decode("utf-8", "surrogateescape"):
        if character == "'":
            pieces.append(b'''"'"''')
        elif character == "\\":
            pieces.append(rb'"\\"')
        elif pieces and pieces[-1][:1] == b"'":
            pieces[-1] = pieces[-1][:-1] + character.encode("utf-8", "surrogateescape") + b"'"
        else:
            pieces.append(b"'" + character.encode("utf-8", "surrogateescape") + b"'")
    return b"".join(pieces)


def reinterpret(text: bytes, old: str, new: str) -> bytes:
    """Let a script that one interpreter starts be started by another; others stay as they are."""
    for arguments in _arguments_after(text, old):
        head = shebang(old, arguments)
        if text.startswith(head):
            return shebang(new, arguments) + text[len(head) :]
    return text


def _arguments_after(text: bytes, python: str) -> tuple[str, ...]:
    """Return what may stand behind the interpreter in a script's first line, or its second."""
    plain = b"#!" + python.encode("utf-8", "surrogateescape")
    if text.startswith(plain):
        line = text.partition(b"\n")[0]
        return (line[len(plain) :].decode("utf-8", "replace").strip(),)
    start = shebang(python)[: -len(_END)]
    if not start.startswith(b"#!/bin/sh\n") or not text.startswith(start):
        return ()
    words = text[len(start) :].partition(_END)[0].decode("utf-8", "replace").split()
    return (" ".join(word.strip("'") for word in words),)


_END = b' "$0" "$@"\n'


def is_python_script(head: bytes) -> bool:
    """Tell whether a wheel's script wants its first line rewritten (binary distribution format).

    ``head`` is the beginning of the file, 10 bytes at least.
    """
    return head.startswith(b"#!python") and head[8:9] in (b"", b"w", b" ", b"\t", b"\r", b"\n")


def render_wheel_script(text: bytes, python: str) -> bytes:
    """Rewrite a ``#!python`` script for an interpreter; its arguments stay."""
    first, _, rest = text.partition(b"\n")
    _, _, arguments = first.decode("utf-8", "replace").partition(" ")
    return shebang(python, arguments) + rest


def render_entry_point_script(entry_point: EntryPoint, python: str) -> bytes | None:
    """Render the program of one entry point; ``None`` where it names no callable.

    The module is imported where the program runs and nowhere else, so that a
    child process which imports its parent's main module does not pay for it.
    """
    value = entry_point.value.partition("[")[0].strip()
    module, colon, attribute = (part.strip() for part in value.partition(":"))
    dotted = (*module.split("."), *attribute.split("."))
    if not colon or not all(part.isidentifier() for part in dotted):
        return None
    name = attribute.partition(".")[0]
    body = (
        "import sys\n"
        "\n"
        'if __name__ == "__main__":\n'
        f"    from {module} import {name}\n"
        "\n"
        f"    sys.exit({attribute}())\n"
    )
    return shebang(python) + body.encode()


def programs(entry_points: Iterable[EntryPoint]) -> tuple[EntryPoint, ...]:
    """Pick the entry points that become programs in ``bin``."""
    return tuple(point for point in entry_points if point.group in SCRIPT_GROUPS)


def is_program_name(name: str) -> bool:
    """Tell whether an entry point's name can be the name of a file in ``bin``."""
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name


def render_pip_notice(environment: str) -> bytes:
    """Render the program that stands where pip would, and says what to do instead."""
    lines = (
        "#!/bin/sh",
        "cat >&2 <<'END'",
        f"{environment} is made from an environment file; what pip installs would be lost.",
        f"To add a package, name it in that file and run: envmgr sync {environment}",
        "To have pip itself, name pip in the file.",
        "END",
        "exit 2",
        "",
    )
    return "\n".join(lines).encode()
