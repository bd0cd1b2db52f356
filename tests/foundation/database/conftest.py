"""A region home for the embedded PostgreSQL, and other processes that use it."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.foundation.database.embedded_region import Other, processes, until

from reelm.foundation.database.embedded import forget


@pytest.fixture
def bare_home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "region"
    folder.mkdir()
    yield folder
    forget(folder)


@pytest.fixture
def another(bare_home: Path) -> Iterator[Callable[..., Other]]:
    others: list[Other] = []

    def start(**options) -> Other:
        others.append(Other(bare_home, **options))
        return others[-1]

    yield start
    for other in others:
        other.end()
    if (bare_home / "postgres").exists():
        until(lambda: not processes(bare_home))


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="reelm-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)
