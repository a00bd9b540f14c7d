from dataclasses import replace
from datetime import UTC, datetime, timedelta

from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository, Stamp
from indexer.catalog.products import ProductRepository
from indexer.catalog.records import ImageRecord, ReadyImage, RejectedImage, SyncCounts
from indexer.catalog.states import ImageState
from indexer.domain import ImageRef, Product
from tests.indexer.catalog.samples import CAP, COAT, numbered

FIRST_HASH = "a" * 64
PALETTE = ((52.5, -3.25, 40.0, 0.75), (10.0, 0.0, 0.0, 0.25))


def stamped(image: ImageRef) -> str | None:
    """As the pipeline does: files have a stamp, URLs have none."""
    return None if image.uri.startswith("https:") else "1700000000:4096"


def restamped(image: ImageRef) -> str | None:
    return None if image.uri.startswith("https:") else "1800000000:5000"


def sync(database: Database, *products: Product, stamp: Stamp = stamped, generation: int = 1) -> SyncCounts:
    with database.begin() as session:
        ProductRepository(session).upsert_many("shop", products, generation=generation, seen_in="first")
        return ImageRepository(session).sync("shop", products, stamp, generation=generation)


def images_of(database: Database, product: Product, generation: int = 1) -> tuple[ImageRecord, ...]:
    with database.session() as session:
        return ImageRepository(session).of_products("shop", [product.id], generation=generation)[product.id]


def ready(product: Product, image: ImageRef, source_stamp: str | None = None) -> ReadyImage:
    return ReadyImage(product.id, image.image_id, FIRST_HASH, 640, 480, PALETTE, source_stamp)


def mark(database: Database, *outcomes: ReadyImage | RejectedImage, generation: int = 1) -> None:
    with database.begin() as session:
        ImageRepository(session).mark("shop", outcomes, generation=generation)


def test_new_references_are_pending_in_their_order(database: Database) -> None:
    assert sync(database, COAT) == SyncCounts(added=2)
    file, remote = images_of(database, COAT)
    assert file == ImageRecord(
        product_id=COAT.id,
        image_id=COAT.images[0].image_id,
        position=0,
        uri="images/coat.jpg",
        source_stamp="1700000000:4096",
        state=ImageState.PENDING,
    )
    assert (remote.position, remote.source_stamp) == (1, None)


def test_the_outcome_of_an_image_is_recorded(database: Database) -> None:
    sync(database, COAT)
    front, back = COAT.images
    refusal = RejectedImage(COAT.id, back.image_id, "too_small", "8 × 8 pixels, at least 16 are needed")
    mark(database, ready(COAT, front), refusal)
    good, bad = images_of(database, COAT)
    assert (good.state, good.content_hash, good.width, good.height) == (ImageState.READY, FIRST_HASH, 640, 480)
    assert good.palette == PALETTE
    assert good.checked_at is not None
    assert (bad.state, bad.reason, bad.detail) == (ImageState.REJECTED, "too_small", refusal.detail)
    assert bad.content_hash is None


def test_an_image_is_checked_again_only_when_its_stamp_changed(database: Database) -> None:
    sync(database, COAT)
    front, back = COAT.images
    mark(database, ready(COAT, front), ready(COAT, back, source_stamp='"etag"'))
    assert sync(database, COAT) == SyncCounts(unchanged=2)
    assert sync(database, COAT, stamp=restamped) == SyncCounts(stale=1, unchanged=1)
    file, remote = images_of(database, COAT)
    assert (file.state, file.content_hash, file.palette) == (ImageState.PENDING, None, None)
    assert (remote.state, remote.source_stamp) == (ImageState.READY, '"etag"')


def test_references_that_are_gone_are_removed_and_others_move_up(database: Database) -> None:
    sync(database, COAT)
    back = COAT.images[1]
    mark(database, ready(COAT, back))
    assert sync(database, replace(COAT, images=(back,))) == SyncCounts(removed=1, unchanged=1)
    (kept,) = images_of(database, COAT)
    assert (kept.uri, kept.position, kept.state) == (back.uri, 0, ImageState.READY)


def test_two_products_may_share_a_photo(database: Database) -> None:
    twin = replace(CAP, id="cap-2")
    assert sync(database, CAP, twin) == SyncCounts(added=2)
    mark(database, ready(twin, CAP.images[0]))
    assert images_of(database, CAP)[0].state is ImageState.PENDING
    assert images_of(database, twin)[0].state is ImageState.READY


def test_pages_by_state_can_be_marked_as_they_are_read(database: Database) -> None:
    products = [replace(product, images=CAP.images) for product in numbered(25)]
    sync(database, *products)
    seen: list[str] = []
    after = None
    while True:
        with database.begin() as session:
            images = ImageRepository(session)
            page = images.page("shop", ImageState.PENDING, after, limit=10, generation=1)
            if not page:
                break
            outcomes = [ReadyImage(image.product_id, image.image_id, FIRST_HASH, 1, 1) for image in page]
            images.mark("shop", outcomes, generation=1)
            seen.extend(image.product_id for image in page)
            after = page[-1].product_id, page[-1].image_id
    assert seen == [product.id for product in products]
    with database.session() as session:
        assert ImageRepository(session).counts("shop", generation=1).states[ImageState.READY] == 25


