from dataclasses import replace

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


def sync(database: Database, *products: Product, stamp: Stamp = stamped) -> SyncCounts:
    with database.begin() as session:
        ProductRepository(session).upsert_many("shop", products, seen_in="first")
        return ImageRepository(session).sync("shop", products, stamp)


def images_of(database: Database, product: Product) -> tuple[ImageRecord, ...]:
    with database.session() as session:
        return ImageRepository(session).of_products("shop", [product.id])[product.id]


def ready(product: Product, image: ImageRef, source_stamp: str | None = None) -> ReadyImage:
    return ReadyImage(product.id, image.image_id, FIRST_HASH, 640, 480, PALETTE, source_stamp)


def mark(database: Database, *outcomes: ReadyImage | RejectedImage) -> None:
    with database.begin() as session:
        ImageRepository(session).mark("shop", outcomes)


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
            page = images.page("shop", ImageState.PENDING, after, limit=10)
            if not page:
                break
            images.mark("shop", [ReadyImage(image.product_id, image.image_id, FIRST_HASH, 1, 1) for image in page])
            seen.extend(image.product_id for image in page)
            after = page[-1].product_id, page[-1].image_id
    assert seen == [product.id for product in products]
    with database.session() as session:
        assert ImageRepository(session).counts("shop").states[ImageState.READY] == 25


def test_counts_name_every_state_and_the_reasons(database: Database) -> None:
    sync(database, COAT, CAP)
    front, back = COAT.images
    mark(
        database,
        RejectedImage(COAT.id, front.image_id, "missing", "no such file"),
        RejectedImage(COAT.id, back.image_id, "missing", "404"),
    )
    with database.session() as session:
        counts = ImageRepository(session).counts("shop")
    assert counts.states == {ImageState.PENDING: 1, ImageState.READY: 0, ImageState.REJECTED: 2}
    assert counts.reasons == {"missing": 2}


def test_rejected_images_can_be_retried_by_reason(database: Database) -> None:
    sync(database, COAT, CAP)
    front, back = COAT.images
    mark(
        database,
        RejectedImage(COAT.id, front.image_id, "too_small", "8 × 8 pixels"),
        RejectedImage(COAT.id, back.image_id, "unreachable", "timed out"),
        ready(CAP, CAP.images[0]),
    )
    with database.begin() as session:
        assert ImageRepository(session).retry("shop", ["unreachable"]) == 1
    assert [image.state for image in images_of(database, COAT)] == [ImageState.REJECTED, ImageState.PENDING]
    with database.begin() as session:
        assert ImageRepository(session).retry("shop") == 1
    assert images_of(database, CAP)[0].state is ImageState.READY


def test_an_outcome_for_an_image_that_left_the_ledger_is_passed_over(database: Database) -> None:
    sync(database, CAP)
    mark(database, ready(COAT, COAT.images[0]))
    assert images_of(database, COAT) == ()
