"""The products' own photos at query time, and searches that go on without them."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import cast

import numpy as np
import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.live import LiveIndex, open_live, published_build
from indexer.catalog.engine import Database
from indexer.domain import Product
from indexer.errors import FetchFailed, ImageRejected, UnavailableError, VitrineError
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask
from indexer.settings import SearchSettings, Settings
from service.photos import CataloguePhotos
from service.search.answer import Answer
from service.search.query import Query
from service.search.searcher import Searcher
from service.shop import CatalogProducts
from tests.fakes import FakeEncoder
from tests.service.worlds import IMAGES

SECONDS = 0.25
EDIT = Query(like="mug-red", change="but blue", top_k=3)


@dataclass
class Decoders:
    """Decodes nothing: waits until it may go on, then fails as it is told to."""

    error: VitrineError = field(default_factory=lambda: ImageRejected("truncated", "the file ends too early"))
    may_end: Event = field(default_factory=Event)
    asked: list[DecodeTask] = field(default_factory=list)

    def decode(self, task: DecodeTask) -> Decoded:
        self.asked.append(task)
        self.may_end.wait(60)
        raise self.error

    @classmethod
    def failing(cls, error: VitrineError) -> "Decoders":
        decoders = cls(error)
        decoders.may_end.set()
        return decoders


@dataclass(frozen=True)
class Place:
    database: Database
    index: LiveIndex
    folder: Path

    def product(self, id: str) -> Product:
        return CatalogProducts(self.database).get_many(self.index.manifest, [id])[id]

    def ask(self, query: Query, photos: CataloguePhotos | None) -> Answer:
        searcher = Searcher(CatalogProducts(self.database), SearchSettings(), photos=photos)
        return searcher.search(query, self.index, FakeEncoder())


@pytest.fixture(scope="module")
def place(home: Path, memory: Settings) -> Iterator[Place]:
    """The small shop on the memory store; its photos lie where they lay when it was built."""
    database = open_catalogue(memory)
    index = open_live(database, memory, published_build(database, None)[1])
    yield Place(database, index, home.parent / "catalogue")
    index.close()
    database.dispose()


@pytest.fixture(scope="module")
def real(place: Place) -> Iterator[CataloguePhotos]:
    with DecoderPool.of(IMAGES) as decoders:
        photos = CataloguePhotos(place.database, decoders)
        yield photos
        photos.close()


def of(place: Place, decoders: Decoders) -> CataloguePhotos:
    return CataloguePhotos(place.database, cast(DecoderPool, decoders), SECONDS)


def test_the_first_photo_comes_fitted_to_the_encoder(place: Place, real: CataloguePhotos) -> None:
    fit = FakeEncoder().spec.fit
    pixels = real.first(place.index.manifest, place.product("shoe-red"), fit)
    assert pixels.shape == (*fit.size, 3)
    assert np.abs(pixels[16, 16].astype(int) - (200, 30, 30)).max() < 10, "the second one is black"


def test_an_edit_of_a_product_is_also_looked_for_by_its_recoloured_photo(place: Place, real: CataloguePhotos) -> None:
    answer = place.ask(EDIT, real)
    assert answer.degraded == []
    assert answer.results[0].id == "mug-blue"
    assert "recolour" in answer.results[0].routes
    assert all("recolour" not in result.routes for result in place.ask(EDIT, None).results)


def test_a_slow_photo_is_not_waited_for(place: Place) -> None:
    decoders = Decoders()
    photos = of(place, decoders)
    try:
        answer = place.ask(EDIT, photos)
        assert answer.degraded == [f"recolour: the photo of mug-red did not come within {SECONDS:g} s."]
        assert answer.results[0].id == "mug-blue"
        assert answer.results[0].routes
        assert "recolour" not in answer.results[0].routes
        assert SECONDS * 1_000 <= answer.timings_ms["encode"] < SECONDS * 1_000 + 5_000
    finally:
        decoders.may_end.set()
        photos.close()


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (FetchFailed("https://shop.example/a.jpg: 404"), UnavailableError, "the photo of mug-red cannot be had: https"),
        (UnavailableError("decoding children die"), UnavailableError, "decoding children die"),
        (ImageRejected("truncated", "the file ends too early"), ImageRejected, "the photo of mug-red is truncated."),
    ],
)
def test_a_photo_that_cannot_be_had_is_skipped_and_said(
    place: Place, error: VitrineError, kind: type[VitrineError], said: str
) -> None:
    photos = of(place, Decoders.failing(error))
    with pytest.raises(kind, match=said):
        photos.first(place.index.manifest, place.product("mug-red"), FakeEncoder().spec.fit)
    answer = place.ask(EDIT, photos)
    assert len(answer.degraded) == 1
    assert answer.degraded[0].startswith(f"recolour: {said}")
    assert answer.results[0].id == "mug-blue"
    photos.close()


def test_a_photo_that_is_gone_from_the_disk_is_too(place: Place, real: CataloguePhotos) -> None:
    shutil.move(place.folder / "6-0.png", place.folder / "away.png")
    try:
        answer = place.ask(Query(like="shoe-blue", change="but red"), real)
        assert answer.degraded == ["recolour: the photo of shoe-blue is missing."]
        assert answer.results
    finally:
        shutil.move(place.folder / "away.png", place.folder / "6-0.png")


@pytest.mark.parametrize(
    "query",
    [
        Query(words="red mug"),
        Query(like="mug-red"),
        Query(like="mug-red", change="but nicer"),
        Query(like="mug-red", change="in glass"),
        Query(like="mug-sketch", change="but blue"),
    ],
    ids=["words", "similar", "no attribute", "no colour", "no photo"],
)
def test_no_photo_is_read_where_nothing_is_recoloured(place: Place, query: Query) -> None:
    decoders = Decoders.failing(ImageRejected("truncated", ""))
    photos = of(place, decoders)
    assert place.ask(query, photos).degraded == []
    assert decoders.asked == []
    photos.close()


def test_the_root_is_that_of_the_catalog(place: Place) -> None:
    decoders = Decoders.failing(ImageRejected("truncated", ""))
    photos = of(place, decoders)
    place.ask(EDIT, photos)
    (task,) = decoders.asked
    assert task.root == place.folder
    photos.close()
