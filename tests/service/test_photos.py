"""The products' own photos at query time, and searches that go on without them."""

import hashlib
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import cast

import numpy as np
import pytest

from indexer.bootstrap import open_catalogue
from indexer.builds.live import LiveIndex, open_live, published_build
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.domain import Product
from indexer.errors import FetchFailed, ImageRejected, SettingsError, SourceError, UnavailableError, VitrineError
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask
from indexer.images.fit import Fit
from indexer.settings import SearchSettings, Settings
from service.photos import CataloguePhotos
from service.search.answer import Answer
from service.search.query import Query
from service.search.searcher import Searcher
from service.shop import CatalogProducts
from tests.deadlines import late
from tests.fakes import FakeEncoder
from tests.service.worlds import IMAGES

SECONDS = 0.25
EDIT = Query(like="mug-red", change="but blue", top_k=3)


@dataclass
class Decoders:
    """Decodes nothing: waits until it may go on, then fails as it is told to."""

    error: Exception = field(default_factory=lambda: ImageRejected("truncated", "the file ends too early"))
    may_end: Event = field(default_factory=Event)
    asked: list[DecodeTask] = field(default_factory=list)
    start_seconds: float = 0.0
    starts: int = 0

    def start(self) -> None:
        self.starts += 1
        time.sleep(self.start_seconds)

    def decode(self, task: DecodeTask) -> Decoded:
        self.asked.append(task)
        self.may_end.wait(60)
        raise self.error

    @classmethod
    def failing(cls, error: Exception) -> "Decoders":
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
        yield CataloguePhotos(place.database, decoders)


def of(place: Place, decoders: Decoders, seconds: float = 30.0) -> CataloguePhotos:
    return CataloguePhotos(place.database, cast(DecoderPool, decoders), seconds)


@contextmanager
def moved(place: Place, root: str) -> Iterator[None]:
    """The catalogue's folder is said to be elsewhere."""
    catalog = place.index.manifest.catalog
    with place.database.begin() as session:
        before = CatalogRepository(session).get(catalog)
        CatalogRepository(session).ensure(catalog, root=root, source=before.source)
    try:
        yield
    finally:
        with place.database.begin() as session:
            CatalogRepository(session).ensure(catalog, root=before.root, source=before.source)


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
    photos = of(place, decoders, SECONDS)
    try:
        answer = place.ask(EDIT, photos)
        assert answer.degraded == [f"recolour: the photo of mug-red did not come within {SECONDS:g} s."]
        assert answer.results[0].id == "mug-blue"
        assert answer.results[0].routes
        assert "recolour" not in answer.results[0].routes
        assert SECONDS * 1_000 <= answer.timings_ms["encode"] < SECONDS * 1_000 + 15_000
    finally:
        decoders.may_end.set()


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (FetchFailed("https://shop.example/a.jpg: 404"), UnavailableError, "the photo of mug-red cannot be had: https"),
        (UnavailableError("decoding children die"), UnavailableError, "decoding children die"),
        (ImageRejected("truncated", "the file ends too early"), ImageRejected, "the photo of mug-red is truncated."),
        (SettingsError("gs:// needs a driver."), UnavailableError, "the photo of mug-red cannot be had: gs:// needs a"),
        (SourceError("no way to read x://"), UnavailableError, "the photo of mug-red cannot be had: no way to read"),
        (OSError(5, "Input/output error"), UnavailableError, "the photo of mug-red cannot be had: Input/output error."),
    ],
)
def test_a_photo_that_cannot_be_had_is_skipped_and_said(
    place: Place, error: Exception, kind: type[VitrineError], said: str
) -> None:
    photos = of(place, Decoders.failing(error))
    with pytest.raises(kind, match=said):
        photos.first(place.index.manifest, place.product("mug-red"), FakeEncoder().spec.fit)
    answer = place.ask(EDIT, photos)
    assert len(answer.degraded) == 1
    assert answer.degraded[0].startswith(f"recolour: {said}")
    assert answer.results[0].id == "mug-blue"


def test_a_photo_that_is_gone_from_the_disk_is_too(place: Place, real: CataloguePhotos) -> None:
    shutil.move(place.folder / "6-0.png", place.folder / "away.png")
    try:
        answer = place.ask(Query(like="shoe-blue", change="but red"), real)
        assert answer.degraded == ["recolour: the photo of shoe-blue is missing."]
        assert answer.results
    finally:
        shutil.move(place.folder / "away.png", place.folder / "6-0.png")


