"""Every key of an environment file: its shape, what it is for, and which digest it is part of.

This table is the one source of the parser's structure, of
``environment.schema.json`` and of what each digest covers.
"""

from enum import Enum

from envmgr.spec.scalars import Choice, Count, Flag, SchemaVersion, Text
from envmgr.spec.shapes import Field, KeyRule, ListOf, MapOf, OneOf, Record, Shape

SCHEMA_VERSION = 1
"""The only value of ``schema`` so far."""


class Digest(Enum):
    """What changes when a key changes."""

    RESOLUTION = "resolution"
    VIEW = "view"
    ACTIVATION = "activation"


class Key(Field, frozen=True):
    """A top-level key; in ``digests`` of a supported one its value is found by ``attribute``."""

    digests: tuple[Digest, ...] = ()

    @property
    def attribute(self) -> str:
        """The key's field of EnvironmentSpec."""
        return self.name.replace("-", "_")


_PROJECT = r"^([A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9])$"
_PACKAGE_KEY = KeyRule(_PROJECT, "the name of a package")
_GROUP_KEY = KeyRule(_PROJECT, "a group's name: letters, digits, `-`, `_` and `.`")
_VARIABLE_KEY = KeyRule(
    r"^[A-Za-z_][A-Za-z0-9_]*$", "a variable's name: letters, digits and `_`, no digit first"
)
_WORD_KEY = KeyRule(r"^[a-z][a-z0-9_-]*$", "a name of lower-case letters, digits, `-` and `_`")
_TARGET_KEY = KeyRule(r"^[a-z0-9_-]+$", "a target's name: a-z, 0-9, `_` and `-`")
_PATH_KEY = KeyRule(r"^[^<]", "a path")

_TEXTS = ListOf(Text())
_TEXT_OR_TEXTS = OneOf((Text(), _TEXTS))
_CONDITION = MapOf(_TEXT_OR_TEXTS, _WORD_KEY)
_STRATEGIES = ("first-index", "index-priority", "version-priority")
_HARDWARE = OneOf((Text(), MapOf(_TEXT_OR_TEXTS, _WORD_KEY)))
_ACCELERATOR = Choice(("auto", "cpu", "cuda", "rocm"))
_RUNTIME = Record(
    (
        Field("implementation", Text(("mkl",)), "what serves the family, or `vendored`"),
        Field("host", Text(("auto",)), "a library of the machine that serves it, or `auto`"),
        Field("unify", MapOf(Flag(), _PACKAGE_KEY), "packages that keep their copies: false"),
    ),
    can_be_empty=True,
)
_RUNTIMES = OneOf(
    (
        Choice(("vendored",)),
        MapOf(OneOf((Text(("gnu", "mkl")), _RUNTIME)), _WORD_KEY, "write `FAMILY: IMPLEMENTATION`"),
    )
)

INDEX = Record(
    (
        Field("name", Text(("pypi",)), "what this file calls the index"),
        Field("url", Text(), "its address (PEP 503, PEP 691), or a directory of wheels"),
        Field("packages", _TEXTS, "globs over names that this index alone answers for"),
        Field("exclude", _TEXTS, "globs over names it is not asked for", supported=False),
        Field("explicit", Flag(), "asked only for packages that name it", supported=False),
        Field("group", Text(), "indexes of one group are asked together", supported=False),
        Field("when", _CONDITION, "hardware on which it takes part", supported=False),
        Field("otherwise", Choice(("next",)), "who answers where `when` fails", supported=False),
        Field("strategy", Choice(_STRATEGIES), "index-strategy of its group", supported=False),
        Field("on-error", Text(), "what to do where it cannot be reached", supported=False),
        Field("tags", _TEXTS, "platform tags it is asked for", supported=False),
        Field("exclude-newer", Text(), "exclude-newer of this index", supported=False),
    ),
    required=("name",),
    hint="write `- {name: NAME, url: ADDRESS}`",
    hints={
        "priority": "remove it: the order of the list is the priority",
        "default": "remove it: an index is asked after those above it",
        "verify_ssl": "remove it: the system's certificates are used",
        "username": "put credentials in netrc, or ${ENVMGR_...} in the url",
        "password": "put credentials in netrc, or ${ENVMGR_...} in the url",
    },
)

DEPENDENCY = Record(
    (
        Field("package", Text(("numpy >=2",)), "a requirement (PEP 508)"),
        Field("index", Text(), "the one index to take it from", supported=False),
        Field("when", _CONDITION, "hardware on which it is needed", supported=False),
        Field(
            "variant",
            OneOf((Text(), _TEXTS, MapOf(_TEXT_OR_TEXTS, _WORD_KEY))),
            "variant properties it must have (PEP 825)",
            supported=False,
        ),
        Field("path", Text(), "a directory or wheel to take it from", supported=False),
        Field("editable", Flag(), "use the directory itself", supported=False),
        Field("git", Text(), "a repository to take it from", supported=False),
        Field("rev", Text(), "which commit, tag or branch of it", supported=False),
        Field("url", Text(), "an archive to take it from", supported=False),
    ),
    one_of=("package", "path", "git", "url"),
    hints={
        "pip": "list its items under `dependencies:` themselves",
        "name": "write `package`",
        "include-group": "list the group's packages again, or choose both groups with -g",
    },
    unknown_hint="write the whole requirement as one text: `- numpy >=2`",
)

_DEPENDENCIES = ListOf(
    OneOf((Text(("numpy >=2", "xarray[io]")), DEPENDENCY)),
    hint="write one requirement a line: `- numpy >=2`",
)

