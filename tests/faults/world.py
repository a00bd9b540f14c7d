"""A service that is asked while one of its parts is broken and mended."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from starlette.testclient import TestClient

from indexer.builds.pipeline import Pipeline
from indexer.catalog.states import Scope
from indexer.encoders import open_encoder
from indexer.settings import Settings
from indexer.sources import open_source
from service.access import Access
from service.api.app import create_app
from service.bootstrap import open_busy_shop
from service.shop import Shop
from tests.faults.faulty import Faulty
from tests.indexer.builds.shop import catalogue
from tests.indexer.builds.warm import warm
from tests.service.apps import key_in
from tests.service.worlds import CATALOG, settings_of, write_catalogue

EDIT: Final = ("blue", "green", "black", "yellow", "white")


@dataclass
class World:
    """`go` breaks the dependency, `mend` repairs it. No two searches are the same, so that nothing is remembered."""

    client: TestClient
    shop: Shop
    key: Mapping[str, str]
    go: Callable[[str], None]
    mend: Callable[[], None]
    edits: bool = False
    more: Mapping[str, object] = field(default_factory=dict)
    put: bool = False
    """Changes are whole products with photos, not a word of one."""
    _numbers: Iterator[int] = field(default_factory=count)

    def search(self) -> "Heard":
        number = next(self._numbers)
        words = {"like": "mug-red", "change": f"but {EDIT[number % len(EDIT)]} with {number} dots"}
        body = words if self.edits else {"text": f"red mug {number}"}
        answer = self.client.post("/v1/search", json={**body, "top_k": 1, **self.more})
        return Heard(answer.status_code, answer.json(), answer.headers)

    def change(self) -> "Heard":
        number = next(self._numbers)
        if self.put:
            item = {"id": f"new-{number}", "title": f"New mug {number}"}
            answer = self.client.put("/v1/products", json=[item], headers=dict(self.key))
        else:
            url = "/v1/products/mug-red"
            answer = self.client.patch(url, json={"price": number + 1.0, "currency": "EUR"}, headers=dict(self.key))
        return Heard(answer.status_code, answer.json(), answer.headers)


@dataclass(frozen=True)
class Heard:
    status: int
    document: dict[str, object]
    headers: Mapping[str, str]

    @property
    def degraded(self) -> list[str]:
        found = self.document.get("degraded", [])
        assert isinstance(found, list)
        return found


@dataclass(frozen=True)
class Base:
    """A catalogue that was built in a home which tests copy."""

    home: Path
    catalogue: Path

    @classmethod
    def at(cls, folder: Path) -> "Base":
        base = cls(folder / "home", write_catalogue(folder / "catalogue"))
        settings = base.settings(base.home)
        built(settings, base.catalogue)
        return base

    def settings(self, home: Path, **changes: object) -> Settings:
        """Of a service that has been given time, on a machine which has other work too."""
        common = {"store": {"kind": "memory"}, "load": {"seconds": 120.0}}
        return settings_of(home, **{**common, **changes})

    def copied(self, folder: Path) -> Path:
        shutil.copytree(self.home, folder / "home", dirs_exist_ok=True)
        return folder / "home"


@contextmanager
def served(
    settings: Settings, go: Callable[[str], None], mend: Callable[[], None], **changes: object
) -> Iterator[World]:
    shop = open_busy_shop(settings)
    shop.warm()
    key = key_in(shop.database, Scope.MERCHANDISE)
    app = create_app(lambda: shop, settings, Access(shop.database))
    try:
        with TestClient(app, raise_server_exceptions=False) as client:
            yield World(client, shop, key, go, mend, **changes)  # type: ignore[arg-type]
    finally:
        shop.database.dispose()


def built(settings: Settings, catalogue_file: Path) -> None:
    with catalogue(settings) as database:
        encoder = open_encoder(settings.encoder)
        pipeline = Pipeline(database, settings, encoder, gates={}, embedder=warm(encoder, settings))
        pipeline.run(open_source(catalogue_file), CATALOG, lambda progress: None)


@contextmanager
def over(way: Faulty, settings: Settings, **changes: object) -> Iterator[World]:
    def go(fault: str) -> None:
        way.go(fault)  # type: ignore[arg-type]

    with served(settings, go, way.mend, **changes) as world:
        yield world
