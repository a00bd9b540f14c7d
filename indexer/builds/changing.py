"""Live changes: single products put, changed or taken out while shoppers search; open stores follow the ledger."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from indexer.builds.embedder import encode_missing, plain_palette
from indexer.builds.embeddings import Embeddings, text_key
from indexer.builds.given import ProductUpdate
from indexer.builds.progress import Progress, Watch
from indexer.builds.read import batches, stamp
from indexer.builds.recording import Doing
from indexer.builds.tagging import prompts_of
from indexer.builds.texts import describe
from indexer.catalog.audit import AuditRepository
from indexer.catalog.builds import BuildRepository
from indexer.catalog.catalogs import CatalogRepository, lock_catalog
from indexer.catalog.changes_log import ChangeRepository
from indexer.catalog.engine import Database
from indexer.catalog.images import ImageRepository
from indexer.catalog.products import ProductRepository
from indexer.catalog.published import PublishedRepository
from indexer.catalog.records import ImageRecord
from indexer.catalog.states import ImageState
from indexer.domain import Frozen, ImageRef, Pixels, Product
from indexer.encoders import Encoder
from indexer.errors import EncoderMismatch, ImageRejected, InputError, SourceError
from indexer.images.decoders import Decoded, DecoderPool, DecodeTask
from indexer.places import Place, place_of
from indexer.sources import BrokenRow, Source
from indexer.sources.text import clean_line

TOGETHER = 100
"""Products of a file put in one transaction."""
ENCODED_TOGETHER = 64
"""Photos of one encoder call."""
VISIBLE_WITHIN_S = 2.0
SEEN_IN = ""
"""Products that were put live were in no source."""


class Rejected(Frozen):
    """What a change left out: a broken row, or a photo. The product is found by its other photos and its words."""

    line: int | None = None
    """Of the file."""
    product: str | None = None
    photo: str | None = None
    reason: str
    """A short stable word."""
    detail: str | None


class LiveChange(Frozen):
    """What was changed, durably; every search that begins `visible_within_s` seconds later shows it."""

    catalog: str
    products: list[str]
    sequence: int
    """Place of the last of the changes in the catalog's log."""
    visible_within_s: float = VISIBLE_WITHIN_S
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True)
class Seeing:
    """What putting products needs: to read their photos and texts as the published build does."""

    encoder: Encoder
    embeddings: Embeddings
    decoders: DecoderPool


def put_products(
    database: Database, catalog: str, products: Sequence[Product], seeing: Seeing, by: str = ""
) -> LiveChange:
    """Add the products, replacing those of equal id. Their vectors are in the cache before the ledger names them.
    `by`: who does it, for the record.

    Raises InputError for an id that is given twice, UnknownCatalog, NothingPublished, EncoderMismatch when a build of
    another encoder was published meanwhile, and what the encoder, the cache and the database raise.
    """
    ids = [product.id for product in products]
    twice = next((one for one, count in Counter(ids).items() if count > 1), None)
    if twice is not None:
        raise InputError(f"Product {twice!r} is given twice; give each product once.")
    with database.session() as session:
        root = place_of(CatalogRepository(session).get(catalog).root)
        manifest = BuildRepository(session).manifest(PublishedRepository(session).get(catalog).build)
    records, rejected = _photos(products, root, seeing)
    _embed_texts(products, prompts_of(manifest.tagging) if manifest else (), seeing)
    with database.begin() as session:
        lock_catalog(session, catalog)
        _demand_same_encoder(PublishedRepository(session), BuildRepository(session), catalog, seeing.encoder)
        now, ledger, images = datetime.now(UTC), ProductRepository(session), ImageRepository(session)
        before = ledger.get_many(catalog, ids, generation=PublishedRepository(session).generation(catalog))
        had = images.ids_of(catalog, ids)
        for product in products:
            ledger.replace(catalog, product, seen_in=SEEN_IN)
            images.replace(catalog, product.id, records[product.id])
        after = {product.id: product for product in products}
        AuditRepository(session).add_many(Doing("products.put", catalog, by, now).entries(before, after))
        sequence = ChangeRepository(session).record(catalog, had, now)
    return LiveChange(catalog=catalog, products=ids, sequence=sequence, rejected=tuple(rejected))


def put_source(
    database: Database, catalog: str, source: Source, seeing: Seeing, watch: Watch, by: str = ""
) -> LiveChange:
    """Put every product of a catalogue file, in batches. Photos are looked for in the catalog's own folder.
    `by`: who does it, for the record.

    Raises SourceError when no row of it makes a product, and what `put_products` raises.
    """
    ids: list[str] = []
    rejected: list[Rejected] = []
    sequence = 0
    for found in batches(source.rows(), TOGETHER):
        rejected += [
            Rejected(line=row.line, reason="broken_row", detail=row.reason)
            for row in found
            if isinstance(row, BrokenRow)
        ]
        products = [row for row in found if isinstance(row, Product)]
        if products:
            put = put_products(database, catalog, products, seeing, by)
            sequence = put.sequence
            ids += put.products
            rejected += put.rejected
        watch(Progress("putting", len(ids), None, len(rejected), "products"))
    if not ids:
        why = f" Row {rejected[0].line}: {rejected[0].detail}." if rejected else ""
        raise SourceError(f"{source.path} has no usable row; nothing was changed.{why}")
    return LiveChange(catalog=catalog, products=ids, sequence=sequence, rejected=tuple(rejected))


