"""The one door: a problem goes in, a verified resolution or a proven conflict comes out."""

from envmgr.events import Reporter, Warned, silent
from envmgr.index.types import OfferSource, UnusableMetadata, WheelCandidate
from envmgr.resolve.facts import Facts
from envmgr.resolve.graph import Selection, assemble, is_valid
from envmgr.resolve.hopeless import hopeless
from envmgr.resolve.origins import Refutation
from envmgr.resolve.overrides import warn_of_removed_roots
from envmgr.resolve.provider import propose
from envmgr.resolve.types import Answer, Problem, Resolution
from envmgr.resolve.verify import verify


class UnsoundResolution(AssertionError):
    """The solvers agreed on something that the verifier rejects: a bug of ours."""


def resolve(problem: Problem, source: OfferSource, report: Reporter = silent) -> Answer:
    """Choose one candidate for every name the roots need, newest first, or prove there is none.

    Resolvelib proposes; a proposal that does not hold, or none, is followed by the
    clause search, which is complete. Raises IndexFailure and what the source's
    ``direct`` raises; never for a problem without an answer.
    """
    facts, selection = _selected(problem, source, report)
    if isinstance(selection, Refutation):
        from envmgr.resolve.explain import explain

        return explain(facts, selection)
    resolution = assemble(facts, selection)
    violations = verify(problem, source, resolution)
    if violations:
        raise UnsoundResolution("; ".join(violations))
    warn_of_removed_roots(problem, report)
    _warn_of_unknown_extras(facts, selection, resolution, report)
    _warn_of_yanked(resolution, report)
    return resolution


def _selected(
    problem: Problem, source: OfferSource, report: Reporter
) -> tuple[Facts, Selection | Refutation]:
    """Select with the implementations of runtimes that a lock recorded, if that can be, or without.

    A lock's versions are kept one by one; that another name is chosen first could still change
    the implementation under all who need it.
    """
    if any(family.kept and family.chosen is None for family in problem.families):
        facts = Facts(problem, source, report, keeping=True)
        kept = _select(facts)
        if not isinstance(kept, Refutation):
            return facts, kept
        report = silent
    facts = Facts(problem, source, report)
    return facts, _select(facts)


def _select(facts: Facts) -> Selection | Refutation:
    alone = hopeless(facts)
    if alone:
        return alone[0]
    proposal = propose(facts)
    if proposal is not None and is_valid(facts, proposal):
        return proposal
    from envmgr.resolve.search import search  # most problems do without

    return search(facts)


def _warn_of_unknown_extras(
    facts: Facts, selection: Selection, resolution: Resolution, report: Reporter
) -> None:
    for name, chosen in resolution.chosen.items():
        metadata = facts.metadata(name, selection[name])
        if isinstance(metadata, UnusableMetadata):
            continue
        for extra in sorted(chosen.extras - metadata.provides_extra):
            if extra not in facts.lines(name, selection[name]).gated:
                report(Warned(f"{chosen.candidate} has no extra {extra!r}"))


def _warn_of_yanked(resolution: Resolution, report: Reporter) -> None:
    """Tell of every version that its project took back, with the reason (PEP 592)."""
    for chosen in resolution.chosen.values():
        candidate = chosen.candidate
        if isinstance(candidate, WheelCandidate) and candidate.yanked is not None:
            why = f": {candidate.yanked.strip()}" if candidate.yanked.strip() else ""
            report(Warned(f"{candidate} was yanked by its project{why}"))
