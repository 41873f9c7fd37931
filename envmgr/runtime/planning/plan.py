"""Decide which copies of shared runtimes give way to which library.

A pure function of manifests, recipes and the choices of the environment file. A copy
gives way only to a library that has everything its consumers ask for; where that is
not so, the package keeps its copy, and the plan says why.
"""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from msgspec.structs import replace

from envmgr.runtime.planning.forwarder import Forwarder, SymbolsOf, Wishes, machine_of
from envmgr.runtime.planning.memory import FORGETFUL, Memory, RememberingForwarder
from envmgr.runtime.planning.servers import Server, choose_servers
from envmgr.runtime.planning.survey import Copy, FileOf, Survey
from envmgr.runtime.planning.types import (
    APART,
    UNUSED,
    FamilyPlan,
    Kept,
    Replaced,
    RuntimePlan,
    Target,
    Written,
)
from envmgr.runtime.types import (
    EQUAL,
    HOST,
    PRESENT,
    VENDORED,
    Choice,
    Family,
    Implementation,
    Library,
    RuntimeCatalog,
)
from envmgr.wheel.manifest import Manifest


def plan_runtimes(
    catalog: RuntimeCatalog,
    choices: Mapping[str, Choice],
    manifests: Iterable[Manifest],
    symbols_of: SymbolsOf,
    memory: Memory = FORGETFUL,
) -> RuntimePlan:
    """Plan for every family of the catalog; one without a choice is automatic.

    ``symbols_of`` reads the symbols of a library, and is asked for a BLAS alone, where
    ``memory`` does not know what follows from them; raises what that raises.
    """
    planning = _Planning(Survey(catalog, manifests), symbols_of, memory)
    for family in sorted(catalog.families, key=_asks_for_others):
        planning.add(family, choices.get(family.name, Choice()))
    return planning.finish()


def _asks_for_others(family: Family) -> bool:
    """Tell whether anything of a family depends on what serves another."""
    return any(each.needs or any(_conditions(each)) for each in family.implementations)


def _conditions(implementation: Implementation) -> Iterator[Mapping[str, str]]:
    yield from (each.when for each in implementation.variables)
    yield from (each.when for each in implementation.fork)
    yield from (part.when for provided in implementation.provides for part in provided.parts)


