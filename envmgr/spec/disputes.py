"""``disputes.yaml``: files that packages bring differently, where it does no harm whose stands."""

from collections.abc import Set
from pathlib import Path

from msgspec import Struct

from envmgr.names import PackageName
from envmgr.spec.nodes import ListNode, MappingNode, ScalarNode
from envmgr.spec.problems import Findings
from envmgr.spec.recipes import parse_list, read_package, read_recipe
from envmgr.spec.scalars import SchemaVersion, Text
from envmgr.spec.shapes import Field, ListOf, Record
from envmgr.spec.views import ConflictRule

DISPUTES = "disputes.yaml"
_DISPUTE = Record(
    (
        Field("path", Text(), "as in `conflicts`"),
        Field("packages", ListOf(Text()), "who may bring it; the first that does keeps it"),
        Field("reason", Text(), "why it does no harm, in one sentence"),
        Field("evidence", Text(), "between which versions it was seen"),
    ),
    required=("path", "packages", "reason", "evidence"),
    hint="write `- {path: PATH, packages: [NAME, NAME], reason: TEXT, evidence: TEXT}`",
)
_DISPUTES = Record(
    (
        Field("schema", SchemaVersion(1), "the format of this file"),
        Field("disputes", ListOf(_DISPUTE), "what does no harm"),
    ),
    required=("schema", "disputes"),
)


class KnownDispute(Struct, frozen=True):
    """Files that packages are known to bring differently without harm."""

    path: str
    """As ``ConflictRule`` has it."""
    packages: tuple[PackageName, ...]
    """The first that brings such a file keeps it."""
    reason: str
    evidence: str

    def winner(self, written: str, claimants: Set[str]) -> PackageName | None:
        """Return whose file stands; ``None`` where anybody else brings it, or it is another."""
        rule = ConflictRule(self.path, self.packages[0])
        if not (claimants <= set(self.packages) and rule.matches(written)):
            return None
        return next(name for name in self.packages if name in claimants)


def read_known_disputes() -> tuple[KnownDispute, ...]:
    """Read the ``disputes.yaml`` that envmgr comes with.

    Raises FileUnreadable, and RecipeInvalid with every problem of the file.
    """
    return parse_known_disputes(*read_recipe(DISPUTES))


def parse_known_disputes(data: bytes, file: Path) -> tuple[KnownDispute, ...]:
    """Read the text of a ``disputes.yaml``. Raises RecipeInvalid with every problem."""
    return parse_list(data, file, _DISPUTES, "disputes", _known)


def _known(item: MappingNode, findings: Findings) -> KnownDispute | None:
    texts = {
        entry.key.text: entry.value.text
        for entry in item.entries
        if isinstance(entry.value, ScalarNode)
    }
    listed = item.get("packages")
    names = [
        read_package(each, findings)
        for each in (listed.items if isinstance(listed, ListNode) else ())
        if isinstance(each, ScalarNode)
    ]
    packages = tuple(name for name in names if name is not None)
    if len(set(packages)) < 2:
        findings.add(item.at, "a dispute is between two packages at least")
        return None
    if not {"path", "reason", "evidence"} <= texts.keys():
        return None
    return KnownDispute(texts["path"], packages, texts["reason"], texts["evidence"])
