"""What tests in a browser are given. The service is one per process of pytest: who publishes in it puts back what was,
or has a catalog of one's own."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.pages.browsing import Browsing, chromium
from tests.pages.serving import PATIENCE, Served, built_home, serving


@pytest.fixture(scope="session")
def showroom_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VITRINE_HOME with a slice of the showroom built and published, for all processes of the run: copy it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    return built_home(shared / "showroom-slice")


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Closed before other packages' tests run: they may want the event loop."""
    program = chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def served(browser: Browser, showroom_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A real service with the slice of the showroom."""
    home = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(showroom_home, home)
    with serving(home) as running:
        yield running


@pytest.fixture(scope="package")
def session_cookie(served: Served) -> str:
    """Of somebody who signed in with the first key."""
    answer = httpx2.post(f"{served.url}/sign-in", data={"key": served.key}, trust_env=False, timeout=PATIENCE)
    return str(answer.cookies["vitrine_session"])


@pytest.fixture
def browsing(browser: Browser, served: Served, session_cookie: str) -> Iterator[Browsing]:
    """Pages of any kind; fails at the end when one of them had an error or asked another origin."""
    browsing = Browsing(browser, served.url, session_cookie)
    yield browsing
    browsing.close()
    assert browsing.faults == []


@pytest.fixture
def page(browsing: Browsing) -> Page:
    """A shopper's."""
    return browsing.page()


@pytest.fixture
def desk_page(browsing: Browsing) -> Page:
    """Of somebody who may do everything."""
    return browsing.page(signed_in=True)
