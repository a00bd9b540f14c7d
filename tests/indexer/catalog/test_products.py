import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from indexer.catalog.canonical import content_hash
from indexer.catalog.catalogs import CatalogRepository
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.models import ProductRow
from indexer.catalog.products import ProductRepository
from indexer.catalog.records import UpsertCounts, Variant
from indexer.domain import Availability, Product
from indexer.errors import UnknownCatalog, UnknownProduct
from tests.indexer.catalog.samples import CAP, COAT, NOON, numbered


def write(
    database: Database, *products: Product, seen_in: str = "first", catalog: str = "shop", generation: int = 1
) -> UpsertCounts:
    with database.begin() as session:
        return ProductRepository(session).upsert_many(catalog, products, generation=generation, seen_in=seen_in)


def read(database: Database, generation: int, catalog: str = "shop") -> dict[str, Product]:
    with database.session() as session:
        return {one.id: one for one in ProductRepository(session).page(catalog, generation=generation)}


def patch(session: Session, product_id: str, **changes: object) -> None:
    """As if nothing but its brand were embedded of a product."""

    def changed(product: Product) -> Product:
        return replace(product, **changes)  # type: ignore[arg-type]

    ProductRepository(session).patch("shop", product_id, changed, text_key=brand_key)


def brand_key(product: Product) -> str:
    return hashlib.sha256(str(product.brand).encode()).hexdigest()


def test_a_product_comes_back_as_it_was_written(database: Database) -> None:
    write(database, COAT, CAP)
    with database.session() as session:
        assert ProductRepository(session).get("shop", COAT.id, generation=1) == COAT
        assert ProductRepository(session).get("shop", CAP.id, generation=1) == CAP


def test_only_what_changed_is_counted_as_changed(database: Database) -> None:
    assert write(database, COAT, CAP) == UpsertCounts(added=2)
    dearer = replace(COAT, price=Decimal("139.90"))
    assert write(database, dearer, CAP, *numbered(3)) == UpsertCounts(added=3, changed=1, unchanged=1)
    with database.session() as session:
        assert ProductRepository(session).get("shop", COAT.id, generation=1) == dearer


def test_a_batch_larger_than_one_statement_is_written_whole(database: Database) -> None:
    products = numbered(2_500)
    assert write(database, *products) == UpsertCounts(added=2_500)
    assert write(database, *products) == UpsertCounts(unchanged=2_500)
    with database.session() as session:
        assert ProductRepository(session).count("shop", generation=1) == 2_500


@pytest.mark.parametrize("price", ["0.00", "0.01", "0.29", "1234567.89", "9999999999.99"])
def test_prices_are_exact(database: Database, price: str) -> None:
    write(database, replace(CAP, price=Decimal(price)))
    with database.session() as session:
        stored = ProductRepository(session).get("shop", CAP.id, generation=1).price
    assert stored is not None
    assert str(stored) == price


def test_products_that_a_build_did_not_see_are_removed_with_their_images(database: Database) -> None:
    write(database, COAT, CAP, seen_in="first")
    with database.begin() as session:
        ImageRepository(session).sync("shop", [COAT, CAP], lambda image: None, generation=1)
    write(database, CAP, seen_in="second")
    with database.begin() as session:
        assert ProductRepository(session).remove_unseen("shop", generation=1, seen_in="second", base=0) == 1
    with database.session() as session:
        assert ProductRepository(session).page("shop", generation=1) == (CAP,)
        images = ImageRepository(session).of_products("shop", [COAT.id, CAP.id], generation=1)
    assert images[COAT.id] == ()
    assert [image.uri for image in images[CAP.id]] == ["images/cap.jpg"]


def test_products_with_a_live_change_that_the_source_cannot_know_stay(database: Database) -> None:
    write(database, COAT, CAP, *numbered(1), seen_in="first")
    with database.begin() as session:
        changes = ChangeRepository(session)
        base = changes.record("shop", {COAT.id: []}, NOON)
        changes.record("shop", {CAP.id: []}, NOON)
        removed = ProductRepository(session).remove_unseen("shop", generation=2, seen_in="second", base=base)
    assert removed == 2
    assert list(read(database, 2)) == [CAP.id]
    assert list(read(database, 1)) == [CAP.id, COAT.id, "p00000"]


