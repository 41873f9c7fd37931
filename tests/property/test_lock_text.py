"""Laws of the lock as text."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from packaging.pylock import Pylock

from envmgr.lock.errors import LockUnreadable
from envmgr.lock.pylock import parse_lock, render_lock
from envmgr.lock.toml import render_key, render_lines, render_value
from envmgr.lock.types import Lock, LockConditions, LockedPackage, LockedRuntime, LockedWheel
from envmgr.names import ExtraName, GroupName, IndexName, PackageName
from envmgr.resolve.types import MarkerOutcome

PATH = Path("pylock.toml")

texts = st.text(st.characters(exclude_categories=["Cs"]))
said = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
names = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,3})?", fullmatch=True)
instants = st.integers(-(10**9), 3 * 10**10).flatmap(
    lambda seconds: st.integers(0, 999_999).map(
        lambda micro: datetime.fromtimestamp(seconds, UTC).replace(microsecond=micro)
    )
)
digests = st.text("0123456789abcdef", min_size=64, max_size=64)
versions = st.sampled_from(["1.0", "2.4.6", "0.1.dev3+cpu.1", "1!3.0rc1"])
tags = st.sampled_from(
    ["py3-none-any", "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64", "cp39-abi3-any"]
)
markers = st.sampled_from(
    ['sys_platform == "win32"', "python_version >= '3.9'", 'os_name != "nt" and extra == "io"']
)


@st.composite
def wheels(draw: st.DrawFn, name: str, version: str) -> LockedWheel:
    filename = f"{name.replace('-', '_')}-{version}-{draw(tags)}.whl"
    place = draw(
        st.sampled_from(
            [
                f"https://files.example.org/a b/{filename}",
                f"https://files.example.org/{filename.replace('+', '%2B')}?x=1#y",
                f"../wheels/é '\"/{filename}",
                f"/opt/wheels/{filename}",
                "https://example.org/download",
                "https://example.org/${ENVMGR_TOKEN}/" + filename,
            ]
        )
    )
    return LockedWheel(
        filename=filename,
        location=place,
        sha256=draw(digests),
        size=draw(st.none() | st.integers(0, 2**60)),
        upload_time=draw(st.none() | instants),
    )


@st.composite
def packages(
    draw: st.DrawFn, name: str, groups: tuple[GroupName, ...], indexes: dict[IndexName, str]
) -> LockedPackage:
    version = draw(versions)
    index = draw(st.none() | st.sampled_from(sorted(indexes))) if indexes else None
    needed = draw(st.frozensets(st.sampled_from(groups))) if groups else frozenset()
    return LockedPackage(
        name=PackageName(name),
        version=version,
        wheel=draw(wheels(name, version)),
        index=index,
        index_url=None if index is None else indexes[index],
        index_reason=draw(said),
        extras=tuple(map(ExtraName, draw(st.lists(names, max_size=2, unique=True)))),
        groups=frozenset(needed) if needed else frozenset({None}),
        requires=tuple(map(PackageName, sorted(draw(st.sets(names, max_size=3))))),
        requires_python=draw(st.none() | st.just(">=3.9,!=3.11.1")),
    )


@st.composite
def runtimes(draw: st.DrawFn, locked: tuple[LockedPackage, ...]) -> tuple[LockedRuntime, ...]:
    wheel = st.none() | st.sampled_from(locked) if locked else st.none()
    families = sorted(draw(st.sets(texts, max_size=3)))
    wheels = [draw(wheel) for _ in families]
    return tuple(
        LockedRuntime(
            family=family,
            implementation=draw(said),
            wheel=package.name if package else None,
            version=package.version if package else None,
            reason=draw(said),
        )
        for family, package in zip(families, wheels, strict=True)
    )


@st.composite
def locks(draw: st.DrawFn) -> Lock:
    groups = tuple(GroupName(name) for name in sorted(draw(st.sets(names, max_size=3))))
    indexes = {
        IndexName(name): draw(st.sampled_from(["https://example.org/simple/", "./wheels"]))
        for name in draw(st.lists(said, max_size=2, unique=True))
    }
    outcomes = draw(
        st.lists(
            st.builds(
                MarkerOutcome, markers, st.sampled_from([(), (ExtraName("io"),)]), st.booleans()
            ),
            unique=True,
            max_size=4,
        )
    )
    chosen = sorted(draw(st.sets(names, max_size=4)))
    locked = tuple(draw(packages(name, groups, indexes)) for name in chosen)
    return Lock(
        created_by=draw(said),
        resolution_digest=draw(texts),
        groups=groups,
        indexes=tuple(indexes.items()),
        conditions=LockConditions(
            python=draw(st.sampled_from(["3.12", "3.8", "4.0"])),
            implementation=draw(said),
            sys_platform=draw(said),
            machine=draw(st.none() | said),
            platform_floor=draw(st.none() | said),
            abi=draw(st.none() | said),
            markers=tuple(sorted(outcomes)),
            environment=draw(st.sampled_from(["", "sys_platform == 'linux'"])),
        ),
        packages=locked,
        runtimes=draw(runtimes(locked)),
        inputs=tuple(
            draw(
                st.dictionaries(
                    said, st.lists(texts, min_size=1, max_size=3).map(tuple), max_size=3
                )
            ).items()
        ),
    )


@given(locks())
def test_a_lock_reads_as_it_was_written(lock: Lock) -> None:
    assert parse_lock(render_lock(lock), PATH) == lock


@given(locks())
def test_writing_what_was_read_gives_the_same_bytes(lock: Lock) -> None:
    text = render_lock(lock)
    read = parse_lock(text, PATH)

    assert isinstance(read, Lock)
    assert render_lock(read).encode() == text.encode()


@given(locks())
def test_every_lock_keeps_the_rules_of_the_standard(lock: Lock) -> None:
    Pylock.from_dict(tomllib.loads(render_lock(lock)))


values = st.recursive(
    texts | st.integers(-(2**63), 2**63 - 1) | instants,
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple) | st.dictionaries(texts, inner, max_size=4)
    ),
    max_leaves=8,
)


def plain(value: object) -> object:
    """Return a value as the reader gives it."""
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


@given(texts, values, st.lists(values, max_size=4))
def test_every_value_reads_as_it_was_written(key: str, value: object, many: list[object]) -> None:
    name = render_key(key)
    text = f"[{name}]\n{name} = {render_value(value)}\nmany-{len(many)} = {render_lines(many)}\n"  # type: ignore[arg-type]

    read = tomllib.loads(text)[key]

    assert read[key] == plain(value)
    assert read[f"many-{len(many)}"] == plain(tuple(many))


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    try:
        parse_lock(data, PATH)
    except LockUnreadable as error:
        assert error.path == PATH  # noqa: PT017 - refusing is one of two right answers


@given(locks(), st.data())
def test_a_lock_with_any_part_changed_is_read_or_refused_with_its_place(
    lock: Lock, data: st.DataObject
) -> None:
    text = render_lock(lock)
    at = data.draw(st.integers(0, len(text)))
    changed = (
        text[:at]
        + data.draw(st.sampled_from(["", '"', "=", "[", "0", "\n", "é"]))
        + (text[at + data.draw(st.integers(0, 12)) :])
    )
    try:
        parse_lock(changed, PATH)
    except LockUnreadable as error:
        assert str(error).startswith("pylock.toml cannot be used: ")  # noqa: PT017
