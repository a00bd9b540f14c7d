"""The benchmark of results: the catalogue it grows, and what it measures in it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from eval.benchmarks.grown import CATALOG as GROWN
from eval.benchmarks.grown_catalogue import PRICES, Models, grow
from eval.benchmarks.results import main, measure, wordings
from indexer.bootstrap import open_catalogue
from indexer.builds.live import LiveIndex, open_live
from indexer.catalog.engine import Database
from indexer.domain import VECTOR_CHANNELS, Matrix, Pixels, Point
from indexer.encoders import EncoderSpec
from indexer.settings import Settings
from indexer.stores.edge_keeping import EdgeStores
from service.shop import CatalogProducts
from tests.fakes import FakeEncoder
from tests.service.worlds import CATALOG, ITEMS, settings_of

SIZE = 40
QUESTIONS = 4
PICTURED = [one for one in ITEMS if one.photos]


class Counting:
    """An encoder that tells which texts it was given."""

    def __init__(self) -> None:
        self._inner = FakeEncoder()
        self.texts: list[str] = []

    @property
    def spec(self) -> EncoderSpec:
        return self._inner.spec

    def encode_images(self, images: Sequence[Pixels]) -> Matrix:
        return self._inner.encode_images(images)

    def encode_texts(self, texts: Sequence[str]) -> Matrix:
        self.texts += texts
        return self._inner.encode_texts(texts)


@pytest.fixture(scope="module")
def models(home: Path) -> Models:
    settings = settings_of(home)
    return Models.of(open_catalogue(settings), settings, CATALOG)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return settings_of(tmp_path_factory.mktemp("grown"))


@pytest.fixture(scope="module")
def database(settings: Settings) -> Database:
    return open_catalogue(settings)


@pytest.fixture(scope="module")
def index(models: Models, settings: Settings, database: Database) -> Iterator[LiveIndex]:
    stores = EdgeStores(settings.home)
    build = grow(models, database, stores, SIZE)
    with closing(open_live(database, settings, build, stores)) as opened:
        yield opened


def test_whole_families_are_grown_with_prices_and_stock_of_their_own(models: Models) -> None:
    products = list(models.grown(SIZE))
    assert len({one.id for one in products}) == SIZE
    first = products[: len(PICTURED)]
    assert {one.id for one in first} == {f"{one.id}-0" for one in PICTURED}
    assert Counter(one.parent for one in first)["mug-0"] == 3
    low, high = PRICES
    mugs = [float(one.price) for one in products if one.title == "Red mug" and one.price is not None]
    assert low * 10 - 0.1 <= min(mugs) < max(mugs) <= high * 10 + 0.1
    assert len({one.availability for one in products}) == 2


def test_the_same_is_grown_every_time_whatever_the_size(models: Models) -> None:
    assert list(models.grown(SIZE))[:15] == list(models.grown(15))
    once, again = (list(models.grown_points(size)) for size in (15, SIZE))
    np.testing.assert_array_equal(_vectors(once), _vectors(again[:15]))


def test_points_are_those_of_the_products_and_lie_near_their_models(models: Models) -> None:
    grown = list(models.grown_points(len(PICTURED)))
    assert [own[0].product_id for own in grown] == [one.id for one in models.grown(len(PICTURED))]
    assert [len(own) for own in grown] == [len(own) for own in models.points]
    cosines = np.einsum("ij,ij->i", _vectors(grown), _vectors(models.points)) / len(VECTOR_CHANNELS)
    assert 0.8 < cosines.min() <= cosines.max() < 0.9999
    assert {point.payload["parent"] for own in grown for point in own} >= {"mug-0"}


def test_a_grown_build_is_searched_like_any_other(models: Models, index: LiveIndex, database: Database) -> None:
    manifest = index.manifest
    assert (manifest.catalog, manifest.products) == (GROWN, SIZE)
    assert index.store.count() == manifest.points == sum(map(len, models.grown_points(SIZE)))
    siblings = CatalogProducts(database).siblings(manifest, ["mug-1"])["mug-1"]
    assert [one.id for one in siblings] == ["mug-blue-1", "mug-green-1", "mug-red-1"]
    assert "mug" in index.words


def test_results_and_the_bare_search_are_timed_side_by_side(index: LiveIndex, database: Database) -> None:
    encoder = Counting()
    before, anew = measure(database, index, encoder, Settings(), QUESTIONS)

    assert (before.encoding, anew.encoding) == (False, True)
    for one in (before, anew):
        assert one.questions == QUESTIONS
        assert {"facets", "group", "load", "search", "rest"} <= set(one.results.stages)
        assert "facets" not in one.bare.stages
        assert min(one.ratio, one.results.p50, one.bare.p50) > 0
        assert one.results.p50 <= one.results.p95
    assert len(encoder.texts) == (2 + 1 + 2) * QUESTIONS, "those before the clock, those remembered, and those anew"


def test_questions_are_all_different_and_always_the_same() -> None:
    assert len(set(wordings(200))) == 200
    assert wordings(5) == wordings(200)[:5]


def test_without_a_showroom_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_HOME", str(tmp_path / "empty"))

    with pytest.raises(SystemExit, match="showroom"):
        main(["--products", "10"])


def _vectors(points: Sequence[Sequence[Point]]) -> Matrix:
    """[image ; text] of each (n, 2·dim)."""
    return np.array([np.concatenate([one.vectors[name] for name in VECTOR_CHANNELS]) for own in points for one in own])
