"""RECORD: which files a wheel holds, their hashes and sizes (PEP 376, 427, 627)."""

import binascii
import csv
import io
import re

from msgspec import Struct

STRONG = {"sha256": 32, "sha384": 48, "sha512": 64}
"""Algorithms RECORD may use (PEP 427: sha256 or better); lengths of digests in bytes."""

_STANDARD_ALPHABET = str.maketrans("-_", "+/")
_HEX = re.compile("[0-9a-fA-F]+")


class InvalidRecord(ValueError):
    """A RECORD that cannot be used; ``reason`` is one clause, ``line`` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(line, reason)
        self.line = line
        self.reason = reason

    def __str__(self) -> str:
        return f"RECORD cannot be used: line {self.line}: {self.reason}"


class RecordRow(Struct, frozen=True):
    """One file. ``digest`` is in hex; ``algorithm`` and ``digest`` are ``None`` together."""

    path: str
    algorithm: str | None
    digest: str | None
    size: int | None

    @property
    def sha256_hex(self) -> str | None:
        """The digest where it is a sha256."""
        return self.digest if self.algorithm == "sha256" else None


def parse_record(text: str) -> tuple[RecordRow, ...]:
    """Read RECORD, in its order.

    A hash weaker than sha256, and two rows that tell different things of one
    file, are refused. Raises InvalidRecord.
    """
    rows: dict[str, RecordRow] = {}
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for fields in reader:
            if not fields:
                continue
            row = _parse_row(reader.line_num, fields)
            if rows.setdefault(row.path, row) != row:
                raise InvalidRecord(reader.line_num, f"{row.path} is listed twice, differently")
    except csv.Error as error:
        raise InvalidRecord(reader.line_num, str(error)) from None
    return tuple(rows.values())


def _parse_row(line: int, fields: list[str]) -> RecordRow:
    if len(fields) != 3 or not fields[0]:
        raise InvalidRecord(line, f"expected path, hash and size, found {len(fields)} fields")
    path, hashed, size = fields
    algorithm, digest = _parse_hash(line, hashed) if hashed else (None, None)
    return RecordRow(path, algorithm, digest, _parse_size(line, size))


def _parse_hash(line: int, text: str) -> tuple[str, str]:
    """Read ``sha256=<urlsafe base64>``; in hex too, as wheels on PyPI have it (gmsh 4.15.2)."""
    algorithm, separator, encoded = text.partition("=")
    length = STRONG.get(algorithm)
    if not separator or length is None:
        raise InvalidRecord(line, f"{algorithm!r} is not a hash of sha256 or better")
    if len(encoded) == 2 * length and _HEX.fullmatch(encoded):
        return algorithm, encoded.lower()
    unpadded = encoded.rstrip("=").translate(_STANDARD_ALPHABET)
    padded = unpadded + "=" * (-len(unpadded) % 4)
    try:
        digest = binascii.a2b_base64(padded, strict_mode=True)
    except ValueError:
        raise InvalidRecord(line, f"{encoded!r} is not urlsafe base64") from None
    if len(digest) != length:
        raise InvalidRecord(line, f"a {algorithm} is {length} bytes long, not {len(digest)}")
    return algorithm, digest.hex()


def _parse_size(line: int, text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise InvalidRecord(line, f"{text!r} is not a size")
    return int(text)
