"""One region and one browser for all tests here; every window is watched for errors."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.browser.factory import Clips
from tests.browser.house import House, Visit, filled, open_visit

FLAGS = (
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--autoplay-policy=no-user-gesture-required",
)
Opener = Callable[..., Visit]


def chromium() -> str | None:
    """Return the browser of this machine."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    missing = pytest.mark.skip(reason="no Chromium is installed: `make browser` installs it")
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker("browser")
            if chromium() is None:
                item.add_marker(missing)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A real Chromium; it ends with this package, because its event loop is in others' way."""
    # Chromium refuses its own sandbox to root.
    flags = [*FLAGS, "--no-sandbox"] if os.geteuid() == 0 else list(FLAGS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=flags)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A served region with fourteen clips."""
    clips = Clips(tmp_path_factory.mktemp("clips"))
    with filled(tmp_path_factory.mktemp("house") / "region", clips) as house:
        yield house


@pytest.fixture
def visit(house: House, browser: Browser) -> Iterator[Opener]:
    """Open windows; at the end none may have seen an error or asked another host."""
    opened: list[Visit] = []

    def open_window(address: str | None = None, **options: Any) -> Visit:
        opened.append(open_visit(house, browser, address, **options))
        return opened[-1]

    yield open_window
    for window in opened:
        window.context.close()
    assert [problem for window in opened for problem in window.unexpected()] == []


@pytest.fixture
def guest(visit: Opener) -> Visit:
    """A phone that nobody is signed in on."""
    return visit()


@pytest.fixture
def member(visit: Opener) -> Visit:
    """A phone with somebody new signed in."""
    window = visit()
    window.join()
    return window
