"""A few products of a catalog: as many as asked for, as far apart as can be, and of one generation."""

from dataclasses import replace

from indexer.catalog.engine import Database
from indexer.catalog.products import ProductRepository
from indexer.catalog.sampling import SampleRepository
from tests.indexer.catalog.samples import CAP

CAPS = [replace(CAP, id=f"cap-{number:02}", title=f"Cap {number}") for number in range(20)]


def spread(database: Database, size: int, generation: int) -> tuple[str, ...]:
    with database.session() as session:
        return SampleRepository(session).spread("shop", size, generation=generation)


def test_products_are_spread_from_the_first_on(database: Database) -> None:
    with database.begin() as session:
        ProductRepository(session).upsert_many("shop", CAPS[::-1], generation=1, seen_in="b1")

    assert spread(database, 4, 1) == ("cap-00", "cap-05", "cap-10", "cap-15")
    assert spread(database, 20, 1) == tuple(cap.id for cap in CAPS)
    assert spread(database, 100, 1) == tuple(cap.id for cap in CAPS)


def test_only_products_of_the_generation_are_counted(database: Database) -> None:
    changed = [replace(cap, title="New cap") for cap in CAPS[:10]]
    with database.begin() as session:
        products = ProductRepository(session)
        products.upsert_many("shop", CAPS, generation=1, seen_in="b1")
        products.upsert_many("shop", changed, generation=2, seen_in="b2")
        products.remove_unseen("shop", generation=2, seen_in="b2", base=0)

    assert spread(database, 2, 1) == ("cap-00", "cap-10")
    assert spread(database, 2, 2) == ("cap-00", "cap-05")
    assert spread(database, 2, 0) == ()
