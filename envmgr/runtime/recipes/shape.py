"""What a recipe of a shared runtime looks like."""

from envmgr.runtime.building.shape import BUILD
from envmgr.spec.scalars import Choice, Count, Flag, SchemaVersion, Text
from envmgr.spec.shapes import Field, KeyRule, ListOf, MapOf, Record

RECIPE_SCHEMA = 1
"""The only value of ``schema`` in a recipe so far."""

_WORD = KeyRule(r"^[a-z][a-z0-9_-]*$", "a name of lower-case letters, digits, `-` and `_`")
_VARIABLE = KeyRule(
    r"^[A-Za-z_][A-Za-z0-9_]*$", "a variable's name: letters, digits and `_`, no digit first"
)
_TEXTS = ListOf(Text())
_WHEN = Field("when", MapOf(Text(), _WORD), "families with the implementation they must have")

_SPELLING = Record(
    (
        Field("style", Choice(("openblas", "mkl")), "whose way of putting names together"),
        Field("prefix", Text(), "what stands before the usual name: scipy_"),
        Field("suffix", Text(), "what stands behind it: 64_"),
        Field("integers", Choice(("lp64", "ilp64")), "integers of 32 or of 64 bits"),
    ),
    can_be_empty=True,
)

_LIBRARY = Record(
    (
        Field("name", Text(), "its canonical SONAME, or what this family calls it"),
        Field("files", _TEXTS, "globs over the names of files that are copies of it"),
        Field("spelling", _SPELLING, "how it writes the names of BLAS functions"),
    ),
    required=("name", "files"),
    hint="write `- {name: SONAME, files: [GLOB]}`",
)

_PROVIDED = Record(
    (
        Field("copy-of", Text(), "the library of which a package's copy is to serve"),
        Field("file", Text(), "glob over paths in the wheel: data/lib/libiomp5.so"),
        Field("stands-for", _TEXTS, "libraries that it can take the place of"),
        Field("spellings", ListOf(_SPELLING), "how it writes the names of BLAS functions"),
        Field(
            "parts",
            ListOf(Record((Field("file", Text(), "as `file`"), _WHEN), required=("file",))),
            "libraries of the wheel that are loaded after it",
        ),
    ),
    hint="write `- {copy-of: LIBRARY}` or `- {file: GLOB, stands-for: [LIBRARY]}`",
)

_IMPLEMENTATION = Record(
    (
        Field("name", Text(), "what environment files call it"),
        Field("description", Text(), "what it is, in one sentence"),
        Field("licence", Text(), "an SPDX expression, or what the licence is called"),
        Field("wheel", Text(), "the requirement (PEP 508) that brings it"),
        Field("provides", ListOf(_PROVIDED), "its libraries, and what they stand for"),
        Field(
            "variables",
            ListOf(
                Record(
                    (Field("values", MapOf(Text(), _VARIABLE), "names and values"), _WHEN),
                    required=("values",),
                )
            ),
            "environment variables it needs, set where the user has not",
        ),
        Field(
            "needs",
            ListOf(
                Record(
                    (Field("library", Text(), "a canonical SONAME"), _WHEN), required=("library",)
                )
            ),
            "libraries of other families that it asks for by their canonical names",
        ),
        Field(
            "fork",
            ListOf(
                Record(
                    (
                        Field("call", Text(), "a function of one of its libraries"),
                        Field("arguments", ListOf(Count(0)), "whole numbers below 65536"),
                        Field("place", Choice(("before", "child")), "before a fork, or after it"),
                        _WHEN,
                    ),
                    required=("call", "arguments", "place"),
                )
            ),
            "functions to call around a fork; the first that is there",
        ),
        Field("system", Choice(("linux", "macos")), "the only system that has it"),
        Field("abi", Text(), "for MPI: the SONAME that tells which programs it can serve"),
    ),
    required=("name", "description", "licence"),
    hint="write `- {name: NAME, description: TEXT, licence: TEXT, provides: [...]}`",
)

_BINDING = Record(
    (
        Field("package", Text(), "the package"),
        Field("versions", Text(), "a specifier (PEP 440); left out: all of them"),
        Field("abis", _TEXTS, "SONAMEs of MPI libraries, one of which it needs"),
        Field("implementations", _TEXTS, "implementations, one of which it needs"),
        Field("reason", Text(), "what shows it, in one clause"),
    ),
    required=("package", "reason"),
    hint="write `- {package: NAME, abis: [SONAME], reason: TEXT}`",
)

RUNTIME = Record(
    (
        Field("schema", SchemaVersion(RECIPE_SCHEMA), "the format of this file"),
        Field("family", Text(), "what environment files call the family"),
        Field("description", Text(), "what it is, in one clause"),
        Field("automatic", Text(), "what to do where the environment file says nothing"),
        Field("support", Flag(), "whether it only serves others, and no file chooses it"),
        Field("libraries", ListOf(_LIBRARY), "libraries that packages bring copies of"),
        Field("implementations", ListOf(_IMPLEMENTATION), "ways to have it"),
        Field("works-with", ListOf(_BINDING), "packages that work only with some of these"),
        Field("build", BUILD, "small wheels of it, for `envmgr recipe build`"),
        Field(
            "static-copies",
            ListOf(
                Record(
                    (
                        Field("files", _TEXTS, "globs over paths in an entry"),
                        Field("what", Text(), "what is in them"),
                    ),
                    required=("files", "what"),
                )
            ),
            "what is linked into other libraries, and cannot be shared",
        ),
    ),
    required=("schema", "family", "description", "libraries", "implementations"),
    hint="write `schema: 1`, then `family: NAME`",
)
"""A file of ``recipes/runtimes/``."""
