r"""The file of a snapshot: JSON and plain numbers, so that reading one can run nothing.

    "REELM STATE 1\n"
    8 bytes      length of the head, little-endian
    head         JSON in UTF-8: {"header": ..., "arrays": [[name, type, shape], ...]}
    arrays       their elements, one array after the other, row by row, little-endian

`type` is one of TYPES in numpy's notation ("<f4": little-endian float of 4 bytes). The file ends
with the last element of the last array.
"""

import json
import math
import os
from typing import IO, Any

import numpy as np

from reelm.feed.ranker import State
from reelm.foundation.errors import Invalid

MAGIC = b"REELM STATE 1\n"
LENGTH_BYTES = 8
TYPES = frozenset({
    "|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4", "<f8",
})  # fmt: skip
# At full sizes a head has some MB: the free rows of tables.
MOST_HEAD_BYTES = 256 << 20
MOST_ARRAYS, MOST_SIDES, MOST_ROWS = 1_000, 8, 1 << 40
DAMAGED = "This is no snapshot of a ranker: {}."


def write_state(file: IO[bytes], state: State) -> None:
    """Write a state.

    Raises:
        TypeError: an array holds something else than plain numbers.
    """
    arrays = [(name, _plain(name, state.arrays[name])) for name in sorted(state.arrays)]
    table = [[name, array.dtype.str, list(array.shape)] for name, array in arrays]
    head = json.dumps(
        {"header": state.header, "arrays": table}, sort_keys=True, separators=(",", ":")
    ).encode()
    file.write(MAGIC + len(head).to_bytes(LENGTH_BYTES, "little") + head)
    for _, array in arrays:
        if array.size:
            file.write(array.data.cast("B"))


def read_state(file: IO[bytes]) -> State:
    """Read a state from a regular file; what is not in the form above is refused, not tried.

    Raises:
        Invalid: says what is wrong.
    """
    left = os.fstat(file.fileno()).st_size - len(MAGIC) - LENGTH_BYTES
    if left < 0 or file.read(len(MAGIC)) != MAGIC:
        raise Invalid(DAMAGED.format("it does not begin as one"))
    length = int.from_bytes(file.read(LENGTH_BYTES), "little")
    if length > left:
        raise Invalid(DAMAGED.format("its head is cut off"))
    if length > MOST_HEAD_BYTES:
        raise Invalid(DAMAGED.format(f"its head is larger than {MOST_HEAD_BYTES} bytes"))
    head = _head(file.read(length))
    left -= length
    arrays = {}
    for name, kind, shape in _table(head.get("arrays")):
        size = math.prod(shape) * np.dtype(kind).itemsize
        if size > left:
            raise Invalid(DAMAGED.format(f"array {name} is cut off"))
        if name in arrays:
            raise Invalid(DAMAGED.format(f"array {name} is there twice"))
        arrays[name] = np.fromfile(file, kind, math.prod(shape)).reshape(shape)
        left -= size
    if left:
        raise Invalid(DAMAGED.format("bytes follow its last array"))
    return State(head["header"], arrays)


def _plain(name: str, array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    array = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
    if array.dtype.str not in TYPES:
        raise TypeError(f"array {name} holds {array.dtype}, which is no plain number")
    return array


def _head(data: bytes) -> dict[str, Any]:
    try:
        head = json.loads(data, parse_constant=_refuse)
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict) or not isinstance(head.get("header"), dict):
        raise Invalid(DAMAGED.format("its head is no JSON as it should be"))
    return head


def _is_side(side: Any) -> bool:
    return type(side) is int and 0 <= side <= MOST_ROWS


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _table(table: Any) -> list[tuple[str, str, tuple[int, ...]]]:
    if not isinstance(table, list) or len(table) > MOST_ARRAYS:
        raise Invalid(DAMAGED.format("its head lists no arrays"))
    for row in table:
        is_row = isinstance(row, list) and len(row) == 3 and isinstance(row[2], list)
        if not is_row or not isinstance(row[0], str) or str(row[1]) not in TYPES:
            raise Invalid(DAMAGED.format("an array holds something else than plain numbers"))
        if len(row[2]) > MOST_SIDES or not all(map(_is_side, row[2])):
            raise Invalid(DAMAGED.format(f"array {row[0]} has no shape"))
    return [(name, kind, tuple(shape)) for name, kind, shape in table]
