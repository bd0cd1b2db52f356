"""Rows for ids: tables of bounded size that admit an id after a few events and drop idle ones.

Each kind of thing the model knows (videos, viewers, creators ...) is one table: a set of arrays
with a row for each id. Memory is bounded by the sizes chosen at the start, not by how many ids
come along; pages of an array that were never written take none.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import repeat
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int32]
NONE = -1
# Rows freed at once when a table is full: to look for the idlest costs the same for many as for
# one.
FREED_SHARE = 1 / 16
_HASH = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1


class Table:
    """Rows of ids, and the columns that hang on them.

    Args:
        name: of the table, in snapshots.
        capacity: most ids at once.
        admit_after: an id gets its row at this many-th call of `admit`.
    """

    def __init__(self, name: str, capacity: int, *, admit_after: int = 1) -> None:
        self.name = name
        self.capacity = capacity
        self._columns: dict[str, Array] = {}
        self._fills: dict[str, float] = {}
        self._on_clear: list[Callable[[Ints], None]] = []
        self.ids = self.column("ids", np.int64)  # 0: the row is free
        self.used_ms = self.column("used_ms", np.int64)
        self._row_of: dict[int, int] = {}
        self._free: list[int] = []
        self._top = 0  # rows from here on were never used
        self._door = _Door(capacity, admit_after)

    def column(self, name: str, dtype: Any, *tail: int, fill: float = 0) -> Array:
        """Make a column whose rows begin with `fill`; so does one more, which NONE reads.

        A row is filled when it is first used: memory that nobody writes to is never taken.
        """
        array = np.zeros((self.capacity + 1, *tail), dtype)
        array[NONE] = fill
        self._columns[name], self._fills[name] = array, fill
        return array

    def lasting(self, name: str, dtype: Any) -> Array:
        """Make a column that a row keeps when it loses its id."""
        array = np.zeros(self.capacity + 1, dtype)
        self._columns[name] = array
        return array

    def __len__(self) -> int:
        return len(self._row_of)

    @property
    def top(self) -> int:
        """Every row in use is below this one."""
        return self._top

    def find(self, number: int) -> int:
        """Return the row of an id, or NONE."""
        return self._row_of.get(number, NONE)

    def find_all(self, numbers: Iterable[int]) -> Ints:
        """Return the row of each id, NONE where it has none."""
        return np.fromiter(map(self._row_of.get, numbers, repeat(NONE)), np.int32)

    def known(self) -> list[int]:
        """Return all ids that have a row."""
        return list(self._row_of)

    def admit(self, number: int, at_ms: int) -> int:
        """Return the row of an id, made now if its time has come, else NONE."""
        row = self._row_of.get(number, NONE)
        if row == NONE:
            if not self._door.opens(number):
                return NONE
            row = self._take()
            self._row_of[number] = row
            self.ids[row] = number
        self.used_ms[row] = at_ms
        return row

    def drop(self, numbers: Iterable[int]) -> None:
        """Free the rows of ids, where they have one."""
        rows = [self._row_of.pop(number, NONE) for number in numbers]
        freed = [row for row in rows if row != NONE]
        if freed:
            self._clear(np.array(freed, np.int32))
            self._free.extend(freed)

    def on_clear(self, act: Callable[[Ints], None]) -> None:
        """Have `act` told of rows that lose their id, before their columns are cleared."""
        self._on_clear.append(act)

    def save(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """Return header and arrays of the whole table."""
        header = {"top": self._top, "free": self._free, "knocks": self._door.knocks}
        arrays = {f"{self.name}.{key}": col[: self._top] for key, col in self._columns.items()}
        arrays[f"{self.name}.door"] = self._door.counts
        return header, arrays

    def load(self, header: Mapping[str, Any], arrays: Mapping[str, Array]) -> None:
        """Take over what `save` returned of a table of the same sizes.

        Raises:
            ValueError: the arrays are of other names, types or sizes.
        """
        self._top = int(header["top"])
        self._free = [int(row) for row in header["free"]]
        self._door.knocks = int(header["knocks"])
        wanted = {key: col[: self._top] for key, col in self._columns.items()}
        for key, column in {**wanted, "door": self._door.counts}.items():
            saved = arrays.get(f"{self.name}.{key}")
            if saved is None or saved.shape != column.shape or saved.dtype != column.dtype:
                raise ValueError(f"{self.name}.{key} is not of this model's form.")
            column[...] = saved
        used = np.flatnonzero(self.ids[: self._top])
        self._row_of = dict(zip(self.ids[used].tolist(), used.tolist(), strict=True))

    def _take(self) -> int:
        if self._free:
            return self._free.pop()
        if self._top < self.capacity:
            self._top += 1
            for name, fill in self._fills.items():
                if fill:
                    self._columns[name][self._top - 1] = fill
            return self._top - 1
        self._free_idlest()
        return self._free.pop()

    def _free_idlest(self) -> None:
        count = max(1, int(self.capacity * FREED_SHARE))
        idlest = np.argpartition(self.used_ms[: self.capacity], count - 1)[:count].astype(np.int32)
        for number in self.ids[idlest].tolist():
            del self._row_of[number]
        self._clear(idlest)
        self._free.extend(idlest.tolist())

    def _clear(self, rows: Ints) -> None:
        for act in self._on_clear:
            act(rows)
        for name, fill in self._fills.items():
            self._columns[name][rows] = fill


class _Door:
    """Counts how often ids without a row came lately, in small hashed counters.

    The doorkeeper of TinyLFU (Einziger, Friedman, Manes, ACM TOS 2017): counters are halved once
    there were many knocks, so that ids which come seldom stay out.
    """

    def __init__(self, capacity: int, admit_after: int) -> None:
        self.admit_after = admit_after
        self.bits = max(capacity - 1, 1).bit_length() if admit_after > 1 else 0
        self.counts = np.zeros(1 << self.bits, np.uint8)
        self.knocks = 0

    def opens(self, number: int) -> bool:
        """Count one knock, and say whether the id has come often enough."""
        if self.admit_after <= 1:
            return True
        self.knocks += 1
        if self.knocks >= 8 * len(self.counts):
            self.counts >>= 1
            self.knocks = 0
        place = (number * _HASH & _WORD) >> (64 - self.bits)
        count = int(self.counts[place]) + 1
        self.counts[place] = min(count, 255)
        return count >= self.admit_after
