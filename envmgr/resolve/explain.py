"""A refutation in sentences a researcher understands.

First the roots that clash, then how each leads on, nearest first; then what there
is of the names where it ends, and why the rest of it cannot be chosen. Roots that fail
by themselves are told all at once, and before anything else.
"""

from collections.abc import Iterable, Iterator, Sequence

from envmgr.index.types import UploadedTooLate, WheelCandidate
from envmgr.names import PackageName
from envmgr.resolve.derivation import Derivation, Link, union
from envmgr.resolve.facts import Facts, worded
from envmgr.resolve.family_words import family_hint, family_sentences, is_family, plain_links
from envmgr.resolve.hopeless import hopeless
from envmgr.resolve.impossible import ResolutionImpossible as ResolutionImpossible
from envmgr.resolve.minimise import minimise
from envmgr.resolve.origins import RefusedOrigin, Refutation, YankedOrigin
from envmgr.resolve.overrides import removal_told
from envmgr.resolve.package import PrereleaseNotAllowed, Withheld, bits
from envmgr.resolve.types import Conflict, Root
from envmgr.resolve.words import Versions, listed, ranged, refused_because, withheld_because

WORDINGS_SHOWN = 4


def explain(facts: Facts, refutation: Refutation) -> Conflict:
    """Say which roots contradict each other, and how. Raises IndexFailure."""
    alone = [Derivation(facts, found) for found in hopeless(facts)]
    if len(alone) > 1 or (alone and alone[0].roots[0].root.at is not None):
        roots = tuple(each.roots[0].root for each in alone)
        return Conflict(roots, tuple(map(_line, alone)), _hints(alone), apart=True)
    return _conflict(alone[0] if alone else Derivation(facts, minimise(facts, refutation)))


def _conflict(derivation: Derivation) -> Conflict:
    sentences = [
        *_course(derivation),
        *_restrictions(derivation),
        *_all_ends(derivation),
    ]
    roots = tuple(root.root for root in derivation.roots)
    return Conflict(roots, tuple(sentences), _hint(derivation))


def _line(derivation: Derivation) -> str:
    """Say in one line where a root stands that fails by itself, and why it does."""
    root = derivation.roots[0].root
    why = " ".join([*_restrictions(derivation), *_all_ends(derivation)])
    asked = worded(root.requirement)
    return f"{asked} ({_label(root)}): {why}" if root.at is None else f"{root.at}: {asked}: {why}"


def _course(derivation: Derivation) -> Iterator[str]:
    """Tell what the file asks for, and what follows; in one sentence where that is short."""
    opening = _opening(derivation)
    plain = plain_links(derivation)
    links = [_told(derivation, link) for link in plain]
    if len(links) == 1 and len(derivation.asked(plain[0].child)) > 1:
        yield f"{opening}, but {links[0]}."
        return
    yield f"{opening}."
    if links:
        for link in links:
            yield f"E{link[1:]}." if link.startswith("every ") else f"{link}."
    elif len(derivation.roots) > 1 and not derivation.links:
        yield f"No version of {derivation.names[0]} satisfies all of that."


def _opening(derivation: Derivation) -> str:
    asked = [(worded(root.root.requirement), _label(root.root)) for root in derivation.roots]
    labels = {label for _, label in asked}
    if len(labels) == 1:
        return f"The file asks for {listed([text for text, _ in asked])} ({labels.pop()})"
    return f"The file asks for {listed([f'{text} ({label})' for text, label in asked])}"


def _label(root: Root) -> str:
    if root.runtime is not None:
        return f"runtimes: {{{root.runtime.family}: {root.runtime.implementation}}}"
    return "dependencies" if root.group is None else f"group {root.group}"


