"""A PostgreSQL of its own for a benchmark, gone afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reelm.foundation.database import embedded


@contextmanager
def scratch_postgres() -> Iterator[str]:
    """Yield the conninfo of a superuser of an embedded server in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="reelm-bench-", dir="/tmp") as folder:
        home = Path(folder)
        for name in ("keys", "logs"):
            (home / name).mkdir()
        with embedded.running(home) as server:
            yield server.conninfo()
        embedded.forget(home)
