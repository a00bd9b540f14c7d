"""A shop that lives through random operations: its ledger, the store of what is published, and the model of both."""

import random
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import UUID, uuid5

import numpy as np

from indexer.bootstrap import open_catalogue
from indexer.builds.changing import Seeing, delete_products, put_products, update_product
from indexer.builds.embeddings import Embeddings
from indexer.builds.given import parse_update
from indexer.builds.life import publish_build, rollback
from indexer.builds.live import LiveIndex, open_live, published_build, read_layout
from indexer.builds.pipeline import Pipeline
from indexer.builds.progress import Progress
from indexer.catalog.builds import BuildRepository
from indexer.catalog.states import PUBLISHABLE_STATES
from indexer.domain import POINT_NAMESPACE, ImageRef, Point, Product, VectorQuery
from indexer.errors import ConflictError
from indexer.images.decoders import DecoderPool, DecodeTask
from indexer.images.names import name_colours
from indexer.settings import Settings
from indexer.sources import BrokenRow, open_source
from indexer.stores.opening import open_stores
from tests.contracts.draws import IDS, PHOTOS, Draws, draw_photos, write_source
from tests.contracts.model import CATALOG, Model, Photo, Sight, rounded
from tests.contracts.plain import bm25_scores, check_ranking, dot_products, holds
from tests.fakes import FakeEncoder

FIRST: Final = 50
"""Products of the first build."""
FEW: Final = 20
"""Products that no delete takes out."""
TOLD: Final = 15
"""Operations that are told when one fails."""
UNKNOWN: Final = uuid5(POINT_NAMESPACE, "unknown")


