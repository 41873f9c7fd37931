"""Laws of plans for shared runtimes, whatever packages bring along."""

import hashlib
from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from envmgr.link.compose import Exchange, compose
from envmgr.names import PackageName
from envmgr.runtime.planning.plan import plan_runtimes
from envmgr.runtime.planning.survey import FileOf, Survey
from envmgr.runtime.planning.types import FamilyPlan, RuntimePlan, Written
from envmgr.runtime.recipes.catalog import read_catalog
from envmgr.runtime.types import VENDORED, Choice
from envmgr.wheel.manifest import ElfFacts, Manifest
from envmgr.wheel.reach import search_places
from envmgr.wheel.symbols import Symbols
from tests.support.packages import elf, laid_package, package

CATALOG = read_catalog()
VERSIONS = ("V_1", "V_2", "V_3")
NAMES = ("a", "b", "c", "d", "e")

some_versions = st.lists(st.sampled_from(VERSIONS), max_size=3, unique=True)


@st.composite
def copies(draw: st.DrawFn, home: str, stem: str, end: str) -> tuple[ElfFacts, str]:
    """A copy in ``home`` with a name that tells its content, as auditwheel gives it."""
    defines = sorted(draw(some_versions))
    build = draw(st.sampled_from(["x", "y"]))
    machine = draw(st.sampled_from(["x86_64", "x86_64", "x86_64", "aarch64"]))
    content = hashlib.sha256(f"{stem} {defines} {build} {machine}".encode()).hexdigest()
    plain = draw(st.integers(0, 5)) == 0
    name = f"{stem}{end}" if plain else f"{stem}-{content[:8]}{end}.0.0"
    needs = draw(st.sampled_from([(), (), ("libsecret.so.1",), ("libgomp.so.1",)]))
    library = elf(
        f"{home}/{name}", needed=needs, defines=defines, runpath=["$ORIGIN"], machine=machine
    )
    return library, content


@st.composite
def manifests(draw: st.DrawFn, name: str) -> Manifest:
    home = f"site-packages/{name}.libs"
    found: dict[str, tuple[ElfFacts, str]] = {}
    for stem, end in (("libgomp", ".so.1"), ("libgfortran", ".so.5"), ("libquadmath", ".so.0"),
                      ("libscipy_openblas", ".so")):  # fmt: skip
        if draw(st.booleans()):
            library, content = draw(copies(home, stem, end))
            found[library.path] = (library, content)
    wants = {path.rpartition("/")[2]: draw(some_versions) for path in found}
    if draw(st.integers(0, 3)) == 0:
        wants["libgomp.so.1"] = []
    core = elf(f"site-packages/{name}/_core.so", soname="", wants=wants,
               runpath=[f"$ORIGIN/../{name}.libs"])  # fmt: skip
    contents = {path: content for path, (_, content) in found.items()}
    return package(name, core, *(library for library, _ in found.values()), contents=contents)


environments = st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True).flatmap(
    lambda names: st.tuples(*(manifests(name) for name in names))
)
choices = st.fixed_dictionaries(
    {},
    optional={
        "openmp": st.sampled_from([Choice(), Choice("gnu"), Choice(VENDORED), Choice("llvm"),
                                   Choice(apart=frozenset({PackageName("a")}))]),
        "gfortran": st.just(Choice(VENDORED)),
    },
)  # fmt: skip


def no_symbols(file: FileOf) -> Symbols:
    raise AssertionError(f"nobody needs the symbols of {file}")


def planned(manifests: tuple[Manifest, ...], chosen: Mapping[str, Choice]) -> RuntimePlan:
    return plan_runtimes(CATALOG, chosen, manifests, no_symbols)


def files_of(manifests: tuple[Manifest, ...]) -> frozenset[FileOf]:
    return frozenset(FileOf(each.name, file.path) for each in manifests for file in each.files)


