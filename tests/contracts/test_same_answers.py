"""One catalogue in every store: the first ten products of every answer are those of the memory store."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.life import copy_build
from indexer.builds.live import open_live
from indexer.builds.pipeline import Pipeline
from indexer.catalog.engine import Database
from indexer.domain import Channel, Condition, FieldType, Op, Point, VectorQuery, Where, point_id
from indexer.settings import ImageSettings, SearchSettings, Settings
from indexer.sources import open_source
from indexer.store_settings import FaissSettings
from indexer.stores.edge_keeping import EdgeStores
from indexer.stores.faiss_keeping import FaissStores
from indexer.stores.keeping import Stores
from indexer.stores.lexical import Lexicon
from indexer.stores.memory import MemoryStore
from indexer.stores.seam import Layout
from service.search.query import Query
from service.search.searcher import Searcher
from service.shop import CatalogProducts
from tests.contracts.wares import DIM, SIDE, questions, write_wares
from tests.fakes import FakeEncoder
from tests.faults.extents import extents
from tests.indexer.stores.rebuilt import built
from tests.qdrant_server.wire import serving

IMAGES: Final = ImageSettings(decoders=1, decode_seconds=120)
EXACT: Final = ("edge", "faiss", "qdrant")
"""Stores that scan a catalogue of this size."""
MANY: Final = 12_000
"""Points, too many for Edge to scan, and enough for every kind of FAISS index to propose some."""
LEAST: Final = 0.98
"""Mean recall@10 of stores that approximate."""
APPROXIMATE: Final[dict[str, Callable[[Path], Stores]]] = {
    "edge graph over codes": EdgeStores,
    "faiss hnsw": lambda home: FaissStores(home, FaissSettings(index="hnsw", device="cpu")),
    "faiss ivf-sq8": lambda home: FaissStores(home, FaissSettings(index="ivf-sq8", device="cpu")),
}
FILTERS: Final[tuple[Where | None, ...]] = (
    None,
    Condition("price", Op.LT, 50),
    None,
    Condition("colour", Op.EQ, "c4"),
)
WEIGHTS: Final = (1.0, 0.6, 0.5, 0.3, 0.0)
"""Of the image channel."""


@dataclass(frozen=True)
class World:
    settings: Settings
    database: Database
    build: str
    encoder: FakeEncoder
    wares: int

    def answers(self, kind: str, asked: Sequence[Query]) -> list[list[str]]:
        """The ids of each answer's products."""
        searcher = Searcher(CatalogProducts(self.database), SearchSettings())
        store = self.settings.store.model_copy(update={"kind": kind})
        with closing(open_live(self.database, self.settings.model_copy(update={"store": store}), self.build)) as index:
            found = [searcher.search(question, index, self.encoder) for question in asked]
        return [[result.id for result in answer.results] for answer in found]


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Of so many products, built into the memory store; qdrant is the client's local mode behind a wire."""
    folder = tmp_path_factory.mktemp("wares")
    with serving() as wire:
        qdrant = {"url": "http://127.0.0.1:1", "grpc_port": wire.port}
        store = {"kind": "memory", "faiss": {"device": "cpu"}, "qdrant": qdrant}
        settings = Settings.model_validate({"home": folder / "home", "images": IMAGES, "store": store})
        database = open_catalogue(settings)
        encoder = FakeEncoder(dim=DIM, size=SIDE)
        pipeline = Pipeline(database, settings, encoder, gates={})
        build = pipeline.run(open_source(write_wares(folder, request.param)), "wares", lambda progress: None).build
        yield World(settings, database, build, encoder, request.param)
        database.dispose()


@pytest.mark.parametrize(("world", "every"), extents((400, 8), (1_500, 1)), indirect=["world"], scope="module")
@pytest.mark.parametrize("kind", EXACT)
def test_a_copied_build_answers_questions_alike(world: World, kind: str, every: int) -> None:
    """400 products every eighth of them, or 1,500 products all."""
    copy_build(world.database, world.settings, world.build, kind, lambda progress: None)
    asked = list(questions(world.wares))
    assert len(asked) == 200
    expected = world.answers("memory", asked[::every])
    assert sum(map(bool, expected)) > 0.95 * len(expected)
    assert world.answers(kind, asked[::every]) == expected


@dataclass(frozen=True)
class Designs:
    """Photos of 300 designs whose likenesses have 24 directions, and questions near some of them."""

    layout: Layout
    points: list[Point]
    exact: MemoryStore

    def questions(self, asked: int) -> Iterator[tuple[VectorQuery, Where | None]]:
        rng = np.random.default_rng(7)
        for number in range(asked):
            near = self.points[int(rng.integers(MANY))].vectors[Channel.TEXT]
            vector = near + np.float32(0.3) * rng.normal(size=self.layout.dim).astype(np.float32)
            image = np.float32(WEIGHTS[number % len(WEIGHTS)])
            halves = {Channel.IMAGE: image * vector, Channel.TEXT: (1 - image) * vector}
            yield VectorQuery(halves), FILTERS[number % len(FILTERS)]


@pytest.fixture(scope="module")
def designs(request: pytest.FixtureRequest) -> Designs:
    """With vectors so long."""
    dim = request.param
    rng = np.random.default_rng(6)
    directions = rng.normal(size=(24, dim)) / np.sqrt(24)
    drawn = rng.normal(size=(300, 2, 24))[rng.integers(0, 300, MANY)]
    noisy = (drawn + 0.5 * rng.normal(size=drawn.shape)) @ directions + 0.3 * rng.normal(size=(MANY, 2, dim))
    images, texts = np.swapaxes(noisy / np.linalg.norm(noisy, axis=2, keepdims=True), 0, 1).astype(np.float32)
    points = [
        Point(
            point_id("shop", f"p{number}", ""),
            f"p{number}",
            "",
            {Channel.TEXT: text} if number % 20 == 0 else {Channel.IMAGE: image, Channel.TEXT: text},
            "red shoe",
            {"colour": f"c{number % 10}", "price": float(number % 100)},
        )
        for number, (image, text) in enumerate(zip(images, texts, strict=True))
    ]
    fill = {Channel.IMAGE: images.mean(axis=0), Channel.TEXT: texts.mean(axis=0)}
    fields = {"colour": FieldType.KEYWORD, "price": FieldType.NUMBER}
    layout = Layout(dim, fill, fields, Lexicon.of(["red shoe", "blue shirt"]))
    exact = MemoryStore(layout)
    exact.upsert(points)
    return Designs(layout, points, exact)


@pytest.mark.parametrize(("designs", "asked"), extents((48, 60), (128, 200)), indirect=["designs"], scope="module")
@pytest.mark.parametrize("name", APPROXIMATE)
def test_stores_that_approximate_find_nearly_all_of_the_first_ten(
    designs: Designs, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, asked: int
) -> None:
    found = []
    with closing(built(APPROXIMATE[name](tmp_path), designs.layout, designs.points)) as store:
        for query, where in designs.questions(asked):
            expected = designs.exact.search(query, 10, where)
            hits = store.search(query, 10, where)
            scores = {
                hit.point_id: hit.score for hit in designs.exact.search(query, 10, among=[h.point_id for h in hits])
            }
            assert {hit.point_id: hit.score for hit in hits} == pytest.approx(scores, abs=1e-5)
            found.append(len({hit.point_id for hit in hits} & {hit.point_id for hit in expected}) / 10)
    with capsys.disabled():
        print(f"\n{name}, {MANY:,} points: recall@10 {np.mean(found):.4f}, at least {min(found):.1f}")
    assert np.mean(found) >= LEAST
