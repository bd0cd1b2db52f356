"""Columns that follow from the region's key: as they lie, as they travel, and as leaves have them.

A data key lies wrapped by the operator's region key. It travels plain inside the encrypted bundle,
and in a leaf a check value stands for it that is the same on both sides. The version of the region
key is the buyer's own, so leaves have the word `rekeyed` for it and it travels as nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from reelm.accounts import Wrapping
from reelm.foundation.database import Rekey
from reelm.foundation.errors import Invalid, ReelmError
from reelm.proofs.closing import check_value
from reelm.transfer.bundle.tables import MovedTable

REKEYED = b"rekeyed"
# What travels in place of the version of a region key.
TRAVELS = b"0"
_KEY = re.compile(rb"\\\\x((?:[0-9a-f]{2}){32})")
_BYTEA = re.compile(rb"\\\\x((?:[0-9a-f]{2})*)")
_ID = re.compile(rb"-?[0-9]{1,19}")
_HEX = b"\\\\x%b"
MAX_LINE_BYTES = 1 << 20

Change = Callable[[bytes], bytes]


class Rekeying:
    """How the rows of one table are changed between the three forms."""

    def __init__(self, table: MovedTable, scope_digest: str) -> None:
        if table.sliced_by or table.order[0][1]:
            raise Invalid(f"Table {table.name} is rekeyed, and not ordered by an id alone.")
        places = {how: table.columns.index(name) for name, how in table.rekeyed.items()}
        self._name, self._width = table.name, len(table.columns)
        self._scope_digest = scope_digest
        self._owner = table.columns.index(table.order[0][0])
        # Kept, as they are asked for with each row.
        self._key, self._version = places[Rekey.WRAPPED], places[Rekey.VERSION]

    def sealing(self, wrappings: dict[int, Wrapping]) -> Change:
        """Return how a row that lies in the seller's database travels."""

        def change(line: bytes) -> bytes:
            fields = self._fields(line)
            fields[self._key] = _HEX % self._unwrapped(fields, wrappings).hex().encode()
            fields[self._version] = TRAVELS
            return _line(fields)

        return change

    def leaf(self) -> Change:
        """Return how a row that travels stands in a leaf."""

        def change(line: bytes) -> bytes:
            fields = self._fields(line)
            return self._in_leaf(fields, self._carried(fields))

        return change

    def importing(self, wrapping: Wrapping) -> Change:
        """Return how a row that travels lies in the buyer's database."""
        version = b"%d" % wrapping.version

        def change(line: bytes) -> bytes:
            fields = self._fields(line)
            wrapped = wrapping.wrap(int(fields[self._owner]), self._carried(fields))
            fields[self._key], fields[self._version] = _HEX % wrapped.hex().encode(), version
            return _line(fields)

        return change

    def lying(self, wrappings: dict[int, Wrapping]) -> Change:
        """Return how a row that lies in a database stands in a leaf."""

        def change(line: bytes) -> bytes:
            fields = self._fields(line)
            return self._in_leaf(fields, self._unwrapped(fields, wrappings))

        return change

    def _in_leaf(self, fields: list[bytes], secret: bytes) -> bytes:
        fields[self._key] = check_value(secret, self._scope_digest).encode()
        fields[self._version] = REKEYED
        return _line(fields)

    def _fields(self, line: bytes) -> list[bytes]:
        fields = line.split(b"\t")
        if len(fields) != self._width or not _ID.fullmatch(fields[self._owner]):
            raise Invalid(f"A row of {self._name} is no row of its columns.")
        return fields

    def _carried(self, fields: list[bytes]) -> bytes:
        found = _KEY.fullmatch(fields[self._key])
        if found is None or fields[self._version] != TRAVELS:
            owner = fields[self._owner].decode()
            raise Invalid(f"The row {owner} of {self._name} has no data key, or a version.")
        return bytes.fromhex(found[1].decode())

    def _unwrapped(self, fields: list[bytes], wrappings: dict[int, Wrapping]) -> bytes:
        owner = int(fields[self._owner])
        found = _BYTEA.fullmatch(fields[self._key])
        wrapping = wrappings.get(int(fields[self._version]))
        if found is None or wrapping is None:
            raise Invalid(f"The data key {owner} is wrapped by a region key that is not here.")
        try:
            return wrapping.unwrap(owner, bytes.fromhex(found[1].decode()))
        except ReelmError as error:
            raise Invalid(f"The data key {owner} does not open: {error.sentence}") from None


def lines_changed(pieces: Iterable[bytes], change: Change | None) -> Iterator[bytes]:
    """Yield pieces of text with each of their lines changed; pieces may end within a line."""
    if change is None:
        yield from pieces
        return
    changed = Lines(change)
    for piece in pieces:
        yield changed.feed(piece)
    changed.end()


class Lines:
    """Changes each line of text that comes in pieces."""

    def __init__(self, change: Change) -> None:
        self._change = change
        self._begun = b""

    def feed(self, piece: bytes) -> bytes:
        """Return the lines that are whole now, changed."""
        *whole, self._begun = (self._begun + piece).split(b"\n")
        if len(self._begun) > MAX_LINE_BYTES:
            raise Invalid("A row of the bundle is longer than any of its table.")
        return b"".join(self._change(line) for line in whole)

    def end(self) -> None:
        """Check that nothing is left over."""
        if self._begun:
            raise Invalid("The text of the table ends within a row.")


def _line(fields: list[bytes]) -> bytes:
    return b"\t".join(fields) + b"\n"