def test_removing_goes_on_beyond_one_statement(database: Database) -> None:
    write(database, *numbered(2_100), seen_in="first")
    with database.begin() as session:
        products = ProductRepository(session)
        assert products.remove_unseen("shop", generation=2, seen_in="second", base=0) == 2_100
        assert (products.count("shop", generation=1), products.count("shop", generation=2)) == (2_100, 0)


def test_moving_a_product_in_the_source_marks_it_as_seen(database: Database) -> None:
    write(database, COAT, CAP, seen_in="first")
    assert write(database, CAP, COAT, seen_in="second") == UpsertCounts(unchanged=2)
    with database.begin() as session:
        assert ProductRepository(session).remove_unseen("shop", generation=1, seen_in="second", base=0) == 0


def test_get_many_keeps_the_order_asked_for_and_leaves_out_what_is_absent(database: Database) -> None:
    write(database, COAT, CAP)
    with database.session() as session:
        found = ProductRepository(session).get_many("shop", ["cap", "gone", "coat-blue"], generation=1)
        assert list(found.items()) == [("cap", CAP), ("coat-blue", COAT)]
        assert ProductRepository(session).get_many("shop", [], generation=1) == {}


def test_get_many_is_one_query(database: Database) -> None:
    write(database, *numbered(20))
    statements: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    with database.session() as session:
        ProductRepository(session).get_many("shop", [product.id for product in numbered(20)], generation=1)
    assert len(statements) == 1 + (database.engine.dialect.name == "sqlite"), "the query, and SQLite's BEGIN"


def test_the_same_id_in_two_catalogs_is_two_products(database: Database) -> None:
    with database.begin() as session:
        CatalogRepository(session).ensure("other", root="/other", source="/other/products.csv")
    write(database, CAP)
    write(database, replace(CAP, title="Another cap"), catalog="other")
    with database.session() as session:
        assert ProductRepository(session).get("shop", "cap", generation=1).title == "Cap"
        assert ProductRepository(session).get("other", "cap", generation=1).title == "Another cap"
    with database.begin() as session:
        ProductRepository(session).remove_unseen("other", generation=1, seen_in="later", base=0)
    with database.session() as session:
        assert ProductRepository(session).count("shop", generation=1) == 1


def siblings(database: Database, *parents: str, limit: int = 10) -> dict[str, list[str]]:
    with database.session() as session:
        found = ProductRepository(session).siblings("shop", parents, generation=1, limit=limit)
    return {parent: [one.id for one in products] for parent, products in found.items()}


def test_siblings_share_a_parent_and_come_in_the_order_of_the_source(database: Database) -> None:
    red, black = replace(COAT, id="z-red"), replace(COAT, id="a-black")
    write(database, red, CAP, black, replace(CAP, id="cap-2", parent="cap"))
    assert siblings(database, "coat", "cap", "unheard") == {"coat": ["z-red", "a-black"], "cap": ["cap-2"]}
    assert siblings(database) == {}


def test_siblings_come_whole(database: Database) -> None:
    write(database, COAT)
    with database.session() as session:
        assert ProductRepository(session).siblings("shop", ["coat"], generation=1) == {"coat": (COAT,)}


def test_variants_are_what_tells_siblings_apart_the_parent_first_where_it_is_a_product(database: Database) -> None:
    red, black = replace(COAT, id="z-red", attributes={"colour": ("red", "wine")}), replace(COAT, id="a-black")
    write(database, red, CAP, black, replace(CAP, id="cap-2", parent="cap"))
    with database.session() as session:
        found = ProductRepository(session).variants("shop", ["coat", "cap", "unheard"], generation=1, limit=1)
        none = ProductRepository(session).variants("shop", [], generation=1)
    assert found == {
        "coat": (Variant("z-red", {"colour": ("red", "wine")}),),
        "cap": (Variant("cap", CAP.attributes), Variant("cap-2", CAP.attributes)),
    }
    assert none == {}


