"""``runtimes list`` in words. Pure."""

from collections.abc import Iterator, Sequence

from envmgr.pipeline.types import LibraryFile, ReplacedCopy, SharedRuntime

_MEANING = {
    "equal": "equal copies are one",
    "vendored": "packages have their own copies",
    "host": "a library of the machine",
}


def render_runtimes(runtimes: Sequence[SharedRuntime], *, verbose: int) -> str:
    """Make a paragraph for each family: what serves, whom, and which copies stay."""
    if not runtimes:
        return "no package of this environment brings a shared runtime\n"
    return "\n".join(line for each in runtimes for line in (*_family(each, verbose), ""))


def _family(runtime: SharedRuntime, verbose: int) -> Iterator[str]:
    if runtime.implementation == "equal" and not runtime.replaced:
        meaning = "packages have their own copies, of which none are equal"
    else:
        meaning = _MEANING.get(runtime.implementation, runtime.implementation)
    by_whom = "as the environment file says" if runtime.chosen_by == "file" else "automatically"
    yield f"{runtime.family}: {meaning}, {by_whom}"
    if runtime.host is not None:
        yield f"  {runtime.host}"
    for server in runtime.servers:
        served = [each for each in runtime.replaced if each.by == server]
        whom = f", for {', '.join(_names(served))}" if served else ""
        yield f"  {_place(server)} of {server.package}{whom}"
    for each in runtime.replaced:
        if verbose:
            yield f"    {_place(each.copy)} of {each.copy.package} {_gave_way(each)}"
        elif each.by == each.copy:
            yield f"  {_place(each.copy)} of {each.copy.package} {_gave_way(each)}"
    for kept in runtime.kept:
        yield f"  {kept.copy.package} keeps {_place(kept.copy)}: {kept.reason}"


def _names(replaced: Sequence[ReplacedCopy]) -> list[str]:
    return list(dict.fromkeys(each.copy.package for each in replaced))


def _gave_way(each: ReplacedCopy) -> str:
    if each.by == each.copy:
        return "finds it, and not the system's"
    if each.forwarded:
        return f"passes its calls on to {_place(each.by)} of {each.by.package}"
    return f"is {_place(each.by)} of {each.by.package}"


def _place(file: LibraryFile) -> str:
    return file.path.removeprefix("site-packages/").removeprefix("data/")