@settings(max_examples=150, deadline=None)
@given(environments, choices, st.randoms(use_true_random=False))
def test_the_order_of_packages_counts_for_nothing(
    manifests: tuple[Manifest, ...], chosen: Mapping[str, Choice], random: object
) -> None:
    shuffled = list(manifests)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert planned(tuple(shuffled), chosen) == planned(manifests, chosen)


def is_its_own(file: FileOf, target: FileOf | Written) -> bool:
    """Whether a library only has others loaded before itself."""
    return isinstance(target, Written) and target.needed == file


@settings(max_examples=200, deadline=None)
@given(environments, choices)
def test_what_takes_a_place_is_there_and_gave_way_to_nobody(
    manifests: tuple[Manifest, ...], chosen: Mapping[str, Choice]
) -> None:
    made = planned(manifests, chosen)
    there = files_of(manifests)
    for file, target in made.replaced.items():
        assert file in there
        if isinstance(target, Written):
            assert target.needed in there
            beyond = made.replaced.get(target.needed)
            assert target.needed == file or beyond is None or is_its_own(target.needed, beyond)
            beside = [FileOf(file.package, f"{file.directory}/{name}") for name in target.names]
            assert all(each in made.added or each in there for each in beside)
        else:
            assert target != file
            assert target in there
            assert target not in made.replaced
    for place, target in made.added.items():
        assert place not in there
        assert target in there
        assert not isinstance(made.replaced.get(target), FileOf)


@settings(max_examples=200, deadline=None)
@given(environments, choices)
def test_what_takes_a_place_has_all_that_is_asked_for_there(
    manifests: tuple[Manifest, ...], chosen: Mapping[str, Choice]
) -> None:
    made = planned(manifests, chosen)
    survey = Survey(CATALOG, manifests)
    for copy in survey.copies:
        target = made.replaced.get(copy.file)
        end = target.needed if isinstance(target, Written) else target
        if end is None or end == copy.file:
            continue
        facts = survey.facts(end)
        assert facts.machine == copy.facts.machine
        same = survey.sha256(end) == copy.sha256
        assert same or survey.wanted_versions(copy) <= frozenset(facts.defined_versions)


@settings(max_examples=200, deadline=None)
@given(environments, choices)
def test_every_copy_serves_gives_way_or_stays_with_a_reason(
    manifests: tuple[Manifest, ...], chosen: Mapping[str, Choice]
) -> None:
    made = planned(manifests, chosen)
    survey = Survey(CATALOG, manifests)
    plans: dict[str, FamilyPlan] = {each.family: each for each in made.families}
    for copy in survey.copies:
        plan = plans[copy.family.name]
        fates = [
            copy.file in plan.servers,
            copy.file in {e.file for e in plan.replaced if _gives_way(e.target, copy.file)},
            copy.file in {each.file for each in plan.kept},
        ]
        if plan.implementation in (VENDORED, "equal"):
            assert sum(fates) <= 1
        else:
            assert sum(fates) == 1, (copy.file, plan)


def _gives_way(target: FileOf | Written, file: FileOf) -> bool:
    """Whether it is another library that stands there, and not itself with others before it."""
    return not (isinstance(target, Written) and target.needed == file)


@settings(max_examples=200, deadline=None)
@given(environments, choices)
def test_whoever_looks_where_something_is_exchanged_stands_in_the_composition(
    manifests: tuple[Manifest, ...], chosen: Mapping[str, Choice]
) -> None:
    made = planned(manifests, chosen)
    for manifest in manifests:
        exchange = Exchange(
            links={file.path: "/x" for file in (*made.replaced, *made.added)
                   if file.package == manifest.name}
        )  # fmt: skip
        if not exchange.links:
            continue
        composition = compose(laid_package(manifest), exchange)
        changed = {path.rpartition("/")[0] for path in exchange.links}
        for facts in manifest.elf:
            if changed & {"/".join(place) for place in search_places(facts)}:
                assert facts.path in composition.paths
        parents = {path.rpartition("/")[0] for path in composition.paths} - {""}
        assert parents <= set(composition.directories)
        assert set(exchange.links) <= composition.paths
