"""One index of a file or of a configuration, in its place."""

from dataclasses import dataclass, field

from envmgr.names import IndexName


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexSpec:
    """One index. ``url`` is expanded: ``http(s)://`` that ends in ``/``, or ``file://`` without.

    A plain path in the file was made absolute against the file's own directory
    and became ``file://``.
    """

    name: IndexName
    url: str = field(repr=False)
    """What to ask; may hold credentials, so it is shown nowhere."""
    shown_url: str
    """As written, before ``${ENVMGR_*}`` was expanded and without credentials: what goes into
    locks and messages."""
    packages: tuple[str, ...] = ()
    """Globs over normalised names this index alone answers for; empty: it reserves none."""