def test_a_large_family_is_cut_without_cutting_the_others(database: Database) -> None:
    write(database, *(replace(one, parent="crowd") for one in numbered(5)), COAT)
    assert siblings(database, "crowd", "coat", limit=3) == {"crowd": ["p00000", "p00001", "p00002"], "coat": [COAT.id]}


def test_siblings_are_those_of_the_generation(database: Database) -> None:
    write(database, COAT)
    write(database, COAT, replace(COAT, id="coat-red"), generation=2, seen_in="second")
    assert siblings(database, "coat") == {"coat": [COAT.id]}


def test_streaming_passes_every_product_once_in_the_order_of_ids(database: Database) -> None:
    products = numbered(25)
    write(database, *reversed(products))
    with database.session() as session:
        pages = list(ProductRepository(session).stream("shop", page=10, generation=1))
        later = list(ProductRepository(session).stream("shop", after="p00020", page=10, generation=1))
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [product for page in pages for product in page] == products
    assert later == [tuple(products[21:])]


def test_an_unknown_product_is_refused_with_ids_that_are_close(database: Database) -> None:
    write(database, replace(CAP, id="MH01-Black"), replace(CAP, id="MH01-Blue"), CAP)
    with database.session() as session, pytest.raises(UnknownProduct, match="MH01-Black") as refused:
        ProductRepository(session).get("shop", "mh01-blak", generation=1)
    assert "cap" not in str(refused.value)


def test_an_unknown_catalog_is_refused_by_name(database: Database) -> None:
    with database.session() as session, pytest.raises(UnknownCatalog, match="'shopp'"):
        ProductRepository(session).get("shopp", "cap", generation=1)


