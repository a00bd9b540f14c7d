"""Who changed what: live changes, and what becomes of builds."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from indexer.builds.changing import Seeing, delete_products, put_products, put_source, update_product
from indexer.builds.embeddings import Embeddings
from indexer.builds.given import parse_update
from indexer.builds.jobs import BuildRequest, enqueue
from indexer.builds.life import cancel, publish_build, rollback
from indexer.builds.prune import prune_all
from indexer.catalog.audit import AuditEntry, AuditRepository
from indexer.catalog.engine import Database
from indexer.domain import ImageRef, Product
from indexer.errors import UnknownProduct
from indexer.images.decoders import DecoderPool
from indexer.sources import open_source
from tests.fakes import FakeEncoder
from tests.indexer.builds.shop import Shop

HAT = Product("hat", "Straw hat", price=Decimal("20.00"), currency="EUR", attributes={"colour": "yellow"})


@pytest.fixture
def seeing(shop: Shop) -> Iterator[Seeing]:
    encoder = FakeEncoder()
    with DecoderPool.of(shop.settings.images) as decoders:
        yield Seeing(encoder, Embeddings(shop.settings.home, encoder.spec.identity), decoders)


def recorded(database: Database, action: str = "products") -> list[AuditEntry]:
    """Oldest first."""
    with database.session() as session:
        return list(AuditRepository(session).page(action=action, limit=1_000))[::-1]


def test_what_changes_nothing_is_not_recorded(shop: Shop, database: Database, seeing: Seeing) -> None:
    shop.hats("Red hat")
    for _ in range(2):
        put_products(database, "shop", [HAT], seeing, "ann")
        update_product(database, "shop", "hat", parse_update({"price": "20", "currency": "EUR"}), "cy")
    assert [(one.by, one.action) for one in recorded(database)] == [("ann", "products.put")]


def test_a_product_is_recorded_as_it_was_and_as_it_is(shop: Shop, database: Database, seeing: Seeing) -> None:
    shop.hats("Red hat")
    put_products(database, "shop", [HAT], seeing, "ann")
    put_products(database, "shop", [Product("hat", "Wide straw hat", attributes={"colour": "yellow"})], seeing, "bob")
    update_product(database, "shop", "hat", parse_update({"price": "15", "currency": "EUR"}), "cy")
    delete_products(database, "shop", ["hat"], "dee")
    told = [(one.by, one.action, one.catalog, one.target, one.before, one.after) for one in recorded(database)]
    first = {"title": "Straw hat", "price": "20.00", "currency": "EUR", "availability": "unknown"}
    last = {"title": "Wide straw hat", "price": "15.00", "currency": "EUR", "availability": "unknown"}
    yellow = {"attributes": {"colour": "yellow"}}
    assert told == [
        ("ann", "products.put", "shop", "hat", None, {**first, **yellow}),
        (
            *("bob", "products.put", "shop", "hat"),
            *({"title": "Straw hat", "price": "20.00", "currency": "EUR"}, {"title": "Wide straw hat"}),
        ),
        ("cy", "products.update", "shop", "hat", {}, {"price": "15.00", "currency": "EUR"}),
        ("dee", "products.delete", "shop", "hat", {**last, **yellow}, None),
    ]


def test_many_products_are_counted_and_the_first_named(shop: Shop, database: Database, seeing: Seeing) -> None:
    titles = [f"Hat {number}" for number in range(30)]
    shop.hats("Red hat")
    shop.write([{"id": f"hat-{number}", "title": title} for number, title in enumerate(titles)])
    put_source(database, "shop", open_source(shop.file), seeing, lambda progress: None, "ann")
    (entry,) = recorded(database)
    ids = [f"hat-{number}" for number in range(30)]
    assert (entry.target, entry.before, entry.after) == (
        "30 products",
        {"products": 1, "first": ["hat-0"]},
        {"products": 30, "first": ids[:20]},
    )
    delete_products(database, "shop", ids[:25], "ann")
    assert recorded(database)[-1].before == {"products": 25, "first": ids[:20]}


def test_what_is_not_changed_is_not_recorded(shop: Shop, database: Database) -> None:
    shop.hats("Red hat")
    with pytest.raises(UnknownProduct):
        delete_products(database, "shop", ["hat-0", "none"], "ann")
    assert recorded(database) == []


def test_signed_addresses_of_photos_are_recorded_without_what_signs_them(
    shop: Shop, database: Database, seeing: Seeing
) -> None:
    shop.hats("Red hat")
    signed = Product("hat", "Hat", images=(ImageRef("gone.jpg?X-Signature=s3cret"),))
    put_products(database, "shop", [signed], seeing, "ann")
    assert "s3cret" not in str(recorded(database))
    assert (recorded(database)[0].after or {})["images"] == ["gone.jpg"]


def test_what_becomes_of_builds_is_recorded(shop: Shop, database: Database) -> None:
    first, second = shop.hats("Red hat"), shop.hats("Red hat", "Blue hat")
    rollback(database, shop.settings, "shop", by="ann")
    publish_build(database, shop.settings, second, lambda manifest: FakeEncoder(), {}, lambda progress: None, "bob")
    publish_build(database, shop.settings, second, lambda manifest: FakeEncoder(), {}, lambda progress: None, "bob")
    told = [(one.by, one.action, one.target, one.before, one.after) for one in recorded(database, "builds")]
    assert told == [
        ("", "builds.publish", first, None, {"published": first}),
        ("", "builds.publish", second, {"published": first}, {"published": second}),
        ("ann", "builds.rollback", first, {"published": second}, {"published": first}),
        ("bob", "builds.publish", second, {"published": first}, {"published": second}),
    ]


def test_builds_that_wait_are_cancelled_or_held_or_go(shop: Shop, database: Database) -> None:
    shop.hats("Red hat")
    shop.write([{"id": "hat", "title": "Green hat"}])
    held = shop.build(gates={}, hold=True).build
    request = BuildRequest.of(open_source(shop.file), "showroom", by="ann")
    waits = enqueue(database, "shop", None, request, "memory").id
    cancel(database, waits, "bob")
    for title in ("Blue hat", "Black hat"):
        shop.write([{"id": "hat", "title": title}])
        shop.build(gates={})
    gone = prune_all(database, shop.settings, None, 1, "cy")
    told = {(one.by, one.action, one.target) for one in recorded(database, "builds")}
    assert {("", "builds.hold", held), ("bob", "builds.cancel", waits)} <= told
    pruned = recorded(database, "builds.prune")[-1]
    assert (pruned.by, pruned.target, pruned.before) == ("cy", "shop", {"builds": gone}) or not gone
