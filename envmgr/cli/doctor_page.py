"""What ``doctor`` says. Pure."""

from envmgr.cli.output import BOLD_RED, CYAN, YELLOW, paint
from envmgr.cli.quantities import render_count, render_seconds
from envmgr.pipeline.health.complaints import Complaint
from envmgr.pipeline.health.doctor import Diagnosis

SHOWN = 5
"""Details of one finding that are shown without ``-v``."""


def render_diagnosis(diagnosis: Diagnosis, *, verbose: int, coloured: bool) -> str:
    """Each finding with what to do, problems first; then the sum."""
    lines = []
    for complaint in diagnosis.complaints:
        lines += [*_render(complaint, verbose=verbose, coloured=coloured), ""]
    problems = sum(each.severity == "problem" for each in diagnosis.complaints)
    notes = len(diagnosis.complaints) - problems
    looked = (
        f"{render_count(len(diagnosis.environments), 'environment')} and "
        f"{render_count(diagnosis.entries, 'entry', 'entries')} looked through, "
        f"in {render_seconds(diagnosis.seconds)}"
    )
    besides = f", {render_count(notes, 'note')}" if notes else ""
    if problems:
        lines.append(f"{render_count(problems, 'problem')}{besides}: {looked}")
    else:
        lines.append(f"all is well{besides}: {looked}")
    unread = any(each.check == "configuration" for each in diagnosis.complaints)
    if not diagnosis.thorough and not unread:
        lines.append("to look at every file of the store too: envmgr doctor all")
    return "\n".join([*lines, ""])


def _render(complaint: Complaint, *, verbose: int, coloured: bool) -> list[str]:
    colour = BOLD_RED if complaint.severity == "problem" else YELLOW
    lines = [f"{paint(f'{complaint.severity}:', colour, coloured=coloured)} {complaint.message}"]
    shown = complaint.details if verbose else complaint.details[:SHOWN]
    lines += [f"  {line}" for line in shown]
    if len(shown) < len(complaint.details):
        lines.append(f"  and {len(complaint.details) - len(shown)} more; -v shows all")
    if complaint.advice:
        lines.append(f"{paint('hint:', CYAN, coloured=coloured)} {complaint.advice}")
    return lines
