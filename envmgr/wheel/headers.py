"""The ``Name: value`` lines of METADATA and WHEEL (core metadata: the email format)."""

import re

_END = re.compile(rb"\r\n\r\n|\n\r?\n|\r\r")
_NAME = re.compile(r"[!-9;-~]*:")


def parse_headers(data: bytes | str) -> tuple[tuple[str, str], ...]:
    """Return ``(name in lower case, value)`` for each header, in order.

    Reads as ``email.parser`` does: a folded value is joined (with one space a
    fold), and the headers end at the first empty line or at the first line that is
    no header. A byte order mark is skipped; what is not UTF-8 is taken for Latin-1.
    """
    headers: list[tuple[str, str]] = [("", "")]
    for line in _header_text(data).split("\n"):
        if line[:1] in {" ", "\t"}:
            name, value = headers[-1]
            headers[-1] = (name, f"{value} {line.strip()}".strip())
            continue
        if not _NAME.match(line):
            break
        name, _, value = line.partition(":")
        headers.append((name.lower(), value.strip()))
    return tuple(header for header in headers if header[0])


def _header_text(data: bytes | str) -> str:
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    end = _END.search(raw)
    if end is not None:
        raw = raw[: end.start()]
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")
