from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa

from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.records import UpsertCounts
from indexer.domain import Product
from indexer.errors import UnknownCatalog, UnknownProduct
from tests.indexer.catalog.samples import CAP, COAT, numbered


def write(database: Database, *products: Product, seen_in: str = "first", catalog: str = "shop") -> UpsertCounts:
    with database.begin() as session:
        return ProductRepository(session).upsert_many(catalog, products, seen_in=seen_in)


def test_a_product_comes_back_as_it_was_written(database: Database) -> None:
    write(database, COAT, CAP)
    with database.session() as session:
        assert ProductRepository(session).get("shop", COAT.id) == COAT
        assert ProductRepository(session).get("shop", CAP.id) == CAP


def test_only_what_changed_is_counted_as_changed(database: Database) -> None:
    assert write(database, COAT, CAP) == UpsertCounts(added=2)
    dearer = replace(COAT, price=Decimal("139.90"))
    assert write(database, dearer, CAP, *numbered(3)) == UpsertCounts(added=3, changed=1, unchanged=1)
    with database.session() as session:
        assert ProductRepository(session).get("shop", COAT.id) == dearer


def test_a_batch_larger_than_one_statement_is_written_whole(database: Database) -> None:
    products = numbered(2_500)
    assert write(database, *products) == UpsertCounts(added=2_500)
    assert write(database, *products) == UpsertCounts(unchanged=2_500)
    with database.session() as session:
        assert ProductRepository(session).count("shop") == 2_500


@pytest.mark.parametrize("price", ["0.00", "0.01", "0.29", "1234567.89", "9999999999.99"])
def test_prices_are_exact(database: Database, price: str) -> None:
    write(database, replace(CAP, price=Decimal(price)))
    with database.session() as session:
        stored = ProductRepository(session).get("shop", CAP.id).price
    assert stored is not None
    assert str(stored) == price


def test_products_that_a_build_did_not_see_are_removed_with_their_images(database: Database) -> None:
    write(database, COAT, CAP, seen_in="first")
    with database.begin() as session:
        ImageRepository(session).sync("shop", [COAT, CAP], lambda image: None)
    write(database, CAP, seen_in="second")
    with database.begin() as session:
        assert ProductRepository(session).remove_unseen("shop", "second") == 1
    with database.session() as session:
        assert ProductRepository(session).page("shop") == (CAP,)
        images = ImageRepository(session).of_products("shop", [COAT.id, CAP.id])
    assert images[COAT.id] == ()
    assert [image.uri for image in images[CAP.id]] == ["images/cap.jpg"]


def test_moving_a_product_in_the_source_marks_it_as_seen(database: Database) -> None:
    write(database, COAT, CAP, seen_in="first")
    assert write(database, CAP, COAT, seen_in="second") == UpsertCounts(unchanged=2)
    with database.begin() as session:
        assert ProductRepository(session).remove_unseen("shop", "second") == 0


def test_get_many_keeps_the_order_asked_for_and_leaves_out_what_is_absent(database: Database) -> None:
    write(database, COAT, CAP)
    with database.session() as session:
        found = ProductRepository(session).get_many("shop", ["cap", "gone", "coat-blue"])
        assert list(found.items()) == [("cap", CAP), ("coat-blue", COAT)]
        assert ProductRepository(session).get_many("shop", []) == {}


def test_get_many_is_one_query(database: Database) -> None:
    write(database, *numbered(20))
    statements: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    with database.session() as session:
        ProductRepository(session).get_many("shop", [product.id for product in numbered(20)])
    assert len(statements) == 1 + (database.engine.dialect.name == "sqlite"), "the query, and SQLite's BEGIN"


def test_the_same_id_in_two_catalogs_is_two_products(database: Database) -> None:
    with database.begin() as session:
        CatalogRepository(session).ensure("other", root="/other", source="/other/products.csv")
    write(database, CAP)
    write(database, replace(CAP, title="Another cap"), catalog="other")
    with database.session() as session:
        assert ProductRepository(session).get("shop", "cap").title == "Cap"
        assert ProductRepository(session).get("other", "cap").title == "Another cap"
    with database.begin() as session:
        ProductRepository(session).remove_unseen("other", "later")
    with database.session() as session:
        assert ProductRepository(session).count("shop") == 1


def test_siblings_share_a_parent_and_come_in_the_order_of_the_source(database: Database) -> None:
    red, black = replace(COAT, id="z-red"), replace(COAT, id="a-black")
    write(database, red, CAP, black)
    with database.session() as session:
        assert ProductRepository(session).siblings("shop", "coat") == (red, black)
        assert ProductRepository(session).siblings("shop", "cap") == ()


def test_streaming_passes_every_product_once_in_the_order_of_ids(database: Database) -> None:
    products = numbered(25)
    write(database, *reversed(products))
    with database.session() as session:
        pages = list(ProductRepository(session).stream("shop", page=10))
        later = list(ProductRepository(session).stream("shop", after="p00020", page=10))
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [product for page in pages for product in page] == products
    assert later == [tuple(products[21:])]


def test_an_unknown_product_is_refused_with_ids_that_are_close(database: Database) -> None:
    write(database, replace(CAP, id="MH01-Black"), replace(CAP, id="MH01-Blue"), CAP)
    with database.session() as session, pytest.raises(UnknownProduct, match="MH01-Black") as refused:
        ProductRepository(session).get("shop", "mh01-blak")
    assert "cap" not in str(refused.value)


def test_an_unknown_catalog_is_refused_by_name(database: Database) -> None:
    with database.session() as session, pytest.raises(UnknownCatalog, match="'shopp'"):
        ProductRepository(session).get("shopp", "cap")
