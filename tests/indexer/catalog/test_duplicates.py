"""Photos that several products share."""

from pathlib import Path

from indexer.catalog.builds import BuildRepository
from indexer.catalog.duplicates import DuplicateRepository
from indexer.catalog.engine import Database
from tests.indexer.builds.shop import Shop, catalogue


def generation_of(database: Database) -> int:
    with database.session() as session:
        return BuildRepository(session).recent("shop", limit=1)[0].generation


def test_only_files_that_different_products_have_are_shared(tmp_path: Path) -> None:
    shop = Shop.at(tmp_path)
    shop.draw("a.png", "red")
    shop.draw("b.png", "red")
    shop.draw("c.png", "blue", 1)
    shop.draw("d.png", "green", 2)
    shop.write(
        [
            {"id": "one", "title": "One", "images": "a.png,c.png"},
            {"id": "two", "title": "Two", "images": "b.png"},
            {"id": "three", "title": "Three", "images": "a.png"},
            {"id": "four", "title": "Four", "images": "d.png,d.png"},
            {"id": "five", "title": "Five"},
        ]
    )
    shop.build()

    with catalogue(shop.settings) as database, database.session() as session:
        repository = DuplicateRepository(session)
        generation = generation_of(database)
        assert repository.count("shop", generation=generation) == 1
        assert repository.groups("shop", 10, generation=generation) == [("one", "three", "two")]
        assert repository.count("other", generation=generation) == 0
