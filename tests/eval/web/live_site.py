"""The small shop served with its pages, and two people who may use its bench."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from starlette.testclient import TestClient

from eval.web.archive import key_of_suite
from indexer.bootstrap import open_catalogue
from indexer.catalog.states import Scope
from indexer.settings import Settings
from service.access import Access
from tests.eval.worlds import small_suite
from tests.service.apps import app_over
from tests.service.worlds import settings_of


class LiveSite:
    """`suite` is the key of the small suite, `directory` its place."""

    def __init__(self, settings: Settings, client: TestClient) -> None:
        self.settings = settings
        self.directory = settings.home / "suites" / "small"
        self.suite = key_of_suite(settings, self.directory)
        self._client = client
        self._access = Access(open_catalogue(settings))
        self._cookies = {name: self._signed_in(name) for name in ("Ada", "Bo")}

    def ada(self) -> TestClient:
        return self.as_("Ada")

    def as_(self, name: str) -> TestClient:
        self.nobody().cookies.set("vitrine_session", self._cookies[name])
        return self._client

    def nobody(self) -> TestClient:
        self._client.cookies.clear()
        return self._client

    def until(self, path: str, said: str) -> str:
        """The page once it says so."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            page = self.ada().get(path).text
            if said in page:
                return page
            time.sleep(0.05)
        raise AssertionError(f"{path} never said {said!r}")

    def _signed_in(self, name: str) -> str:
        return self._access.sign_in(self._access.add(name, [Scope.ANALYSE])[1]) or ""


@contextmanager
def live_site(home: Path, own: Path) -> Iterator[LiveSite]:
    """On a copy of the home."""
    shutil.copytree(home, own)
    settings = settings_of(own, store={"kind": "memory"})
    small_suite(_folder(own / "suites" / "small"))
    app = app_over(settings, pages=True)
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield LiveSite(settings, client)


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path
