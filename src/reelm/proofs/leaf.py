"""The bytes of a log entry, and the commitments to entries that are confidential."""

import hashlib
import re
from datetime import UTC, datetime
from typing import Any

import msgspec
import rfc8785

from reelm.foundation import strict_json
from reelm.foundation.errors import Invalid

VERSION = 1
SALT_BYTES = 32
# RFC 8785 (by RFC 7493, section 2.2): others read larger ones as something else.
MAX_INTEGER = 2**53 - 1
MAX_ID = 2**63 - 1
_DOMAIN = b"reelm audit commitment v1\n"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)

Value = bool | int | str | list[str]


class Leaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry as it is published; the fields are in the order of canonical JSON."""

    at: str
    body: dict[str, Value]
    id: str
    kind: str
    v: int


_decoder = msgspec.json.Decoder(Leaf)
_encoder = msgspec.json.Encoder(order="sorted")
_ID = re.compile(r"[1-9][0-9]{0,18}")


def moment(at: datetime) -> str:
    """Return a time as entries have it: UTC, with six digits of a second's fraction."""
    in_utc = at.astimezone(UTC).replace(tzinfo=None)
    return in_utc.isoformat(timespec="microseconds") + "Z"


def leaf_bytes(entry_id: int, kind: str, at: datetime, body: dict[str, Any]) -> bytes:
    """Return the bytes of a leaf: canonical JSON (RFC 8785) of {at, body, id, kind, v}."""
    return canonical(leaf_of_entry(entry_id, kind, at, body))


def leaf_of_entry(entry_id: int, kind: str, at: datetime, body: dict[str, Any]) -> Leaf:
    """Return an entry as it is published."""
    return Leaf(moment(at), body, str(entry_id), kind, VERSION)


def canonical(value: Leaf | dict[str, Any]) -> bytes:
    """Return the canonical JSON of text, integers, booleans and lists (RFC 8785)."""
    fast = _encoder.encode(value)
    # The two differ in what they escape, and in the order of keys beyond ASCII.
    if b"\\" in fast or not fast.isascii():
        return strict_json.canonical(value)
    return fast


def read_leaf(line: bytes) -> Leaf:
    """Read the bytes of a leaf.

    Raises:
        Invalid: they are not canonical, or not those of an entry.
    """
    try:
        leaf = _decoder.decode(line)
        _check(leaf)
        if canonical(leaf) != line:
            raise Invalid("It is not in canonical form (RFC 8785).")
    except (msgspec.MsgspecError, rfc8785.CanonicalizationError, ValueError) as error:
        raise Invalid(f"It is no entry: {error}.") from None
    return leaf


def _check(leaf: Leaf) -> None:
    if leaf.v != VERSION or not _ID.fullmatch(leaf.id):
        raise Invalid(f"It is no entry of version {VERSION} with a decimal id.")
    if int(leaf.id) > MAX_ID:
        raise Invalid("Its id is larger than 63 bits hold.")
    if any(isinstance(value, int) and abs(value) > MAX_INTEGER for value in leaf.body.values()):
        raise Invalid("It holds an integer that not every reader of JSON can hold.")
    if not _MOMENT.fullmatch(leaf.at):
        raise Invalid(f"Its time {leaf.at[:40]!r} has not the form of the log.")
    datetime.fromisoformat(leaf.at)  # such as the 30th of February is no time


def commitment(salt: bytes, opened: bytes) -> str:
    """Return the commitment to canonical JSON, in hex; the salt hides what could be guessed."""
    return hashlib.sha256(_DOMAIN + salt + opened).hexdigest()


def sealed(kind: str, body: dict[str, Any]) -> bytes:
    """Return the canonical JSON that a commitment is about."""
    return canonical({"body": body, "kind": kind})
