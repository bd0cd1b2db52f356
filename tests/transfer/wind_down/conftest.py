"""One seller is made; each test winds down a copy of it."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.transfer.wind_down.factory import Seller, copy_of, make_seller

from reelm.foundation.database import embedded

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def no_port_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no server of somebody else answer at the old address."""
    monkeypatch.setenv("REELM_HTTP_PORT", "1")


@pytest.fixture(scope="session")
def pattern(scratch: Path) -> Iterator[Seller]:
    """The seller that is copied."""
    folder = scratch / "wd"
    folder.mkdir()
    made = make_seller(folder)
    yield made
    embedded.forget(made.home)
    shutil.rmtree(made.home.parent)  # each is 40 MB of memory


@pytest.fixture
def seller(pattern: Seller, scratch: Path) -> Iterator[Seller]:
    """A seller after the cutover, to be wound down."""
    made = copy_of(pattern, scratch / f"w{next(_numbers)}")
    yield made
    embedded.forget(made.home)
    shutil.rmtree(made.home.parent)  # each is 40 MB of memory