class Life:
    def __init__(self, settings: Settings, folder: Path, decoders: DecoderPool, rng: random.Random) -> None:
        encoder = FakeEncoder(dim=16, size=16)
        self._settings = settings
        self._folder = folder
        self._rng = rng
        self._encoder = encoder
        self._draws = Draws(rng, encoder)
        self._stores = open_stores(settings)
        self._database = open_catalogue(settings)
        self._seeing = Seeing(encoder, Embeddings(settings.home, encoder.spec.identity), decoders)
        self._model = Model(Sight(encoder, _seen(folder, decoders, encoder)))
        self.story: deque[str] = deque(["0 build"], maxlen=TOLD)
        """What was done last."""
        self._build([self._draws.product(product_id) for product_id in rng.sample(IDS, FIRST)])
        self._index = self._open()

    def close(self) -> None:
        self._index.close()
        self._database.dispose()

    def act(self, number: int) -> None:
        """One operation, drawn by its weight."""
        (act,) = self._rng.choices(list(ACTS), list(ACTS.values()))
        self.story.append(f"{number} {act.__name__}")
        act(self)

    def put(self) -> None:
        chosen = self._rng.sample(IDS, self._rng.randint(1, 3))
        self._tell(*chosen)
        products = [self._draws.product(product_id) for product_id in chosen]
        put_products(self._database, CATALOG, products, self._seeing)
        self._model.put(products)

    def update(self) -> None:
        (product_id,), changes = self._known(1), self._draws.changes()
        attributes = {} if changes and self._rng.random() < 0.5 else self._draws.attributes()
        self._tell(product_id, *changes.values(), attributes)
        update_product(self._database, CATALOG, product_id, parse_update({**changes, "attributes": attributes}))
        self._model.update(product_id, changes, attributes)

    def delete(self) -> None:
        if len(self._model.content) > FEW:
            chosen = self._known(self._rng.randint(1, 2))
            self._tell(*chosen)
            delete_products(self._database, CATALOG, chosen)
            self._model.delete(chosen)

    def search(self) -> None:
        rng, query = self._rng, self._draws.query()
        where = self._draws.where() if rng.random() < 0.5 else None
        among = self._some_ids() if rng.random() < 0.25 else None
        top_k = rng.choice([0, 1, 5, 10, 40, 500])
        asked = "vector" if isinstance(query, VectorQuery) else f"words {query.words!r}"
        self._tell(asked, top_k, where, None if among is None else f"among {len(among)}")
        points = [
            point
            for point in self._model.points
            if (where is None or holds(where, point.payload)) and (among is None or point.id in among)
        ]
        if isinstance(query, VectorQuery):
            scores = dot_products(points, query, self._layout.fill)
        else:
            scores = bm25_scores(points, query, self._layout.lexicon)
        hits = self._current().store.search(query, top_k, where, among)
        check_ranking(hits, scores, top_k)
        names = {point.id: (point.product_id, point.image_id) for point in points}
        assert all(names[hit.point_id] == (hit.product_id, hit.image_id) for hit in hits)

    def fetch(self) -> None:
        ids = self._some_ids()
        self._tell(len(ids))
        points = {point.id: point for point in self._model.points if point.id in ids}
        fetched = self._current().store.fetch(ids)
        assert fetched.keys() == points.keys()
        for id, vectors in fetched.items():
            assert vectors.keys() == points[id].vectors.keys()
            for channel, vector in vectors.items():
                np.testing.assert_allclose(vector, points[id].vectors[channel], atol=1e-6)

    def read(self) -> None:
        ids = self._some_ids()
        self._tell(len(ids))
        points = {point.id: point for point in self._model.points if point.id in ids}
        found = self._current().store.read(ids)
        assert found.keys() == points.keys()
        for id, payload in found.items():
            expected = {name: value for name, value in points[id].payload.items() if name in self._layout.fields}
            listed = {name: [value] if isinstance(value, str) else value for name, value in expected.items()}
            assert payload == {name: value for name, value in listed.items() if value != []}

    def count(self) -> None:
        assert self._current().store.count() == len(self._model.points)

    def restart(self) -> None:
        self._index.close()
        self._index = self._open()

    def build(self) -> None:
        """Of a source that has some products as they are, some changed, some new, and lacks some."""
        known = self._known(len(self._model.content) * 3 // 4)
        fresh, pictured = self._rng.sample(IDS, 15), self._rng.random() < 0.3
        rows = {one: self._model.content[one].product for one in known}
        rows |= {one: self._draws.product(one, pictured) for one in fresh}
        self._build(list(rows.values()))
        self.restart()

    def publish(self) -> None:
        build = self._rng.choice(list(self._model.builds))
        self._tell(build)
        publish_build(self._database, self._settings, build, lambda manifest: self._encoder, {}, lambda progress: None)
        self._model.published = build
        self._model.prune(self._left())
        self.restart()

    def roll_back(self) -> None:
        expected = self._model.before_published()
        try:
            published = rollback(self._database, self._settings, CATALOG).build
        except ConflictError:
            published = None
        assert published == expected
        if published is not None:
            self._tell(published)
            self._model.published = published
            self.restart()

    def _build(self, products: list[Product]) -> None:
        path = self._folder / "products.jsonl"
        write_source(path, products)
        source = open_source(path)
        stage = self._rng.choice([*CHANGES, ""]) if self._model.builds else ""
        self._tell(len(products), "products", f"changed while {stage}" if stage else "")
        seen: list[str] = []

        def watch(progress: Progress) -> None:
            if progress.stage in seen:
                return
            if not seen:
                self._model.read([row for row in source.rows() if not isinstance(row, BrokenRow)])
            elif len(seen) == 1:
                self._model.remove_unseen()
            seen.append(progress.stage)
            if progress.stage == stage:
                for change in self._rng.sample(CHANGES[stage], 2):
                    change(self)

        pipeline = Pipeline(self._database, self._settings, self._encoder, gates={}, stores=self._stores)
        report = pipeline.run(source, CATALOG, watch)
        assert report.state == "published"
        assert report.rejected_rows == 0
        self._model.finish(report.build)
        self._model.prune(self._left())

    def _left(self) -> list[str]:
        """The builds that one can publish."""
        with self._database.session() as session:
            recent = BuildRepository(session).recent(CATALOG)
        return [build.id for build in recent if build.state in PUBLISHABLE_STATES]

    def _open(self) -> LiveIndex:
        """What the ledger says is published, as a process that starts does."""
        _, build = published_build(self._database, CATALOG)
        assert build == self._model.published
        _, self._layout = read_layout(self._database, build)
        return open_live(self._database, self._settings, build, self._stores)

    def _current(self) -> LiveIndex:
        self._index.catch_up()
        return self._index

    def _known(self, number: int) -> list[str]:
        return self._rng.sample(list(self._model.content), number)

    def _some_ids(self) -> list[UUID]:
        points: list[Point] = self._model.points
        chosen = self._rng.sample(points, self._rng.randint(0, min(40, len(points))))
        return [UNKNOWN, *(point.id for point in chosen)]

    def _tell(self, *words: object) -> None:
        self.story[-1] += "".join(f" {word}" for word in words if word not in (None, ""))


CHANGES: Final[dict[str, list[Callable[[Life], None]]]] = {
    "reading": [Life.put, Life.delete],
    "embedding": [Life.put, Life.delete],
    "writing": [Life.put, Life.update, Life.delete],
}
"""What happens live at a stage's first word. An update before `writing` keeps the vector of whichever text was read."""
ACTS: Final[dict[Callable[[Life], None], float]] = {
    Life.put: 100,
    Life.update: 100,
    Life.delete: 50,
    Life.search: 600,
    Life.fetch: 60,
    Life.read: 40,
    Life.count: 37.5,
    Life.restart: 5,
    Life.build: 1,
    Life.publish: 2.5,
    Life.roll_back: 4,
}
"""With their weights."""


def _seen(folder: Path, decoders: DecoderPool, encoder: FakeEncoder) -> dict[str, Photo]:
    """The photos as a product's points have them."""
    draw_photos(folder)
    photos = {}
    for uri in PHOTOS:
        decoded = decoders.decode(DecodeTask(ImageRef(uri), encoder.spec.fit, folder))
        shares = name_colours(decoded.palette)
        vector = rounded(encoder.encode_images([decoded.pixels])[0])
        photos[uri] = Photo(vector, [name for name, share in shares.items() if share >= 0.2])
    return photos