def _told(derivation: Derivation, link: Link) -> str:
    """Say what the options of a name need, as one clause."""
    possible = derivation.possible(link.parent)
    saying = {text: mask & possible for text, mask in link.saying.items() if mask & possible}
    saying = saying or link.saying
    said = 0
    for mask in saying.values():
        said |= mask
    parent = link.parent if link.extra is None else f"{link.parent}[{link.extra}]"
    versions = _versions(derivation, link.parent, said)
    if len(saying) > WORDINGS_SHOWN:
        return f"{parent} {_in_sum(derivation, link, list(saying), versions)}"
    if len(saying) == 1 and said == possible and versions.plural and versions.unbroken:
        from_to = f"from {versions.text}" if " to " in versions.text else f"({versions.text})"
        return f"every {parent} {from_to} needs {next(iter(saying))}"
    clauses = []
    for wording, mask in saying.items():
        some = _versions(derivation, link.parent, mask)
        clauses.append(f"{parent} {some.text} {some.agreeing('needs', 'need')} {wording}")
    return clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])}, and {clauses[-1]}"


def _in_sum(derivation: Derivation, link: Link, wordings: Sequence[str], versions: Versions) -> str:
    """Say what many wordings come to: ``1.0 to 1.9 need core between 1.0 and 1.9``."""
    admitted = union(link.demands[wording] for wording in wordings)
    options = derivation.facts.package(link.child).options
    found = [options[option].version for option in bits(admitted)]
    need = versions.agreeing("needs", "need")
    span = f"{wordings[-1]} … {wordings[0]}"
    if not found:
        return f"{versions.text} {need} {span}"
    return f"{versions.text} {need} {link.child} between {min(found)} and {max(found)} ({span})"


def _versions(derivation: Derivation, name: PackageName, mask: int) -> Versions:
    options = derivation.facts.package(name).options
    some = {options[option].version for option in bits(mask)}
    return ranged(some, (option.version for option in options))


def _restrictions(derivation: Derivation) -> Iterator[str]:
    """Quote overrides and constraints that take part."""
    facts = derivation.facts
    for name in derivation.names:
        if name in facts.removed:
            yield removal_told(facts.problem, name)
        if name in facts.overrides and derivation.asked(name):
            yield f"The overrides make every requirement on {name} {facts.overrides[name]}."
        if derivation.is_constrained(name) and not is_family(derivation, name):
            yield f"The constraints allow only {name} {facts.constraints[name]}."


def _all_ends(derivation: Derivation) -> Iterator[str]:
    for name in derivation.names:
        yield from _ends(derivation, name)


def _ends(derivation: Derivation, name: PackageName) -> Iterator[str]:
    """Say what there is of a name, and why the rest of it cannot be chosen."""
    if is_family(derivation, name):
        yield from family_sentences(derivation, name)
        return
    if name in derivation.facts.removed:
        return
    yield from _refusals(derivation, name)
    if YankedOrigin(name) in derivation.origins:
        yield from _yanked(derivation, name)
    offer = derivation.facts.package(name).offer
    if offer is not None and offer.index is None:
        if offer.reserved:
            yield f"{name} is reserved for {listed(offer.asked)}, which does not have it."
        else:
            yield f"No index has {name} (asked: {', '.join(offer.asked) or 'none'})."
        return
    quoted = derivation.would_do(name)
    yield from _exclusions(derivation, name, quoted)
    if not quoted and derivation.finds_nothing(name):
        yield _what_there_is(derivation, name)


def _refusals(derivation: Derivation, name: PackageName) -> Iterator[str]:
    """Say which options their own metadata rules out."""
    facts, target = derivation.facts, derivation.facts.problem.target
    extras = [
        o.extra for o in derivation.origins if isinstance(o, RefusedOrigin) and o.name == name
    ]
    for extra in sorted(extras, key=str):
        subject = name if extra is None else f"{name}[{extra}]"
        reasons: dict[tuple[str, str], int] = {}
        for option in bits(derivation.possible(name)):
            node = (name, option, extra)
            refusal = facts.demands(node) if facts.is_known(node) else ()
            if not isinstance(refusal, tuple):
                one = refused_because(refusal, target, plural=False)
                many = refused_because(refusal, target, plural=True)
                reasons[one, many] = reasons.get((one, many), 0) | 1 << option
        for (one, many), mask in reasons.items():
            versions = _versions(derivation, name, mask)
            yield f"{subject} {versions.text} {versions.agreeing(one, many)}."


