"""Numbers for people."""

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def render_bytes(count: float) -> str:
    """``342.1 MB``; decimal units, as indexes and disks count."""
    unit = 0
    while count >= 999.95 and unit < len(_UNITS) - 1:
        count /= 1000
        unit += 1
    if unit == 0:
        return f"{count:.0f} byte" if round(count) == 1 else f"{count:.0f} bytes"
    return f"{count:.1f} {_UNITS[unit]}"


def render_seconds(seconds: float) -> str:
    """``14 ms``, ``0.25 s``, ``12.3 s``, ``2 min 5 s``, ``1 h 3 min``."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 0.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def render_count(count: int, one: str, many: str | None = None) -> str:
    """``1 package``, ``1,093 entries``."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
