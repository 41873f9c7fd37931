"""Random problems, small enough to exhaust: cycles, extras, constraints and all the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from envmgr.runtime.wheels import RuntimeFamily
from tests.support.universe import make_family
from tests.support.values import replace

NAMES = "abcdefghijklmnopqrstuvwxyz"
EXTRAS = ("x", "y")
SPECIFIERS = (
    "", ">=2", ">=1", "<=2", "<2", "==1", "==2", "!=2", "!=1", "!=3", ">1", "<3", "<4", "<=1",
    ">=2", "<=3", ">=3", "~=2.0", "==2.*", ">=1.5,<3", "==3", "===2",
)  # fmt: skip
MARKERS = (
    'python_version >= "3.8"', 'python_version < "3.0"', 'sys_platform == "linux"',
    'sys_platform == "win32"', 'os_name == "posix" and python_version < "4"',
)  # fmt: skip
ODD_MARKERS = (
    'extra == "x" or extra == "y"', 'extra == "x" and sys_platform == "win32"',
    'sys_platform == "win32" or extra == "y"', 'extra != "x"',
    '"x" == extra', "extra == 'X' and (os_name == 'posix' or os_name == 'nt')",
)  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """How large and how odd: probabilities are per version or per requirement."""

    names: int = 5
    versions: int = 3
    needs: int = 3
    roots: int = 3
    specified: float = 0.8
    extras: float = 0.15
    markers: float = 0.1
    prereleases: float = 0.05
    yanked: float = 0.05
    broken: float = 0.03
    restricted: float = 0.15
    direct: float = 0.06
    acyclic: bool = False
    specifiers: tuple[str, ...] = SPECIFIERS


@dataclass(frozen=True)
class Case:
    """A universe as text, and what is asked of it, as keywords of ``make_problem``."""

    text: str
    dependencies: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    constraints: tuple[str, ...]
    overrides: tuple[str, ...]
    prereleases: tuple[str, ...]
    preferred: dict[str, str]
    families: tuple[RuntimeFamily, ...] = ()


def random_shape(random: Random) -> Shape:
    """Anything between small and dense, and nothing odd in half of the cases."""
    shape = Shape(
        names=random.randint(3, 7),
        versions=random.randint(2, 5),
        needs=random.randint(1, 4),
        roots=random.randint(1, 3),
        specified=random.choice((0.4, 0.6, 0.9)),
        extras=random.choice((0.0, 0.15, 0.4)),
    )
    if random.random() < 0.5:
        return replace(shape, markers=0, prereleases=0, yanked=0, broken=0, restricted=0, direct=0)
    if random.random() < 0.3:
        return replace(shape, yanked=0.4)
    return shape


def random_case(random: Random, shape: Shape) -> Case:
    names = NAMES[: shape.names]
    lines: list[str] = []
    for position, name in enumerate(names):
        for version in _versions(random, shape):
            below = names[position + 1 :] if shape.acyclic else names
            lines.append(_release(random, shape, name, version, below))
    dependencies = [
        _requirement(random, shape, random.choice(names))
        for _ in range(random.randint(1, shape.roots))
    ]
    if random.random() < shape.direct:
        dependencies[0] = _direct(random, shape, names, lines)
    groups = (
        {"test": (_requirement(random, shape, random.choice(names)),)}
        if random.random() < 0.3
        else {}
    )
    return Case(
        "\n".join(lines),
        tuple(dependencies),
        groups,
        _restrictions(random, shape, names),
        _restrictions(random, shape, names),
        (random.choice(names),) if random.random() < 0.1 else (),
        {random.choice(names): "1"} if random.random() < 0.1 else {},
    )


def with_families(random: Random, shape: Shape, case: Case) -> Case:
    """Let some of the names be shared runtimes, of one family or two."""
    names = NAMES[: shape.names]
    count = 2 if random.random() < 0.3 else 1
    families = tuple(_family(random, f"family{number}", names) for number in range(count))
    return replace(case, families=families)


def _family(random: Random, name: str, names: str) -> RuntimeFamily:
    members = random.sample(names, random.randint(2, min(4, len(names))))
    served = [f"like-{wheel}" for wheel in members]
    if random.random() < 0.2:
        served[-1] = served[0]
    bound = random.sample(names, 2) if random.random() < 0.3 else []
    chosen = random.choice([*served, "host"]) if random.random() < 0.4 else None
    wheel = members[served.index(chosen)] if chosen in served else None
    return make_family(
        name,
        dict(zip(members, served, strict=True)),
        chosen=chosen,
        wanted=f"{wheel}>=1" if wheel is not None and random.random() < 0.8 else None,
        works_with={
            f"{each} {random.choice(('', '', '>=2', '<2'))}": random.sample(
                [*served, "host"], random.randint(1, 2)
            )
            for each in bound
        },
        exclusive=random.random() < 0.85,
    )


def _versions(random: Random, shape: Shape) -> list[str]:
    versions = [str(number + 1) for number in range(random.randint(1, shape.versions))]
    if random.random() < shape.prereleases * 4:
        versions.append(f"{len(versions) + 1}rc1")
    if random.random() < shape.prereleases:
        versions = [f"{version}a1" for version in versions if "rc" not in version]
    if random.random() < 0.05:
        versions.append("2+local")
    return versions


def _release(random: Random, shape: Shape, name: str, version: str, below: str) -> str:
    flags = ""
    if random.random() < shape.yanked:
        flags += " yanked(spoilt)"
    if random.random() < shape.broken:
        flags += " broken(no METADATA)"
    if random.random() < shape.broken:
        flags += " python(<3)"
    needs = [
        _need(random, shape, random.choice(below))
        for _ in range(random.randint(0, shape.needs))
        if below
    ]
    return f"{name} {version}{flags}{': ' if needs else ''}{' | '.join(needs)}"


def _need(random: Random, shape: Shape, name: str) -> str:
    text = _requirement(random, shape, name)
    if random.random() < shape.broken and shape.direct:
        text = f"{name} @ https://files.example.org/{name}-1-py3-none-any.whl"
    if random.random() < shape.extras:
        if random.random() < 0.4 and ";" not in text:
            return f"{text} ; {random.choice(ODD_MARKERS)}"
        return f"[{random.choice(EXTRAS)}] {text}"
    return text


def _requirement(random: Random, shape: Shape, name: str) -> str:
    text = name
    if random.random() < shape.extras:
        wanted = random.sample(EXTRAS, random.randint(1, 2))
        text += f"[{','.join(wanted)}]"
    if random.random() < shape.specified:
        text += random.choice(shape.specifiers)
    if random.random() < shape.prereleases / 2:
        text = f"{name} >=2rc1"
    if random.random() < shape.markers:
        text += f" ; {random.choice(MARKERS)}"
    return text


def _direct(random: Random, shape: Shape, names: str, lines: list[str]) -> str:
    name = random.choice(names)
    url = f"https://files.example.org/{name}-1-py3-none-any.whl"
    needs = [_need(random, shape, random.choice(names)) for _ in range(random.randint(0, 2))]
    version = random.choice("123")
    lines.append(f"{name} {version} = {url}{': ' if needs else ''}{' | '.join(needs)}")
    return f"{name} @ {url}"


def _restrictions(random: Random, shape: Shape, names: str) -> tuple[str, ...]:
    if random.random() >= shape.restricted:
        return ()
    plain = replace(shape, extras=0)
    count = random.randint(1, 2)
    return tuple(_requirement(random, plain, random.choice(names)) for _ in range(count))
