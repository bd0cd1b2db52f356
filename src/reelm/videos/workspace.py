"""The file of an original while a job reads it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reelm.foundation.home import Home
from reelm.foundation.storage import ObjectStore
from reelm.foundation.workspace import workspace


@contextmanager
def original_file(home: Home, store: ObjectStore, key: str) -> Iterator[Path]:
    """Yield the file of an original; it lies outside the folder that media children may write."""
    local = store.local_path(key)
    if local is not None:
        yield local
        return
    with workspace(home, "original") as folder:
        store.fetch(key, folder / "original")
        yield folder / "original"
