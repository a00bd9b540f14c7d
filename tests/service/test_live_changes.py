"""Live changes as a service sees them: a thread follows the ledger while others search and a build runs."""

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.changing import Seeing, delete_products, put_products, update_product
from indexer.builds.embeddings import Embeddings
from indexer.builds.given import ProductInput, parse_update
from indexer.builds.live import published_build, read_layout
from indexer.builds.pipeline import Pipeline
from indexer.builds.write import write_build
from indexer.catalog.engine import Database
from indexer.domain import Condition, Matrix, Op, WordsQuery
from indexer.images.decoders import DecoderPool
from indexer.settings import Settings
from indexer.sources import open_source
from indexer.stores.keeping import Stores
from indexer.stores.opening import open_stores
from service.live import LiveBuilds
from service.request import SearchRequest
from service.shop import Shop
from tests.fakes import FakeEncoder
from tests.qdrant_server.made import local_stores
from tests.service.worlds import CATALOG, ITEMS, Command, Item, settings_of, write_catalogue

DEADLINE = 60.0
"""Seconds; a busy machine is no fault. What is promised is printed beside what was measured."""
PROMISED = 2.0


@dataclass(frozen=True)
class Service:
    """A published build of the small shop in a store of one kind, and what follows it."""

    settings: Settings
    database: Database
    stores: Stores
    live: LiveBuilds

    def found(self, words: str, where: Condition | None = None) -> set[str]:
        with self.live.lease(None) as (index, _):
            return {hit.product_id for hit in index.store.search(WordsQuery(words), 50, where)}

    def count(self) -> int:
        with self.live.lease(None) as (index, _):
            return index.store.count()

    def build(self) -> str:
        with self.live.lease(None) as (index, _):
            return index.manifest.build

    def put(self, *products: dict[str, object]) -> None:
        encoder = FakeEncoder()
        with DecoderPool.of(self.settings.images) as decoders:
            eyes = Seeing(encoder, Embeddings(self.settings.home, encoder.spec.identity), decoders)
            put_products(self.database, CATALOG, [ProductInput.model_validate(one).product() for one in products], eyes)

    def update(self, product: str, **changes: object) -> None:
        update_product(self.database, CATALOG, product, parse_update(changes))

    def delete(self, product: str) -> None:
        delete_products(self.database, CATALOG, [product])