class _Planning:
    """A plan on its way; families that others ask for come before those."""

    def __init__(self, survey: Survey, symbols_of: SymbolsOf, memory: Memory) -> None:
        self._survey = survey
        self._forwarder = RememberingForwarder(Forwarder(survey, symbols_of), survey, memory)
        self._plans: list[FamilyPlan] = []
        self._replaced: dict[FileOf, Target] = {}
        self._serving: dict[str, FileOf] = {}
        self._standing: dict[str, FileOf] = {}
        self._variables: dict[str, str] = {}
        self._chosen: dict[str, str] = {}
        self._asked: set[str] = set()

    def add(self, family: Family, choice: Choice) -> None:
        """Decide one family."""
        copies = self._survey.copies_of(family)
        mine = tuple(copy for copy in copies if copy.file.package not in choice.apart)
        decided: list[Replaced | Kept] = [
            Kept(copy.file, APART) for copy in copies if copy.file.package in choice.apart
        ]
        wish = choice.implementation or family.automatic or VENDORED
        servers: tuple[Server, ...] = ()
        serving: set[FileOf] = set()
        if wish == EQUAL:
            equal = [*_unify_equal(mine)]
            serving = {target for _, target in equal}
            decided += (Replaced(file, target) for file, target in equal)
        elif wish != VENDORED and wish != HOST:
            implementation, servers = self._serve(family, choice, mine)
            wish = implementation.name if servers or wish != PRESENT else VENDORED
            if servers or choice.implementation is not None:
                decided += self._unify(implementation, servers, mine)
            self._settle(family, implementation, servers)
            serving = {each.file for each in servers}
            gone = {each.file for each in decided if isinstance(each, Replaced)}
            decided += (
                each for each in self._sheltered(family, servers, choice) if each.file not in gone
            )
        replaced = tuple(each for each in decided if isinstance(each, Replaced))
        self._replaced |= {each.file: each.target for each in replaced}
        if copies or servers or wish == HOST:
            self._plans.append(
                FamilyPlan(
                    family=family.name,
                    implementation=wish,
                    by_file=choice.implementation is not None,
                    servers=tuple(sorted(serving)),
                    replaced=replaced,
                    kept=tuple(each for each in decided if isinstance(each, Kept)),
                )
            )

    def _serve(
        self, family: Family, choice: Choice, copies: tuple[Copy, ...]
    ) -> tuple[Implementation, tuple[Server, ...]]:
        """Return the implementation that serves, with its libraries.

        An automatic one of which nothing is there gives way to one of which something is.
        """
        wish = choice.implementation or family.automatic
        ordered = sorted(family.implementations, key=lambda each: each.name != wish)
        first, *others = [(each, choose_servers(each, copies, self._survey)) for each in ordered]
        if first[1] or choice.implementation is not None:
            return first
        return next((each for each in others if each[1]), first)

    def _unify(
        self, implementation: Implementation, servers: tuple[Server, ...], copies: tuple[Copy, ...]
    ) -> Iterator[Replaced | Kept]:
        serving = {server.file for server in servers}
        wheels = {server.file.package for server in servers if server.provided.file}
        for copy in copies:
            server = next(
                (each for each in servers if copy.library.name in each.provided.stands_for), None
            )
            if copy.file in serving or (server is None and copy.file.package in wheels):
                continue
            if server is not None:
                yield self._decide(copy, server, implementation)
            elif servers:
                name = copy.library.name
                reason = f"{implementation.name} does not stand in for copies of {name}"
                yield Kept(copy.file, reason)
            else:
                yield Kept(copy.file, f"{implementation.name} is in no package")

    def _sheltered(
        self, family: Family, servers: tuple[Server, ...], choice: Choice
    ) -> Iterator[Replaced]:
        """Yield what brings a shared library to those who look for it in the system.

        Nothing but the library itself is brought, so a BLAS must spell as they expect.
        """
        for server in servers:
            for library in family.libraries:
                spelt = library.spelling is None or library.spelling in server.spellings
                if spelt and library.name in server.provided.stands_for:
                    yield from self._sheltered_by(server, library, choice)

    def _sheltered_by(self, server: Server, library: Library, choice: Choice) -> Iterator[Replaced]:
        for file, names in self._survey.exposed(library).items():
            machine = machine_of(self._survey.facts(file))
            if machine is None or file.package in choice.apart or file == server.file:
                continue
            self._serving |= dict.fromkeys(names, server.file)
            before = self._replaced.get(file)
            if before is None:
                before = Written(machine=machine, soname=file.filename, needed=file, needed_as=None)
            if isinstance(before, Written) and before.needed == file:
                names = (*before.names, *(each for each in names if each not in before.names))
                yield Replaced(file, replace(before, names=names))

    def _decide(
        self, copy: Copy, server: Server, implementation: Implementation
    ) -> Replaced | Kept:
        survey = self._survey
        facts = survey.facts(server.file)
        if (copy.facts.machine, copy.facts.bits) != (facts.machine, facts.bits):
            return Kept(copy.file, f"{server.file} is for {facts.machine} with {facts.bits} bits")
        if copy.sha256 == survey.sha256(server.file):
            return Replaced(copy.file, server.file)
        lacking = survey.wanted_versions(copy) - frozenset(facts.defined_versions)
        if lacking:
            return Kept(copy.file, f"{server.file} lacks {', '.join(sorted(lacking))}")
        if not survey.is_self_sufficient(server.file):
            return Kept(copy.file, f"{server.file} needs what only its own package finds")
        if copy.library.spelling is None:
            return Replaced(copy.file, server.file)
        written = self._forwarder.write(copy, server, self._wishes(implementation, server))
        return written if isinstance(written, Kept) else Replaced(copy.file, written)

    def _settle(
        self, family: Family, implementation: Implementation, servers: tuple[Server, ...]
    ) -> None:
        """Note what an implementation that serves means for the families that follow."""
        if not servers:
            return
        self._chosen[family.name] = implementation.name
        self._asked |= {each.library for each in implementation.needs if self._holds(each.when)}
        for variables in implementation.variables:
            if self._holds(variables.when):
                self._variables |= variables.values
        for server in servers:
            soname = self._survey.facts(server.file).soname
            name = server.provided.copy_of or soname or server.file.filename
            self._serving |= dict.fromkeys((name, *server.provided.stands_for), server.file)
            if server.provided.copy_of.startswith("lib") and not family.support:
                self._standing[name] = server.file

    def _wishes(self, implementation: Implementation, server: Server) -> Wishes:
        """Return what an implementation needs beside the library that serves."""
        needs = [each.library for each in implementation.needs if self._holds(each.when)]
        files = self._survey.libraries_of(server.file.package)
        return Wishes(
            names={name: self._serving[name] for name in needs if name in self._serving},
            parts=tuple(
                file
                for part in server.provided.parts
                if self._holds(part.when)
                for file in files
                if fnmatchcase(file.path, part.file)
            ),
            fork=tuple(each for each in implementation.fork if self._holds(each.when)),
        )

    def _holds(self, when: Mapping[str, str]) -> bool:
        return all(self._chosen.get(family, VENDORED) == name for family, name in when.items())

    def finish(self) -> RuntimePlan:
        """Return the plan."""
        self._replaced = {
            file: self._through(file, target) for file, target in self._replaced.items()
        }
        return RuntimePlan(
            families=tuple(sorted(map(self._told, self._plans), key=lambda plan: plan.family)),
            replaced=dict(sorted(self._replaced.items(), key=lambda item: item[0])),
            added=dict(sorted(self._added())),
            standing=dict(sorted(self._standing.items())),
            variables=dict(sorted(self._variables.items())),
        )

    def _told(self, plan: FamilyPlan) -> FamilyPlan:
        told = [replace(e, reason=UNUSED) if self._is_unused(e.file) else e for e in plan.kept]
        return replace(plan, kept=tuple(told))

    def _is_unused(self, file: FileOf) -> bool:
        """Whether a file is of an implementation that nobody asks for beyond its wheel.

        It is there for one that asks for what serves instead: MKL's wheel requires Intel's OpenMP.
        """
        copy = self._survey.copy(file)
        wheels = (each.wheel.name for each in copy.family.implementations if each.wheel)
        asked = any(library.name in self._asked for library in copy.family.libraries)
        beyond = (each.package for each in self._survey.consumers(copy))
        return asked and file.package in wheels and set(beyond) <= {file.package}

    def _through(self, file: FileOf, target: Target) -> Target:
        """Lead to what loads other families' libraries before a library, if anything does."""
        before = self._replaced.get(target) if isinstance(target, FileOf) else None
        if not isinstance(before, Written):
            return target
        beside = f"{before.needed.filename}.shared"  # its own name may be that of the copy
        return replace(before, soname=file.filename, needed_as=beside)

    def _added(self) -> Iterator[tuple[FileOf, FileOf]]:
        """Yield further names for what shared libraries ask for beside themselves.

        A library that is found by a link looks for others beside that link.
        """
        for copy, target in self._replaced.items():
            wanted: list[tuple[str, FileOf | None]]
            if isinstance(target, Written):
                wanted = [(name, self._serving.get(name)) for name in target.names]
                beside = self._survey.is_copy(target.needed) or target.needed in self._replaced
                if beside and target.needed_as is not None:
                    wanted.append((target.needed_as, target.needed))
            else:
                wanted = [*self._survey.needs_beside(target)]
            for name, found in self._with_needs(wanted):
                place = FileOf(copy.package, f"{copy.directory}/{name}")
                if not self._survey.has(place):
                    yield place, found

    def _with_needs(
        self, wanted: Iterable[tuple[str, FileOf | None]]
    ) -> Iterator[tuple[str, FileOf]]:
        """Yield names and what they lead to, and what each of these asks for beside itself."""
        waiting = [*wanted]
        seen = set()
        for name, found in waiting:
            if found is not None and name not in seen:
                seen.add(name)
                end = self._end_of(found)
                yield name, end
                waiting += self._survey.needs_beside(end)

    def _end_of(self, file: FileOf) -> FileOf:
        target = self._replaced.get(file)
        return target if isinstance(target, FileOf) else file


def _unify_equal(copies: Iterable[Copy]) -> Iterator[tuple[FileOf, FileOf]]:
    """Yield copies with the first of those that are equal to them, byte by byte: it serves."""
    first: dict[str, FileOf] = {}
    for copy in copies:
        server = first.setdefault(copy.sha256, copy.file)
        if server != copy.file:
            yield copy.file, server
