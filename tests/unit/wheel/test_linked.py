"""Which names of a library become links."""

from envmgr.wheel.linked import Linked, link_libraries
from envmgr.wheel.writing import Part, PartLink
from tests.support.elves import Elf

FOO = bytes(Elf(soname="libfoo.so.1"))
NAMELESS = bytes(Elf())


def linked(files: dict[str, bytes], links: dict[str, str] | None = None) -> Linked:
    return link_libraries(
        [Part(path, data) for path, data in files.items()],
        [PartLink(path, target) for path, target in (links or {}).items()],
    )


def files_of(result: Linked) -> set[str]:
    return {part.path for part in result.parts}


def links_of(result: Linked) -> dict[str, str]:
    return {link.path: link.target for link in result.links}


def test_of_copies_the_one_with_the_soname_stays() -> None:
    result = linked(dict.fromkeys(("p/libfoo.so", "p/libfoo.so.1", "p/libfoo.so.1.2.3"), FOO))

    assert files_of(result) == {"p/libfoo.so.1"}
    assert links_of(result) == {
        "p/libfoo.so": "p/libfoo.so.1",
        "p/libfoo.so.1.2.3": "p/libfoo.so.1",
    }


def test_the_file_behind_links_moves_to_its_soname() -> None:
    result = linked(
        {"p/libfoo.so.1.2.3": FOO},
        {"p/libfoo.so.1": "p/libfoo.so.1.2.3", "p/libfoo.so": "p/libfoo.so.1"},
    )

    assert files_of(result) == {"p/libfoo.so.1"}
    assert links_of(result) == {
        "p/libfoo.so": "p/libfoo.so.1",
        "p/libfoo.so.1.2.3": "p/libfoo.so.1",
    }


def test_a_name_that_another_library_asks_for_stays_a_file() -> None:
    user = bytes(Elf(soname="libuser.so", needed=["libfoo.so.1.2.3"]))

    result = linked({"p/libfoo.so": NAMELESS, "p/libfoo.so.1.2.3": NAMELESS, "p/libuser.so": user})

    assert links_of(result) == {"p/libfoo.so": "p/libfoo.so.1.2.3"}


def test_two_names_that_are_asked_for_both_stay() -> None:
    user = bytes(Elf(soname="libuser.so", needed=["libfoo.so"]))

    result = linked({"p/libfoo.so.1": FOO, "p/libuser.so": user}, {"p/libfoo.so": "p/libfoo.so.1"})

    assert files_of(result) == {"p/libfoo.so", "p/libfoo.so.1", "p/libuser.so"}
    assert links_of(result) == {}
    assert "stays there 2 times" in result.notes[0]


def test_without_a_soname_the_longest_name_stays() -> None:
    result = linked({"p/libfoo.so": NAMELESS, "p/libfoo.so.1": NAMELESS})

    assert links_of(result) == {"p/libfoo.so": "p/libfoo.so.1"}


def test_only_names_of_one_library_are_the_same_library() -> None:
    files = {
        "p/libfoo.so.1": FOO,
        "p/libbar.so.1": FOO,
        "q/libfoo.so": FOO,
        "p/libfoo.so.2": bytes(Elf(soname="libfoo.so.2")),
        "p/_foo.cpython-312-x86_64-linux-gnu.so": FOO,
        "p/_foo.abi3.so": FOO,
        "p/libtext.so": b"INPUT(libfoo.so.1)",
        "p/libtext.so.1": b"INPUT(libfoo.so.1)",
    }

    result = linked(files)

    assert files_of(result) == set(files)
    assert links_of(result) == {}


def test_other_links_are_left_as_they_are() -> None:
    links = {"p/current.txt": "p/v1.txt", "p/alias": "p/sub", "q/libfoo.so": "p/libfoo.so.1"}

    result = linked({"p/v1.txt": b"x", "p/sub/y": b"y", "p/libfoo.so.1": FOO}, links)

    assert links_of(result) == links


def test_code_that_names_what_is_a_link_now_is_told_of() -> None:
    code = b"ctypes.CDLL('libfoo.so')\n"

    result = linked(
        {"p/libfoo.so": FOO, "p/libfoo.so.1": FOO, "p/a.py": code, "p/b.py": b"'libfoo.so.1'"}
    )

    assert result.notes == ("p/a.py speaks of libfoo.so, which is a link now",)