CONFLICT = Record(
    (
        Field(
            "path",
            Text(("tests/conftest.py", "tests/**", "/bin/mpiexec")),
            "relative to site-packages, or from / on to the prefix; globs are allowed",
        ),
        Field("keep", Text(("mpich",)), "the package whose file stands"),
    ),
    required=("path", "keep"),
    hint="write `- {path: PATH, keep: PACKAGE}`",
)

_TARGET = Record(
    (
        Field("hardware", _HARDWARE, "pins of this target"),
        Field("accelerator", _ACCELERATOR, "accelerator of this target"),
        Field("python", Text(), "interpreter of this target"),
    ),
    can_be_empty=True,
)

_R, _V, _A = Digest.RESOLUTION, Digest.VIEW, Digest.ACTIVATION


def _later(name: str, shape: Shape, description: str, *digests: Digest) -> Key:
    return Key(name, shape, description, supported=False, digests=digests)


KEYS: tuple[Key, ...] = (
    Key("schema", SchemaVersion(SCHEMA_VERSION), "the format of this file"),
    Key("name", Text(("climate",)), "what the environment is called: a-z, 0-9, _ and -"),
    Key("description", Text(), "what the environment is for"),
    Key(
        "python",
        Text((">=3.12,<3.14", "3.12")),
        'a version specifier (PEP 440; "3.12" means ==3.12.*), or the path of an interpreter',
        digests=(_R,),
    ),
    _later("extends", Text(), "a file, or an environment, to build upon", _R),
    Key(
        "indexes",
        ListOf(INDEX, "write `- {name: NAME, url: ADDRESS}`, one a line"),
        "where packages come from, highest priority first",
        digests=(_R,),
    ),
    Key(
        "index-strategy",
        Choice(_STRATEGIES, unsupported=frozenset(_STRATEGIES[1:])),
        "how several indexes share a name",
    ),
    Key("dependencies", _DEPENDENCIES, "requirements (PEP 508)", digests=(_R,)),
    Key(
        "groups",
        MapOf(_DEPENDENCIES, _GROUP_KEY, "write `NAME: [requirement, ...]`"),
        "more requirements, chosen by group (PEP 735)",
        digests=(_R,),
    ),
    Key("constraints", _TEXTS, "versions allowed of packages, if needed at all", digests=(_R,)),
    Key("overrides", _TEXTS, "requirements that replace all others on a name", digests=(_R,)),
    _later("prefer", Choice(("lowest", "lowest-direct")), "which versions to try first", _R),
    Key(
        "prereleases",
        OneOf((Record((Field("allow", _TEXTS, "names of packages"),), can_be_empty=True), _TEXTS)),
        "packages whose pre-releases may be chosen",
        digests=(_R,),
    ),
    Key(
        "exclude-newer",
        Text(("2026-11-01", "2026-11-01T12:00:00Z")),
        "what was uploaded later does not exist: a date, to its end in UTC, or a time (RFC 3339)",
        digests=(_R,),
    ),
    _later("build", _TEXTS, "names of packages that may be built from source", _R),
    _later("hardware", _HARDWARE, "pins of the machine, or a profile", _R),
    _later("accelerator", _ACCELERATOR, "which accelerator to choose wheels for", _R),
    _later("targets", MapOf(_TARGET, _TARGET_KEY), "machines to lock for", _R),
    _later("trusted-providers", _TEXTS, "variant providers that may run (PEP 817)", _R),
    _later(
        "attestations",
        OneOf((Text(), MapOf(_TEXT_OR_TEXTS, _PATH_KEY))),
        "who must have published a package",
        _R,
    ),
    Key(
        "runtimes",
        _RUNTIMES,
        "implementations of shared runtimes, by family; `vendored` leaves all packages their own",
        digests=(_R, _V),
    ),
    Key(
        "link",
        MapOf(Choice(("fold", "file", "copy", "hardlink")), _PACKAGE_KEY, "write `PACKAGE: copy`"),
        "how the files of packages get into the view",
        digests=(_V,),
    ),
    Key(
        "conflicts",
        ListOf(CONFLICT, "write `- {path: PATH, keep: PACKAGE}`, one a line"),
        "of packages that bring different files for one path, whose stands",
        digests=(_V,),
    ),
    Key("keep", Count(1), "how many generations are kept, the current one among them"),
    Key(
        "variables",
        MapOf(Text(), _VARIABLE_KEY, "write `NAME: value`"),
        "environment variables set by activation",
        digests=(_A,),
    ),
    _later("threads", Text(), "how many threads numerical libraries use", _A),
    _later("module", OneOf((Text(), MapOf(_TEXT_OR_TEXTS, _WORD_KEY))), "the modulefile", _A),
)

ENVIRONMENT = Record(
    KEYS,
    hint="write keys: `dependencies:`, with a list of requirements below",
    hints={
        "channels": "list package indexes under `indexes:`; conda's channels hold no wheels",
        "prefix": "remove it, and choose a place with `envmgr create -p PREFIX`",
        "packages": "write `dependencies`",
        "requirements": "write `dependencies`",
        "requires": "write `dependencies`",
        "requires-python": "write `python`",
        "python-version": "write `python`",
        "dependency-groups": "write `groups`",
        "optional-dependencies": "write `groups`",
        "env": "write `variables`",
        "environment": "write `variables`",
        "index-url": "list it under `indexes:`",
        "extra-index-urls": "list them under `indexes:`",
        "platforms": "remove it: the machine is detected",
        "pip": "list its items under `dependencies:`",
    },
)
