"""Checked columns of a Parquet file, read by record batches, with errors that name the place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from reelm.foundation.errors import Invalid

BATCH_ROWS = 16_384
# Ids are moved up by one, and the ranker keeps them in 64 bits.
LARGEST = 2**62

Integers = npt.NDArray[np.int64]
# What pyarrow raises for a damaged file: its own errors, or the operating system's.
BROKEN = (pa.ArrowException, OSError)


class Column(NamedTuple):
    """What a column of whole numbers, 0 or more, has to be.

    An optional column may be absent or have empty places, which are then `absent`.
    """

    name: str
    is_optional: bool = False
    largest: int = LARGEST
    absent: int = 0


@dataclass(frozen=True)
class Batch:
    """Some rows of a file: the index of the first, and the rows."""

    file: str
    first: int
    rows: pa.RecordBatch

    def integers(self, column: Column) -> Integers:
        """Return a column of whole numbers.

        Raises:
            Invalid: a value is missing, not a whole number, or out of bounds.
        """
        found = self.optional(column.name)
        if found is None:
            return np.full(self.rows.num_rows, column.absent, np.int64)
        values = self._whole(found, column)
        wrong = (values < min(0, column.absent)) | (values > column.largest)
        if wrong.any():
            at = int(wrong.argmax())
            raise self.error(at, f"{column.name} is {values[at]}, not 0 to {column.largest}")
        return values

    def lists(self, name: str) -> list[list[int]]:
        """Return a column of lists of whole numbers; absent or empty is an empty list."""
        found = self.optional(name)
        if found is None:
            return [[] for _ in range(self.rows.num_rows)]
        try:
            cast = found.cast(pa.large_list(pa.int64()))
        except pa.ArrowException as error:
            raise Invalid(f"{self.file}: column {name} is not a list of whole numbers.") from error
        flat = cast.flatten()
        if flat.null_count or (len(flat) and pc.min(flat).as_py() < 0):
            raise Invalid(f"{self.file}: column {name} has an empty or negative id in a list.")
        return [values or [] for values in cast.to_pylist()]

    def words(self, name: str) -> list[str]:
        """Return a column of text; absent or empty is an empty text."""
        found = self.optional(name)
        if found is None:
            return [""] * self.rows.num_rows
        try:
            return [word or "" for word in found.cast(pa.large_string()).to_pylist()]
        except pa.ArrowException as error:
            raise Invalid(f"{self.file}: column {name} is not text.") from error

    def error(self, at: int, what: str) -> Invalid:
        """Return an error about one row of this batch; rows are counted from 0."""
        return Invalid(f"{self.file}, row {self.first + at}: {what}.")

    def optional(self, name: str) -> Any:
        """Return a column as it is, or None where the file has none of that name."""
        return self.rows.column(name) if name in self.rows.schema.names else None

    def _whole(self, found: Any, column: Column) -> Integers:
        if column.is_optional:
            if pa.types.is_floating(found.type):
                found = pc.if_else(pc.is_nan(found), None, found)
            found = found.cast(pa.int64()) if pa.types.is_null(found.type) else found
            found = pc.fill_null(found, column.absent)
        elif found.null_count:
            at = int(found.is_null().to_numpy(zero_copy_only=False).argmax())
            raise self.error(at, f"{column.name} is empty")
        try:
            whole: Integers = found.cast(pa.int64()).to_numpy(zero_copy_only=False)
        except pa.ArrowException as error:
            raise Invalid(
                f"{self.file}: column {column.name} holds {found.type} that are no whole numbers."
            ) from error
        return whole


class Table:
    """One Parquet file of a log."""

    def __init__(self, path: Path, needed: Sequence[str]) -> None:
        """Open the file and look for the columns it must have.

        Raises:
            Invalid: there is no such file, it is not Parquet, or a column is missing.
        """
        self.path = path
        if not path.is_file():
            raise Invalid(f"{path} is not there; docs/evaluate.md tells what a log's folder holds.")
        try:
            self._file = pq.ParquetFile(path)
        except BROKEN as error:
            raise self._broken(error) from error
        self.rows: int = self._file.metadata.num_rows
        missing = [name for name in needed if name not in self._file.schema_arrow.names]
        if missing:
            raise Invalid(f"{path} has no column {missing[0]}; it needs {', '.join(needed)}.")

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """Yield the rows with those of the named columns that are there, a batch at a time."""
        present = [name for name in names if name in self._file.schema_arrow.names]
        first = 0
        try:
            for rows in self._file.iter_batches(BATCH_ROWS, columns=present):
                yield Batch(str(self.path), first, rows)
                first += rows.num_rows
        except BROKEN as error:
            raise self._broken(error) from error

    def last(self, column: Column) -> int:
        """Return the last row's value of a column, reading the last row group only."""
        groups = range(self._file.num_row_groups)
        filled = [at for at in groups if self._file.metadata.row_group(at).num_rows]
        try:
            rows = self._file.read_row_group(filled[-1], columns=[column.name])
        except BROKEN as error:
            raise self._broken(error) from error
        last = rows.slice(rows.num_rows - 1).combine_chunks().to_batches()[0]
        return int(Batch(str(self.path), self.rows - 1, last).integers(column)[0])

    def _broken(self, error: Exception) -> Invalid:
        reason = str(error).partition("\n")[0].rstrip(".")
        return Invalid(f"{self.path} cannot be read as Parquet: {reason}.")
