"""One Chromium and one server for the tests of the workbench; each test ends with a look at the
console."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chromium import Browser, chromium
from tests.support.server import serving


@pytest.fixture(scope="session")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="session")
def shared_browser(downloads: Path) -> Iterator[Browser]:
    with chromium(downloads) as browser:
        yield browser


@pytest.fixture
def browser(shared_browser: Browser) -> Iterator[Browser]:
    """The browser; the test fails where the console complains."""
    shared_browser.size(1440)
    shared_browser.theme("light")
    shared_browser.complaints()
    yield shared_browser
    assert shared_browser.complaints() == []


@pytest.fixture(scope="session")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service with its workbench."""
    with serving(tmp_path_factory.mktemp("workbench")) as address:
        yield address
