"""Writes a forwarding library byte by byte, with no compiler, assembler or linker.

Three segments: what is read (headers, symbols, strings, relocations), what is run, and
what the loader fills in and then closes (the dynamic section and a slot for each
target). Nothing is both writable and executable, and every slot is bound at loading.
"""

import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate, chain

from msgspec import Struct

from envmgr.runtime.forwarding import tables
from envmgr.runtime.forwarding.architecture import ARCHITECTURES, Architecture
from envmgr.runtime.forwarding.places import Places
from envmgr.runtime.forwarding.types import (
    AddressOf,
    Answer,
    Call,
    Forward,
    ForwardingLibrary,
    Routine,
)

_PT_LOAD, _PT_DYNAMIC, _PT_GNU_STACK, _PT_GNU_RELRO = 1, 2, 0x6474E551, 0x6474E552
_READ, _READ_EXECUTE, _READ_WRITE = 4, 5, 6
_PROGRAM_HEADERS = 6
_DT_NEEDED, _DT_HASH, _DT_STRTAB, _DT_SYMTAB = 1, 4, 5, 6
_DT_RELA, _DT_RELASZ, _DT_RELAENT = 7, 8, 9
_DT_STRSZ, _DT_SYMENT, _DT_SONAME, _DT_RPATH = 10, 11, 14, 15
_DT_INIT_ARRAY, _DT_INIT_ARRAYSZ, _DT_RUNPATH, _DT_FLAGS = 25, 27, 29, 30
_DT_VERSYM, _DT_FLAGS_1, _DT_VERDEF, _DT_VERDEFNUM = 0x6FFFFFF0, 0x6FFFFFFB, 0x6FFFFFFC, 0x6FFFFFFD
_DF_BIND_NOW, _DF_1_NOW, _DF_1_NODELETE = 8, 1, 8
_LIBC = "libc.so.6"
_SLOT = 8
_MOST_ARGUMENTS = 4


def render_forwarding_library(library: ForwardingLibrary) -> bytes:
    """Return the bytes of a forwarding library: an ELF64 shared object.

    Raises ValueError where two forwards have one name, or something cannot be
    written: an empty name, a NUL, a colon in an element of the search path.
    """
    _check(library)
    plan = _plan(library)
    reading = _place_reading(plan)
    running = _place_running(plan, reading.end)
    data = _place_data(plan, running)
    places = Places(
        {target: data.slots + _SLOT * index for index, target in enumerate(plan.targets)},
        {text: reading.strings + plan.strings.index(text) for text in plan.texts},
        running.routines,
    )
    content = {
        0: _headers(plan, reading, running, data),
        reading.symbols: _symbols(plan, running),
        reading.hash: tables.hash_table(plan.names),
        reading.version_indices: _version_indices(plan),
        reading.definitions: plan.definitions,
        reading.relocations: _relocations(plan, running, data),
        reading.strings: bytes(plan.strings),
        running.offset: _code(plan, running, places),
        data.offset: tables.dynamic_table(_dynamic(plan, reading, data)),
    }
    image = bytearray(data.offset + data.size)
    for offset, part in content.items():
        image[offset : offset + len(part)] = part
    return bytes(image)


class _Plan(Struct, frozen=True):
    """What the library will hold, before anything has its place."""

    library: ForwardingLibrary
    routines: Mapping[Routine, tuple[Call, ...]]
    """Those that have something to do."""
    architecture: Architecture
    forwards: tuple[Forward, ...]
    targets: tuple[str, ...]
    needed: tuple[str, ...]
    texts: tuple[str, ...]
    versions: tuple[str, ...]
    strings: tables.Strings
    """Complete: nothing is added when parts are written."""
    definitions: bytes

    @property
    def names(self) -> tuple[str, ...]:
        """Return what the symbol table holds, from index 1 on."""
        return (*self.targets, *(forward.symbol for forward in self.forwards))


def _plan(library: ForwardingLibrary) -> _Plan:
    forwards = sorted(library.forwards, key=lambda each: each.symbol)
    targets = {each.action.target for each in forwards if not isinstance(each.action, Answer)}
    answers = [each.action.value for each in forwards if isinstance(each.action, Answer)]
    texts = [value for value in answers if isinstance(value, str)]
    needed = list(library.needed)
    routines = _routines(library)
    for call in chain.from_iterable(routines.values()):
        targets.add(call.target)
        texts += [text for text in call.arguments if isinstance(text, str)]
    if routines and _LIBC not in needed:
        needed.append(_LIBC)
    versions = tuple(sorted({each.version for each in forwards if each.version is not None}))
    strings = tables.Strings()
    plan = _Plan(
        library,
        routines,
        ARCHITECTURES[library.machine],
        tuple(forwards),
        tuple(sorted(targets)),
        tuple(needed),
        tuple(dict.fromkeys(texts)),
        versions,
        strings,
        tables.version_definitions(library.soname, versions, strings) if versions else b"",
    )
    for text in (*plan.names, *plan.texts, *needed, library.soname, *_search_paths(library)):
        strings.index(text)
    return plan


