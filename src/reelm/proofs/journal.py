"""The journal of a wind-down: lines of canonical JSON, each with the digest of the line before.

Its head, the digest of the last line, is in the certificate that the seller signs: no line of the
journal can be changed, dropped or added afterwards. docs/wind-down.md lists the kinds of lines.
"""

import hashlib
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from reelm.foundation.errors import Invalid
from reelm.foundation.strict_json import canonical, decoded
from reelm.proofs.sale import Digest, Name

FIRST = "0" * 64


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing that was found or done."""

    number: Annotated[int, Meta(ge=1)]
    previous: Digest
    at: str
    kind: Name
    facts: dict[str, Any]


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a journal ends: how many lines it has, and the digest of the last."""

    lines: Annotated[int, Meta(ge=1)]
    digest: Digest


def digest_of_line(text: bytes) -> str:
    """Return the digest of a line, without its line end."""
    return hashlib.sha256(text).hexdigest()


def read_journal(text: bytes) -> list[Line]:
    """Read a whole journal.

    Raises:
        Invalid: a line was changed, dropped, added or cut off; says which.
    """
    if text and not text.endswith(b"\n"):
        raise Invalid("The last line of the journal is cut off.")
    lines, previous = list[Line](), FIRST
    for number, one in enumerate(text.splitlines(), 1):
        line = decoded(one, Line, f"Line {number} of the journal")
        if canonical(line) != one:
            raise Invalid(f"Line {number} of the journal is not in canonical form (RFC 8785).")
        if (line.number, line.previous) != (number, previous):
            raise Invalid(f"Line {number} of the journal does not follow from the line before it.")
        lines.append(line)
        previous = digest_of_line(one)
    return lines


def head_of(text: bytes) -> Head:
    """Return the head of a journal that has been read.

    Raises:
        Invalid: it is empty.
    """
    lines = text.splitlines()
    if not lines:
        raise Invalid("The journal is empty.")
    return Head(len(lines), digest_of_line(lines[-1]))


def check_head(text: bytes, head: Head) -> None:
    """Check that a journal is the one that a certificate names.

    Raises:
        Invalid: it is another, or it was changed.
    """
    read_journal(text)
    if head_of(text) != head:
        raise Invalid("The journal is not the one that the certificate names: its head differs.")
