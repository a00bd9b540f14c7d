"""Stage four: points from the ledger and the embedding cache, without an encoder."""

from collections.abc import Callable, Iterator, Sequence

from indexer.builds.embeddings import Embeddings
from indexer.builds.survey import Page, pages
from indexer.builds.texts import describe, payload, words
from indexer.catalog.engine import Database
from indexer.catalog.records import ImageRecord
from indexer.domain import Channel, FieldType, PayloadValue, Point, Product, Vector, point_id
from indexer.images.names import name_colours
from indexer.images.palette import Palette, PaletteColour

Upsert = Callable[[Sequence[Point]], None]

MIN_SHARE = 0.2
"""Share of the foreground from which a colour of a photo's palette can be filtered by."""


def write_points(
    database: Database, catalog: str, fields: dict[str, FieldType], embeddings: Embeddings, upsert: Upsert
) -> Iterator[int]:
    """Write page after page, yielding how many points each had."""
    for page in pages(database, catalog):
        points = list(_points(catalog, page, fields, embeddings))
        upsert(points)
        yield len(points)


def _points(catalog: str, page: Page, fields: dict[str, FieldType], embeddings: Embeddings) -> Iterator[Point]:
    hashes = [image.content_hash for _, images in page for image in images if image.content_hash]
    photos = iter(embeddings.of_images(hashes))
    texts = embeddings.of_texts([describe(product) for product, _ in page])
    for (product, images), text in zip(page, texts, strict=True):
        shared = payload(product, fields)
        for image in images:
            coloured = {**shared, "palette": palette_names(image)}
            yield _point(catalog, product, image.image_id, {Channel.IMAGE: next(photos), Channel.TEXT: text}, coloured)
        if not images:
            yield _point(catalog, product, "", {Channel.TEXT: text}, shared)


def _point(
    catalog: str, product: Product, image_id: str, vectors: dict[Channel, Vector], filterable: dict[str, PayloadValue]
) -> Point:
    return Point(point_id(catalog, product.id, image_id), product.id, image_id, vectors, words(product), filterable)


def palette_names(image: ImageRecord) -> list[str]:
    """The colours of the photo's foreground by name, the largest first."""
    colours = tuple(PaletteColour((lightness, a, b), share) for lightness, a, b, share in image.palette or ())
    named = name_colours(Palette(colours)) if colours else {}
    return [name for name, share in named.items() if share >= MIN_SHARE]
