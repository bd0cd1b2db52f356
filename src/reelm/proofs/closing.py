"""The closing manifest of a sale, and the trees of its tables: verified without a database.

A leaf is SHA-256(0x00 || salt || the COPY text lines of up to 1,024 rows), a node and the root are
those of RFC 9162. docs/bundle.md has the formats and test vectors.
"""

import hashlib
from collections.abc import Iterable
from typing import Literal

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from reelm.foundation.envelope import read_envelope, sign_envelope, signers
from reelm.foundation.errors import Invalid
from reelm.foundation.strict_json import canonical, decoded
from reelm.proofs.merkle import EMPTY_ROOT, Frontier
from reelm.proofs.sale import GOES_ALONG, Disposition

FORM = "reelm-closing/1"
PAYLOAD_TYPE = "application/vnd.reelm.closing+json"
LEAF_ROWS = 1024
SALT_BYTES = SECRET_BYTES = HASH_BYTES = 32
CHECK_BYTES = 16
EMPTY_TABLE_ROOT = EMPTY_ROOT.hex()
# The name under which the list of objects has its tree; no table's name holds a slash.
OBJECTS = "objects/"
# A table of 400 days takes 200 KB of leaves elsewhere; the manifest says one root for each table.
MAX_MANIFEST_BYTES = 8 << 20

_PART_BYTES = 8192

Hex = str


class ClosedTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table that goes along; `sliced_by` is the column whose values each begin a new leaf."""

    name: str
    rule: Literal["transfer"]
    columns: list[str]
    order: list[str]
    sliced_by: str
    rekeyed: list[str]
    rows: int
    root: Hex
    leaf_rows: int
    salt_commitment: Hex


class Excluded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stays, by which rule and why, and how many rows or objects it was."""

    place: str
    name: str
    rule: str
    reason: str
    rows: int