@pytest.mark.parametrize(
    ("root", "said"),
    [
        ("/no/longer/there", "the photo of mug-red is missing."),
        ("nosuch://bucket/feed", "the photo of mug-red cannot be had: There is no way to read nosuch:// addresses"),
        ("s3://name:secret@bucket/feed", "the photo of mug-red cannot be had: An address of s3:// holds a name or"),
    ],
)
def test_an_edit_goes_on_without_the_folder_of_the_catalogue(
    place: Place, real: CataloguePhotos, root: str, said: str
) -> None:
    with moved(place, root):
        answer = place.ask(EDIT, real)
    assert len(answer.degraded) == 1
    assert answer.degraded[0].startswith(f"recolour: {said}")
    assert answer.results[0].id == "mug-blue"


def test_a_catalogue_that_is_gone_has_no_photos(place: Place) -> None:
    photos = of(place, Decoders())
    gone = place.index.manifest.model_copy(update={"catalog": "gone"})
    with pytest.raises(UnavailableError, match=r"mug-red cannot be had: There is no catalog 'gone'"):
        photos.first(gone, place.product("mug-red"), FakeEncoder().spec.fit)


def test_the_start_of_the_decoders_costs_no_photo_its_time(place: Place) -> None:
    def attempt(seconds: float) -> list[str]:
        decoders = Decoders.failing(ImageRejected("truncated", ""))
        decoders.start_seconds = 1.5 * seconds
        photos = of(place, decoders, seconds)
        said = [*place.ask(EDIT, photos).degraded, *place.ask(EDIT, photos).degraded]
        assert decoders.starts == 1
        return said

    assert late(attempt, lambda said: said == ["recolour: the photo of mug-red is truncated."] * 2)


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


def test_the_root_is_that_of_the_catalog(place: Place) -> None:
    decoders = Decoders.failing(ImageRejected("truncated", ""))
    photos = of(place, decoders)
    place.ask(EDIT, photos)
    (task,) = decoders.asked
    assert task.root == place.folder


class TestOfOneId:
    """Photos that are verified: any of a product's, by a deadline, and known by their contents without being read."""

    def test_it_comes_within_the_size_asked_for(self, place: Place, real: CataloguePhotos) -> None:
        second = place.product("shoe-red").images[1].image_id
        pixels = real.of(place.index.manifest, place.product("shoe-red"), second, Fit((48, 48), "within"))
        assert pixels.shape == (48, 48, 3)
        assert pixels[24, 24].max() < 40, "the second one is black"
        whole = real.of(place.index.manifest, place.product("shoe-red"), second, Fit((512, 512), "within"))
        assert whole.shape == (64, 64, 3), "as large as it is"

    def test_a_deadline_is_kept_though_decoders_start(self, place: Place) -> None:
        decoders = Decoders(start_seconds=60)
        photos = of(place, decoders)
        started = time.monotonic()
        mug = place.product("mug-red")
        with pytest.raises(UnavailableError, match="the photo of mug-red did not come within"):
            photos.of(place.index.manifest, mug, mug.images[0].image_id, Fit((8, 8)), started + 0.05)
        assert time.monotonic() - started < 15
        decoders.may_end.set()

    def test_a_photo_that_the_product_does_not_have_is_missing(self, place: Place, real: CataloguePhotos) -> None:
        with pytest.raises(ImageRejected, match="mug-red has no photo 0123") as refused:
            real.of(place.index.manifest, place.product("mug-red"), "0123", Fit((8, 8)))
        assert refused.value.reason == "missing"

    def test_its_contents_are_known_from_the_ledger(self, place: Place, real: CataloguePhotos) -> None:
        ids = ["shoe-red", "mug-sketch", "no such product"]
        hashes = real.hashes(place.index.manifest, ids)
        shoe = place.product("shoe-red")
        assert set(hashes) == {("shoe-red", image.image_id) for image in shoe.images}
        content = (place.folder / shoe.images[0].uri).read_bytes()
        assert hashes["shoe-red", shoe.images[0].image_id] == hashlib.sha256(content).hexdigest()
