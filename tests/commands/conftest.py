"""One region for the tests of the commands; each test leaves it as it was."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.commands.factory import make_region, owner_of
from tests.commands.served import Served, serving
from tests.videos.factory import Clips

from reelm.foundation.database import embedded


@pytest.fixture(scope="session")
def region(scratch: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A region on the embedded database, which runs as long as the tests do."""
    path = Path(tempfile.mkdtemp(prefix="r", dir=scratch)) / "region"
    make_region(path, Clips(tmp_path_factory.mktemp("clips")))
    with owner_of(path):
        yield path
    embedded.forget(path)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A region that `reelm serve` serves; tests may kill its parts, and start it again."""
    with serving(tmp_path_factory.mktemp("serve") / "region") as served:
        yield served


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep REELM_* of whoever runs the tests out of them."""
    for name in ("REELM_REGION", "REELM_HTTP_PORT"):
        monkeypatch.delenv(name, raising=False)
    # Nobody else on this machine may have this port by chance.
    monkeypatch.setenv("REELM_HTTP_PORT", "0")
