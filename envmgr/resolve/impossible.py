"""The failure that a conflict becomes."""

from envmgr.errors import UnsatisfiableError
from envmgr.resolve.types import Conflict
from envmgr.resolve.words import listed


class ResolutionImpossible(UnsatisfiableError):
    """The requirements of the file contradict each other, or the indexes; ``conflict`` says how."""

    def __init__(self, conflict: Conflict) -> None:
        super().__init__(conflict)
        self.conflict = conflict

    def __str__(self) -> str:
        roots = [str(root.requirement) for root in self.conflict.roots]
        if self.conflict.apart:
            return f"{listed(list(dict.fromkeys(roots)))} cannot be had"
        if len(roots) == 1:
            return f"{roots[0]} cannot be had"
        return f"{listed(roots)} cannot be had together"

    @property
    def hint(self) -> str | None:
        """What to change, if anything is obvious."""
        return self.conflict.hint

    def details(self) -> tuple[str, ...]:
        """How the requirements contradict each other, or why each of them cannot be had."""
        return self.conflict.sentences