class ClosedObjects(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The objects that rows name: how many, how large, and the root over their list."""

    count: int
    bytes: int
    root: Hex
    salt_commitment: Hex


class ClosedLog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The audit log as it was handed over; `checkpoint` is the signed note."""

    size: int
    root: Hex
    checkpoint: str


class ClosedAsset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A technology asset as the scope has it; a model that goes along by the digest of its file."""

    name: str
    kind: str
    digest: Hex
    disposition: Disposition


class Closing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The closing manifest."""

    form: Literal["reelm-closing/1"]
    scope_digest: Hex
    region: Hex
    epoch: int
    made_at: str
    schema: str
    postgresql: int
    tables: list[ClosedTable]
    excluded: list[Excluded]
    objects: ClosedObjects
    log: ClosedLog
    assets: list[ClosedAsset]

    @property
    def model_digest(self) -> Hex:
        """SHA-256 of the model's file where it goes along; empty where none is in the bundle."""
        models = (one for one in self.assets if one.kind == "model")
        return next((one.digest for one in models if one.disposition in GOES_ALONG), "")


class TableTree:
    """The tree of one table; takes its COPY text in pieces of any size.

    `hashes` holds those of its leaves, one after the other: 32 MB for a thousand million rows.
    """

    def __init__(self, salt: bytes) -> None:
        self._begin = b"\x00" + salt
        self._frontier = Frontier()
        self._hash = hashlib.sha256(self._begin)
        self._leaf_rows = 0
        self._is_whole_line = True
        self.rows = 0
        self.hashes = bytearray()

    def feed(self, text: bytes) -> None:
        """Take more of the table's text."""
        view, start = memoryview(text), 0
        while start < len(text):
            wanted = LEAF_ROWS - self._leaf_rows
            end, found = _after_lines(text, start, wanted)
            self._hash.update(view[start:end])
            self._leaf_rows += found
            self.rows += found
            if self._leaf_rows == LEAF_ROWS:
                self._close_leaf()
            start = end
        if text:
            self._is_whole_line = text.endswith(b"\n")

    def end_slice(self) -> None:
        """Close the leaf that is begun: at the end of a slice, or of the table.

        Raises:
            Invalid: the text does not end with a whole line.
        """
        if not self._is_whole_line:
            raise Invalid("The text of the table ends within a row.")
        if self._leaf_rows:
            self._close_leaf()

    def take_slice(self, other: "TableTree") -> None:
        """Take a whole slice of which a tree was made apart."""
        for start in range(0, len(other.hashes), HASH_BYTES):
            self._add(bytes(other.hashes[start : start + HASH_BYTES]))
        self.rows += other.rows

    def root(self) -> Hex:
        """Return the root over the closed leaves."""
        return self._frontier.root().hex()

    def _close_leaf(self) -> None:
        self._add(self._hash.digest())
        self._hash = hashlib.sha256(self._begin)
        self._leaf_rows = 0

    def _add(self, digest: bytes) -> None:
        self.hashes += digest
        self._frontier.append(digest)


def first_leaf(hashes: bytes | bytearray, other: bytes | bytearray) -> int | None:
    """Return the number of the first leaf in which two lists of hashes differ, or None."""
    for at in range(0, max(len(hashes), len(other)), HASH_BYTES):
        if hashes[at : at + HASH_BYTES] != other[at : at + HASH_BYTES]:
            return at // HASH_BYTES
    return None


def root_over(hashes: bytes | bytearray) -> Hex:
    """Return the root over leaves whose hashes come one after the other."""
    frontier = Frontier()
    frontier.extend(bytes(hashes[at : at + HASH_BYTES]) for at in range(0, len(hashes), HASH_BYTES))
    return frontier.root().hex()


def root_of(salt: bytes, slices: Iterable[Iterable[bytes]]) -> tuple[int, Hex]:
    """Return rows and root of a table whose text comes in pieces, slice by slice."""
    tree = TableTree(salt)
    for pieces in slices:
        for piece in pieces:
            tree.feed(piece)
        tree.end_slice()
    return tree.rows, tree.root()


def check_table(table: ClosedTable, secret: bytes, slices: Iterable[Iterable[bytes]]) -> None:
    """Check the text of a table, as leaves have it, against its root in the manifest.

    Raises:
        Invalid: it is another table than was closed; names it.
    """
    check_salt(table.name, table.salt_commitment, secret)
    rows, root = root_of(salt_of(secret, table.name), slices)
    check_same(table, rows, root)


def check_same(table: ClosedTable, rows: int, root: Hex) -> None:
    """Check what was counted and computed of a table.

    Raises:
        Invalid: it is not what the manifest says; names the table.
    """
    if rows != table.rows:
        raise Invalid(f"Table {table.name} has {rows} rows, and the manifest says {table.rows}.")
    if root != table.root:
        raise Invalid(f"Table {table.name} has another root than the manifest says.")


def check_salt(name: str, commitment: Hex, secret: bytes) -> None:
    """Check that the secret of a bundle is the one that a table was closed with.

    Raises:
        Invalid: it is another.
    """
    if commitment_of(salt_of(secret, name)) != commitment:
        raise Invalid(f"The secret of the bundle is not the one that {name} was closed with.")


def salt_of(secret: bytes, name: str) -> bytes:
    """Return the salt of a table (or OBJECTS)."""
    return _hkdf(secret, b"reelm-closing/1 " + name.encode(), SALT_BYTES)


def commitment_of(salt: bytes) -> Hex:
    """Return what the manifest says of a salt, from which nobody learns it."""
    return hashlib.sha256(b"reelm-closing-salt/1 " + salt).hexdigest()


def check_value(data_key: bytes, scope_digest: Hex) -> Hex:
    """Return what stands in a leaf for an account's data key, however it is wrapped."""
    return _hkdf(data_key, b"reelm-check " + scope_digest.encode(), CHECK_BYTES).hex()


def object_line(key: str, size_bytes: int) -> bytes:
    """Return the line of an object in their list; its key ends with the SHA-256 of its bytes."""
    return f"{key}\t{size_bytes}\t{key.rsplit('/', 1)[-1]}\n".encode()


def sign_closing(manifest: Closing, key: Ed25519PrivateKey) -> bytes:
    """Return the DSSE envelope of a closing manifest."""
    return sign_envelope(canonical(manifest), PAYLOAD_TYPE, [key])


def closed_digest(envelope: bytes) -> Hex:
    """Return the digest of a closing manifest: SHA-256 of what its envelope carries.

    Raises:
        Invalid: it is no envelope of a closing manifest.
    """
    opened = read_envelope(envelope, PAYLOAD_TYPE, most_bytes=MAX_MANIFEST_BYTES)
    return hashlib.sha256(opened.payload).hexdigest()


def read_closing(text: bytes, public_key: Hex) -> Closing:
    """Read a closing manifest that this key has signed.

    Raises:
        Invalid: it is none, or not signed by this key.
    """
    envelope = read_envelope(text, PAYLOAD_TYPE, most_bytes=MAX_MANIFEST_BYTES)
    if not signers(envelope, [public_key], 0):
        raise Invalid("The closing manifest is not signed by the seller's key.")
    manifest = decoded(envelope.payload, Closing, f"The manifest is not in the form {FORM}")
    if canonical(manifest) != envelope.payload:
        raise Invalid("The closing manifest is not in canonical form (RFC 8785).")
    return manifest


def _hkdf(key: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt=None, info=info).derive(key)


def _after_lines(text: bytes, start: int, wanted: int) -> tuple[int, int]:
    """Return the end of the line `wanted` lines on, or of the text; and how many lines that is."""
    found = 0
    while start < len(text):
        # Counting is many times quicker than looking at each line: only the last part is.
        here = text.count(b"\n", start, start + _PART_BYTES)
        if found + here >= wanted:
            for _ in range(wanted - found):
                start = text.index(b"\n", start) + 1
            return start, wanted
        start, found = start + _PART_BYTES, found + here
    return len(text), found