class TestLiveChanges:
    def test_a_replaced_product_is_the_same_in_all_generations(self, database: Database) -> None:
        write(database, COAT, CAP, generation=1)
        write(database, replace(COAT, title="Dear coat"), generation=2)
        newest = replace(COAT, title="Newest coat")
        with database.begin() as session:
            ProductRepository(session).replace("shop", newest, seen_in="live")
        for generation in (0, 1, 2, 3):
            assert read(database, generation)[COAT.id] == newest
        assert read(database, 0) == {COAT.id: newest}

    def test_a_replaced_product_keeps_its_place_and_a_new_one_comes_behind_its_siblings(
        self, database: Database
    ) -> None:
        red, black, green = (replace(COAT, id=name) for name in ("z-red", "m-black", "a-green"))
        write(database, red, CAP, black)
        with database.begin() as session:
            products = ProductRepository(session)
            products.replace("shop", replace(red, title="Red coat"), seen_in="live")
            products.replace("shop", green, seen_in="live")
            products.replace("shop", replace(CAP, id="cap-2"), seen_in="live")
        assert siblings(database, "coat") == {"coat": ["z-red", "m-black", "a-green"]}

    def test_a_patch_changes_the_named_fields_of_every_version(self, database: Database) -> None:
        dearer = replace(COAT, title="Dear coat")
        write(database, COAT, generation=1)
        write(database, dearer, generation=2)
        changes = {"price": Decimal("9.9"), "availability": Availability.PREORDER, "attributes": {"sizes": ("S", "M")}}
        with database.begin() as session:
            patch(session, COAT.id, **changes)
        expected = [
            replace(one, price=Decimal("9.90"), availability=Availability.PREORDER, attributes={"sizes": ("S", "M")})
            for one in (COAT, dearer)
        ]
        first, second = (read(database, generation)[COAT.id] for generation in (1, 2))
        assert [first, second] == expected
        assert write(database, second, generation=2) == UpsertCounts(unchanged=1)

    def test_the_hash_of_a_patched_product_is_that_of_a_product_read_like_that(self, database: Database) -> None:
        write(database, COAT)
        with database.begin() as session:
            patch(session, COAT.id, category=("Sale",), price=None)
            hashed = session.scalar(sa.select(ProductRow.content_hash))
        assert hashed == content_hash(replace(COAT, category=("Sale",), price=None))

    def test_a_patched_text_keeps_the_key_of_the_text_that_was_embedded(self, database: Database) -> None:
        """Until it is that text again."""
        write(database, COAT, CAP)
        with database.begin() as session:
            keys: list[dict[str, str]] = []
            for changes in (
                {"price": None},
                {"brand": "Nightbird"},
                {"brand": "Owl"},
                {"price": None},
                {"brand": COAT.brand},
            ):
                patch(session, COAT.id, **changes)
                keys.append(ProductRepository(session).text_keys("shop", [COAT.id, CAP.id], generation=1))
        kept = {COAT.id: brand_key(COAT)}
        assert keys == [{}, kept, kept, kept, {}]

    def test_each_version_of_a_patched_product_keeps_the_key_of_its_own_text(self, database: Database) -> None:
        newer = replace(COAT, brand="Nightbird")
        write(database, COAT, generation=1)
        write(database, newer, generation=2)
        with database.begin() as session:
            patch(session, COAT.id, brand="Owl")
            keys = [ProductRepository(session).text_keys("shop", [COAT.id], generation=one) for one in (1, 2)]
        assert keys == [{COAT.id: brand_key(COAT)}, {COAT.id: brand_key(newer)}]

    def test_reading_or_replacing_a_patched_product_clears_the_key(self, database: Database) -> None:
        write(database, COAT, CAP)
        with database.begin() as session:
            products = ProductRepository(session)
            for product in (COAT, CAP):
                patch(session, product.id, brand="Owl")
            products.replace("shop", replace(CAP, brand="Owl"), seen_in="live")
        assert write(database, replace(COAT, brand="Owl"), generation=2) == UpsertCounts(changed=1)
        with database.session() as session:
            products = ProductRepository(session)
            assert products.text_keys("shop", [COAT.id, CAP.id], generation=2) == {}
            assert products.text_keys("shop", [COAT.id, CAP.id], generation=1) == {COAT.id: brand_key(COAT)}

    def test_a_product_that_is_in_no_generation_cannot_be_patched(self, database: Database) -> None:
        write(database, COAT)
        with database.begin() as session, pytest.raises(UnknownProduct, match="coat-blue"):
            patch(session, "coat-bleu", price=None)

    def test_a_deleted_product_leaves_all_generations_with_its_images(self, database: Database) -> None:
        for generation, product in ((1, COAT), (2, replace(COAT, title="Dear coat"))):
            write(database, product, CAP, generation=generation)
            with database.begin() as session:
                ImageRepository(session).sync("shop", [product, CAP], lambda image: None, generation=generation)
        with database.begin() as session:
            ProductRepository(session).delete("shop", [COAT.id, "gone"])
            assert ImageRepository(session).ids_of("shop", [COAT.id]) == {COAT.id: ()}
        assert list(read(database, 1)) == list(read(database, 2)) == [CAP.id]

    def test_a_build_and_a_live_change_at_once_leave_one_row_per_generation(self, database: Database) -> None:
        def live(number: int) -> None:
            with database.begin() as session:
                ProductRepository(session).replace("shop", replace(CAP, title=f"Live {number}"), seen_in="live")

        def building(number: int) -> None:
            write(database, replace(CAP, title=f"Read {number}"), generation=number)

        with ThreadPoolExecutor(4) as pool:
            for number in range(1, 6):
                list(pool.map(lambda run, number=number: run(number), (live, building, live)))
        with database.session() as session:
            versions = session.execute(sa.select(ProductRow.since, ProductRow.until).order_by(ProductRow.since)).all()
            counted = [ProductRepository(session).count("shop", generation=number) for number in range(1, 6)]
        assert all(end <= begin for (_, end), (begin, _) in pairwise(versions))
        assert set(counted) <= {0, 1}