def _routines(library: ForwardingLibrary) -> dict[Routine, tuple[Call, ...]]:
    routines: dict[Routine, tuple[Call, ...]] = {
        "before_fork": library.before_fork,
        "in_child": library.in_child,
        "initialiser": tuple(_initialiser(library)),
    }
    return {routine: calls for routine, calls in routines.items() if calls}


def _initialiser(library: ForwardingLibrary) -> Iterator[Call]:
    for variable in library.environment:
        yield Call("setenv", (variable.name, variable.value, int(variable.overwrite)))
    if library.before_fork or library.in_child:  # pthread_atfork is in no shared library
        before = AddressOf("before_fork") if library.before_fork else 0
        in_child = AddressOf("in_child") if library.in_child else 0
        yield Call("__register_atfork", (before, 0, in_child, 0))


def _search_paths(library: ForwardingLibrary) -> tuple[str, str]:
    return ":".join(library.rpath), ":".join(library.runpath)


class _Reading(Struct, frozen=True):
    """Offsets, which are addresses too, in the first segment; ``end`` is behind it."""

    symbols: int
    hash: int
    version_indices: int
    definitions: int
    relocations: int
    strings: int
    end: int


def _place_reading(plan: _Plan) -> _Reading:
    count = len(plan.names) + 1
    sizes = [
        tables.SYMBOL_SIZE * count,
        4 * (2 + max(1, count - 1) + count),
        2 * count if plan.versions else 0,
        len(plan.definitions),
        tables.RELOCATION_SIZE * (len(plan.targets) + bool(plan.routines)),
        len(bytes(plan.strings)),
    ]
    start = tables.HEADER_SIZE + _PROGRAM_HEADERS * tables.PROGRAM_HEADER_SIZE
    ends = accumulate((_aligned(size, 8) for size in sizes), initial=start)
    return _Reading(*ends)


class _Running(Struct, frozen=True):
    """The second segment: its place, and where each function is and how long, in order."""

    offset: int
    address: int
    size: int
    functions: tuple[tuple[int, int], ...]
    routines: Mapping[Routine, int]


def _place_running(plan: _Plan, after: int) -> _Running:
    offset = _aligned(after, 16)
    address = offset + plan.architecture.page
    nowhere = _nowhere(plan)
    at = address
    functions = []
    for forward in plan.forwards:
        size = len(plan.architecture.assemble(forward.action, 0, nowhere))
        functions.append((at, size))
        at = _aligned(at + size, plan.architecture.alignment)
    routines = {}
    for routine, calls in plan.routines.items():
        routines[routine] = at
        size = len(plan.architecture.assemble_routine(calls, 0, nowhere))
        at = _aligned(at + size, plan.architecture.alignment)
    return _Running(offset, address, at - address, tuple(functions), routines)


def _nowhere(plan: _Plan) -> Places:
    """Return places for code that is only measured."""
    slots, texts = dict.fromkeys(plan.targets, 0), dict.fromkeys(plan.texts, 0)
    return Places(slots, texts, dict.fromkeys(plan.routines, 0))


