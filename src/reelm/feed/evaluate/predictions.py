"""The predictions file: a row for each scored event, from which others recompute every measure."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from reelm.foundation.errors import Invalid

CHUNK_ROWS = 16_384


class Row(NamedTuple):
    """What the ranker said of one event, in the log's ids; a rank not asked for is None."""

    event: int
    user_id: int
    video_id: int
    time_ms: int
    probability: float
    watch_score: float
    rank: int | None


_SCHEMA = pa.schema(
    [
        ("event", pa.int64()),
        ("user_id", pa.int64()),
        ("video_id", pa.int64()),
        ("time_ms", pa.int64()),
        ("probability", pa.float64()),
        ("watch_score", pa.float64()),
        ("rank", pa.int64()),
    ]
)


class Sink(Protocol):
    """Where rows go."""

    def write(self, row: Row) -> None:
        """Take one row."""


class Nowhere:
    """No file is wanted."""

    def write(self, row: Row) -> None:
        """Drop the row."""


class _Csv:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="ascii", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(Row._fields)

    def write(self, row: Row) -> None:
        # Floats are written with all their digits, so that reading them gives the same ones.
        self._writer.writerow(row)

    def close(self) -> None:
        self._file.close()


class _Parquet:
    def __init__(self, path: Path) -> None:
        self._writer = pq.ParquetWriter(path, _SCHEMA)
        self._rows: list[Row] = []

    def write(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) == CHUNK_ROWS:
            self._flush()

    def close(self) -> None:
        if self._rows:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        columns = zip(*self._rows, strict=True)
        self._writer.write_table(pa.table([list(column) for column in columns], schema=_SCHEMA))
        self._rows = []


_KINDS: dict[str, type[_Csv | _Parquet]] = {".csv": _Csv, ".parquet": _Parquet}


@contextmanager
def written(path: Path | None) -> Iterator[Sink]:
    """Give out where to write rows; the file is there, whole, when the block has ended well.

    Raises:
        Invalid: the name ends neither in .csv nor in .parquet.
    """
    if path is None:
        yield Nowhere()
        return
    part = path.with_name(f"{path.name}.part")
    try:
        sink = _KINDS[path.suffix.lower()](part)
    except KeyError:
        raise Invalid(f"{path}: predictions are written to a .csv or a .parquet file.") from None
    try:
        try:
            yield sink
        finally:
            sink.close()
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