def test_counts_name_every_state_and_the_reasons(database: Database) -> None:
    sync(database, COAT, CAP)
    front, back = COAT.images
    mark(
        database,
        RejectedImage(COAT.id, front.image_id, "missing", "no such file"),
        RejectedImage(COAT.id, back.image_id, "missing", "404"),
    )
    with database.session() as session:
        counts = ImageRepository(session).counts("shop", generation=1)
    assert counts.states == {ImageState.PENDING: 1, ImageState.READY: 0, ImageState.REJECTED: 2}
    assert counts.reasons == {"missing": 2}


def test_rejected_images_that_may_be_tried_again_are_listed_by_reason_and_age(database: Database) -> None:
    sync(database, COAT, CAP)
    front, back = COAT.images
    mark(
        database,
        RejectedImage(COAT.id, front.image_id, "too_small", "8 × 8 pixels"),
        RejectedImage(COAT.id, back.image_id, "unreachable", "timed out"),
        RejectedImage(CAP.id, CAP.images[0].image_id, "unreachable", "timed out"),
    )
    now = datetime.now(UTC)
    with database.session() as session:
        images = ImageRepository(session)
        found = images.retryable("shop", ["unreachable"], now, generation=1)
        later = images.retryable("shop", ["unreachable"], now, (CAP.id, CAP.images[0].image_id), generation=1)
        fresh = images.retryable("shop", ["unreachable"], now - timedelta(hours=1), generation=1)
    assert [image.image_id for image in found] == [CAP.images[0].image_id, back.image_id]
    assert later == found[1:]
    assert fresh == ()


def test_another_outcome_is_another_version(database: Database) -> None:
    sync(database, COAT)
    front, _ = COAT.images
    mark(database, ready(COAT, front))
    mark(database, RejectedImage(COAT.id, front.image_id, "missing", "404"), generation=2)
    assert images_of(database, COAT, 1)[0].state is ImageState.READY
    assert images_of(database, COAT, 2)[0].reason == "missing"
    mark(database, ready(COAT, front), generation=2)
    assert images_of(database, COAT, 2)[0].state is ImageState.READY


def test_the_same_outcome_again_is_noted_for_every_generation(database: Database) -> None:
    sync(database, COAT)
    _, back = COAT.images
    mark(database, ready(COAT, back))
    before = images_of(database, COAT, 1)[1]
    mark(database, ready(COAT, back, source_stamp='"etag"'), generation=2)
    after = images_of(database, COAT, 1)[1]
    assert after == images_of(database, COAT, 2)[1]
    assert after.source_stamp == '"etag"'
    assert before.checked_at is not None
    assert after.checked_at is not None
    assert after.checked_at > before.checked_at


def test_another_order_and_a_new_stamp_are_of_the_build_that_read_them(database: Database) -> None:
    sync(database, COAT)
    turned = replace(COAT, images=COAT.images[::-1])
    assert sync(database, turned, stamp=restamped, generation=2) == SyncCounts(stale=1, unchanged=1)
    assert [image.position for image in images_of(database, COAT, 1)] == [0, 1]
    assert [image.uri for image in images_of(database, COAT, 1)] == [image.uri for image in COAT.images]
    assert [image.uri for image in images_of(database, COAT, 2)] == [image.uri for image in turned.images]
    assert images_of(database, COAT, 1)[0].source_stamp == "1700000000:4096"


def test_a_live_change_replaces_the_images_of_all_generations(database: Database) -> None:
    sync(database, COAT)
    sync(database, COAT, stamp=restamped, generation=2)
    with database.begin() as session:
        images = ImageRepository(session)
        record = images_of(database, COAT, 2)[1]
        live = replace(record, state=ImageState.READY, content_hash=FIRST_HASH, palette=PALETTE, width=8, height=8)
        images.replace("shop", COAT.id, [live])
    for generation in (0, 1, 2, 3):
        assert images_of(database, COAT, generation) == (live,)
    with database.begin() as session:
        ImageRepository(session).replace("shop", COAT.id, [])
    assert images_of(database, COAT, 2) == ()


def test_the_ids_of_all_versions_are_known(database: Database) -> None:
    front, back = COAT.images
    sync(database, replace(COAT, images=(front,)))
    sync(database, replace(COAT, images=(back,)), generation=2)
    with database.session() as session:
        found = ImageRepository(session).ids_of("shop", [COAT.id, "gone"])
    assert found == {COAT.id: tuple(sorted((front.image_id, back.image_id))), "gone": ()}


def test_an_outcome_for_an_image_that_left_the_ledger_is_passed_over(database: Database) -> None:
    sync(database, CAP)
    mark(database, ready(COAT, COAT.images[0]))
    assert images_of(database, COAT) == ()