def update_product(
    database: Database, catalog: str, product_id: str, update: ProductUpdate, by: str = ""
) -> LiveChange:
    """Change price, availability, address or attributes; nothing is encoded. `by`: who does it, for the record.

    Raises UnknownProduct, with ids that are close, InputError, UnknownCatalog, NothingPublished.
    """
    wanted = clean_line(product_id)
    with database.begin() as session:
        lock_catalog(session, catalog)
        now, products = datetime.now(UTC), ProductRepository(session)
        before = products.get(catalog, wanted, generation=PublishedRepository(session).generation(catalog))
        products.patch(catalog, wanted, update.of, text_key=_text_key)
        had = ImageRepository(session).ids_of(catalog, [wanted])
        done = Doing("products.update", catalog, by, now).entries({wanted: before}, {wanted: update.of(before)})
        AuditRepository(session).add_many(done)
        sequence = ChangeRepository(session).record(catalog, had, now)
    return LiveChange(catalog=catalog, products=[wanted], sequence=sequence)


def delete_products(database: Database, catalog: str, ids: Sequence[str], by: str = "") -> LiveChange:
    """Take the products out. `by`: who does it, for the record.

    Raises UnknownProduct, with ids that are close, for the first that is not there; then all stay. Raises
    UnknownCatalog, NothingPublished.
    """
    wanted = list(dict.fromkeys(clean_line(one) for one in ids))
    with database.begin() as session:
        lock_catalog(session, catalog)
        now, products = datetime.now(UTC), ProductRepository(session)
        generation = PublishedRepository(session).generation(catalog)
        before = {one: products.get(catalog, one, generation=generation) for one in wanted}
        had = ImageRepository(session).ids_of(catalog, wanted)
        products.delete(catalog, wanted)
        AuditRepository(session).add_many(Doing("products.delete", catalog, by, now).entries(before, {}))
        sequence = ChangeRepository(session).record(catalog, had, now)
    return LiveChange(catalog=catalog, products=wanted, sequence=sequence)


def _demand_same_encoder(published: PublishedRepository, builds: BuildRepository, catalog: str, used: Encoder) -> None:
    """The catalog is locked: nothing is published between this look and the end of the transaction."""
    build = published.get(catalog).build
    manifest = builds.manifest(build)
    if manifest is not None and manifest.encoder != used.spec.identity:
        raise EncoderMismatch(
            f"Build {build} of catalog {catalog!r}, published meanwhile, has another encoder; give the products again."
        )


def _text_key(product: Product) -> str:
    return text_key(describe(product)).hex()


def _embed_texts(products: Sequence[Product], prompts: Sequence[str], seeing: Seeing) -> None:
    """And the build's prompts, which its changes are guessed with, should the cache have lost them."""
    read = [*(describe(product) for product in products), *prompts]
    keys = [text_key(text) for text in read]
    missing = set(seeing.embeddings.texts.missing(keys))
    texts = [text for text, key in zip(read, keys, strict=True) if key in missing]
    if texts:
        encode_missing(texts, seeing.encoder, seeing.embeddings)


def _photos(
    products: Sequence[Product], root: Place, seeing: Seeing
) -> tuple[dict[str, list[ImageRecord]], list[Rejected]]:
    """The photos as the ledger has them, those that pass embedded; and why the others do not."""
    records: dict[str, list[ImageRecord]] = {product.id: [] for product in products}
    rejected: list[Rejected] = []
    fresh: dict[bytes, Pixels] = {}
    tasks = (
        DecodeTask(image, seeing.encoder.spec.fit, root, key=_unchecked(product.id, place, image, root))
        for product in products
        for place, image in enumerate(product.images)
    )
    for task, outcome in seeing.decoders.map(tasks):
        record = task.key
        assert isinstance(record, ImageRecord)
        records[record.product_id].append(_checked(record, outcome))
        if isinstance(outcome, ImageRejected):
            told = Rejected(product=record.product_id, photo=record.uri, reason=outcome.reason, detail=outcome.detail)
            rejected.append(told)
        elif seeing.embeddings.images.missing([bytes.fromhex(outcome.content_hash)]):
            fresh[bytes.fromhex(outcome.content_hash)] = outcome.pixels
        if len(fresh) >= ENCODED_TOGETHER:
            _embed_photos(fresh, seeing)
    _embed_photos(fresh, seeing)
    return records, rejected


def _embed_photos(fresh: dict[bytes, Pixels], seeing: Seeing) -> None:
    """What is embedded leaves `fresh`, so that memory does not grow with the number of photos."""
    if fresh:
        seeing.embeddings.images.put(list(fresh), np.asarray(seeing.encoder.encode_images(list(fresh.values()))))
        fresh.clear()


def _unchecked(product_id: str, place: int, image: ImageRef, root: Place) -> ImageRecord:
    return ImageRecord(product_id, image.image_id, place, image.uri, stamp(root, image), ImageState.PENDING)


def _checked(record: ImageRecord, outcome: Decoded | ImageRejected) -> ImageRecord:
    now = datetime.now(UTC)
    if isinstance(outcome, ImageRejected):
        rejected = ImageState.REJECTED
        return replace(record, state=rejected, reason=outcome.reason, detail=outcome.detail, checked_at=now)
    return replace(
        record,
        state=ImageState.READY,
        content_hash=outcome.content_hash,
        width=outcome.width,
        height=outcome.height,
        palette=plain_palette(outcome.palette),
        checked_at=now,
    )