def _code(plan: _Plan, running: _Running, places: Places) -> bytes:
    architecture = plan.architecture
    code = bytearray(architecture.padding * (running.size // len(architecture.padding)))
    for forward, (at, size) in zip(plan.forwards, running.functions, strict=True):
        start = at - running.address
        code[start : start + size] = architecture.assemble(forward.action, at, places)
    for routine, calls in plan.routines.items():
        part = architecture.assemble_routine(calls, running.routines[routine], places)
        start = running.routines[routine] - running.address
        code[start : start + len(part)] = part
    return bytes(code)


class _Data(Struct, frozen=True):
    """The third segment: the dynamic section, the slots, the address of the initialiser."""

    offset: int
    address: int
    slots: int
    initialiser: int
    size: int

    @property
    def dynamic_size(self) -> int:
        return self.slots - self.address


def _place_data(plan: _Plan, running: _Running) -> _Data:
    offset = _aligned(running.offset + running.size, 16)
    address = offset + 2 * plan.architecture.page
    entries = sum(1 for _ in _dynamic(plan, _Reading(*7 * (0,)), _Data(*5 * (0,)))) + 1
    slots = address + tables.DYNAMIC_SIZE * entries
    initialiser = slots + _SLOT * len(plan.targets)
    end = initialiser + _SLOT * bool(plan.routines)
    return _Data(offset, address, slots, initialiser, end - address)


def _headers(plan: _Plan, reading: _Reading, running: _Running, data: _Data) -> bytes:
    page = plan.architecture.page
    closed = _aligned(data.address + data.size, page) - data.address
    where, sizes = (data.offset, data.address), (data.size, closed)
    dynamic = (data.dynamic_size, data.dynamic_size)
    code = (running.size, running.size)
    segments = (
        tables.program_header(_PT_LOAD, _READ, (0, 0), (reading.end, reading.end), page),
        tables.program_header(
            _PT_LOAD, _READ_EXECUTE, (running.offset, running.address), code, page
        ),
        tables.program_header(_PT_LOAD, _READ_WRITE, where, sizes, page),
        tables.program_header(_PT_DYNAMIC, _READ_WRITE, where, dynamic, 8),
        tables.program_header(_PT_GNU_STACK, _READ_WRITE, (0, 0), (0, 0), 16),
        tables.program_header(_PT_GNU_RELRO, _READ, where, sizes, 1),
    )
    return tables.header(plan.architecture.number, len(segments)) + b"".join(segments)


def _symbols(plan: _Plan, running: _Running) -> bytes:
    wanted = (tables.wanted_symbol(plan.strings.index(target)) for target in plan.targets)
    offered = (
        tables.offered_symbol(plan.strings.index(forward.symbol), *place)
        for forward, place in zip(plan.forwards, running.functions, strict=True)
    )
    return bytes(tables.SYMBOL_SIZE) + b"".join((*wanted, *offered))


def _version_indices(plan: _Plan) -> bytes:
    if not plan.versions:
        return b""
    index_of: Mapping[str | None, int] = {
        None: tables.UNVERSIONED,
        **{version: at for at, version in enumerate(plan.versions, tables.FIRST_VERSION)},
    }
    indices = [0, *(tables.UNVERSIONED for _ in plan.targets)]
    indices += [index_of[forward.version] for forward in plan.forwards]
    return struct.pack(f"<{len(indices)}H", *indices)


def _relocations(plan: _Plan, running: _Running, data: _Data) -> bytes:
    bind, relative = plan.architecture.bind, plan.architecture.relative
    table = [
        tables.relocation(data.slots + _SLOT * index, bind, index + 1, 0)
        for index in range(len(plan.targets))
    ]
    if plan.routines:
        table.append(
            tables.relocation(data.initialiser, relative, 0, running.routines["initialiser"])
        )
    return b"".join(table)


def _dynamic(plan: _Plan, reading: _Reading, data: _Data) -> Iterator[tuple[int, int]]:
    """Yield the tags and values of the dynamic section, its end mark not among them."""
    index, library = plan.strings.index, plan.library
    yield from ((_DT_NEEDED, index(name)) for name in plan.needed)
    yield _DT_SONAME, index(library.soname)
    for tag, path in zip((_DT_RPATH, _DT_RUNPATH), _search_paths(library), strict=True):
        if path:
            yield tag, index(path)
    if plan.routines:
        yield from ((_DT_INIT_ARRAY, data.initialiser), (_DT_INIT_ARRAYSZ, _SLOT))
    yield _DT_HASH, reading.hash
    yield from ((_DT_STRTAB, reading.strings), (_DT_STRSZ, len(bytes(plan.strings))))
    yield from ((_DT_SYMTAB, reading.symbols), (_DT_SYMENT, tables.SYMBOL_SIZE))
    relocations = len(plan.targets) + bool(plan.routines)
    if relocations:
        yield from ((_DT_RELA, reading.relocations), (_DT_RELAENT, tables.RELOCATION_SIZE))
        yield _DT_RELASZ, relocations * tables.RELOCATION_SIZE
    if plan.versions:
        yield _DT_VERSYM, reading.version_indices
        yield from ((_DT_VERDEF, reading.definitions), (_DT_VERDEFNUM, len(plan.versions) + 1))
    yield from ((_DT_FLAGS, _DF_BIND_NOW), (_DT_FLAGS_1, _DF_1_NOW | _DF_1_NODELETE))


def _check(library: ForwardingLibrary) -> None:
    symbols = [forward.symbol for forward in library.forwards]
    twice = next((name for name, number in Counter(symbols).items() if number > 1), None)
    if twice is not None:
        raise ValueError(f"{twice} is forwarded twice")
    search_path = (*library.rpath, *library.runpath)
    if any(":" in element for element in search_path):
        raise ValueError("a colon parts the elements of a search path")
    names = [library.soname, *library.needed, *search_path, *symbols]
    names += [forward.version for forward in library.forwards if forward.version is not None]
    names += [variable.name for variable in library.environment]
    texts = [variable.value for variable in library.environment]
    for call in (*library.before_fork, *library.in_child):
        names.append(call.target)
        texts += [argument for argument in call.arguments if isinstance(argument, str)]
        _check_numbers(call)
    for forward in library.forwards:
        match forward.action:
            case Answer(value) if isinstance(value, str):
                texts.append(value)
            case Answer(value):
                if isinstance(value, int) and not 0 <= value < 1 << 31:
                    raise ValueError(f"{forward.symbol} cannot answer {value}")
            case action:
                names.append(action.target)
    if not all(names) or any("\0" in text for text in (*names, *texts)):
        raise ValueError("a name is empty, or a text holds a NUL")
    if any("=" in variable.name for variable in library.environment):
        raise ValueError("the name of a variable holds an equals sign")


def _check_numbers(call: Call) -> None:
    numbers = [argument for argument in call.arguments if isinstance(argument, int)]
    if len(call.arguments) > _MOST_ARGUMENTS or not all(0 <= each < 1 << 16 for each in numbers):
        raise ValueError(f"{call.target} cannot be called with {call.arguments}")


def _aligned(at: int, to: int) -> int:
    return -(-at // to) * to