def waited(holds: Callable[[], bool]) -> float:
    """Seconds until it holds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < DEADLINE
        time.sleep(0.02)
    return time.monotonic() - began


def stores_of(settings: Settings) -> Stores:
    return local_stores() if settings.store.kind == "qdrant" else open_stores(settings)


@pytest.fixture
def serve(home: Path, tmp_path: Path) -> Iterator[Callable[[str], Service]]:
    """A service over a copy of the shop, by the kind of its store."""
    opened: list[Service] = []

    def start(kind: str) -> Service:
        shutil.copytree(home, tmp_path / "home")
        settings = settings_of(tmp_path / "home", store={"kind": kind})
        database, stores = open_catalogue(settings), stores_of(settings)
        build = published_build(database, None)[1]
        if not stores.holds(build):
            manifest, layout = read_layout(database, build)
            embeddings = Embeddings(settings.home, manifest.encoder)
            write_build(database, stores, manifest, layout, embeddings, lambda progress: None)
        live = LiveBuilds(database, settings, lambda manifest: FakeEncoder(), follow=True, stores=stores)
        opened.append(Service(settings, database, stores, live))
        return opened[-1]

    yield start
    for one in opened:
        one.live.close()
        one.database.dispose()


@pytest.mark.parametrize("kind", ["edge", "memory", "faiss", "qdrant"])
def test_changes_are_seen_within_seconds_on_every_store(
    serve: Callable[[str], Service], kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    service = serve(kind)
    before = service.count()
    stop = threading.Event()

    def shop() -> list[set[str]]:
        answers = []
        while not stop.wait(0.01):
            answers.append(service.found("mug"))
        return answers

    with ThreadPoolExecutor(1) as shoppers:
        shopping = shoppers.submit(shop)
        try:
            service.put({"id": "vase", "title": "Tall vase", "price": 5})
            put = waited(lambda: service.found("vase", Condition("price", Op.EQ, 5.0)) == {"vase"})
            service.update("mug-blue", price="4711", availability=0, attributes={"material": "tin"})
            updated = waited(lambda: service.found("tin", Condition("price", Op.EQ, 4711.0)) == {"mug-blue"})
            service.delete("shoe-red")
            deleted = waited(lambda: service.count() == before - 1)
        finally:
            stop.set()
        answers = shopping.result()
    assert service.found("mug", Condition("in_stock", Op.EQ, False)) == {"mug-blue"}
    assert "shoe-red" not in service.found("shoe")
    assert answers
    assert all({"mug-red", "mug-green"} <= found for found in answers), "nothing else went away meanwhile"
    with capsys.disabled():
        print(f" {kind}: put {put:.2f} s, update {updated:.2f} s, delete {deleted:.2f} s (promised: {PROMISED:g} s)")


class Blocking(FakeEncoder):
    """Waits before the first texts that it has not seen."""

    def __init__(self) -> None:
        super().__init__()
        self.reached = threading.Event()
        self.go = threading.Event()

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        self.reached.set()
        assert self.go.wait(60)
        return super().encode_texts(texts)


def test_changes_made_while_a_build_runs_are_seen_before_and_after_it_is_published(
    serve: Callable[[str], Service], tmp_path: Path
) -> None:
    service = serve("edge")
    first, encoder = service.build(), Blocking()
    items = [replace(item, photos=()) for item in (*ITEMS, Item("mug-new", "New mug", "red"))]
    source = write_catalogue(tmp_path / "catalogue", items)
    pipeline = Pipeline(service.database, service.settings, encoder, {}, service.stores)

    def changed() -> bool:
        """The source knows none of it."""
        return service.found("vase shoe tin", Condition("price", Op.LT, 5000.0)) == {
            "vase",
            "shoe-blue",
            "mug-blue",
        } and service.found("mug", Condition("price", Op.EQ, 4711.0)) == {"mug-blue"}

    with ThreadPoolExecutor(1) as builder:
        building = builder.submit(pipeline.run, open_source(source), CATALOG, lambda progress: None)
        try:
            assert encoder.reached.wait(60)
            service.put({"id": "vase", "title": "Tall vase", "price": 5})
            service.update("mug-blue", price="4711", attributes={"material": "tin"})
            service.delete("shoe-red")
            waited(changed)
            assert service.build() == first
        finally:
            encoder.go.set()
        second = building.result(60).build
    waited(lambda: service.build() == second)
    assert changed()
    assert service.found("new") == {"mug-new"}


def test_two_services_see_what_either_is_told(home: Path, tmp_path: Path) -> None:
    """Each has its own memory store; the ledger is what they share, as several worker processes do."""
    shutil.copytree(home, tmp_path / "home")
    settings = settings_of(tmp_path / "home", store={"kind": "memory"})

    def opened() -> Shop:
        database, decoders = open_catalogue(settings), DecoderPool.of(settings.images)
        return Shop(database, settings, lambda manifest: FakeEncoder(), decoders, follow=True)

    def put(shop: Shop, number: int) -> None:
        shop.put(None, [ProductInput(id=f"vase-{number}", title="Tall vase").product()])

    def vases(shop: Shop) -> set[str]:
        answer = shop.search(SearchRequest(text="vase", top_k=50))
        return {one.id for one in answer.results if one.id.startswith("vase")}

    with closing(opened()) as one, closing(opened()) as other:
        one.warm()
        other.warm()
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda number: put((one, other)[number % 2], number), range(8)))
        expected = {f"vase-{number}" for number in range(8)}
        waited(lambda: vases(one) == vases(other) == expected)
        other.update(None, "vase-0", parse_update({"price": 4711}))
        one.delete(None, ["vase-1"])
        waited(lambda: vases(one) == vases(other) == expected - {"vase-1"})

        def priced(shop: Shop) -> list[str]:
            return [hit.id for hit in shop.search(SearchRequest(text="vase", where=("price=4711",))).results]

        waited(lambda: priced(one) == priced(other) == ["vase-0"])


def test_the_commands_change_what_a_running_service_shows(
    real: Settings, vitrine: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service owns the embedded store; the commands write to the ledger and the cache."""
    shutil.copytree(real.home, tmp_path / "home")
    monkeypatch.setenv("VITRINE_HOME", str(tmp_path / "home"))
    (tmp_path / "new.csv").write_text("id,title,price\nvase,Tall vase,5\n")
    settings = settings_of(tmp_path / "home")
    database = open_catalogue(settings)
    live = LiveBuilds(database, settings, lambda manifest: FakeEncoder(), follow=True)
    service = Service(settings, database, open_stores(settings), live)
    with closing(live):
        before = service.count()
        for arguments in (
            ("put", "new.csv"),
            ("update", "mug-blue", "--price", "4711", "--set", "material=tin"),
            ("delete", "shoe-red"),
        ):
            ran = vitrine("products", *arguments)
            assert ran.code == 0, ran.error
        waited(lambda: service.count() == before + 1 - 2)
        assert service.found("vase") == {"vase"}
        assert service.found("tin", Condition("price", Op.EQ, 4711.0)) == {"mug-blue"}
    database.dispose()