def _yanked(derivation: Derivation, name: PackageName) -> Iterator[str]:
    package = derivation.facts.package(name)
    by_reason: dict[str, int] = {}
    for option in bits(derivation.fitting(name) & package.needs_pin):
        candidate = package.options[option]
        if isinstance(candidate, WheelCandidate):
            reason = (candidate.yanked or "").strip()
            by_reason[reason] = by_reason.get(reason, 0) | 1 << option
    for reason, mask in by_reason.items():
        versions = _versions(derivation, name, mask)
        was = versions.agreeing("was", "were")
        why = f" ({reason})" if reason else ""
        yield f"{name} {versions.text} {was} yanked{why}, and nothing pins it by ==."


def _exclusions(
    derivation: Derivation, name: PackageName, quoted: Iterable[Withheld]
) -> Iterator[str]:
    package, target = derivation.facts.package(name), derivation.facts.problem.target
    every = [option.version for option in package.options]
    every += [withheld.version for withheld in package.withheld]
    for alike in _by_kind(quoted):
        versions = ranged({withheld.version for withheld in alike}, every)
        reasons = [withheld.reason for withheld in alike]
        because = withheld_because(reasons, target, plural=versions.plural)
        yield f"{name} {versions.text} {versions.agreeing('exists', 'exist')} but {because}."


def _by_kind(quoted: Iterable[Withheld]) -> list[list[Withheld]]:
    """Group reasons that one clause can tell: a kind, and for texts of their own the text."""
    kinds: dict[object, list[Withheld]] = {}
    for withheld in quoted:
        reason = withheld.reason
        text = getattr(reason, "reason", None) or getattr(reason, "requires_python", None)
        kinds.setdefault((type(reason), text), []).append(withheld)
    return list(kinds.values())


def _what_there_is(derivation: Derivation, name: PackageName) -> str:
    package = derivation.facts.package(name)
    index = package.offer.index if package.offer is not None else None
    if not package.options:
        return f"{index} has nothing of {name} for this environment."
    versions = ranged({option.version for option in package.options}, ())
    usable = " for this environment" if package.withheld else ""
    return f"{index or 'The URL'} has {name} {versions.text}{usable}."


def _hints(alone: Sequence[Derivation]) -> str | None:
    """Join the hints of roots that fail each by itself; unknown names have one for all."""
    unknown = [each.names[0] for each in alone if _is_unknown(each, each.names[0])]
    others = [_hint(each) for each in alone if each.names[0] not in unknown]
    spelling = [_spelling_hint(list(dict.fromkeys(unknown)))] if unknown else []
    return "; ".join(dict.fromkeys([*spelling, *filter(None, others)])) or None


def _is_unknown(derivation: Derivation, name: PackageName) -> bool:
    """Whether every index was asked for a name in vain."""
    offer = derivation.facts.package(name).offer
    return offer is not None and offer.index is None and not offer.reserved


def _spelling_hint(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"check how {names[0]} is spelt, or add an index that has it"
    return f"check how {listed(names)} are spelt, or add an index that has them"


def _hint(derivation: Derivation) -> str | None:
    for name in derivation.names:
        if is_family(derivation, name):
            return family_hint(derivation, name)
        if name in derivation.facts.removed:
            return f"Take {name} out of `overrides`, or choose otherwise under `runtimes`"
        offer = derivation.facts.package(name).offer
        if offer is not None and offer.reserved and offer.index is None:
            return f"check how {name} is spelt, or which names {listed(offer.asked)} reserves"
        if _is_unknown(derivation, name):
            return _spelling_hint([name])
        if YankedOrigin(name) in derivation.origins:
            return f"pin {name} with == if it must be a yanked version"
        quoted = derivation.would_do(name) if derivation.fitting(name) == 0 else []
        kinds = {type(withheld.reason) for withheld in quoted}
        if PrereleaseNotAllowed in kinds:
            return f"allow its pre-releases with `prereleases: {{allow: [{name}]}}`"
        if UploadedTooLate in kinds:
            return "move exclude-newer to a later day"
    return None
