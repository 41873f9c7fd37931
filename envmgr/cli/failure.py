"""What is said when something went wrong."""

from envmgr.cli.output import BOLD_RED, CYAN, paint
from envmgr.errors import EnvmgrError, ExitCode

Answer = dict[str, object]


def render_failure(error: EnvmgrError, *, coloured: bool) -> str:
    """One sentence, its details, and what to do."""
    lines = [f"{paint('error:', BOLD_RED, coloured=coloured)} {error}"]
    lines += [f"  {line}" if line else "" for line in error.details()]
    if error.hint:
        lines.append(f"{paint('hint:', CYAN, coloured=coloured)} {error.hint}")
    return "\n".join(lines) + "\n"


def failure_document(error: EnvmgrError) -> Answer:
    """Return the same for ``--json``; ``code`` is the name of the error's class."""
    return error_document(
        type(error).__name__, error.exit_code, str(error), error.hint, error.details()
    )


def error_document(
    code: str,
    exit_code: ExitCode,
    message: str,
    hint: str | None = None,
    details: tuple[str, ...] = (),
) -> Answer:
    """Return the one document that ``--json`` gives for anything that did not end well."""
    return {
        "schema": 1,
        "error": {
            "code": code,
            "exit": int(exit_code),
            "message": message,
            "hint": hint,
            "details": list(details),
        },
    }
