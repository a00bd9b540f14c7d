from dataclasses import replace

import pytest

from indexer.catalog.engine import Database
from indexer.catalog.generations import GenerationRepository
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.records import Difference, ReadyImage, RejectedImage
from indexer.domain import Product
from indexer.errors import ConflictError
from tests.indexer.catalog.samples import CAP, COAT, numbered

DEARER = replace(COAT, title="Dear coat")


def build(database: Database, generation: int, *products: Product, content: str = "a", attempt: str = "") -> None:
    """As a build does it: what it reads is the whole catalogue, and all photos are good."""
    seen_in = f"b{generation}{attempt}"
    with database.begin() as session:
        catalogue, images = ProductRepository(session), ImageRepository(session)
        catalogue.upsert_many("shop", products, generation=generation, seen_in=seen_in)
        images.sync("shop", products, lambda image: None, generation=generation)
        catalogue.remove_unseen("shop", generation=generation, seen_in=seen_in, base=0)
        good = [ReadyImage(one.id, image.image_id, content * 64, 8, 8) for one in products for image in one.images]
        images.mark("shop", good, generation=generation)


def read(database: Database, generation: int) -> set[str]:
    """Titles, as products cannot be hashed."""
    with database.session() as session:
        return {one.title for one in ProductRepository(session).page("shop", generation=generation)}


def photos(database: Database, generation: int) -> int:
    with database.session() as session:
        return sum(ImageRepository(session).counts("shop", generation=generation).states.values())


def differ(database: Database, a: int, b: int) -> bool:
    with database.session() as session:
        generations = GenerationRepository(session)
        assert generations.differ("shop", a, b) == generations.differ("shop", b, a)
        return generations.differ("shop", a, b)


def test_a_build_changes_only_what_it_reads_itself(database: Database) -> None:
    build(database, 1, COAT, CAP)
    build(database, 2, DEARER)
    assert read(database, 1) == {"Rain coat", "Cap"}
    assert read(database, 2) == {"Dear coat"}
    assert (photos(database, 1), photos(database, 2)) == (3, 2)


def test_a_build_of_the_same_source_makes_no_difference(database: Database) -> None:
    build(database, 1, COAT, CAP)
    build(database, 2, CAP, COAT)
    assert not differ(database, 1, 2)
    build(database, 3, CAP, COAT, content="b")
    assert differ(database, 2, 3)
    assert not differ(database, 1, 1)


def test_another_wording_of_the_same_refusal_makes_no_difference(database: Database) -> None:
    image = CAP.images[0].image_id
    build(database, 1, CAP)
    for generation, detail in ((1, "timed out after 9.8 s"), (2, "timed out after 9.9 s")):
        with database.begin() as session:
            refusal = RejectedImage(CAP.id, image, "unreachable", detail)
            ImageRepository(session).mark("shop", [refusal], generation=generation)
    assert not differ(database, 1, 2)
    with database.session() as session:
        (found,) = ImageRepository(session).of_products("shop", [CAP.id], generation=1)[CAP.id]
    assert found.detail == "timed out after 9.9 s"


def test_abandoning_leaves_the_catalogue_as_it_was(database: Database) -> None:
    build(database, 1, COAT, CAP)
    build(database, 2, DEARER, *numbered(3))
    with database.begin() as session:
        GenerationRepository(session).abandon("shop", 2)
    assert read(database, 2) == read(database, 1) == {"Rain coat", "Cap"}
    assert not differ(database, 1, 2)
    assert photos(database, 2) == 3


def test_a_generation_that_another_stands_on_is_not_abandoned(database: Database) -> None:
    build(database, 1, COAT, CAP)
    build(database, 2, DEARER, CAP)
    build(database, 3, DEARER)
    with database.begin() as session, pytest.raises(ConflictError, match="Generation 2 of catalog 'shop'"):
        GenerationRepository(session).abandon("shop", 2)


def test_what_was_inherited_can_be_abandoned(database: Database) -> None:
    build(database, 1, COAT, CAP)
    build(database, 2, DEARER)
    with database.begin() as session:
        GenerationRepository(session).inherit("shop", 2, 3)
    assert read(database, 2) == {"Rain coat", "Cap"}
    assert read(database, 3) == {"Dear coat"}
    with database.begin() as session:
        GenerationRepository(session).abandon("shop", 3)
    assert read(database, 3) == {"Rain coat", "Cap"}


def test_a_generation_that_is_read_again_may_lose_and_regain_its_products(database: Database) -> None:
    build(database, 1, COAT)
    for attempt, products in enumerate(((CAP, COAT), (COAT,), (CAP, COAT), (DEARER,), (COAT,))):
        build(database, 2, *products, attempt=str(attempt))
        assert read(database, 2) == {one.title for one in products}
        assert read(database, 1) == {"Rain coat"}


def test_forgetting_keeps_what_later_generations_read(database: Database) -> None:
    build(database, 1, COAT, CAP)
    build(database, 2, DEARER)
    build(database, 3, COAT)
    with database.begin() as session:
        GenerationRepository(session).forget("shop", 2)
    assert (read(database, 1), read(database, 2), read(database, 3)) == (set(), {"Dear coat"}, {"Rain coat"})


def test_the_difference_counts_products_by_what_became_of_them(database: Database) -> None:
    build(database, 1, COAT, CAP, *numbered(3))
    build(database, 2, DEARER, CAP, *numbered(5)[1:])
    with database.session() as session:
        generations = GenerationRepository(session)
        assert generations.difference("shop", 1, 2) == Difference(added=2, changed=1, removed=1, unchanged=3)
        assert generations.difference("shop", 2, 1) == Difference(added=1, changed=1, removed=2, unchanged=3)
        assert generations.difference("shop", 0, 2) == Difference(added=6, changed=0, removed=0, unchanged=0)
        assert generations.changed_ids("shop", 1, 2, "added") == ("p00003", "p00004")
        assert generations.changed_ids("shop", 1, 2, "added", after="p00003") == ("p00004",)
        assert generations.changed_ids("shop", 1, 2, "added", limit=1) == ("p00003",)
        assert generations.changed_ids("shop", 1, 2, "changed") == (COAT.id,)
        assert generations.changed_ids("shop", 1, 2, "removed") == ("p00000",)


def test_a_product_whose_photo_was_replaced_is_changed(database: Database) -> None:
    build(database, 1, COAT, CAP)
    build(database, 2, COAT, CAP)
    with database.begin() as session:
        other = ReadyImage(CAP.id, CAP.images[0].image_id, "b" * 64, 8, 8)
        ImageRepository(session).mark("shop", [other], generation=2)
    with database.session() as session:
        generations = GenerationRepository(session)
        assert generations.difference("shop", 1, 2) == Difference(added=0, changed=1, removed=0, unchanged=1)
        assert generations.changed_ids("shop", 1, 2, "changed") == (CAP.id,)
