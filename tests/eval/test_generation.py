"""A catalogue as one of its builds read it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.generation import Generation
from indexer.bootstrap import open_catalogue
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.errors import NothingPublished, UnknownCatalog
from tests.service.worlds import CATALOG, Item, build, settings_of, write_catalogue

RED = Item("mug", "Red mug", photos=["red", "blue"])
BLUE = Item("mug", "Blue mug", photos=["blue"])
LAMP = Item("lamp", "Lamp")


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Database, str, str]]:
    """The mug is red in the first and blue in the second, which is published and has no lamp."""
    folder = tmp_path_factory.mktemp("generations")
    settings = settings_of(folder / "home", store={"kind": "memory"})
    first = build(settings, write_catalogue(folder / "first", [RED, LAMP]))
    second = build(settings, write_catalogue(folder / "second", [BLUE]))
    database = open_catalogue(settings)
    yield database, first, second
    database.dispose()


def seen(generation: Generation) -> tuple[dict[str, str], int]:
    """Titles by id, and how many photos the mug has."""
    titles = {name: product.title for name, product in generation.products(["mug", "lamp", "none"]).items()}
    photos = generation.photos(["mug", "lamp"])
    assert photos["lamp"] == ()
    assert sorted(generation.every_photo(), key=lambda one: one.position) == list(photos["mug"])
    return titles, len(photos["mug"])


def test_a_build_keeps_its_own_reading(builds: tuple[Database, str, str]) -> None:
    database, first, second = builds
    assert seen(Generation.of(database, CATALOG, first)) == ({"mug": "Red mug", "lamp": "Lamp"}, 2)
    assert seen(Generation.of(database, CATALOG, second)) == ({"mug": "Blue mug"}, 1)


def test_the_published_build_stands_in_for_one_that_is_gone(builds: tuple[Database, str, str]) -> None:
    database, _, second = builds
    published = Generation.of(database, CATALOG, second)
    assert Generation.of(database, CATALOG) == Generation.of(database, CATALOG, "pruned") == published


def test_without_a_published_build_there_is_nothing_to_read(builds: tuple[Database, str, str], tmp_path: Path) -> None:
    database, *_ = builds
    with pytest.raises(UnknownCatalog):
        Generation.of(database, "shoop")
    with database.begin() as session:
        CatalogRepository(session).ensure("empty", root=str(tmp_path), source="x")
    with pytest.raises(NothingPublished):
        Generation.of(database, "empty")
